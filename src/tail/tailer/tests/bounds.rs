//! Budget, fairness, channels, descriptors, and what idling costs.

use super::*;

fn many(options: &mut Options) {
    options.files = vec!["*.log".to_owned()];
}

#[test]
fn every_file_gets_its_turn() {
    let mut bench = Bench::with(many);
    bench.write("huge.log", lines(0, 100_000));
    for n in 0..50 {
        bench.write(&format!("cold{n}.log"), "cold\n");
    }
    bench.options.channel = 10_000;
    bench.start();
    let huge = bench.text("huge.log").len();
    assert_eq!((huge, bench.came.len()), (lines(0, 100_000).len(), 51));
    let chunks: Vec<&String> = bench.log.iter().filter(|said| said.starts_with('#')).collect();
    assert!(chunks[51..].iter().all(|said| said.contains("..")), "the rest is the huge one's");
    let cold = bench.opened.iter().position(|opened| opened.path.ends_with("cold49.log"));
    assert!(cold.is_some_and(|at| at <= 51));
    let first = bench.log.iter().take(2 * 51).filter(|said| said.starts_with("opened")).count();
    assert_eq!(first, 51, "one chunk each, then the second of the huge one");
}

#[test]
fn no_lineage_holds_more_than_half_while_another_waits() {
    let mut bench = Bench::with(many);
    bench.options.budget = 64 << 10;
    bench.budget = Budget::new(64 << 10);
    bench.options.channel = 10_000;
    bench.settle = false;
    bench.write("a.log", lines(0, 100_000));
    bench.write("b.log", "");
    bench.start();
    let all = bench.came["a.log"].len();
    assert!(all > 60 << 10, "alone it may have everything: {all}");
    bench.write("b.log", lines(0, 100_000));
    bench.pass(1);
    // What comes back goes to the one that has less, until both have half.
    let mut given = 0;
    while given < 100 {
        let oldest = bench.held.remove(0);
        settle(&bench.tracker, 0, &oldest);
        drop(oldest);
        bench.run();
        given += 1;
        let of = |name: &str| -> usize {
            let ids = |chunk: &&Chunk| bench.paths[&chunk.lineage] == name;
            bench.held.iter().filter(ids).map(|chunk| chunk.bytes.len()).sum()
        };
        let (a, b) = (of("a.log"), of("b.log"));
        if given == 6 {
            assert!(b > 20 << 10, "all of it went to the other: {b}");
        }
        if given > 20 {
            assert!(a <= 36 << 10 && b <= 36 << 10, "{given}: {a} {b}");
            assert!(a > 16 << 10 && b > 16 << 10, "{given}: {a} {b}");
        }
    }
}

/// So that a joiner can tell its writer's pauses from ours.
#[test]
fn the_worker_knows_whether_a_lineage_was_read_to_its_end() {
    let mut bench = Bench::with(many);
    bench.options.budget = 64 << 10;
    bench.budget = Budget::new(64 << 10);
    bench.options.channel = 10_000;
    bench.settle = false;
    bench.write("a.log", lines(0, 1000));
    bench.write("b.log", "b\n");
    bench.start();
    assert_eq!((bench.behind["a.log"], bench.behind["b.log"]), (false, false), "all was read");
    // A last line without its end is nothing to wait for, though the chunk did not say so.
    bench.write("a.log", lines(1000, 10) + "half a line");
    bench.pass(1);
    assert!(!bench.behind["a.log"], "a turn found nothing");
    bench.write("a.log", lines(1010, 100_000));
    bench.pass(1);
    assert!(bench.behind["a.log"], "there is no budget for the rest");
    bench.write("b.log", lines(0, 500));
    bench.pass(1);
    assert_eq!(bench.came["b.log"], b"b\n");
    assert!(bench.behind["b.log"], "it grew, and cannot be read");
    bench.settle = true;
    bench.settle_held();
    bench.run();
    assert!(bench.came["b.log"].len() > 2);
    assert_eq!((bench.behind["a.log"], bench.behind["b.log"]), (false, false));
}

#[test]
fn without_budget_it_waits_and_counts_the_time() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.options.chunk = MIB;
    bench.write("app.log", lines(0, 2_000_000));
    bench.start();
    assert!(bench.budget.used() <= bench.budget.limit());
    assert!(bench.budget.used() > 6 * MIB);
    assert!(matches!(bench.turn(), Next::Wait(wait) if wait <= TICK), "parked, not spinning");
    bench.pass(10);
    let before = bench.came["app.log"].len();
    assert_eq!(bench.stat(|s| &s.budget_pauses), 1);
    assert_eq!(bench.stat(|s| &s.budget_paused_nanos), 10_000_000_000);
    assert!((1..=20).contains(&bench.pressed), "told {} times", bench.pressed);
    bench.settle_held();
    bench.run();
    assert!(bench.came["app.log"].len() > before);
}

#[test]
fn a_chunk_larger_than_the_whole_budget_is_read_when_nothing_else_is_out() {
    let mut bench = Bench::new();
    bench.budget = Budget::new(100);
    bench.write("app.log", "x".repeat(1000) + "\n");
    bench.start();
    assert_eq!(bench.came["app.log"].len(), 1001);
    assert_eq!(bench.budget.used(), 0);
}

