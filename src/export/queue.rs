//! The batches that wait for one destination: what the worker closes, delivery takes.
//!
//! The queue has no bound of its own: every batch in it holds its share of the one
//! [`Budget`](crate::budget::Budget), and nothing is read without budget, so the queue can never
//! hold more than the budget's limit. Pushing therefore never blocks the worker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::stats::DestinationStats;
use crate::pipeline::batch::Batch;

/// Waiting batches, oldest first. Shared by one or more workers, which push, and the destination's
/// delivery, which alone pops.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    /// Wakes the one popper; a permit is stored when it is not waiting.
    changed: Notify,
    /// Told of every record accepted.
    stats: Arc<DestinationStats>,
    /// What is [`Held`].
    held: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Accepted>,
    closed: bool,
}

/// A batch, and when the queue accepted it.
#[derive(Debug)]
pub struct Accepted {
    /// The batch.
    pub batch: Batch,
    /// Since when it is in flight.
    pub since: Instant,
    /// Its part of [`Queue::resident`].
    pub held: Held,
}

/// Bytes that a destination holds until this is dropped: when the batch is settled, or given up.
#[derive(Debug)]
pub struct Held {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Held {
    fn new(all: &Arc<AtomicUsize>, bytes: usize) -> Self {
        all.fetch_add(bytes, Ordering::Relaxed);
        Self { all: Arc::clone(all), bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The queue takes no more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the destination's queue is closed")
    }
}

impl std::error::Error for Closed {}

impl Queue {
    /// An empty, open queue.
    #[must_use]
    pub fn new(stats: Arc<DestinationStats>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            changed: Notify::new(),
            stats,
            held: Arc::default(),
        })
    }

    /// Appends a batch. Never blocks. From here on its records are in flight.
    ///
    /// # Errors
    ///
    /// When the queue is closed. The batch is dropped unsettled: nobody would deliver it.
    pub fn push(&self, batch: Batch) -> Result<(), Closed> {
        let records = batch.records();
        {
            let mut inner = self.lock();
            if inner.closed {
                return Err(Closed);
            }
            // Counted before anybody can take it, so that the settled never exceed the accepted.
            self.stats.accept(records);
            let held = Held::new(&self.held, batch.permit.bytes());
            inner.waiting.push_back(Accepted { batch, since: Instant::now(), held });
        }
        self.changed.notify_one();
        Ok(())
    }

    /// The oldest waiting batch; waits for one. `None` once the queue is closed and empty. Dropping
    /// the future loses nothing.
    pub async fn pop(&self) -> Option<Accepted> {
        loop {
            {
                let mut inner = self.lock();
                if let Some(accepted) = inner.waiting.pop_front() {
                    return Some(accepted);
                }
                if inner.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Takes no more batches; those that wait can still be popped.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Closes, and drops what waits unsettled: how many batches that were. Their budget goes back, so
    /// that a destination which has ended does not hold up the others.
    pub fn abandon(&self) -> usize {
        let abandoned = {
            let mut inner = self.lock();
            inner.closed = true;
            std::mem::take(&mut inner.waiting)
        };
        self.changed.notify_one();
        abandoned.len()
    }

    /// The counters of its destination.
    #[must_use]
    pub fn stats(&self) -> &Arc<DestinationStats> {
        &self.stats
    }

    /// Batches waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether no batch waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the budget held by the batches that wait and by those that were popped and are not
    /// let go yet.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Since when the oldest waiting batch waits.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.lock().waiting.front().map(|accepted| accepted.since)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held, and a queue is whole after each statement.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::pipeline::batch::Receipt;

    fn batch(budget: &Arc<Budget>, bytes: usize) -> Batch {
        let permit = budget.try_take(bytes).expect("free");
        Batch { payload: None, refused: Vec::new(), receipt: Receipt::default(), permit }
    }

    #[tokio::test(start_paused = true)]
    async fn batches_come_out_oldest_first_and_a_closed_queue_ends_when_empty() {
        let (queue, budget) = (Queue::new(Arc::default()), Budget::new(100));
        let popped = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.pop().await.map(|accepted| accepted.batch.permit.bytes()) }
        });
        tokio::task::yield_now().await;
        queue.push(batch(&budget, 1)).expect("open");
        assert_eq!(popped.await.expect("no panic"), Some(1), "a waiting popper is woken");
        queue.push(batch(&budget, 2)).expect("open");
        queue.push(batch(&budget, 3)).expect("open");
        assert_eq!((queue.len(), queue.resident()), (2, 5));
        queue.close();
        assert_eq!(queue.push(batch(&budget, 4)), Err(Closed));
        let popped = queue.pop().await.expect("it waited");
        assert_eq!((popped.batch.permit.bytes(), queue.len()), (2, 1));
        assert_eq!(queue.resident(), 5, "the destination holds it until it is let go");
        drop(popped);
        assert_eq!(queue.abandon(), 1);
        assert!(queue.pop().await.is_none());
        assert_eq!((queue.resident(), budget.used()), (0, 0));
    }
}
