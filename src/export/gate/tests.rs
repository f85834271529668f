//! Who goes through the gate when, on paused time.

use super::*;
use crate::export::breaker::Shown;

fn gate() -> Arc<Gate> {
    Gate::new(8, fastrand::Rng::with_seed(1), Arc::default())
}

async fn enter(gate: &Arc<Gate>) -> Slot {
    gate.enter(gate.ticket()).await
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_go_in_order_and_one_at_a_time_at_first() {
    let gate = gate();
    let first = enter(&gate).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..3 {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        tasks.spawn(async move {
            let slot = enter(&gate).await;
            order.lock().expect("whole").push(number);
            slot.strained();
        });
        tokio::task::yield_now().await;
    }
    assert!(order.lock().expect("whole").is_empty(), "one at a time");
    first.strained();
    tasks.join_all().await;
    assert_eq!(*order.lock().expect("whole"), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_goes_to_the_end_of_the_line() {
    let gate = gate();
    for _ in 0..3 {
        enter(&gate).await.failed(RetryClass::Connect, None);
    }
    let mut poison = enter(&gate).await;
    assert!(poison.is_probe());
    let other = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { enter(&gate).await.is_probe() }
    });
    tokio::task::yield_now().await;
    assert!(poison.failed(RetryClass::Broken, None));
    poison = enter(&gate).await;
    assert!(other.await.expect("no panic"), "the other one probes before");
    assert!(poison.succeeded() || gate.stats.breaker() == Shown::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_slot_or_a_place_in_line_given_up_blocks_nobody() {
    let gate = gate();
    let slot = enter(&gate).await;
    let waiting = tokio::time::timeout(Duration::from_secs(1), enter(&gate)).await;
    assert!(waiting.is_err());
    drop(slot);
    for _ in 0..3 {
        enter(&gate).await.failed(RetryClass::Server, None);
    }
    assert_eq!(gate.stats.breaker(), Shown::Open);
    drop(enter(&gate).await);
    assert!(enter(&gate).await.is_probe(), "the next may probe at once");
}
