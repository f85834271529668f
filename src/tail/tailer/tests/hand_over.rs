//! From one tailer to the next within the process.

use super::*;

#[test]
fn what_is_in_flight_is_read_again_and_numbers_stay() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.settle = false;
    bench.write("app.log", lines(10, 10));
    bench.pass(1).take_log();
    bench.hand_over();
    assert_eq!(bench.take_log(), ["opened app.log #1 at 70", "#1 70..150"]);
    assert_eq!(bench.opened.last().map(|opened| opened.settled.clone()), Some(vec![70]));
    bench.settle_held();
    bench.write("new.log", "");
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", "next\n");
    bench.pass(1);
    assert_eq!(bench.log[0], "opened app.log #2 at 0", "no number is used twice");
}

#[test]
fn a_file_without_a_name_is_read_on_and_let_go_in_its_time() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut writer = OpenOptions::new().append(true).open(bench.path("app.log")).expect("opened");
    bench.settle = false;
    bench.remove("app.log");
    bench.pass(4);
    for n in 1..=2 {
        writer.write_all(lines(10 * n, 10).as_bytes()).expect("written");
        bench.pass(1).hand_over();
    }
    assert_eq!(bench.opened.last().map(|opened| (opened.file.0, opened.offset)), Some((1, 70)));
    bench.settle_held();
    bench.pass(30);
    assert_eq!(bench.tailer.as_ref().map(|tailer| tailer.files.len()), Some(0));
    assert!(bench.text("app.log").ends_with(&lines(10, 20)));
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
}

#[test]
fn a_file_truncated_meanwhile_is_begun_anew_in_its_lineage() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.settle = false;
    bench.write("app.log", lines(10, 10));
    bench.pass(1);
    bench.inbox.post(|posted| posted.stop = true);
    bench.turn();
    bench.truncate("app.log");
    bench.write("app.log", lines(50, 20));
    bench.take_log();
    bench.hand_over();
    assert_eq!(bench.take_log(), ["opened app.log #2 at 0", "#2 0..160"]);
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 80, "what was in flight is counted");
}

/// The old tail may wait for seconds until deliveries have settled or given up.
#[test]
fn s48_a_file_made_and_gone_again_during_a_hand_over_is_read() {
    for deleted in [false, true] {
        let mut bench = Bench::new();
        bench.write("app.log", lines(0, 10));
        bench.start().take_log();
        bench.inbox.post(|posted| posted.stop = true);
        bench.turn();
        bench.rename("app.log", "app.log.1");
        bench.write("app.log", lines(10, 10));
        bench.pass(1);
        assert!(bench.saved().files.iter().any(|entry| entry.number == 2), "before it is sent");
        match deleted {
            true => bench.remove("app.log"),
            false => bench.rename("app.log", "elsewhere"),
        }
        bench.pass(1);
        bench.write("app.log", lines(20, 10));
        assert_eq!(bench.take_log(), [""; 0], "nothing is read");
        bench.hand_over().pass(1);
        assert_eq!(bench.text("app.log"), lines(0, 30), "deleted: {deleted}");
        assert_eq!(bench.opened.last().map(|opened| opened.file.0), Some(3));
        assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
    }
}

/// What the old tail was told and did not look at any more.
#[test]
fn where_files_went_is_inherited() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(10, 10));
    bench.rename("app.log", "elsewhere");
    let (from, at) = (bench.path("app.log"), bench.path("elsewhere"));
    // All in one: a save that waits for its disk keeps the tail from hearing of anything.
    bench.inbox.post(|posted| {
        (posted.stop, posted.finish) = (true, true);
        posted.follow(from, at);
    });
    let Next::Finished(_) = bench.turn() else { panic!("goes on") };
    bench.handed_over = bench.tailer.take().expect("started").bequeath();
    assert!(bench.handed_over.is_some());
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 20));
}

#[test]
fn a_source_that_is_no_longer_configured_is_remembered() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.source = "other";
    bench.options.files = vec!["other.log".to_owned()];
    bench.hand_over();
    bench.write("app.log", lines(10, 1));
    bench.write("other.log", "other\n");
    bench.pass(2);
    assert_eq!(bench.text("other.log"), "other\n");
    bench.source = "app";
    bench.options.files = vec!["app.log".to_owned()];
    bench.take_log();
    bench.hand_over();
    assert_eq!(bench.take_log(), ["opened app.log #1 at 70", "#1 70..78"]);
}

/// Nothing of a destination's first line to its last is decided by when it came.
#[test]
fn a_new_destination_begins_by_start_at() {
    for (at_end, expect) in [(true, vec![70, 70]), (false, vec![0, 70])] {
        let mut bench = Bench::with(|options| options.destinations = vec!["search"]);
        bench.write("app.log", lines(0, 10));
        bench.start();
        bench.options.start_at_end = at_end;
        bench.options.destinations = vec!["grafana", "search"];
        bench.take_log();
        bench.hand_over();
        bench.write("app.log", "more\n");
        bench.pass(1);
        let opened = bench.opened.last().expect("opened");
        assert_eq!(opened.settled, expect, "{at_end}");
        assert!(bench.text("app.log").ends_with("more\n"));
        // The same after a restart.
        bench.finish();
        bench.options.destinations = vec!["third", "grafana", "search"];
        bench.start();
        bench.write("app.log", "last\n");
        bench.pass(1);
        let begun = if at_end { 75 } else { 0 };
        assert_eq!(bench.opened.last().expect("opened").settled, [begun, 75, 75], "{at_end}");
    }
}

