//! Kills, and damaged or unwritable state.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver};
use xxhash_rust::xxh3::xxh3_64;

use super::super::harness::{Agent, PATIENCE, Place, command, limit_file_size, until};
use super::super::oracle::Arrived;
use super::super::writer::{Writer, written};

mod large;
mod unread;

fn begin() -> (Place, Receiver) {
    (Place::new(), Receiver::start(Options::default()).expect("receiver"))
}

fn catch_up(receiver: &Receiver, agent: &Agent, lines: u64) {
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= lines);
    assert!(all, "{} of {lines}\n{}", receiver.requests().stored, agent.log().join("\n"));
}

/// Writes and rotates until told to end. Rotated names fit the glob: what is made and renamed out of
/// it while the agent is away was never its business.
fn write_on(place: &Place, file: u32, done: &AtomicBool) -> Writer {
    let mut writer = Writer::new(place.log(&format!("{file}.log")), file);
    let mut rotations = 0;
    while !done.load(Ordering::Relaxed) {
        writer.lines(20);
        if fs::metadata(&writer.path).is_ok_and(|meta| meta.len() > 128 << 10) {
            rotations += 1;
            let to = place.log(&format!("{file}-{rotations}.log"));
            writer.rotate(&to);
        }
        std::thread::sleep(Duration::from_millis(4));
    }
    writer
}

/// Three of them, while `act` is done.
fn while_they_write(place: &Place, act: impl FnOnce()) -> Vec<Writer> {
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..3).map(|file| scope.spawn(move || write_on(place, file, done))).collect();
        act();
        done.store(true, Ordering::Relaxed);
        threads.into_iter().map(|it| it.join().expect("a writer")).collect()
    })
}

/// An agent that is killed after so many milliseconds. Not waited for: it may be while it starts.
fn live_for(config: &Path, pause: u64) {
    let agent = Agent::spawn(config, &[]);
    std::thread::sleep(Duration::from_millis(pause));
    agent.kill();
}

/// Draws how long agents live. Says the seed, with which `PILLION_KILLS_SEED` draws the same again.
#[expect(clippy::print_stdout, reason = "what failed can be played again")]
fn pauses() -> fastrand::Rng {
    let given = std::env::var("PILLION_KILLS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("PILLION_KILLS_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Every so many milliseconds, under load and rotation. What is asked is that nothing is lost; that
/// nothing is stored twice either is due to the records' ids.
fn kill_again_and_again(rounds: usize, pause: Range<u64>) {
    let mut random = pauses();
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let writers = while_they_write(&place, || {
        (0..rounds).for_each(|_| live_for(&config, random.u64(pause.clone())));
    });
    let agent = Agent::start(&config, &[]);
    agent.assert_exact(&receiver, &writers);
}

#[test]
fn s26_killed_again_and_again_under_load_and_rotation() {
    kill_again_and_again(12, 20..500);
}

#[test]
#[ignore = "full size: for --release"]
fn s26_killed_again_and_again_under_load_and_rotation_full_size() {
    kill_again_and_again(100, 500..3_000);
}

/// As far as memory reaches is read, and nothing of it is acknowledged when the agent is killed.
fn killed_with_all_in_flight(lines: u64) {
    let (place, receiver) = begin();
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(lines);
    for _ in 0..2 {
        let agent = Agent::start(&config, &[]);
        let faulted = receiver.requests().faulted;
        let stands = until(2 * PATIENCE, || {
            let metrics = agent.metrics();
            let all = metrics["pillion_read_bytes_total"] == writer.put as f64;
            all || metrics["pillion_budget_pauses_total"] > 0.0
        });
        assert!(stands && receiver.wait_for(PATIENCE, |it| it.faulted > faulted));
        agent.kill();
    }
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    agent.assert_exact(&receiver, [&writer]);
}

#[test]
fn s28_killed_with_all_in_flight_while_the_destination_is_down() {
    killed_with_all_in_flight(60_000);
}

#[test]
#[ignore = "full size: for --release"]
fn s28_killed_with_all_in_flight_while_the_destination_is_down_full_size() {
    killed_with_all_in_flight(1_000_000);
}

/// Ships, damages the generations of the checkpoint named, writes more, and ships again.
fn survives_damage(
    generations: &[&str],
    damage: impl Fn(&mut Vec<u8>),
) -> (Arrived, Writer, Vec<String>) {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(300);
    let agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 300);
    let (status, _) = agent.terminate();
    assert!(status.success());
    for generation in generations {
        let path = place.state().join(generation);
        let mut bytes = fs::read(&path).expect("a checkpoint");
        damage(&mut bytes);
        fs::write(&path, bytes).expect("writes");
    }
    writer.rotate(&writer.rotated(1));
    writer.lines(300);
    let agent = Agent::start(&config, &[]);
    let all = until(PATIENCE, || Arrived::at(&receiver).has(1, 0..600));
    assert!(all, "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    (Arrived::at(&receiver), writer, log)
}

/// At every byte: `checkpoint::store::tests`. Here, that the agent takes what that leaves. (Alloy:
/// `TestTailerCorruptedPositions`.)
#[test]
fn s29_a_damaged_checkpoint_gives_way_to_the_previous_one() {
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.fill(0),
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 4;
        },
    ];
    for damage in damages {
        let (arrived, writer, log) = survives_damage(&["checkpoint"], damage);
        let found = arrived.judge(&written([&writer]));
        assert!(found.is_exact(), "{found:?}\n{}", log.join("\n"));
        let said = |text: &str| log.iter().any(|line| line.contains("WARN") && line.contains(text));
        assert!(said("unreadable") && said("previous"), "{}", log.join("\n"));
    }
}

