//! What becomes of records that a destination refuses.

use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::export::outcome::{Refusal, RetryClass, Verdict};

fn refusal(status: u16) -> Refusal {
    Refusal { status, error: Some("mapper_parsing_exception".into()) }
}

fn pair(id: &str, reason: &str) -> (String, String) {
    (id.to_owned(), reason.to_owned())
}

#[tokio::test(start_paused = true)]
async fn s34_of_a_mixed_answer_only_the_retriable_are_sent_again() {
    let mut first = true;
    let mut bench = Bench::new(move |_| {
        if !std::mem::take(&mut first) {
            return Outcome::Delivered;
        }
        Outcome::Records(vec![
            Verdict::Delivered,
            Verdict::Duplicate,
            Verdict::Retry(RetryClass::Overload),
            Verdict::Refused(refusal(400)),
            Verdict::Retry(RetryClass::Server),
            Verdict::FailureStore,
        ])
    });
    let all = bench.push("r", 6);
    bench.drain().await;
    assert_eq!(bench.sent(), [all, vec!["r2".into(), "r4".into()]]);
    assert_eq!(bench.dead_letters(), [pair("r3", "refused")]);
    let stats = &bench.stats;
    assert_eq!((stats.delivered.load(Relaxed), stats.duplicate.load(Relaxed)), (3, 1));
    let dead: u64 = stats.dead_lettered().map(|(_, count)| count).sum();
    assert_eq!(dead, 2, "one here, one in the server's failure store");
}

#[tokio::test(start_paused = true)]
async fn s36_what_is_too_large_is_split_until_it_fits_and_one_alone_is_refused() {
    let mut bench = Bench::new(|sent| {
        if sent.len() > 3 || sent.contains(&"r5".to_owned()) {
            Outcome::TooLarge { status: 413, overload: false }
        } else {
            Outcome::Delivered
        }
    });
    bench.push("r", 16);
    bench.push("after", 2);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), [pair("r5", "too_large")]);
    assert_eq!(bench.stats.delivered.load(Relaxed), 17);
}

#[tokio::test(start_paused = true)]
async fn the_one_record_that_poisons_a_request_is_found() {
    let mut bench = Bench::new(|sent| {
        if sent.contains(&"r11".to_owned()) {
            Outcome::Poisoned(refusal(400))
        } else {
            Outcome::Delivered
        }
    });
    bench.push("r", 64);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), [pair("r11", "refused")]);
    assert_eq!(bench.stats.delivered.load(Relaxed), 63);
    assert_eq!(bench.sent().len(), 13, "two requests per halving");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_everything_from_the_start_condemns_nothing() {
    let heals = Instant::now() + Duration::from_secs(300);
    let mut bench = Bench::new(move |sent| {
        if Instant::now() < heals || sent.contains(&"r0".to_owned()) {
            Outcome::Poisoned(refusal(400))
        } else {
            Outcome::Delivered
        }
    });
    bench.push("r", 4);
    bench.push("s", 1);
    let running = bench.start();
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert_eq!((bench.dead_letters(), bench.stats.last_error()), (vec![], Some("unexpected")));
    bench.queue.close();
    assert_eq!(running.await.expect("no panic").ended, Ended::Drained);
    assert_eq!(bench.dead_letters(), [pair("r0", "refused")], "once others were taken");
    assert_eq!(bench.stats.delivered.load(Relaxed), 4);
}

/// What a missing pipeline is answered with: of each record, with a 200 of the whole.
fn doubted(sent: &[String]) -> Outcome {
    let error = Some("illegal_argument_exception".into());
    Outcome::Records(vec![Verdict::Doubted(Refusal { status: 400, error }); sent.len()])
}

/// Records by fours, alone, and so large that a probe has room for one.
#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_each_record_from_the_start_condemns_none() {
    let heals = Instant::now() + Duration::from_secs(300);
    let mut bench =
        Bench::new(
            move |sent| {
                if Instant::now() < heals { doubted(sent) } else { Outcome::Delivered }
            },
        );
    bench.push("alone", 1);
    bench.push("r", 4);
    bench.push("s", 4);
    bench.push(&"large".repeat(12_000), 4);
    bench.drain().await;
    assert_eq!((bench.dead_letters(), bench.stats.last_error()), (vec![], Some("unexpected")));
    assert_eq!(bench.stats.delivered.load(Relaxed), 13);
}

/// As after a restart: what is refused for what it holds waits for no other record to be taken.
#[tokio::test(start_paused = true)]
async fn records_that_are_to_blame_are_refused_for_good_from_the_start() {
    let mut bench =
        Bench::new(|sent| Outcome::Records(vec![Verdict::Refused(refusal(400)); sent.len()]));
    bench.push("alone", 1);
    bench.push("r", 3);
    bench.drain().await;
    assert_eq!(bench.dead_letters().len(), 4);
    assert_eq!((bench.sent().len(), bench.stats.last_error()), (2, None));
}

#[tokio::test(start_paused = true)]
async fn batches_in_doubt_leave_room_for_one_that_is_taken() {
    let mut bench = Bench::new(|sent| match sent.iter().any(|id| id.starts_with("bad")) {
        true => doubted(sent),
        false => Outcome::Delivered,
    });
    for batch in ["bad-a", "bad-b", "bad-c", "bad-d", "bad-e", "good"] {
        bench.push(batch, 1);
    }
    bench.drain().await;
    assert_eq!((bench.dead_letters().len(), bench.stats.delivered.load(Relaxed)), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn once_a_record_was_taken_those_in_doubt_are_refused_for_good() {
    let mut bench = Bench::new(|sent| match sent.len() {
        1 => Outcome::Delivered,
        _ => doubted(sent),
    });
    bench.push("bad", 2);
    bench.push("good", 1);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), [pair("bad0", "refused"), pair("bad1", "refused")]);
    assert_eq!(bench.stats.delivered.load(Relaxed), 1);
}

