//! The agent's own log: to standard error, one line a record, never with the content of a line that
//! it ships.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Starts logging. `verbosity` is the level shown; colour only on a terminal and without `NO_COLOR`.
pub fn start(verbosity: LevelFilter, no_color: bool) {
    let colour = std::io::stderr().is_terminal() && !no_color;
    // Libraries below warnings tell of connections and watches: noise beside an application's log.
    let targets = Targets::new()
        .with_target("pillion", verbosity)
        .with_default(verbosity.min(LevelFilter::WARN));
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
    // Fails only when a logger is already set, as in tests that start two agents: keep that one.
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
}
