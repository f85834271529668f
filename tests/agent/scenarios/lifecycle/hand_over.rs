//! What one configuration leaves to the next: batches that nobody takes, files that have lost their
//! names, sources and destinations that come and go.

use std::fs;
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver};
use rustix::process::Signal;

use super::super::handles::metric;
use super::reload::{APP, stored, to, wait_for_generation, yaml};
use super::{assert_exact, lines, lines_of, terminate};
use crate::harness::{Agent, PATIENCE, Place, until};

const DEAD: &str = "http://127.0.0.1:9";

#[test]
fn s48_a_wrong_url_is_mended_while_its_batch_is_tried_again() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.configure(&yaml(APP, &to("search", DEAD))), &[]);
    place.append("app.log", lines(0..20_000));
    agent.wait_for_log("WARN");
    place.configure(&yaml(APP, &to("search", &receiver.url())));
    wait_for_generation(&agent, 2);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 20_000));
    agent.assert_at_rest();
    let returned = "pillion_records_total{destination=\"search\",outcome=\"returned\"}";
    assert!(metric(&agent, returned) > 0.0, "given up, and read again");
    terminate(agent);
    assert_exact(&receiver, [(0, 20_000)]);
}

#[test]
fn s48_destinations_come_go_and_change_their_names() {
    let place = Place::new();
    let (one, two) = (
        Receiver::start(Options::default()).expect("receiver"),
        Receiver::start(Options::default()).expect("receiver"),
    );
    let search = to("search", &one.url());
    let agent = Agent::start(&place.configure(&yaml(APP, &search)), &[]);
    let mut generation = 1;
    let mut load = |destinations: &str| {
        place.configure(&yaml(APP, destinations));
        agent.signal(Signal::HUP);
        generation += 1;
        wait_for_generation(&agent, generation);
    };
    place.append("app.log", lines(0..100));
    assert!(one.wait_for(PATIENCE, |requests| requests.stored >= 100));
    // A new one begins where its files begin.
    load(&(search.clone() + &to("second", &two.url())));
    place.append("app.log", lines(100..200));
    assert!(two.wait_for(PATIENCE, |requests| requests.stored >= 200));
    // One that is gone holds nothing back, and goes on where it was when it comes again.
    load(&search);
    place.append("app.log", lines(200..300));
    assert!(one.wait_for(PATIENCE, |requests| requests.stored >= 300));
    load(&(to("second", &two.url()) + &search));
    assert!(two.wait_for(PATIENCE, |requests| requests.stored >= 300));
    let settled = || stored(&agent, "second");
    assert!(until(PATIENCE, || settled() == 100.0), "{} and not those of the meantime", settled());
    agent.assert_at_rest();
    let again = "pillion_records_total{destination=\"search\",outcome=\"already_settled\"}";
    assert!(metric(&agent, again) >= 100.0, "read again for the other one");
    // Under another name it is another one; what is stored already is known by its ids.
    load(&to("renamed", &one.url()));
    place.append("app.log", lines(300..400));
    assert!(one.wait_for(PATIENCE, |requests| requests.stored >= 400));
    agent.assert_at_rest();
    let duplicate = "pillion_records_total{destination=\"renamed\",outcome=\"duplicate\"}";
    assert!(until(PATIENCE, || metric(&agent, duplicate) == 300.0));
    terminate(agent);
    assert_exact(&one, [(0, 400)]);
    assert_exact(&two, [(0, 300)]);
}

#[test]
fn s48_a_source_that_is_removed_goes_on_when_it_comes_again() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let destination = to("search", &receiver.url());
    let other = "  other: {files: ['{logs}/*.txt']}\n";
    let both = APP.to_owned() + other;
    let agent = Agent::start(&place.configure(&yaml(&both, &destination)), &[]);
    place.append("app.log", lines(0..100));
    place.append("other.txt", lines_of(1, 0..100));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 200));
    place.configure(&yaml(other, &destination));
    agent.signal(Signal::HUP);
    wait_for_generation(&agent, 2);
    place.append("app.log", lines(100..200));
    fs::rename(place.log("app.log"), place.log("app.log.1")).expect("renamed");
    place.append("app.log", lines(200..300));
    place.append("other.txt", lines_of(1, 100..200));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 300));
    place.configure(&yaml(&both, &destination));
    agent.signal(Signal::HUP);
    wait_for_generation(&agent, 3);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 500));
    agent.assert_at_rest();
    terminate(agent);
    assert_exact(&receiver, [(0, 300), (1, 200)]);
}

