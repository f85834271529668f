//! The rest of a File that went, for which an agent hopes when it is killed.

use super::archives::put;
use super::awaiting::pass_touching;
use super::missing::Missing;
use super::*;
use crate::checkpoint::snapshot::{Prefix, TailHash};
use crate::checkpoint::tombstone::Tombstone;
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

/// A storm of deletions.
#[test]
fn files_that_go_unread_one_after_the_other_do_not_have_the_directories_listed_for_each() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    let budget = bench.budget.try_take(8 * MIB).expect("free");
    for number in 0..100 {
        bench.write(&format!("{number}.log"), lines(number, 3));
    }
    bench.start();
    let numbers: Vec<_> = bench.tailer.as_ref().expect("started").files.keys().copied().collect();
    let before = bench.stat(|s| &s.rescans);
    for number in numbers {
        bench.clock.instant += Duration::from_millis(1);
        let tailer = bench.tailer.as_mut().expect("started");
        let path = Arc::clone(&tailer.files.get(&number).expect("known").path);
        fs::remove_file(path).expect("removed");
        tailer.lose_unread(number);
        tailer.let_go(number, true);
        bench.turn();
    }
    let looks = bench.stat(|s| &s.rescans) - before;
    assert!((1..=6).contains(&looks), "{looks} in a tenth of a second");
    drop(budget);
    bench.pass(1);
    let written: usize = (0..100).map(|number| lines(number, 3).len()).sum();
    assert_eq!(bench.stat(|s| &s.lost_gone), written as u64);
}

/// As many as are hoped for at most, in a directory with thousands of files that any of them may be.
#[test]
fn much_that_is_hoped_for_beside_much_that_it_may_be_is_gone_through_once() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    // Too short to be any: they may become anything.
    for number in 0..4000 {
        bench.write(&format!("{number}.gz"), "x");
    }
    bench.start();
    let tombstone = |number: u32| Tombstone {
        number,
        middle: 0,
        source: Arc::from("app"),
        path: Arc::from(bench.path(&format!("{number}.log")).to_str().expect("text")),
        fingerprint: Prefix::default(),
        size: 7,
        tail: TailHash::default(),
        when: 0,
        archive: 0,
        hoped_for: true,
        resume: None,
    };
    let tombstones: Vec<_> = (0..4096).map(tombstone).collect();
    let missing = Missing::of(&tombstones, bench.clock.instant).collect();
    let tailer = bench.tailer.as_mut().expect("started");
    tailer.missing = missing;
    let began = std::time::Instant::now();
    tailer.count_missing(false);
    let took = began.elapsed();
    assert_eq!(tailer.missing.len(), 4096, "there is hope for each");
    assert!(took < Duration::from_secs(1), "{took:?}");
    for number in 0..4000 {
        bench.remove(&format!("{number}.gz"));
    }
    bench.pass(2);
    assert_eq!(bench.stat(|s| &s.lost_gone), 7 * 4096);
}
