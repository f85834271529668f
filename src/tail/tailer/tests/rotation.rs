//! Renaming, truncating and deleting while the tail runs.

use super::*;

#[test]
fn a_renamed_file_is_read_to_its_end_first() {
    for to in ["app.log.1", "elsewhere"] {
        let mut bench = Bench::new();
        bench.write("app.log", lines(0, 1000));
        let all = bench.budget.try_take(8 * MIB).expect("free");
        bench.start();
        assert_eq!(bench.take_log(), [""; 0], "no budget, no read");
        bench.rename("app.log", to);
        bench.write("app.log", lines(1000, 1000));
        bench.pass(2);
        drop(all);
        bench.pass(1);
        assert_eq!(bench.text("app.log"), lines(0, 2000), "{to}");
        bench.pass(40);
        let last = bench.take_log().pop();
        assert_eq!(last.as_deref(), Some("retired #1"), "{to}");
    }
}

/// Time may then end what waits for another line.
#[test]
fn a_lineage_is_caught_up_after_a_retirement() {
    let mut bench = Bench::new();
    bench.write("app.log", "one\npartial");
    bench.start();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", "two\n");
    bench.pass(1);
    bench.take_log();
    bench.pass(40);
    assert_eq!(bench.text("app.log"), "one\ntwo\npartial");
    assert!(!bench.behind["app.log"]);
}

#[test]
fn a_chain_of_rotations_is_read_in_order() {
    let mut bench = Bench::with(|options| options.files = vec!["app.log*".to_owned()]);
    bench.write("app.log", lines(0, 10));
    bench.start();
    for round in 1..=5 {
        for n in (1..round).rev() {
            bench.rename(&format!("app.log.{n}"), &format!("app.log.{}", n + 1));
        }
        bench.write("app.log", lines(round * 10, 5));
        bench.rename("app.log", "app.log.1");
        bench.write("app.log", lines(round * 10 + 5, 5));
        bench.pass(1);
    }
    assert_eq!(bench.text("app.log"), lines(0, 10) + &lines(10, 50));
    assert_eq!(bench.came.len(), 1, "rotated files are not begun again");
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
    assert_eq!(bench.stat(|s| &s.known_files), 6);
}

#[test]
fn a_writer_that_keeps_the_old_file_is_still_read() {
    let mut bench = Bench::new();
    bench.write("app.log", "old 0\n");
    bench.start();
    let mut writer = OpenOptions::new().append(true).open(bench.path("app.log")).expect("opened");
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", "new\n");
    let mut expect = "old 0\nnew\n".to_owned();
    for n in 1..=6 {
        bench.pass(10);
        let line = format!("old {n}\n");
        writer.write_all(line.as_bytes()).expect("written");
        expect += &line;
    }
    bench.pass(2);
    assert_eq!(bench.text("app.log"), expect);
    // Retired, and yet:
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
    writer.write_all(b"late\n").expect("written");
    bench.pass(2);
    assert_eq!(bench.text("app.log"), expect + "late\n");
    let reopened = "opened app.log #1 at 42".to_owned();
    assert!(bench.take_log().contains(&reopened), "the same File, at the offset it had");
}

#[test]
fn truncating_what_was_read_loses_nothing() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut expect = lines(0, 10);
    for n in 0..51 {
        bench.truncate("app.log");
        bench.write("app.log", lines(n, 1));
        expect += &lines(n, 1);
        bench.pass(1);
        assert_eq!(bench.text("app.log"), expect, "{n}");
    }
    assert_eq!(bench.stat(|s| &s.lost_truncated), 0);
    assert_eq!(bench.stat(|s| &s.truncated_shorter) + bench.stat(|s| &s.truncated_regrown), 51);
    let numbers: std::collections::BTreeSet<_> = bench.opened.iter().map(|o| o.file).collect();
    assert_eq!(numbers.len(), 52, "a number per generation");
    bench.pass(3);
    assert_eq!(bench.saved().files.len(), 1, "settled generations are forgotten");
}

#[test]
fn truncating_what_was_not_read_is_counted() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 2));
    bench.start();
    let all = bench.budget.try_take(8 * MIB).expect("free");
    bench.write("app.log", lines(2, 3));
    bench.pass(2);
    bench.truncate("app.log");
    bench.write("app.log", "n\n");
    drop(all);
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 2) + "n\n");
    assert_eq!(bench.stat(|s| &s.lost_truncated), lines(2, 3).len() as u64);
}

