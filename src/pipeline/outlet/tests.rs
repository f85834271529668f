//! What an outlet does when its destination does not keep up.

use std::time::Duration;

use pillion_parsers::frame::{FileNumber, Span};

use super::drops::BETWEEN_WARNINGS;
use super::*;
use crate::budget::Budget;
use crate::config::settings::{
    BatchLimits, Compression, Destination, DestinationKind, Schema, WhenFull,
};
use crate::export::breaker::Shown;
use crate::export::encode::tests::{INSTANCE, Spec, Spot, no_rules};

const LINGER: i64 = 1_000_000;

fn outlet(budget: &Arc<Budget>, queue: &Arc<Queue>, when_full: WhenFull) -> Outlet {
    let limits =
        BatchLimits { bytes: 1 << 20, records: 1000, linger: Duration::from_nanos(1_000_000) };
    let destination = Destination {
        name: "screen".to_owned(),
        kind: DestinationKind::Console,
        batch: limits,
        compression: Compression::None,
        when_full,
        buffer: None,
    };
    Outlet::new(OutletParts {
        name: destination.name.clone(),
        encoder: Encoder::new(&destination, Schema::Ecs, "app", &no_rules(), INSTANCE)
            .expect("good"),
        limits,
        most: usize::MAX,
        when_full,
        share: 1 << 20,
        queue: Arc::clone(queue),
        stats: Arc::clone(queue.stats()),
        pressure: Pressure::new(Arc::clone(budget)),
    })
}

fn drop_one(outlet: &mut Outlet, number: u64, now: i64) {
    let span = Span { start: number * 10, end: number * 10 + 10 };
    let spans = [FileSpan { file: FileNumber(1), span }];
    outlet.drop_record(&spans, &Resume::default(), now);
}

