//! A destination with a disk buffer, on paused time.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::config::settings::Compression;
use crate::export::buffer::Buffer;
use crate::export::encode::tests::{destination, elasticsearch};
use crate::export::outcome::{Refusal, RetryClass, Verdict};

/// A destination that is down until `heals`, with a buffer of so many bytes.
fn down_for(seconds: u64, limit: u64) -> Bench<Scripted> {
    let heals = Instant::now() + Duration::from_secs(seconds);
    let mut bench = Bench::new(move |_| {
        if Instant::now() < heals {
            return Outcome::Retry { class: RetryClass::Connect, after: None };
        }
        Outcome::Delivered
    });
    bench.buffer(limit);
    bench
}

impl<S: Sink> Bench<S> {
    /// Gives it a disk buffer of so many bytes.
    pub(super) fn buffer(&mut self, limit: u64) {
        let settings = Destination {
            buffer: Some(limit),
            ..destination(elasticsearch(true), Compression::None)
        };
        let buffer = Buffer::open(self.state.path(), &settings, &self.stats, &self.budget);
        let shared = self.shared.as_mut().expect("not started");
        shared.buffer = buffer.expect("opens");
    }
}

pub(super) async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What was stored: sent once the destination answers.
fn delivered(bench: &Bench<Scripted>, down_for: f64) -> Vec<String> {
    let sent = bench.sent.lock().expect("whole");
    let answered = sent.iter().filter(|(at, _)| at.as_secs_f64() + 0.02 >= down_for);
    answered.flat_map(|(_, records)| records.clone()).collect()
}

/// The same by when it was sent.
fn delivered_from(bench: &Bench<Scripted>, seconds: f64) -> Vec<String> {
    let sent = bench.sent.lock().expect("whole");
    let since = sent.iter().filter(|(at, _)| at.as_secs_f64() + 0.7 >= seconds);
    since.flat_map(|(_, records)| records.clone()).collect()
}

/// Nobody knows whether it was sent before the buffer had it, or by an agent before this one.
#[tokio::test(start_paused = true)]
async fn what_comes_from_the_buffer_and_comes_too_late_is_uncertain() {
    let heals = Instant::now() + Duration::from_secs(60);
    let mut bench = Bench::new(move |sent| {
        if Instant::now() < heals {
            return Outcome::Retry { class: RetryClass::Connect, after: None };
        }
        let refusal = Refusal { status: 400, error: Some("entry_too_far_behind".into()) };
        Outcome::Records(vec![Verdict::Refused(refusal); sent.len()])
    });
    bench.buffer(1 << 20);
    bench.one_at_a_time();
    bench.push("r", 2);
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.batches_settled.load(Relaxed) == 1).await;
    until(|| bench.dead_letters().len() == 2).await;
    bench.queue.close();
    delivery.await.expect("no panic");
    let uncertain = ["r0", "r1"].map(|id| (id.to_owned(), "uncertain".to_owned()));
    assert_eq!(bench.dead_letters(), uncertain);
    bench.check_conserved();
}

