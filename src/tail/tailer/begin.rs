//! Files that begin: seen for the first time, found again after a restart, opened again after a
//! rest, or begun anew because they were truncated.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillion_parsers::frame::FileNumber;

use super::archives::may_be_gzip;
use super::dormant::is_rotation;
use super::{Renamed, Tailer};
use crate::checkpoint::ledger::Mark;
use crate::checkpoint::snapshot::TailHash;
use crate::pipeline::chunk::LineageId;
use crate::tail::discovery::Found;
use crate::tail::handle::Handle;
use crate::tail::identity::{DiskId, born_alike, device, encoding_of, read_at_most};
use crate::tail::lineage::{Lineage, Standing, TailedFile};
use crate::tail::open::{Allowed, OpenFile, Refusal};
use crate::tail::pattern::{Patterns, is_gzip};
use crate::tail::reader::{Look, Reader};
use crate::tail::settings::TailSource;
use crate::tail::stats::count;

/// How far back a File that begins at its end is searched for the beginning of its last line.
const LINE_START: u64 = 64 << 10;

impl Tailer {
    /// Begins a File that was not known. `first`: its source is tailed for the first time.
    pub(super) fn begin(
        &mut self,
        source: usize,
        found: &Found,
        allowed: &Allowed,
        first: bool,
    ) -> Result<(), Refusal> {
        let Some(settings) = self.settings.sources.get(source) else { return Ok(()) };
        let (at_end, max_age) = (settings.start_at_end, settings.ignore_older);
        // What was taken for the agent's own log until others wrote there was there from the start.
        let own_log = settings.own_log.clone();
        // Asked last: there may be as many entries as files.
        let was_known = || self.dormant.iter().any(|entry| entry.inode == found.id.inode);
        let age = self.age(found.changed.0);
        if let Some(max_age) = max_age
            && age > i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX)
            && !was_known()
        {
            return Ok(());
        }
        if self.files.len() >= self.settings.max_known {
            return Err(Refusal::TooManyKnown);
        }
        let open = self.open_in_room(allowed, &found.path)?;
        if self.by_disk.contains_key(&(source, DiskId::of(&open.meta))) {
            // Swapped for a known one since the walk: the next look sees it.
            return Ok(());
        }
        if is_gzip(&found.path) && may_be_gzip(&open.file) {
            // Written anew since it was found to be none.
            return Ok(());
        }
        if let Some(number) = self.known_elsewhere(source, &open, &found.path)? {
            return self.exchange(number, open, &found.path);
        }
        match self.take_dormant(source, &open, &found.path)? {
            Some(entry) => self.resume(source, entry, open, &found.path, at_end),
            None => {
                let above = match at_end {
                    true if first => open.meta.len(),
                    true => own_log.and_then(|own| own.before(DiskId::of(&open.meta))).unwrap_or(0),
                    false => 0,
                };
                self.begin_fresh(source, open, &found.path, &found.path, above)
            }
        }
    }

    /// Begins files that were renamed before they were ever looked at, for the lineages of the paths
    /// they had.
    pub(super) fn begin_renamed(&mut self, source: usize, allowed: &Allowed) {
        let Some(patterns) = self.patterns.get(source) else { return };
        let ours: Vec<_> =
            self.renamed.iter().filter(|known| patterns.fits(&known.from)).cloned().collect();
        for Renamed { from, at, .. } in ours {
            let Ok(meta) = std::fs::symlink_metadata(&at) else { continue };
            if self.is_known(source, DiskId::of(&meta)) {
                continue;
            }
            match self.open_in_room(allowed, &at) {
                // It may have been swapped for a known one meanwhile.
                Ok(open) if self.is_known(source, DiskId::of(&open.meta)) => {}
                Ok(open) => {
                    // An error here is one of a file that goes while it is looked at.
                    let _ = self.begin_fresh(source, open, &from, &at, 0);
                }
                // Nobody else will say where it is: it is remembered for longer.
                Err(Refusal::Crowded) => {
                    let now = self.now.instant;
                    let same = self.renamed.iter_mut().find(|it| it.from == from && it.at == at);
                    same.into_iter().for_each(|it| it.told = now);
                }
                Err(_) => {}
            }
        }
    }

    fn is_known(&self, source: usize, id: DiskId) -> bool {
        let name = self.settings.sources.get(source).map(|source| source.name.as_str());
        self.by_disk.contains_key(&(source, id))
            || self.dormant.iter().any(|entry| {
                (entry.dev, entry.inode) == (id.dev, id.inode) && name == Some(&entry.source)
            })
    }

    /// Begins an open file for the lineage of `path`, at the last of the lines in its first `above`
    /// bytes; `at` is where it lies now.
    pub(super) fn begin_fresh(
        &mut self,
        source: usize,
        open: OpenFile,
        path: &Path,
        at: &Path,
        above: u64,
    ) -> Result<(), Refusal> {
        let offset = match above.min(open.meta.len()) {
            0 => 0,
            above => last_line_start(&open.file, above)?,
        };
        let reader = Reader::new(open.file, offset, TailHash::default())?;
        let Some(number) = self.numbers.mint() else {
            return Err(Refusal::Other(io::Error::other("no file numbers are left")));
        };
        let begin = Mark { safe: offset, ..Mark::default() };
        self.tracker.begin(number, self.marks(source, |_| begin.clone()));
        let id = (DiskId::of(&open.meta), open.born);
        let file = self.file(source, id, [path, at, &open.real], reader);
        self.insert(number, file);
        Ok(())
    }

    /// One mark per destination of the configuration, none where the source does not go.
    pub(super) fn marks(&self, source: usize, mark: impl Fn(&str) -> Mark) -> Vec<Option<Mark>> {
        let to = self.settings.sources.get(source).map(|source| source.to.as_slice());
        let goes = |index: &usize| to.is_some_and(|to| to.contains(index));
        let names = self.settings.destinations.iter().enumerate();
        names.map(|(index, name)| goes(&index).then(|| mark(name))).collect()
    }

    pub(super) fn file(
        &self,
        source: usize,
        (id, born): (DiskId, Option<i64>),
        [path, at, real]: [&Path; 3],
        reader: Reader,
    ) -> TailedFile {
        let path: Arc<Path> = Arc::from(path);
        let shared = |other: &Path| {
            if *other == *path { Arc::clone(&path) } else { Arc::from(other) }
        };
        let (at, real) = (shared(at), shared(real));
        let archived = reader.is_gzip();
        let away = at != path || archived;
        // What is compressed has no writer, and no name to come back to.
        let leaving = Standing::Leaving { since: self.now.instant, deleted: archived };
        TailedFile {
            source,
            id,
            dir_dev: real.parent().and_then(device),
            born,
            lineage: None,
            path,
            at,
            real,
            reader,
            standing: if away { leaving } else { Standing::Live },
            announced: false,
            saved: false,
            spent: false,
            crowded_out: false,
            grown: self.now.instant,
            failing: None,
            until: u64::MAX,
            absent: Vec::new(),
            seen: self.looks,
            doubted: false,
            archived,
        }
    }

    pub(super) fn insert(&mut self, number: FileNumber, file: TailedFile) {
        count(&self.stats.stirred, 1);
        if !file.archived {
            self.note_device(file.id.dev);
            self.by_disk.insert((file.source, file.id), number);
        }
        self.files.insert(number, file);
        // One that takes a truncated one's place is hinted at before the next look round.
        self.map_paths_of(number);
        self.be_restless();
        self.attach(number);
    }

    /// Puts a File into its path's lineage, which begins if there is none, and queues that.
    pub(super) fn attach(&mut self, number: FileNumber) {
        let Some(file) = self.files.get_mut(&number) else { return };
        let key = (file.source, Arc::clone(&file.path));
        let id = *self.by_lineage.entry(key).or_insert_with(|| {
            let id = LineageId(self.next_lineage);
            self.next_lineage = self.next_lineage.wrapping_add(1);
            id
        });
        let lineage = self.lineages.entry(id).or_insert_with(|| Lineage {
            source: file.source,
            path: Arc::clone(&file.path),
            files: Vec::new(),
            queued: false,
            announced: false,
            behind: false,
        });
        if let Err(at) = lineage.files.binary_search(&number) {
            lineage.files.insert(at, number);
        }
        file.lineage = Some(id);
        self.queue(id);
    }

    /// Where the files of a source may lie.
    pub(super) fn allowed(&self, patterns: &Patterns, source: &TailSource) -> Allowed {
        let roots = patterns.roots.iter().map(|root| root.dir.as_path());
        let dirs = roots.chain(source.links_to.iter().map(PathBuf::as_path));
        Allowed::new(dirs, self.store.dir()).but_for(source.own_log.clone())
    }

    /// Opens a File that was closed, looking up what is allowed by itself.
    pub(super) fn open_again(&mut self, number: FileNumber) {
        let Some(file) = self.files.get(&number) else { return };
        let (Some(patterns), Some(source)) =
            (self.patterns.get(file.source), self.settings.sources.get(file.source))
        else {
            return;
        };
        let allowed = self.allowed(patterns, source);
        let at = file.at.clone();
        if let Err(refusal) = self.open_again_in(number, &allowed) {
            self.refuse(&at, &refusal);
        }
    }

    /// Opens a File that was closed. If other bytes are there now, it is gone.
    pub(super) fn open_again_in(
        &mut self,
        number: FileNumber,
        allowed: &Allowed,
    ) -> Result<(), Refusal> {
        if self.files.get(&number).is_some_and(|file| file.archived) {
            // It is read in one go.
            return Ok(());
        }
        let Some(at) = self.files.get(&number).map(|file| Arc::clone(&file.at)) else {
            return Ok(());
        };
        let OpenFile { file: handle, meta, born, real } = self.open_in_room(allowed, &at)?;
        let Some(file) = self.files.get_mut(&number) else { return Ok(()) };
        if DiskId::of(&meta) != file.id {
            return Ok(());
        }
        let again = |file| OpenFile { file, meta, born, real };
        // Of one of which nothing was read, only the inode is known: its name has to be one of its own.
        let blank = file.reader.prefix.len == 0 && *file.at != *file.path;
        let ours = !blank
            || is_rotation(&file.path, &file.at)
            || self.patterns.get(file.source).is_some_and(|patterns| patterns.fits(&file.at));
        if !ours || !born_alike(file.born, born) {
            return self.supplanted(number, again(handle));
        }
        let Some(file) = self.files.get_mut(&number) else { return Ok(()) };
        if let Err(handle) = file.reader.reopen(handle)? {
            return self.supplanted(number, again(handle));
        }
        self.awaken(number);
        Ok(())
    }

    /// A File has a new handle: it is read on.
    pub(super) fn awaken(&mut self, number: FileNumber) {
        let now = self.now.instant;
        let Some(file) = self.files.get_mut(&number) else { return };
        (file.spent, file.crowded_out) = (false, false);
        file.grown = now;
        if let Standing::Resting | Standing::Leaving { .. } = file.standing {
            let leaving = Standing::Leaving { since: now, deleted: false };
            file.standing = if file.at == file.path { Standing::Live } else { leaving };
        }
        self.restless = true;
        self.attach(number);
    }

    /// The bytes of a File that was closed are gone, and its inode has others: truncated and written
    /// anew, or deleted, and the inode given to a file of whatever name. That is begun if it is one of
    /// the source's, under its own name.
    fn supplanted(&mut self, number: FileNumber, open: OpenFile) -> Result<(), Refusal> {
        let Some(file) = self.files.get(&number) else { return Ok(()) };
        let (source, home, at) = (file.source, file.path.clone(), file.at.clone());
        // An inode is soon given away again: compressed bytes are not lines.
        let compressed = is_gzip(&at) && may_be_gzip(&open.file);
        let fits = self.patterns.get(source).is_some_and(|patterns| patterns.fits(&at));
        let path = match fits && !compressed {
            true => Some(Arc::clone(&at)),
            false => is_rotation(&home, &at).then(|| Arc::clone(&home)),
        };
        if at == home {
            count(&self.stats.truncated_regrown, 1);
        }
        self.lose_unread(number);
        self.let_go(number, path.as_ref() != Some(&home));
        path.map_or(Ok(()), |path| self.begin_fresh(source, open, &path, &at, 0))
    }

    /// A File's bytes were truncated away: it is gone, and another begins in its place, at once in
    /// the same lineage and on the same handle.
    pub(super) fn replaced(&mut self, number: FileNumber, look: Look) {
        let Some(file) = self.files.get_mut(&number) else { return };
        let (counter, lost) = match look {
            Look::Shorter(lost) => (&self.stats.truncated_shorter, lost),
            Look::Replaced(lost) => (&self.stats.truncated_regrown, lost),
            Look::Same | Look::Changed | Look::Shrunk(_) => return,
        };
        count(counter, 1);
        let path = file.path.clone();
        self.lose_truncated(&path, lost);
        let Some(file) = self.files.get_mut(&number) else { return };
        let Some(handle) = file.reader.file.take_if(|handle| !handle.is_gzip()) else {
            // Written over while it was read: it is looked through again.
            return self.let_go(number, true);
        };
        let (source, id, standing) = (file.source, (file.id, file.born), file.standing);
        let (at, real) = (file.at.clone(), file.real.clone());
        self.let_go(number, false);
        let fresh = Reader::new(handle, 0, TailHash::default()).ok().zip(self.numbers.mint());
        let Some((reader, next)) = fresh else { return };
        self.tracker.begin(next, self.marks(source, |_| Mark::default()));
        let mut file = self.file(source, id, [&path, &at, &real], reader);
        file.standing = standing;
        self.insert(next, file);
    }

    /// Counts bytes that were truncated away before they were read.
    pub(super) fn lose_truncated(&self, path: &Path, lost: u64) {
        count(&self.stats.lost_truncated, lost);
        if lost > 0 {
            tracing::warn!(?path, bytes = lost, "a log file was truncated before it was read");
        }
    }
}

/// Where the last line begins: half a line is nobody's record.
pub(super) fn last_line_start(file: &Handle, size: u64) -> io::Result<u64> {
    let from = size.saturating_sub(LINE_START);
    let mut bytes = vec![0; usize::try_from(size - from).unwrap_or(0)];
    let len = read_at_most(file, &mut bytes, from)?;
    let encoding = encoding_of(file)?;
    let end = encoding.last_line_end(from, bytes.get(..len).unwrap_or_default());
    Ok(match end {
        Some(end) => from + end as u64,
        None if from == 0 => 0,
        None => encoding.floor(size),
    })
}
