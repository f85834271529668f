//! What `auto` reads a line by, and what it says of the fit: no line is read by a format that `explain`
//! scores below another.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pillion_parsers::Arena;
use pillion_parsers::frame::{FileNumber, FileSpan, Span};
use pillion_parsers::parse::{Explainer, Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;

/// 2026-11-26T20:00:00Z.
const AT: ReadAt = ReadAt { now: 1_795_723_200_000_000_000, container_time: None };
/// What a line with a time is scored at least: less says little, and prose has it, too.
const TIMED: u8 = 40;
/// Formats of which the first reads some lines that the second is scored higher for, and why.
const EXCEPT: &[(&str, &str)] = &[
    // What is `-` is no field.
    ("nginx_main", "access"),
];
/// Lines of a log that are looked at.
const LINES: usize = 25;

/// Whether two formats are flavours of JSON, which the keys tell apart.
fn are_json(library: &Library, names: [&str; 2]) -> bool {
    let is_json = |name: &str| {
        library.definition(name).is_some_and(|it| it.grammar.as_deref() == Some("json"))
    };
    names.into_iter().all(is_json)
}

fn logs(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            logs(&path, paths);
        } else if path.extension().is_some_and(|it| it == "log") {
            paths.push(path);
        }
    }
}

/// Lines of samples and of recorded logs, and where they are from.
fn lines() -> Vec<(String, String)> {
    let library = Library::builtin();
    let mut lines = Vec::new();
    for name in library.names() {
        let samples = library.definition(name).map(|it| it.samples.as_slice()).unwrap_or_default();
        let alone = samples.iter().filter(|it| it.header.is_none() && !it.line.contains('\n'));
        lines.extend(alone.map(|sample| (name.to_owned(), sample.line.clone())));
    }
    let mut paths = Vec::new();
    logs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded"), &mut paths);
    for path in paths {
        let log = std::fs::read(&path).expect("readable");
        let log = String::from_utf8_lossy(&log);
        lines.extend(
            log.lines().take(LINES).map(|line| (path.display().to_string(), line.to_owned())),
        );
    }
    lines
}

#[test]
fn what_reads_a_line_fits_it_best() {
    let library = Library::builtin();
    let mut explainer = Explainer::new(&library);
    let mut wrong: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (from, line) in lines() {
        let mut parser = Parser::new(&library, "auto", ParserState::default()).expect("there");
        let (arena, mut record) = (Arena::new(), Record::default());
        parser.parse(&line, AT, &arena, &mut record);
        let Some(chosen) = parser.chosen().filter(|chosen| &***chosen != "plain") else { continue };
        let fits = explainer.fits(
            &line,
            FileSpan { file: FileNumber(0), span: Span { start: 0, end: 0 } },
            AT,
        );
        let own = fits.iter().find(|fit| *fit.name == **chosen).map_or(0, |fit| fit.score);
        let best = fits.first().filter(|best| best.score > own && best.score >= TIMED);
        let Some(best) = best else { continue };
        let pair = (&**chosen, &*best.name);
        // What stands in syslog is read by its own format, which is scored with what is around.
        let wraps = chosen.starts_with("syslog_");
        if !(wraps || EXCEPT.contains(&pair) || are_json(&library, [pair.0, pair.1])) {
            let pair = (pair.0.to_owned(), pair.1.to_owned());
            wrong.entry(pair).or_default().push(format!("{own} < {} {from}: {line}", best.score));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
