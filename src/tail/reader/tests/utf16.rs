//! Files in UTF-16, read and framed as the agent does: the records, and where they begin.

use std::cell::RefCell;

use pillion_parsers::frame::{Container, FileNumber, FrameSettings, Framer, LineEnding, Lines};
use pillion_parsers::multiline::Joiner;
use proptest::prelude::*;

use super::*;
use crate::tail::handle::Inflated;
use crate::tail::inflate::tests::gzip;

type Form = fn(u16) -> [u8; 2];

const FORMS: [Form; 2] = [u16::to_le_bytes, u16::to_be_bytes];

fn wide(text: &str, form: Form) -> Vec<u8> {
    text.encode_utf16().flat_map(form).collect()
}

/// What becomes of the pieces that are read.
struct Records {
    framer: Framer,
    came: Vec<(u64, String)>,
}

impl Records {
    fn new() -> Self {
        let (container, joiner) = (Container::None, Joiner::none());
        let framer = Framer::new(FrameSettings { container, joiner, max_record: 1 << 16 });
        Self { framer, came: Vec::new() }
    }

    fn push(&mut self, piece: &Piece) {
        let Piece { span, bytes, encoding, .. } = piece;
        let ending = match piece.ending {
            Ending::Newline => LineEnding::Newline,
            Ending::Partial => LineEnding::Partial,
            Ending::Cut => LineEnding::Cut { end: span.end },
        };
        if ending == LineEnding::Newline {
            assert_eq!(encoding.last_line_end(span.start, bytes), Some(bytes.len()));
        }
        let file = FileNumber(1);
        let lines = Lines { file, start: span.start, bytes, ending, encoding: *encoding };
        self.framer.push(lines, 0, &mut |raw| {
            let text = String::from_utf8_lossy(raw.text).into_owned();
            self.came.push((raw.spans[0].span.start, text));
        });
    }

    /// Reads all whole lines that are there.
    fn read(&mut self, bench: &mut Bench) {
        bench.reader.look().expect("looked");
        loop {
            match bench.limited(|reader, limits| reader.step(limits)).expect("read") {
                Step::Lines(piece) => self.push(&piece),
                Step::More | Step::Zeros(_) => {}
                Step::Nothing => return,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads what has no end.
    fn last(&mut self, bench: &mut Bench) {
        if let Step::Lines(piece) =
            bench.limited(|reader, limits| reader.last(limits)).expect("read")
        {
            self.push(&piece);
        }
    }
}

/// The records of a text, each with the offset of its line.
fn expected(text: &str) -> Vec<(u64, String)> {
    let mut at = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let start = at;
        at += 2 * line.encode_utf16().count() as u64;
        let line = line.strip_prefix('\u{feff}').filter(|_| start == 0).unwrap_or(line);
        (start, line.trim_end_matches('\n').trim_end_matches('\r').to_owned())
    });
    lines.collect()
}

#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Reopening,
    Restart,
}

#[test]
fn s23_utf_16_in_two_parts_cut_at_every_byte() {
    let text = "\u{feff}\u{10a}ne\r\nzw\u{a0a}i ä€😀\r\n\r\n\u{a00}\rx\n€, longer than a chunk is here\nend\n";
    let long = text.replace("longer", &"longer ".repeat(20));
    for (text, form, between) in [text, &long].into_iter().flat_map(|text| {
        let betweens = [Between::Nothing, Between::Reopening, Between::Restart];
        FORMS.into_iter().flat_map(move |form| betweens.map(|between| (text, form, between)))
    }) {
        let bytes = wide(text, form);
        for cut in 0..=bytes.len() {
            let mut bench = Bench::with(&bytes[..cut], 64, 1 << 10);
            let mut records = Records::new();
            records.read(&mut bench);
            let again = || bench.writer.try_clone().expect("another handle");
            match between {
                Between::Nothing => {}
                Between::Reopening => {
                    let handle = again().into();
                    bench.reader.file = None;
                    assert!(bench.reader.reopen(handle).expect("read").is_ok());
                }
                Between::Restart => {
                    let (offset, tail) = (bench.reader.offset, bench.reader.tail());
                    bench.reader = Reader::new(again(), offset, tail).expect("read");
                }
            }
            bench.append(&bytes[cut..]);
            records.read(&mut bench);
            assert_eq!(records.came, expected(text), "cut at {cut}, {between:?}");
            assert_eq!(bench.reader.offset, bytes.len() as u64);
        }
    }
}

#[test]
fn a_long_line_is_cut_between_characters() {
    for form in FORMS {
        let text = format!("\u{feff}{}\nnext\n", "😀".repeat(100));
        let mut bench = Bench::with(&wide(&text, form), 64, 21);
        let mut records = Records::new();
        records.read(&mut bench);
        assert_eq!(records.came, [(0, "😀".repeat(4)), (404, "next".to_owned())]);
        // Its end is not counted.
        let text = format!("\u{feff}{}\nnext\n", "x".repeat(49));
        for (max_record, kept) in [(100, 49), (99, 48)] {
            let mut bench = Bench::with(&wide(&text, form), 64, max_record);
            let mut records = Records::new();
            records.read(&mut bench);
            assert_eq!(records.came, [(0, "x".repeat(kept)), (102, "next".to_owned())]);
        }
    }
}

