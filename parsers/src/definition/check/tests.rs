//! Definitions that cannot be used, and what is said of them.

use super::*;

fn check(yaml: &str, expect: &str) {
    let error = match Definition::from_yaml(yaml) {
        Ok(definition) => definition.check().unwrap_err(),
        Err(error) => error,
    };
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    assert!(first.contains(expect), "expected: {expect}\n   found: {first}");
}

#[test]
fn faults_are_named() {
    check("name: x", "parser `x`: give one of `layout`, `pattern` and `grammar`");
    check("{name: x, grammar: json, pattern: a}", "give one of `layout`, `pattern` and `grammar`");
    check("{name: x, grammar: jason}", "there is no grammar `jason`");
    check("{name: x, pattern: '(?<a>'}", "the pattern cannot be used");
    check("{name: x, pattern: 'abc'}", "it has no named group");
    check("{name: x, pattern: '(?<a>\\w{1000}){1000}'}", "the pattern cannot be used");
    check(
        "{name: x, pattern: '(?<a>b)', types: {c: integer}}",
        "`types` names the field `c`, which the pattern does not capture",
    );
    check("{name: x, pattern: '(?<a>b)', time: {field: when}}", "`time` names the field `when`");
    check("{name: x, pattern: '(?<a>b)', time: {zone: Mars}}", "`Mars` is no time zone");
    check("{name: x, pattern: '(?<time>b)', time: {format: 'iso8602'}}", "`iso8602` is neither");
    check("{name: x, grammar: json, time: {format: epoch_ms}}", "name the `field`");
    check("{name: x, grammar: java, level: {map: {NOTE: info}}}", "name the `field`");
    check("{name: x, patern: '(?<a>b)'}", "patern");
    check("{name: x, pattern: '(?<a>b)', types: {a: int}}", "int");
}

#[test]
fn differences_name_the_sample_and_the_field() {
    let head = "name: x\npattern: '^(?<level>\\w+) (?<n>\\d+) (?<message>.*)$'\ntypes: { n: integer }\nsamples:\n";
    let sample = |record: &str| format!("{head}  - line: 'INFO 17 hi'\n{record}");
    for (record, expect) in [
        (
            "    record: { level: info, n: 18, message: hi }",
            "parser `x`: sample 1, `n`: expected 18, found 17",
        ),
        ("    record: { level: info, n: '17', message: hi }", "expected \"17\", found 17"),
        ("    record: { level: info, message: hi }", "`n`: expected nothing, found 17"),
        ("    record: { n: 17, message: hi }", "`level`: expected nothing, found `info`"),
        ("    record: { n: 17, level: info }", "`message`: expected nothing, found \"hi\""),
        ("    record: { level: warn, n: 17, message: hi }", "expected \"warn\", found `info`"),
        ("    record: { level: info, n: 17, message: hi, m: 1 }", "`m`: expected 1, found nothing"),
        (
            "    record: { level: info, n: 17, message: hi, time: '2026-11-22T10:00:00Z' }",
            "`time`: expected \"2026-11-22T10:00:00Z\", found nothing",
        ),
        (
            "    record: { level: warn, n: 18, m: 1 }",
            "sample 1, `level`: expected \"warn\", found `info`; `m`: expected 1, found nothing; \
             `n`: expected 18, found 17; `message`: expected nothing, found \"hi\"",
        ),
        (
            "",
            "`line`: expected that it does not fit (the sample has no `record`), found that it fits",
        ),
        ("    read_at: noon", "`read_at`: expected an RFC 3339 time, found `noon`"),
    ] {
        check(&sample(record), expect);
    }
    check(
        &format!(
            "{head}  - line: 'INFO 17 hi'\n    record: {{level: info, n: 17, message: hi}}\n  - line: nope\n    record: {{}}"
        ),
        "sample 2, `line`: expected that it fits, found that it does not (syntax)",
    );
}

#[test]
fn a_sample_is_one_record_to_the_formats_own_joiner() {
    let head = "name: x\nlayout: \"# {a}\\n{message}\"\n";
    let sample = "samples:\n  - line: \"# b\\nc\\nd\"\n    record: { a: b, message: \"c\\nd\" }\n";
    check(
        &format!("{head}joiner: {{ start: '^[#c]' }}\n{sample}"),
        "sample 1, `line`: expected that it is one record, found that the joiner begins another with line 2",
    );
    for joiner in ["{ start: '^#' }", "{ start: '^c', ahead: '^#' }"] {
        let yaml = format!("{head}joiner: {joiner}\n{sample}");
        assert_eq!(Definition::from_yaml(&yaml).unwrap().check(), Ok(()), "{joiner}");
    }
}
