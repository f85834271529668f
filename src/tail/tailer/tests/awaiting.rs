//! Files that wait for older ones, which may be found compressed.

use super::archives::{compress, put, rotated_away};
use super::*;
use crate::tail::LeftBehind;
use crate::tail::inflate::tests::gzip;
use crate::tail::lineage::Failing;

/// A compressed file that is being written all the time: nobody can tell what it will be.
pub(super) fn touch(bench: &Bench, bytes: &[u8]) {
    touch_as(bench, "other.gz", bytes);
}

fn touch_as(bench: &Bench, name: &str, bytes: &[u8]) {
    fs::write(bench.path(name), bytes).expect("written");
    let file = File::options().write(true).open(bench.path(name)).expect("opened");
    let at = u64::try_from(bench.clock.wall).expect("after 1970");
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_nanos(at)).expect("set");
}

pub(super) fn pass_touching(bench: &mut Bench, seconds: u64) {
    for n in 0..seconds {
        touch(bench, &gzip(&n.to_le_bytes()));
        bench.pass(1);
    }
}

/// Read in part, then gone; another file has its name, and something compressed lies beside it.
pub(super) fn gone_for_good(bench: &mut Bench) {
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.write("gone", "");
    bench.rename("app.log", "gone");
    bench.write("app.log", lines(900, 300));
    touch(bench, &gzip(b"x"));
    bench.remove("gone");
    bench.came.clear();
}

#[test]
fn what_waits_for_an_older_file_is_left_whole_by_a_drain() {
    let mut bench = Bench::with(|options| options.max_record = 1000);
    gone_for_good(&mut bench);
    bench.start();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(2000, 10));
    pass_touching(&mut bench, 3);
    assert_eq!(bench.text("app.log"), "", "it waits");
    let (done, mut told) = tokio::sync::oneshot::channel();
    let deadline = bench.clock.instant + Duration::from_secs(25);
    bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
    bench.run();
    bench.pass(5);
    let all = lines(900, 300) + &lines(2000, 10);
    assert_eq!(told.try_recv(), Ok(LeftBehind { bytes: all.len() as u64, files: 2 }));
    bench.finish();
    bench.remove("other.gz");
    bench.start().pass(3);
    assert_eq!(bench.text("app.log"), all, "{:?}", bench.log);
    assert_eq!(bench.stat(|stats| &stats.cut_bytes), 0);
}

#[test]
fn what_could_not_be_read_for_a_moment_is_left_whole_by_a_drain() {
    let mut bench = Bench::with(|options| options.max_record = 1000);
    let all = bench.budget.try_take(8 * MIB).expect("free");
    bench.write("app.log", lines(0, 400));
    bench.start();
    drop(all);
    // A read failed.
    let again = bench.clock.instant + Duration::from_secs(3600);
    for file in bench.tailer.as_mut().expect("started").files.values_mut() {
        file.failing = Some(Box::new(Failing { since: again, retry_at: again, renewed: None }));
    }
    let (done, mut told) = tokio::sync::oneshot::channel();
    let deadline = bench.clock.instant + Duration::from_secs(25);
    bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
    bench.run();
    bench.pass(5);
    let bytes = lines(0, 400).len() as u64;
    assert_eq!(told.try_recv(), Ok(LeftBehind { bytes, files: 1 }), "{:?}", bench.log);
    bench.finish();
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 400));
}

/// A reload, or a crash, while it is read: what the checkpoint says of its place is the compressed
/// file's.
#[test]
fn one_that_was_being_read_compressed_is_waited_for_after_a_reload() {
    let mut bench = rotated_away();
    compress(&bench, "app.log.1");
    bench.settle = false;
    bench.start().pass(3);
    bench.take_log();
    bench.came.clear();
    bench.write("app.log", lines(903, 3));
    bench.settle = true;
    bench.hand_over().pass(3);
    let opened: Vec<_> = bench.log.iter().filter(|said| said.starts_with("opened")).collect();
    assert_eq!(opened[0], "opened app.log #1 at 180", "{:?}", bench.log);
    assert_eq!(bench.text("app.log"), lines(120, 20) + &lines(900, 6));
}

