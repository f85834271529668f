//! Going on where the last run stopped.

use super::*;
use crate::checkpoint::snapshot::FileEntry;

fn entry(bench: &Bench) -> FileEntry {
    let saved = bench.saved();
    let [entry] = &saved.files[..] else { panic!("{:?}", saved.files) };
    entry.clone()
}

#[test]
fn a_restart_goes_on_where_it_stopped() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10) + "half");
    bench.start();
    assert!(bench.finish().saved);
    bench.write("app.log", " line\n");
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 10) + "half line\n");
    assert_eq!(
        bench.log,
        ["opened app.log #1 at 0", "#1 0..70", "opened app.log #1 at 70", "#1 70..80"]
    );
    let resume = &bench.opened[1].resume;
    assert_eq!(resume.parser.as_deref(), Some("70"), "with the state as of the offset");
}

#[test]
fn the_number_is_saved_before_the_first_byte_is_sent() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    assert_eq!(bench.log.len(), 2);
    let saved = bench.kill().saved();
    assert_eq!((saved.files[0].number, saved.files[0].marks[0].safe), (1, 0));
    bench.start();
    let sent_again = "opened app.log #1 at 0";
    assert_eq!(bench.log[2], sent_again, "the same ids");
    // And what is new gets numbers that were not used, not even by what was never saved.
    bench.kill();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(0, 10));
    bench.start();
    assert!(bench.opened.last().expect("opened").file.0 > 256);
}

#[test]
fn destinations_go_on_each_where_it_was() {
    let mut bench = Bench::with(|options| options.destinations = vec!["search", "grafana"]);
    bench.settle = false;
    bench.options.chunk = 70;
    bench.write("app.log", lines(0, 30));
    bench.start();
    for chunk in std::mem::take(&mut bench.held).iter().take(3) {
        settle(&bench.tracker, 1, chunk);
        if chunk.span.start == 0 {
            settle(&bench.tracker, 0, chunk);
        }
    }
    bench.finish();
    bench.start();
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.offset, &opened.settled[..]), (70, &[70, 198][..]));
    assert_eq!(opened.resume.parser.as_deref(), Some("70"), "of the slower one");
    assert_eq!(bench.text("app.log"), lines(0, 30) + &lines(10, 20));
}

#[test]
fn destinations_may_come_and_go() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    bench.options.destinations = vec!["grafana", "search"];
    bench.start();
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.offset, &opened.settled[..]), (0, &[0, 70][..]), "the new one begins");
    bench.settle = false;
    bench.finish();
    bench.options.destinations = vec!["grafana"];
    bench.write("app.log", lines(10, 1));
    bench.start();
    bench.settle_held();
    bench.finish();
    assert_eq!(entry(&bench).marks.len(), 2, "the removed one is remembered");
    bench.options.destinations = vec!["search"];
    bench.start();
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.offset, &opened.settled[..]), (70, &[70][..]), "and goes on");
}

#[test]
fn a_new_destination_begins_as_a_source_would() {
    let mut bench = Bench::with(|options| options.start_at_end = true);
    bench.write("app.log", lines(0, 10) + "unfin");
    bench.start();
    assert_eq!(bench.log, [""; 0], "at the end");
    bench.write("app.log", "ished\n");
    bench.pass(1);
    assert_eq!(bench.text("app.log"), "unfinished\n", "of whole lines");
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(20, 3));
    bench.pass(1);
    assert_eq!(bench.text("app.log"), "unfinished\n".to_owned() + &lines(20, 3), "not later ones");
    bench.finish();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(30, 3));
    bench.start();
    assert!(bench.text("app.log").ends_with(&lines(30, 3)), "nor those of the time away");
}

#[test]
fn files_renamed_while_away_are_read_first() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    bench.write("app.log", lines(10, 10));
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(900, 1));
    for (from, to) in [("app.log.1", "old"), ("app.log", "app.log.1")] {
        bench.rename(from, to);
    }
    bench.write("app.log", lines(20, 10));
    bench.start();
    // The one in between came and went unseen; nothing tells that it was ever ours.
    assert_eq!(bench.text("app.log"), lines(0, 30));
    assert_eq!(
        bench.log[2..],
        ["opened app.log #1 at 70", "#1 70..150", "opened app.log #514 at 0", "#514 0..80"]
    );
    bench.pass(60);
    bench.finish();
    let saved = bench.saved();
    let seen: Vec<_> =
        saved.files.iter().map(|f| f.at.as_deref().map(|at| at.ends_with("/old"))).collect();
    assert_eq!(seen, [Some(true), None]);
}