#[test]
fn a_worker_that_does_not_take_is_not_waited_for() {
    let mut bench = Bench::new();
    bench.options.channel = 1;
    bench.write("app.log", lines(0, 10_000));
    bench.start();
    assert_eq!(bench.text("app.log"), lines(0, 10_000));
    bench.write("app.log", lines(0, 10_000));
    let tailer = bench.tailer.as_mut().expect("started");
    bench.clock.instant += Duration::from_secs(1);
    for _ in 0..10 {
        let next = tailer.turn(bench.inbox.take(), bench.clock);
        assert!(matches!(next, Next::Again | Next::Wait(_)));
    }
    assert_eq!(tailer.turn(Posted::default(), bench.clock), Next::Wait(FULL_CHANNEL));
    assert_eq!(tailer.outbox[0].len(), 1, "at most one chunk beside the channel's");
    bench.run();
    assert_eq!(bench.text("app.log").len(), 2 * lines(0, 10_000).len());
}

#[test]
fn few_descriptors_serve_many_files() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 20;
    for round in 0..3 {
        for n in 0..200 {
            bench.write(&format!("{n}.log"), lines(round * 5, 5));
        }
        if round == 0 {
            bench.start()
        } else {
            bench.pass(1)
        };
        bench.pass(20);
    }
    for n in 0..200 {
        assert_eq!(bench.text(&format!("{n}.log")), lines(0, 15), "{n}");
    }
    assert!(bench.stat(|s| &s.open_files) <= 20);
    assert_eq!(bench.stat(|s| &s.refused.too_many_open), 0);
    bench.finish();
    bench.start();
    assert_eq!(bench.text("7.log"), lines(0, 15));
}

#[test]
fn a_closed_file_that_is_renamed_or_truncated_is_recognised() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 4;
    for n in 0..20 {
        bench.write(&format!("{n}.log"), lines(0, 5));
    }
    bench.start().pass(30);
    bench.rename("3.log", "3.log.1");
    bench.write("3.log.1", lines(5, 5));
    bench.write("3.log", lines(10, 5));
    bench.truncate("4.log");
    bench.write("4.log", lines(70, 50));
    bench.pass(60);
    assert_eq!(bench.text("3.log").len(), lines(0, 15).len(), "all of it");
    assert_eq!(bench.text("4.log"), lines(0, 5) + &lines(70, 50));
}

#[test]
fn idle_files_are_not_touched_between_looks() {
    let mut bench = Bench::with(many);
    for n in 0..300 {
        bench.write(&format!("{n}.log"), "line\n");
    }
    bench.start().pass(3);
    let looks = bench.stat(|s| &s.rescans);
    // As if events came: no look is due for a while, and nothing else is to be done.
    let tailer = bench.tailer.as_mut().expect("started");
    tailer.look_due = bench.clock.instant + SAFETY_LOOK.1;
    assert_eq!(bench.turn(), Next::Wait(SAFETY_LOOK.1));
    assert_eq!(bench.stat(|s| &s.rescans), looks);
    let saves = bench.stat(|s| &s.saves);
    bench.pass(30);
    assert_eq!(bench.stat(|s| &s.saves), saves, "nothing moved, nothing is saved");
}

#[test]
fn polling_slows_down_when_nothing_happens() {
    let mut bench = Bench::new();
    bench.write("app.log", "line\n");
    bench.start();
    assert_eq!(bench.turn(), Next::Wait(POLL.0));
    bench.pass(5);
    assert_eq!(bench.turn(), Next::Wait(POLL.1));
}

#[test]
fn hints_are_acted_on_and_overflow_looks_at_everything() {
    let mut bench = Bench::new();
    bench.write("app.log", "one\n");
    bench.start();
    let far = bench.clock.instant + Duration::from_secs(60);
    bench.tailer.as_mut().expect("started").look_due = far;
    bench.write("app.log", "two\n");
    bench.run();
    assert_eq!(bench.text("app.log"), "one\n", "nobody said anything");
    let path = bench.path("app.log");
    bench.inbox.post(|posted| posted.change(path));
    bench.run();
    assert_eq!(bench.text("app.log"), "one\ntwo\n");
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", "three\n");
    bench.inbox.post(|posted| posted.overflowed = true);
    bench.run();
    assert_eq!(bench.text("app.log"), "one\ntwo\nthree\n");
    assert_eq!(bench.stat(|s| &s.watcher_overflows), 1);
}

#[test]
fn lag_is_what_is_not_settled() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    let lagging = bench.stats.lagging();
    assert_eq!((lagging.len(), lagging[0].bytes), (1, 70));
    bench.settle_held();
    bench.pass(1);
    assert_eq!((bench.stats.lagging().len(), bench.stat(|s| &s.lag_bytes)), (0, 0));
    assert_eq!(bench.stat(|s| &s.bytes_read), 70);
    assert_eq!(bench.stat(|s| &s.lines_read), 10);
}

/// Encoders keep a little between batches: what needs nearly the whole budget must not wait for it.
#[test]
fn a_line_as_large_as_the_budget_does_not_wait_for_what_stays_taken() {
    let mut bench = Bench::with(|options| options.max_record = 8 * MIB);
    let _kept = bench.budget.try_take(64 << 10).expect("free");
    let line = format!("{}\n", "x".repeat(8 * MIB - 1000));
    bench.write("app.log", format!("before\n{line}after\n"));
    bench.start().pass(2);
    assert_eq!(bench.text("app.log").len(), line.len() + "before\nafter\n".len());
    bench.settle = false;
    bench.write("app.log", format!("in flight\n{line}"));
    bench.pass(2);
    assert_eq!(bench.held.len(), 1, "it waits for what does come back");
    bench.settle_held();
    bench.pass(2);
    assert_eq!(bench.held.len(), 1);
}
