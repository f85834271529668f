//! Each record at one end, and what is shown of a destination.

use super::*;

#[test]
fn each_record_is_counted_at_one_end() {
    let stats = DestinationStats::default();
    stats.accept(10);
    stats.deliver(3);
    stats.duplicate(2);
    stats.dead_letter(Reason::Refused, 1);
    stats.lose(LostReason::DeadLetterFull, 1);
    assert_eq!((stats.resolved(), load(&stats.in_flight)), (7, 3));
    stats.open.fetch_add(2, Ordering::Relaxed);
    stats.hand_over();
    let left = (load(&stats.in_flight), load(&stats.open), load(&stats.returned));
    assert_eq!((left, stats.resolved()), ((0, 0, 5), load(&stats.records_in)));
    let rejected = stats.dead_lettered().find(|(reason, _)| *reason == Reason::Refused);
    assert_eq!(rejected, Some((Reason::Refused, 1)));
}

#[test]
fn what_is_nowhere_is_unaccounted_for() {
    let stats = DestinationStats::default();
    (0..6).for_each(|_| stats.route());
    stats.drop_record(DropReason::Rule);
    stats.pass_over();
    stats.give_back();
    assert_eq!((stats.unaccounted(), load(&stats.open), stats.resolved()), (0, 3, 3));
    stats.open.fetch_sub(2, Ordering::Relaxed);
    assert_eq!(stats.unaccounted(), 2, "a batch that nobody took");
    stats.accept(2);
    assert_eq!(stats.unaccounted(), 0);
    stats.deliver(2);
    assert_eq!(stats.unaccounted(), 0);
    stats.delivered.fetch_add(1, Ordering::Relaxed);
    assert_eq!(stats.unaccounted(), -1);
}

#[test]
fn the_last_error_is_shown_by_its_name() {
    let stats = DestinationStats::default();
    assert_eq!(stats.last_error(), None);
    stats.retry(RetryClass::Connect);
    assert_eq!(stats.last_error(), Some("connect"));
    stats.pause(PauseClass::Unexpected);
    assert_eq!(stats.last_error(), Some("unexpected"));
}

#[tokio::test(start_paused = true)]
async fn ages_and_waits_are_shown_as_durations() {
    let stats = DestinationStats::default();
    assert_eq!((stats.oldest_age(), stats.retry_in()), (None, None));
    let now = Instant::now();
    stats.show_oldest(Some(now));
    stats.show_breaker(Shown::Paused, Some(now + Duration::from_secs(9)));
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(stats.oldest_age(), Some(Duration::from_secs(4)));
    assert_eq!(stats.retry_in(), Some(Duration::from_secs(5)));
    assert_eq!(stats.breaker(), Shown::Paused);
}
