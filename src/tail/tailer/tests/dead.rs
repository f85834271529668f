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