/// What a user excludes is not shipped any more, be it open, and it is gone on with if that is undone.
#[test]
fn what_the_globs_leave_out_now_is_read_no_further() {
    type Change = fn(&mut Options);
    let exclude: Change = |options| options.exclude = vec!["secret.log".to_owned()];
    let narrow: Change = |options| options.files = vec!["app.log".to_owned()];
    for (change, reload) in [(exclude, true), (exclude, false), (narrow, true), (narrow, false)] {
        let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
        for name in ["app.log", "secret.log"] {
            bench.write(name, lines(0, 10));
        }
        bench.start();
        change(&mut bench.options);
        let next = |bench: &mut Bench| {
            if reload {
                bench.leave();
            } else {
                bench.pass(1).finish();
            }
            bench.start();
        };
        next(&mut bench);
        for round in 1..5 {
            for name in ["app.log", "secret.log"] {
                bench.write(name, lines(10 * round, 10));
            }
            bench.pass(20);
            if round == 2 {
                bench.rename("secret.log", "secret.log.1");
                bench.write("secret.log", "new\n");
            }
            if round == 3 {
                next(&mut bench);
            }
        }
        assert_eq!(bench.text("secret.log"), lines(0, 10), "{reload}");
        assert_eq!(bench.text("app.log"), lines(0, 50), "{reload}");
        bench.options.exclude = Vec::new();
        bench.options.files = vec!["*.log".to_owned()];
        bench.take_log();
        next(&mut bench);
        bench.pass(3);
        let secret = bench.text("secret.log");
        let expect = format!("{}new\n{}", lines(0, 30), lines(30, 20));
        assert_eq!(secret, expect, "each read on from where it was left");
        assert_eq!(bench.stat(|stats| &stats.lost_gone), 0, "{reload}");
    }
}

/// A network file system that does not answer for a moment costs neither the place nor the handle.
#[test]
fn a_file_that_cannot_be_read_at_once_keeps_its_number_and_its_handle() {
    for deleted in [false, true] {
        let mut bench = Bench::new();
        bench.write("app.log", lines(0, 10));
        bench.start();
        bench.write("app.log", lines(10, 10));
        bench.leave();
        if deleted {
            bench.remove("app.log");
        }
        // A directory opens, and cannot be read.
        let unreadable = File::open(bench.dir.path()).expect("opens");
        let handed_over = bench.handed_over.as_mut().expect("left");
        let kept = handed_over.inherited.handles.get_mut(&1).expect("open");
        let readable = std::mem::replace(&mut kept.file, unreadable);
        bench.take_log();
        bench.start();
        if deleted {
            bench.pass(3);
            assert_eq!(bench.take_log(), [""; 0], "it cannot be read");
        }
        let tailer = bench.tailer.as_mut().expect("started");
        if let Some(kept) = tailer.unadopted.get_mut(&1) {
            kept.file = readable;
        }
        bench.pass(3);
        assert_eq!(bench.take_log(), ["opened app.log #1 at 70", "#1 70..150"], "{deleted}");
        assert_eq!(bench.stat(|stats| &stats.lost_gone), 0, "{deleted}");
        assert!(bench.tailer.as_ref().is_some_and(|tailer| tailer.unadopted.is_empty()));
    }
}

#[test]
fn the_own_log_that_was_asked_for_is_let_go_when_it_is_not_any_more() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    assert!(bench.text("app.log").ends_with(&lines(0, 10)));
    let own = OpenOptions::new().append(true).open(bench.path("app.log")).expect("opened");
    bench.options.own_log = Some(Arc::new(OwnLog::in_file(&own)));
    bench.hand_over();
    bench.take_log();
    bench.pass(2);
    assert_eq!(bench.tailer.as_ref().map(|tailer| tailer.files.len()), Some(0));
    assert_eq!(bench.stat(|stats| &stats.refused.own_log), 1, "said once");
    bench.options.own_log = None;
    bench.write("app.log", lines(10, 10));
    bench.hand_over();
    assert!(bench.text("app.log").ends_with(&lines(10, 10)), "from where it was left");
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
}

/// The own log of a process that begins now, in `app.log`.
fn own_log(bench: &Bench) -> Option<Arc<OwnLog>> {
    let own = OpenOptions::new().append(true).create(true).open(bench.path("app.log"));
    Some(Arc::new(OwnLog::in_file(&own.expect("opened"))))
}

#[test]
fn what_others_wrote_to_the_own_log_before_a_restart_is_read_on_at_once() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.options.own_log = own_log(&bench);
    bench.start();
    assert_eq!(bench.text("app.log"), "", "its own");
    bench.write("app.log", lines(10, 10));
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 20));
    bench.finish();
    bench.write("app.log", lines(20, 10));
    bench.options.own_log = own_log(&bench);
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 30), "nobody has written since");
    // Another file under that name is not what was tailed.
    bench.finish();
    bench.remove("app.log");
    bench.write("other", lines(0, 1));
    bench.write("app.log", lines(30, 10));
    bench.options.own_log = own_log(&bench);
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 30), "its own");
}

#[test]
fn what_others_write_to_the_own_log_is_read_from_where_it_began() {
    for at_end in [true, false] {
        let mut bench = Bench::with(|options| options.start_at_end = at_end);
        bench.write("app.log", lines(0, 10));
        bench.options.own_log = own_log(&bench);
        bench.start();
        bench.pass(2);
        assert_eq!(bench.text("app.log"), "", "its own");
        bench.write("app.log", lines(10, 10));
        bench.pass(2);
        let expect = if at_end { lines(10, 10) } else { lines(0, 20) };
        assert_eq!(bench.text("app.log"), expect, "{at_end}");
    }
}
