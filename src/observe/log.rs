//! The agent's own log: to standard error, one line a record, never with the content of a line that
//! it ships. What others chose and it names (paths, above all) is redacted like all else that leaves.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indicatif::ProgressBar;
use pillion_parsers::redact::{Redactor, Rules};
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

/// Takes out of each line what the rules in force find; the default ones before there are others.
static REDACTOR: Mutex<Option<Redactor>> = Mutex::new(None);

/// From now on, lines are redacted by these rules.
pub fn redact_by(rules: &Arc<Rules>) {
    let redactor = Redactor::that_keeps(Arc::clone(rules));
    *REDACTOR.lock().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
}

/// A line as it may be written.
fn redacted(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    // Its scratch space is filled anew for each line: what a panic left of it does no harm.
    let mut redactor = REDACTOR.lock().unwrap_or_else(PoisonError::into_inner);
    let redactor = redactor.get_or_insert_with(|| Redactor::that_keeps(Rules::builtin_default()));
    redactor.clean(&line).to_string()
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
        // The formatter hands over a line at once.
        let line = redacted(bytes);
        // Before: whoever looks at the file must not see more than is counted.
        WRITTEN.fetch_add(line.len() as u64, Ordering::Relaxed);
        match STATUS.get() {
            Some(status) => status.suspend(|| io::stderr().write_all(line.as_bytes()))?,
            None => io::stderr().write_all(line.as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// What a panic says, up to where it quotes anything: that may be of a line.
fn unquoted(said: &str) -> &str {
    said.split(['`', '"', '\'']).next().unwrap_or_default().trim_end()
}

/// Starts logging. `verbosity` is the level shown; `colour` says whether standard error is coloured.
pub fn start(verbosity: LevelFilter, colour: bool) {
    // Libraries below warnings tell of connections and watches: noise beside an application's log.
    let targets = Targets::new()
        .with_target("pillion", verbosity)
        .with_default(verbosity.min(LevelFilter::WARN));
    let layer = fmt::layer().with_writer(|| Above).with_ansi(colour).with_target(false);
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let (thread, place) = (thread.name().unwrap_or("unnamed"), panic.location());
        let place = place.map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let said = unquoted(said.unwrap_or_default());
        // Straight to standard error: the panic may be one of what stands between.
        let _ = writeln!(io::stderr(), "thread '{thread}' panicked at {place}: {said}");
    }));
    // Fails only when a logger is already set, as in tests that start two agents: keep that one.
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_redacted_and_kept() {
        let line = redacted(b"WARN not tailed path=\"/logs/bob@example.com/a.log\"\n");
        assert_eq!(line, "WARN not tailed path=\"/logs/[EMAIL]/a.log\"\n");
        assert_eq!(
            redacted(b"INFO watching admin=127.0.0.1:1\n"),
            "INFO watching admin=127.0.0.1:1\n"
        );
    }

    #[test]
    fn a_panic_quotes_nothing() {
        let said = "byte index 3 is out of bounds of `a line`[..9]";
        assert_eq!(unquoted(said), "byte index 3 is out of bounds of");
        assert_eq!(unquoted("the len is 3 but the index is 7"), "the len is 3 but the index is 7");
    }
}
