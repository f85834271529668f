//! `pillion replay --follow`: shows what is appended to files, as it is appended. No checkpoint, no
//! offsets, so `linemux` does the following.

use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use linemux::MuxedLines;

use crate::cli::Failure;
use crate::pipeline::chunk::JOIN_TIMEOUT;
use crate::pipeline::replay::Replay;

/// Follows the logs until interrupted, or until nobody reads the output.
pub(super) fn run(
    logs: &[PathBuf],
    replay_of: impl Fn(&Path) -> Result<Replay, Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut followed = MuxedLines::new()?;
        let mut replays = HashMap::new();
        for log in logs {
            let path = followed.add_file(log).await.map_err(|error| {
                Failure::Other(format!("{}: cannot be followed: {error}", log.display()))
            })?;
            replays.insert(path, replay_of(log)?);
        }
        let mut out = Vec::new();
        loop {
            // What a joiner holds open ends when no line follows, as under `run`.
            match tokio::time::timeout(JOIN_TIMEOUT, followed.next_line()).await {
                Ok(line) => {
                    let Some(line) = line? else { return Ok(()) };
                    let Some(replay) = replays.get_mut(line.source()) else { continue };
                    replay.push(format!("{}\n", line.line()).as_bytes(), &mut out);
                }
                Err(_) => {
                    replays.values_mut().for_each(|replay: &mut Replay| replay.flush(&mut out))
                }
            }
            let mut stdout = std::io::stdout().lock();
            match stdout.write_all(&out).and_then(|()| stdout.flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            }
            out.clear();
        }
    })
}
