//! Buffers on real directories: what is put in comes out, whatever happens to the files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::Bytes;

use super::disk::Refusal;
use super::segment::{Cursor, Name, ReadAt};
use super::*;
use crate::config::settings::{Compression, DestinationKind};
use crate::export::encode::tests::{destination, elasticsearch};
use crate::export::stats::LostReason;

mod moved;
mod reopened;
mod speed;

const LIMIT: u64 = 1 << 20;

/// A payload of `records` records, which no other number has.
fn payload(number: u32, records: u32) -> Payload {
    let body = Bytes::from(format!("{number} ").repeat(2_000));
    let ids = Bytes::from(format!("ids of {number}"));
    Payload { plain_bytes: body.len(), body, records, ids }
}

fn number(payload: &Payload) -> u32 {
    let text = std::str::from_utf8(&payload.body).expect("text");
    let number = text.split(' ').next().expect("a word").parse().expect("a number");
    let expect = self::payload(number, payload.records);
    assert!(payload.body == expect.body && payload.ids == expect.ids, "altered");
    number
}

struct Bench {
    dir: tempfile::TempDir,
    stats: Arc<DestinationStats>,
    budget: Arc<Budget>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, stats: Arc::default(), budget: Budget::new(1 << 20) }
    }

    fn directory(&self) -> PathBuf {
        self.dir.path().join("buffer/x/bulk")
    }

    /// As a new process would, with counters at zero.
    fn open(&mut self) -> Disk {
        self.stats = Arc::default();
        Disk::open("x", self.directory(), LIMIT, Arc::clone(&self.stats)).expect("opens")
    }

    /// Appends the payloads of these numbers, each with as many records.
    fn filled(&mut self, numbers: std::ops::Range<u32>) -> Disk {
        let mut disk = self.open();
        for number in numbers {
            let records = u64::from(number);
            self.stats.accept(records);
            disk.append(&[payload(number, number)]).expect("room");
            self.stats.store(records);
        }
        disk
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory()).expect("there");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("read").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|it| it == "segment"));
        paths.sort();
        paths
    }

    fn take(&self, disk: &mut Disk) -> Option<(u32, Place)> {
        match disk.take(&self.budget, true).expect("readable") {
            Take::Payload(payload, _, place) => {
                self.stats.fetch(u64::from(payload.records));
                Some((number(&payload), place))
            }
            _ => None,
        }
    }

    /// Takes all, says of each that it is done, and gives their numbers.
    fn drain(&self, disk: &mut Disk) -> Vec<u32> {
        let mut numbers = Vec::new();
        while let Some((number, place)) = self.take(disk) {
            disk.done(place);
            self.stats.deliver(u64::from(number));
            numbers.push(number);
        }
        self.check_conserved();
        numbers
    }

    /// The same whatever their records are.
    fn drain_any(&self, disk: &mut Disk) -> Vec<u32> {
        let mut numbers = Vec::new();
        while let Some((number, place)) = self.take(disk) {
            self.stats.deliver(u64::from(place.found.header.records));
            disk.done(place);
            numbers.push(number);
        }
        self.check_conserved();
        numbers
    }

    fn lost(&self) -> u64 {
        let lost = self.stats.lost().find(|(reason, _)| *reason == LostReason::Buffer);
        lost.expect("a reason").1
    }

    fn check_conserved(&self) {
        let stats = &self.stats;
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
        let held = load(&stats.in_flight) + load(&stats.buffer.records);
        assert_eq!(load(&stats.records_in), stats.resolved() + held, "{stats:?}");
    }
}

#[test]
fn what_is_put_in_comes_out_in_its_order_and_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let mut disk = bench.filled(1..50);
    assert!(bench.segments().len() > 3, "{:?}", bench.segments());
    let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(bench.directory()), mode(bench.dir.path().join("buffer"))), (0o700, 0o700));
    assert_eq!(mode(bench.segments().remove(0)), 0o600);
    assert_eq!(bench.drain(&mut disk), (1..50).collect::<Vec<_>>());
    assert_eq!((disk.bytes(), bench.segments().len()), (0, 0));
    disk.append(&[payload(7, 1), payload(8, 1)]).expect("room");
    assert_eq!((bench.take(&mut disk).expect("there").0, disk.waiting()), (7, 1));
}

