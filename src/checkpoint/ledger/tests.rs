//! The truth table of [`Ledger`], and its invariant on random spans.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const FILE: FileNumber = FileNumber(7);

fn named(name: &str) -> Resume {
    Resume { parser: Some(Arc::from(name)), ..Resume::default() }
}

fn span(start: u64, end: u64) -> Span {
    Span { start, end }
}

/// A File with one destination, safe up to 10 (state `mark`), and 20..30 ahead (state `ahead`).
fn prepared() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.begin(FILE, vec![Some(Mark { safe: 10, resume: named("mark") })]);
    assert!(!ledger.settle(FILE, 0, span(20, 30), Some(&named("ahead"))));
    ledger
}

fn ahead(ledger: &Ledger) -> Vec<(u64, u64)> {
    let progress = ledger.files[&FILE][0].as_ref().expect("one destination");
    progress.ahead.iter().map(|(start, (end, _))| (*start, *end)).collect()
}

fn check(settled: (u64, u64), safe: u64, left: &[(u64, u64)], state: &str) {
    let mut ledger = prepared();
    let moved = ledger.settle(FILE, 0, span(settled.0, settled.1), Some(&named("new")));
    let mark = ledger.slowest(FILE).expect("known").clone();
    assert_eq!(mark.safe, safe, "{settled:?}");
    assert_eq!(moved, safe != 10, "{settled:?}");
    assert_eq!(ahead(&ledger), left, "{settled:?}");
    assert_eq!(mark.resume, named(state), "{settled:?}");
}

#[test]
fn truth_table() {
    check((0, 10), 10, &[(20, 30)], "mark");
    check((10, 10), 10, &[(20, 30)], "mark");
    check((10, 15), 15, &[(20, 30)], "new");
    check((5, 15), 15, &[(20, 30)], "new");
    check((10, 20), 30, &[], "ahead");
    check((10, 25), 30, &[], "ahead");
    check((10, 40), 40, &[], "new");
    check((12, 15), 10, &[(12, 15), (20, 30)], "mark");
    check((15, 20), 10, &[(15, 30)], "mark");
    check((30, 35), 10, &[(20, 35)], "mark");
    check((25, 35), 10, &[(20, 35)], "mark");
    check((22, 28), 10, &[(20, 30)], "mark");
}

#[test]
fn the_state_is_that_of_the_span_that_reached_the_end() {
    for (settled, expect) in [((15, 20), "ahead"), ((22, 28), "ahead"), ((30, 35), "new")] {
        let mut ledger = prepared();
        ledger.settle(FILE, 0, span(settled.0, settled.1), Some(&named("new")));
        ledger.settle(FILE, 0, span(10, 20), Some(&named("gap")));
        assert_eq!(ledger.slowest(FILE).expect("known").resume, named(expect), "{settled:?}");
    }
}

#[test]
fn skipped_bytes_keep_the_state_that_was() {
    let mut ledger = prepared();
    assert!(!ledger.skip(FILE, span(30, 35)));
    assert!(ledger.skip(FILE, span(10, 12)));
    assert_eq!(ledger.slowest(FILE), Some(&Mark { safe: 12, resume: named("mark") }));
    ledger.settle(FILE, 0, span(12, 20), Some(&named("gap")));
    assert_eq!(ledger.slowest(FILE), Some(&Mark { safe: 35, resume: named("ahead") }));
}

#[test]
fn destinations_move_apart_and_the_slowest_decides() {
    let mut ledger = Ledger::default();
    ledger.begin(FILE, vec![Some(Mark::default()), None, Some(Mark::default())]);
    assert!(ledger.settle(FILE, 2, span(0, 50), Some(&named("two"))));
    assert!(!ledger.settle(FILE, 1, span(0, 50), Some(&named("nowhere"))));
    assert!(!ledger.settle(FILE, 9, span(0, 50), None));
    assert_eq!(ledger.slowest(FILE).map(|mark| mark.safe), Some(0));
    assert!(ledger.settle(FILE, 0, span(0, 20), Some(&named("zero"))));
    let safe: Vec<_> = ledger.marks(FILE).map(|mark| mark.map(|mark| mark.safe)).collect();
    assert_eq!(safe, [Some(20), None, Some(50)]);
    ledger.forget(FILE);
    assert!(!ledger.settle(FILE, 0, span(20, 30), None));
    assert_eq!(ledger.slowest(FILE), None);
}

#[test]
fn runs_ahead_are_bounded() {
    let mut ledger = Ledger::default();
    ledger.begin(FILE, vec![Some(Mark::default())]);
    for at in 0..(MAX_AHEAD as u64 + 100) {
        ledger.settle(FILE, 0, span(1 + at * 2, 2 + at * 2), None);
    }
    assert_eq!(ledger.ahead(), MAX_AHEAD);
    // The nearest runs are the ones kept: they are the ones the mark reaches first.
    assert!(ledger.settle(FILE, 0, span(0, 1), None));
    assert_eq!(ledger.slowest(FILE).map(|mark| mark.safe), Some(2));
}

proptest! {
    /// Against a bitmap: the safe offset is the first unsettled byte, whatever the order, and runs
    /// ahead stay disjoint and apart.
    #[test]
    fn safe_is_the_first_unsettled_byte(spans in prop::collection::vec((0_u64..64, 0_u64..12), 0..40)) {
        let mut ledger = Ledger::default();
        ledger.begin(FILE, vec![Some(Mark::default())]);
        let mut settled = [false; 80];
        for (start, len) in spans {
            ledger.settle(FILE, 0, span(start, start + len), Some(&Resume::default()));
            for at in start..start + len {
                settled[usize::try_from(at).expect("small")] = true;
            }
            let first = settled.iter().position(|done| !done).expect("the end is never settled") as u64;
            prop_assert_eq!(ledger.slowest(FILE).map(|mark| mark.safe), Some(first));
            let mut last = first;
            for (start, end) in ahead(&ledger) {
                prop_assert!(start > last && end > start);
                last = end;
            }
        }
    }
}
