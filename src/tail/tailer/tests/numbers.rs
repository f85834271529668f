//! No number is used for two Files, whatever is left of the state: of a large one, too.

use std::collections::BTreeSet;

use super::*;

/// What was used is below this.
fn used(bench: &Bench) -> u32 {
    bench.opened.iter().map(|opened| opened.file.0 + 1).max().unwrap_or(0)
}

fn begin_files(bench: &Bench, round: usize, count: usize) {
    for n in 0..count {
        // Each with bytes of its own: one may get the inode of one that was removed.
        bench.write(&format!("{round}-{n}.log"), lines(1000 * round + n, 1));
    }
}

fn with_journal() -> Bench {
    Bench::with(|options| {
        options.files = vec!["*.log".to_owned()];
        options.journal = true;
    })
}

const STATE: [&str; 4] =
    ["checkpoint", "checkpoint.journal", "checkpoint.previous", "checkpoint.previous.journal"];

/// A copy of a state directory.
fn copy(state: &Path) -> TempDir {
    let to = tempfile::tempdir().expect("a directory");
    for name in STATE.into_iter().chain(["instance", "instance.origin"]) {
        match fs::copy(state.join(name), to.path().join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            copied => drop(copied.expect("copied")),
        }
    }
    to
}

/// The ends of the saves in a journal, and its beginning.
fn borders(journal: &[u8]) -> Vec<usize> {
    let ends = memchr::memchr_iter(b'\n', journal).map(|at| at + 1);
    [0].into_iter().chain(ends.skip(1).step_by(2)).collect()
}

/// What a start mints from, whatever of a state can be read: the journal not at all, or up to the end of
/// any save; and all that with the newest generation gone.
fn starts(state: &Path) -> Vec<u32> {
    let journal = fs::read(state.join("checkpoint.journal")).unwrap_or_default();
    let mut starts = Vec::new();
    for end in borders(&journal) {
        for newest_too in [false, true] {
            let left = copy(state);
            fs::write(left.path().join("checkpoint.journal"), &journal[..end]).expect("written");
            if newest_too {
                fs::write(left.path().join("checkpoint"), "damaged").expect("written");
            }
            if newest_too && !left.path().join("checkpoint.previous").exists() {
                continue;
            }
            starts.push(Store::open_with(left.path(), 0).expect("opens").1.next_file);
        }
    }
    starts
}

#[test]
fn what_cannot_be_read_of_a_state_makes_no_number_be_used_again() {
    let mut bench = with_journal();
    let mut looked_at = 0;
    let rounds = [3, 200, 200, 200, 300, 3, 700, 3, 3];
    bench.write("first.log", lines(0, 1));
    bench.start();
    // Of some rounds all fits into the journal, of others more is used than there is left.
    for (round, count) in rounds.into_iter().enumerate() {
        begin_files(&bench, round, count);
        bench.pass(2);
        for from in starts(&bench.dir.path().join("state")) {
            assert!(from >= used(&bench), "round {round}: {from} after {}", used(&bench));
            looked_at += 1;
        }
        if round == 4 {
            bench.kill().start();
        }
    }
    let begun: BTreeSet<u32> = bench.opened.iter().map(|opened| opened.file.0).collect();
    assert_eq!(begun.len(), 1 + rounds.iter().sum::<usize>(), "each once");
    assert!(looked_at >= 20, "{looked_at}");
}

/// Each time before there is another to go on from.
#[test]
fn a_state_that_is_damaged_again_and_again_makes_no_number_be_used_again() {
    for journal in [false, true] {
        let mut bench = with_journal();
        bench.options.journal = journal;
        bench.write("first.log", lines(0, 1));
        bench.start().pass(2).finish();
        // The first save of a start is a whole one: there are two generations.
        bench.write("first.log", lines(1, 1));
        bench.start().pass(2);
        for round in 0..5 {
            bench.kill();
            fs::write(bench.dir.path().join("state/checkpoint"), "damaged").expect("written");
            begin_files(&bench, round, 3);
            bench.start();
            // Else they would come first again, and get the same numbers.
            (0..3).for_each(|n| bench.remove(&format!("{round}-{n}.log")));
        }
        let mut of = BTreeMap::new();
        for opened in &bench.opened {
            let path = of.entry(opened.file.0).or_insert(&opened.path);
            assert_eq!(*path, &opened.path, "{}", opened.file.0);
        }
        assert!(of.len() > 3 * 5, "{of:?}");
    }
}

/// There are four thousand million: they must last for as long as an agent may be started again.
#[test]
fn a_start_leaves_few_numbers_unused() {
    let mut bench = with_journal();
    begin_files(&bench, 0, 5);
    bench.start().pass(2);
    let next = |bench: &Bench| bench.saved().next_file;
    for _ in 0..50 {
        let before = next(&bench);
        bench.kill();
        // As if killed right after the whole state was saved.
        let _ = fs::remove_file(bench.dir.path().join("state/checkpoint.journal"));
        bench.start();
        assert_eq!(next(&bench), before, "nothing was to be saved");
        bench.write("0-0.log", lines(0, 1));
        bench.pass(2);
        assert!(next(&bench) <= before + 512, "{} after {before}", next(&bench));
    }
}

/// While nothing can be saved, the next ones are read.
#[test]
fn numbers_are_left_for_when_the_disk_is_full() {
    let mut bench = with_journal();
    begin_files(&bench, 0, 300);
    bench.start().pass(2).kill().start();
    begin_files(&bench, 3, 3);
    bench.pass(1);
    // A burst that leaves few of those that were reserved before it; and at once no room.
    begin_files(&bench, 1, 500);
    bench.pass(1);
    let state = bench.dir.path().join("state");
    let (away, there) = (bench.dir.path().join("away"), bench.opened.len());
    fs::rename(&state, &away).expect("renamed");
    begin_files(&bench, 2, 600);
    bench.pass(3);
    let read = bench.opened.len() - there;
    assert!((256..600).contains(&read), "{read}");
    assert!(bench.stat(|stats| &stats.save_errors) > 0);
    fs::rename(&away, &state).expect("renamed");
    bench.pass(3);
    assert_eq!(bench.opened.len() - there, 600);
    assert!(starts(&state).into_iter().all(|from| from >= used(&bench)));
}
