//! `pillion schema`: the configuration's JSON Schema, for editors.

use std::io::Write;

use super::Failure;
use crate::config;

pub(super) fn run() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &config::schema()).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
