//! `pillion check`: validates a configuration and says what it would do.

use std::io::Write;

use clap::Args;

use super::{ConfigArgs, Failure};
use crate::config::Over;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let settings = args.config.load(&Over::default())?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: ok: {} source(s), {} destination(s), memory {} KiB, redaction {}",
        args.config.path().display(),
        settings.sources.len(),
        settings.destinations.len(),
        settings.memory / 1024,
        match settings.redact.names().len() {
            0 => "OFF".to_owned(),
            rules => format!("by {rules} rules"),
        },
    )?;
    Ok(())
}
