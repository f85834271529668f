//! Whether the agent lives and is ready, as its probes say.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::observe::admin::Show;
use crate::observe::loaded::Loaded;
use crate::observe::metrics::{self, Counted};

/// How long a thread may stand still. Each goes round its loop every ten seconds at the least, so
/// only one that is stuck (a disk that no longer answers, a bug) stands still for this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the probes look at.
pub(super) struct Health {
    /// Of the generation that runs, or of the last one while the next is being set up.
    counted: Mutex<Arc<Counted>>,
    loaded: Arc<Loaded>,
    /// Set when the drain begins: from then on threads end.
    draining: AtomicBool,
    /// For each thread, how often it had gone round its loop when a probe last saw that change, and
    /// when that was.
    seen: Mutex<Vec<(u64, Instant)>>,
}

impl Health {
    pub(super) fn new(counted: Arc<Counted>, loaded: Arc<Loaded>) -> Self {
        let seen = Mutex::new(unseen(&counted));
        let counted = Mutex::new(counted);
        Self { counted, loaded, draining: AtomicBool::new(false), seen }
    }

    /// Looks at another generation from now on.
    pub(super) fn look_at(&self, counted: Arc<Counted>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = unseen(&counted);
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    fn counted(&self) -> Arc<Counted> {
        Arc::clone(&self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_watching(&self) -> bool {
        self.counted().tail.rescans.load(Ordering::Relaxed) > 0
    }

    pub(super) async fn watching(&self) {
        while !self.is_watching() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn alive_at(&self, now: Instant) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Over what reads may fill, workers wait for destinations; that is no reason to be killed.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = self.counted();
        let waiting = counted.budget.used() > counted.budget.room();
        let workers = counted.workers.iter().map(|worker| &worker.turns);
        let turns = std::iter::once(&counted.tail.turns).chain(workers);
        for (number, (turns, seen)) in turns.zip(seen.iter_mut()).enumerate() {
            let turns: u64 = AtomicU64::load(turns, Ordering::Relaxed);
            if turns != seen.0 || waiting && number > 0 {
                *seen = (turns, now);
            }
            let still = now.saturating_duration_since(seen.1);
            if still > PATIENCE {
                let thread = match number {
                    0 => "tail".to_owned(),
                    number => format!("worker-{}", number - 1),
                };
                return Err(format!("thread {thread} stands still for {} s", still.as_secs()));
            }
        }
        Ok(())
    }
}

/// How often each thread had gone round when nobody had looked yet.
fn unseen(counted: &Counted) -> Vec<(u64, Instant)> {
    vec![(0, Instant::now()); 1 + counted.workers.len()]
}

impl Show for Health {
    fn metrics(&self) -> String {
        metrics::page(&self.counted(), &self.loaded)
    }

    fn config(&self) -> String {
        self.loaded.json()
    }

    fn alive(&self) -> Result<(), String> {
        self.alive_at(Instant::now())
    }

    fn ready(&self) -> Result<(), String> {
        self.alive()?;
        if self.draining.load(Ordering::Relaxed) {
            return Err("draining".to_owned());
        }
        if !self.is_watching() {
            return Err("looking for files".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::pipeline::stats::PipelineStats;
    use crate::tail::stats::TailStats;
    use pillion_parsers::redact::Rules;

    #[test]
    fn a_thread_that_stands_still_is_named() {
        let counted = Arc::new(Counted {
            sources: Vec::new(),
            destinations: Vec::new(),
            rules: Vec::new(),
            steps: Vec::new(),
            tail: Arc::new(TailStats::default()),
            workers: vec![Arc::new(PipelineStats::new(0, 0))],
            budget: Budget::new(1),
            redact: Rules::builtin_default(),
        });
        let health = Health::new(Arc::clone(&counted), Arc::new(Loaded::new(None)));
        let later = Instant::now() + PATIENCE + Duration::from_secs(2);
        counted.tail.turns.fetch_add(1, Ordering::Relaxed);
        let stuck = health.alive_at(later).expect_err("the worker never moved");
        assert!(stuck.contains("worker-0"), "{stuck}");
        counted.workers[0].turns.fetch_add(1, Ordering::Relaxed);
        assert_eq!(health.alive_at(later), Ok(()));
        assert!(health.ready().is_err(), "nothing is watched yet");
    }
}
