//! Compressed rotations that could be taken for something they are not, or be forgotten.

use super::archives::{compress, keep_compressed, put};
use super::*;
use crate::tail::inflate::tests::gzip;

/// And a day.
fn pass_a_week(bench: &mut Bench) {
    bench.clock.wall += 8 * 24 * 3600 * 1_000_000_000;
    bench.clock.instant += Duration::from_secs(8 * 24 * 3600);
}

fn with_globs(files: &[&str]) -> Bench {
    Bench::with(|options| options.files = files.iter().map(|&it| it.to_owned()).collect())
}

#[test]
fn a_rotation_that_is_kept_for_a_month_is_known_for_as_long() {
    let mut bench = with_globs(&["app.log", "*.gz"]);
    bench.write("app.log", lines(1000, 200));
    bench.start().pass(2);
    bench.rename("app.log", "app.log.1");
    compress(&bench, "app.log.1");
    bench.write("app.log", lines(5000, 2));
    bench.pass(20);
    for week in 0..4 {
        pass_a_week(&mut bench);
        bench.write("app.log", lines(6000 + week, 1));
        match week {
            0 => bench.pass(5).hand_over(),
            1 => &mut bench,
            _ => {
                bench.pass(1).finish();
                bench.start()
            }
        };
        bench.pass(5);
        assert_eq!(bench.text("app.log.1.gz"), "", "{week}");
    }
    assert_eq!(bench.saved().tombstones.len(), 1);
}

#[test]
fn what_was_to_be_skipped_is_skipped_for_as_long_as_it_is_there() {
    let mut bench = with_globs(&["app.log", "*.gz"]);
    bench.options.start_at_end = true;
    put(&bench, "app.log.1.gz", &gzip(lines(1000, 200).as_bytes()));
    bench.write("app.log", lines(5000, 2));
    bench.start().pass(5);
    pass_a_week(&mut bench);
    bench.write("app.log", lines(5002, 2));
    bench.pass(5).hand_over().pass(5);
    assert_eq!(bench.text("app.log.1.gz"), "");
    assert_eq!(bench.text("app.log"), lines(5002, 2));
}

#[test]
fn a_rotation_that_was_given_a_known_files_inode_is_no_log() {
    let mut bench = with_globs(&["*.log", "*.gz"]);
    bench.write("a.log", lines(0, 500));
    bench.write("b.log", lines(1000, 500));
    bench.start();
    bench.rename("a.log", "a.1");
    bench.rename("b.log", "b.1");
    bench.pass(60);
    assert_eq!(bench.stat(|stats| &stats.open_files), 0);
    // Both are compressed, and the second gets the inode that the first had.
    keep_compressed(&bench, "a.1", "a.1.gz");
    let second = gzip(&fs::read(bench.path("b.1")).expect("read"));
    put(&bench, "a.1", &second);
    bench.rename("a.1", "b.1.gz");
    bench.remove("b.1");
    bench.pass(20);
    let names: Vec<&String> = bench.came.keys().collect();
    assert_eq!(names, ["a.log", "b.log"], "{:?}", bench.log);
    // A log that is only called so is read on.
    bench.write("plain.gz", lines(0, 5));
    bench.pass(5);
    bench.write("plain.gz", lines(5, 5));
    bench.pass(30);
    assert_eq!(bench.text("plain.gz"), lines(0, 10));
}

#[test]
fn what_was_written_while_a_file_was_copied_does_not_make_the_copy_a_new_one() {
    let mut bench = with_globs(&["app.log", "*.gz"]);
    bench.write("app.log", lines(1000, 400));
    bench.start().pass(2);
    fs::copy(bench.path("app.log"), bench.path("app.log.1")).expect("copied");
    bench.write("app.log", lines(1400, 5));
    bench.pass(1);
    bench.truncate("app.log");
    bench.pass(1);
    compress(&bench, "app.log.1");
    bench.write("app.log", lines(3000, 200));
    bench.pass(20);
    assert_eq!(bench.text("app.log.1.gz"), "");
    // One that begins so and is another: it is far shorter, or called otherwise.
    put(&bench, "app.log.2.gz", &gzip(lines(1000, 300).as_bytes()));
    put(&bench, "other.gz", &gzip(lines(1000, 401).as_bytes()));
    bench.pass(20);
    assert_eq!(bench.text("app.log.2.gz"), lines(1000, 300));
    assert_eq!(bench.text("other.gz"), lines(1000, 401));
}

/// Of one there is no middle, of the other's copy not the place that the original had.
#[test]
fn the_same_of_a_copy_of_which_no_middle_can_be_compared() {
    for (count, more) in [(150, 5), (1630, 20)] {
        let mut bench = with_globs(&["app.log", "*.gz"]);
        bench.write("app.log", lines(1000, count));
        bench.start().pass(2);
        fs::copy(bench.path("app.log"), bench.path("app.log.1")).expect("copied");
        bench.write("app.log", lines(1000 + count, more));
        bench.pass(1);
        bench.truncate("app.log");
        bench.pass(1);
        compress(&bench, "app.log.1");
        bench.write("app.log", lines(5000, 200));
        bench.pass(20);
        assert_eq!(bench.text("app.log.1.gz"), "", "{count}");
    }
}

