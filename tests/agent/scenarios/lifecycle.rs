//! The life of a pod: SIGTERM, sentinels, reloads.

use std::fs;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver};
use rustix::process::Signal;

use crate::harness::{Agent, PATIENCE, Place, until};
use crate::oracle::{self, Arrived};
use crate::writer::Writer;

mod hand_over;
mod hash_key;
mod reload;

const FILLING: &str = "filling, filling, filling";

/// Lines of a file, from one number to another.
fn lines_of(file: u32, range: Range<u64>) -> String {
    range.map(|seq| oracle::line(file, seq, FILLING) + "\n").collect()
}

/// The same of the file that most of these tests have alone.
fn lines(range: Range<u64>) -> String {
    lines_of(0, range)
}

/// What was written, file by file up to a number, is what is stored: nothing missing, repeated, reordered
/// or altered.
fn assert_exact(receiver: &Receiver, written: impl IntoIterator<Item = (u32, u64)>) {
    let found = Arrived::at(receiver).judge(&written.into_iter().collect());
    assert!(found.is_exact(), "{found:?}");
}

/// An application that appends lines to `app.log` until it is told to stop.
struct Busy {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Writer>,
}

impl Busy {
    fn start(place: &Place, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, mut writer) = (Arc::clone(&stop), Writer::new(place.log("app.log"), 0));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                writer.lines(20);
                std::thread::sleep(pause);
            }
            writer
        });
        Self { stop, thread }
    }

    /// Ends it; how many lines it wrote.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic").written().1
    }
}

fn terminate(agent: Agent) {
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
}

#[test]
fn s27_graceful_restart_20_times_under_load() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.to_elasticsearch(&receiver.url());
    let writer = Busy::start(&place, Duration::from_millis(20));
    for _ in 0..20 {
        let stored = receiver.requests().stored;
        // This application never falls silent.
        let agent = Agent::start(&config, &["--quiet", "0"]);
        assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > stored));
        terminate(agent);
    }
    let written = writer.stop();
    terminate(Agent::start(&config, &[]));
    assert_exact(&receiver, [(0, written)]);
}

#[test]
fn s49_an_application_that_logs_on_after_sigterm_is_read_to_its_end() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let mut agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    place.append("app.log", lines(0..10));
    let begun = Instant::now();
    agent.signal(Signal::TERM);
    // Three seconds of logging, in a new file too, with pauses shorter than the quiet time.
    for n in 1..=10 {
        std::thread::sleep(Duration::from_millis(300));
        place.append("app.log", lines(n * 10..n * 10 + 5));
        place.append("last.log", lines(n * 10 + 5..n * 10 + 10));
    }
    let (status, log) = agent.ended();
    assert!(status.success(), "{}", log.join("\n"));
    // Three seconds of logging, one of quiet and the drain: not for as long as the grace allows.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_exact(&receiver, [(0, 110)]);
    assert!(log.iter().any(|line| line.contains("bytes_left_behind=0")), "{}", log.join("\n"));
}

/// What the grace is too short for stays in the file, and is shipped by the next start.
#[test]
fn s49_the_grace_ends_what_never_falls_silent() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.to_elasticsearch(&receiver.url());
    let agent = Agent::start(&config, &["--grace", "2s"]);
    let writer = Busy::start(&place, Duration::from_millis(5));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > 0));
    let begun = Instant::now();
    terminate(agent);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let written = writer.stop();
    terminate(Agent::start(&config, &[]));
    assert_exact(&receiver, [(0, written)]);
}

#[test]
fn s50_a_native_sidecar_ends_within_2_s_when_nothing_grows() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    // The main container's last words, half a line among them.
    place.append("app.log", lines(0..1_001).trim_end());
    let begun = Instant::now();
    let (status, log) = agent.terminate_at_once();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_exact(&receiver, [(0, 1_001)]);
}

#[test]
fn s50_a_sentinel_file_ends_it_within_2_s() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.to_elasticsearch(&receiver.url());
    let shared = place.dir.path().join("shared");
    let when = format!("file={}", shared.join("done").display());
    let args = ["--exit-when", "idle=1h", "--exit-when", &when];
    // Its directory need not be there yet.
    let mut agent = Agent::start(&config, &args);
    place.append("app.log", lines(0..1_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > 0));
    fs::create_dir(&shared).expect("made");
    place.append("app.log", lines(1_000..2_000));
    fs::write(shared.join("done"), "").expect("written");
    let begun = Instant::now();
    let (status, log) = agent.ended();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_exact(&receiver, [(0, 2_000)]);

    // One that a Job's earlier attempt has left holds at once; what is there is shipped all the same.
    place.append("app.log", lines(2_000..3_000));
    let (status, log) = Agent::spawn(&config, &args).ended();
    assert!(status.success(), "{}", log.join("\n"));
    assert_exact(&receiver, [(0, 3_000)]);
}

#[test]
fn s50_it_ends_when_there_is_nothing_more_to_ship_and_not_before() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    place.append("app.log", lines(0..1_000));
    let mut agent =
        Agent::start(&place.to_elasticsearch(&receiver.url()), &["--exit-when", "idle=1s"]);
    // Quiet for long, but nothing is settled.
    let ends = || agent.log().iter().any(|line| line.contains("draining"));
    assert!(!until(Duration::from_secs(3), ends), "{}", agent.log().join("\n"));
    assert!(receiver.requests().faulted >= 1);
    agent.assert_conserved();
    receiver.faults().clear();
    place.append("app.log", lines(1_000..1_501).trim_end());
    let (status, log) = agent.ended();
    assert!(status.success(), "{}", log.join("\n"));
    assert_exact(&receiver, [(0, 1_501)]);
}

#[test]
fn a_second_signal_stops_at_once_and_costs_nothing() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let config = place.to_elasticsearch(&receiver.url());
    let mut agent = Agent::start(&config, &["--grace", "1h"]);
    place.append("app.log", lines(0..1_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1));
    agent.assert_conserved();
    agent.signal(Signal::TERM);
    agent.wait_for_log("draining");
    let begun = Instant::now();
    agent.signal(Signal::INT);
    let (status, log) = agent.ended();
    assert_eq!(status.code(), Some(1), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    receiver.faults().clear();
    terminate(Agent::start(&config, &[]));
    assert_exact(&receiver, [(0, 1_000)]);
}
