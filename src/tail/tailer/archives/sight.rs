//! Compressed files as they are seen in their directories, until they rest.

use std::path::Path;
use std::sync::Arc;

use super::{Archive, Key, PATIENCE, RESTS, SMALLEST, Verdict, may_be_gzip};
use crate::checkpoint::tombstone::Tombstone;
use crate::tail::discovery::Found;
use crate::tail::open::{self, Allowed};
use crate::tail::tailer::Tailer;

impl Tailer {
    /// A compressed file is there; `fits`: where the globs ask for it. Whether it only has the name of
    /// one, and is a log file like others.
    pub(in crate::tail::tailer) fn see_archive(
        &mut self,
        source: usize,
        found: &Found,
        fits: bool,
        allowed: &Allowed,
    ) -> bool {
        let key = (source, found.id);
        // A File that is not held may have been deleted, and its inode given to this one.
        if let Some(file) = self.by_disk.get(&key).and_then(|number| self.files.get(number))
            && (file.reader.file.is_some() || is_plain(allowed, &found.path))
        {
            return fits;
        }
        let state = (found.size, found.changed);
        let before = self.archives.seen.get(&key);
        if before.is_none_or(|archive| archive.state != state) {
            if before.is_none() && self.archives.seen.len() >= self.settings.max_known {
                self.archives.beyond_bounds = true;
                return false;
            }
            let verdict = match () {
                () if fits && is_plain(allowed, &found.path) => Verdict::Plain,
                () if found.size < SMALLEST => Verdict::Early,
                () => Verdict::Fresh,
            };
            let archive = Archive {
                path: Arc::from(found.path.as_path()),
                state,
                fits,
                first: self.begins(source),
                looks: self.looks,
                since: self.now.instant,
                said: 0,
                doubted: false,
                verdict,
            };
            self.archives.seen.insert(key, archive);
        }
        let Some(archive) = self.archives.seen.get_mut(&key) else { return false };
        archive.looks = self.looks;
        archive.fits |= fits;
        if *archive.path != found.path && (fits || !archive.fits) {
            archive.path = Arc::from(found.path.as_path());
        }
        let due = match archive.verdict {
            Verdict::Refused => true,
            Verdict::Fresh => archive.rests(self.now, RESTS),
            Verdict::Early => archive.rests(self.now, PATIENCE),
            _ => false,
        };
        if due {
            self.settle_archive(key);
        }
        self.archives.seen.get(&key).is_some_and(|it| it.verdict == Verdict::Plain && fits)
    }

    /// One that rests is looked through, unless it was found out before what it is to this source.
    fn settle_archive(&mut self, key: Key) {
        let Some(archive) = self.archives.seen.get_mut(&key) else { return };
        let source = self.settings.sources.get(key.0).map(|source| source.name.as_str());
        let id = archive.id(key.1);
        let is_it = |it: &&Tombstone| it.archive == id && source == Some(&*it.source);
        let known = self.archives.tombstones.iter().find(is_it);
        archive.verdict = match known {
            Some(tombstone) => Verdict::Of(tombstone.number, tombstone.tail.end),
            None => Verdict::Due,
        };
        if known.is_none() {
            self.archives.due.push_back(key);
        }
    }

    /// Whether a source is being tailed for the first time.
    fn begins(&self, source: usize) -> bool {
        let source = self.settings.sources.get(source);
        source.is_some_and(|source| !self.known_sources.contains(source.name.as_str()))
    }
}

/// Whether a file does not begin as gzip does. In doubt it does.
fn is_plain(allowed: &Allowed, path: &Path) -> bool {
    open::open(allowed, path).is_ok_and(|open| !may_be_gzip(&open.file))
}