async fn an_outage_is_settled_to_disk(in_order: bool) {
    let mut bench = down_for(120, 1 << 20);
    if in_order {
        bench.one_at_a_time();
    }
    let mut pushed: Vec<String> =
        (0..10).flat_map(|at| bench.push(&format!("a{at}-"), 3)).collect();
    let (before, delivery) = (bench.stats.clone(), bench.start());
    until(|| before.batches_settled.load(Relaxed) == 10).await;
    assert_eq!(bench.settled_once().len(), 10, "the files may go");
    let buffered = before.buffer.records.load(Relaxed) + before.in_flight.load(Relaxed);
    assert_eq!((buffered, before.delivered.load(Relaxed)), (30, 0));
    pushed.extend((0..10).flat_map(|at| bench.push(&format!("b{at}-"), 3)));
    until(|| before.batches_settled.load(Relaxed) == 20).await;
    bench.check_conserved();
    until(|| before.delivered.load(Relaxed) == 60).await;
    bench.queue.close();
    let report = delivery.await.expect("no panic");
    assert_eq!(report, Report { ended: Ended::Drained, batches_left: 0, records_left: 0 });
    let mut got = delivered(&bench, 120.0);
    if !in_order {
        got.sort_unstable();
        pushed.sort_unstable();
    }
    assert_eq!(got, pushed);
    bench.check_conserved();
    assert_eq!((bench.budget.used(), before.buffer.bytes.load(Relaxed)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_settled_to_disk_and_sent_when_it_is_over() {
    an_outage_is_settled_to_disk(false).await;
}

#[tokio::test(start_paused = true)]
async fn where_order_matters_the_disk_keeps_it() {
    an_outage_is_settled_to_disk(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_works_never_touches_the_disk() {
    let mut bench = down_for(0, 1 << 20);
    for batch in 0..100 {
        bench.push(&format!("b{batch}-"), 2);
    }
    bench.drain().await;
    assert!(!bench.state.path().join("buffer").exists());
}

#[tokio::test(start_paused = true)]
async fn a_full_buffer_leaves_the_rest_in_memory_unsettled() {
    let mut bench = down_for(300, 2_000);
    let pushed: Vec<String> = (0..60).flat_map(|at| bench.push(&format!("b{at}-"), 5)).collect();
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.buffer.write_failures.load(Relaxed) == 0 && !stats.buffer.takes()).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let settled = bench.settled_once().len();
    assert!((5..60).contains(&settled), "{settled} are settled");
    assert!(stats.buffer.bytes.load(Relaxed) <= 2_000);
    assert!(bench.queue.len() > 20, "{}", bench.queue.len());
    bench.queue.close();
    let report = delivery.await.expect("no panic");
    assert_eq!((report.ended, report.batches_left), (Ended::Drained, 0));
    let mut got = delivered(&bench, 300.0);
    got.sort_unstable();
    let mut expected = pushed;
    expected.sort_unstable();
    assert_eq!(got, expected);
    bench.check_conserved();
    assert_eq!(bench.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn s49_what_is_given_up_is_left_in_the_buffer_settled() {
    // It hangs: nothing shows that it is in trouble before the grace is over.
    let mut bench = down_for(0, 1 << 20);
    bench.takes(Duration::from_secs(3600));
    for batch in 0..20 {
        bench.push(&format!("b{batch}-"), 2);
    }
    let delivery = bench.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.settled_once().len(), 0);
    bench.notice.send_replace(GRACE_IS_OVER);
    let report = delivery.await.expect("no panic");
    assert_eq!(report, Report { ended: Ended::GaveUp, batches_left: 0, records_left: 0 });
    assert_eq!(bench.settled_once().len(), 20);
    assert_eq!(bench.stats.buffer.records.load(Relaxed), 40);
    bench.check_conserved();
    assert_eq!(bench.budget.used(), 0);
}

/// It is read again at once, and goes where the new configuration says.
#[tokio::test(start_paused = true)]
async fn s48_at_a_hand_over_nothing_goes_to_the_buffer_that_was_not_there() {
    // One that hangs, one that refuses everything, and one that has filled its buffer with some.
    for (hangs, before) in [(true, 0), (false, 0), (false, 5)] {
        let mut bench = down_for(if hangs { 0 } else { 3600 }, 1 << 20);
        if hangs {
            bench.takes(Duration::from_secs(3600));
        }
        (0..before).for_each(|at| drop(bench.push(&format!("a{at}-"), 2)));
        let (stats, delivery) = (bench.stats.clone(), bench.start());
        until(|| stats.batches_settled.load(Relaxed) == before).await;
        bench.notice.send_modify(|notice| notice.hand_over = true);
        tokio::time::sleep(Duration::from_millis(10)).await;
        let abandoned = if delivery.is_finished() { 0 } else { 20 };
        (0..abandoned).for_each(|at| drop(bench.push(&format!("b{at}-"), 2)));
        bench.queue.close();
        tokio::time::sleep(Duration::from_secs(5)).await;
        bench.notice.send_modify(|notice| notice.give_up = true);
        let report = delivery.await.expect("no panic");
        assert_eq!(report.ended, Ended::GaveUp);
        assert_eq!(bench.settled_once().len() as u64, before, "{hangs}");
        let buffered = stats.buffer.records.load(Relaxed) + stats.in_flight.load(Relaxed);
        assert_eq!(buffered, 2 * (before + abandoned), "{hangs}");
        assert!(stats.buffer.records.load(Relaxed) <= 2 * before, "{hangs}");
        bench.check_conserved();
    }
}

/// What is in it is settled, and older than what comes: it is not passed by.
#[tokio::test(start_paused = true)]
async fn a_buffer_that_cannot_be_read_is_waited_for() {
    let mut bench = Bench::new(|_| Outcome::Delivered);
    let settings = Destination {
        buffer: Some(1 << 20),
        ..destination(elasticsearch(true), Compression::None)
    };
    // A directory where a segment should be.
    let in_the_way =
        bench.state.path().join("buffer/test/bulk/0000000000000001-0000000000000001.segment");
    std::fs::create_dir_all(&in_the_way).expect("made");
    let settle = Arc::clone(&bench.settled) as Arc<dyn Settle>;
    let dead_letters = DeadLetters { state: bench.state.path(), cap: CAP };
    let queue = Arc::clone(&bench.queue);
    let delivery = Delivery::new(0, &settings, Lines, queue, settle, dead_letters, &bench.budget);
    bench.push("a", 2);
    let delivery = tokio::spawn(delivery.expect("usable").run(bench.notice.subscribe()));
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!((bench.settled_once().len(), bench.stats.last_error()), (0, Some("disk")));
    assert_eq!((bench.stats.breaker(), bench.stats.requests.load(Relaxed)), (Shown::Paused, 0));
    std::fs::remove_dir(in_the_way).expect("removed");
    // There is no such host.
    until(|| bench.stats.last_error() != Some("disk")).await;
    assert!(bench.stats.requests.load(Relaxed) > 0);
    bench.notice.send_replace(GRACE_IS_OVER);
    let report = delivery.await.expect("no panic");
    assert_eq!(report.ended, Ended::GaveUp);
    bench.check_conserved();
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_what_is_buffered_to_the_next_generation_at_once() {
    let mut bench = down_for(120, 1 << 20);
    for batch in 0..20 {
        bench.push(&format!("b{batch}-"), 2);
    }
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.batches_settled.load(Relaxed) == 20).await;
    let begun = Instant::now();
    bench.notice.send_modify(|notice| notice.hand_over = true);
    bench.queue.close();
    let report = delivery.await.expect("no panic");
    assert_eq!(report, Report { ended: Ended::GaveUp, batches_left: 0, records_left: 0 });
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(stats.buffer.records.load(Relaxed), 40);
    bench.check_conserved();
    assert_eq!(bench.budget.used(), 0);
}

/// What is under way is waited for, so that nothing of it is sent twice.
#[tokio::test(start_paused = true)]
async fn a_reload_cuts_nothing_off_that_is_sent_from_the_buffer() {
    let mut bench = down_for(60, 1 << 20);
    for batch in 0..40 {
        bench.push(&format!("b{batch}-"), 2);
    }
    bench.takes(Duration::from_millis(700));
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.delivered.load(Relaxed) >= 6).await;
    let begun = Instant::now();
    bench.notice.send_modify(|notice| notice.hand_over = true);
    bench.queue.close();
    let report = delivery.await.expect("no panic");
    assert_eq!((report.batches_left, report.records_left), (0, 0));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let (delivered, left) = (stats.delivered.load(Relaxed), stats.buffer.records.load(Relaxed));
    assert_eq!(delivered + left, 80);
    assert!(left > 20, "{left}");
    let answered = delivered_from(&bench, 60.0);
    assert_eq!(answered.len() as u64, delivered, "each that was sent was answered");
    bench.check_conserved();
}

#[tokio::test(start_paused = true)]
async fn a_batch_for_the_buffer_is_not_under_way_any_more_however_its_work_ends() {
    let mut bench = down_for(60, 1 << 20);
    bench.push("a", 2);
    let shared = Arc::new(bench.shared.take().expect("not started"));
    let batch = bench.queue.pop().await.expect("pushed").batch;
    let load = work::Load::ToBuffer(batch, work::aside::Writing::count(&shared.writing));
    assert_eq!(shared.writing.load(Relaxed), 1);
    // As after a panic, or when there is no time left.
    drop(work::deliver(Arc::clone(&shared), load));
    assert_eq!(shared.writing.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_in_part_goes_to_disk_as_what_is_left() {
    let heals = Instant::now() + Duration::from_secs(60);
    let mut first = true;
    let mut bench = Bench::new(move |sent| {
        if std::mem::take(&mut first) {
            let verdict = |at: usize| match at % 2 {
                0 => Verdict::Delivered,
                _ => Verdict::Retry(RetryClass::Overload),
            };
            return Outcome::Records((0..sent.len()).map(verdict).collect());
        }
        if Instant::now() < heals {
            return Outcome::Retry { class: RetryClass::Server, after: None };
        }
        Outcome::Delivered
    });
    bench.buffer(1 << 20);
    bench.push("r", 10);
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.batches_settled.load(Relaxed) == 1).await;
    assert_eq!(stats.delivered.load(Relaxed), 5);
    until(|| stats.delivered.load(Relaxed) == 10).await;
    bench.queue.close();
    delivery.await.expect("no panic");
    assert_eq!(delivered(&bench, 60.0), ["r1", "r3", "r5", "r7", "r9"]);
    assert_eq!(stats.delivered.load(Relaxed), 10);
    bench.check_conserved();
}

/// A destination that is down for a minute, takes `good0` then, and refuses `bad…` until it is mended.
fn refuses_bad(mended: &Arc<AtomicBool>) -> Bench<Scripted> {
    let heals = Instant::now() + Duration::from_secs(60);
    let mended = Arc::clone(mended);
    let mut bench = Bench::new(move |sent| {
        if Instant::now() < heals {
            return Outcome::Retry { class: RetryClass::Connect, after: None };
        }
        match sent.iter().any(|id| id.starts_with("bad")) && !mended.load(Relaxed) {
            true => Outcome::Poisoned(Refusal { status: 400, error: None }),
            false => Outcome::Delivered,
        }
    });
    bench.buffer(1 << 20);
    bench.one_at_a_time();
    bench.takes(Duration::from_millis(500));
    bench
}

/// It is sent again by the next generation, all of it, and may be taken then.
#[tokio::test(start_paused = true)]
async fn what_a_reload_leaves_in_the_buffer_half_refused_is_no_dead_letter_yet() {
    let mended = Arc::default();
    let mut bench = refuses_bad(&mended);
    bench.push("good", 1);
    bench.push("bad", 8);
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    let alone = |bench: &Bench<Scripted>| {
        let sent = bench.sent();
        sent.iter().filter(|it| it.len() == 1 && it[0].starts_with("bad")).count()
    };
    until(|| alone(&bench) == 4).await;
    bench.notice.send_modify(|notice| notice.hand_over = true);
    bench.queue.close();
    let report = delivery.await.expect("no panic");
    assert_eq!((report.batches_left, report.records_left), (0, 0));
    assert_eq!((stats.buffer.records.load(Relaxed), bench.dead_letters()), (8, vec![]));
    bench.check_conserved();
    assert_eq!(bench.budget.used(), 0);

    mended.store(true, Relaxed);
    let mut next = Bench { state: bench.state, ..Bench::new(|_| Outcome::Delivered) };
    next.buffer(1 << 20);
    next.queue.close();
    let report = next.start().await.expect("no panic");
    assert_eq!(report.ended, Ended::Drained);
    assert_eq!((next.stats.delivered.load(Relaxed), next.dead_letters()), (8, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_of_the_buffer_is_a_dead_letter_once_all_else_of_its_payload_has_met_its_end()
 {
    let mut bench = refuses_bad(&Arc::default());
    bench.push("good", 1);
    let records = ["a0", "bad0", "a1", "a2", "bad1", "a3", "a4", "a5"].map(str::to_owned);
    bench.push_batch(Some(payload(&records)), Vec::new());
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.delivered.load(Relaxed) == 4).await;
    assert_eq!(bench.dead_letters(), [], "bad0 was refused");
    until(|| bench.dead_letters().len() == 2).await;
    bench.queue.close();
    assert_eq!(delivery.await.expect("no panic").ended, Ended::Drained);
    let refused = ["bad0", "bad1"].map(|id| (id.to_owned(), "refused".to_owned()));
    assert_eq!((bench.dead_letters().as_slice(), stats.delivered.load(Relaxed)), (&refused[..], 7));
    bench.check_conserved();
    assert_eq!((bench.budget.used(), stats.buffer.bytes.load(Relaxed)), (0, 0));
}
