//! What is a field, what is the header, and what another reader of the format makes of the same text.

use proptest::prelude::*;

use crate::Arena;
use crate::definition::{CsvOptions, Definition, Sample};
use crate::frame::{FileNumber, FileSpan, Span};
use crate::parse::{Library, Misfit, Parser, ParserState, ReadAt};
use crate::record::{Record, Text, Value};

const AT: ReadAt = ReadAt { now: 1_795_348_800_000_000_000, container_time: None };

fn definition(csv: CsvOptions) -> Definition {
    Definition {
        name: "mine".to_owned(),
        grammar: Some("csv".to_owned()),
        csv: Some(csv),
        ..Definition::default()
    }
}

fn parser(csv: CsvOptions) -> Parser {
    let library = Library::builtin().with(vec![definition(csv)]).unwrap();
    Parser::new(&library, "mine", ParserState::default()).unwrap()
}

/// Parses the lines of a File, one after the other; of each the message, or its fields.
fn file(parser: &mut Parser, number: u32, lines: &[&str]) -> Vec<String> {
    let mut start = 0;
    let each = |line: &&str| {
        let end = start + line.len() as u64 + 1;
        parser.place(FileSpan { file: FileNumber(number), span: Span { start, end } });
        start = end;
        shown(parser, line)
    };
    lines.iter().map(each).collect()
}

fn shown(parser: &mut Parser, line: &str) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, AT, &arena, &mut record);
    if record.marks.unparsed {
        assert_eq!(record.message, Some(Text::raw(line)), "whole");
        return "?".to_owned();
    }
    let fields = record.fields.iter().map(|field| match field.value {
        Value::Text(text) => format!("{}={}", field.key.name(), text.as_stored()),
        other => format!("{}={other:?}", field.key.name()),
    });
    let message = record.message.map(|text| format!("\"{}\"", text.as_stored()));
    message.into_iter().chain(fields).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_line_of_each_file_names_the_columns() {
    let mut parser = parser(CsvOptions { comment: Some("#".to_owned()), ..Default::default() });
    let first = file(&mut parser, 1, &["# made by x", "a,b", "1,2", "", "# more", "1,2,3", "3,"]);
    assert_eq!(first, ["\"# made by x\"", "\"a,b\"", "a=1 b=2", "\"\"", "\"# more\"", "?", "a=3"]);
    let second = file(&mut parser, 2, &["b,c", "1,2"]);
    assert_eq!(second, ["\"b,c\"", "b=1 c=2"]);
    assert_eq!(parser.counters().unparsed[Misfit::Columns as usize], 1);
    assert_eq!(parser.counters().parsed, 8);
}

#[test]
fn a_parser_goes_on_in_the_middle_of_a_file_once_it_knows_the_header() {
    let span = |start| FileSpan { file: FileNumber(1), span: Span { start, end: start + 4 } };
    let mut whole = parser(CsvOptions::default());
    whole.place(span(0));
    shown(&mut whole, "a,b");
    whole.place(span(4));
    shown(&mut whole, "1,2");
    assert_eq!(whole.header().map(|at| (at.file, at.offset)), Some((FileNumber(1), 0)));

    let mut resumed = parser(CsvOptions::default());
    resumed.place(span(4));
    assert_eq!(shown(&mut resumed, "1,2"), "?");
    resumed.place(span(0));
    assert!(resumed.learn("a,b"));
    assert_eq!(resumed.header(), whole.header());
    resumed.place(span(4));
    assert_eq!(shown(&mut resumed, "1,2"), "a=1 b=2");
    assert_eq!(resumed.counters().parsed, 1, "what is learned is no record");
}

#[test]
fn a_line_of_values_never_becomes_the_header() {
    let comment = || CsvOptions { comment: Some("#".to_owned()), ..Default::default() };
    // The header is there, and no columns.
    let lines = ["# x", "id,\"full\" name,x", "1,2,3", "4,5,6"];
    let mut whole = parser(comment());
    assert_eq!(file(&mut whole, 1, &lines), ["\"# x\"", "?", "?", "?"]);
    // The same where it is learned.
    let mut resumed = parser(comment());
    resumed.place(FileSpan { file: FileNumber(1), span: Span { start: 4, end: 5 } });
    assert!(!resumed.learn(lines[1]) && !resumed.learn(lines[2]) && !resumed.end_learning(false));
    assert_eq!(shown(&mut resumed, lines[3]), "?");
    // Above the lines that were looked at there are comments only, and there were others.
    for (all, expect) in [(false, "?"), (true, "\"1,2,3\"")] {
        let mut below = parser(comment());
        below.place(FileSpan { file: FileNumber(1), span: Span { start: 4, end: 5 } });
        assert!(!below.learn("# x") && below.end_learning(all) == all);
        assert_eq!(shown(&mut below, "1,2,3"), expect);
    }
}

