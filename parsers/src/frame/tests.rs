//! What comes out of a [`Framer`] for given pushes, line by line; that it does not depend on how
//! lines are spread over pushes ([`splits`]); that memory stays bounded ([`bounds`]); of what a
//! container wrapped ([`containers`]); and of another encoding ([`utf16`]).

mod bounds;
mod containers;
mod splits;
mod utf16;

use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::multiline::{LinePattern, Part};
use utf16::encoded;

/// A record, owned.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    text: String,
    spans: Vec<(u32, u64, u64)>,
    hash: u32,
    stream: Option<Stream>,
    time: Option<Time>,
    partial: bool,
    truncated: bool,
}

impl From<Raw<'_>> for Owned {
    fn from(raw: Raw<'_>) -> Self {
        let span = |at: &FileSpan| (at.file.0, at.span.start, at.span.end);
        Self {
            text: String::from_utf8_lossy(raw.text).into_owned(),
            spans: raw.spans.iter().map(span).collect(),
            hash: raw.hash,
            stream: raw.stream,
            time: raw.container_time,
            partial: raw.partial,
            truncated: raw.truncated,
        }
    }
}

fn settings(container: Container, joiner: &str, max_record: usize) -> FrameSettings {
    let joiner = match joiner {
        "none" => Joiner::none(),
        "start" => Joiner::of_patterns([LinePattern::new(Part::Start, "^>").expect("a pattern")]),
        name => Joiner::named(name).expect("a known joiner"),
    };
    FrameSettings { container, joiner, max_record }
}

/// A framer and what it has emitted.
struct Bench {
    framer: Framer,
    file: u32,
    at: u64,
    encoding: Encoding,
    out: Vec<Owned>,
}

impl Bench {
    fn new(container: Container, joiner: &str) -> Self {
        Self::with(settings(container, joiner, 1 << 16))
    }

    fn with(settings: FrameSettings) -> Self {
        let framer = Framer::new(settings);
        Self { framer, file: 1, at: 0, encoding: Encoding::Utf8, out: Vec::new() }
    }

    /// Goes on in another File.
    fn file(&mut self, number: u32, at: u64) -> &mut Self {
        (self.file, self.at) = (number, at);
        self
    }

    fn push(&mut self, bytes: &str) -> &mut Self {
        self.push_at(&encoded(self.encoding, bytes), LineEnding::Newline, 0)
    }

    fn push_at(&mut self, bytes: &[u8], ending: LineEnding, now: i64) -> &mut Self {
        let lines = Lines {
            file: FileNumber(self.file),
            start: self.at,
            bytes,
            ending,
            encoding: self.encoding,
        };
        self.framer.push(lines, now, &mut |raw| self.out.push(raw.into()));
        self.at = match ending {
            LineEnding::Cut { end } => end,
            _ => self.at + bytes.len() as u64,
        };
        self
    }

    fn expire(&mut self, before: i64) -> &mut Self {
        self.framer.expire(before, &mut |raw| self.out.push(raw.into()));
        self
    }

    fn flush(&mut self) -> Vec<Owned> {
        self.framer.flush(&mut |raw| self.out.push(raw.into()));
        assert_eq!((self.framer.pending_since(), self.framer.resident()), (None, 0));
        std::mem::take(&mut self.out)
    }

    fn texts(&mut self) -> Vec<String> {
        self.flush().into_iter().map(|record| record.text).collect()
    }
}

