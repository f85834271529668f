//! Files that went before they were read to their end. What they had left is lost, unless it is found
//! compressed, which may take a while: so long, it is not counted as lost.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use super::dormant::HOPED;
use crate::checkpoint::tombstone::Tombstone;
use crate::tail::stats::count;

/// Files for which is hoped at most; what others had left is counted at once.
const MAX_MISSING: usize = 4096;

/// What is missing of a File.
#[derive(Debug)]
pub(in crate::tail) struct Missing {
    /// Its source's name.
    source: String,
    /// The path its lineage went by.
    path: Arc<Path>,
    /// Where it was last seen, which is where it may have been compressed.
    at: [Arc<Path>; 2],
    /// Bytes that it had and that were not read.
    bytes: u64,
    /// Since when.
    since: Instant,
}

impl Missing {
    /// What is missing of Files that are finished, as the checkpoint says: so the loss is counted by the
    /// next agent, if this one is killed while it hopes.
    pub(super) fn of(
        tombstones: &[Tombstone],
        now: Instant,
    ) -> impl Iterator<Item = (u32, Self)> + '_ {
        tombstones.iter().filter(|tombstone| tombstone.hoped_for).map(move |tombstone| {
            let path: Arc<Path> = Arc::from(Path::new(&*tombstone.path));
            let missing = Self {
                source: tombstone.source.to_string(),
                at: [Arc::clone(&path), Arc::clone(&path)],
                path,
                bytes: tombstone.size.saturating_sub(tombstone.tail.end),
                since: now,
            };
            (tombstone.number, missing)
        })
    }
}

impl Tailer {
    /// A File is known to be gone: what it still had is missing.
    pub(super) fn lose_unread(&mut self, number: FileNumber) {
        let Some(file) = self.files.get(&number) else { return };
        let (bytes, path) = (file.unread(), Arc::clone(&file.path));
        if bytes == 0 {
            return;
        }
        let source = self.settings.sources.get(file.source);
        let source = source.map_or_else(String::new, |source| source.name.clone());
        let at = [Arc::clone(&file.at), Arc::clone(&file.real)];
        let missing = Missing { source, path, at, bytes, since: self.now.instant };
        if self.missing.len() < MAX_MISSING {
            self.missing.insert(number.0, missing);
            // What lies in its directory now tells whether there is hope.
            self.look_soon();
        } else {
            self.lose(&missing.path, bytes);
        }
    }

    /// Counts what is missing for which there is no hope; `all`: as nobody will go on hoping.
    pub(super) fn count_missing(&mut self, all: bool) {
        if self.missing.is_empty() {
            return;
        }
        let (now, sources) = (self.now.instant, &self.settings.sources);
        let hopes = self.archives.hopes();
        let hopeless = |number: &u32, missing: &mut Missing| {
            let source = sources.iter().position(|source| source.name == missing.source);
            let dirs = missing.at.iter().filter_map(|at| at.parent());
            let hope = source.and_then(|source| hopes.of(source, *number, dirs));
            all || hope.is_none() || now.saturating_duration_since(missing.since) >= HOPED
        };
        let lost: HashMap<u32, Missing> = self.missing.extract_if(hopeless).collect();
        if lost.is_empty() {
            return;
        }
        self.numbers.dirty |=
            self.archives.tombstones.no_longer_hoped_for(|it| lost.contains_key(&it));
        for missing in lost.values() {
            self.lose(&missing.path, missing.bytes);
        }
    }

    /// So many bytes of what is missing of a File were found compressed: what is left is lost.
    pub(super) fn find_missing(&mut self, number: u32, found: u64) {
        if let Some(missing) = self.missing.remove(&number) {
            self.numbers.dirty |= self.archives.tombstones.no_longer_hoped_for(|it| it == number);
            self.lose(&missing.path, missing.bytes.saturating_sub(found));
        }
    }

    fn lose(&self, path: &Path, bytes: u64) {
        if bytes > 0 {
            count(&self.stats.lost_gone, bytes);
            tracing::warn!(?path, bytes, "a log file went before it was read to its end");
        }
    }
}
