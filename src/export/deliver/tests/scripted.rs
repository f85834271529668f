//! What each kind of answer leads to.

use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::config::settings::{BatchLimits, Compression, WhenFull};
use crate::export::outcome::{PauseClass, RetryClass, Verdict};

fn retry(class: RetryClass) -> Outcome {
    Outcome::Retry { class, after: None }
}

#[tokio::test(start_paused = true)]
async fn s34_all_duplicates_are_done_at_once() {
    let mut bench = Bench::new(|sent| Outcome::Records(vec![Verdict::Duplicate; sent.len()]));
    bench.push("r", 5);
    bench.drain().await;
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(bench.stats.duplicate.load(Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn s35_ten_minutes_of_overload_are_waited_out_and_left_within_half_a_minute() {
    let heals = Instant::now() + Duration::from_secs(600);
    let mut bench = Bench::new(move |_| {
        if Instant::now() < heals { retry(RetryClass::Overload) } else { Outcome::Delivered }
    });
    for batch in 0..20 {
        bench.push(&format!("b{batch}-"), 10);
    }
    bench.drain().await;
    assert!(heals.elapsed() < Duration::from_secs(30), "{:?}", heals.elapsed());
    let at = bench.sent_at();
    let during = at.iter().filter(|at| **at < 600.0).count();
    assert!((20..150).contains(&during), "{during} requests to a server that has enough to do");
    let gaps: BTreeSet<_> =
        at.windows(2).map(|pair| ((pair[1] - pair[0]) * 1000.0) as u64).collect();
    assert!(gaps.len() > during / 2, "no two waits are alike");
}

#[tokio::test(start_paused = true)]
async fn s35_retry_after_holds_the_whole_destination() {
    let mut first = true;
    let mut bench = Bench::new(move |_| match std::mem::take(&mut first) {
        true => {
            Outcome::Retry { class: RetryClass::Overload, after: Some(Duration::from_secs(45)) }
        }
        false => Outcome::Delivered,
    });
    bench.push("a", 1);
    bench.push("b", 1);
    bench.drain().await;
    let at = bench.sent_at();
    assert!(at[0] < 0.1 && at[1] >= 45.0 && at[1] < 46.0, "{at:?}");
}

/// What 401, 403 and 404 mean.
#[tokio::test(start_paused = true)]
async fn s37_five_minutes_of_a_wrong_configuration_lose_nothing_and_are_asked_slowly() {
    for class in [PauseClass::Unauthorized, PauseClass::Forbidden, PauseClass::NotFound] {
        let heals = Instant::now() + Duration::from_secs(300);
        let mut bench = Bench::new(move |_| match Instant::now() < heals {
            true => Outcome::Pause(class),
            false => Outcome::Delivered,
        });
        bench.push("a", 3);
        bench.push("b", 3);
        bench.drain().await;
        assert_eq!(bench.stats.delivered.load(Relaxed), 6);
        let during = bench.sent_at().iter().filter(|at| **at < 300.0).count();
        assert!((5..20).contains(&during), "{class:?}: {during}");
        assert_eq!(bench.stats.last_error(), Some(class.name()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_privilege_missing_for_some_records_pauses_and_sends_only_those_again() {
    let mut first = true;
    let mut bench = Bench::new(move |_| match std::mem::take(&mut first) {
        true => Outcome::Records(vec![Verdict::Delivered, Verdict::Pause(PauseClass::Forbidden)]),
        false => Outcome::Delivered,
    });
    bench.push("r", 2);
    bench.drain().await;
    assert_eq!(bench.sent()[1], ["r1"]);
    assert!(bench.sent_at()[1] > 2.0, "slowly");
}

/// What a Loki would refuse as too far behind, if it came after what is newer.
#[tokio::test(start_paused = true)]
async fn where_order_matters_no_batch_passes_one_that_waits() {
    let mut first = true;
    let mut bench = Bench::new(move |_| match std::mem::take(&mut first) {
        true => retry(RetryClass::Server),
        false => Outcome::Delivered,
    });
    bench.one_at_a_time();
    let mut expect = vec![bench.push("a", 2)];
    for batch in ["a", "b", "c", "d"] {
        expect.push(if batch == "a" { expect[0].clone() } else { bench.push(batch, 2) });
    }
    bench.drain().await;
    assert_eq!(bench.sent(), expect);
}

/// As one whose stream is over a limit of Loki's: order is a stream's, not the destination's.
#[tokio::test(start_paused = true)]
async fn where_order_matters_batches_that_always_fail_are_passed() {
    let mut bench = Bench::new(|sent| match sent.iter().any(|id| id.starts_with("bad")) {
        true => retry(RetryClass::Overload),
        false => Outcome::Delivered,
    });
    bench.one_at_a_time();
    for batch in ["bad-a", "bad-b", "c", "bad-d", "e", "f"] {
        bench.push(batch, 2);
    }
    let running = bench.start();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(bench.settled_once(), [2, 4, 5].into());
    bench.notice.send_replace(GRACE_IS_OVER);
    assert_eq!(running.await.expect("no panic").batches_left, 3);
}

/// However long it takes, and although other batches are tried meanwhile.
#[tokio::test(start_paused = true)]
async fn where_order_matters_an_outage_changes_no_order() {
    const SECOND: Duration = Duration::from_secs(1);
    for seed in 0..20 {
        let (began, long) = (Instant::now(), Duration::from_secs(seed * 7));
        // It is there for a few answers between two outages.
        let is_down = move |at: Duration| at < long || at > long + SECOND && at < long * 2;
        let stored: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&stored);
        let mut bench = Bench::new(move |sent| {
            if is_down(began.elapsed()) {
                return retry(RetryClass::Server);
            }
            kept.lock().expect("whole").extend_from_slice(sent);
            Outcome::Delivered
        });
        bench.one_at_a_time();
        // Short: one that heals between two that are tried one after the other may change the order.
        bench.takes(Duration::from_millis(5));
        let mut expect = Vec::new();
        for batch in 0..6 {
            expect.extend(bench.push(&format!("a-rather-long-name-of-a-record-{batch}-"), 4_000));
        }
        bench.drain().await;
        assert!(*stored.lock().expect("whole") == expect, "seed {seed}");
    }
}

/// What follows an outage is one answer more that says "not now", or that a person must mend
/// something; by then several batches are at hand.
#[tokio::test(start_paused = true)]
async fn where_order_matters_what_follows_an_outage_changes_no_order() {
    for (at, again) in (0..4).flat_map(|at| (1..3).map(move |again| (at, again))) {
        for paused in [false, true] {
            if at == 0 && !paused {
                // An outage that ends between two that are tried one after the other.
                continue;
            }
            let (began, outage) = (Instant::now(), Duration::from_secs(400));
            let stored: Arc<Mutex<Vec<String>>> = Arc::default();
            let kept = Arc::clone(&stored);
            let (mut answers, mut left) = (0, again);
            let mut bench = Bench::new(move |sent| {
                if began.elapsed() < outage {
                    return retry(RetryClass::Server);
                }
                if answers >= at && left > 0 {
                    left -= 1;
                    return match paused {
                        true => Outcome::Pause(PauseClass::Unauthorized),
                        false => retry(RetryClass::Overload),
                    };
                }
                answers += 1;
                kept.lock().expect("whole").extend_from_slice(sent);
                Outcome::Delivered
            });
            bench.one_at_a_time();
            bench.takes(Duration::from_millis(5));
            let expect: Vec<String> =
                (0..6).flat_map(|batch| bench.push(&format!("b{batch}-"), 2)).collect();
            bench.drain().await;
            assert_eq!(*stored.lock().expect("whole"), expect, "{at} {again} {paused}");
        }
    }
}

/// Twenty-four seconds of backlog before a server that answers each time.
#[tokio::test(start_paused = true)]
async fn a_long_queue_before_a_server_that_answers_is_no_trouble() {
    let mut bench = Bench::new(|_| Outcome::Delivered);
    bench.one_at_a_time();
    bench.takes(Duration::from_millis(400));
    for batch in 0..60 {
        bench.push(&format!("b{batch}-"), 2);
    }
    let running = bench.start();
    for _ in 0..23 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!bench.stats.is_in_trouble(), "{:?}", bench.stats.oldest_age());
    }
    assert!(bench.stats.oldest_age() > Some(Duration::from_secs(20)));
    bench.queue.close();
    running.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_is_trouble_after_ten_seconds() {
    let mut bench = Bench::new(|_| Outcome::Delivered);
    bench.takes(Duration::from_secs(15));
    bench.start();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!bench.stats.is_in_trouble(), "it has nothing to do");
    bench.push("a", 1);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!bench.stats.is_in_trouble());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(bench.stats.is_in_trouble());
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_is_probed_with_little_and_then_gets_everything() {
    let heals = Instant::now() + Duration::from_secs(120);
    let mut bench = Bench::new(move |_| {
        if Instant::now() < heals { retry(RetryClass::Connect) } else { Outcome::Delivered }
    });
    for batch in 0..4 {
        bench.push(&format!("a-rather-long-name-of-a-record-{batch}-"), 20_000);
    }
    bench.drain().await;
    assert_eq!(bench.stats.delivered.load(Relaxed), 80_000);
    let sent = bench.sent();
    let bytes = |records: &[String]| records.iter().map(|id| id.len() + 1).sum::<usize>();
    for probe in &sent[3..sent.len().min(8)] {
        assert!(bytes(probe) <= 64 << 10, "a probe of {} bytes", bytes(probe));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_always_fails_does_not_keep_others_from_going() {
    let mut bench = Bench::new(|sent| {
        if sent.contains(&"poison0".to_owned()) {
            retry(RetryClass::Server)
        } else {
            Outcome::Delivered
        }
    });
    bench.push("poison", 1);
    for batch in 0..30 {
        bench.push(&format!("b{batch}-"), 1);
    }
    let running = bench.start();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(bench.settled_once(), (1..31).collect());
    assert!(bench.stats.oldest_age() >= Some(Duration::from_secs(300)));
    bench.notice.send_replace(GRACE_IS_OVER);
    let report = running.await.expect("no panic");
    assert_eq!(report, Report { ended: Ended::GaveUp, batches_left: 1, records_left: 1 });
}

#[tokio::test(start_paused = true)]
async fn answers_that_keep_breaking_lead_to_smaller_requests() {
    let mut bench =
        Bench::new(
            |sent| {
                if sent.len() > 100 { retry(RetryClass::Reply) } else { Outcome::Delivered }
            },
        );
    bench.push("r", 400);
    bench.drain().await;
    assert_eq!(bench.stats.delivered.load(Relaxed), 400);
}

#[tokio::test(start_paused = true)]
async fn what_the_answer_does_not_tell_apart_is_counted_and_never_sent_again() {
    let mut bench = Bench::new(|_| Outcome::Unattributed { refused: 3 });
    bench.push("r", 10);
    bench.drain().await;
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(bench.stats.delivered.load(Relaxed), 7);
    assert_eq!(bench.stats.lost().map(|(_, count)| count).sum::<u64>(), 3);
}

#[tokio::test(start_paused = true)]
async fn giving_up_returns_at_once_and_settles_nothing() {
    let mut bench = Bench::new(|_| retry(RetryClass::Timeout));
    for batch in 0..12 {
        bench.push(&format!("b{batch}-"), 2);
    }
    let running = bench.start();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let before = Instant::now();
    bench.notice.send_replace(GRACE_IS_OVER);
    let report = running.await.expect("no panic");
    assert_eq!(report, Report { ended: Ended::GaveUp, batches_left: 12, records_left: 24 });
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(bench.settled_once().is_empty());
    bench.check_conserved();
    drop(bench.queue);
    assert_eq!(bench.budget.used(), 0, "what is dropped gives its budget back");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_left_ends_the_delivery() {
    let mut bench = Bench::new(|_| Outcome::Gone);
    bench.push("a", 1);
    bench.push("b", 1);
    let report = bench.start().await.expect("no panic");
    assert_eq!((report.ended, report.batches_left), (Ended::OutputClosed, 2));
    assert!(bench.settled_once().is_empty());
}

#[tokio::test(start_paused = true)]
async fn requests_run_side_by_side_when_the_destination_keeps_up() {
    let mut bench = Bench::new(|_| Outcome::Delivered);
    for batch in 0..200 {
        bench.push(&format!("b{batch}-"), 1);
    }
    bench.drain().await;
    let last = bench.sent_at().last().copied().expect("some");
    assert!(last < 200.0 * 0.02 / 4.0, "took {last} s: not more than four at a time");
    assert_eq!(bench.stats.concurrency.load(Relaxed), MOST as u64);
}

#[tokio::test]
async fn a_configured_file_is_delivered_to_by_the_public_way() {
    let state = tempfile::tempdir().expect("a directory");
    let path = state.path().join("out.ndjson");
    let mut bench = Bench::new(|_| Outcome::Delivered);
    let settings = Destination {
        name: "out".to_owned(),
        kind: DestinationKind::File { path: path.clone() },
        batch: BatchLimits { bytes: 1, records: 1, linger: Duration::ZERO },
        compression: Compression::None,
        when_full: WhenFull::Block,
        buffer: None,
    };
    let settle = Arc::clone(&bench.settled) as Arc<dyn Settle>;
    let dead_letters = DeadLetters { state: state.path(), cap: CAP };
    let queue = Arc::clone(&bench.queue);
    let delivery = Delivery::new(0, &settings, Lines, queue, settle, dead_letters, &bench.budget);
    let delivery = delivery.expect("usable");
    bench.push("a", 2);
    bench.push("b", 1);
    bench.queue.close();
    let report = delivery.run(bench.notice.subscribe()).await;
    assert_eq!(report, Report { ended: Ended::Drained, batches_left: 0, records_left: 0 });
    assert_eq!(std::fs::read_to_string(path).expect("readable"), "a0\na1\nb0\n");
    assert_eq!(bench.settled_once(), (0..2).collect());
    bench.check_conserved();
}
