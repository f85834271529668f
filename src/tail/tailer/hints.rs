//! What others told: hints about files that may have changed, come, gone or got another name, and the
//! agent's commands.

use std::path::{Path, PathBuf};

use pillion_parsers::frame::FileNumber;

use super::{HINTED_LOOK, MAX_RENAMED, Renamed, Tailer};
use crate::tail::inbox::Posted;
use crate::tail::pattern::is_gzip;
use crate::tail::stats::count;
use crate::tail::watcher::Unwatchable;

impl Tailer {
    /// Hints and commands.
    pub(super) fn take_in(&mut self, posted: Posted) {
        if let Some(why) = &posted.failed {
            self.begin_polling(&Unwatchable { why: why.clone(), passing: true });
        }
        if posted.overflowed {
            count(&self.stats.watcher_overflows, 1);
            self.watching.ask_all();
            self.look_due = self.now.instant;
            self.unwatched(None);
        }
        for dir in &posted.removed_dirs {
            self.unwatched(Some(dir));
        }
        for path in &posted.changed {
            match self.by_path.get(path.as_path()) {
                Some(numbers) => {
                    for number in numbers.clone() {
                        self.hinted(number);
                        self.stir(number);
                    }
                }
                None => self.look_if_ours(path, false),
            }
        }
        for (from, to) in posted.renamed {
            self.follow(from, to);
        }
        for path in &posted.moved {
            // Another file may have its name, and even its inode.
            for number in self.by_path.get(path.as_path()).cloned().unwrap_or_default() {
                self.files.get_mut(&number).into_iter().for_each(|file| file.doubted = true);
            }
            self.look_if_ours(path, true);
        }
        if posted.look {
            self.watching.ask_all();
            self.look_due = self.now.instant;
        }
        if posted.stop {
            self.stop_reading();
        }
        if let Some(drain) = posted.drain {
            self.begin_drain(drain);
        }
    }

    /// Remembers where a file went that may never have been seen under its first name.
    fn follow(&mut self, from: PathBuf, to: PathBuf) {
        let fits = |path: &PathBuf| self.patterns.iter().any(|patterns| patterns.fits(path));
        let told = self.now.instant;
        if let Some(known) = self.renamed.iter_mut().find(|known| known.at == from) {
            known.at = to;
            known.told = told;
            self.look_due = self.look_due.min(self.last_look + HINTED_LOOK);
        } else if fits(&from) && !fits(&to) {
            self.look_due = self.now.instant;
            if self.renamed.len() < MAX_RENAMED {
                self.renamed.push(Renamed { from, at: to, told });
            } else {
                // If it was never seen before, nobody finds it.
                count(&self.stats.watcher_overflows, 1);
            }
        }
    }

    /// Has the directories looked at soon if a path may concern us.
    fn look_if_ours(&mut self, path: &Path, named: bool) {
        let ours = self.patterns.iter().any(|patterns| patterns.fits(path))
            || named
                && (self.by_path.contains_key(path)
                    || is_gzip(path)
                    || std::fs::metadata(path).is_ok_and(|meta| meta.is_dir()));
        if ours {
            self.look_soon();
        }
    }

    /// Has the directories looked at soon, however often that is asked for.
    pub(super) fn look_soon(&mut self) {
        let due = self.last_look + self.gap(HINTED_LOOK);
        self.look_due = self.look_due.min(due.max(self.now.instant));
    }

    /// A File may have changed.
    fn stir(&mut self, number: FileNumber) {
        let Some(file) = self.files.get_mut(&number) else { return };
        count(&self.stats.stirred, 1);
        match (file.lineage, &file.reader.file) {
            _ if file.gone() => {}
            (Some(lineage), Some(_)) => self.queue(lineage),
            _ => self.open_again(number),
        }
    }
}
