//! Where something is found in a raw record, the fields that lie there are looked at, and no others.

use super::{redactor, shown, standard};
use crate::Arena;
use crate::definition::Definition;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::Record;
use crate::redact::{BlockState, CustomRule, Redactor, RuleSelection};

/// What leaves of a record of JSON that is redacted by what is found in `raw`. What the parser takes for a whole
/// number is no slice of it.
fn leaves(line: &str, raw: &str) -> String {
    leaves_by(&mut standard(), (line, raw))
}

fn leaves_by(redactor: &mut Redactor, (line, raw): (&str, &str)) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    let own = "name: own\ngrammar: json\ndoc: Own.\ntypes: { pesel: integer }";
    let library = Library::builtin().with(vec![Definition::from_yaml(own).unwrap()]).unwrap();
    let mut parser = Parser::new(&library, "own", ParserState::default()).unwrap();
    parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
    shown(redactor.redact(raw, &mut record, &arena, &mut BlockState::default())).to_string()
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
fn what_escapes_part() {
    let mail = r#""m":"ann@example.org""#;
    for (member, left) in [
        (r#""a":"tel +49 30\/901820","#, "901820"),
        (r#""a":"empresa 34.833.862\/1015-76","#, "1015"),
        (r#""a":"{\"hdr\":\"Bearer abc\\\/def+ghijklmnop123=\"}","#, "ghijkl"),
    ] {
        for rest in [mail, r#""m":"x""#] {
            let line = format!(r#"{{{member}"n":1,"o":"p",{rest}}}"#);
            let leaves = leaves(&line, &line);
            assert!(!leaves.contains(left), "{line}: {leaves}");
        }
    }
}

#[test]
fn what_a_pattern_looks_for_may_be_escaped() {
    let rule = |name: &str, pattern: &str| CustomRule {
        name: name.to_owned(),
        pattern: pattern.to_owned(),
        ..CustomRule::default()
    };
    let custom =
        vec![rule("city", "Z\u{fc}rich"), rule("bed", "bed [a-z]+"), rule("desk", "D[0-9]{3}")];
    let mut redactor = redactor(RuleSelection { custom, ..RuleSelection::standard() });
    for secret in
        ["Z%C3%BCrich", "Z&#252;rich", "bed%20qx", r"Z\u00fcrich", "D\u{ff11}\u{ff12}\u{ff13}"]
    {
        for mail in ["ann@example.org", "ann"] {
            let line = format!(r#"{{"a":"b","c":"d","mail":"{mail}","q":"x {secret}"}}"#);
            let left = leaves_by(&mut redactor, (&line, &line));
            assert!(left.contains(r#""q":"x ["#), "{line}: {left}");
        }
    }
}

#[test]
fn what_commas_and_blanks_part() {
    let parser = |columns: &str, delimiter: &str| {
        let own = format!(
            "name: own\ngrammar: csv\ndoc: Own.\ncsv: {{ delimiter: '{delimiter}', columns: [{columns}] }}"
        );
        let library = Library::builtin().with(vec![Definition::from_yaml(&own).unwrap()]).unwrap();
        Parser::new(&library, "own", ParserState::default()).unwrap()
    };
    for (delimiter, line, secret) in [
        (",", "bob@example.com,your new password is Zx9kQ2mPw7,/login", "Zx9kQ2"),
        (",", "http://bob:pw1@h.example.com/x,app:s3cret@tcp(db:3306)/shop,1", "s3cret"),
        (" ", "+4915112345670 203.0.113.77 https://x/?m=bob@example.com", "4915112345670"),
    ] {
        let (arena, mut record) = (Arena::new(), Record::default());
        let read_at = ReadAt { now: 0, container_time: None };
        parser("a, b, c", delimiter).parse(line, read_at, &arena, &mut record);
        let left = standard().redact(line, &mut record, &arena, &mut BlockState::default());
        let left = shown(left).to_string();
        assert!(!left.contains(secret), "{line}: {left}");
    }
}

#[test]
fn a_number_that_its_name_tells_of() {
    for line in [
        r#"{"pesel":44051401359,"n":"x"}"#,
        r#"{"n":"bob@example.com","pesel":44051401359}"#,
        r#"{"pesel":"44051401359","n":"x"}"#,
        r#"{"a":"b","c":"d","e":"f","n":"bob@example.com","pesel":44051401359}"#,
        r#"{"pesel":"44051401359","a":"b","c":"d","e":"f","n":"bob@example.com"}"#,
    ] {
        let left = leaves(line, line);
        assert!(!left.contains("4405"), "{left}");
    }
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
    let elsewhere = line.to_owned();
    assert_eq!(leaves(line, &elsewhere), r#"{"a":"x","b":"[EMAIL]","c":"[EMAIL]"}"#);
}