/// Files are read again, under other ids. The file that was rotated while the agent was away is known
/// to nobody then, unless a glob finds it. (rsyslog: `imfile-bad-state-file`.)
#[test]
fn s29_with_both_generations_damaged_files_are_read_again() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(300);
    let agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 300);
    agent.terminate();
    for generation in ["checkpoint", "checkpoint.previous"] {
        fs::write(place.state().join(generation), "rubbish \u{0}\n".repeat(50)).expect("writes");
    }
    writer.lines(100);
    for _ in 0..2 {
        let agent = Agent::start(&config, &[]);
        catch_up(&receiver, &agent, 700);
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
    }
    let found = Arrived::at(&receiver).judge(&written([&writer]));
    assert!(found.is_at_least_once(), "{found:?}");
    assert_eq!(found.repeated.len(), 300, "once more, and never again");
}

/// State of a newer version is refused, and stays as it is.
#[test]
fn s29_a_newer_checkpoint_is_refused_and_left_alone() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(10);
    let agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 10);
    agent.terminate();
    let body = "pillion-checkpoint 9000\n{\"what\":\"only that version knows\"}\n";
    let newer = format!("{body}xxh3 {:016x}\n", xxh3_64(body.as_bytes()));
    fs::write(place.state().join("checkpoint"), &newer).expect("writes");
    let before = listing(&place.state());
    for _ in 0..2 {
        let refused = command().args(["run", "-c"]).arg(&config).output().expect("runs");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("newer pillion") && said.contains("9000"), "{said}");
    }
    assert_eq!(listing(&place.state()), before);
    assert_eq!(receiver.requests().stored, 10);
}

/// The files of a directory with their content, but for the lock's.
fn listing(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).expect("readable").map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.path().is_file() && entry.file_name() != "lock");
    let content = |path: &Path| fs::read(path).expect("readable");
    let mut files: Vec<_> = files
        .map(|it| (it.file_name().to_string_lossy().into_owned(), content(&it.path())))
        .collect();
    files.sort();
    files
}

/// Nothing can be saved, as on a full disk: shipping goes on, with new files, too (of which an agent
/// reads some 256 that it could not save, if it could ever save). Once there is room the checkpoint is saved
/// again, without a restart, and a kill costs nothing.
#[test]
fn s30_state_that_is_full_and_freed() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(100);
    let mut agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 100);
    for round in 1..=2 {
        writer.lines(10);
        let saves = || agent.metrics()["pillion_checkpoint_saves_total"];
        assert!(until(PATIENCE, || saves() > 0.0), "{}", agent.log().join("\n"));
        limit_file_size(&agent, Some(0));
        for rotation in 0..3 {
            writer.lines(200);
            let to = writer.rotated(10 * round + rotation);
            writer.rotate(&to);
        }
        writer.lines(200);
        catch_up(&receiver, &agent, writer.written().1);
        let errors = || agent.metrics()["pillion_checkpoint_save_errors_total"];
        assert!(until(PATIENCE, || errors() > 0.0), "{}", agent.log().join("\n"));
        limit_file_size(&agent, None);
        agent.wait_for_log("can be saved again");
        agent.assert_conserved();
        agent.kill();
        agent = Agent::start(&config, &[]);
    }
    writer.lines(100);
    agent.assert_exact(&receiver, [&writer]);
}

/// Killed while the state is full: what was shipped meanwhile may be shipped again, and nothing is
/// lost.
#[test]
fn s30_killed_while_the_state_is_full() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(100);
    let agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 100);
    limit_file_size(&agent, Some(0));
    writer.lines(200);
    // Within the glob: the agent that comes back must find it.
    writer.rotate(&place.log("old.log"));
    writer.lines(200);
    catch_up(&receiver, &agent, 500);
    let errors = || agent.metrics()["pillion_checkpoint_save_errors_total"];
    assert!(until(PATIENCE, || errors() > 0.0), "{}", agent.log().join("\n"));
    agent.kill();
    let agent = Agent::start(&config, &[]);
    writer.lines(100);
    let all = until(PATIENCE, || Arrived::at(&receiver).has(1, 0..600));
    assert!(all, "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    agent.terminate();
    let found = Arrived::at(&receiver).judge(&written([&writer]));
    assert!(found.is_at_least_once() && found.repeated.len() <= 400, "{found:?}");
}
