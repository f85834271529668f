//! What a definition renames or opens does not escape the rules about names.

use std::sync::Arc;

use crate::Arena;
use crate::parse::library::BUILTIN;
use crate::parse::tests::AT;
use crate::parse::{Library, Parser, ParserState};
use crate::record::Record;
use crate::redact::{Action, RuleSelection, Rules};

fn rules(fields: &[&str]) -> Rules {
    let fields = fields.iter().map(|&name| (name.to_owned(), Action::Mask)).collect();
    Rules::build(RuleSelection { fields, ..RuleSelection::standard() }).unwrap()
}

#[test]
fn names_of_built_in_rules_are_left_alone_by_built_in_definitions() {
    let all = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
    let rules = Rules::build(RuleSelection { rules: all, ..RuleSelection::default() }).unwrap();
    for (name, _) in BUILTIN {
        let library = Library::builtin();
        let definition = library.definition(name).unwrap();
        for (from, to) in &definition.fields {
            assert!(!rules.lose_renamed(from, to), "{name}: {from} -> {to}");
        }
        for opened in &definition.open {
            let object = opened.strip_suffix('.').unwrap_or(opened);
            assert!(!rules.lose_opened(object, opened.ends_with('.')), "{name}: {opened}");
        }
    }
}

/// The names of the fields that a parser makes of a line.
fn names(library: &Library, parser: &str, line: &str) -> Vec<String> {
    let arena = Arena::new();
    let mut record = Record::default();
    let mut parser = Parser::new(library, parser, ParserState::default()).unwrap();
    parser.parse(line, AT, &arena, &mut record);
    assert!(!record.marks.unparsed, "{line}");
    record.fields.iter().map(|field| field.key.name().to_owned()).collect()
}

#[test]
fn what_is_redacted_by_name_keeps_it_in_built_in_formats() {
    let line = r#"{"level":30,"time":1795658255801,"pid":7,"hostname":"h","req":{"remoteAddress":"1.2.3.4","url":"/a","headers":{"cookie":"c"}},"msg":"m"}"#;
    let builtin = Library::builtin();
    for parser in ["pino", "auto"] {
        let plain = names(&builtin, parser, line);
        for known in ["host", "client_ip", "target"] {
            assert!(plain.iter().any(|name| name == known), "{plain:?}");
        }
        let guarded = builtin.guarded(&rules(&["HostName", "req.remoteAddress", "headers"]));
        let guarded = names(&guarded, parser, line);
        for kept in ["hostname", "req.remoteAddress", "req.headers", "target"] {
            assert!(guarded.iter().any(|name| name == kept), "{kept}: {guarded:?}");
        }
        for lost in ["host", "client_ip", "req.headers.cookie"] {
            assert!(!guarded.iter().any(|name| name == lost), "{lost}: {guarded:?}");
        }
    }
}

/// What becomes the time, or is taken apart, has no name left.
#[test]
fn what_is_redacted_by_name_is_not_given_away() {
    let line = r#"{"time_local":"22/Nov/2026:10:00:00 +0000","remote_addr":"1.2.3.4","request":"GET /a HTTP/1.1","status":200,"request_time":0.003}"#;
    let builtin = Library::builtin();
    for given in ["time_local", "request"] {
        assert!(!names(&builtin, "nginx_json", line).iter().any(|name| name == given));
        let guarded = names(&builtin.guarded(&rules(&[given])), "nginx_json", line);
        assert!(guarded.iter().any(|name| name == given), "{given}: {guarded:?}");
    }
}

#[test]
fn an_object_is_not_opened_away_from_a_dotted_name() {
    let line = r#"{"timestamp":"2026-11-26T02:04:01.630543Z","level":"INFO","fields":{"message":"m","user":"u"},"target":"shop"}"#;
    let builtin = Library::builtin();
    assert!(names(&builtin, "tracing_json", line).iter().any(|name| name == "user"));
    for rule in ["fields.user", "fields"] {
        let guarded = names(&builtin.guarded(&rules(&[rule])), "tracing_json", line);
        assert!(guarded.iter().any(|name| name == "fields"), "{rule}: {guarded:?}");
    }
}

#[test]
fn formats_that_rename_nothing_guarded_are_shared() {
    let builtin = Library::builtin();
    let guarded = builtin.guarded(&rules(&["no_program_says_so"]));
    for (name, _) in BUILTIN {
        let [one, other] = [&*builtin, &guarded].map(|library| library.compiled(name).unwrap());
        assert!(Arc::ptr_eq(&one, &other), "{name}");
    }
}
