//! What the store makes of damaged, missing, newer and unwritable state.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustix::io::Errno;
use xxhash_rust::xxh3::xxh3_64;

use super::super::snapshot::{FileEntry, HeaderEntry, MarkEntry, Prefix, TailHash};
use super::super::tombstone::Tombstone;
use super::generation::TRAILER;
use super::instance::{INSTANCE, ORIGIN, Origin};
use super::*;

mod journal;

fn entry(number: u32) -> FileEntry {
    FileEntry {
        number,
        source: "app".to_owned(),
        path: "/var/log/app/ä.log".to_owned(),
        at: Some("/var/log/app/ä.log.1".to_owned()),
        real: None,
        dev: 2049,
        dir_dev: Some(2050),
        inode: u64::MAX - 3,
        born: Some(1_800_000_000_123_456_789),
        size: 5_000_000_000,
        fingerprint: Prefix { len: 1024, hash: 0xDEAD_BEEF_DEAD_BEEF },
        tail: TailHash { end: 4_999_999_000, len: 256, hash: 1 },
        middle: u64::MAX - 5,
        marks: vec![
            MarkEntry {
                to: "search".to_owned(),
                safe: 4_999_999_999,
                parser: Some("nginx".to_owned()),
                tally: Some(pillion_parsers::parse::Tally::default()),
                in_private_key: true,
                container: Some("cri".to_owned()),
                header: Some(HeaderEntry { file: number, offset: 4_999_999 }),
            },
            MarkEntry {
                to: "grafana".to_owned(),
                safe: 7,
                parser: None,
                tally: None,
                in_private_key: false,
                container: None,
                header: None,
            },
        ],
        gone: false,
    }
}

fn snapshot(next_file: u32) -> Snapshot {
    let tombstone = Tombstone {
        number: next_file - 2,
        source: Arc::from("app"),
        path: Arc::from("/var/log/app/ä.log"),
        fingerprint: Prefix { len: 9, hash: 1 },
        size: 9,
        tail: TailHash { end: 9, len: 9, hash: 2 },
        middle: 0,
        when: -1,
        archive: 0,
        hoped_for: false,
        resume: None,
    };
    Snapshot {
        next_file,
        sources: vec!["app".to_owned()],
        files: vec![entry(next_file - 1)],
        tombstones: vec![tombstone],
    }
}

/// A directory in which generations 10 and 11 were saved.
fn prepared() -> (tempfile::TempDir, InstanceBytes) {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut store, found) = Store::open(dir.path()).expect("opens");
    assert_eq!(found, Snapshot::default());
    store.save(&snapshot(10)).expect("saved");
    store.save(&snapshot(11)).expect("saved");
    let instance = store.instance();
    (dir, instance)
}

fn previous(dir: &Path) -> Snapshot {
    load(dir).expect("never refused").0.expect("the previous one").snapshot
}

#[test]
fn what_was_saved_is_loaded() {
    let (dir, instance) = prepared();
    let (store, found) = Store::open(dir.path()).expect("opens");
    assert_eq!(found, snapshot(11));
    assert_eq!(store.instance(), instance);
}

#[test]
fn damage_at_every_byte_falls_back_to_the_previous_generation() {
    let (dir, instance) = prepared();
    let newest = dir.path().join(NEWEST);
    let whole = fs::read(&newest).expect("read");
    for at in 0..whole.len() {
        for damaged in [
            whole.get(..at).expect("inside").to_vec(),
            whole.iter().enumerate().map(|(i, b)| if i == at { b ^ 1 } else { *b }).collect(),
            whole.iter().enumerate().map(|(i, b)| if i >= at { 0 } else { *b }).collect(),
        ] {
            fs::write(&newest, damaged).expect("written");
            let found = previous(dir.path());
            assert_eq!(found, snapshot(10), "byte {at}");
        }
    }
    let (mut store, _) = Store::open(dir.path()).expect("opens");
    assert_eq!(store.instance(), instance);
    // What was unreadable does not take the place of the one that is not.
    store.save(&snapshot(20)).expect("saved");
    fs::write(&newest, "damaged again").expect("written");
    let found = previous(dir.path());
    assert_eq!(found.files, snapshot(10).files);
}