/// Two rotations were compressed, and a joiner holds the end of the first, since more is to follow.
#[test]
fn what_is_held_of_a_compressed_rotation_does_not_keep_the_next_one_from_being_read() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.rename("app.log", "app.log.2");
    bench.write("app.log", lines(200, 20));
    bench.start().finish();
    bench.write("app.log.2", lines(120, 20));
    bench.write("app.log", lines(220, 20));
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(900, 3));
    compress(&bench, "app.log.2");
    compress(&bench, "app.log.1");
    bench.came.clear();
    bench.settle = false;
    bench.start();
    for _ in 0..10 {
        let last = if bench.behind.get("app.log") == Some(&true) { bench.held.pop() } else { None };
        bench.settle_held();
        bench.held.extend(last);
        bench.pass(1);
    }
    let all = [lines(120, 20), lines(220, 20), lines(900, 3)].concat();
    assert_eq!(bench.text("app.log"), all, "{:?}", bench.log);
    assert!(bench.saved().tombstones.iter().all(|it| it.tail.end == it.size));
}

/// Two compressed rotations, the newer one as if it was still being written.
fn one_rests_and_one_does_not() -> (Bench, Vec<u8>) {
    let mut bench = Bench::with(|options| options.destinations = vec!["search"]);
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.rename("app.log", "app.log.2");
    bench.write("app.log", lines(200, 20));
    bench.start();
    bench.settle = false;
    bench.write("app.log", lines(220, 20));
    bench.pass(1).finish();
    bench.write("app.log.2", lines(120, 20));
    bench.rename("app.log", "app.log.1");
    compress(&bench, "app.log.2");
    let newer = gzip(&fs::read(bench.path("app.log.1")).expect("read"));
    bench.remove("app.log.1");
    bench.came.clear();
    bench.take_log();
    (bench, newer)
}

fn pass_writing(bench: &mut Bench, newer: &[u8], seconds: u64) {
    for _ in 0..seconds {
        // Another time than the last.
        bench.clock.wall += 1;
        touch_as(bench, "app.log.1.gz", newer);
        bench.pass(1);
    }
}

/// What was read last may go on in it.
#[test]
fn a_lineage_does_not_end_before_the_rotation_that_is_awaited() {
    let (mut bench, newer) = one_rests_and_one_does_not();
    touch_as(&bench, "app.log.1.gz", &newer);
    bench.start();
    pass_writing(&mut bench, &newer, 4);
    assert_eq!(bench.text("app.log"), lines(120, 20), "{:?}", bench.log);
    assert!(bench.log.contains(&"retired #1".to_owned()), "{:?}", bench.log);
    assert!(bench.behind["app.log"], "more is to come");
    assert!(bench.stats.busy.load(Ordering::Relaxed));
    bench.pass(5);
    bench.settle_held();
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(120, 20) + &lines(220, 20), "{:?}", bench.log);
    let last: Vec<_> = bench.log.iter().filter(|said| said.ends_with("last")).collect();
    assert_eq!(last, ["retired #514, last"], "{:?}", bench.log);
    assert!(!bench.stats.busy.load(Ordering::Relaxed));
}

#[test]
fn a_lineage_ends_when_the_rotation_that_was_awaited_is_none() {
    let (mut bench, newer) = one_rests_and_one_does_not();
    touch_as(&bench, "app.log.1.gz", &newer);
    bench.start();
    pass_writing(&mut bench, &newer, 4);
    bench.remove("app.log.1.gz");
    bench.pass(4);
    assert!(bench.log.last().is_some_and(|said| said.ends_with(", last")), "{:?}", bench.log);
    assert_eq!(bench.stat(|stats| &stats.lost_gone), lines(220, 20).len() as u64);
}

