//! Batches: a payload on its way to one destination, with the receipt of the bytes it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pillion_parsers::frame::{FileNumber, FileSpan, Span};

use crate::budget::Permit;
use crate::checkpoint::resume::Resume;
use crate::export::dead_letter::DeadLetter;
use crate::export::payload::Payload;

/// The bytes of Files that a batch stands for, as runs. Settled as a whole, or not at all: dropping
/// a receipt settles nothing.
#[derive(Debug, Default)]
pub struct Receipt {
    files: BTreeMap<FileNumber, Vec<Run>>,
    /// What it stands for together with other receipts, and its number among those.
    common: Vec<(u32, Arc<Common>)>,
}

/// The bytes of a line whose records went into several batches: settled with the last of them.
#[derive(Debug, Default)]
pub struct Common {
    /// The numbers of the receipts that are still to be settled, and the next number.
    open: Mutex<(BTreeSet<u32>, u32)>,
    /// The bytes, known once the last record is in a batch.
    runs: OnceLock<Vec<(FileNumber, Run)>>,
}

impl Common {
    /// Says which bytes they are: the receipt of the last record has joined, and none will after it.
    /// Were they known before, the receipts until then could be settled with the bytes of records that
    /// are still to be sent.
    pub fn complete(&self, spans: &[FileSpan], resume: &Resume) {
        let runs = spans.iter().map(|&FileSpan { file, span }| {
            let resume = resume.clone();
            (file, Run { span, resume })
        });
        let known = self.runs.set(runs.collect());
        debug_assert!(known.is_ok(), "a line ends once");
    }

    /// A number for another receipt.
    fn join(&self) -> u32 {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.1;
        open.0.insert(number);
        open.1 += 1;
        number
    }

    /// Settles one receipt's part; the bytes, if no other is left. Settled twice, it is settled.
    fn settle(&self, number: u32) -> &[(FileNumber, Run)] {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.0.remove(&number);
        let runs = self.runs.get().filter(|_| open.0.is_empty());
        runs.map_or(&[], Vec::as_slice)
    }
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

    /// Stands for these bytes, too, together with whoever else does.
    pub fn share(&mut self, common: &Arc<Common>) {
        self.common.push((common.join(), Arc::clone(common)));
    }

    /// The runs that are settled now that this receipt is: its own by File, in the order of their
    /// offsets, and those that no other receipt stands for any longer.
    pub fn settle(&self) -> impl Iterator<Item = (FileNumber, &Run)> {
        let common = self.common.iter().flat_map(|(number, common)| common.settle(*number));
        self.runs().chain(common.map(|(file, run)| (*file, run)))
    }

    /// The runs that it alone stands for.
    pub fn runs(&self) -> impl Iterator<Item = (FileNumber, &Run)> {
        self.files.iter().flat_map(|(file, runs)| runs.iter().map(|run| (*file, run)))
    }

    /// Whether it stands for no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.common.is_empty()
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub fn resident(&self) -> usize {
        let runs: usize =
            self.files.values().map(|runs| 64 + runs.capacity() * size_of::<Run>()).sum();
        runs + self.common.capacity() * (size_of::<(u32, Arc<Common>)>() + size_of::<Common>())
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

    #[test]
    fn what_several_stand_for_is_settled_with_the_last() {
        let resume = Resume::default();
        let common = Arc::new(Common::default());
        let [mut first, mut second, mut third] = <[Receipt; 3]>::default();
        first.add(FileNumber(1), Span { start: 0, end: 10 }, &resume);
        first.share(&common);
        second.share(&common);
        assert!(!second.is_empty());
        let settled = |receipt: &Receipt| -> Vec<_> {
            receipt.settle().map(|(_, run)| (run.span.start, run.span.end)).collect()
        };
        // Others may follow.
        assert_eq!(settled(&second), []);
        let span = FileSpan { file: FileNumber(1), span: Span { start: 10, end: 90 } };
        third.share(&common);
        common.complete(&[span], &resume);
        // What is never settled, as a batch that is dropped, keeps the bytes of all.
        assert_eq!(settled(&third), []);
        assert_eq!(settled(&third), []);
        assert_eq!(settled(&first), [(0, 10), (10, 90)]);
        assert_eq!(settled(&first), [(0, 10), (10, 90)]);
    }

    /// Deliveries go on while the worker adds the last record of a line, at any point of it.
    #[test]
    fn what_is_settled_while_the_last_joins_does_not_take_its_bytes() {
        let resume = Resume::default();
        let span = FileSpan { file: FileNumber(1), span: Span { start: 10, end: 90 } };
        let settled = |receipt: &Receipt| -> Vec<_> {
            receipt.settle().map(|(_, run)| (run.span.start, run.span.end)).collect()
        };
        for settles_after in 0..3 {
            let common = Arc::new(Common::default());
            let [mut first, mut last] = <[Receipt; 2]>::default();
            first.share(&common);
            let steps: [&mut dyn FnMut(); 2] =
                [&mut || last.share(&common), &mut || common.complete(&[span], &resume)];
            for (at, step) in steps.into_iter().enumerate() {
                if at == settles_after {
                    assert_eq!(settled(&first), [], "before {at}");
                }
                step();
            }
            if settles_after == 2 {
                assert_eq!(settled(&first), []);
            }
            assert_eq!(settled(&last), [(10, 90)], "{settles_after}");
        }
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