/// One reply may show both that records are taken and that some are not.
#[tokio::test(start_paused = true)]
async fn a_reply_that_stores_one_record_condemns_the_others() {
    let mut bench = Bench::new(|sent| {
        let mut verdicts = vec![Verdict::Delivered];
        verdicts.extend(sent.iter().skip(1).map(|_| Verdict::Doubted(refusal(400))));
        Outcome::Records(verdicts)
    });
    bench.push("r", 2);
    bench.drain().await;
    assert_eq!((bench.dead_letters(), bench.sent().len()), (vec![pair("r1", "refused")], 1));
}

#[tokio::test(start_paused = true)]
async fn where_order_matters_a_first_record_that_is_refused_holds_up_nothing_for_good() {
    let mut bench = Bench::new(|sent| match sent.contains(&"bad0".to_owned()) {
        true => Outcome::Poisoned(refusal(400)),
        false => Outcome::Delivered,
    });
    bench.one_at_a_time();
    bench.push("bad", 1);
    bench.push("good", 1);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), [pair("bad0", "refused")]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_refused_for_its_labels_is_found_and_is_all_that_is_refused() {
    let mut bench = Bench::new(|sent| match sent.iter().any(|id| id.starts_with('b')) {
        true => Outcome::StreamRefused(refusal(400)),
        false => Outcome::Delivered,
    });
    let records: Vec<_> = ["a0", "b0", "b1", "b2", "c0"].map(str::to_owned).into();
    bench.push_batch(Some(payload(&records)), Vec::new());
    bench.drain().await;
    let dead = ["b0", "b1", "b2"].map(|id| pair(id, "refused"));
    assert_eq!(bench.dead_letters(), dead);
    assert_eq!(bench.stats.delivered.load(Relaxed), 2);
    assert_eq!(bench.sent().len(), 5, "whole, a, b and c, b, c");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_written_holds_its_batch() {
    let mut bench = Bench::new(|_| Outcome::Records(vec![Verdict::Refused(refusal(400))]));
    let blocker = bench.state.path().join("dead-letters");
    std::fs::write(&blocker, "in the way").expect("written");
    bench.push("r", 1);
    let running = bench.start();
    while bench.stats.dead_letter_failures.load(Relaxed) < 3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(bench.settled_once().is_empty());
    std::fs::remove_file(&blocker).expect("removed");
    bench.queue.close();
    assert_eq!(running.await.expect("no panic").ended, Ended::Drained);
    assert_eq!(bench.dead_letters(), [pair("r0", "refused")]);
    bench.check_conserved();
}

/// Nine refused batches and a file that cannot be written: one slice of dead letters, not all.
#[tokio::test(start_paused = true)]
async fn dead_letters_that_cannot_be_written_do_not_add_up() {
    const RECORDS: usize = 20_000;
    let mut first = true;
    let mut bench = Bench::new(move |sent| match std::mem::take(&mut first) {
        true => Outcome::Delivered,
        false => Outcome::Records(vec![Verdict::Refused(refusal(400)); sent.len()]),
    });
    std::fs::write(bench.state.path().join("dead-letters"), "in the way").expect("written");
    for batch in 0..10 {
        bench.push(&format!("batch-{batch}-record-"), if batch == 0 { 1 } else { RECORDS });
    }
    let queued = bench.budget.used();
    let running = bench.start();
    while bench.stats.dead_letter_failures.load(Relaxed) < 3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Verdicts and requested replies, and one slice as records and as lines.
    let more = bench.budget.used() - queued;
    assert!(more < 9 * RECORDS * 32 + (1 << 20), "{more} bytes more than were queued");
    std::fs::remove_file(bench.state.path().join("dead-letters")).expect("removed");
    bench.queue.close();
    assert_eq!(running.await.expect("no panic").ended, Ended::Drained);
    assert_eq!(bench.dead_letters().len(), 9 * RECORDS);
    assert_eq!(bench.budget.used(), 0);
    bench.check_conserved();
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_read_for_its_dead_letters_is_in_the_budget_as_it_is_then() {
    let mut bench =
        Bench::new(|sent| Outcome::Records(vec![Verdict::Refused(refusal(400)); sent.len()]));
    std::fs::write(bench.state.path().join("dead-letters"), "in the way").expect("written");
    bench.push(&"x".repeat(2 << 20), 1);
    let queued = bench.budget.used();
    bench.start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let more = bench.budget.used() - queued;
    assert!(more >= (2 << 20) + 3 * (256 << 10), "{more} bytes more than were queued");
}

#[tokio::test(start_paused = true)]
async fn what_the_encoder_refused_is_kept_and_a_batch_of_nothing_is_settled() {
    let mut bench = Bench::new(|_| Outcome::Delivered);
    bench.push_batch(None, Vec::new());
    let letter = DeadLetter { id: "x".into(), reason: Reason::TooOld, record: "{}".into() };
    bench.push_batch(Some(payload(&["y".to_owned()])), vec![letter]);
    bench.drain().await;
    assert_eq!(bench.dead_letters(), [pair("x", "too_old")]);
    assert_eq!(bench.sent(), [["y"]]);
}
