//! A destination that stores a part of what it is sent and does not name the rest.

use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::export::outcome::{Refusal, RetryClass, Verdict};

fn refusal(error: &str) -> Refusal {
    Refusal { status: 400, error: Some(error.into()) }
}

/// What Loki says when it refuses `refused` of `sent` records.
fn answer(sent: usize, refused: usize, error: &str) -> Outcome {
    match refused {
        0 => Outcome::Delivered,
        _ if refused == sent => Outcome::Records(vec![Verdict::Refused(refusal(error)); sent]),
        _ => Outcome::PartlyRefused {
            refused: u32::try_from(refused).expect("few"),
            refusal: refusal(error),
        },
    }
}

/// A destination that refuses these for ever.
fn refusing(bad: &[&str], error: &'static str) -> impl FnMut(&[String]) -> Outcome + use<> {
    let bad: Vec<String> = bad.iter().map(|id| (*id).to_owned()).collect();
    move |sent| answer(sent.len(), sent.iter().filter(|id| bad.contains(id)).count(), error)
}

fn pairs(ids: &[&str], reason: &str) -> Vec<(String, String)> {
    ids.iter().map(|id| ((*id).to_owned(), reason.to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn records_refused_without_being_named_are_found_by_sending_halves() {
    for (error, reason) in
        [("timestamp_too_old", "too_old"), ("max_entry_size", "too_large"), ("x", "refused")]
    {
        let mut bench = Bench::new(refusing(&["r11", "r40", "r41"], error));
        bench.one_at_a_time();
        let all = bench.push("r", 64);
        bench.push("s", 2);
        bench.drain().await;
        assert_eq!(bench.dead_letters(), pairs(&["r11", "r40", "r41"], reason));
        assert_eq!(bench.stats.delivered.load(Relaxed), 63);
        let sent = bench.sent();
        assert!(sent.len() < 2 + 2 * 6 * 2, "{} requests", sent.len());
        // The same records in the same order, however often they are sent, and before what follows.
        for request in &sent[..sent.len() - 1] {
            let at = all.iter().position(|id| *id == request[0]).expect("of this batch");
            assert_eq!(request[..], all[at..at + request.len()]);
        }
        assert_eq!(sent.last(), Some(&vec!["s0".to_owned(), "s1".to_owned()]));
    }
}

/// As many in a row as there may be: a run costs no more than its two ends.
#[tokio::test(start_paused = true)]
async fn a_run_of_refused_records_costs_few_requests() {
    let bad: Vec<String> = (1_000..3_000).map(|at| format!("r{at}")).collect();
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    let mut bench = Bench::new(refusing(&bad, "entry_too_far_behind"));
    bench.push("r", 4_096);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), pairs(&bad, "too_far_behind"));
    assert!(bench.sent().len() < 2 * 2 * 12, "{} requests", bench.sent().len());
}

/// The newest is taken by the time that what came before it is sent again.
#[tokio::test(start_paused = true)]
async fn what_was_stored_before_and_comes_too_late_now_is_uncertain() {
    let mut window = Window::default();
    let mut bench = Bench::new(move |sent| {
        let refused = window.take(sent, |id| id[1..].parse().expect("a number"));
        answer(sent.len(), refused, "entry_too_far_behind")
    });
    let records: Vec<_> = ["r1", "r5", "r30", "r3", "r29"].map(str::to_owned).into();
    bench.push_batch(Some(payload(&records)), Vec::new());
    bench.drain().await;
    // Only r3 was refused at first, but r1 and r5 are by the time they are asked for.
    assert_eq!(bench.dead_letters(), pairs(&["r1", "r5", "r3"], "uncertain"));
    assert_eq!(bench.stats.delivered.load(Relaxed), 2);
}

/// A Loki that takes what is at most so much behind its newest.
#[derive(Default)]
struct Window {
    newest: i32,
    stored: BTreeSet<String>,
}

impl Window {
    const WIDTH: i32 = 10;

    /// How many of these it refuses; it stores the others.
    fn take(&mut self, sent: &[String], time: impl Fn(&str) -> i32) -> usize {
        let mut refused = 0;
        for id in sent {
            if time(id) < self.newest - Self::WIDTH {
                refused += 1;
            } else {
                self.newest = self.newest.max(time(id));
                self.stored.insert(id.clone());
            }
        }
        refused
    }
}

/// The answer to the first attempt is lost, and all is stored. By the time it is sent again some comes
/// too late, or all does.
#[tokio::test(start_paused = true)]
async fn what_is_refused_after_a_lost_answer_is_uncertain() {
    for (records, refused) in [(vec!["0", "5", "30"], vec!["0", "5"]), (vec!["0"], vec!["0"])] {
        let (mut window, mut request) = (Window::default(), 0);
        let mut bench = Bench::new(move |sent| {
            request += 1;
            let refused = window.take(sent, |id| id.parse().expect("a number"));
            if request == 1 {
                // Another agent's.
                window.newest = 30;
                return Outcome::Retry { class: RetryClass::Broken, after: None };
            }
            answer(sent.len(), refused, "entry_too_far_behind")
        });
        bench.one_at_a_time();
        let records: Vec<_> = records.into_iter().map(str::to_owned).collect();
        bench.push_batch(Some(payload(&records)), Vec::new());
        bench.drain().await;
        assert_eq!(bench.dead_letters(), pairs(&refused, "uncertain"));
    }
}

/// Nobody was reached: nothing is stored, and it is certain why it is not.
#[tokio::test(start_paused = true)]
async fn what_is_refused_after_no_connection_is_certain() {
    let mut request = 0;
    let mut bench = Bench::new(move |sent| {
        request += 1;
        match request {
            1 => Outcome::Retry { class: RetryClass::Connect, after: None },
            _ => answer(sent.len(), sent.len(), "timestamp_too_old"),
        }
    });
    bench.push("r", 2);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), pairs(&["r0", "r1"], "too_old"));
}