#[test]
fn lines_are_lent_from_the_chunk_with_exact_spans() {
    let bytes = b"one\ntwo\r\n\n\r\n\xff\n";
    let mut framer = Framer::new(settings(Container::None, "none", 100));
    let (file, encoding, ending) = (FileNumber(3), Encoding::Utf8, LineEnding::Newline);
    let lines = Lines { file, start: 70, bytes, ending, encoding };
    let mut out = Vec::new();
    framer.push(lines, 0, &mut |raw| {
        assert!(bytes.as_ptr_range().contains(&raw.text.as_ptr()), "copied");
        out.push((raw.text.to_vec(), raw.spans.to_vec(), raw.hash));
    });
    let expect = |text: &[u8], raw: &[u8], start, end| {
        let at = FileSpan { file: FileNumber(3), span: Span { start, end } };
        (text.to_vec(), vec![at], xxh3_64(raw) as u32)
    };
    assert_eq!(
        out,
        [
            expect(b"one", b"one\n", 70, 74),
            expect(b"two", b"two\r\n", 74, 79),
            expect(b"", b"\n", 79, 80),
            expect(b"", b"\r\n", 80, 82),
            expect(b"\xff", b"\xff\n", 82, 84),
        ]
    );
    assert_eq!(framer.resident(), 0);
}

#[test]
fn a_join_that_lies_in_one_chunk_is_lent_too() {
    let bytes = b"> a\r\nb\nc\n> d\n";
    let mut framer = Framer::new(settings(Container::None, "start", 100));
    let (file, encoding, ending) = (FileNumber(1), Encoding::Utf8, LineEnding::Newline);
    let lines = Lines { file, start: 0, bytes, ending, encoding };
    let mut lent = Vec::new();
    framer.push(lines, 0, &mut |raw| {
        assert!(bytes.as_ptr_range().contains(&raw.text.as_ptr()), "copied");
        lent.push((raw.text.to_vec(), raw.hash));
    });
    assert_eq!(lent, [(b"> a\r\nb\nc".to_vec(), xxh3_64(b"> a\r\nb\nc\n") as u32)]);
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let mut bench = Bench::new(Container::None, "none");
    let out = bench.push("\u{feff}a\n\u{feff}b\n").flush();
    assert_eq!((out[0].text.as_str(), out[1].text.as_str()), ("a", "\u{feff}b"));
    assert_eq!(out[0].spans, [(1, 0, 5)]);
    assert_eq!(out[0].hash, xxh3_64("\u{feff}a\n".as_bytes()) as u32);
}

#[test]
fn a_last_line_may_lack_its_end() {
    for joiner in ["none", "java"] {
        let mut bench = Bench::new(Container::None, joiner);
        bench.push_at(b"a\nb\r", LineEnding::Partial, 0);
        let out = bench.flush();
        let got: Vec<_> = out.iter().map(|raw| (raw.text.as_str(), raw.partial)).collect();
        assert_eq!(got, [("a", false), ("b\r", true)], "{joiner}");
    }
}

#[test]
fn a_cut_line_covers_what_was_left_out() {
    for joiner in ["none", "start"] {
        let mut bench = Bench::new(Container::None, joiner);
        bench.push_at(b"> long", LineEnding::Cut { end: 1000 }, 0);
        let out = bench.push("rest\n").flush();
        assert_eq!((out[0].text.as_str(), out[0].truncated), ("> long", true));
        assert_eq!(
            (&out[0].spans[..], out[0].hash),
            (&[(1, 0, 1000)][..], !xxh3_64(b"> long") as u32)
        );
        assert_eq!((out[1].text.as_str(), out[1].truncated), ("rest", false));
        assert_eq!(out[1].spans, [(1, 1000, 1005)]);
    }
}

