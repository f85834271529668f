//! Where what was written ends: at a receiver, or among the dead letters of what it refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use pillion::receiver::{Arrival, Fault, Keep, Options, Receiver};

use super::super::harness::Place;
use super::super::oracle::{Arrived, Judgement};

/// A receiver, what arrived there, and what it refused.
pub(super) struct End {
    pub(super) receiver: Receiver,
    arrived: Arc<Mutex<Arrived>>,
    letters: Mutex<Letters>,
    /// Whether anything went wrong there in this round.
    pub(super) failed: bool,
    /// Since when requests may have been carried out without an answer.
    pub(super) fails_since: Option<Instant>,
}

impl End {
    pub(super) fn start(seed: u64, place: &Place, name: &str) -> Self {
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let shown = Arc::clone(&arrived);
        let show = move |arrival: Arrival<'_>| {
            let mut arrived = shown.lock().expect("not poisoned");
            match arrival {
                Arrival::Document(stored) => arrived.document(stored),
                Arrival::Entry(entry) => arrived.entry(entry),
                Arrival::Body(_) => {}
            }
        };
        let mut options = Options { seed, keep: Keep::Show(Arc::new(show)), ..Options::default() };
        // Each path is a stream, and paths are many.
        options.loki.streams = usize::MAX;
        let path = place.state().join(format!("dead-letters/{name}.ndjson"));
        Self {
            receiver: Receiver::start(options).expect("receiver"),
            arrived,
            letters: Mutex::new(Letters { path, ..Letters::default() }),
            failed: false,
            fails_since: None,
        }
    }

    pub(super) fn fail(&mut self, fraction: f64, fault: Fault) {
        self.failed = true;
        self.fails_since.get_or_insert_with(Instant::now);
        self.receiver.faults().set_for(fraction, fault);
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().expect("not poisoned")
    }

    /// Dead letters as of now.
    fn letters(&self) -> MutexGuard<'_, Letters> {
        let mut letters = self.letters.lock().expect("not poisoned");
        letters.look();
        letters
    }

    /// Lines taken so far.
    pub(super) fn lines(&self) -> u64 {
        self.arrived().lines()
    }

    /// Whether each of these lines arrived, or is a dead letter.
    pub(super) fn has(&self, file: u32, mut lines: Range<u64>) -> bool {
        let arrived = self.arrived();
        if arrived.has(file, lines.clone()) {
            return true;
        }
        let letters = self.letters();
        lines.all(|seq| arrived.has(file, seq..seq + 1) || letters.kept.times((file, seq)) > 0)
    }

    /// What is wrong with what arrived, and with what was refused: a line is the one or the other.
    pub(super) fn judge(&self, written: &BTreeMap<u32, u64>) -> Found {
        let (arrived, letters) = (self.arrived(), self.letters());
        let mut lines = arrived.judge(written);
        lines.missing.retain(|line| letters.kept.times(*line) == 0);
        let mut refused = letters.kept.judge(written);
        refused.missing.clear();
        let both = letters
            .kept
            .each()
            .filter(|line| arrived.times(*line) > 0 && !letters.uncertain.contains(line));
        Found { lines, both: both.collect(), letters: letters.kept.each().count(), refused }
    }

    /// Forgets what was judged.
    pub(super) fn forget(&mut self, written: &BTreeMap<u32, u64>) {
        self.arrived().forget(written);
        self.receiver.forget();
        self.failed = false;
        self.fails_since = None;
        let letters = self.letters.get_mut().expect("not poisoned");
        // The agent does not run, and begins another.
        let _ = std::fs::remove_file(&letters.path);
        *letters = Letters { path: std::mem::take(&mut letters.path), ..Letters::default() };
    }
}

/// What was found at one end.
#[derive(Debug)]
pub(super) struct Found {
    /// Neither here nor refused is missing.
    pub(super) lines: Judgement,
    /// Dead letters, each line counted once.
    pub(super) letters: usize,
    /// What is wrong with them.
    pub(super) refused: Judgement,
    /// Here, and refused as if they were not.
    pub(super) both: Vec<(u32, u64)>,
}

/// The dead letters of one destination, read as they are written.
#[derive(Default)]
struct Letters {
    path: PathBuf,
    /// Bytes read so far.
    read: u64,
    kept: Arrived,
    /// Of which the agent says that it cannot know whether they are stored.
    uncertain: BTreeSet<(u32, u64)>,
}

impl Letters {
    fn look(&mut self) {
        let Ok(mut file) = File::open(&self.path) else { return };
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.read)).expect("seeks");
        file.read_to_end(&mut text).expect("the dead letters can be read");
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        for letter in text[..whole].split_inclusive(|byte| *byte == b'\n') {
            // What a kill has cut is not passed by the checkpoint, and comes again.
            let Ok(letter) = serde_json::from_slice::<serde_json::Value>(letter) else { continue };
            let line = self.kept.text(letter["record"]["message"].as_str().unwrap_or_default());
            if letter["reason"] == "uncertain" {
                self.uncertain.extend(line);
            }
        }
    }
}
