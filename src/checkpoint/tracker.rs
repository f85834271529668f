//! The ledger behind a lock: destinations settle into it from their threads, the tail thread reads
//! it to save the checkpoint and to judge fairness. Critical sections are short and take no other lock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pillion_parsers::frame::{FileNumber, Span};

use super::ledger::{Ledger, Mark};
use super::settle::Settle;
use crate::pipeline::batch::Receipt;

/// Shared by the tail thread and every destination.
#[derive(Debug, Default)]
pub struct Tracker {
    progress: Mutex<Progress>,
    /// Whether a safe offset moved since the last save.
    dirty: AtomicBool,
}

#[derive(Debug, Default)]
struct Progress {
    ledger: Ledger,
    /// Files of which a safe offset moved since they were last taken.
    moved: BTreeSet<FileNumber>,
}

impl Tracker {
    /// A tracker that knows no File.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a File: one mark per destination, `None` where it does not go.
    pub fn begin(&self, file: FileNumber, marks: Vec<Option<Mark>>) {
        self.lock().ledger.begin(file, marks);
        self.dirty.store(true, Ordering::Release);
    }

    /// Forgets a File.
    pub fn forget(&self, file: FileNumber) {
        self.lock().ledger.forget(file);
        self.dirty.store(true, Ordering::Release);
    }

    /// Settles bytes that never become a record, for every destination.
    pub fn skip(&self, file: FileNumber, span: Span) {
        let mut progress = self.lock();
        if progress.ledger.skip(file, span) {
            progress.moved.insert(file);
            drop(progress);
            self.dirty.store(true, Ordering::Release);
        }
    }

    /// The File's marks, one entry per destination.
    #[must_use]
    pub fn marks(&self, file: FileNumber) -> Vec<Option<Mark>> {
        self.lock().ledger.marks(file).map(Option::<&Mark>::cloned).collect()
    }

    /// The smallest safe offset over the File's destinations; `None` for a File that is unknown or
    /// goes nowhere.
    #[must_use]
    pub fn safe(&self, file: FileNumber) -> Option<u64> {
        self.lock().ledger.slowest(file).map(|mark| mark.safe)
    }

    /// The slowest destination's mark.
    #[must_use]
    pub fn slowest(&self, file: FileNumber) -> Option<Mark> {
        self.lock().ledger.slowest(file).cloned()
    }

    /// Takes the dirty flag: whether anything moved since it was last taken.
    pub fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    /// Takes the Files of which a safe offset moved since they were last taken.
    pub fn take_moved(&self) -> BTreeSet<FileNumber> {
        std::mem::take(&mut self.lock().moved)
    }

    /// A holder that panicked left whole runs behind, never half a run: the ledger stays usable.
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settle for Tracker {
    fn settle(&self, destination: usize, receipt: &Receipt) {
        let mut progress = self.lock();
        let mut any = false;
        for (file, run) in receipt.settle() {
            if progress.ledger.settle(file, destination, run.span, Some(&run.resume)) {
                progress.moved.insert(file);
                any = true;
            }
        }
        drop(progress);
        if any {
            self.dirty.store(true, Ordering::Release);
        }
    }
}
