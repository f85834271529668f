//! Objects that are opened on the way are as if they were opened afterwards.

use proptest::prelude::*;

use crate::Arena;
use crate::definition::Definition;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::{Record, Value};

/// Names that meet one another, dots in them, and names of roles.
const NAMES: [&str; 13] =
    ["host", "a", "b", "a.b", "c", "time", "message", "a.c", "b_", r"\u0061", "said", "at", "took"];

/// Definitions that open the same: with more objects than are opened on the way, all are afterwards.
fn parsers(opens: &str) -> [Parser; 2] {
    let more: String = (0..65).map(|number| format!(", never{number}")).collect();
    let yaml = |name: &str, more: &str| {
        format!(
            "name: {name}\ngrammar: json\nopen: [{opens}{more}]\nfields: {{ a.c: host, b.a: pid, a.b.c: thread, c: message, b: a.b, message: user, said: request, a.said: request, at: time, b.at: time, a.took: duration }}\ntime: {{ nanos: took }}\ntypes: {{ host: string, duration: ms }}"
        )
    };
    let definitions = [("way", ""), ("afterwards", more.as_str())]
        .map(|(name, more)| Definition::from_yaml(&yaml(name, more)).unwrap());
    let library = Library::builtin().with(definitions.to_vec()).unwrap();
    ["way", "afterwards"].map(|name| Parser::new(&library, name, ParserState::default()).unwrap())
}

fn check(parsers: &mut [Parser; 2], line: &str) {
    let arena = Arena::new();
    let [way, afterwards] = parsers.each_mut().map(|parser| {
        let mut record = Record::default();
        parser.parse(line, ReadAt::default(), &arena, &mut record);
        // An object written anew, since names in it were the same, has no space between its members;
        // how much is written anew may differ, what it says may not.
        for field in &mut record.fields {
            if let Value::Json(text) = &mut field.value {
                *text = arena.alloc_str(&text.replace(", ", ","));
            }
        }
        let named = record.fields.iter().map(|field| {
            (field.key.name(), format!("{:?}", field.key), format!("{:?}", field.value))
        });
        (named.collect::<Vec<_>>(), record)
    });
    assert_eq!(way, afterwards, "{line}");
    let [one, other] = parsers.each_ref().map(|parser| *parser.counters());
    assert_eq!(one, other, "{line}");
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("1e99".to_owned()),
        Just(r#""x\n""#.to_owned()),
        Just(r#"["x"]"#.to_owned()),
        Just(r#""-""#.to_owned()),
        Just("17".to_owned()),
        Just(r#""GET /a HTTP/1.1""#.to_owned()),
        Just(r#""GET \/a\n HTTP/1.1""#.to_owned()),
        Just(r#""22/Nov/2026:10:00:00 +0000""#.to_owned()),
        Just("1795341600.5".to_owned()),
        Just("{}".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let pair = (prop::sample::select(&NAMES[..]), inner);
        prop::collection::vec(pair, 0..5).prop_map(|pairs| {
            let pairs = pairs.iter().map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(",\n"))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn opened_on_the_way_or_afterwards(line in value(), which in 0..5_usize) {
        let opens = ["a., b., a.b.", "a, b", "b., a, a.b", "a.b., a., b.c., time.", "b, a., message, c."];
        thread_local! {
            static PARSERS: std::cell::RefCell<Vec<[Parser; 2]>> = const { std::cell::RefCell::new(Vec::new()) };
        }
        PARSERS.with_borrow_mut(|all| {
            if all.is_empty() {
                all.extend(opens.map(parsers));
            }
            if let Some(parsers) = all.get_mut(which) {
                check(parsers, &line);
            }
        });
    }
}

#[test]
fn an_object_in_one_that_is_written_anew() {
    let mut parsers = parsers("a., b., a.b.");
    let line = "{\"a\":{\"time\":{\"host\":1,\n\"a\":1},\n\"c\":{\"a.c\":1,\n\"a.c\":1}}}";
    check(&mut parsers, line);
    let mut parsers = self::parsers("b, a., message, c.");
    check(&mut parsers, line);
}

#[test]
fn very_many_members_are_opened_afterwards() {
    let mut parsers = parsers("a., b");
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|at| format!("\"k{at}\":{at}")).collect();
        members.join(",")
    };
    for (outer, inner) in [(1, 198), (1, 199), (1, 200), (100, 100), (250, 5), (256, 5), (3, 255)] {
        check(&mut parsers, &format!("{{{},\"a\":{{{}}}}}", members(outer), members(inner)));
    }
}
