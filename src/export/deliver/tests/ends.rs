//! How a drain ends while a destination with a disk buffer is in trouble, on paused time.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::buffered::until;
use super::*;
use crate::export::outcome::RetryClass;

/// Batches that are all in the buffer.
const BATCHES: u64 = 10;
const RECORDS: u64 = 2 * BATCHES;

/// A destination that is not well until `heals`, and asks for so much patience meanwhile; and how many
/// requests it has answered.
fn unwell(heals: Duration, after: Option<Duration>) -> (Bench<Scripted>, Arc<AtomicUsize>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let (count, heals) = (Arc::clone(&answered), Instant::now() + heals);
    let mut bench = Bench::new(move |_| {
        count.fetch_add(1, Relaxed);
        match Instant::now() < heals {
            true => Outcome::Retry { class: RetryClass::Server, after },
            false => Outcome::Delivered,
        }
    });
    bench.buffer(1 << 20);
    (bench, answered)
}

/// Fills the buffer, and tells the delivery that it ends in so many seconds. How it ended, and after
/// how long.
async fn told_to_end(bench: &mut Bench<Scripted>, grace: u64) -> (Report, Duration) {
    (0..BATCHES).for_each(|at| drop(bench.push(&format!("b{at}-"), 2)));
    let (stats, delivery) = (bench.stats.clone(), bench.start());
    until(|| stats.batches_settled.load(Relaxed) == BATCHES).await;
    assert_eq!((stats.delivered.load(Relaxed), stats.is_in_trouble()), (0, true));
    let began = Instant::now();
    let deadline = began + Duration::from_secs(grace);
    bench.notice.send_modify(|notice| notice.until = Some(deadline));
    bench.queue.close();
    let notice = bench.notice.clone();
    tokio::spawn(async move {
        tokio::time::sleep_until(deadline).await;
        notice.send_modify(|notice| notice.give_up = true);
    });
    let report = delivery.await.expect("no panic");
    bench.check_conserved();
    assert_eq!((report.batches_left, report.records_left), (0, 0));
    let buffered = stats.buffer.records.load(Relaxed);
    assert_eq!(stats.delivered.load(Relaxed) + buffered, RECORDS);
    (report, began.elapsed())
}

/// The volume of the buffer may end with the process.
#[tokio::test(start_paused = true)]
async fn a_destination_that_is_back_in_a_moment_is_waited_for() {
    for (heals, after) in [(2, None), (5, None), (8, Some(8)), (20, Some(20))] {
        let after = after.map(Duration::from_secs);
        let (mut bench, _) = unwell(Duration::from_secs(heals), after);
        let (report, took) = told_to_end(&mut bench, 60).await;
        assert_eq!(report.ended, Ended::Drained, "{heals} s, {took:?}");
        assert_eq!(bench.stats.delivered.load(Relaxed), RECORDS);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_due_after_the_grace_is_not_waited_for() {
    let (mut bench, _) = unwell(Duration::from_secs(3600), Some(Duration::from_secs(100)));
    let (report, took) = told_to_end(&mut bench, 25).await;
    assert_eq!(report.ended, Ended::Buffered);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// It is asked once more at the least, and what is being sent is waited for.
#[tokio::test(start_paused = true)]
async fn trouble_that_lasts_ends_a_drain_but_cuts_nothing_that_is_being_sent() {
    for takes in [1, 20, 3_000] {
        let (mut bench, answered) = unwell(Duration::from_secs(86_400), None);
        bench.takes(Duration::from_millis(takes));
        let asked = Arc::clone(&answered);
        let counted = bench.stats.clone();
        let before = tokio::spawn(async move {
            until(|| counted.batches_settled.load(Relaxed) == BATCHES).await;
            asked.load(Relaxed)
        });
        let (report, took) = told_to_end(&mut bench, 600).await;
        assert_eq!(report.ended, Ended::Buffered);
        assert!(took < Duration::from_secs(150), "{took:?}");
        let (before, after) = (before.await.expect("no panic"), answered.load(Relaxed));
        assert!(after > before && after >= 6, "{before}, then {after}");
        assert_eq!(bench.sent().len(), after, "each that was sent was answered");
    }
}