/// Full while it was sent, and not any more when it is left.
#[test]
fn what_a_disk_without_room_does_not_let_be_marked_is_marked_later() {
    let mut bench = Bench::new();
    let mut disk = bench.filled(1..5);
    let places: Vec<_> = (1..4).map(|_| bench.take(&mut disk).expect("there").1).collect();
    let path = bench.segments().remove(0);
    for place in places {
        disk.segments[0].file = Some(fs::File::open(&path).expect("for reading only"));
        disk.done(place);
    }
    disk.segments[0].file = None;
    disk.mark();
    drop(disk);
    let mut disk = bench.open();
    assert_eq!(bench.drain_any(&mut disk), [4]);
}

#[test]
fn a_restart_finds_what_is_not_done_with_and_only_that() {
    let mut bench = Bench::new();
    let mut disk = bench.filled(1..50);
    let mut places = Vec::new();
    for _ in 0..20 {
        places.push(bench.take(&mut disk).expect("there").1);
    }
    // All but the fifth; those of the first segment stay with it.
    places.remove(4);
    places.into_iter().for_each(|place| disk.done(place));
    drop(disk);
    let mut disk = bench.open();
    let left: Vec<u32> = [5].into_iter().chain(21..50).collect();
    assert_eq!(disk.waiting(), left.iter().map(|number| u64::from(*number)).sum::<u64>());
    disk.append(&[payload(50, 1)]).expect("room");
    bench.stats.adopt(disk.waiting());
    assert_eq!(bench.take(&mut disk).expect("there").0, 5);
    drop(disk);
    let mut disk = bench.open();
    let mut numbers = Vec::new();
    while let Some((number, place)) = bench.take(&mut disk) {
        disk.done(place);
        numbers.push(number);
    }
    assert_eq!(numbers, left.into_iter().chain([50]).collect::<Vec<_>>());
    assert_eq!((bench.lost(), bench.segments().len()), (0, 0));
}

/// Damage, and the payloads that it costs.
fn damaged(damage: impl Fn(&[PathBuf]), gone: &[u32]) {
    let mut bench = Bench::new();
    drop(bench.filled(1..50));
    damage(&bench.segments());
    let lost: u64 = gone.iter().map(|number| u64::from(*number)).sum();
    let left = (1..50).filter(|number| !gone.contains(number)).collect::<Vec<_>>();
    let mut disk = bench.open();
    assert_eq!(bench.drain(&mut disk), left, "{gone:?} are gone");
    assert_eq!(bench.lost(), lost);
    assert_eq!(bench.segments(), Vec::<PathBuf>::new());
    drop(disk);

    // Opened twice, what is found at once is counted once: not again for the same files.
    let mut bench = Bench::new();
    drop(bench.filled(1..50));
    damage(&bench.segments());
    drop(bench.open());
    let first = bench.lost();
    let mut disk = bench.open();
    assert_eq!(bench.drain(&mut disk), left, "{gone:?} are gone");
    assert_eq!(first + bench.lost(), lost);
}

/// Numbers of the payloads in a segment, with where each frame begins.
fn frames(path: &PathBuf) -> Vec<(u32, usize)> {
    let bytes = fs::read(path).expect("read");
    let (mut frames, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let field = |from: usize| {
            let field = bytes[at + from..at + from + 4].try_into().expect("four");
            u32::from_le_bytes(field)
        };
        frames.push((field(16), at));
        at += 64 + (field(20) + field(24)) as usize;
    }
    frames
}

fn flip(path: &PathBuf, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 0x20;
    fs::write(path, bytes).expect("written");
}

