//! How likely Files that are nowhere to be found are to be found compressed. Both may be many thousands: the
//! compressed files are gone through once, and each File is then looked up.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Archives, Verdict};

/// How likely a File that is nowhere to be found is to be found compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tail::tailer) enum Hope {
    /// It may take a minute, or a person, to find out.
    Faint,
    /// It is found out in a moment, unless somebody sees to it that it is not.
    Good,
    /// It is being looked through, which takes longer the larger it is.
    Near,
    /// It was found, and is read when its turn comes.
    Sure,
}

/// What the compressed files that are there give hope for.
pub(in crate::tail::tailer) struct Hopes<'a> {
    /// Of those that may yet turn out to be anything, by source and directory.
    near: HashMap<(usize, &'a Path), Hope>,
    /// What others were found to be, by source.
    found: HashSet<(usize, u32)>,
}

impl Archives {
    /// As of now.
    pub(in crate::tail::tailer) fn hopes(&self) -> Hopes<'_> {
        let mut hopes = Hopes { near: HashMap::new(), found: HashSet::new() };
        for ((source, _), archive) in &self.seen {
            let hope = match archive.verdict {
                Verdict::Fresh => Hope::Good,
                Verdict::Due => Hope::Near,
                Verdict::Refused | Verdict::Early => Hope::Faint,
                Verdict::Of(number, _) => {
                    hopes.found.insert((*source, number));
                    continue;
                }
                Verdict::Nobodys | Verdict::Plain | Verdict::New(_) => continue,
            };
            if let Some(dir) = archive.path.parent() {
                let near = hopes.near.entry((*source, dir)).or_insert(hope);
                *near = hope.max(*near);
            }
        }
        hopes
    }
}

impl Hopes<'_> {
    /// Whether a compressed file of a source may hold bytes of a File that may have lain in these
    /// directories.
    pub(in crate::tail::tailer) fn of<'p>(
        &self,
        source: usize,
        file: u32,
        dirs: impl Iterator<Item = &'p Path>,
    ) -> Option<Hope> {
        if self.found.contains(&(source, file)) {
            return Some(Hope::Sure);
        }
        dirs.filter_map(|dir| self.near.get(&(source, dir)).copied()).max()
    }
}
