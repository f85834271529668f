//! Memory, and who gets his turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pillion::receiver::{Arrival, Fault, Keep, Options, Receiver};

use super::super::harness::{Agent, PATIENCE, Place, number_after, until};
use super::super::oracle::Arrived;
use super::super::writer::{Writer, written};

/// The default.
const MEMORY: u64 = 12 << 20;
/// What may be resident besides: the program as it is built for tests is larger.
const BESIDES: u64 = if cfg!(debug_assertions) { 28 << 20 } else { 12 << 20 };

/// How late a line of a quiet file may be. The programs as they are built for tests do not keep up.
const LATE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });

/// A receiver that keeps no more than which lines arrived.
fn counting() -> (Receiver, Arc<Mutex<Arrived>>) {
    let arrived = Arc::new(Mutex::new(Arrived::default()));
    let shown = Arc::clone(&arrived);
    let show = move |arrival: Arrival<'_>| {
        if let Arrival::Document(stored) = arrival {
            shown.lock().expect("not poisoned").document(stored);
        }
    };
    let options = Options { keep: Keep::Show(Arc::new(show)), ..Options::default() };
    (Receiver::start(options).expect("receiver"), arrived)
}

/// How a backlog went off once the destination was well again.
struct Recovery {
    /// From there to when the delay before the next attempt, in force then, was over.
    backoff: Duration,
    /// From there to the backlog's full rate.
    took: Duration,
    /// What was measured, to be shown.
    said: String,
}

impl Recovery {
    /// Waits until all lines have arrived. The destination has just become well.
    fn watch(agent: &Agent, arrived: &Mutex<Arrived>, writer: &Writer, patience: Duration) -> Self {
        let ((file, lines), healed) = (writer.written(), Instant::now());
        let counted = || arrived.lock().expect("not poisoned").lines();
        let mut backoff = Duration::ZERO;
        let begun = until(PATIENCE, || {
            let retry = "pillion_retry_in_seconds{destination=\"search\"}";
            let left = agent.metrics().get(retry).copied().unwrap_or(0.0);
            backoff = backoff.max(healed.elapsed() + Duration::from_secs_f64(left));
            counted() > 0
        });
        let mut seen = Vec::new();
        let all = until(patience, || {
            seen.push((healed.elapsed(), counted()));
            arrived.lock().expect("not poisoned").has(file, 0..lines)
        });
        assert!(begun && all, "{}", agent.log().join("\n"));
        let (took, rate) = full_rate(&seen);
        let said =
            format!("{rate:.0} lines/s {took:?} after the heal, of which {backoff:?} the backoff");
        Self { backoff, took, said }
    }
}

/// When the full rate was reached, and which it is: that of the second half, in lines a second. Nearly
/// is reached, since nobody has the machine to himself.
fn full_rate(seen: &[(Duration, u64)]) -> (Duration, f64) {
    const LOOK: Duration = Duration::from_secs(1);
    let rate = |(since, from): (Duration, u64), (until, to): (Duration, u64)| {
        (to - from) as f64 / (until - since).as_secs_f64().max(1e-3)
    };
    let last = *seen.last().expect("something arrived");
    let middle = *seen.iter().find(|(_, lines)| *lines >= last.1 / 2).expect("the last");
    let full = rate(middle, last);
    let reached = seen.iter().find(|(at, lines)| {
        let after = seen.iter().find(|(later, _)| *later >= *at + LOOK).unwrap_or(&last);
        rate((*at, *lines), *after) >= 0.7 * full
    });
    (reached.map_or(last.0, |(at, _)| *at), full)
}

#[test]
fn the_full_rate_is_found() {
    // Nothing for 4 s, a tenth of the rate for 3 s, then 1,000 a second.
    let at = |tenths: u64| match tenths {
        0..=40 => 0,
        41..=70 => (tenths - 40) * 10,
        _ => 300 + (tenths - 70) * 100,
    };
    let seen: Vec<_> = (0..300).map(|n| (Duration::from_millis(n * 100), at(n))).collect();
    let (took, rate) = full_rate(&seen);
    assert!((6.0..=7.0).contains(&took.as_secs_f64()) && (rate - 1_000.0).abs() < 1.0, "{took:?}");
}

