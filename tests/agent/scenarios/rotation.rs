//! Rotation by renaming and deleting.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver};

use super::super::harness::{Agent, PATIENCE, Place, until};
use super::super::oracle::Arrived;
use super::super::writer::{Writer, written};
use super::handles::small;

/// A place, a receiver, and an agent that ships every `*.log` to it.
pub(super) fn running() -> (Place, Receiver, Agent) {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    (place, receiver, agent)
}

/// Waits until all that was written has arrived.
pub(super) fn catch_up(receiver: &Receiver, agent: &Agent, writers: &[&Writer]) {
    let lines: u64 = writers.iter().map(|writer| writer.written().1).sum();
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= lines);
    assert!(all, "{} of {lines}\n{}", receiver.requests().stored, agent.log().join("\n"));
}

pub(super) fn down() -> Fault {
    Fault::Status { status: 503, retry_after: None }
}

/// Five applications, each renaming its log and beginning another every 256 KB.
fn rename_and_create(lines: u64) {
    let (place, receiver, agent) = running();
    let writers: Vec<Writer> = std::thread::scope(|scope| {
        let write = |file: u32| {
            let mut writer = Writer::new(place.log(&format!("{file}.log")), file);
            let mut rotations = 0;
            while writer.written().1 < lines {
                writer.lines((lines - writer.written().1).min(100));
                if fs::metadata(&writer.path).is_ok_and(|meta| meta.len() > 256 << 10) {
                    rotations += 1;
                    let to = writer.rotated(rotations);
                    writer.rotate(&to);
                }
            }
            writer
        };
        let threads: Vec<_> = (0..5).map(|file| scope.spawn(move || write(file))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a writer")).collect()
    });
    agent.assert_exact(&receiver, &writers);
}

#[test]
fn s01_rename_and_create_under_load() {
    rename_and_create(8_000);
}

#[test]
#[ignore = "full size: for --release"]
fn s01_rename_and_create_under_load_full_size() {
    rename_and_create(100_000);
}

/// Thirty seconds are the patience with a renamed file's writer, counted from its last line: so the
/// full size pauses between its lines, and only the whole is longer than that.
fn writer_keeps_the_old_descriptor(pause: Duration) {
    let (place, receiver, agent) = running();
    let mut old = Writer::new(place.log("app.log"), 1);
    old.lines(100);
    old.rename(&old.rotated(1));
    let mut new = Writer::new(place.log("app.log"), 2);
    for _ in 0..10 {
        old.lines(100);
        new.lines(10);
        // That each arrives says that the old one is still followed.
        catch_up(&receiver, &agent, &[&old, &new]);
        std::thread::sleep(pause);
    }
    agent.assert_exact(&receiver, [&old, &new]);
}

/// Also known as `test_rotate_file_with_write_old` (Fluentd).
#[test]
fn s02_writer_keeps_the_old_descriptor() {
    writer_keeps_the_old_descriptor(Duration::ZERO);
}

#[test]
#[ignore = "full size: for --release"]
fn s02_writer_keeps_the_old_descriptor_for_40_seconds() {
    writer_keeps_the_old_descriptor(Duration::from_secs(4));
}

fn renamed_out_of_the_glob_unread(bytes: usize) {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set(down());
    let agent = Agent::start(&small(&place, &receiver, ""), &[]);
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.filling = 800;
    writer.bytes(bytes);
    fs::create_dir(place.dir.path().join("archive")).expect("a directory");
    writer.rotate(&place.dir.path().join("archive/elsewhere"));
    writer.lines(100);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 2), "it is asked");
    let full = || agent.metrics()["pillion_budget_pauses_total"] > 0.0;
    assert!(until(PATIENCE, full), "reading goes on:\n{}", agent.log().join("\n"));
    let read = agent.metrics()["pillion_read_bytes_total"];
    assert!(read < writer.put as f64 / 2.0, "most of it is unread: {read}");
    receiver.faults().clear();
    agent.assert_exact(&receiver, [&writer]);
}

/// Out of the directories that are looked at, too: only the handle leads there.
#[test]
fn s03_renamed_out_of_the_glob_unread() {
    renamed_out_of_the_glob_unread(8 << 20);
}

#[test]
#[ignore = "full size: for --release"]
fn s03_renamed_out_of_the_glob_unread_full_size() {
    renamed_out_of_the_glob_unread(50 << 20);
}

#[test]
fn s04_chain_of_three_rotations_within_a_second() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(1_000);
    for _ in 0..3 {
        writer.chain(5);
        writer.lines(1_000);
    }
    agent.assert_exact(&receiver, [&writer]);
}

/// Renamed again and again with no more than a few lines in each: some are gone from the glob before
/// anybody looks. (Fluent Bit: `multi_file_rapid_rotation`.)
#[test]
fn many_files_in_rapid_rotation() {
    let (place, receiver, agent) = running();
    let mut writers: Vec<_> =
        (0..8).map(|file| Writer::new(place.log(&format!("{file}.log")), file)).collect();
    for rotation in 0..30 {
        for writer in &mut writers {
            writer.lines(3);
            writer.rotate(&writer.rotated(rotation));
        }
    }
    agent.assert_exact(&receiver, &writers);
}