#[test]
fn a_drain_leaves_whole_what_may_go_on_in_a_rotation_that_is_awaited() {
    for live in [true, false] {
        let (mut bench, newer) = one_rests_and_one_does_not();
        if live {
            bench.write("app.log", lines(900, 3));
        }
        touch_as(&bench, "app.log.1.gz", &newer);
        bench.start();
        pass_writing(&mut bench, &newer, 4);
        let (done, mut told) = tokio::sync::oneshot::channel();
        let deadline = bench.clock.instant + Duration::from_secs(25);
        bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
        bench.run();
        pass_writing(&mut bench, &newer, 3);
        let left = told.try_recv().expect("drained");
        let more = if live { lines(900, 3).len() } else { 0 };
        assert_eq!(left.bytes, (lines(220, 20).len() + more) as u64, "{live}");
        let last = bench.log.iter().any(|said| said.ends_with("last"));
        assert!(!last, "{live} {:?}", bench.log);
        bench.settle = true;
        bench.finish();
        bench.came.clear();
        bench.start().pass(5);
        let mut all = lines(120, 20) + &lines(220, 20);
        if live {
            all += &lines(900, 3);
        }
        assert_eq!(bench.text("app.log"), all, "{live} {:?}", bench.log);
    }
}

/// Preallocated, and compressed as it was: the zeros are nobody's, and no reason to read it again.
#[test]
fn a_compressed_rotation_that_ends_in_zeros_is_read_once() {
    let mut bench = Bench::new();
    bench.write("app.log", [lines(100, 20).as_bytes(), &[0; 4000]].concat());
    bench.start().pass(1).finish();
    let (first, rest) = ("app.log.2", "app.log.1");
    bench.rename("app.log", first);
    bench.write("app.log", lines(200, 20));
    bench.start().pass(1).finish();
    bench.write("app.log", lines(220, 20));
    bench.rename("app.log", rest);
    compress(&bench, first);
    compress(&bench, rest);
    bench.came.clear();
    bench.take_log();
    bench.start().pass(20);
    assert_eq!(bench.text("app.log"), lines(220, 20), "{:?}", bench.log);
    bench.take_log();
    bench.pass(20).finish();
    bench.start().pass(20);
    assert_eq!(bench.take_log(), Vec::<String>::new());
}

#[test]
fn nothing_waits_for_ever_for_a_file_that_is_gone() {
    let mut bench = Bench::new();
    gone_for_good(&mut bench);
    bench.start();
    pass_touching(&mut bench, 30);
    assert_eq!(bench.text("app.log"), "", "it may yet be found");
    assert!(bench.stats.busy.load(Ordering::Relaxed), "nobody is to think that it was all");
    pass_touching(&mut bench, 40);
    assert_eq!(bench.text("app.log"), lines(900, 300));
}

#[test]
fn what_is_hoped_for_in_vain_is_counted_after_an_hour_and_still_known_when_found() {
    for settled in [true, false] {
        let mut bench = Bench::new();
        bench.settle = settled;
        bench.write("app.log", lines(100, 20));
        bench.start();
        if let Some(chunk) = bench.held.pop() {
            settle(&bench.tracker, 0, &chunk);
        }
        bench.write("app.log", lines(120, 20));
        bench.pass(1).finish();
        bench.write("app.log", lines(140, 20));
        let whole = gzip(&fs::read(bench.path("app.log")).expect("read"));
        bench.remove("app.log");
        bench.came.clear();
        bench.settle = true;
        // Too short to be one: it may become anything.
        touch(&bench, b"x");
        bench.start();
        let lost = if settled { 0 } else { 180 };
        for (seconds, lost) in [(1, 0), (3500, 0), (200, lost)] {
            bench.clock.instant += Duration::from_secs(seconds - 1);
            bench.clock.wall += i64::try_from(seconds - 1).expect("small") * 1_000_000_000;
            touch(&bench, b"x");
            bench.pass(1);
            assert_eq!(bench.stat(|stats| &stats.lost_gone), lost, "{settled}, {seconds}");
        }
        bench.pass(2);
        assert_eq!(bench.saved().files, []);
        put(&bench, "app.log.1.gz", &whole);
        bench.pass(5);
        let rest = if settled { lines(140, 20) } else { lines(120, 40) };
        assert_eq!(bench.text("app.log"), rest);
    }
}
