//! Fixtures: logs, and the records expected from them.

use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// A log, and the file of what must come of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fixture {
    pub(super) log: PathBuf,
    pub(super) expected: PathBuf,
}

impl Fixture {
    /// The pair in a directory: `input.log` and `expected.ndjson`.
    fn within(directory: &Path) -> Self {
        Self { log: directory.join("input.log"), expected: directory.join("expected.ndjson") }
    }
}

/// What an argument names: `LOG=EXPECTED`, or a directory that holds a pair or directories with one
/// each, in the order of their names.
pub(super) fn named(argument: &str) -> Result<Vec<Fixture>, Failure> {
    let directory = Path::new(argument);
    if !directory.is_dir() {
        let (log, expected) = argument.split_once('=').ok_or_else(|| {
            Failure::Other(format!(
                "{argument}: no such directory; write LOG=EXPECTED for a single log"
            ))
        })?;
        return Ok(vec![Fixture { log: log.into(), expected: expected.into() }]);
    }
    let own = Fixture::within(directory);
    if own.log.exists() {
        return Ok(vec![own]);
    }
    let unreadable = |error: std::io::Error| Failure::Other(format!("{argument}: {error}"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let fixture = Fixture::within(&entry.map_err(unreadable)?.path());
        if fixture.log.exists() {
            found.push(fixture);
        }
    }
    if found.is_empty() {
        return Err(Failure::Other(format!(
            "{argument}: neither it nor a directory in it holds an input.log"
        )));
    }
    found.sort_by(|one, other| one.log.cmp(&other.log));
    Ok(found)
}