/// (Fluent Bit: `delete_and_recreate_same_path`.)
#[test]
fn deleted_and_recreated_at_the_same_path() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    for _ in 0..10 {
        writer.lines(100);
        // Held open from here on.
        catch_up(&receiver, &agent, &[&writer]);
        writer.lines(100);
        writer.delete();
        writer.lines(100);
        writer.reopen();
    }
    writer.lines(100);
    agent.assert_exact(&receiver, [&writer]);
}

/// Moved to another directory and written on there, across a restart of nothing but the application.
/// (OTel: `TestTrackMovedAwayFiles`.)
#[test]
fn files_that_are_moved_away_are_followed() {
    let (place, receiver, agent) = running();
    let away = place.dir.path().join("away");
    fs::create_dir(&away).expect("a directory");
    let mut writers: Vec<_> =
        (0..5).map(|file| Writer::new(place.log(&format!("{file}.log")), file)).collect();
    writers.iter_mut().for_each(|writer| writer.lines(100));
    catch_up(&receiver, &agent, &writers.iter().collect::<Vec<_>>());
    for (file, writer) in writers.iter_mut().enumerate() {
        writer.rename(&away.join(format!("{file}.old")));
        writer.lines(100);
    }
    catch_up(&receiver, &agent, &writers.iter().collect::<Vec<_>>());
    for writer in &mut writers {
        writer.lines(100);
        writer.reopen();
        writer.lines(100);
    }
    agent.assert_exact(&receiver, &writers);
}

/// A small file is known by few bytes. Another that begins alike is not taken for it, be it that the
/// agent was away. (OTel: `TestStalePartialFingerprintDiscarded`.)
#[test]
fn a_file_that_begins_like_one_that_is_gone_is_another() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let banner = "banner, the same in every file\n";
    let mut writers = Vec::new();
    for file in 0..4 {
        // Deleted while the agent is away, so that the inode may be taken again.
        let path = place.log("app.log");
        fs::write(&path, banner).expect("writes");
        let mut writer = Writer::new(path, file);
        writer.lines(2 + u64::from(file));
        let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
        writers.push(writer);
        let lines = written(&writers).values().sum::<u64>() + writers.len() as u64;
        let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= lines);
        assert!(all, "{}", agent.log().join("\n"));
        agent.assert_conserved();
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
        fs::remove_file(place.log("app.log")).expect("deletes");
    }
    let mut arrived = Arrived::default();
    let documents = receiver.documents();
    let (banners, lines): (Vec<_>, Vec<_>) =
        documents.iter().partition(|it| it.document["message"].as_str() == Some(banner.trim_end()));
    lines.iter().for_each(|stored| arrived.document(stored));
    let found = arrived.judge(&written(&writers));
    assert!(found.is_exact() && banners.len() == 4, "{} banners, {found:?}", banners.len());
}

/// Looked round all the time, while the file is renamed. (Fluentd: `test_refreshTW_during_rotation`.)
#[test]
fn rotation_during_looks_round() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Each that comes and goes has the directory looked at.
            for number in (0..).take_while(|_| !done.load(Ordering::Relaxed)) {
                let other = place.log(&format!("other-{number}.log"));
                fs::write(&other, "").expect("writes");
                fs::remove_file(other).expect("deletes");
            }
        });
        let looks = || agent.metrics()["pillion_rescans_total"];
        let before = looks();
        for chain in 0.. {
            writer.lines(50);
            writer.chain(50);
            if chain >= 40 && looks() > before + 10.0 {
                break;
            }
        }
        writer.lines(50);
        done.store(true, Ordering::Relaxed);
    });
    agent.assert_exact(&receiver, [&writer]);
}

/// From nothing to more than what a file is known by, with a restart at each size. (rsyslog:
/// `imfile-growing-file-id`.)
#[test]
fn a_file_that_grows_slowly_across_restarts() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let mut writer = Writer::new(place.log("app.log"), 1);
    for lines in [0, 1, 1, 1, 2, 3, 5, 8, 40] {
        writer.lines(lines);
        let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
        catch_up(&receiver, &agent, &[&writer]);
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
    }
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    agent.assert_exact(&receiver, [&writer]);
}

/// Several links, two of them to one file, each file rotated beside itself. (rsyslog:
/// `imfile-symlink-multi`.)
#[test]
fn several_links_to_rotated_files() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let pods = place.dir.path().join("pods");
    fs::create_dir(&pods).expect("a directory");
    let link = |to: &Path, name: &str| symlink(to, place.log(name)).expect("links");
    let mut writers: Vec<_> =
        (0..3).map(|file| Writer::new(pods.join(format!("{file}.txt")), file)).collect();
    for (file, writer) in writers.iter().enumerate() {
        link(&writer.path, &format!("{file}.log"));
    }
    link(&writers[0].path, "again.log");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], links_to: ['{}']}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}}}\n",
        pods.display(),
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    for _ in 0..5 {
        writers.iter_mut().for_each(|writer| writer.lines(50));
        catch_up(&receiver, &agent, &writers.iter().collect::<Vec<_>>());
        for writer in &mut writers {
            writer.lines(50);
            writer.chain(9);
        }
    }
    writers.iter_mut().for_each(|writer| writer.lines(50));
    agent.assert_exact(&receiver, &writers);
}
