//! When the agent is to end by itself, so that a Job's pod completes: nothing more comes, or somebody
//! says so with a file.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::config::units;
use crate::export::stats::DestinationStats;
use crate::observe::metrics::Counted;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// One reason to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// No file grew or appeared for so long, and all that was read has met its end: what a disk buffer
    /// has settled may be lost with the volume when nobody starts again.
    Idle(Duration),
    /// This path exists.
    File(PathBuf),
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Idle(time) => write!(f, "nothing to ship for {time:?}"),
            Self::File(path) => write!(f, "{} is there", path.display()),
        }
    }
}

impl Condition {
    /// As it is typed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("idle", time)) => units::duration(time)
                .map(Self::Idle)
                .map_err(|why| format!("{why}: write `idle=10s`")),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::File(path.into())),
            Some(("file", _)) => Err("the path must be absolute: write `file=/shared/done`".into()),
            _ => Err("write `idle=10s` or `file=/shared/done`".to_owned()),
        }
    }

    /// Several, as in an environment variable: separated by commas.
    pub(super) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let each = text.split(',').map(str::trim).filter(|each| !each.is_empty());
        each.map(Self::parse).collect()
    }
}

/// Resolves with the first of these that holds; never, if there is none.
pub(super) async fn met<'c>(conditions: &'c [Condition], counted: &Counted) -> &'c Condition {
    if conditions.is_empty() {
        return std::future::pending().await;
    }
    let mut idle = Idle::new(counted);
    loop {
        let idle_for = idle.look(counted);
        let holds = |condition: &&Condition| match condition {
            Condition::Idle(time) => idle_for.is_some_and(|idle| idle >= *time),
            // Not what a link leads to: the volume is shared.
            Condition::File(path) => path.symlink_metadata().is_ok(),
        };
        if let Some(condition) = conditions.iter().find(holds) {
            return condition;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Since when nothing moves.
struct Idle {
    heard: u64,
    since: Instant,
}

impl Idle {
    fn new(counted: &Counted) -> Self {
        Self { heard: counted.tail.stirred.load(Ordering::Relaxed), since: Instant::now() }
    }

    /// For how long nothing has moved; `None` while something is to be read or to be settled.
    fn look(&mut self, counted: &Counted) -> Option<Duration> {
        let tail = &counted.tail;
        let stirred = tail.stirred.load(Ordering::Relaxed);
        let busy = tail.busy.load(Ordering::Relaxed)
            || counted.destinations.iter().any(|(_, stats)| holds(stats));
        if std::mem::replace(&mut self.heard, stirred) != stirred {
            self.since = Instant::now();
        }
        (!busy).then(|| self.since.elapsed())
    }
}

/// Whether records are on their way to a destination.
fn holds(stats: &DestinationStats) -> bool {
    let held = [&stats.open, &stats.in_flight, &stats.buffer.records];
    held.iter().any(|records| records.load(Ordering::Relaxed) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_as_they_are_typed() {
        let check = |text: &str, expect: Result<Condition, &str>| {
            assert_eq!(Condition::parse(text), expect.map_err(str::to_owned), "{text}");
        };
        check("idle=10s", Ok(Condition::Idle(Duration::from_secs(10))));
        check("file=/shared/done", Ok(Condition::File("/shared/done".into())));
        check("file=done", Err("the path must be absolute: write `file=/shared/done`"));
        check("idle=10", Err("a duration needs a unit: write `idle=10s`"));
        check("done", Err("write `idle=10s` or `file=/shared/done`"));
        let both = Condition::parse_all("idle=1m, file=/d").expect("good");
        assert_eq!(both.len(), 2);
    }
}
