//! Compressed rotations, with a clock that can be moved by a week.

use super::*;
use crate::tail::inflate::tests::gzip;

/// What `gzip` does: the compressed file is written beside the original, which goes.
pub(super) fn compress(bench: &Bench, name: &str) {
    keep_compressed(bench, name, &format!("{name}.gz"));
    bench.remove(name);
}

/// The same under any name, and the original stays. Written a day ago, as `gzip` would have it.
pub(super) fn keep_compressed(bench: &Bench, name: &str, to: &str) {
    put(bench, to, &gzip(&fs::read(bench.path(name)).expect("read")));
}

/// A file that rests.
pub(super) fn put(bench: &Bench, name: &str, bytes: &[u8]) {
    fs::write(bench.path(name), bytes).expect("written");
    let file = File::options().write(true).open(bench.path(name)).expect("opened");
    let before = std::time::SystemTime::now() - Duration::from_secs(3600);
    file.set_modified(before).expect("set");
}

fn lost(bench: &Bench) -> (u64, u64) {
    (bench.stat(|stats| &stats.lost_gone), bench.stat(|stats| &stats.lost_damaged))
}

/// Twenty lines read, twenty more not, then rotated and compressed while the agent was away.
pub(super) fn rotated_away() -> Bench {
    let mut bench = Bench::new();
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.write("app.log", lines(120, 20));
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(900, 3));
    bench.take_log();
    bench
}

#[test]
fn the_rest_of_a_file_is_read_in_its_compressed_rotation_from_the_old_offset() {
    let mut bench = rotated_away();
    compress(&bench, "app.log.1");
    bench.start().pass(3);
    assert_eq!(bench.text("app.log"), lines(100, 40) + &lines(900, 3), "the older first");
    let log = bench.take_log();
    assert!(log.contains(&"opened app.log #1 at 180".to_owned()), "{log:?}");
    assert!(log.contains(&"#1 180..360".to_owned()), "{log:?}");
    assert_eq!(lost(&bench), (0, 0));
    let saved = bench.saved();
    let [tombstone] = &saved.tombstones[..] else { panic!("{saved:?}") };
    assert_eq!((tombstone.number, tombstone.size, tombstone.tail.end), (1, 360, 360));
    assert_ne!(tombstone.archive, 0);
    // Neither once more, nor after a restart, nor by another name.
    bench.pass(20).finish();
    bench.rename("app.log.1.gz", "app.log.2.gz");
    bench.start().pass(20);
    assert_eq!(bench.text("app.log").len(), 40 * 9 + 3 * 9, "{:?}", bench.log);
}

#[test]
fn a_crash_while_a_rotation_is_read_costs_nothing() {
    let mut bench = rotated_away();
    compress(&bench, "app.log.1");
    bench.settle = false;
    bench.options.chunk = 40;
    bench.start().pass(1);
    assert!(bench.text("app.log").contains("line 139"));
    // Half of it is settled.
    for chunk in std::mem::take(&mut bench.held).into_iter().filter(|chunk| chunk.file.0 == 1) {
        if chunk.span.end <= 270 {
            settle(&bench.tracker, 0, &chunk);
        }
    }
    bench.pass(1).kill();
    bench.came.clear();
    bench.settle = true;
    bench.start().pass(3);
    assert!(bench.opened.iter().any(|it| (it.file.0, it.offset) == (1, 252)), "{:?}", bench.log);
    assert_eq!(bench.text("app.log").matches("line 1").count(), 12);
    assert_eq!(lost(&bench), (0, 0));
}

#[test]
fn its_inode_may_be_anothers_by_now() {
    // What a file system does that gives the freed inode to the next file.
    let mut bench = Bench::new();
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.write("app.log", lines(120, 20));
    keep_compressed(&bench, "app.log", "old.gz");
    bench.truncate("app.log");
    bench.write("app.log", lines(500, 30));
    bench.start().pass(3);
    assert_eq!(bench.text("app.log"), lines(100, 40) + &lines(500, 30));
    assert_eq!(lost(&bench), (0, 0));
}

