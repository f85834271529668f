//! `pillion replay --follow`: a replay that goes on as the files grow, until it is interrupted. No
//! checkpoint: it begins where the files do.
//!
//! `linemux` says when something happened to a file, and no more: the lines it could give are not held
//! until they end, not bounded, and not without UTF-8.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linemux::MuxedEvents;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::lines::{Feed, READ};
use crate::cli::Failure;
use crate::pipeline::chunk::JOIN_TIMEOUT;

/// How often files are looked at though nothing is said to have happened: events do not come from
/// everywhere.
const LOOK: Duration = Duration::from_secs(1);

/// Events taken at once: a file written line by line makes one for each.
const EVENTS: usize = 4096;

/// Follows the logs until interrupted, or until nobody reads the output.
pub(super) fn run(
    logs: &[PathBuf],
    feed_of: impl Fn(&Path) -> Result<Feed, Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut events = MuxedEvents::new()?;
        let mut followed = Vec::new();
        for log in logs {
            events.add_file(log).await.map_err(|error| {
                Failure::Other(format!("{}: cannot be followed: {error}", log.display()))
            })?;
            followed.push(Followed::new(log.clone(), feed_of(log)?));
        }
        let mut chunk = vec![0; READ];
        // What is there comes first, in the order of the files.
        for file in &mut followed {
            let mut left = std::fs::metadata(&file.log).map_or(0, |metadata| metadata.len());
            while left > 0 && file.turn(&mut chunk)? {
                left = left.saturating_sub(READ as u64);
            }
        }
        loop {
            let mut busy = false;
            for file in &mut followed {
                busy |= file.turn(&mut chunk)?;
            }
            followed.retain(|file| !file.failed);
            if followed.is_empty() {
                return Err(Failure::Said);
            }
            if !busy {
                let looked = Instant::now() + LOOK;
                let quiet = followed.iter().filter_map(|file| file.quiet_at).min();
                until_something(&mut events, quiet.map_or(looked, |at| at.min(looked))).await;
            }
        }
    })
}

/// Waits until something has happened to one of the files, or until then.
async fn until_something(events: &mut MuxedEvents, then: Instant) {
    match timeout_at(then, events.next_event()).await {
        Ok(Ok(Some(_))) => {
            for _ in 0..EVENTS {
                let more = tokio::time::timeout(Duration::ZERO, events.next_event()).await;
                if !matches!(more, Ok(Ok(Some(_)))) {
                    break;
                }
            }
        }
        // Nothing can be watched any more: then looking now and then has to do.
        Ok(_) => sleep_until(then).await,
        Err(_) => {}
    }
}

/// One log, and where its replay stands.
struct Followed {
    log: PathBuf,
    feed: Feed,
    /// `None` until there is a file of that name.
    file: Option<File>,
    /// Bytes read of it.
    position: u64,
    /// When a record that waits for its next line has waited long enough.
    quiet_at: Option<Instant>,
    /// It cannot be read any more; that has been said.
    failed: bool,
}

impl Followed {
    fn new(log: PathBuf, feed: Feed) -> Self {
        Self { log, feed, file: None, position: 0, quiet_at: None, failed: false }
    }

    /// Prints what comes of the next bytes. Whether there may be more at once. Fails when nobody can be
    /// told; what is wrong with the file itself is said, and the others go on.
    fn turn(&mut self, chunk: &mut [u8]) -> io::Result<bool> {
        if self.failed {
            return Ok(false);
        }
        let mut out = Vec::new();
        let read = self.step(chunk, Instant::now(), &mut out);
        if let Err(error) = &read {
            self.failed = true;
            // What it held is all there will be.
            self.feed.end_file(&mut out);
            self.feed.flush(&mut out);
            writeln!(io::stderr(), "pillion: {}: {error}", self.log.display())?;
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&out).and_then(|()| stdout.flush())?;
        Ok(read.unwrap_or(false))
    }

    /// Reads the next bytes, or notices what became of the file. Whether there may be more at once.
    fn step(&mut self, chunk: &mut [u8], now: Instant, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.file.is_none() {
            self.open()?;
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        let count = match file.read(chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            read => read?,
        };
        if count > 0 {
            self.position += count as u64;
            self.feed.take(chunk.get(..count).unwrap_or_default(), out);
            self.quiet_at = Some(now + JOIN_TIMEOUT);
            return Ok(true);
        }
        let metadata = file.metadata()?;
        if metadata.len() < self.position {
            self.feed.end_file(out);
            file.rewind()?;
            self.position = 0;
            return Ok(true);
        }
        if self.quiet_at.is_some_and(|at| at <= now) {
            self.feed.flush(out);
            self.quiet_at = None;
        }
        // A file that was renamed is read on until its writer has turned to the new one.
        if self.quiet_at.is_none() && self.is_replaced(&metadata) {
            self.feed.end_file(out);
            self.file = None;
            return Ok(true);
        }
        Ok(false)
    }

    fn open(&mut self) -> io::Result<()> {
        let metadata = match std::fs::metadata(&self.log) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        // Opening a FIFO would wait for a writer, and all other files with it.
        if !metadata.is_file() {
            return Err(io::Error::other("only regular files can be followed"));
        }
        self.file = Some(File::open(&self.log)?);
        self.position = 0;
        Ok(())
    }

    /// Whether another file now has the name.
    fn is_replaced(&self, open: &Metadata) -> bool {
        let named = std::fs::metadata(&self.log);
        named.is_ok_and(|named| (named.dev(), named.ino()) != (open.dev(), open.ino()))
    }
}

#[cfg(test)]
mod tests;