#[test]
fn half_a_character_at_the_end_and_what_follows() {
    for form in FORMS {
        let mut bench = Bench::new(&wide("\u{feff}ab\ncd", form));
        let [first, second] = form(u16::from(b'e'));
        bench.append(&[first]);
        let mut records = Records::new();
        records.read(&mut bench);
        assert_eq!(records.came, [(0, "ab".to_owned())]);
        records.last(&mut bench);
        bench.append(&[second]);
        bench.append(&wide("f\ng\n", form));
        records.read(&mut bench);
        let rest = [(8, "cd\u{fffd}"), (13, "\u{fffd}f"), (18, "g")];
        assert_eq!(records.came[1..], rest.map(|(at, text)| (at, text.to_owned())));
    }
}

#[test]
fn what_was_preallocated_waits() {
    for form in FORMS {
        let mut bench = Bench::new(&wide("\u{feff}one\nha", form));
        let mut records = Records::new();
        bench.truncate(1 << 20);
        records.read(&mut bench);
        assert_eq!(bench.reader.end(), 14);
        bench.writer.write_all_at(&wide("lf\n", form), 14).expect("written");
        bench.reader.changed = (0, 0);
        records.read(&mut bench);
        assert_eq!((bench.reader.offset, bench.reader.end()), (20, 20));
        bench.writer.write_all_at(&wide("\u{100}x\n", form), 1_070_000).expect("written");
        bench.reader.changed = (0, 0);
        records.read(&mut bench);
        let came = [(0, "one"), (10, "half"), (1_070_000, "\u{100}x")];
        assert_eq!(records.came, came.map(|(at, text)| (at, text.to_owned())));
    }
}

#[test]
fn compressed_files_may_be_utf_16() {
    for form in FORMS {
        let text: String = (0..5000).map(|n| format!("line {n} €\r\n")).collect();
        let text = format!("\u{feff}{text}");
        let bytes = wide(&text, form);
        let mut bench = Bench::new(b"");
        bench.writer.write_all_at(&gzip(&bytes), 0).expect("written");
        let open = |bench: &Bench, offset, tail| {
            let file = bench.writer.try_clone().expect("another handle");
            let permit = Budget::new(1 << 24).overdraw(Inflated::resident(1 << 10));
            let inflated = Inflated::new(file, bytes.len() as u64, 1 << 10, permit);
            Reader::new(Handle::Gzip(Box::new(RefCell::new(inflated))), offset, tail).expect("read")
        };
        bench.chunk = 1000;
        let mut records = Records::new();
        bench.reader = open(&bench, 0, TailHash::default());
        bench.reader.look().expect("looked");
        for _ in 0..20 {
            if let Step::Lines(piece) =
                bench.limited(|reader, limits| reader.step(limits)).expect("read")
            {
                records.push(&piece);
            }
        }
        let (offset, tail) = (bench.reader.offset, bench.reader.tail());
        assert!(offset > 0 && offset < bytes.len() as u64);
        bench.reader = open(&bench, offset, tail);
        records.read(&mut bench);
        assert_eq!(records.came, expected(&text));
    }
}

proptest! {
    #[test]
    fn any_units_become_what_the_standard_library_says(
        units in prop::collection::vec(prop::sample::select(
            &[0x0A, 0x0A, 0x0D, 0x0A00, 0x0A0A, 0x010A, 0x61, 0x100, 0xD83D, 0xDE00, 0xFEFF][..],
        ), 0..120),
        cut in 0_usize..250,
        chunk in 60_usize..70,
        big: bool,
    ) {
        let units = [&[0xFEFF], &units[..]].concat();
        let bytes: Vec<u8> = units.iter().flat_map(|unit| FORMS[usize::from(big)](*unit)).collect();
        let cut = cut.min(bytes.len());
        let mut bench = Bench::with(&bytes[..cut], chunk, 1 << 10);
        let mut records = Records::new();
        records.read(&mut bench);
        bench.append(&bytes[cut..]);
        records.read(&mut bench);
        records.last(&mut bench);
        let mut at = 0;
        let lines = units.split_inclusive(|unit| *unit == 0x0A).map(|line| {
            let start = at;
            at += 2 * line.len() as u64;
            let line = if start == 0 { &line[1..] } else { line };
            let text = String::from_utf16_lossy(line);
            let ended = text.strip_suffix('\n').map(|it| it.strip_suffix('\r').unwrap_or(it));
            (start, ended.unwrap_or(&text).to_owned())
        });
        prop_assert_eq!(records.came, lines.collect::<Vec<_>>());
        prop_assert_eq!(bench.reader.offset, bytes.len() as u64);
    }
}