#[test]
fn one_that_is_still_being_written_is_waited_for() {
    let mut bench = rotated_away();
    let whole = gzip(&fs::read(bench.path("app.log.1")).expect("read"));
    bench.remove("app.log.1");
    for len in [0, 5, 30, whole.len() - 1] {
        fs::write(bench.path("x.gz"), &whole[..len]).expect("written");
        if bench.tailer.is_none() {
            bench.start();
        }
        bench.pass(5);
        assert_eq!(lost(&bench), (0, 0));
        assert!(!bench.text("app.log").contains("line 120"));
    }
    fs::write(bench.path("x.gz"), &whole).expect("written");
    bench.pass(5);
    assert!(bench.text("app.log").ends_with(&lines(120, 20)));
}

#[test]
fn one_that_stays_unfinished_brings_what_it_holds() {
    let mut bench = rotated_away();
    let mut rng = fastrand::Rng::with_seed(3);
    let noise: String = (0..20_000).map(|n| format!("noise {n} {}\n", rng.u64(..))).collect();
    bench.write("app.log.1", &noise);
    let whole = gzip(&fs::read(bench.path("app.log.1")).expect("read"));
    bench.remove("app.log.1");
    fs::write(bench.path("x.gz"), &whole[..whole.len() / 2]).expect("written");
    bench.start().pass(30);
    assert!(!bench.text("app.log").contains("noise"));
    bench.pass(60);
    let text = bench.text("app.log");
    let read = text.matches("noise").count();
    assert!((9_000..11_000).contains(&read), "{read}");
    assert!(text.contains(&lines(120, 20)) && !text.contains("line 100\nline 100"));
}

#[test]
fn what_is_damaged_is_read_up_to_the_damage_and_the_rest_is_counted() {
    let mut bench = Bench::new();
    let mut rng = fastrand::Rng::with_seed(3);
    let noise: String = (0..20_000).map(|n| format!("noise {n} {}\n", rng.u64(..))).collect();
    bench.write("app.log", &noise);
    bench.settle = false;
    bench.start();
    for chunk in std::mem::take(&mut bench.held).into_iter().take(10) {
        settle(&bench.tracker, 0, &chunk);
    }
    bench.finish();
    bench.came.clear();
    let mut damaged = gzip(noise.as_bytes());
    let half = damaged.len() / 2;
    rng.fill(&mut damaged[half..]);
    bench.remove("app.log");
    put(&bench, "app.log.1.gz", &damaged);
    bench.settle = true;
    bench.start().pass(3);
    let came = bench.text("app.log");
    let first = came.lines().next().expect("something").to_owned();
    let from = noise.find(&first).expect("of the File");
    let good = came.len().min(noise.len() - from);
    let same = came.bytes().zip(noise[from..].bytes()).take_while(|(one, other)| one == other);
    assert!(same.count() > noise.len() / 3 && from > 30_000, "{from} {good}");
    let (gone, lost) = lost(&bench);
    assert_eq!((gone, lost + (from + came.len()) as u64), (0, noise.len() as u64));
    bench.pass(20).finish();
    bench.start().pass(20);
    assert_eq!(bench.text("app.log"), came, "nothing more");
}

#[test]
fn a_file_that_was_read_to_its_end_is_not_read_again_compressed() {
    for (exclude, files) in
        [(vec!["*.gz"], vec!["app.log"]), (vec![], vec!["*", "*.gz"]), (vec![], vec!["*"])]
    {
        let mut bench = Bench::with(|options| {
            options.exclude = exclude.iter().map(|&it| it.to_owned()).collect();
            options.files = files.iter().map(|&it| it.to_owned()).collect();
        });
        bench.write("app.log", lines(1000, 200));
        bench.start();
        for n in 0..3 {
            bench.rename("app.log", &format!("app.log.{n}"));
            bench.write("app.log", lines(2000 + 1000 * n, 200));
            bench.pass(12);
            compress(&bench, &format!("app.log.{n}"));
            bench.pass(40);
        }
        let all: usize = bench.came.values().map(Vec::len).sum();
        assert_eq!(all, 4 * 200 * 10, "{files:?} {:?}", bench.log);
        bench.finish();
        bench.start().pass(30);
        let all: usize = bench.came.values().map(Vec::len).sum();
        assert_eq!(all, 4 * 200 * 10, "{files:?} {:?}", bench.log);
        assert_eq!(bench.saved().tombstones.len(), 3);
    }
}

