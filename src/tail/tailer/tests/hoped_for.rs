//! The rest of a File that went, for which an agent hopes when it is killed.

use super::archives::put;
use super::awaiting::pass_touching;
use super::*;
use crate::tail::inflate::tests::gzip;

/// Forty lines shipped, sixty unread when the file went; what is being compressed beside it may
/// be it.
fn went_unread() -> Bench {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    bench.options.max_open = 1;
    bench.write("a.log", lines(100, 40));
    bench.start().pass(2);
    bench.settle = false;
    bench.write("b.log", "one\n");
    bench.pass(3);
    // Open as long as it is not settled.
    bench.remove("b.log");
    bench.pass(3);
    bench.write("a.log", lines(140, 60));
    bench.pass(3);
    assert_eq!(bench.stat(|s| &s.waiting_files), 1);
    pass_touching(&mut bench, 1);
    bench.remove("a.log");
    bench.settle_held();
    bench.settle = true;
    pass_touching(&mut bench, 20);
    assert_eq!(found(&bench), (0, 1));
    bench
}

/// Bytes counted as lost, and Files that are hoped for.
fn found(bench: &Bench) -> (u64, usize) {
    let hoped = bench.saved().tombstones.iter().filter(|tombstone| tombstone.hoped_for).count();
    (bench.stat(|s| &s.lost_gone), hoped)
}

fn unread() -> u64 {
    lines(140, 60).len() as u64
}

#[test]
fn what_is_hoped_for_at_a_kill_is_counted_by_the_next_agent_once() {
    let mut bench = went_unread();
    bench.kill().start();
    pass_touching(&mut bench, 20);
    assert_eq!(found(&bench), (0, 1), "it still hopes");
    bench.kill();
    bench.remove("other.gz");
    bench.start().pass(60);
    assert_eq!(found(&bench), (unread(), 0));
    bench.kill().start().pass(60);
    assert_eq!(found(&bench), (0, 0), "counted before");
    assert_eq!(bench.text("a.log"), lines(100, 40));
}

#[test]
fn what_is_hoped_for_at_a_kill_and_found_by_the_next_agent_is_no_loss() {
    let mut bench = went_unread();
    bench.kill();
    bench.remove("other.gz");
    put(&bench, "a.log.gz", &gzip(lines(100, 100).as_bytes()));
    bench.start().pass(60);
    assert_eq!(found(&bench), (0, 0));
    assert_eq!(bench.text("a.log"), lines(100, 100));
}

/// An agent that ends hopes no more, and says so.
#[test]
fn what_is_hoped_for_at_the_end_is_counted_then_and_not_again() {
    let mut bench = went_unread();
    bench.finish();
    assert_eq!(found(&bench), (unread(), 0));
    bench.remove("other.gz");
    bench.start().pass(60);
    assert_eq!(found(&bench), (0, 0));
}