#[test]
fn with_both_generations_gone_the_instance_changes() {
    let (dir, instance) = prepared();
    fs::write(dir.path().join(NEWEST), b"").expect("written");
    fs::remove_file(dir.path().join(PREVIOUS)).expect("removed");
    let (store, found) = Store::open(dir.path()).expect("opens");
    assert_eq!(found, Snapshot::default());
    assert_ne!(store.instance(), instance);
}

#[test]
fn a_damaged_instance_is_replaced() {
    for damaged in ["", "12", "zz34567890abcdef12", "+1+1+1+1+1+1+1+1+", "123456789012345678901"] {
        let (dir, instance) = prepared();
        fs::write(dir.path().join(INSTANCE), damaged).expect("written");
        let (store, found) = Store::open(dir.path()).expect("opens");
        assert_eq!(found, snapshot(11));
        assert_ne!(store.instance(), instance);
    }
}

/// A copy by files, as of a backup or of an image's layer. By its numbers it is the original.
#[test]
fn a_copy_of_a_state_directory_gets_an_instance_of_its_own() {
    let (dir, instance) = prepared();
    let said = fs::read_to_string(dir.path().join(ORIGIN)).expect("read");
    if !said.contains("born") {
        return; // the file system does not keep when a file was made
    }
    let copy = tempfile::tempdir().expect("a directory");
    for name in [NEWEST, PREVIOUS, INSTANCE, ORIGIN] {
        fs::copy(dir.path().join(name), copy.path().join(name)).expect("copied");
    }
    let open = |dir: &Path| {
        let (store, found) = Store::open(dir).expect("opens");
        assert_eq!(found, snapshot(11), "nothing is read again");
        store.instance()
    };
    let minted = open(copy.path());
    assert_ne!(minted, instance);
    assert_eq!(open(copy.path()), minted, "once");
    // Moved within a file system, or seen under another path, it is the same.
    let moved = dir.path().join("moved");
    fs::create_dir(&moved).expect("made");
    for name in [NEWEST, PREVIOUS, INSTANCE, ORIGIN] {
        fs::rename(dir.path().join(name), moved.join(name)).expect("renamed");
    }
    assert_eq!(open(&moved), instance);
}

/// As of an image with a state in it, from which several machines are made.
#[test]
fn on_another_machine_a_state_directory_gets_another_instance() {
    let origin = |born: Option<&str>, machine: Option<&str>| Origin {
        born: born.map(str::to_owned),
        machine: machine.map(str::to_owned),
    };
    let here = origin(Some("1.5"), Some("a"));
    for (there, differs) in [
        (origin(Some("1.5"), Some("a")), false),
        (origin(Some("1.5"), Some("b")), true),
        (origin(Some("1.6"), Some("a")), true),
        // What is not known on one side tells nothing.
        (origin(None, Some("a")), false),
        (origin(Some("1.5"), None), false),
        (origin(None, None), false),
        (origin(None, Some("b")), true),
        (origin(Some("1.6"), None), true),
    ] {
        assert_eq!(here.differs(&there), differs, "{there:?}");
        assert_eq!(there.differs(&here), differs, "{there:?}");
    }
    let (dir, instance) = prepared();
    let path = dir.path().join(ORIGIN);
    let said = fs::read_to_string(&path).expect("read");
    let Some(at) = said.find("machine ") else { return };
    // In place: it was made when it was made.
    fs::write(&path, format!("{}machine 0123456789abcdef\n", &said[..at])).expect("written");
    assert_ne!(Store::open(dir.path()).expect("opens").0.instance(), instance);
}