#[test]
fn records_are_cut_at_max_record() {
    let cri = "2026-11-22T10:00:00Z stdout";
    type Row = (Container, &'static str, String, &'static [(&'static str, bool)]);
    let table: [Row; 4] = [
        // A line that is too long loses its end, at a whole character.
        (
            Container::None,
            "none",
            "0123456789abcdeé!\nnext\n".into(),
            &[("0123456789abcde", true), ("next", false)],
        ),
        // So does one that comes in parts; none that come later are kept.
        (
            Container::Cri,
            "none",
            format!("{cri} P 0123456789\n{cri} P abcdeé!\n{cri} P x\n{cri} F y\n{cri} F next\n"),
            &[("0123456789abcde", true), ("next", false)],
        ),
        // A join loses nothing: it goes on in the next record.
        (
            Container::None,
            "start",
            "> 3456789\nabcdefg\nghij\nk\n> l\n".into(),
            &[("> 3456789", true), ("abcdefg\nghij\nk", false), ("> l", false)],
        ),
        // Behind a line that was cut, nothing is joined.
        (
            Container::None,
            "start",
            "> 0123456789abcdef\n\nb\n".into(),
            &[("> 0123456789abcd", true), ("\nb", false)],
        ),
    ];
    for (container, joiner, input, expect) in table {
        let mut bench = Bench::with(settings(container, joiner, 16));
        let out = bench.push(&input).flush();
        let got: Vec<_> = out.iter().map(|raw| (raw.text.as_str(), raw.truncated)).collect();
        assert_eq!(got, expect, "{input:?}");
    }
}

#[test]
fn a_record_goes_on_in_the_next_file_of_its_lineage() {
    let mut bench = Bench::new(Container::None, "java");
    bench.push("first\nERROR a\n\tat b.C.d(E.java:1)\n").file(2, 0).push("\tat f.G\nlast\n");
    let out = bench.flush();
    assert_eq!(out[1].text, "ERROR a\n\tat b.C.d(E.java:1)\n\tat f.G");
    assert_eq!(out[1].spans, [(1, 6, 34), (2, 0, 8)]);
    let raw = b"ERROR a\n\tat b.C.d(E.java:1)\n\tat f.G\n";
    assert_eq!(out[1].hash, xxh3_64(raw) as u32);

    let mut bench = Bench::new(Container::Cri, "none");
    bench.push("2026-11-22T10:00:00Z stdout P a\n").file(2, 0);
    let out = bench.push("2026-11-22T10:00:00Z stdout F b\n").flush();
    assert_eq!((out[0].text.as_str(), &out[0].spans[..]), ("ab", &[(1, 0, 32), (2, 0, 32)][..]));
}

#[test]
fn what_does_not_follow_ends_the_record_before() {
    // A late line of an older File, the middle of a newer one, a gap.
    for (file, at) in [(0, 0), (0, 50), (2, 50), (1, 100)] {
        let mut bench = Bench::new(Container::None, "java");
        bench.push("ERROR a\n\tat b\n").file(file, at).push("\tat c\n");
        assert_eq!(bench.texts(), ["ERROR a\n\tat b", "\tat c"], "File {file} from {at}");
    }
}

#[test]
fn a_files_last_line_is_parted_from_the_next_files_first() {
    let mut bench = Bench::new(Container::None, "java");
    bench.push_at(b"ERROR a", LineEnding::Partial, 0).file(2, 0).push("\tat b\n");
    let out = bench.flush();
    assert_eq!((out[0].text.as_str(), out[0].partial), ("ERROR a\n\tat b", true));
}

#[test]
fn a_record_waits_only_so_long() {
    let mut bench = Bench::new(Container::Cri, "java");
    bench.push_at(b"2026-11-22T10:00:00Z stdout F a\n", LineEnding::Newline, 10);
    bench.push_at(b"2026-11-22T10:00:00Z stderr P b\n", LineEnding::Newline, 20);
    assert_eq!(bench.framer.pending_since(), Some(10));
    assert!(bench.framer.resident() > 0);
    assert!(bench.expire(9).out.is_empty());
    assert_eq!(bench.expire(10).out.len(), 1);
    assert_eq!(bench.framer.pending_since(), Some(20));
    let out = &bench.expire(20).out;
    assert_eq!((out[1].text.as_str(), out[1].partial), ("b", true));
    assert_eq!((bench.framer.pending_since(), bench.framer.resident()), (None, 0));
}

#[test]
fn flushed_records_come_in_the_order_they_began() {
    let mut bench = Bench::new(Container::Cri, "java");
    bench.push("2026-11-22T10:00:00Z stderr F a\nb\n2026-11-22T10:00:00Z stdout F c\n");
    assert_eq!(bench.texts(), ["a", "b", "c"]);
}

#[test]
fn blank_lines_are_records_unless_joined() {
    let mut bench = Bench::new(Container::None, "python");
    let input = "a\n\n\nTraceback (most recent call last):\nValueError: x\n\nb\n";
    let traceback = "Traceback (most recent call last):\nValueError: x";
    assert_eq!(bench.push(input).texts(), ["a", "", "", traceback, "b"]);
}

/// A program that dies says so in a record of its own, whatever it logged before; what a logger writes of an
/// error has the traceback below it.
#[test]
fn a_traceback_below_what_is_no_error_is_a_record() {
    let own = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nZeroDivisionError: division by zero";
    let chained = format!(
        "{own}\n\nDuring handling of the above exception, another exception occurred:\n\n{own}"
    );
    for (before, parted) in [
        (r#"{"level":"info","msg":"starting"}"#, true),
        ("2026-11-26 10:00:00,123 - app - INFO - starting", true),
        ("2026-11-26 10:00:00,123 - app - ERROR - failed", false),
        ("2026-11-26 10:00:00,123 - app - WARNING - failed", false),
        ("something failed", false),
    ] {
        for trace in [own, &chained] {
            for pieces in [false, true] {
                let mut bench = Bench::new(Container::None, "traces");
                let whole = format!("{before}\n{trace}\n2026-11-26 10:00:01 next\n");
                let texts: Vec<String> = if pieces {
                    for line in whole.split_inclusive('\n') {
                        bench.push(line);
                    }
                    bench.texts().iter().map(ToString::to_string).collect()
                } else {
                    bench.push(&whole).texts().iter().map(ToString::to_string).collect()
                };
                let joined = format!("{before}\n{trace}");
                let next = "2026-11-26 10:00:01 next";
                let expect =
                    if parted { vec![before, trace, next] } else { vec![joined.as_str(), next] };
                assert_eq!(texts, expect, "{before}");
            }
        }
    }
}

#[test]
fn nothing_gives_nothing() {
    for ending in [LineEnding::Newline, LineEnding::Partial, LineEnding::Cut { end: 0 }] {
        let mut bench = Bench::new(Container::Auto, "traces");
        assert!(bench.push_at(b"", ending, 0).flush().is_empty());
    }
}

#[test]
fn debug_output_shows_no_content() {
    let mut bench = Bench::new(Container::None, "java");
    bench.push("secret\n");
    let lines = Lines {
        file: FileNumber(1),
        start: 0,
        bytes: b"secret",
        ending: LineEnding::Partial,
        encoding: Encoding::Utf8,
    };
    let mut shown = format!("{:?} {lines:?}", bench.framer);
    bench.framer.flush(&mut |raw| shown += &format!("{raw:?}"));
    assert!(shown.contains("bytes: 6") && !shown.contains("secret"), "{shown}");
}

/// The same line cut at another `max_record`, or ended where it is cut, is another record; read in
/// pieces, it is the same one.
#[test]
fn what_is_cut_elsewhere_has_another_hash() {
    let line = "word ".repeat(100);
    let hash = |text: &str, limit: usize| {
        let out = Bench::with(settings(Container::None, "none", limit)).push(text).flush();
        assert_eq!(out.len(), 1);
        out[0].hash
    };
    let whole = format!("{line}\n");
    let hashes = [
        hash(&whole, 100),
        hash(&whole, 200),
        hash(&whole, 1_000),
        hash(&format!("{}\n", &line[..100]), 100),
    ];
    for (at, one) in hashes.iter().enumerate() {
        assert!(hashes[at + 1..].iter().all(|other| other != one), "{hashes:?}");
    }
    let mut cut = Bench::with(settings(Container::None, "none", 100));
    let out = cut.push_at(&line.as_bytes()[..100], LineEnding::Cut { end: 501 }, 0).flush();
    assert_eq!(out[0].hash, hashes[0], "however it was read");
    let mut partial = Bench::with(settings(Container::None, "none", 1_000));
    let out = partial.push_at(&line.as_bytes()[..100], LineEnding::Partial, 0).flush();
    assert_ne!(out[0].hash, hashes[0], "shipped before it was known to go on");
}