#[test]
fn s31_damage_costs_what_it_touches_and_its_records_are_counted() {
    let mut bench = Bench::new();
    drop(bench.filled(1..50));
    let all: Vec<Vec<(u32, usize)>> = bench.segments().iter().map(frames).collect();
    let numbers = |segment: usize| all[segment].iter().map(|(number, _)| *number);
    let last = all.len() - 1;
    // A header, in the middle and at the beginning; a body; a place for a mark.
    damaged(|it| flip(&it[1], all[1][2].1 + 9), &[all[1][2].0]);
    damaged(|it| flip(&it[1], all[1][0].1), &[all[1][0].0]);
    damaged(|it| flip(&it[0], all[0][0].1 + 20), &[all[0][0].0]);
    damaged(|it| flip(&it[2], all[2][1].1 + 300), &[all[2][1].0]);
    damaged(|it| flip(&it[2], all[2][1].1 + 60), &[]);
    // Whole segments: the first, one between, the last, all.
    for at in [0, 2, last] {
        let gone = numbers(at).collect::<Vec<_>>();
        damaged(|it| fs::remove_file(&it[at]).expect("removed"), &gone);
    }
    let everything = (1..50).collect::<Vec<_>>();
    damaged(|it| it.iter().for_each(|path| fs::remove_file(path).expect("removed")), &everything);
    // Tails: within a frame, at the end of one, and to nothing.
    for at in [0, last] {
        let cut = |keep: usize| {
            move |it: &[PathBuf]| {
                let file = fs::OpenOptions::new().write(true).open(&it[at]).expect("opens");
                file.set_len(keep as u64).expect("cut");
            }
        };
        let begin = all[at][1].1;
        let behind = numbers(at).skip(1).collect::<Vec<_>>();
        damaged(cut(begin + 100), &behind);
        damaged(cut(begin + 10), &behind);
        damaged(cut(begin), &behind);
        damaged(cut(0), &numbers(at).collect::<Vec<_>>());
    }
}

#[test]
fn s31_without_its_bounds_it_still_gives_what_is_there() {
    let mut bench = Bench::new();
    drop(bench.filled(1..50));
    fs::write(bench.directory().join("bounds"), [7; 80]).expect("written");
    let segments = bench.segments();
    let gone: u32 = frames(&segments[1]).iter().map(|(number, _)| number).sum();
    fs::remove_file(&segments[1]).expect("removed");
    let mut disk = bench.open();
    let sum: u32 = bench.drain(&mut disk).iter().sum();
    assert_eq!((sum + gone, bench.lost()), ((1..50).sum(), u64::from(gone)));
}

#[test]
fn s31_what_vanishes_while_it_runs_is_counted_too() {
    let mut bench = Bench::new();
    let mut disk = bench.filled(1..50);
    let segments = bench.segments();
    let all: Vec<Vec<(u32, usize)>> = segments.iter().map(frames).collect();
    fs::remove_file(&segments[1]).expect("removed");
    flip(&segments[2], all[2][1].1 + 3);
    let mut gone: Vec<u32> = all[1].iter().map(|(number, _)| *number).collect();
    gone.push(all[2][1].0);
    let left = (1..50).filter(|number| !gone.contains(number)).collect::<Vec<_>>();
    assert_eq!(bench.drain(&mut disk), left);
    assert_eq!(bench.lost(), u64::from(gone.iter().sum::<u32>()));
}

#[test]
fn beyond_its_limit_it_takes_nothing_until_a_segment_is_done_with() {
    let mut bench = Bench::new();
    let mut disk = bench.open();
    let mut count = 0;
    while disk.append(&[payload(7, 1)]).is_ok() {
        count += 1;
    }
    assert!(count > 200 && disk.bytes() <= LIMIT, "{count}");
    assert!(matches!(disk.append(&[payload(7, 1)]), Err(Refusal::Full)));
    let large = Payload { body: vec![0; LIMIT as usize].into(), ..payload(1, 1) };
    assert!(matches!(disk.append(&[large]), Err(Refusal::TooLarge)));
    let first = disk.bytes();
    bench.stats.adopt(disk.waiting());
    while disk.bytes() == first {
        let (_, place) = bench.take(&mut disk).expect("there");
        disk.done(place);
    }
    disk.append(&[payload(7, 1)]).expect("room again");
}