#[tokio::test(start_paused = true)]
async fn a_search_that_finds_no_end_is_given_up_and_says_so() {
    let mut bench = Bench::new(|sent| {
        let odd = |id: &&String| id.ends_with(['1', '3', '5', '7', '9']);
        answer(sent.len(), sent.iter().filter(odd).count(), "max_entry_size")
    });
    bench.push("r", 4_000);
    bench.drain().await;
    assert!(bench.sent().len() < 300, "{} requests", bench.sent().len());
    let letters = bench.dead_letters();
    let (known, uncertain): (Vec<_>, Vec<_>) =
        letters.iter().partition(|(_, reason)| reason == "too_large");
    assert!(known.len() > 20 && uncertain.len() > 3_000, "{} {}", known.len(), uncertain.len());
    assert!(uncertain.iter().all(|(_, reason)| reason == "uncertain"));
    let delivered = bench.stats.delivered.load(Relaxed);
    assert_eq!(delivered + letters.len() as u64, 4_000);
}

/// An outage in the middle of the search changes nothing.
#[tokio::test(start_paused = true)]
async fn a_search_waits_out_an_outage() {
    let mut refuses = refusing(&["r7", "r50"], "entry_too_far_behind");
    let mut request = 0;
    let mut bench = Bench::new(move |sent| {
        request += 1;
        match request {
            3..5 => Outcome::Retry { class: RetryClass::Server, after: None },
            _ => refuses(sent),
        }
    });
    bench.one_at_a_time();
    bench.push("r", 64);
    bench.push("s", 3);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), pairs(&["r7", "r50"], "too_far_behind"));
    assert_eq!(bench.stats.delivered.load(Relaxed), 65);
    assert_eq!(bench.sent().last().map(Vec::len), Some(3), "what follows comes last");
}