#[test]
fn a_file_that_has_grown_back_is_read_from_its_beginning() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.truncate("app.log");
    bench.write("app.log", lines(100, 50));
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 10) + &lines(100, 50));
    assert_eq!(bench.stat(|s| &s.truncated_regrown), 1);
    assert_eq!(bench.take_log()[2..], ["retired #1", "opened app.log #2 at 0", "#2 0..450"]);
}

#[test]
fn a_writer_that_goes_on_at_its_old_offset_leaves_zeros_that_are_skipped() {
    use std::os::unix::fs::FileExt;
    let mut bench = Bench::new();
    bench.write("app.log", "");
    let writer = OpenOptions::new().write(true).open(bench.path("app.log")).expect("opened");
    writer.write_all_at(lines(0, 10).as_bytes(), 0).expect("written");
    bench.start();
    bench.truncate("app.log");
    let hole = 1_u64 << 30;
    writer.write_all_at(b"after\n", hole).expect("written");
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 10) + "after\n");
    assert_eq!(bench.stat(|s| &s.zeros_skipped), hole);
    assert!(bench.budget.peak() < MIB);
    bench.pass(2);
    assert_eq!(bench.saved().files[0].marks[0].safe, hole + 6, "the zeros are settled");
}

#[test]
fn a_deleted_file_is_read_through_its_handle_and_let_go() {
    let mut bench = Bench::new();
    let all = bench.budget.try_take(8 * MIB).expect("free");
    bench.write("app.log", lines(0, 1000) + "unfinished");
    bench.start();
    bench.remove("app.log");
    bench.pass(60);
    assert_eq!(bench.text("app.log"), "");
    drop(all);
    bench.pass(1);
    assert_eq!(bench.text("app.log"), lines(0, 1000));
    bench.pass(15);
    assert_eq!(bench.text("app.log"), lines(0, 1000) + "unfinished");
    let log = bench.take_log();
    assert!(log[log.len() - 2].ends_with("Partial"), "{log:?}");
    assert_eq!(log[log.len() - 1], "retired #1, last");
    bench.pass(3);
    assert_eq!(bench.stat(|s| &s.open_files), 0);
    assert_eq!(bench.saved().files, [], "gone and settled");
    assert_eq!(bench.stat(|s| &s.lineages), 0);
}

#[test]
fn a_file_under_the_same_name_later_is_another() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.remove("app.log");
    bench.pass(30);
    bench.write("app.log", lines(0, 10));
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 10) + &lines(0, 10));
    let [one, other] = &bench.opened[..] else { panic!("{:?}", bench.opened) };
    assert!(one.file != other.file && one.lineage != other.lineage);
}

#[test]
fn an_unfinished_line_waits_for_its_end_also_when_renamed() {
    let mut bench = Bench::new();
    bench.write("app.log", "one\nunfin");
    bench.start();
    bench.pass(300);
    assert_eq!(bench.text("app.log"), "one\n");
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", "next\n");
    bench.pass(10);
    bench.write("app.log.1", "ished\nhalf");
    bench.pass(5);
    assert_eq!(bench.text("app.log"), "one\nnext\nunfinished\n");
    bench.pass(40);
    assert_eq!(bench.text("app.log"), "one\nnext\nunfinished\nhalf");
    assert_eq!(bench.stat(|s| &s.partial_lines), 1);
}

#[test]
fn files_renamed_before_they_were_seen_are_followed() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut chain = Vec::new();
    for n in 1..=3 {
        for (from, to) in
            [("app.log.2", "app.log.3"), ("app.log.1", "app.log.2"), ("app.log", "app.log.1")]
        {
            if bench.path(from).exists() {
                bench.rename(from, to);
                chain.push((bench.path(from), bench.path(to)));
            }
        }
        bench.write("app.log", lines(n * 10, 10));
    }
    bench.inbox.post(|posted| chain.into_iter().for_each(|(from, to)| posted.follow(from, to)));
    bench.pass(1);
    assert_eq!(bench.text("app.log"), lines(0, 40));
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
}
