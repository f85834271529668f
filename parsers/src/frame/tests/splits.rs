//! However lines are spread over pushes, the same records come out, and every byte is in one of them.

use proptest::prelude::*;

use super::*;

/// Lines that begin, continue, part or confuse.
const LINES: [&str; 34] = [
    "2026-11-22 10:00:00 ERROR a",
    "> b",
    "plain text é😀",
    "",
    "a line that is longer than the smallest of the limits on a record, by far",
    "java.lang.IllegalStateException: no",
    "\tat a.B.c(D.java:1)",
    "Caused by: java.io.IOException: d",
    "\t... 3 more",
    "  indented",
    "Traceback (most recent call last):",
    "  File \"a.py\", line 1, in f",
    "ValueError: x",
    "During handling of the above exception, another exception occurred:",
    "panic: boom",
    "goroutine 1 [running]:",
    "main.main()",
    "\t/app/main.go:3 +0x1d",
    "exit status 2",
    "2026-11-22T10:00:00.1Z stdout F whole",
    "2026-11-22T10:00:00.2Z stdout P part ",
    "2026-11-22T10:00:00.3Z stderr P part ",
    "2026-11-22T10:00:00.4Z stderr F whole",
    "2026-11-22T10:00:00.5Z stdout F ",
    "2026-11-22T10:00:00.6Z stderr F \tat a.B.c(D.java:1)",
    "2026-11-22T10:00:00.7Z stdout F Traceback (most recent call last):",
    "2026-11-22T10:00:00.8Z stdout Forged",
    r#"{"log":"whole\n","stream":"stdout","time":"2026-11-22T10:00:00Z"}"#,
    r#"{"log":"part","stream":"stdout","time":"2026-11-22T10:00:00Z"}"#,
    r#"{"log":"\tat a.B.c(D.java:1)\n","stream":"stderr","time":"2026-11-22T10:00:00Z"}"#,
    r#"{"log":"\"\r\n","stream":"stdout","time":"2026-11-22T10:00:00Z"}"#,
    r#"{"log":"\ud83d\u00e9 and so on","stream":"stderr","time":"2026-11-22T10:00:00Z"}"#,
    r#"{"level":"info"}"#,
    "\u{feff}marked",
];

const JOINERS: [&str; 6] = ["none", "java", "python", "go", "traces", "start"];
const CONTAINERS: [Container; 4] =
    [Container::None, Container::Cri, Container::Docker, Container::Auto];

fn any_settings() -> impl Strategy<Value = FrameSettings> {
    let limits = prop::sample::select(vec![16, 40, 100, 1 << 16]);
    (prop::sample::select(&CONTAINERS[..]), prop::sample::select(&JOINERS[..]), limits)
        .prop_map(|(container, joiner, limit)| settings(container, joiner, limit))
}

/// Two Files' lines with their terminators, and after each whether a push ends there.
fn any_files() -> impl Strategy<Value = [Vec<(String, bool)>; 2]> {
    let line = (prop::sample::select(&LINES[..]), prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(text, crlf, push)| {
            (format!("{text}{}", if crlf { "\r\n" } else { "\n" }), push)
        });
    let lines = prop::collection::vec(line, 0..40);
    [lines.clone(), lines]
}

/// Frames two Files in that encoding; `split` says whether the marked places end a push.
fn frame(
    settings: &FrameSettings,
    files: &[Vec<(String, bool)>; 2],
    encoding: Encoding,
    split: bool,
) -> Vec<Owned> {
    let mut bench = Bench::with(settings.clone());
    bench.encoding = encoding;
    for (number, lines) in (1..).zip(files) {
        bench.file(number, 0);
        let mut chunk = String::new();
        for (line, push) in lines {
            chunk += line;
            if *push && split {
                bench.push(&std::mem::take(&mut chunk));
            }
        }
        bench.push(&chunk);
    }
    bench.flush()
}

/// That each byte lies in one span of one record, and that hashes are over the bytes of the spans, or
/// over what is kept of those that were cut.
fn check_spans(files: &[Vec<(String, bool)>; 2], encoding: Encoding, records: &[Owned]) {
    let bytes: Vec<Vec<u8>> = files
        .iter()
        .map(|lines| lines.iter().flat_map(|(line, _)| encoded(encoding, line)).collect())
        .collect();
    let mut spans = Vec::new();
    for record in records {
        let mut raw = Vec::new();
        for (file, start, end) in &record.spans {
            let content = &bytes[*file as usize - 1];
            raw.extend_from_slice(&content[*start as usize..*end as usize]);
            spans.push((*file, *start, *end));
        }
        let whole = xxh3_64(&raw) as u32;
        let kept = !xxh3_64(record.text.as_bytes()) as u32;
        assert_eq!(record.hash, if record.truncated { kept } else { whole });
    }
    spans.sort_unstable();
    for (number, content) in (1..).zip(&bytes) {
        let mut at = 0;
        for (_, start, end) in spans.iter().filter(|(file, ..)| *file == number) {
            assert_eq!(*start, at, "File {number}");
            at = *end;
        }
        assert_eq!(at, content.len() as u64, "File {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_lines_give_the_same_records(settings in any_settings(), files in any_files()) {
        let whole = frame(&settings, &files, Encoding::Utf8, false);
        check_spans(&files, Encoding::Utf8, &whole);
        prop_assert!(whole.iter().all(|raw| raw.text.len() <= settings.max_record));
        prop_assert_eq!(frame(&settings, &files, Encoding::Utf8, true), whole);
    }

    #[test]
    fn lines_of_utf_16_give_the_records_that_they_give_in_utf_8(
        settings in any_settings(),
        files in any_files(),
        encoding in prop::sample::select(&[Encoding::Utf16Le, Encoding::Utf16Be][..]),
        split: bool,
    ) {
        let wide = frame(&settings, &files, encoding, split);
        check_spans(&files, encoding, &wide);
        let narrow = frame(&settings, &files, Encoding::Utf8, split);
        // All but where they lie, and what they are told apart by.
        let rest = |records: Vec<Owned>| -> Vec<Owned> {
            let bare = |record| Owned { spans: Vec::new(), hash: 0, ..record };
            records.into_iter().map(bare).collect()
        };
        prop_assert_eq!(rest(wide), rest(narrow));
    }

    #[test]
    fn any_bytes_are_framed(
        settings in any_settings(),
        encoding in prop::sample::select(&[Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be][..]),
        pushes in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), 0_u64..9, 0..4), 0..9),
    ) {
        let mut framer = Framer::new(settings);
        let (mut start, mut covered, mut now) = (0, 0, 0);
        let mut count = |raw: Raw<'_>| covered += raw.spans.iter().map(|at| at.span.len()).sum::<u64>();
        for (bytes, more, kind) in &pushes {
            let len = bytes.len() as u64;
            let (ending, end) = match kind {
                0 => (LineEnding::Newline, start + len),
                1 => (LineEnding::Partial, start + len),
                _ => (LineEnding::Cut { end: start + len + more }, start + len + more),
            };
            framer.push(Lines { file: FileNumber(1), start, bytes, ending, encoding }, now, &mut count);
            framer.expire(now - 2, &mut count);
            (start, now) = (end, now + 1);
        }
        framer.flush(&mut count);
        prop_assert_eq!(covered, start);
    }
}