#[test]
fn what_was_truncated_or_replaced_while_away_is_read_from_its_beginning() {
    for (kind, regrown) in [("truncated", 3), ("regrown", 50), ("replaced", 50), ("replaced", 10)] {
        let mut bench = Bench::new();
        bench.settle = false;
        bench.write("app.log", lines(0, 10));
        bench.start();
        let chunk = bench.held.pop().expect("a chunk");
        settle(&bench.tracker, 0, &chunk);
        bench.write("app.log", "left behind\n");
        bench.pass(1);
        bench.finish();
        if kind == "replaced" {
            bench.write("new", "");
            bench.rename("new", "app.log");
        } else {
            bench.truncate("app.log");
        }
        bench.write("app.log", lines(500, regrown));
        bench.start();
        bench.settle_held();
        assert_eq!(bench.log[3], "opened app.log #514 at 0", "{kind}");
        assert!(bench.text("app.log").ends_with(&lines(500, regrown)));
        assert_eq!(bench.stat(|s| &s.lost_gone), 12, "{kind}");
        bench.pass(2);
        assert_eq!(entry(&bench).number, 514);
    }
}

#[test]
fn what_was_truncated_and_then_rotated_while_away_is_read() {
    for (to, read) in [("app.log.1", true), ("app.log.1.gz", false), ("app.db", false)] {
        let mut bench = Bench::new();
        bench.write("app.log", lines(0, 10));
        bench.start().finish();
        bench.truncate("app.log");
        bench.write("app.log", lines(500, 50));
        bench.rename("app.log", to);
        bench.write("app.log", lines(600, 5));
        bench.start();
        let rotated = if read { lines(500, 50) } else { String::new() };
        assert_eq!(bench.text("app.log"), lines(0, 10) + &rotated + &lines(600, 5), "{to}");
        assert_eq!(bench.opened.len(), if read { 3 } else { 2 }, "{to}");
        let lineages: BTreeMap<_, _> = bench.opened.iter().map(|o| (o.lineage, &o.path)).collect();
        assert_eq!(
            lineages.values().filter(|path| path.ends_with("app.log")).count(),
            lineages.len()
        );
    }
}

/// The target of a link, as container logs are, is renamed where no glob looks.
#[test]
fn a_links_target_that_was_rotated_beside_itself_is_found_again() {
    for rotated_while_running in [false, true] {
        let mut bench = Bench::new();
        let pods = bench.dir.path().join("pods");
        fs::create_dir(&pods).expect("made");
        bench.options.links_to = vec![pods.clone()];
        std::os::unix::fs::symlink(pods.join("0.log"), bench.path("app.log")).expect("linked");
        append(&pods.join("0.log"), lines(0, 10).as_bytes());
        bench.settle = !rotated_while_running;
        bench.start();
        let rotate = |bench: &Bench| {
            append(&pods.join("0.log"), lines(10, 10).as_bytes());
            fs::rename(pods.join("0.log"), pods.join("0.log.20260101")).expect("renamed");
            append(&pods.join("0.log"), lines(20, 10).as_bytes());
            assert!(bench.path("app.log").exists());
        };
        if rotated_while_running {
            rotate(&bench);
            bench.pass(1);
        }
        bench.finish();
        if !rotated_while_running {
            rotate(&bench);
        } else {
            bench.came.clear();
        }
        bench.settle = true;
        bench.start();
        let text = bench.text("app.log");
        assert_eq!(text, lines(0, 30), "while running: {rotated_while_running}");
        assert_eq!(bench.stat(|s| &s.lost_gone), 0);
    }
}

#[test]
fn a_file_that_is_moved_to_a_directory_of_old_logs_is_found_again() {
    let mut bench = Bench::new();
    bench.settle = false;
    fs::create_dir(bench.path("old")).expect("made");
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.rename("app.log", "old/app.log.1");
    bench.write("app.log", lines(10, 10));
    bench.pass(1);
    bench.finish();
    bench.came.clear();
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 20));
}

#[test]
fn what_a_rotated_file_ended_in_the_next_begins_in() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(10, 10));
    bench.start();
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.offset, opened.resume.parser.as_deref()), (0, Some("70")));
    // Of files that the worker has read itself it knows better.
    bench.rename("app.log", "app.log.2");
    bench.write("app.log", lines(20, 10));
    bench.pass(1);
    let opened = bench.opened.last().expect("opened");
    assert_eq!((opened.offset, opened.resume.parser.as_deref()), (0, None));
}