/// A program that writes the same first line at each start, and two more of its files, compressed
/// while nobody looked.
fn begun_alike(known: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = with_globs(&["app.log", "*.gz"]);
    bench.write("app.log", "started\n");
    bench.start().pass(2);
    known(&mut bench);
    bench.came.clear();
    let begun = |from, count| gzip(("started\n".to_owned() + &lines(from, count)).as_bytes());
    put(&bench, "app.log.2.gz", &begun(1000, 100));
    put(&bench, "app.log.1.gz", &begun(3000, 300));
    bench
}

/// How many lines of the two came.
fn came_of_both(bench: &Bench) -> (usize, usize) {
    let all: String = bench.came.keys().map(|name| bench.text(name)).collect();
    (all.matches("line 1").count(), all.matches("line 3").count())
}

#[test]
fn files_that_begin_as_a_finished_one_did_are_new() {
    let mut bench = begun_alike(|bench| {
        bench.remove("app.log");
        bench.pass(30).finish();
    });
    bench.start().pass(30).finish();
    bench.start().pass(30);
    assert_eq!(came_of_both(&bench), (100, 300), "{:?}", bench.log);
}

#[test]
fn of_two_that_could_be_the_rest_of_a_file_neither_is_forgotten() {
    let mut bench = begun_alike(|bench| {
        bench.finish();
        bench.remove("app.log");
    });
    bench.start().pass(30).finish();
    bench.start().pass(30);
    assert_eq!(came_of_both(&bench), (100, 300), "{:?}", bench.log);
    // A copy of the one is not the other.
    fs::copy(bench.path("app.log.1.gz"), bench.path("app.log.3.gz")).expect("copied");
    fs::copy(bench.path("app.log.2.gz"), bench.path("app.log.4.gz")).expect("copied");
    bench.pass(30);
    assert_eq!(came_of_both(&bench), (100, 300), "{:?}", bench.log);
}

#[test]
fn a_rotation_is_not_read_while_its_original_waits_to_be_opened() {
    let mut bench = with_globs(&["*.log"]);
    for n in 0..40 {
        bench.write(&format!("{n}.log"), lines(n * 100, 20));
    }
    bench.start().pass(2).finish();
    for n in 0..40 {
        bench.write(&format!("{n}.log"), lines(n * 100 + 20, 20));
        keep_compressed(&bench, &format!("{n}.log"), &format!("{n}.log.gz"));
    }
    bench.options.max_open = 16;
    bench.start().pass(60);
    for n in 0..40 {
        assert_eq!(bench.text(&format!("{n}.log")), lines(n * 100, 40), "{n}");
    }
}

#[test]
fn a_finished_file_that_had_more_goes_on_in_the_state_it_was_left_in() {
    let mut bench = with_globs(&["app.log"]);
    bench.write("app.log", lines(100, 20));
    bench.start().pass(2);
    bench.remove("app.log");
    bench.pass(30).finish();
    put(&bench, "app.log.1.gz", &gzip(lines(100, 40).as_bytes()));
    bench.start().pass(5);
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.file.0, opened.offset), (1, 180));
    assert_eq!(opened.resume.parser.as_deref(), Some("180"));
    assert_eq!(bench.text("app.log"), lines(100, 40));
}

#[test]
fn a_new_destination_begins_at_the_end_of_a_rotation_too() {
    let mut bench = with_globs(&["app.log"]);
    bench.options.start_at_end = true;
    bench.start();
    bench.write("app.log", lines(100, 20));
    bench.pass(5).finish();
    bench.write("app.log", lines(120, 20));
    compress(&bench, "app.log");
    bench.options.destinations = vec!["search", "other"];
    bench.start().pass(5);
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.file.0, opened.offset, &opened.settled[..]), (1, 180, &[180, 360][..]));
    assert_eq!(bench.text("app.log"), lines(100, 40));
}

#[test]
fn what_a_damaged_one_says_of_its_length_is_not_believed() {
    let mut bench = with_globs(&["*.gz"]);
    let mut damaged = gzip(lines(0, 5000).as_bytes());
    let half = damaged.len() / 2;
    fastrand::Rng::with_seed(1).fill(&mut damaged[half..]);
    damaged.extend([0xFF; 4]);
    put(&bench, "app.gz", &damaged);
    bench.start().pass(5);
    assert!(bench.text("app.gz").len() > 1000);
    assert_eq!(bench.stat(|stats| &stats.lost_damaged), 0);
}

#[test]
fn a_rotation_is_read_though_another_has_its_originals_inode() {
    let mut bench = with_globs(&["app.log"]);
    bench.write("app.log", lines(100, 20));
    bench.start().pass(2).finish();
    bench.write("app.log", lines(120, 20));
    keep_compressed(&bench, "app.log", "app.log.1.gz");
    put(&bench, "app.log", &gzip(lines(7000, 50).as_bytes()));
    bench.rename("app.log", "other.gz");
    bench.start().pass(5);
    assert_eq!(bench.text("app.log"), lines(100, 40), "{:?}", bench.log);
}
