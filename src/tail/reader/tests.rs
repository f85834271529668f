//! One File, step by step, without the rest of the tail.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::*;
use crate::budget::Budget;

mod staged;
mod utf16;

/// A File being written and read.
struct Bench {
    writer: File,
    reader: Reader,
    budget: Arc<Budget>,
    chunk: usize,
    max_record: usize,
}

impl Bench {
    fn new(content: &[u8]) -> Self {
        Self::with(content, 64, 128)
    }

    fn with(content: &[u8], chunk: usize, max_record: usize) -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        io::Write::write_all(&mut file, content).expect("written");
        let reopened = file.reopen().expect("opened");
        let reader = Reader::new(reopened, 0, TailHash::default()).expect("read");
        let budget = Budget::new(1 << 20);
        Self { writer: file.into_file(), reader, budget, chunk, max_record }
    }

    fn limited<T>(&mut self, act: impl FnOnce(&mut Reader, &mut Limits<'_>) -> T) -> T {
        let budget = Arc::clone(&self.budget);
        let mut search = [0; 16];
        act(
            &mut self.reader,
            &mut Limits {
                chunk: self.chunk,
                max_record: self.max_record,
                until: u64::MAX,
                claim: &mut move |bytes| budget.try_take(bytes),
                search: &mut search,
            },
        )
    }

    /// Looks and steps until nothing comes; what came, as `start..end ending text`.
    fn run(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        match self.reader.look().expect("looked") {
            Look::Same | Look::Changed | Look::Shrunk(_) => {}
            other => seen.push(format!("{other:?}")),
        }
        loop {
            match self.limited(|reader, limits| reader.step(limits)).expect("read") {
                Step::More => {}
                Step::Nothing => return seen,
                Step::Lines(piece) => seen.push(shown(&piece)),
                Step::Zeros(span) => seen.push(format!("{}..{} zeros", span.start, span.end)),
                stop @ (Step::Refused | Step::Replaced(_)) => {
                    seen.push(format!("{stop:?}"));
                    return seen;
                }
            }
        }
    }

    fn last(&mut self) -> Vec<String> {
        match self.limited(|reader, limits| reader.last(limits)).expect("read") {
            Step::Lines(piece) => vec![shown(&piece)],
            Step::Nothing => Vec::new(),
            other => vec![format!("{other:?}")],
        }
    }

    fn append(&mut self, content: &[u8]) {
        let end = self.writer.metadata().expect("there").len();
        self.writer.write_all_at(content, end).expect("written");
        // The clock of the file system may be too coarse to show two changes as two.
        self.reader.changed = (0, 0);
    }

    fn truncate(&mut self, to: u64) {
        self.writer.set_len(to).expect("truncated");
        self.reader.changed = (0, 0);
    }
}

fn shown(piece: &Piece) -> String {
    let text = String::from_utf8_lossy(&piece.bytes).escape_debug().to_string();
    let text = if text.len() > 40 { format!("[{}]", piece.bytes.len()) } else { text };
    format!("{}..{} {:?} {text}", piece.span.start, piece.span.end, piece.ending)
}

#[test]
fn whole_lines_come_and_the_rest_waits() {
    let mut bench = Bench::new(b"one\r\ntwo\nthr");
    assert_eq!(bench.run(), [r"0..9 Newline one\r\ntwo\n"]);
    assert_eq!(bench.run(), [""; 0]);
    bench.append(b"ee");
    assert_eq!(bench.run(), [""; 0]);
    bench.append(b"\nfour\nfi");
    assert_eq!(bench.run(), [r"9..20 Newline three\nfour\n"]);
    assert_eq!(bench.last(), ["20..22 Partial fi"]);
    assert_eq!(bench.last(), [""; 0]);
    bench.append(b"ve\n");
    assert_eq!(bench.run(), [r"22..25 Newline ve\n"]);
}

#[test]
fn chunks_hold_whole_lines_and_long_lines_make_long_chunks() {
    let line = |len: usize, byte: u8| [vec![byte; len - 1], b"\n".to_vec()].concat();
    let content = [line(40, b'a'), line(40, b'b'), line(100, b'c'), line(10, b'd')].concat();
    let mut bench = Bench::new(&content);
    assert_eq!(
        bench.run(),
        [
            "0..40 Newline [40]",
            "40..80 Newline [40]",
            "80..180 Newline [100]",
            "180..190 Newline ddddddddd\\n"
        ]
    );
}