/// Nothing is known of where it was made; from then on it is.
#[test]
fn an_instance_of_the_version_before_is_kept_and_that_version_reads_ours() {
    let (dir, instance) = prepared();
    let [digits, origin] = [INSTANCE, ORIGIN].map(|name| dir.path().join(name));
    let text = fs::read(&digits).expect("read");
    assert!(text.len() == 19 && text.ends_with(b"\n"), "one line: {text:?}");
    let said = fs::read(&origin).expect("read");
    for before in [None, Some(&said[..19]), Some(b"0123456789abcdef01\nborn 1.000000000\n")] {
        fs::remove_file(&origin).expect("removed");
        before.into_iter().for_each(|it| fs::write(&origin, it).expect("written"));
        assert_eq!(Store::open(dir.path()).expect("opens").0.instance(), instance);
        assert_eq!(fs::read(&origin).expect("read"), said);
    }
    assert_eq!(fs::read(&digits).expect("read"), text);
}

#[test]
fn a_newer_version_is_refused_only_when_intact() {
    let (dir, _) = prepared();
    let text = String::from_utf8(fs::read(dir.path().join(NEWEST)).expect("read")).expect("text");
    let (body, _) = text.split_at(text.len() - TRAILER);
    let body = body.replacen("checkpoint 2", "checkpoint 3", 1);
    let whole = format!("{body}xxh3 {:016x}\n", xxh3_64(body.as_bytes()));
    fs::write(dir.path().join(NEWEST), whole).expect("written");
    let error = Store::open(dir.path()).expect_err("refused");
    assert!(matches!(error, StateError::Newer { version: 3, .. }), "{error}");
    assert!(error.to_string().contains("newer pillion (format 3, this one reads up to 2)"));

    fs::write(dir.path().join(NEWEST), body).expect("written");
    Store::open(dir.path()).expect("a torn one is not newer, but unreadable");
}

/// What the first version makes of a checkpoint: its version, of all that follows on the first line.
fn as_the_first_version_reads(whole: &[u8]) -> Option<u32> {
    let (body, trailer) = whole.split_at_checked(whole.len().checked_sub(TRAILER)?)?;
    if trailer != format!("xxh3 {:016x}\n", xxh3_64(body)).as_bytes() {
        return None;
    }
    let rest = std::str::from_utf8(body).ok()?.strip_prefix("pillion-checkpoint ")?;
    rest.split_once('\n')?.0.parse().ok()
}

/// Else it would take it for unreadable, move it away, and ship everything again under other ids.
#[test]
fn the_first_version_sees_that_a_checkpoint_is_newer() {
    let (dir, _) = prepared();
    for name in [NEWEST, PREVIOUS] {
        let whole = fs::read(dir.path().join(name)).expect("read");
        assert_eq!(as_the_first_version_reads(&whole), Some(VERSION), "{name}");
    }
}

/// As below a link that leads to itself: somebody can put that right.
#[test]
fn what_cannot_be_read_for_now_is_not_damaged() {
    let dir = tempfile::tempdir().expect("a directory");
    let link = dir.path().join("state");
    std::os::unix::fs::symlink(&link, &link).expect("linked");
    let error = generation::read(&link.join(NEWEST)).err().expect("refused").to_string();
    assert!(error.starts_with("cannot read "), "{error}");
    assert!(error.contains("has to belong to the user that pillion runs as"), "{error}");
}

/// A file of the right kind whose bytes nobody gets: EIO, as of a disk that finds a flipped bit.
#[test]
fn what_the_disk_does_not_give_any_more_is_damaged() {
    let file = Path::new("/proc/self/mem");
    assert!(fs::symlink_metadata(file).expect("there").is_file());
    let read = generation::read(file).expect("not refused");
    assert!(matches!(read, generation::Generation::Damaged(why) if why.contains("Input/output")));
    for (errno, lost) in [
        (Errno::IO, true),
        (Errno::BADMSG, true),
        (Errno::UCLEAN, true),
        (Errno::ACCESS, false),
        (Errno::PERM, false),
        (Errno::LOOP, false),
        (Errno::STALE, false),
        (Errno::TIMEDOUT, false),
        (Errno::NOMEM, false),
        (Errno::MFILE, false),
        (Errno::NFILE, false),
    ] {
        assert_eq!(generation::is_lost(&io::Error::from(errno)), lost, "{errno}");
    }
}

