//! A large state, of which what changes is added to a journal.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;
use crate::checkpoint::snapshot::Outline;

/// A File that is safe up to `safe`.
fn at(number: u32, safe: u64) -> FileEntry {
    let mut entry = entry(number);
    entry.marks.truncate(1);
    entry.marks[0].safe = safe;
    entry
}

fn finished(number: u32) -> Tombstone {
    let mut tombstone = snapshot(number + 2).tombstones.remove(0);
    tombstone.when = i64::from(number);
    tombstone
}

/// Files 1 to 3 at 10, and 4 finished.
fn whole() -> Snapshot {
    Snapshot {
        next_file: 100,
        sources: vec!["app".to_owned()],
        files: vec![at(1, 10), at(2, 10), at(3, 10)],
        tombstones: vec![finished(4)],
    }
}

fn add(store: &mut Store, files: Vec<FileEntry>, buried: &[Tombstone], lost: [&[u32]; 2]) {
    let sources = BTreeSet::from(["app".to_owned()]);
    let next_file = 100 + u32::try_from(files.len()).expect("few");
    let [forgotten, unburied] = lost.map(<[u32]>::to_vec);
    let (files, tombstones) = (RefCell::new(files.into_iter()), RefCell::new(buried.iter()));
    let outline = Outline { next_file, sources: &sources, files, tombstones, forgotten, unburied };
    store.save_changes(&outline).expect("saved");
}

/// What a start finds.
fn found(dir: &Path) -> Snapshot {
    load(dir).expect("never refused").0.expect("something").snapshot
}

fn safe(snapshot: &Snapshot) -> Vec<(u32, u64)> {
    snapshot.files.iter().map(|it| (it.number, it.marks[0].safe)).collect()
}

/// A directory with a whole state, two saves of what changed, a whole state again, and two more.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut store, _) = Store::open_with(dir.path(), 0).expect("opens");
    store.save(&whole()).expect("saved");
    add(&mut store, vec![at(1, 11)], &[], [&[], &[]]);
    add(&mut store, vec![at(2, 12)], &[], [&[], &[]]);
    let now = Snapshot { files: vec![at(1, 11), at(2, 12), at(3, 10)], ..whole() };
    store.save(&now).expect("saved");
    add(&mut store, vec![at(1, 13)], &[], [&[], &[]]);
    add(&mut store, vec![at(3, 14)], &[finished(2)], [&[2], &[4]]);
    dir
}

#[test]
fn what_changed_is_loaded_with_what_did_not() {
    let dir = prepared();
    let found = found(dir.path());
    assert_eq!(safe(&found), [(1, 13), (3, 14)]);
    assert_eq!(found.tombstones, [finished(2)]);
    assert_eq!(found.next_file, 101);
    let (mut store, again) = Store::open_with(dir.path(), 0).expect("opens");
    assert_eq!(again, found);
    assert!(!store.takes_changes(0), "not before a whole one");
    store.save(&again).expect("saved");
    assert!(store.takes_changes(0));
}

#[test]
fn a_small_state_is_written_whole_and_a_journal_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut store, _) = Store::open(dir.path()).expect("opens");
    store.save(&whole()).expect("saved");
    assert!(!store.takes_changes(0));
    let bytes = fs::metadata(dir.path().join(NEWEST)).expect("there").len();
    store.small = bytes;
    assert!(store.takes_changes(bytes) && !store.takes_changes(bytes + 1));
    while store.takes_changes(0) {
        add(&mut store, vec![at(1, 11)], &[], [&[], &[]]);
    }
    let journal = fs::metadata(dir.path().join(JOURNAL)).expect("there").len();
    assert!((bytes..2 * bytes).contains(&journal), "{journal} beside {bytes}");
}

/// Whatever is done to the journal, or how it was cut: what is found is a state that was, and no number
/// that the generation has reserved is used again.
#[test]
fn s29_a_journal_that_is_cut_or_changed_at_any_byte() {
    let dir = prepared();
    let journal = dir.path().join(JOURNAL);
    let whole = fs::read(&journal).expect("read");
    let states = [vec![(1, 11), (2, 12), (3, 10)], vec![(1, 13), (2, 12), (3, 10)]];
    for at in 0..whole.len() {
        for damaged in [
            whole.get(..at).expect("inside").to_vec(),
            whole.iter().enumerate().map(|(i, b)| if i == at { b ^ 1 } else { *b }).collect(),
            whole.iter().enumerate().map(|(i, b)| if i >= at { 0 } else { *b }).collect(),
        ] {
            let first = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1 + TRAILER;
            fs::write(&journal, damaged).expect("written");
            let found = found(dir.path());
            assert_eq!(safe(&found), states[usize::from(at >= first)], "byte {at}");
            assert!(found.next_file >= 100, "byte {at}: {}", found.next_file);
        }
    }
    fs::remove_file(&journal).expect("removed");
    let found = found(dir.path());
    assert_eq!((safe(&found), found.next_file), (states[0].clone(), 100));
}

