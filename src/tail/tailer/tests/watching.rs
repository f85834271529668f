//! Events that are not to be had, do not come, or come again.

use super::awaiting::{gone_for_good, pass_touching};
use super::*;
use crate::tail::watcher::Watcher;

fn with_events(files: &[&str]) -> Bench {
    let mut bench = Bench::new();
    bench.options.files = files.iter().map(|&name| name.to_owned()).collect();
    bench.options.polling = false;
    bench
}

/// From here on the kernel's events go nowhere: hints are what the test posts.
fn deafen(bench: &mut Bench) {
    let deaf = Watcher::new(Arc::new(Inbox::default())).expect("inotify");
    bench.tailer.as_mut().expect("started").watching.watcher = Some(deaf);
    drop(bench.inbox.take());
}

fn polls(bench: &Bench) -> bool {
    bench.stats.polling.load(Ordering::Relaxed)
}

#[test]
fn s45_files_that_grow_without_an_event_are_polled() {
    let mut bench = with_events(&["app.log"]);
    bench.write("app.log", lines(0, 1));
    bench.start();
    deafen(&mut bench);
    let mut next = 1;
    while !polls(&bench) {
        bench.write("app.log", lines(next, 1));
        next += 1;
        bench.pass(1);
        assert!(next < 20, "never noticed");
    }
    bench.write("app.log", lines(next, 1));
    bench.pass(1);
    assert_eq!(bench.text("app.log"), lines(0, next + 1));
    bench.pass(1000);
    assert!(polls(&bench), "events there would be no better");
}

#[test]
fn s45_a_directory_without_events_is_noticed_beside_one_with_them() {
    let mut bench = with_events(&["loud/app.log", "mute/app.log"]);
    for dir in ["loud", "mute"] {
        fs::create_dir(bench.path(dir)).expect("made");
        bench.write(&format!("{dir}/app.log"), "first\n");
    }
    bench.start();
    deafen(&mut bench);
    let loud = bench.path("loud/app.log");
    for _ in 0..30 {
        for name in ["loud/app.log", "mute/app.log"] {
            bench.write(name, "line\n");
        }
        bench.inbox.post(|posted| posted.change(loud.clone()));
        bench.pass(1);
    }
    assert!(polls(&bench));
}

/// A look may find what was written before the hint about it comes.
#[test]
fn hints_that_come_late_are_no_reason_to_poll() {
    let mut bench = with_events(&["app.log"]);
    bench.write("app.log", "first\n");
    bench.start();
    deafen(&mut bench);
    let log = bench.path("app.log");
    for _ in 0..30 {
        bench.pass(3);
        bench.write("app.log", "line\n");
        bench.tailer.as_mut().expect("started").look_due = bench.clock.instant;
        bench.run();
        bench.inbox.post(|posted| posted.change(log.clone()));
        bench.run();
    }
    assert_eq!(bench.text("app.log"), "first\n".to_owned() + &"line\n".repeat(30));
    assert!(!polls(&bench));
}

/// It is not looked at, and so never seen to have been hinted at.
#[test]
fn a_file_that_waits_for_an_older_one_is_no_reason_to_poll() {
    let mut bench = with_events(&["app.log"]);
    gone_for_good(&mut bench);
    bench.start();
    pass_touching(&mut bench, 20);
    assert_eq!(bench.text("app.log"), "", "it waits");
    assert!(!polls(&bench));
}

#[test]
fn s45_events_that_could_not_be_had_are_tried_again() {
    let mut bench = with_events(&["app.log"]);
    bench.write("app.log", "one\n");
    bench.start();
    assert!(!polls(&bench), "inotify");
    bench.inbox.post(|posted| posted.failed = Some("no watches are left".to_owned()));
    bench.pass(290);
    assert!(polls(&bench));
    bench.write("app.log", "two\n");
    bench.pass(1);
    assert_eq!(bench.text("app.log"), "one\ntwo\n");
    bench.pass(20);
    assert!(!polls(&bench));
}

/// Directories that grew without an event and are gone since are no reason to look round more often.
#[test]
fn directories_under_suspicion_are_forgotten_with_what_they_held() {
    let mut bench = with_events(&["*/app.log"]);
    fs::create_dir(bench.path("a")).expect("made");
    bench.write("a/app.log", "first\n");
    bench.start();
    bench.pass(60);
    deafen(&mut bench);
    let suspects = |bench: &Bench| bench.tailer.as_ref().expect("started").watching.suspects();
    for _ in 0..20 {
        // The watcher before may still tell of the first.
        bench.write("a/app.log", "second\n");
        bench.pass(1);
        if suspects(&bench) == 1 {
            break;
        }
    }
    assert_eq!(suspects(&bench), 1);
    fs::remove_dir_all(bench.path("a")).expect("removed");
    bench.pass(10);
    assert_eq!(suspects(&bench), 0);
    assert!(!polls(&bench));
}

/// Of very many files, most are only listed; what no event told of is found all the same: at once if a
/// name came or went, and a little later if a file only grew.
#[test]
fn of_very_many_files_each_is_asked_only_every_now_and_then() {
    let mut bench = with_events(&["*.log"]);
    bench.options.max_open = 1_000;
    for n in 0..7_050 {
        bench.write(&format!("f{n}.log"), "first\n");
    }
    bench.start();
    bench.pass(60);
    deafen(&mut bench);
    assert_eq!(bench.came.len(), 7_050);
    let looks = |bench: &Bench| bench.stat(|stats| &stats.rescans);
    let look = |bench: &mut Bench| {
        let before = looks(bench);
        while looks(bench) == before {
            bench.pass(1);
        }
    };
    // The deaf one begins to watch, which is a reason to ask.
    look(&mut bench);
    look(&mut bench);
    for round in 1..=2 {
        // So that the next one only lists.
        while bench.tailer.as_ref().expect("started").watching.listed() != 0 {
            look(&mut bench);
        }
        bench.write("f1.log", "grown\n");
        bench.write(&format!("new{round}.log"), "first\n");
        bench.remove(&format!("f{}.log", 10 + round));
        bench.rename(&format!("f{}.log", 20 + round), &format!("moved{round}.log"));
        bench.write(&format!("f{}.log", 20 + round), "another\n");
        look(&mut bench);
        assert_eq!(bench.text(&format!("new{round}.log")), "first\n");
        assert_eq!(bench.text(&format!("f{}.log", 20 + round)), "first\nanother\n");
        assert_eq!(bench.text("f1.log"), format!("first\n{}", "grown\n".repeat(round - 1)));
        look(&mut bench);
        assert_eq!(bench.text("f1.log"), format!("first\n{}", "grown\n".repeat(round)));
    }
}
