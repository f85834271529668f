//! What must hold of any input, one function for each fuzz target. The crate in `fuzz/` gives these to
//! libFuzzer; the test beside them gives them recorded lines, mutated.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use pillion_parsers::definition::{Definition, Fault, TimeField};
use pillion_parsers::frame::{
    Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::{Joiner, LinePattern, Part};
use pillion_parsers::parse::{Library, Parser, ParserState, Parts, ReadAt};
use pillion_parsers::record::{Key, Origin, Record, Text, Value};
use pillion_parsers::redact::{
    Action, Allow, BlockState, CustomRule, Place, Redacted, Redactor, RuleSelection, Rules,
};
use pillion_parsers::{Arena, Zone};
use serde_json::Value as Json;

/// A target's name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("parse", parse),
    ("auto", auto),
    ("layout", layout),
    ("frame", frame),
    ("timestamp", timestamp),
    ("redact", redact),
];

/// When a record counts as read: 2026-11-26T20:00:00Z.
const AT: ReadAt = ReadAt { now: 1_795_723_200_000_000_000, container_time: None };

/// The first byte, as what chooses; and the rest.
fn choice(input: &[u8]) -> (usize, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (usize::from(*first), rest))
}

/// Parsers are given text: the agent makes it of bytes in this way.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn decoded(text: Text<'_>) -> String {
    if !text.is_escaped() {
        return text.as_stored().to_owned();
    }
    serde_json::from_str(&format!("\"{}\"", text.as_stored())).expect("the inside of a JSON string")
}

/// Whether what is said to be a slice of the line is one.
fn check_slice(line: &str, record: &Record<'_>, found: Text<'_>) {
    let slice = !matches!(found.origin(), Origin::Raw | Origin::RawEscaped);
    assert!(slice || record.decoded || line.contains(found.as_stored()), "{found:?} is no slice");
}

/// What must hold of every record that a line gave.
fn check(line: &str, record: &Record<'_>) {
    if record.marks.unparsed {
        let message = record.message.expect("the line");
        assert_eq!((message.as_stored(), message.origin()), (line, Origin::Raw), "not whole");
        assert!(record.fields.is_empty(), "an unfitting line has fields");
        assert_eq!((record.level, record.time), (None, None), "of a line that does not fit");
        return;
    }
    record.message.into_iter().for_each(|message| {
        decoded(message);
        check_slice(line, record, message);
    });
    let mut keys = HashSet::new();
    for field in &record.fields {
        let key = match field.key {
            Key::Known(known) => known.name().to_owned(),
            Key::Text(key) => {
                check_slice(line, record, key);
                decoded(key)
            }
        };
        assert!(keys.insert(key.clone()), "the key {key:?} stands twice");
        match field.value {
            Value::Float(number) => assert!(number.is_finite(), "{key}: {number}"),
            Value::Text(value) => {
                decoded(value);
                check_slice(line, record, value);
            }
            Value::Number(json) => {
                let number = serde_json::from_str(json).expect("a JSON number");
                assert!(matches!(number, Json::Number(_)), "{key}: {json}");
            }
            Value::Json(json) | Value::CleanJson(json) => {
                serde_json::from_str::<Json>(json).expect("valid JSON");
                assert!(!json.contains('\n'), "{key}: JSON over several lines");
            }
            Value::Null | Value::Bool(_) | Value::Int(_) => {}
        }
    }
}

/// The definition of that number reads the rest.
pub fn parse(input: &[u8]) {
    let (number, line) = choice(input);
    let library = Library::builtin();
    let names: Vec<_> = library.names().collect();
    let name = names[number % names.len()];
    let line = text(line);
    let mut parser = Parser::new(&library, name, ParserState::default()).expect("built in");
    if library.header_form([name]).is_some() {
        // Its first line is the header of the second.
        let (header, line) = line.split_once('\n').unwrap_or(("a,b,c", &line));
        parser.learn(header);
        return parse_twice(&mut parser, line);
    }
    parse_twice(&mut parser, &line);
}