/// The handles of files that have lost their names outlive the reload, and so does what of them is in
/// flight when the destination is down.
#[test]
fn s48_a_deleted_files_bytes_survive_a_reload_during_an_outage() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    // More than fits into memory: some is in flight, some unread.
    let count = 60_000;
    place.append("gone.log", lines(0..count));
    place.append("moved.log", lines_of(1, 0..100));
    let config = |more: &str| {
        let app = format!("  app: {{files: ['{{logs}}/*.log']{more}}}\n");
        place.configure(&yaml(&app, &to("search", &receiver.url())))
    };
    let agent = Agent::start(&config(""), &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1));
    fs::remove_file(place.log("gone.log")).expect("removed");
    let elsewhere = place.dir.path().join("elsewhere");
    fs::rename(place.log("moved.log"), &elsewhere).expect("moved");
    for generation in 2..=3 {
        config(&format!(", fields: {{generation: '{generation}'}}"));
        agent.signal(Signal::HUP);
        wait_for_generation(&agent, generation);
    }
    receiver.faults().clear();
    let all = count + 100;
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= all), "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    assert_eq!(metric(&agent, "pillion_lost_bytes_total{reason=\"gone\"}"), 0.0);
    terminate(agent);
    assert_exact(&receiver, [(0, count), (1, 100)]);
}

/// A hand-over waits for seconds while the destination is down. Files that are made and rotated out of
/// the globs in that time, and in the moment in which one tail follows the other, are known to nobody
/// but who looked meanwhile.
#[test]
fn s48_files_made_and_rotated_away_while_a_reload_waits_are_stored() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let config = |more: &str| {
        let app = format!("  app: {{files: ['{{logs}}/*.log']{more}}}\n");
        place.configure(&yaml(&app, &to("search", &receiver.url())))
    };
    let agent = Agent::start(&config(""), &[]);
    place.append("app.log", lines(0..10));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1));
    config(", fields: {generation: '2'}");
    agent.signal(Signal::HUP);
    agent.wait_for_log("told by SIGHUP");
    let (mut rotations, mut after) = (0, 0);
    while after < 20 {
        assert!(rotations < 4_000, "never loaded:\n{}", agent.log().join("\n"));
        rotations += 1;
        let to = place.log(&format!("app.log.{rotations}"));
        fs::rename(place.log("app.log"), to).expect("renamed");
        place.append("app.log", lines(rotations * 10..rotations * 10 + 10));
        // The pace of this application, which goes on for a little after the swap.
        std::thread::sleep(Duration::from_millis(20));
        after += u64::from(agent.log().iter().any(|line| line.contains("configuration loaded")));
    }
    assert!(rotations > 100, "{rotations} in a hand-over of seconds");
    receiver.faults().clear();
    let all = (rotations + 1) * 10;
    let _ = receiver.wait_for(PATIENCE, |it| it.stored >= all);
    agent.assert_at_rest();
    assert_eq!(metric(&agent, "pillion_lost_bytes_total{reason=\"gone\"}"), 0.0);
    terminate(agent);
    assert_exact(&receiver, [(0, all)]);
}

/// The grace counts from the signal.
#[test]
fn a_signal_during_a_reload_ends_it_in_time() {
    let place = Place::new();
    let agent_config = place.configure(&yaml(APP, &to("search", DEAD)));
    let agent = Agent::start(&agent_config, &["--grace", "6s"]);
    place.append("app.log", lines(0..100));
    agent.wait_for_log("WARN");
    let begun = Instant::now();
    agent.signal(Signal::HUP);
    agent.wait_for_log("told by SIGHUP");
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let left = log.iter().find_map(|line| crate::harness::number_after(line, "bytes_left_behind="));
    assert_eq!(left, Some(lines(0..100).len() as u64), "{}", log.join("\n"));
}

/// What is in a disk buffer goes out as it was written: by the old rules, to where it was meant for.
#[test]
fn s48_with_a_buffer_too_what_is_not_settled_is_read_again() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let to = to("search", &receiver.url()) + "    buffer: {disk: 20MiB}\n";
    receiver.faults().set(Fault::Hang { stored: false });
    let agent = Agent::start(&place.configure(&yaml(APP, &to)), &[]);
    place.append("app.log", lines(0..1_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1));
    // A body of another form would stay in the buffer.
    place.configure(&yaml(APP, &(to + "    compression: none\n")));
    receiver.faults().clear();
    agent.signal(Signal::HUP);
    wait_for_generation(&agent, 2);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 1_000));
    assert!(!place.state().join("buffer").exists());
    agent.assert_at_rest();
    terminate(agent);
    assert_exact(&receiver, [(0, 1_000)]);
}
