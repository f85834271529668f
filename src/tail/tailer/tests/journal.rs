//! What is saved of a large state, of which only what changed is written.

use super::*;
use crate::checkpoint::tombstone::Tombstone;

impl Tailer {
    /// What was just saved is what a checkpoint that is written whole would say, however little of it was
    /// written.
    pub(in crate::tail::tailer) fn assert_saved(&mut self) {
        if !self.store.takes_changes(0) {
            return;
        }
        let (tracker, settings) = (&self.tracker, &self.settings);
        let mut known: Vec<FileEntry> = self.dormant.clone();
        known.extend(self.files.describe(true, |number, file| {
            let mut entry = saving::entry(tracker, settings, number, file);
            // Else it is what is on the disk.
            entry.fingerprint = file.reader.prefix;
            entry
        }));
        known.sort_by_key(|entry| entry.number);
        let mut saved = self.store.found();
        let unread: Vec<u32> =
            known.iter().filter(|it| it.fingerprint.len == 0).map(|it| it.number).collect();
        for entry in saved.files.iter_mut().chain(&mut known) {
            if unread.contains(&entry.number) {
                entry.fingerprint = Default::default();
            }
        }
        saved.files.sort_by_key(|entry| entry.number);
        assert_eq!(saved.files, known);
        let order = |it: &Tombstone| it.number;
        let mut finished: Vec<_> = self.archives.tombstones.iter().cloned().collect();
        finished.sort_by_key(order);
        saved.tombstones.sort_by_key(order);
        assert_eq!(saved.tombstones, finished);
    }
}

#[test]
fn of_many_files_those_that_changed_are_saved() {
    let mut bench = Bench::with(|options| {
        options.files = vec!["*.log".to_owned()];
        options.journal = true;
    });
    for n in 0..40 {
        bench.write(&format!("{n}.log"), lines(0, 3));
    }
    bench.start().pass(3);
    let whole = bench.saved();
    assert_eq!(whole.files.len(), 40);
    for round in 1..=3 {
        bench.write("7.log", lines(3 * round, 3));
        bench.rename(&format!("{}.log", 10 + round), &format!("{}.old", 10 + round));
        bench.remove(&format!("{}.log", 20 + round));
        bench.write(&format!("new{round}.log"), lines(0, 3));
        bench.pass(3);
    }
    bench.pass(60);
    bench.kill().start().pass(3);
    for n in (0..40).filter(|n| *n != 7) {
        assert_eq!(bench.text(&format!("{n}.log")), lines(0, 3), "{n}");
    }
    assert_eq!(bench.text("7.log"), lines(0, 12));
    for round in 1..=3 {
        assert_eq!(bench.text(&format!("new{round}.log")), lines(0, 3));
    }
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
}