/// A parser says the same of the same line, whatever it remembers.
fn parse_twice(parser: &mut Parser, line: &str) {
    let arena = Arena::new();
    let (mut first, mut second) = (Record::default(), Record::default());
    parser.parse(line, AT, &arena, &mut first);
    check(line, &first);
    parser.parse(line, AT, &arena, &mut second);
    check(line, &second);
}

/// `auto` reads the lines of a file.
pub fn auto(input: &[u8]) {
    let file = text(input);
    let library = Library::builtin();
    let mut parser = Parser::new(&library, "auto", ParserState::default()).expect("built in");
    for line in file.split('\n') {
        let (arena, mut record) = (Arena::new(), Record::default());
        parser.parse(line, AT, &arena, &mut record);
        check(line, &record);
    }
    requests(&parser, &file);
    let counters = parser.counters();
    let lines = counters.parsed + counters.unparsed_total();
    assert_eq!(lines, file.split('\n').count() as u64, "a line is not counted");
    if let Some(chosen) = parser.chosen() {
        assert!(library.definition(chosen).is_some(), "auto chose {chosen}");
    }
}

/// Requests of OpenTelemetry among the lines are taken apart: what comes out is a request with one record.
fn requests(parser: &Parser, file: &str) {
    let (mut parts, mut text) = (Parts::default(), String::new());
    for line in file.split('\n').filter(|line| parser.split(line, &mut Parts::default())) {
        assert!(parser.split(line, &mut parts) && parts.len() > 1, "split once, not twice");
        for part in 0..parts.len() {
            let place = parts.write(part, line, &mut text).expect("there is one");
            assert!(line.get(place..).is_some_and(|rest| rest.starts_with('{')), "no object there");
            let library = Library::builtin();
            let otlp = Parser::new(&library, "otlp", ParserState::default());
            parse_twice(&mut otlp.expect("built in"), &text);
        }
        assert!(parts.write(parts.len(), line, &mut text).is_none(), "one more than there are");
    }
}

/// The first line is a layout, the second one to read by it.
pub fn layout(input: &[u8]) {
    let input = text(input);
    let (layout, line) = input.split_once('\n').unwrap_or((&input, ""));
    let definition = Definition {
        name: "mine".to_owned(),
        layout: vec![layout.to_owned()],
        ..Definition::default()
    };
    match Library::builtin().with(vec![definition]) {
        Ok(library) => {
            let mut parser = Parser::new(&library, "mine", ParserState::default()).expect("added");
            parse_twice(&mut parser, line);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "says nothing");
            if let Fault::Layout { column, .. } = error.fault {
                let columns = layout.chars().count() + 1;
                assert!((1..=columns).contains(&column), "column {column} of {columns}");
            }
        }
    }
}

/// Every joiner there is, by number.
fn joiner(number: usize) -> Joiner {
    let mut all: Vec<_> = Joiner::names().filter_map(Joiner::named).collect();
    let pattern = |part, pattern| LinePattern::new(part, pattern).expect("a pattern");
    let auto = Parser::new(&Library::builtin(), "auto", ParserState::default()).expect("built in");
    all.extend(auto.joiner());
    all.push(Joiner::none());
    all.push(Joiner::of_patterns([pattern(Part::Start, r"^\d")]));
    all.push(Joiner::of_patterns([pattern(Part::Start, r"^\["), pattern(Part::End, r"\]$")]));
    all.push(Joiner::of_patterns([pattern(Part::Continue, r"^\s")]));
    all.swap_remove(number % all.len())
}