#[test]
fn a_line_beyond_the_limit_is_cut_and_the_next_is_whole() {
    for tail in ["", "\n", "\nnext\n"] {
        let mut bench = Bench::with(&[&b"x".repeat(5000), tail.as_bytes()].concat(), 64, 20);
        let expect: &[&str] = match tail {
            "" => &[],
            "\n" => &["0..5001 Cut xxxxxxxxxxxxxxxxxxxx"],
            _ => &["0..5001 Cut xxxxxxxxxxxxxxxxxxxx", r"5001..5006 Newline next\n"],
        };
        assert_eq!(bench.run(), expect);
        let expect: &[&str] =
            if tail.is_empty() { &["0..5000 Cut xxxxxxxxxxxxxxxxxxxx"] } else { &[] };
        assert_eq!(bench.last(), expect);
    }
}

#[test]
fn the_limit_counts_the_line_without_its_newline() {
    for (len, expect) in [(128, "0..129 Newline [129]"), (129, "0..130 Cut [128]")] {
        let mut bench = Bench::new(&[&b"x".repeat(len)[..], b"\n"].concat());
        assert_eq!(bench.run(), [expect]);
    }
}

#[test]
fn truncation_is_noticed_at_every_size() {
    let mut bench = Bench::new(b"one\ntwo\n");
    bench.run();
    bench.append(b"three\n");
    assert_eq!(bench.reader.look().expect("looked"), Look::Changed);
    bench.truncate(0);
    assert_eq!(bench.reader.look().expect("looked"), Look::Shorter(6));
    bench.append(b"ONE\nTWO\n");
    assert_eq!(bench.reader.look().expect("looked"), Look::Replaced(6));
    bench.append(b"THREE\n");
    assert_eq!(bench.run(), ["Replaced(0)"]);
}

#[test]
fn a_last_line_that_shrinks_is_searched_again() {
    let mut bench = Bench::new(b"one\nunfinished");
    bench.run();
    bench.truncate(6);
    assert_eq!(bench.run(), [""; 0]);
    bench.append(b"k\n");
    assert_eq!(bench.run(), [r"4..8 Newline unk\n"]);
}

#[test]
fn zeros_before_a_line_are_skipped_once_something_follows() {
    let mut bench = Bench::new(b"one\n");
    bench.run();
    bench.append(&[0; 1000]);
    assert_eq!(bench.run(), [""; 0]);
    bench.append(b"two\nmid\0dle\n");
    assert_eq!(bench.run(), ["4..1004 zeros", r"1004..1016 Newline two\nmid\0dle\n"]);
    bench.append(b"three\n\0\0\0four\n");
    assert_eq!(
        bench.run(),
        [r"1016..1022 Newline three\n", "1022..1025 zeros", r"1025..1030 Newline four\n"]
    );
}

#[test]
fn a_preallocated_file_is_read_as_it_fills() {
    let mut bench = Bench::new(&[0; 100]);
    assert_eq!(bench.run(), [""; 0]);
    bench.writer.write_all_at(b"one\n", 0).expect("written");
    bench.reader.changed = (0, 0);
    assert_eq!(bench.run(), [r"0..4 Newline one\n"]);
    assert_eq!((bench.last(), bench.reader.end()), (vec![], 4));
    // Half a line is not one with the zeros behind it, however many.
    bench.truncate(3 << 20);
    for (at, text, came) in [(4, "hal", vec![]), (7, "f\nmo", vec!["4..9 Newline half\\n"])] {
        bench.writer.write_all_at(text.as_bytes(), at).expect("written");
        bench.reader.changed = (0, 0);
        assert_eq!(bench.run(), came);
    }
    assert_eq!(bench.reader.end(), 11);
    assert_eq!(bench.last(), ["9..11 Partial mo"]);
    bench.writer.write_all_at(b"re\n", 11).expect("written");
    bench.reader.changed = (0, 0);
    assert_eq!(bench.run(), [r"11..14 Newline re\n"]);
}

