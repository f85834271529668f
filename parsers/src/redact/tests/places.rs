//! Where something is found in a raw record, the fields that lie there are looked at, and no others.

use super::{shown, standard};
use crate::Arena;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::Record;
use crate::redact::BlockState;

/// What leaves of a record of JSON that is redacted by what is found in `raw`.
fn leaves(line: &str, raw: &str) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    let mut parser = Parser::new(&Library::builtin(), "json", ParserState::default()).unwrap();
    parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
    shown(standard().redact(raw, &mut record, &arena, &mut BlockState::default())).to_string()
}

#[test]
fn whatever_field_it_is_in() {
    let line = r#"{"a":"bob@example.com","b":"x","c":4111111111111111,"d":["y",{"e":"ann@example.com"}],"f":"z","eve@example.com":1}"#;
    assert_eq!(
        leaves(line, line),
        r#"{"a":"[EMAIL]","b":"x","c":"[CREDIT_CARD]","d":["y",{"e":"[EMAIL]"}],"f":"z","[EMAIL]":1}"#
    );
}

#[test]
fn however_many_there_are() {
    for count in 1..40 {
        let members = (0..count).map(|at| format!("\"k{at}\":\"u{at}@example.com\""));
        let line = format!("{{\"x\":1,{}}}", members.collect::<Vec<_>>().join(","));
        let left = leaves(&line, &line);
        assert_eq!(left.matches("[EMAIL]").count(), count, "{left}");
    }
}

#[test]
fn what_a_name_gives_away_beside_what_a_form_does() {
    for line in [
        r#"{"mail":"bob@example.com","password":"hunter2","n":1}"#,
        r#"{"password":"hunter2","n":1,"mail":"bob@example.com"}"#,
        r#"{"mail":"bob@example.com","key":"password","value":"hunter2"}"#,
        r#"{"mail":"bob@example.com","n":"mysql -u bob -phunter2 x"}"#,
        r#"{"mail":"bob@example.com","n":"p\u0061ssword=hunter2"}"#,
    ] {
        let left = leaves(line, line);
        assert!(!left.contains("hunter2") && !left.contains("bob@"), "{left}");
    }
}

#[test]
fn what_is_no_slice_of_the_raw_record_is_looked_at() {
    let line = r#"{"a":"x","b":"bob@example.com","c":"ann@example.com"}"#;
    let elsewhere = String::from(line);
    assert_eq!(leaves(line, &elsewhere), r#"{"a":"x","b":"[EMAIL]","c":"[EMAIL]"}"#);
}