/// A destination that is dead for days: what is dropped meanwhile must not add up.
#[tokio::test]
async fn records_dropped_while_nothing_is_taken_cost_next_to_nothing() {
    let (budget, queue) = (Budget::new(1 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    for number in 0..10_000 {
        let now = i64::try_from(number).expect("small") * LINGER;
        drop_one(&mut outlet, number, now);
        outlet.close_if_due(now + LINGER);
        outlet.true_up();
    }
    assert!(queue.len() <= WAITING_BEFORE_FILLING, "{} batches wait", queue.len());
    assert!(budget.used() < 4096, "{} bytes", budget.used());
    outlet.close();
    queue.close();
    let mut bytes = 0;
    while let Some(accepted) = queue.pop().await {
        bytes += accepted.batch.receipt.runs().map(|(_, run)| run.span.len()).sum::<u64>();
    }
    assert_eq!(bytes, 100_000, "every byte is on a receipt");
}

fn add_one(outlet: &mut Outlet, number: u64) {
    let span = Span { start: number * 10, end: number * 10 + 10 };
    let spans = [FileSpan { file: FileNumber(1), span }];
    let place = Spot::new(&[]);
    Spec::message(&"x".repeat(1000)).redacted(|record| {
        outlet.add(record, &place.at(span.start), &spans, &Resume::default(), 0);
    });
    outlet.true_up();
}

/// An open batch that grows to the destination's whole share is no sign that it is behind.
#[tokio::test]
async fn a_destination_that_keeps_up_is_dropped_nothing_for() {
    let (budget, queue) = (Budget::new(8 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    (outlet.limits.bytes, outlet.limits.records) = (16 << 20, 100_000);
    for number in 0..4000 {
        add_one(&mut outlet, number);
        if !queue.is_empty() {
            drop(queue.pop().await);
        }
    }
    assert_eq!(dropped(queue.stats()), [0, 0]);
}

/// Records dropped by a rule, and because the destination was full.
fn dropped(stats: &DestinationStats) -> [u64; 2] {
    let mut counts = stats.dropped().map(|(_, count)| count);
    [counts.next().expect("rule"), counts.next().expect("full")]
}

/// A backlog is read faster than any server takes it: that is no trouble.
#[test]
fn a_slow_destination_is_waited_for() {
    let (budget, queue) = (Budget::new(64 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    outlet.limits.bytes = 100_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.expect("a runtime").block_on(async {
                while let Some(accepted) = queue.pop().await {
                    std::thread::sleep(Duration::from_millis(2));
                    drop(accepted);
                }
            });
        });
        for number in 0..4000 {
            add_one(&mut outlet, number);
            assert!(queue.resident() < 5 << 18, "{} bytes", queue.resident());
        }
        outlet.close();
        queue.close();
    });
    assert_eq!(dropped(queue.stats()), [0, 0]);
}

/// A chunk's share can be more than the destination's: nothing lies there that could be waited for.
#[test]
fn an_idle_destination_has_room_whatever_is_reserved() {
    let (budget, queue) = (Budget::new(8 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    outlet.reserve(budget.try_take(2 << 20).expect("free"));
    add_one(&mut outlet, 0);
    assert_eq!(dropped(queue.stats()), [0, 0]);
}

/// What was taken off the queue and is not settled counts as well, else as many batches as may be
/// sent at a time would come on top of the share.
#[tokio::test]
async fn a_destination_holds_no_more_than_its_share() {
    let (budget, queue) = (Budget::new(64 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    outlet.limits.bytes = 100_000;
    queue.stats().show_breaker(Shown::Open, None);
    let mut sending = Vec::new();
    for number in 0..4000 {
        add_one(&mut outlet, number);
        if !queue.is_empty() {
            sending.extend(queue.pop().await);
        }
    }
    let stats = queue.stats();
    assert!(budget.used() < 5 << 18, "{} bytes", budget.used());
    let (routed, [by_rule, dropped]) = (&stats.routed, dropped(stats));
    assert!(by_rule == 0 && dropped > 0);
    let (open, flying) = (stats.open.load(Ordering::Relaxed), &stats.in_flight);
    assert_eq!(routed.load(Ordering::Relaxed), dropped + open + flying.load(Ordering::Relaxed));
}

/// The first record dropped is logged at once; the others wait for no further one to be logged.
#[tokio::test]
async fn every_record_dropped_is_logged_in_the_end() {
    let (budget, queue) = (Budget::new(64 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::DropNewest);
    outlet.limits.bytes = 100_000;
    queue.stats().show_breaker(Shown::Open, None);
    let unsaid = |outlet: &Outlet| outlet.drops.unsaid;
    (0..4000).for_each(|number| add_one(&mut outlet, number));
    assert_eq!(unsaid(&outlet), dropped(queue.stats())[1] - 1);
    outlet.close_if_due(BETWEEN_WARNINGS - 1);
    assert!(unsaid(&outlet) > 0, "too soon");
    outlet.close_if_due(BETWEEN_WARNINGS);
    assert_eq!(unsaid(&outlet), 0);
    add_one(&mut outlet, 4000);
    assert_eq!(unsaid(&outlet), 1);
    outlet.drain(BETWEEN_WARNINGS);
    assert_eq!(unsaid(&outlet), 0);
}

#[tokio::test]
async fn a_lack_of_budget_closes_what_an_idle_destination_could_be_sent() {
    let (budget, queue) = (Budget::new(8 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::Block);
    add_one(&mut outlet, 0);
    outlet.close_if_idle();
    let sending = queue.pop().await;
    assert!(sending.is_some());
    add_one(&mut outlet, 1);
    outlet.close_if_idle();
    assert!(queue.is_empty(), "the destination is busy");
    drop(sending);
    outlet.close_if_idle();
    assert_eq!(queue.len(), 1);
}

/// The last batch may be delivered first, and the agent be killed then.
#[tokio::test]
async fn a_line_in_several_batches_is_settled_with_the_last_of_them() {
    let (budget, queue) = (Budget::new(8 << 20), Queue::new(Arc::default()));
    let mut outlet = outlet(&budget, &queue, WhenFull::Block);
    outlet.limits.records = 2;
    let place = Spot::new(&[]);
    let line = [FileSpan { file: FileNumber(1), span: Span { start: 10, end: 90 } }];
    add_one(&mut outlet, 0);
    for part in 0..4 {
        let spans = if part == 3 { &line[..] } else { &[] };
        Spec::message("x").redacted(|record| {
            outlet.add(record, &place.at(10 + part), spans, &Resume::default(), 0);
        });
    }
    add_one(&mut outlet, 9);
    outlet.drop_record(&[], &Resume::default(), 0);
    let dropped = [FileSpan { file: FileNumber(1), span: Span { start: 100, end: 130 } }];
    outlet.drop_record(&dropped, &Resume::default(), 0);
    outlet.close();
    let mut receipts = Vec::new();
    while !queue.is_empty() {
        receipts.push(queue.pop().await.expect("a batch").batch.receipt);
    }
    let settled: Vec<Vec<_>> = [3, 2, 0, 1]
        .map(|batch: usize| {
            let runs = receipts.get(batch).expect("a batch").settle();
            runs.map(|(_, run)| (run.span.start, run.span.end)).collect()
        })
        .into();
    assert_eq!(settled, [vec![(100, 130)], vec![(90, 100)], vec![(0, 10)], vec![(10, 90)]]);
}
