//! Parsers of one's own: the order that they stand in, and what is said of their mistakes.

use super::text;

/// What is wrong with a configuration that has these parsers; nothing if it is accepted.
fn refusal(parsers: &str) -> String {
    let yaml = format!(
        "state: /tmp/none\nparsers:\n{parsers}\nsources: {{app: {{files: [/a/*.log], parser: json}}}}\n\
         destinations: {{screen: {{console: {{}}}}}}\n"
    );
    text(&yaml).err().map(|problems| problems.to_string()).unwrap_or_default()
}

fn says(parsers: &str, parts: &[&str]) {
    let refused = refusal(parsers);
    for part in parts {
        assert!(refused.contains(part), "{part:?} is not in\n{refused}");
    }
}

#[test]
fn parsers_stand_in_any_order() {
    let parsers = "  p: { grammar: json, nested: q }\n  q: { layout: 'a {message}', within: r }\n  r: { layout: '{host} {message}' }";
    assert_eq!(refusal(parsers), "");
}

#[test]
fn those_that_name_each_other_are_refused_once() {
    let parsers = "  p: { grammar: json, nested: q }\n  q: { grammar: json, nested: p }\n  own: { grammar: json, nested: own }";
    let refused = refusal(parsers);
    assert!(refused.contains("in a circle: `p`, `q`, `p`"), "{refused}");
    assert!(refused.contains("in a circle: `own`, `own`"), "{refused}");
    assert_eq!(refused.matches("error: ").count(), 2, "{refused}");
}

#[test]
fn of_parsers_that_are_there_only_near_ones_are_listed() {
    says("  p: { grammar: json, nested: nginxx }", &["did you mean `nginx`?"]);
    let refused = refusal("  p: { grammar: json, nested: qwertyuiop }");
    assert!(refused.contains("`pillion parsers` lists them"), "{refused}");
    assert!(refused.len() < 600, "{refused}");
}

#[test]
fn no_mistake_in_a_parser_hides_another() {
    says(
        "  p:\n    layout: ['{time:isoo} {b:flaot} {message}', '{c:wrod} {message}']\n    samples: [{lines: a, recrod: {}}]",
        &["`isoo` is neither", "`flaot` is no kind", "`wrod` is no kind", "`lines`", "`recrod`"],
    );
}

#[test]
fn what_others_write_is_translated() {
    says("  p: { layout: '%{WORD:user} {message}' }", &["is grok's"]);
    says("  p: { pattern: '%{WORD:user} (?<message>.*)' }", &["is grok's"]);
    says(
        "  p: { grammar: json, time: { format: 'yyyy-MM-dd HH:mm:ss,SSS' } }",
        &["strptime's for it is `%Y-%m-%d %H:%M:%S,%3f`"],
    );
    says("  p: { layout: '{time:yyyy-MM-dd HH:mm:ss} {message}' }", &["`%Y-%m-%d %H:%M:%S`"]);
}
