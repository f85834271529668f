//! What `traces` makes of the logs recorded from real programs: the records of several lines, listed
//! in `joined/`, one file a program, each reviewed. Of all other programs it joins nothing.
//! Empty lines that a record ends in are not counted, since its text is without them.
#![allow(clippy::expect_used, reason = "a test may")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests may read files; the crate may not"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pillion_parsers::Arena;
use pillion_parsers::frame::{
    Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines,
};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::{Level, Record};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/recorded");
const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/joined");

/// A language's own joiner must say the same of its programs' logs as `traces`.
const OWN: [(&str, &[&str]); 7] = [
    ("java", &["jvm", "jul", "log4j2", "logback", "spring-boot"]),
    ("python", &["python-logging", "django", "flask", "celery", "uvicorn", "tornado", "gunicorn"]),
    ("go", &["go-panic"]),
    ("node", &["node", "log4js", "morgan", "winston"]),
    ("ruby", &["ruby", "ruby-logger", "rails", "puma"]),
    ("php", &["php", "php-fpm", "monolog"]),
    ("rust", &["rust-panic"]),
];

/// Gives each record's text and its lines, raw.
fn framed(joiner: &str, log: &[u8], mut each: impl FnMut(&str, &[u8])) {
    let settings = FrameSettings {
        container: Container::None,
        joiner: Joiner::named(joiner).expect("a known name"),
        max_record: 1 << 20,
    };
    let mut framer = Framer::new(settings);
    let mut list = |raw: pillion_parsers::frame::Raw<'_>| {
        let span = raw.spans.first().expect("at least one").span;
        let bytes =
            usize::try_from(span.start).expect("small")..usize::try_from(span.end).expect("small");
        each(&String::from_utf8_lossy(raw.text), &log[bytes]);
    };
    let lines = Lines {
        file: FileNumber(1),
        start: 0,
        bytes: log,
        ending: LineEnding::Partial,
        encoding: Encoding::default(),
    };
    framer.push(lines, 0, &mut list);
    framer.flush(&mut list);
}

/// The records of several lines: first line, number of lines, and how first and last begin.
fn joined(joiner: &str, log: &[u8]) -> String {
    let (mut listed, mut line) = (String::new(), 1);
    framed(joiner, log, |text, bytes| {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
        if text.lines().count() > 1 {
            let shown = |line: Option<&str>| -> String {
                line.unwrap_or_default().trim().chars().take(44).collect()
            };
            let (first, last) = (shown(text.lines().next()), shown(text.lines().last()));
            writeln!(listed, "{line:5} +{:<4} {first}  …  {last}", text.lines().count())
                .expect("written");
        }
        line += lines;
    });
    listed
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("read").map(|entry| entry.expect("read").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

/// What a joiner joins in a program's logs.
fn listing(program: &Path, joiner: &str) -> String {
    let mut listing = String::new();
    for log in
        sorted(program).iter().filter(|path| path.extension().is_some_and(|ext| ext == "log"))
    {
        let listed = joined(joiner, &fs::read(log).expect("read"));
        if !listed.is_empty() {
            write!(listing, "# {}\n{listed}", name(log)).expect("written");
        }
    }
    listing
}

#[test]
fn recorded_logs_are_joined_as_listed() {
    let bless = env::var_os("PILLION_BLESS").is_some();
    let mut wrong = String::new();
    for program in sorted(Path::new(RECORDED)).iter().filter(|path| path.is_dir()) {
        let listing = listing(program, "traces");
        let expected = Path::new(EXPECTED).join(format!("{}.txt", name(program)));
        if bless {
            if listing.is_empty() {
                fs::remove_file(&expected).ok();
            } else {
                fs::write(&expected, &listing).expect("written");
            }
        } else if listing != fs::read_to_string(&expected).unwrap_or_default() {
            write!(wrong, "\n{}: traces joins\n{listing}", name(program)).expect("written");
        }
    }
    assert!(wrong.is_empty(), "not as in {EXPECTED} (PILLION_BLESS=1 rewrites it):{wrong}");
}

#[test]
fn a_language_alone_joins_as_all_do() {
    for (joiner, programs) in OWN {
        for program in programs {
            let program = Path::new(RECORDED).join(program);
            assert_eq!(listing(&program, joiner), listing(&program, "traces"), "{joiner}");
        }
    }
}

/// Logs of programs that die, and how many of their records of several lines tell of something else.
const CRASHES: [(&str, usize); 8] = [
    ("go-panic/fatal.log", 0),
    ("go-panic/panics.log", 0),
    ("jvm/uncaught.log", 0),
    ("node/uncaught.log", 0),
    // A warning.
    ("php/stderr.log", 1),
    ("python-logging/uncaught.log", 0),
    ("ruby/uncaught.log", 0),
    ("rust-panic/plain.log", 0),
];

/// In a file that has a format, where what fits none is a fault.
#[test]
fn crashes_are_known_in_a_file_of_any_format() {
    for (log, others) in CRASHES {
        let bytes = fs::read(Path::new(RECORDED).join(log)).expect("read");
        let library = Library::builtin();
        let mut parser = Parser::new(&library, "auto", ParserState::default()).expect("there");
        let mut is_crash = |text: &str| {
            let (arena, mut record) = (Arena::new(), Record::default());
            parser.parse(text, ReadAt { now: 0, container_time: None }, &arena, &mut record);
            !record.marks.unparsed && record.level.is_some_and(|level| level >= Level::Error)
        };
        is_crash(r#"{"level":"info","msg":"starting"}"#);
        let mut unknown = Vec::new();
        framed("traces", &bytes, |text, _| {
            if text.lines().count() > 1 && !is_crash(text) {
                unknown.push(text.to_owned());
            }
        });
        assert_eq!(unknown.len(), others, "{log}: {unknown:#?}");
    }
}
