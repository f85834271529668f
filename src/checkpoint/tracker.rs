//! The ledger behind a lock: destinations settle into it from their threads, the tail thread reads
//! it to save the checkpoint and to judge fairness. Critical sections are short and take no other lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pillion_parsers::frame::{FileNumber, Span};

use super::ledger::{Ledger, Mark};
use super::settle::Settle;
use crate::pipeline::batch::Receipt;

/// Shared by the tail thread and every destination.
#[derive(Debug, Default)]
pub struct Tracker {
    ledger: Mutex<Ledger>,
    /// Whether a safe offset moved since the last save.
    dirty: AtomicBool,
}

impl Tracker {
    /// A tracker that knows no File.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a File: one mark per destination, `None` where it does not go.
    pub fn begin(&self, file: FileNumber, marks: Vec<Option<Mark>>) {
        self.lock().begin(file, marks);
        self.dirty.store(true, Ordering::Release);
    }

    /// Forgets a File.
    pub fn forget(&self, file: FileNumber) {
        self.lock().forget(file);
        self.dirty.store(true, Ordering::Release);
    }

    /// Settles bytes that never become a record, for every destination.
    pub fn skip(&self, file: FileNumber, span: Span) {
        if self.lock().skip(file, span) {
            self.dirty.store(true, Ordering::Release);
        }
    }

    /// The File's marks, one entry per destination.
    #[must_use]
    pub fn marks(&self, file: FileNumber) -> Vec<Option<Mark>> {
        self.lock().marks(file).map(Option::<&Mark>::cloned).collect()
    }

    /// The smallest safe offset over the File's destinations; `None` for a File that is unknown or
    /// goes nowhere.
    #[must_use]
    pub fn safe(&self, file: FileNumber) -> Option<u64> {
        self.lock().slowest(file).map(|mark| mark.safe)
    }

    /// The slowest destination's mark.
    #[must_use]
    pub fn slowest(&self, file: FileNumber) -> Option<Mark> {
        self.lock().slowest(file).cloned()
    }

    /// Takes the dirty flag: whether anything moved since it was last taken.
    pub fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    /// A holder that panicked left whole runs behind, never half a run: the ledger stays usable.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settle for Tracker {
    fn settle(&self, destination: usize, receipt: &Receipt) {
        let mut ledger = self.lock();
        let mut moved = false;
        for (file, run) in receipt.runs() {
            moved |= ledger.settle(file, destination, run.span, Some(&run.resume));
        }
        drop(ledger);
        if moved {
            self.dirty.store(true, Ordering::Release);
        }
    }
}