#[test]
fn a_new_one_is_read_from_its_beginning_where_the_globs_ask_for_it() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into(), "*.gz".into()]);
    let text = lines(1000, 2000);
    put(
        &bench,
        "old.log.gz",
        &[gzip(&text.as_bytes()[..777]), gzip(&text.as_bytes()[777..])].concat(),
    );
    put(&bench, "plain.gz", lines(5000, 5).as_bytes());
    put(&bench, "other.log.bz2", b"BZh");
    bench.start().pass(3);
    assert!(bench.text("old.log.gz") == text);
    assert_eq!(bench.text("plain.gz"), lines(5000, 5), "one that is only called so");
    bench.write("plain.gz", lines(5005, 5));
    bench.pass(3).finish();
    assert_eq!(bench.text("plain.gz"), lines(5000, 10));
    bench.start().pass(3);
    assert!(bench.text("old.log.gz") == text, "once");
    // Of two that begin alike and are as long, both.
    let twin = text.replace("line 2999", "LINE 2999");
    put(&bench, "twin.log.gz", &gzip(twin.as_bytes()));
    bench.pass(3);
    assert!(bench.text("twin.log.gz") == twin);
}

#[test]
fn a_new_one_obeys_start_at_and_ignore_older() {
    let mut bench = Bench::with(|options| {
        options.files = vec!["*.gz".into()];
        options.start_at_end = true;
    });
    put(&bench, "a.gz", &gzip(lines(0, 300).as_bytes()));
    bench.start().pass(3);
    bench.finish();
    bench.start().pass(3);
    assert_eq!(bench.text("a.gz"), "", "it was there when the source began");
    put(&bench, "b.gz", &gzip(lines(500, 300).as_bytes()));
    bench.pass(3);
    assert_eq!(bench.text("b.gz"), lines(500, 300), "it was not");
    bench.finish();
    bench.options.ignore_older = Some(Duration::from_secs(60));
    put(&bench, "c.gz", &gzip(lines(900, 300).as_bytes()));
    bench.start().pass(3);
    assert_eq!(bench.text("c.gz"), "");
}

#[test]
fn a_stranger_is_left_alone() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(100, 20));
    put(&bench, "backup.gz", &gzip(lines(700, 5000).as_bytes()));
    put(&bench, "app.log.7.gz", &gzip(lines(800, 5000).as_bytes()));
    put(
        &bench,
        "picture.gz",
        &[0x1F, 0x8B, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    );
    bench.start().pass(15);
    assert_eq!(bench.text("app.log"), lines(100, 20));
    assert_eq!(bench.stat(|stats| &stats.read_errors), 0);
}

#[test]
fn a_closed_file_that_was_compressed_is_read_to_its_end() {
    // As many files open as may be: app.log is closed, grows, and goes before it gets its turn.
    let mut bench = Bench::with(|options| {
        options.files = vec!["*.log".into()];
        options.max_open = 1;
    });
    bench.write("app.log", lines(100, 20));
    bench.start().pass(2);
    bench.write("b.log", lines(500, 1));
    bench.pass(2);
    bench.settle = false;
    bench.write("app.log", lines(120, 20));
    compress(&bench, "app.log");
    bench.settle = true;
    bench.pass(40);
    assert_eq!(bench.text("app.log"), lines(100, 40), "{:?}", bench.log);
    assert_eq!(lost(&bench), (0, 0));
}

#[test]
fn a_bomb_stalls_nobody_and_fills_no_memory() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into(), "*.gz".into()]);
    let bomb = [gzip(&vec![b'x'; 64 << 20]), gzip(b"\n"), gzip(&vec![0; 64 << 20]), gzip(b"end\n")];
    put(&bench, "bomb.gz", &bomb.concat());
    bench.write("app.log", lines(0, 10));
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 10));
    let mut turns = 0;
    while !bench.text("bomb.gz").ends_with("end\n") {
        let before = Instant::now();
        bench.turn();
        assert!(before.elapsed() < Duration::from_secs(2), "one turn is bounded");
        bench.clock.instant += Duration::from_millis(20);
        turns += 1;
        assert!(turns < 100_000);
    }
    assert!(turns > 100 || bench.stat(|stats| &stats.turns) > 200, "{turns}");
    assert!(bench.text("bomb.gz").len() <= (256 << 10) + 10, "cut, and the zeros left out");
    assert!(bench.budget.peak() < 3 * MIB, "{}", bench.budget.peak());
}