/// Numbers may have been used that the generation gone on from does not reserve.
#[test]
fn a_start_that_knows_of_more_leaves_numbers_unused() {
    let next = |dir: &Path| Store::open(dir).expect("opens").1.next_file;
    let (dir, _) = prepared();
    assert_eq!(next(dir.path()), 11);
    // What is no journal of the generation before may be one of this.
    let journal = dir.path().join(PREVIOUS_JOURNAL);
    fs::create_dir(&journal).expect("made");
    assert_eq!(next(dir.path()), 11 + GAP);
    fs::remove_dir(&journal).expect("removed");
    fs::write(dir.path().join(JOURNAL), "half a sa").expect("written");
    assert_eq!(next(dir.path()), 11 + GAP);
    fs::remove_file(dir.path().join(JOURNAL)).expect("removed");
    assert_eq!(next(dir.path()), 11);
    fs::write(dir.path().join(NEWEST), "damaged").expect("written");
    assert_eq!(next(dir.path()), 10 + GAP);
}

#[test]
fn what_is_left_of_a_state_that_cannot_be_loaded_tells_that_there_was_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let knew_more = || Store::open(dir.path()).expect("opens").0.knew_more();
    assert!(!knew_more() && !knew_more(), "one that never began");
    fs::write(dir.path().join(FRESH), "").expect("written");
    assert!(knew_more() && knew_more(), "one that could not be saved");
    {
        let (mut store, _) = Store::open(dir.path()).expect("opens");
        store.save(&snapshot(10)).expect("saved");
        assert!(!store.knew_more());
    }
    assert!(!knew_more());
    fs::write(dir.path().join(NEWEST), "damaged").expect("written");
    assert!(knew_more() && knew_more(), "moved away, it is still damaged");
    {
        let (mut store, _) = Store::open(dir.path()).expect("opens");
        store.save(&snapshot(10)).expect("saved");
    }
    assert!(!knew_more(), "what was moved away is of no interest any more");
    fs::rename(dir.path().join(NEWEST), dir.path().join(PREVIOUS)).expect("renamed");
    assert!(knew_more(), "the newest is missing");
}

#[test]
fn a_second_agent_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let _first = Store::open(dir.path()).expect("opens");
    let error = Store::open(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
}

#[test]
fn a_directory_that_cannot_be_used_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    fs::write(&file, b"").expect("written");
    let error = Store::open(&file.join("state")).expect_err("refused").to_string();
    assert!(error.contains("cannot write the state directory"), "{error}");
    assert!(error.contains("Not a directory"), "{error}");
}

#[test]
fn a_read_only_directory_is_refused() {
    if rustix::process::geteuid().is_root() {
        return; // root writes where it likes; /proc stands in below
    }
    let dir = tempfile::tempdir().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).expect("set");
    let error = Store::open(dir.path()).expect_err("refused").to_string();
    assert!(error.contains("Permission denied"), "{error}");
}

#[test]
fn a_directory_nobody_can_write_is_refused() {
    assert!(matches!(Store::open(Path::new("/proc")), Err(StateError::Unwritable { .. })));
}

#[test]
fn a_save_that_fails_leaves_what_was_and_can_be_tried_again() {
    let (dir, _) = prepared();
    let (mut store, _) = Store::open(dir.path()).expect("opens");
    // A directory in its way stands for a disk that takes no more.
    fs::create_dir(dir.path().join(FRESH)).expect("made");
    store.save(&snapshot(12)).expect_err("fails");
    assert_eq!(store.found(), snapshot(11));
    fs::remove_dir(dir.path().join(FRESH)).expect("removed");
    store.save(&snapshot(12)).expect("saved");
    assert_eq!(store.found(), snapshot(12));
}

#[test]
fn state_is_for_its_owner_only() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = root.path().join("a/b");
    let (mut store, _) = Store::open(&dir).expect("opens");
    store.save(&snapshot(12)).expect("saved");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for name in [NEWEST, INSTANCE, "lock"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}
