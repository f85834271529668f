//! The thread a worker runs on: waits for reads or for the next tick, whichever comes first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::chunk::Read;
use super::pressure::Pressure;
use super::stats::PipelineStats;
use super::worker::Worker;

/// Reads that may wait for a worker. Each holds its own budget; a few keep the worker from waiting
/// on the tailer.
pub const READS_WAITING: usize = 256;

/// How long an idle worker sleeps at most.
const IDLE: Duration = Duration::from_secs(10);

/// Runs a worker until the tailer hangs up, or until another generation of the agent is to go on. Then
/// its open batches are in the destinations' queues.
///
/// # Errors
///
/// When the operating system refuses a thread.
pub fn spawn(
    number: usize,
    mut worker: Worker,
    reads: Receiver<Read>,
    stats: Arc<PipelineStats>,
    pressure: Pressure,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        let start = Instant::now();
        let now = || i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX);
        // Taken off the channel, not yet worked on.
        let mut waiting = VecDeque::new();
        loop {
            stats.turns.fetch_add(1, Ordering::Relaxed);
            let before = now();
            let wait = worker.next_tick(before).map_or(IDLE, |at| {
                Duration::from_nanos(u64::try_from(at.saturating_sub(before)).unwrap_or(0))
            });
            if waiting.is_empty() {
                match reads.recv_timeout(wait) {
                    Ok(read) => waiting.push_back(read),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if pressure.is_handing_over() {
                break;
            }
            if pressure.is_abandoned() {
                // Dropped unsettled: read again at the next start.
                waiting.clear();
                continue;
            }
            let began = Instant::now();
            if let Some(read) = waiting.pop_front() {
                worker.take(read, now());
            }
            waiting.extend(reads.try_iter().take(READS_WAITING.saturating_sub(waiting.len())));
            if waiting.len() < READS_WAITING {
                worker.tick(&waiting, now());
            } else {
                // The channel may hold more: a record's next line, for one.
                worker.close_due(now());
            }
            let busy = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            stats.busy_nanos.fetch_add(busy, Ordering::Relaxed);
        }
        worker.end(now());
    })
}