/// A framer takes the rest in pieces of whole lines. The first bytes choose its joiner, what it unwraps,
/// how long a record may be, the encoding, how the file ends, and where pieces end.
pub fn frame(input: &[u8]) {
    let (number, input) = choice(input);
    let (how, input) = choice(input);
    let (each, bytes) = choice(input);
    let containers = [Container::None, Container::Cri, Container::Docker, Container::Auto];
    let encodings = [Encoding::Utf8, Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be];
    let encoding = encodings[how / 4 % 4];
    let max_record = if how & 16 == 0 { 1 << 16 } else { 48 };
    let settings =
        FrameSettings { container: containers[how % 4], joiner: joiner(number), max_record };
    let mut framer = Framer::new(settings);
    let mut spans = Vec::new();
    let mut emit = |raw: Raw<'_>| {
        assert!(!raw.spans.is_empty(), "of no bytes");
        assert!(raw.text.len() <= max_record, "{} bytes of text", raw.text.len());
        spans.extend(raw.spans.iter().map(|span| (span.span.start, span.span.end)));
    };
    let (mut start, mut end, cut) = (0, bytes.len() as u64, u64::from(how & 32 != 0) * 17);
    for (at, line_end) in ends(encoding, bytes).into_iter().enumerate() {
        if !at.is_multiple_of(each % 8 + 1) && line_end < bytes.len() || line_end == start {
            continue;
        }
        let piece = &bytes[start..line_end];
        let whole = piece.ends_with(encoding.newline());
        let ending = match whole {
            true => LineEnding::Newline,
            false if cut > 0 => {
                end += cut;
                LineEnding::Cut { end }
            }
            false => LineEnding::Partial,
        };
        let (file, begin) = (FileNumber(1), start as u64);
        let now = line_end as i64;
        framer.push(Lines { file, start: begin, bytes: piece, ending, encoding }, now, &mut emit);
        start = line_end;
        if each & 8 != 0 {
            framer.expire(now - 64, &mut emit);
        }
    }
    framer.flush(&mut emit);
    assert!(framer.pending_since().is_none(), "something is still open");
    spans.sort_unstable();
    let mut at = 0;
    for (start, end) in spans {
        assert_eq!(start, at, "bytes are lost, or lie in two records");
        assert!(end > start, "an empty span");
        at = end;
    }
    assert_eq!(at, end, "bytes at the end are lost");
}

/// Where lines end, and the whole.
fn ends(encoding: Encoding, bytes: &[u8]) -> Vec<usize> {
    let newline = encoding.newline();
    let unit = encoding.unit();
    let is_end = |at: &usize| bytes[..*at].ends_with(newline);
    (unit..bytes.len()).step_by(unit).filter(is_end).chain([bytes.len()]).collect()
}

/// How times may be written, and whether one says all of itself: the year of the others hangs on what
/// was read before.
const TIMES: [(&str, bool); 19] = [
    ("iso", true),
    ("clf", true),
    ("rfc2822", true),
    ("rfc3164", false),
    ("ctime", true),
    ("compact", true),
    ("glog", false),
    ("time_of_day", false),
    ("epoch", true),
    ("epoch_s", true),
    ("epoch_ms", true),
    ("epoch_us", true),
    ("epoch_ns", true),
    ("%Y-%m-%d %H:%M:%S%.3f", true),
    ("%d.%m.%Y %H:%M:%S,%3f", true),
    ("%a %b %e %T %Y %z", true),
    ("%m-%d %H:%M:%S", false),
    ("%s%.f", true),
    ("%d/%b/%Y:%I:%M:%S %p", true),
];

/// A definition for each of them, and one that is told nothing.
static TIMED: LazyLock<Library> = LazyLock::new(|| {
    let formats = TIMES.iter().map(|(format, _)| Some((*format).to_owned())).chain([None]);
    let definition = |(number, format): (usize, Option<String>)| Definition {
        name: format!("time{number}"),
        pattern: Some("^(?<time>.*)$".to_owned()),
        time: Some(TimeField { format, ..TimeField::default() }),
        ..Definition::default()
    };
    Library::builtin().with(formats.enumerate().map(definition).collect()).expect("usable")
});