#[test]
fn a_directory_that_appears_later_is_read_from_the_beginning() {
    let mut bench = Bench::with(|options| {
        options.start_at_end = true;
        options.files = vec!["later/*.log".to_owned()];
    });
    bench.start().pass(2);
    fs::create_dir(bench.path("later")).expect("made");
    bench.write("later/app.log", lines(0, 3));
    bench.pass(3);
    assert_eq!(bench.text("app.log"), lines(0, 3));
}

#[test]
fn what_was_deleted_while_away_is_counted() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    assert_eq!(bench.finish().unsettled, 70);
    bench.remove("app.log");
    bench.start();
    assert_eq!(bench.stat(|s| &s.lost_gone), 70);
    bench.finish();
    assert_eq!(bench.saved().files, []);
}

#[test]
fn a_file_that_cannot_be_looked_at_is_not_given_up() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    fs::rename(bench.dir.path().join("logs"), bench.dir.path().join("unmounted")).expect("renamed");
    bench.start().pass(5).finish();
    assert_eq!(bench.saved().files.len(), 1);
    fs::rename(bench.dir.path().join("unmounted"), bench.dir.path().join("logs")).expect("renamed");
    bench.write("app.log", lines(10, 1));
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 11));
}

#[test]
fn any_damage_to_the_checkpoint_costs_repeats_at_most() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    for damaged in [&b""[..], b"rubbish", &[0; 4096]] {
        for name in ["checkpoint", "checkpoint.previous"] {
            fs::write(bench.dir.path().join("state").join(name), damaged).expect("written");
        }
        bench.came.clear();
        bench.start();
        assert_eq!(bench.text("app.log"), lines(0, 10));
        bench.finish();
    }
}

/// `start_at: end` was for what was there when the source was tailed for the first time.
#[test]
fn where_nobody_knows_what_was_read_nothing_is_skipped() {
    for damaged in [&["checkpoint"][..], &["checkpoint", "checkpoint.previous"]] {
        let mut bench = Bench::with(|options| options.start_at_end = true);
        bench.write("app.log", lines(0, 10));
        bench.start().pass(1);
        // Known to the newest generation only.
        bench.source = "other";
        bench.hand_over().kill();
        for name in damaged {
            fs::write(bench.dir.path().join("state").join(name), "rubbish").expect("written");
        }
        bench.write("app.log", lines(10, 5));
        bench.start();
        assert!(bench.text("app.log").ends_with(&lines(10, 5)), "{:?}", bench.text("app.log"));
        bench.pass(2).kill();
        // Once that is saved, a source that is new is new.
        bench.came.clear();
        bench.source = "third";
        bench.start();
        assert_eq!(bench.text("app.log"), "");
    }
}

#[test]
fn a_source_that_began_is_saved_before_anything_appears() {
    let mut bench = Bench::with(|options| options.start_at_end = true);
    bench.start().kill();
    bench.write("app.log", lines(0, 3));
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 3));
}

#[test]
fn a_full_disk_stops_neither_known_nor_new_files() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let in_the_way = bench.dir.path().join("state/checkpoint.new");
    fs::create_dir(&in_the_way).expect("made");
    bench.write("app.log", lines(10, 10));
    bench.pass(2);
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(20, 10));
    bench.pass(5);
    assert_eq!(bench.text("app.log"), lines(0, 30));
    assert!(bench.stat(|s| &s.save_errors) >= 3);
    fs::remove_dir(&in_the_way).expect("removed");
    bench.pass(3);
    let saved = bench.saved();
    let safe: Vec<_> = saved.files.iter().map(|file| file.marks[0].safe).collect();
    assert_eq!(safe, [150, 80], "saved as soon as that is possible again");
}

#[test]
fn numbers_that_might_have_been_used_wait_for_a_save() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 1));
    bench.start().finish();
    let in_the_way = bench.dir.path().join("state/checkpoint.new");
    fs::create_dir(&in_the_way).expect("made");
    bench.write("app.log", lines(1, 1));
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(2, 1));
    bench.start().pass(5);
    assert_eq!(bench.text("app.log"), lines(0, 2), "the known one only");
    fs::remove_dir(&in_the_way).expect("removed");
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 3));
}
