//! The end: everything read, or said what was not.

use tokio::sync::oneshot::Receiver as Told;

use super::*;
use crate::tail::LeftBehind;

fn drain(bench: &mut Bench, seconds: u64) -> Told<LeftBehind> {
    let (done, told) = tokio::sync::oneshot::channel();
    let deadline = bench.clock.instant + Duration::from_secs(seconds);
    bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
    told
}

#[test]
fn a_drain_reads_everything_and_retires_every_file() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    bench.write("a.log", "a\n");
    bench.start();
    bench.write("a.log", "more\n");
    bench.write("b.log", "new\nlast");
    let mut told = drain(&mut bench, 25);
    bench.run();
    assert!(told.try_recv().is_err(), "the last line may grow yet");
    bench.pass(1);
    assert_eq!(told.try_recv(), Ok(LeftBehind::default()));
    assert_eq!(bench.text("a.log"), "a\nmore\n");
    assert_eq!(bench.text("b.log"), "new\nlast");
    assert_eq!(bench.log[bench.log.len() - 2..], ["retired #1, last", "retired #2, last"]);
    let reads = bench.reads.as_ref().expect("started");
    assert_eq!(reads.try_recv().expect_err("closed"), std::sync::mpsc::TryRecvError::Disconnected);
    bench.write("a.log", "too late\n");
    bench.pass(3);
    let finished = bench.finish();
    assert_eq!(finished, Finished { unsettled: 9, saved: true });
    bench.start();
    assert_eq!(bench.text("a.log"), "a\nmore\ntoo late\n");
}

#[test]
fn a_line_that_is_being_written_is_left_whole_for_the_next_start() {
    let mut bench = Bench::new();
    bench.write("app.log", "one\nunf");
    bench.start().pass(5);
    let mut told = drain(&mut bench, 25);
    bench.write("app.log", "ini");
    bench.run();
    bench.write("app.log", "shed");
    bench.pass(1);
    assert_eq!(told.try_recv(), Ok(LeftBehind { bytes: 10, files: 1 }));
    bench.finish();
    bench.write("app.log", "\n");
    bench.start();
    assert_eq!(bench.text("app.log"), "one\nunfinished\n");
}

/// What nobody has settled may be held by a joiner, for a line that follows.
#[test]
fn s25_what_may_be_a_joined_record_is_left_whole_if_it_goes_on() {
    #[derive(Debug, PartialEq)]
    enum Then {
        Ends,
        GoesOn,
        IsDeleted,
        IsRotated,
    }
    for (then, late) in [
        (Then::Ends, false),
        (Then::Ends, true),
        (Then::GoesOn, false),
        (Then::GoesOn, true),
        (Then::IsDeleted, false),
        (Then::IsRotated, false),
    ] {
        let mut bench = Bench::new();
        bench.start();
        bench.settle = false;
        bench.write("app.log", "trace\n");
        bench.pass(1);
        let mut told = drain(&mut bench, if late { 0 } else { 25 });
        if !late {
            bench.turn();
            assert!(told.try_recv().is_err(), "it may go on yet");
        }
        if then == Then::IsRotated {
            bench.rename("app.log", "app.log.1");
        }
        if then != Then::Ends {
            bench.write("app.log", "\tat\n");
        }
        if then == Then::IsDeleted {
            bench.remove("app.log");
        }
        bench.pass(if then == Then::GoesOn { 0 } else { 1 }).run();
        assert!(told.try_recv().is_ok(), "{then:?} {late}");
        let retired = bench.log.iter().any(|said| said == "retired #1, last");
        // With no time to look, the last that was heard of it counts.
        let goes_on = matches!(then, Then::GoesOn | Then::IsRotated);
        assert_eq!(retired, !goes_on || late, "{then:?} {late} {:?}", bench.log);
    }
}

#[test]
fn a_preallocated_file_goes_on_after_a_drain() {
    use std::os::unix::fs::FileExt;
    let mut bench = Bench::new();
    bench.write("app.log", vec![0; 1 << 20]);
    let file = OpenOptions::new().write(true).open(bench.path("app.log")).expect("opened");
    file.write_all_at(b"one\ntw", 0).expect("written");
    bench.start();
    let mut told = drain(&mut bench, 25);
    bench.pass(2);
    assert_eq!(told.try_recv(), Ok(LeftBehind::default()), "zeros are nothing to be left");
    assert_eq!(bench.finish().unsettled, 0);
    file.write_all_at(b"o\nthree\n", 6).expect("written");
    bench.start();
    assert_eq!(bench.text("app.log"), "one\ntwo\nthree\n");
    assert_eq!(bench.opened.last().map(|opened| opened.file.0), Some(1), "the same File");
}

#[test]
fn a_drain_without_budget_gives_up_at_its_deadline() {
    let mut bench = Bench::new();
    let _all = bench.budget.try_take(8 * MIB).expect("free");
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut told = drain(&mut bench, 5);
    bench.pass(4);
    assert!(told.try_recv().is_err());
    bench.pass(1);
    assert_eq!(told.try_recv(), Ok(LeftBehind { bytes: 70, files: 1 }));
    assert_eq!(bench.finish(), Finished { unsettled: 70, saved: true });
}

#[test]
fn settling_goes_on_being_saved_after_a_drain() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut told = drain(&mut bench, 25);
    bench.pass(2);
    assert!(told.try_recv().is_ok());
    bench.settle_held();
    bench.pass(2);
    assert_eq!(bench.saved().files[0].marks[0].safe, 70);
    assert_eq!(bench.finish().unsettled, 0);
}

#[test]
fn a_writer_that_never_stops_does_not_hold_the_drain() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut all = bench.budget.try_take(8 * MIB);
    bench.write("app.log", lines(0, 10));
    let mut told = drain(&mut bench, 25);
    let mut turns = 0;
    let left = loop {
        bench.turn();
        bench.write("app.log", lines(0, 10));
        if let Ok(left) = told.try_recv() {
            break left;
        }
        turns += 1;
        if turns == 10 {
            all = None;
        }
        assert!(turns < 100);
    };
    assert!(all.is_none() && left.bytes > 0);
}