const ZONES: [&str; 5] = ["UTC", "+05:30", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"];

/// Each line is a time: what is remembered of those before changes nothing.
pub fn timestamp(input: &[u8]) {
    let (number, input) = choice(input);
    let (zone, lines) = choice(input);
    let (number, zone) = (number % (TIMES.len() + 1), ZONES[zone % ZONES.len()]);
    let zone = Zone::from_name(zone).expect("a zone");
    let name = format!("time{number}");
    let fresh = || {
        let parser = Parser::new(&TIMED, &name, ParserState::default()).expect("declared");
        parser.in_zone(&zone)
    };
    let mut used = fresh();
    let whole = TIMES.get(number).is_some_and(|(_, whole)| *whole);
    for line in text(lines).split('\n') {
        let (arena, mut record, mut alone) = (Arena::new(), Record::default(), Record::default());
        used.parse(line, AT, &arena, &mut record);
        check(line, &record);
        fresh().parse(line, AT, &arena, &mut alone);
        assert!(!whole || record.time == alone.time, "{:?}, not {:?}", record.time, alone.time);
    }
}

/// Every rule with every action, in the order that the input's first byte counts.
fn every_rule(how: usize) -> Arc<Rules> {
    thread_local! {
        static RULES: Vec<Arc<Rules>> = Action::ALL.iter().map(|&action| {
            let rules = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
            let hash_key = Some(b"0123456789abcdef".to_vec());
            let fields = vec![("user.name".to_owned(), action), ("client".to_owned(), action)];
            let custom = CustomRule {
                name: "badge".to_owned(),
                pattern: r"\bE\d{6}\b".to_owned(),
                ..CustomRule::default()
            };
            let custom = vec![custom];
            let allow = Allow { test_cards: true, ..Allow::default() };
            let selection =
                RuleSelection { rules, action, hash_key, fields, custom, allow, ..RuleSelection::default() };
            Arc::new(Rules::build(selection).expect("built in"))
        }).chain([Rules::builtin_default()]).collect();
    }
    RULES.with(|rules| rules.get(how % rules.len()).map(Arc::clone)).expect("within")
}

/// A record of every rule's kind of text is redacted, with any action: what comes out is text, JSON
/// where it was, and of no interest to the same rules.
pub fn redact(input: &[u8]) {
    let (how, lines) = choice(input);
    let lines = text(lines);
    let library = Library::builtin();
    let name = ["plain", "auto", "json", "logfmt"][how % 4];
    let mut parser = Parser::new(&library, name, ParserState::default()).expect("built in");
    let mut redactor = Redactor::new(every_rule(how / 8));
    let mut block = BlockState::resumed(how & 4 != 0);
    for line in lines.split('\n') {
        let (arena, mut record) = (Arena::new(), Record::default());
        parser.parse(line, AT, &arena, &mut record);
        if let Some(redacted) = redactor.redact(line, &mut record, &arena, &mut block) {
            check_redacted(&redacted);
        }
        check_again(&mut redactor, line);
        for found in redactor.explain(line) {
            if let Place::Bytes(range) = found.place {
                assert!(line.get(range.clone()).is_some(), "{range:?} of {}", line.len());
            }
        }
    }
}

/// What must hold of every record that may leave.
fn check_redacted(redacted: &Redacted<'_, '_>) {
    redacted.message().into_iter().for_each(|message| drop(decoded(message)));
    let mut keys = HashSet::new();
    for field in redacted.fields() {
        let key = match field.key {
            Key::Known(known) => known.name().to_owned(),
            Key::Text(key) => decoded(key),
        };
        assert!(keys.insert(key), "a key stands twice once redacted");
        match field.value {
            Value::Text(value) => drop(decoded(value)),
            Value::Number(json) | Value::Json(json) | Value::CleanJson(json) => {
                serde_json::from_str::<Json>(json).expect("still JSON");
            }
            _ => {}
        }
    }
}

/// What was redacted is left alone, and is JSON if it was.
fn check_again(redactor: &mut Redactor, line: &str) {
    let once = redactor.clean(line);
    let found: u64 = redactor.matches().iter().sum();
    assert_eq!(redactor.clean(&once), once, "redacted again");
    assert_eq!(redactor.matches().iter().sum::<u64>(), found, "found again in {once}");
    let is_json = |text: &str| text.starts_with('{') && serde_json::from_str::<Json>(text).is_ok();
    assert!(!is_json(line) || &*once == "[REDACTED]" || is_json(&once), "{line} → {once}");
}