/// Any records may be refused, and any answer be lost or put off.
#[test]
fn every_record_meets_its_one_end_whichever_are_refused() {
    for seed in 0..200 {
        paused().block_on(play(seed));
    }
}

/// The same where what was stored comes too late when it is sent again.
#[test]
fn no_record_that_is_stored_becomes_a_dead_letter_of_a_certain_reason() {
    for seed in 0..200 {
        paused().block_on(play_with_a_window(seed));
    }
}

fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime")
}

async fn play_with_a_window(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut faults, share) = (random.u32(..8), random.u64(..10));
    let window: Arc<Mutex<Window>> = Arc::default();
    let (kept, mut dice) = (Arc::clone(&window), random.fork());
    // One of some is behind the others.
    let time = move |id: &str| {
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed);
        let at: i32 = id.rsplit('-').next().expect("a part").parse().expect("a number");
        if hash % 100 < share { at - 100 } else { at }
    };
    let mut bench = Bench::new(move |sent| {
        let lost = faults > 0 && dice.u8(..3) == 0;
        faults -= u32::from(lost);
        let reached = !lost || dice.bool();
        let refused = if reached { kept.lock().expect("whole").take(sent, time) } else { 0 };
        match lost {
            true => Outcome::Retry { class: RetryClass::Broken, after: None },
            false => answer(sent.len(), refused, "entry_too_far_behind"),
        }
    });
    bench.one_at_a_time();
    let (mut all, mut from) = (BTreeSet::new(), 0);
    for _ in 0..random.usize(1..6) {
        let records: Vec<_> =
            (from..from + random.usize(1..60)).map(|at| format!("r-{at}")).collect();
        from += records.len();
        bench.push_batch(Some(payload(&records)), Vec::new());
        all.extend(records);
    }
    bench.drain().await;
    let (letters, window) = (bench.dead_letters(), window.lock().expect("whole"));
    let wrong = letters.iter().find(|(id, why)| why != "uncertain" && window.stored.contains(id));
    assert_eq!(wrong, None, "seed {seed}: it is stored");
    let dead: BTreeSet<_> = letters.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(dead.len(), letters.len(), "seed {seed}: a dead letter twice");
    assert_eq!(dead.union(&window.stored).cloned().collect::<BTreeSet<_>>(), all, "seed {seed}");
    assert_eq!(bench.stats.delivered.load(Relaxed) as usize, all.len() - dead.len(), "seed {seed}");
}

async fn play(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut faults, share) = (random.u32(..20), random.f64() / 20.0);
    let stored: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (kept, mut dice) = (Arc::clone(&stored), random.fork());
    let is_bad = move |id: &String| {
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed);
        (hash % 1_000) as f64 / 1_000.0 < share
    };
    let mut bench = Bench::new(move |sent| {
        let lost = faults > 0 && dice.u8(..3) == 0;
        faults -= u32::from(lost);
        if !lost || dice.bool() {
            kept.lock().expect("whole").extend(sent.iter().filter(|id| !is_bad(id)).cloned());
        }
        match lost {
            true => Outcome::Retry { class: RetryClass::Server, after: None },
            false => {
                answer(sent.len(), sent.iter().filter(|id| is_bad(id)).count(), "max_line_size")
            }
        }
    });
    bench.one_at_a_time();
    let mut all = BTreeSet::new();
    for batch in 0..random.usize(1..6) {
        all.extend(bench.push(&format!("b{batch}-"), random.usize(1..200)));
    }
    bench.drain().await;
    let (bad, good): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(is_bad);
    assert_eq!(*stored.lock().expect("whole"), good, "seed {seed}");
    let letters = bench.dead_letters();
    assert!(letters.iter().all(|(_, reason)| reason == "too_large"), "seed {seed}");
    let dead: BTreeSet<_> = letters.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!((dead, letters.len()), (bad.clone(), bad.len()), "seed {seed}");
    assert_eq!(bench.stats.delivered.load(Relaxed), good.len() as u64, "seed {seed}");
}