#[test]
fn an_endless_hole_behind_half_a_line_costs_nothing() {
    let mut bench = Bench::new(b"a");
    bench.truncate(1 << 42);
    for _ in 0..3 {
        assert_eq!(bench.run(), [""; 0]);
        bench.reader.changed = (0, 0);
    }
    bench.writer.write_all_at(b"b\nc\n", 1).expect("written");
    bench.reader.changed = (0, 0);
    assert_eq!(bench.run(), [r"0..5 Newline ab\nc\n"]);
}

#[test]
fn cutting_off_what_was_preallocated_loses_nothing() {
    let mut bench = Bench::new(b"one\ntwo\n");
    bench.truncate(1 << 20);
    bench.run();
    assert_eq!(bench.reader.offset, 8);
    bench.truncate(8);
    assert_eq!(bench.reader.look().expect("looked"), Look::Changed);
    bench.truncate(1 << 20);
    bench.run();
    bench.truncate(4);
    assert_eq!(bench.reader.look().expect("looked"), Look::Shorter(0));
}

#[test]
fn what_was_truncated_away_unread_is_told() {
    let mut bench = Bench::new(&b"0123456\n".repeat(100));
    let look = |bench: &mut Bench| bench.reader.look().expect("looked");
    let step = |bench: &mut Bench| {
        bench.limited(|reader, limits| reader.step(limits)).expect("read");
    };
    assert_eq!(look(&mut bench), Look::Changed);
    bench.truncate(720);
    assert_eq!(look(&mut bench), Look::Shrunk(80), "not even begun");
    step(&mut bench);
    assert_eq!(bench.reader.offset, 64);
    bench.truncate(400);
    assert_eq!(look(&mut bench), Look::Shrunk(320));
    step(&mut bench);
    bench.truncate(0);
    bench.append(&b"other\n".repeat(100));
    assert_eq!(look(&mut bench), Look::Changed, "longer: compared when it is read");
    assert_eq!(bench.run(), ["Replaced(272)"]);
    let mut bench = Bench::new(&b"0123456\n".repeat(100));
    look(&mut bench);
    step(&mut bench);
    bench.truncate(0);
    assert_eq!(look(&mut bench), Look::Shorter(736));
}

#[test]
fn a_sparse_gigabyte_is_skipped_without_being_read() {
    let mut bench = Bench::new(b"");
    bench.truncate(1 << 30);
    bench.append(b"after\n");
    assert_eq!(bench.run(), ["0..1073741824 zeros", r"1073741824..1073741830 Newline after\n"]);
}

#[test]
fn utf_16_keeps_its_zeros() {
    let text: Vec<u8> = "\u{feff}one\ntwo\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut bench = Bench::new(&text);
    assert_eq!(bench.run(), [r"0..18 Newline ��\0o\0n\0e\0\n\0t\0w\0o\0\n"]);
}

#[test]
fn without_budget_nothing_is_read_and_nothing_is_lost() {
    let mut bench = Bench::with(&[&b"x".repeat(100)[..], b"\nshort\n"].concat(), 64, 128);
    let held = bench.budget.try_take((1 << 20) - 80).expect("free");
    assert_eq!(bench.run(), ["Refused"]);
    assert_eq!(bench.run(), ["Refused"]);
    drop(held);
    assert_eq!(bench.run(), ["0..101 Newline [101]", r"101..107 Newline short\n"]);
    assert_eq!(bench.budget.used(), 0);
}

#[test]
fn the_checkpoint_gets_a_hash_at_or_before_the_safe_offset() {
    let mut bench = Bench::with(b"", 8, 128);
    for _ in 0..200 {
        bench.append(b"a line\n");
        bench.run();
    }
    assert!(bench.reader.tails.len() <= MAX_TAILS);
    for safe in [0, 6, 7, 700, 1399, 1400] {
        let tail = bench.reader.tail_before(safe);
        assert!(tail.end <= safe && safe - tail.end < 700, "{safe}: {}", tail.end);
        assert!(tail.fits(&bench.writer).expect("read"));
    }
}
