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

use pillion_parsers::frame::{
    Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines,
};
use pillion_parsers::multiline::Joiner;

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

/// The records of several lines: first line, number of lines, and how first and last begin.
fn joined(joiner: &str, log: &[u8]) -> String {
    let settings = FrameSettings {
        container: Container::None,
        joiner: Joiner::named(joiner).expect("a known name"),
        max_record: 1 << 20,
    };
    let mut framer = Framer::new(settings);
    let (mut listed, mut line) = (String::new(), 1);
    let mut list = |raw: pillion_parsers::frame::Raw<'_>| {
        let span = raw.spans.first().expect("at least one").span;
        let bytes =
            usize::try_from(span.start).expect("small")..usize::try_from(span.end).expect("small");
        let text = &log[bytes];
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        let text = String::from_utf8_lossy(raw.text);
        if text.lines().count() > 1 {
            let shown = |line: Option<&str>| -> String {
                line.unwrap_or_default().trim().chars().take(44).collect()
            };
            let (first, last) = (shown(text.lines().next()), shown(text.lines().last()));
            writeln!(listed, "{line:5} +{:<4} {first}  …  {last}", text.lines().count())
                .expect("written");
        }
        line += lines;
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
