//! Batches: a payload on its way to one destination, with the receipt of the bytes it stands for.

use std::collections::BTreeMap;

use pillion_parsers::frame::{FileNumber, Span};

use crate::budget::Permit;
use crate::checkpoint::resume::Resume;
use crate::export::dead_letter::DeadLetter;
use crate::export::payload::Payload;

/// The bytes of Files that a batch stands for, as runs. Settled as a whole, or not at all: dropping
/// a receipt settles nothing.
#[derive(Debug, Default)]
pub struct Receipt {
    files: BTreeMap<FileNumber, Vec<Run>>,
}

/// A run of adjacent spans, and the lineage's state at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The bytes.
    pub span: Span,
    /// What a reader that begins at `span.end` must know.
    pub resume: Resume,
}

impl Receipt {
    /// Adds a span, joined to the runs of its File that it touches. No byte is added twice.
    pub fn add(&mut self, file: FileNumber, span: Span, resume: &Resume) {
        let runs = self.files.entry(file).or_default();
        // Nearly always the end: only what was held open comes later than what follows it.
        let at = runs.iter().rposition(|run| run.span.start < span.start).map_or(0, |at| at + 1);
        let next = runs.get(at).is_some_and(|next| next.span.start == span.end);
        match at.checked_sub(1).and_then(|before| runs.get_mut(before)) {
            Some(run) if run.span.end == span.start => {
                run.span.end = span.end;
                run.resume.catch_up(resume);
                if next {
                    let next = runs.remove(at);
                    if let Some(run) = runs.get_mut(at - 1) {
                        *run = Run { span: Span { end: next.span.end, ..run.span }, ..next };
                    }
                }
            }
            _ if next => {
                if let Some(next) = runs.get_mut(at) {
                    next.span.start = span.start;
                }
            }
            _ => runs.insert(at, Run { span, resume: resume.clone() }),
        }
    }

    /// The runs by File, in the order of their offsets.
    pub fn runs(&self) -> impl Iterator<Item = (FileNumber, &Run)> {
        self.files.iter().flat_map(|(file, runs)| runs.iter().map(|run| (*file, run)))
    }

    /// Whether it stands for no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.files.values().map(|runs| 64 + runs.capacity() * size_of::<Run>()).sum()
    }
}

/// What a destination is to settle. Owns its receipt and its budget.
#[derive(Debug)]
pub struct Batch {
    /// What to send; `None` when every record of it was dropped by a rule, so that only the receipt
    /// is to be settled.
    pub payload: Option<Payload>,
    /// Records the encoder already knew the server would refuse.
    pub refused: Vec<DeadLetter>,
    /// The bytes it stands for.
    pub receipt: Receipt,
    /// Its share of the budget.
    pub permit: Permit,
}

impl Batch {
    /// Records to be settled: those in the payload and those refused.
    #[must_use]
    pub fn records(&self) -> u64 {
        let sent = self.payload.as_ref().map_or(0, |payload| u64::from(payload.records));
        sent + self.refused.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_spans_become_one_run() {
        let mut receipt = Receipt::default();
        let resume = Resume::default();
        for (start, end) in [(0, 10), (10, 30), (40, 50)] {
            receipt.add(FileNumber(1), Span { start, end }, &resume);
        }
        let runs: Vec<_> = receipt.runs().map(|(_, run)| run.span).collect();
        assert_eq!(runs, [Span { start: 0, end: 30 }, Span { start: 40, end: 50 }]);
    }

    /// Two streams in turn, as in a container's log, and a record whose end came late.
    #[test]
    fn interleaved_spans_become_one_run_as_well() {
        let mut receipt = Receipt::default();
        let resume = |start: u64| Resume {
            parser: Some(start.to_string().as_str().into()),
            ..Resume::default()
        };
        for (start, end) in [(0, 10), (20, 30), (10, 20), (50, 60), (40, 50), (30, 40)] {
            receipt.add(FileNumber(1), Span { start, end }, &resume(start));
        }
        let runs: Vec<_> = receipt.runs().map(|(_, run)| run.clone()).collect();
        assert_eq!(runs, [Run { span: Span { start: 0, end: 60 }, resume: resume(50) }]);
    }
}