/// The destination is down while an application goes on at 10 MB/s. What is resident is looked at all
/// the while, and during the recovery.
fn outage(how_long: Duration) -> String {
    const RATE: usize = 10_000_000;
    let (place, (receiver, arrived)) = (Place::new(), counting());
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.filling = 600;
    let began = Instant::now();
    let (mut bytes, mut rotations) = (0, 0);
    while began.elapsed() < how_long {
        let due = (began.elapsed().as_secs_f64() * RATE as f64) as usize;
        writer.bytes(due.saturating_sub(bytes));
        bytes = bytes.max(due);
        if bytes / (100 << 20) > rotations {
            rotations += 1;
            let to = writer.rotated(rotations);
            writer.rotate(&to);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let down = agent.peak_resident();
    receiver.faults().clear();
    let recovery = Recovery::watch(&agent, &arrived, &writer, PATIENCE + how_long);
    let (healed, budget) = (agent.peak_resident(), agent.metrics()["pillion_budget_peak_bytes"]);
    agent.terminate();
    // By construction: what is set aside covers all that is not asked for before it is taken.
    assert!(budget <= MEMORY as f64, "{budget} bytes in flight at most");
    let found = arrived.lock().expect("not poisoned").judge(&written([&writer]));
    assert!(found.is_exact(), "{found:?}");
    let said = format!(
        "{bytes} bytes in {how_long:?}: {down} resident at most, {healed} with the recovery, \
         {budget} of them in flight; {}",
        recovery.said
    );
    assert!(down.max(healed) <= MEMORY + BESIDES, "{said}");
    let Recovery { backoff, took, .. } = recovery;
    assert!(took <= backoff + Duration::from_secs(5), "{said}");
    said
}

/// For ten minutes rather than an hour: what is resident stands still after seconds.
#[test]
fn s42_an_outage_under_load_stays_within_memory() {
    println!("{}", outage(Duration::from_secs(3)));
}

#[test]
#[ignore = "full size: for --release; PILLION_OUTAGE_SECONDS"]
fn s42_an_outage_under_load_stays_within_memory_for_ten_minutes() {
    let seconds = std::env::var("PILLION_OUTAGE_SECONDS").ok().and_then(|text| text.parse().ok());
    println!("{}", outage(Duration::from_secs(seconds.unwrap_or(600))));
}

/// One file with a backlog, and many in which a line appears now and then. The receiver keeps up.
/// What is measured is from the line's writing to its acceptance. Lines are not joined: the second for
/// which a joiner waits for a record's next line is waited for with no backlog as well.
fn fair(backlog: usize, cold: u32) -> String {
    let place = Place::new();
    let taken: Arc<Mutex<BTreeMap<u64, i64>>> = Arc::default();
    let hot: Arc<Mutex<Arrived>> = Arc::default();
    let (shown, heated) = (Arc::clone(&taken), Arc::clone(&hot));
    let show = move |arrival: Arrival<'_>| {
        let Arrival::Document(stored) = arrival else { return };
        let text = stored.document["message"].as_str().unwrap_or_default();
        if let Some(at) = number_after(text, "cold at=") {
            let took = stored.accepted_at - i64::try_from(at).expect("a time");
            shown.lock().expect("not poisoned").insert(at, took);
        } else if text.starts_with("line f=") {
            heated.lock().expect("not poisoned").document(stored);
        }
    };
    let options = Options { keep: Keep::Show(Arc::new(show)), ..Options::default() };
    let receiver = Receiver::start(options).expect("receiver");
    for file in 0..cold {
        place.append(&format!("cold-{file}.log"), "begins\n");
    }
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], multiline: off}}}}\n\
         destinations:\n  search:\n    batch: {{linger: 50ms}}\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    let begun = receiver.wait_for(PATIENCE, |requests| requests.stored >= u64::from(cold));
    assert!(begun, "{}", agent.log().join("\n"));
    let mut writer = Writer::new(place.dir.path().join("backlog"), 1);
    writer.filling = 800;
    writer.bytes(backlog);
    std::fs::rename(&writer.path, place.log("hot.log")).expect("renames");
    let (mut written, patience) = (0, Instant::now());
    let hot = || hot.lock().expect("not poisoned");
    while hot().lines() < writer.written().1 {
        assert!(patience.elapsed() < 10 * PATIENCE, "{}", agent.log().join("\n"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
        let file = fastrand::u32(0..cold);
        place.append(&format!("cold-{file}.log"), format!("cold at={now} end\n"));
        written += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    let all = u64::from(cold) + writer.written().1 + written;
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= all);
    assert!(all, "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    agent.terminate();
    let found = hot().judge(&self::written([&writer]));
    assert!(found.is_exact(), "{found:?}");
    let mut took: Vec<i64> = taken.lock().expect("not poisoned").values().copied().collect();
    assert_eq!(took.len() as u64, written);
    assert!(written > 100, "the backlog was over at once: {written}");
    took.sort_unstable();
    let late = Duration::from_nanos(took[took.len() * 99 / 100].unsigned_abs());
    assert!(late < LATE, "{late:?} at p99 of {written}");
    format!("{written} cold lines: {late:?} at p99")
}

#[test]
fn s47_files_with_little_to_say_wait_for_no_backlog() {
    println!("{}", fair(10 << 20, 99));
}

#[test]
#[ignore = "full size: for --release"]
fn s47_files_with_little_to_say_wait_for_no_backlog_full_size() {
    println!("{}", fair(1 << 30, 999));
}