#[test]
fn short_files_that_begin_alike_are_each_gone_on_with_once() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into()]);
    for name in ["a.log", "b.log", "c.log"] {
        bench.write(name, "start\n");
    }
    bench.start().pass(1);
    bench.finish();
    bench.came.clear();
    for (name, to) in [("a.log", "x-1"), ("b.log", "x-2"), ("c.log", "c.log.1")] {
        bench.write(name, format!("rest of {name}\n"));
        bench.rename(name, to);
        compress(&bench, to);
    }
    bench.start().pass(10);
    let came: Vec<String> =
        bench.came.values().cloned().map(|it| String::from_utf8(it).expect("text")).collect();
    // Those whose names say nothing cannot be told apart, and are nobody's; the third can.
    assert_eq!(came, ["rest of c.log\n"], "{:?}", bench.log);
    let (gone, _) = lost(&bench);
    assert_eq!(gone, 0, "it was not known that there was more");
}

#[test]
fn short_files_that_were_read_are_known_by_all_there_is_of_them() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into(), "*.gz".into()]);
    for name in ["a.log", "b.log"] {
        bench.write(name, "started\n");
    }
    bench.start().pass(1);
    for (name, to) in [("a.log", "one"), ("b.log", "two")] {
        bench.rename(name, to);
        compress(&bench, to);
    }
    bench.pass(40).finish();
    put(&bench, "three.gz", &gzip(b"started\n"));
    bench.start().pass(10);
    assert_eq!(bench.text("a.log") + &bench.text("b.log"), "started\nstarted\n");
    assert_eq!(bench.text("one.gz") + &bench.text("two.gz"), "", "{:?}", bench.log);
    assert_eq!(bench.text("three.gz"), "started\n", "a third one is a third one");
}

#[test]
fn a_truncated_file_that_was_copied_and_compressed_is_not_read_again() {
    let mut bench = Bench::with(|options| options.files = vec!["app.log".into(), "*.gz".into()]);
    bench.write("app.log", lines(1000, 200));
    bench.start().pass(2);
    keep_compressed(&bench, "app.log", "app.log.1.gz");
    bench.truncate("app.log");
    bench.write("app.log", lines(3000, 200));
    bench.pass(20).finish();
    bench.start().pass(20);
    assert!(bench.text("app.log") == lines(1000, 200) + &lines(3000, 200));
    assert_eq!(bench.text("app.log.1.gz"), "");
}

#[test]
fn a_compressed_copy_beside_its_original_is_nothing_new() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into(), "*.gz".into()]);
    bench.write("app.log", lines(1000, 200));
    bench.start().pass(2);
    keep_compressed(&bench, "app.log", "copy.gz");
    bench.pass(20);
    bench.write("app.log", lines(1200, 200));
    bench.pass(20).finish();
    bench.start().pass(20);
    assert!(bench.text("app.log") == lines(1000, 400));
    assert_eq!(bench.text("copy.gz"), "");
}

#[test]
fn a_tombstone_outlives_a_week_by_no_day() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".into(), "*.gz".into()]);
    bench.write("app.log", lines(1000, 200));
    bench.start().pass(2);
    let copy = gzip(&fs::read(bench.path("app.log")).expect("read"));
    bench.remove("app.log");
    bench.pass(20);
    assert_eq!(bench.saved().tombstones.len(), 1);
    bench.clock.wall += 8 * 24 * 3600 * 1_000_000_000;
    bench.clock.instant += Duration::from_secs(8 * 24 * 3600);
    bench.write("b.log", lines(0, 1));
    bench.pass(20);
    assert_eq!(bench.saved().tombstones.len(), 0);
    put(&bench, "app.log.1.gz", &copy);
    bench.pass(5);
    assert!(bench.text("app.log.1.gz") == lines(1000, 200), "not known any more");
}