/// The previous generation and both journals say all that the newest one would have said.
#[test]
fn s29_a_whole_state_that_is_damaged_costs_nothing() {
    let dir = prepared();
    fs::write(dir.path().join(NEWEST), "damaged").expect("written");
    let found = found(dir.path());
    assert_eq!(safe(&found), [(1, 13), (3, 14)]);
    assert_eq!(found.tombstones, [finished(2)]);
    assert_eq!(found.next_file, 101);
}

/// Else every start would say that something is missing, until the first of the new journal's saves.
#[test]
fn the_journal_of_a_state_that_was_moved_away_does_not_stay_beside_the_next() {
    let dir = prepared();
    fs::write(dir.path().join(NEWEST), "damaged").expect("written");
    let (mut store, state) = Store::open_with(dir.path(), 0).expect("opens");
    store.save(&state).expect("saved");
    assert!(!dir.path().join(JOURNAL).exists());
    // The one before keeps what belongs to it.
    assert!(dir.path().join(PREVIOUS_JOURNAL).exists());
    assert_eq!(found(dir.path()), state);
    assert!(store.takes_changes(0));
    add(&mut store, vec![at(1, 99)], &[], [&[], &[]]);
    assert_eq!(safe(&found(dir.path())), [(1, 99), (3, 14)]);
}

/// A crash between any two steps of a whole save, whichever of them reached the disk.
#[test]
fn a_crash_between_the_renames_of_a_whole_save_loses_nothing() {
    let before = prepared();
    let after = prepared();
    let name = |name: &str| after.path().join(name);
    {
        // What the next whole save leaves there.
        let (mut store, state) = Store::open_with(after.path(), 0).expect("opens");
        store.save(&state).expect("saved");
    }
    let fresh = fs::read(name(NEWEST)).expect("read");
    for steps in 0..8_u32 {
        let dir = tempfile::tempdir().expect("a directory");
        for file in [NEWEST, PREVIOUS, JOURNAL, PREVIOUS_JOURNAL] {
            fs::copy(before.path().join(file), dir.path().join(file)).expect("copied");
        }
        let path = |name: &str| dir.path().join(name);
        if steps & 1 > 0 {
            fs::rename(path(NEWEST), path(PREVIOUS)).expect("renamed");
        }
        if steps & 2 > 0 {
            fs::rename(path(JOURNAL), path(PREVIOUS_JOURNAL)).expect("renamed");
        }
        if steps & 4 > 0 {
            fs::write(path(NEWEST), &fresh).expect("written");
        }
        let found = found(dir.path());
        assert_eq!(safe(&found), [(1, 13), (3, 14)], "{steps:03b}");
        assert!(found.next_file >= 101, "{steps:03b}");
    }
}

/// As on a full disk: what was saved stays, and the next save is a whole one.
#[test]
fn s30_a_journal_that_cannot_be_written() {
    let dir = prepared();
    let (mut store, state) = Store::open_with(dir.path(), 0).expect("opens");
    store.save(&state).expect("saved");
    std::os::unix::fs::symlink("/dev/full", dir.path().join(JOURNAL)).expect("linked");
    let sources = BTreeSet::new();
    let none = || RefCell::new(std::iter::empty());
    let (files, tombstones) = (none(), RefCell::new(std::iter::empty::<&Tombstone>()));
    let (forgotten, unburied) = (Vec::new(), Vec::new());
    let outline =
        Outline { next_file: 7, sources: &sources, files, tombstones, forgotten, unburied };
    let error = store.save_changes(&outline).expect_err("full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(!store.takes_changes(0));
    assert_eq!(safe(&found(dir.path())), safe(&state));
    store.save(&whole()).expect("saved");
    assert!(store.takes_changes(0));
    add(&mut store, vec![at(1, 99)], &[], [&[], &[]]);
    assert_eq!(safe(&found(dir.path()))[0], (1, 99));
}

#[test]
fn a_state_of_the_version_before_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let json = serde_json::to_string(&whole()).expect("written");
    let body = format!("pillion-checkpoint 1\n{json}\n");
    let text = format!("{body}xxh3 {:016x}\n", xxh3_64(body.as_bytes()));
    fs::write(dir.path().join(NEWEST), text).expect("written");
    let (_, found) = Store::open(dir.path()).expect("opens");
    assert_eq!(found, whole());
}
