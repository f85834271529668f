//! Handles that are dead: of a network's or a user's file system that was started anew.

use std::io;

use rustix::io::Errno;

use super::*;
use crate::tail::handle::{Handle, Stage};

/// Has every call on the first File's handle fail from now on.
fn kill_handle(bench: &mut Bench, error: Errno) {
    let file = File::open(bench.path("app.log")).expect("opened");
    let fails = move |_: &str| Err(io::Error::from(error));
    let tailer = bench.tailer.as_mut().expect("started");
    let known = tailer.files.get_mut(&FileNumber(1)).expect("known");
    known.reader.file = Some(Handle::Staged(file, Stage(Box::new(fails))));
}

#[test]
fn a_handle_that_is_dead_is_exchanged_for_one_on_the_same_file() {
    for error in [Errno::STALE, Errno::IO, Errno::NOTCONN] {
        let mut bench = Bench::new();
        bench.write("app.log", lines(0, 10));
        bench.start().pass(1);
        kill_handle(&mut bench, error);
        bench.write("app.log", lines(10, 10));
        bench.pass(5);
        assert_eq!(bench.text("app.log"), lines(0, 20), "{error}: {:?}", bench.log);
        assert_eq!(bench.stat(|s| &s.known_files), 1);
        let errors = bench.stat(|s| &s.read_errors);
        bench.write("app.log", lines(20, 10));
        bench.pass(5);
        assert_eq!(bench.text("app.log"), lines(0, 30), "{error}");
        assert_eq!(bench.stat(|s| &s.read_errors), errors);
        assert_eq!(bench.opened.len(), 1, "under the same number: {:?}", bench.log);
    }
}

/// What has no name any more can be read through this handle, or not at all.
#[test]
fn a_handle_that_fails_is_kept_where_there_is_no_other_way_to_the_file() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    kill_handle(&mut bench, Errno::IO);
    bench.write("app.log", lines(10, 10));
    // Another file by that name, with other bytes.
    let aside = bench.dir.path().join("aside");
    fs::rename(bench.path("app.log"), &aside).expect("renamed");
    bench.write("app.log", lines(50, 10));
    bench.pass(5);
    assert_eq!(bench.text("app.log"), lines(0, 10) + &lines(50, 10), "{:?}", bench.log);
    let tailer = bench.tailer.as_mut().expect("started");
    let known = tailer.files.get_mut(&FileNumber(1)).expect("known");
    let file = File::open(&aside).expect("opened");
    known.reader.file = Some(file.into());
    bench.pass(5);
    assert!(bench.text("app.log").ends_with(&lines(10, 10)), "it is well again: {:?}", bench.log);
}

/// A reader that cannot read has not read all.
#[test]
fn while_a_file_cannot_be_read_the_tail_is_not_idle() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(3);
    let busy = |bench: &Bench| bench.stats.busy.load(Ordering::Relaxed);
    assert!(!busy(&bench));
    kill_handle(&mut bench, Errno::IO);
    bench.write("app.log", lines(10, 10));
    // It has no other way: it is where the agent does not open anything.
    fs::rename(bench.path("app.log"), bench.dir.path().join("aside")).expect("renamed");
    bench.pass(5);
    assert!(busy(&bench), "{:?}", bench.log);
}

#[test]
fn what_a_dead_handle_kept_from_being_read_is_said_to_be_left() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    kill_handle(&mut bench, Errno::STALE);
    bench.write("app.log", lines(10, 10));
    let (done, mut told) = tokio::sync::oneshot::channel();
    let deadline = bench.clock.instant + Duration::from_secs(25);
    bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
    bench.run();
    let bytes = lines(10, 10).len() as u64;
    assert_eq!(told.try_recv(), Ok(crate::tail::LeftBehind { bytes, files: 1 }));
    bench.finish();
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 20));
}

#[test]
fn a_dead_handle_is_let_go_after_a_while_if_its_file_is_gone() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    kill_handle(&mut bench, Errno::STALE);
    bench.write("app.log", lines(10, 10));
    // It died after that was seen, and before it was read.
    let tailer = bench.tailer.as_mut().expect("started");
    let file = tailer.files.get_mut(&FileNumber(1)).expect("known");
    (file.spent, file.reader.size) = (false, lines(0, 20).len() as u64);
    bench.pass(1);
    bench.remove("app.log");
    bench.pass(30);
    assert_eq!((bench.stat(|s| &s.known_files), bench.stat(|s| &s.lost_gone)), (1, 0));
    bench.clock.instant += Duration::from_secs(3600);
    bench.pass(30);
    assert_eq!(bench.stat(|s| &s.known_files), 0, "{:?}", bench.log);
    assert_eq!(bench.stat(|s| &s.lost_gone), lines(10, 10).len() as u64);
    assert!(!bench.stats.busy.load(Ordering::Relaxed));
}

/// The directory says that it is there, and opening it anew works: its bytes are what cannot be read.
#[test]
fn a_bad_block_does_not_have_the_file_opened_again_and_again() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    let failing = |bench: &Bench| {
        let file = &bench.tailer.as_ref().expect("started").files[&FileNumber(1)];
        file.failing.as_ref().map(|it| it.renewed.is_some())
    };
    for again in 0..5 {
        kill_handle(&mut bench, Errno::IO);
        if again == 0 {
            bench.write("app.log", lines(10, 10));
            bench.pass(1);
            assert_eq!(failing(&bench), Some(false));
            // As if it had been opened anew before.
            let now = bench.clock.instant;
            let tailer = bench.tailer.as_mut().expect("started");
            let file = tailer.files.get_mut(&FileNumber(1)).expect("known");
            file.failing.as_mut().expect("failing").renewed = Some(now);
        }
        bench.pass(2);
        assert_eq!(failing(&bench), Some(true), "kept, and not opened anew: {:?}", bench.log);
    }
    let tailer = bench.tailer.as_mut().expect("started");
    let known = tailer.files.get_mut(&FileNumber(1)).expect("known");
    known.reader.file =
        Some(File::open(bench.dir.path().join("logs/app.log")).expect("opened").into());
    bench.pass(2);
    assert_eq!((bench.text("app.log"), failing(&bench)), (lines(0, 20), None));
}