#[test]
fn what_the_budget_has_no_room_for_waits_unless_it_must_be_had() {
    let mut bench = Bench::new();
    let mut disk = bench.filled(1..3);
    bench.budget = Budget::new(100);
    assert!(matches!(disk.take(&bench.budget, false), Ok(Take::NoBudget)));
    assert_eq!(bench.budget.used(), 0);
    let Ok(Take::Payload(payload, permit, _)) = disk.take(&bench.budget, true) else {
        panic!("it must be had")
    };
    assert!(number(&payload) == 1 && permit.bytes() >= payload.body.len());
}

#[test]
fn s30_a_disk_that_fails_costs_nothing_and_is_written_again_when_it_works() {
    let mut bench = Bench::new();
    // A file where the directory should be: as root, too, nothing can be made there.
    fs::write(bench.dir.path().join("buffer"), "in the way").expect("written");
    let mut disk = bench.open();
    assert!(matches!(disk.append(&[payload(1, 1)]), Err(Refusal::Io(_))));
    fs::remove_file(bench.dir.path().join("buffer")).expect("removed");
    disk.append(&[payload(2, 2)]).expect("written");
    // The open segment turns out to be one that cannot be written.
    let newest = disk.segments.back_mut().expect("there");
    newest.file = Some(fs::File::open(bench.directory().join(newest.name.text())).expect("opens"));
    assert!(matches!(disk.append(&[payload(3, 3)]), Err(Refusal::Io(_))));
    disk.append(&[payload(4, 4)]).expect("in a segment of its own");
    assert_eq!(bench.segments().len(), 2);
    bench.stats.adopt(disk.waiting());
    assert_eq!(bench.drain(&mut disk), [2, 4]);
    assert_eq!(bench.lost(), 0);
}

/// A file whose disk cannot read on from somewhere.
struct Bad(fs::File, u64);

impl ReadAt for Bad {
    fn fill_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset + into.len() as u64 > self.1 {
            return Err(rustix::io::Errno::IO.into());
        }
        self.0.fill_at(into, offset)
    }
}

#[test]
fn a_place_that_cannot_be_read_ends_its_segment_and_keeps_nothing_from_being_opened() {
    let mut bench = Bench::new();
    let disk = bench.filled(1..50);
    let path = bench.segments().remove(0);
    let name = Name::parse(path.file_name().and_then(|it| it.to_str()).expect("text"));
    let name = name.expect("a segment");
    let all = frames(&path);
    let bad = Bad(fs::File::open(&path).expect("opens"), all[3].1 as u64 + 7);
    let (mut cursor, mut found) = (Cursor::default(), 0);
    let mut bytes = fs::metadata(&path).expect("there").len();
    while let Some(frame) = disk.next_readable(&bad, name, cursor, &mut bytes).expect("goes on") {
        (cursor, found) = (Cursor::within(&frame), found + 1);
    }
    assert_eq!((found, bytes), (3, all[3].1 as u64), "nothing behind it is taken either");
    // What passes is still an error: it is no reason to lose anything.
    struct Busy;
    impl ReadAt for Busy {
        fn fill_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(rustix::io::Errno::MFILE.into())
        }
    }
    let busy = disk.next_readable(&Busy, name, Cursor::default(), &mut bytes);
    assert!(busy.is_err() && bytes == all[3].1 as u64);
}

#[test]
fn what_is_stuck_in_the_oldest_segment_leaves_the_room_of_the_others() {
    let mut bench = Bench::new();
    let mut disk = bench.open();
    while disk.append(&[payload(7, 1)]).is_ok() {}
    bench.stats.adopt(disk.waiting());
    let (full, all) = (disk.bytes(), disk.waiting());
    let (_, stuck) = bench.take(&mut disk).expect("there");
    while let Some((_, place)) = bench.take(&mut disk) {
        disk.done(place);
    }
    assert!(disk.bytes() < full / 8, "{} of {full}", disk.bytes());
    disk.append(&[payload(8, 3)]).expect("room again");
    drop((stuck, disk));
    let mut disk = bench.open();
    assert_eq!((disk.waiting(), bench.lost()), (4, 0), "of {all}");
    assert_eq!(bench.drain_any(&mut disk), [7, 8]);
    assert_eq!((bench.lost(), bench.segments().len()), (0, 0));
}
