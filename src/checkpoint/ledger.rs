//! Settled spans in, contiguous safe offset out, per File and destination. Pure: no clock, no files.

use std::collections::BTreeMap;

use pillion_parsers::frame::{FileNumber, Span};

use super::resume::Resume;

/// Runs kept beyond the safe offset, per File and destination. What lies between two of them is in
/// flight, hence bounded by the budget; this is the second fence. A run beyond it is forgotten: its
/// bytes count as unsettled until the agent starts again and reads them once more.
pub const MAX_AHEAD: usize = 65_536;

/// How far one File is settled for one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Everything before it is settled.
    pub safe: u64,
    /// The lineage's state at `safe`.
    pub resume: Resume,
}

/// A mark, and the settled runs that do not touch it yet.
#[derive(Clone, Debug, Default)]
struct Progress {
    mark: Mark,
    /// Start → (end, state at the end; `None`: unchanged by the run). Disjoint, not touching each
    /// other, all beyond `mark.safe`.
    ahead: BTreeMap<u64, (u64, Option<Resume>)>,
}

/// All Files' marks for all destinations.
///
/// What `settle` does to a File whose safe offset is 10 and that has 20..30 settled ahead of it:
///
/// | span   | relation                    | safe | ahead          |
/// |--------|-----------------------------|------|----------------|
/// | 0..10  | repeats what is settled     | 10   | 20..30         |
/// | 10..10 | empty                       | 10   | 20..30         |
/// | 10..15 | touches the mark            | 15   | 20..30         |
/// | 5..15  | overlaps the mark           | 15   | 20..30         |
/// | 10..20 | closes the gap              | 30   |                |
/// | 10..25 | closes it and overlaps      | 30   |                |
/// | 10..40 | swallows the run ahead      | 40   |                |
/// | 12..15 | a gap on both sides         | 10   | 12..15, 20..30 |
/// | 15..20 | touches the run from before | 10   | 15..30         |
/// | 30..35 | touches the run from after  | 10   | 20..35         |
/// | 25..35 | overlaps it                 | 10   | 20..35         |
/// | 22..28 | repeats part of it          | 10   | 20..30         |
///
/// The resume state follows the end: the state kept with a run is that of whichever span reached
/// its end.
#[derive(Debug, Default)]
pub struct Ledger {
    files: BTreeMap<FileNumber, Vec<Option<Progress>>>,
}

impl Ledger {
    /// Begins a File. `marks` has one entry per destination, `None` where the File does not go.
    /// A File that was begun before starts over.
    pub fn begin(&mut self, file: FileNumber, marks: Vec<Option<Mark>>) {
        let progress = marks
            .into_iter()
            .map(|mark| mark.map(|mark| Progress { mark, ahead: BTreeMap::new() }))
            .collect();
        self.files.insert(file, progress);
    }

    /// Forgets a File. Later reports about it are ignored.
    pub fn forget(&mut self, file: FileNumber) {
        self.files.remove(&file);
    }

    /// Settles a span for one destination. `resume` is the lineage's state at its end; `None` says
    /// the span did not change it. Returns whether the safe offset moved. What is unknown (a File
    /// that was forgotten, a destination it does not go to) is ignored.
    pub fn settle(
        &mut self,
        file: FileNumber,
        destination: usize,
        span: Span,
        resume: Option<&Resume>,
    ) -> bool {
        self.files
            .get_mut(&file)
            .and_then(|progress| progress.get_mut(destination))
            .and_then(Option::as_mut)
            .is_some_and(|progress| progress.settle(span, resume))
    }

    /// Settles a span for every destination of the File, without a change of state: bytes that will
    /// never become a record, such as the zeros before a sparse line.
    pub fn skip(&mut self, file: FileNumber, span: Span) -> bool {
        let all = self.files.get_mut(&file).into_iter().flatten().flatten();
        let mut moved = false;
        for progress in all {
            moved |= progress.settle(span, None);
        }
        moved
    }

    /// The File's marks, one entry per destination; empty when the File is unknown.
    pub fn marks(&self, file: FileNumber) -> impl Iterator<Item = Option<&Mark>> {
        self.files
            .get(&file)
            .into_iter()
            .flatten()
            .map(|progress| progress.as_ref().map(|progress| &progress.mark))
    }

    /// The mark with the smallest safe offset: where reading resumes. `None` when the File is
    /// unknown or goes nowhere.
    #[must_use]
    pub fn slowest(&self, file: FileNumber) -> Option<&Mark> {
        self.marks(file).flatten().min_by_key(|mark| mark.safe)
    }

    /// Runs settled beyond the safe offset, over all Files and destinations.
    #[must_use]
    pub fn ahead(&self) -> usize {
        self.files.values().flatten().flatten().map(|progress| progress.ahead.len()).sum()
    }
}

impl Progress {
    fn settle(&mut self, span: Span, resume: Option<&Resume>) -> bool {
        if span.is_empty() || span.end <= self.mark.safe {
            return false;
        }
        if span.start > self.mark.safe {
            self.keep(span, resume);
            return false;
        }
        self.mark.safe = span.end;
        if let Some(resume) = resume {
            self.mark.resume.clone_from(resume);
        }
        while let Some(first) = self.ahead.first_entry() {
            if *first.key() > self.mark.safe {
                break;
            }
            let (end, resume) = first.remove();
            if end > self.mark.safe {
                self.mark.safe = end;
                if let Some(resume) = resume {
                    self.mark.resume = resume;
                }
            }
        }
        true
    }

    /// Keeps a run that lies beyond the mark, joined with those it touches.
    fn keep(&mut self, span: Span, resume: Option<&Resume>) {
        let (mut start, mut end, mut at_end) = (span.start, span.end, resume.cloned());
        if let Some((&before, (before_end, _))) = self.ahead.range(..=start).next_back()
            && *before_end >= start
            && let Some((before_end, before_resume)) = self.ahead.remove(&before)
        {
            start = before;
            if before_end >= end {
                (end, at_end) = (before_end, before_resume);
            } else if at_end.is_none() {
                at_end = before_resume;
            }
        }
        while let Some((&next, _)) = self.ahead.range(start..=end).next()
            && let Some((next_end, next_resume)) = self.ahead.remove(&next)
        {
            if next_end >= end {
                end = next_end;
                at_end = next_resume.or(at_end);
            }
        }
        self.ahead.insert(start, (end, at_end));
        if self.ahead.len() > MAX_AHEAD {
            self.ahead.pop_last();
        }
    }
}

#[cfg(test)]
mod tests;
