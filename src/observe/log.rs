//! The agent's own log: to standard error, one line a record, never with the content of a line that
//! it ships.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// A status line that is drawn on the same terminal.
static STATUS: OnceLock<ProgressBar> = OnceLock::new();

/// From now on, lines are printed above this status line instead of into it.
pub fn keep_above(status: &ProgressBar) {
    // Set once a process: there is one terminal.
    let _ = STATUS.set(status.clone());
}

/// Bytes written to standard error, or about to be.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// How many bytes of log this process has written at most.
pub fn written() -> u64 {
    WRITTEN.load(Ordering::Relaxed)
}

/// Standard error, above a status line if there is one.
struct Above;

impl io::Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Before: whoever looks at the file must not see more than is counted.
        WRITTEN.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        match STATUS.get() {
            Some(status) => status.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts logging. `verbosity` is the level shown; `colour` says whether standard error is coloured.
pub fn start(verbosity: LevelFilter, colour: bool) {
    // Libraries below warnings tell of connections and watches: noise beside an application's log.
    let targets = Targets::new()
        .with_target("pillion", verbosity)
        .with_default(verbosity.min(LevelFilter::WARN));
    let layer = fmt::layer().with_writer(|| Above).with_ansi(colour).with_target(false);
    // Fails only when a logger is already set, as in tests that start two agents: keep that one.
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
}