#[test]
fn declared_columns_need_no_header_and_know_one_that_repeats_them() {
    let columns = Some(vec!["time".to_owned(), "status".to_owned(), "n".to_owned()]);
    let mut parser = parser(CsvOptions {
        columns,
        delimiter: Some(";".to_owned()),
        quote: Some("'".to_owned()),
        comment: None,
    });
    let lines = ["time;'status';n", "2026-11-22T10:00:00Z;200;'it''s; \"x\"'", "time;status;n"];
    let shown = file(&mut parser, 1, &lines);
    assert_eq!(shown[..2], ["\"time;'status';n\"", "status=200 n=it's; \"x\""]);
    assert!(shown[2].starts_with("time=time"), "only at the beginning of a File: {shown:?}");
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse("2026-11-22T10:00:00Z;200;1", AT, &arena, &mut record);
    assert!(record.time.is_some());
}

#[test]
fn what_was_decoded_is_looked_at_by_redaction_again() {
    let (arena, mut record) = (Arena::new(), Record::default());
    let mut parser = parser(CsvOptions::default());
    parser.learn("password,b,c");
    parser.parse("hush,\"x\",\"y\"\"\"", AT, &arena, &mut record);
    let values: Vec<_> = record.fields.iter().map(|field| field.value).collect();
    let texts = [Text::raw("hush"), Text::raw("x"), Text::built("y\"")];
    assert_eq!(values, texts.map(Value::Text));
    for field in &record.fields {
        assert_eq!(field.key, crate::record::Key::Text(Text::built(field.key.name())));
    }
}

#[test]
fn options_that_cannot_be_are_refused() {
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let text = |text: &str| Some(text.to_owned());
    for (options, expect) in [
        (CsvOptions { delimiter: text("ab"), ..Default::default() }, "`delimiter` is one"),
        (CsvOptions { delimiter: text("x"), ..Default::default() }, "`delimiter` is one"),
        (CsvOptions { quote: text("é"), ..Default::default() }, "`quote` is one"),
        (CsvOptions { quote: text(","), ..Default::default() }, "must differ"),
        (CsvOptions { columns: list(&[]), ..Default::default() }, "is empty"),
        (CsvOptions { columns: list(&["a", "a"]), ..Default::default() }, "repeated"),
        (CsvOptions { columns: list(&["x"; 257]), ..Default::default() }, "256"),
    ] {
        let error = definition(options).check().unwrap_err();
        assert_eq!(error.fault.field(), "csv");
        assert!(error.to_string().contains(expect), "{error}");
    }
    let elsewhere =
        Definition { grammar: Some("json".to_owned()), ..definition(CsvOptions::default()) };
    assert_eq!(elsewhere.check().unwrap_err().fault.field(), "csv");
    let sample = Sample { line: "1".to_owned(), header: text("a"), ..Sample::default() };
    let fits = Definition { samples: vec![sample], ..definition(CsvOptions::default()) };
    assert!(fits.check().unwrap_err().to_string().contains("it fits"));
}

/// Texts that are likely to be trouble.
fn field() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "\"", ",", "\n", "é", " ", "\r\n"]), 0..6)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_csv_crate_reads_the_same(
        rows in prop::collection::vec(prop::collection::vec(field(), 3), 1..6),
        always in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        // Cut into records as a File is: by the joiner.
        let mut framer = crate::frame::Framer::new(crate::frame::FrameSettings {
            container: crate::frame::Container::None,
            joiner: crate::multiline::Joiner::named("csv").unwrap(),
            max_record: 1 << 16,
        });
        let mut texts = Vec::new();
        let lines = crate::frame::Lines {
            file: FileNumber(1),
            start: 0,
            bytes: written.as_bytes(),
            ending: crate::frame::LineEnding::Newline,
            encoding: crate::frame::Encoding::default(),
        };
        framer.push(lines, 0, &mut |raw| texts.push(String::from_utf8(raw.text.to_vec()).unwrap()));
        prop_assert!(framer.pending_since().is_none(), "nothing is held back");
        prop_assert_eq!(texts.len(), rows.len());
        let mut parser = parser(CsvOptions::default());
        parser.learn("x,y,z");
        for (text, row) in texts.iter().zip(&rows) {
            let (arena, mut record) = (Arena::new(), Record::default());
            parser.parse(text, AT, &arena, &mut record);
            prop_assert!(!record.marks.unparsed, "{:?}", text);
            for (name, value) in ["x", "y", "z"].into_iter().zip(row) {
                let found = match record.get(name) {
                    Some(Value::Text(text)) => text.as_stored(),
                    _ => "",
                };
                prop_assert_eq!(found, value);
            }
        }
    }
}
