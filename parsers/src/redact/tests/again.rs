//! Keys that come again are called otherwise: what their names say holds for both.

use super::*;
use crate::parse::{Library, Parser, ParserState, ReadAt};

fn redacted(rules: &Arc<Rules>, parser: &str, line: &str) -> String {
    let library = Library::builtin().guarded(rules);
    let mut parser = Parser::new(&library, parser, ParserState::default()).unwrap();
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, ReadAt::default(), &arena, &mut record);
    assert!(!record.marks.unparsed, "{line}");
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut block = BlockState::default();
    shown(redactor.redact(line, &mut record, &arena, &mut block)).to_string()
}

#[test]
fn a_secret_that_comes_again_is_one() {
    let fields = vec![("user.nick".into(), Action::Mask), ("pw".into(), Action::Mask)];
    let selection = RuleSelection { fields, ..RuleSelection::standard() };
    let rules = Arc::new(Rules::build(selection).unwrap());
    for (parser, line) in [
        ("json", r#"{"password":"abc1","password":"abc2","pass":"abc3","pass":"abc4"}"#),
        ("json", r#"{"a":{"password":"abc1","password":"abc2"},"pw":"abc3","pw":"abc4"}"#),
        ("json", r#"{"user":{"nick":"abc1","nick":"abc2","a":{"pw":1,"pw":"abc3"}}}"#),
        ("json", r#"{"a":[{"pw":"abc1","x":{},"p\u0077":"abc2"}]}"#),
        ("json", r#"{"key":"password","value":"abc1","key":"password","value":"abc2"}"#),
        (
            "json",
            r#"{"a":[{"key":"x","value":1,"key":"password","value":"abc1","name":"pw","value":"abc2"}]}"#,
        ),
        ("logfmt", "password=abc1 password=abc2 pw=abc3 pw=abc4 pass=abc5 pass=abc6"),
        ("auto", "level=info password=abc1 password=abc2 user.nick=abc3 user.nick=abc4"),
        ("key_value", "password: abc1, password: abc2, pw = abc3, pw = abc4"),
        ("ltsv", "pw:abc1\tpw:abc2\tpassword:abc3\tpassword:abc4"),
        ("zap", r#"{"level":"info","ts":1.5,"msg":"a","user.nick":"abc1","user.nick":"abc2"}"#),
    ] {
        let found = redacted(&rules, parser, line);
        assert!(!found.contains("abc"), "{line}\n{found}");
    }
}
