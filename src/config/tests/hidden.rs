//! No message shows what could be a credential.

use super::{environment, text};
use crate::config::{Over, from_simple};

#[test]
fn no_message_shows_a_credential() {
    let check = |content: &str| {
        let found = text(content).expect_err(content);
        for shown in [found.to_string(), found.coloured()] {
            assert!(!shown.contains("sesame") && !shown.contains("hunter2"), "{shown}");
        }
    };
    let with = |fields: &str| {
        format!(
            "sources: {{a: {{files: /l/a}}}}\ndestinations: {{b: {{elasticsearch: {{{fields}}}}}}}"
        )
    };
    check(&with("url: http://es, index: x, user: u, password: hunter2, pipline: y"));
    check(&with("url: http://es, index: x, user: u, pasword: hunter2"));
    check(&with("url: 'http://u:hunter2@es', index: x"));
    check(&with("url: http://es, index: x, api_key: [hunter2]"));
    check(&with("url: http://es, index: x, timeout: '${CREDENTIAL}'"));
    check(&with("url: '${CREDENTIAL}', index: 'A${CREDENTIAL}', ids: '${CREDENTIAL}'"));
    check("memory: '${CREDENTIAL}'\nadmin: '${CREDENTIAL}'\nschema: '${CREDENTIAL}'");
    check(&with("url: http://es, index: x, password: 'hunter2, x: [}"));
    check("password: hunter2: x");
    // The same, mistyped or where nobody thinks of it.
    check(&with("url: http://es, index: x, user: u, pw: hunter2"));
    check(&with("url: http://es, index: x, user: u, pasw: hunter2, x: 'hunter2'"));
    check(&with("url: http://es, index: x, dsn: hunter2, cnn: {a: [hunter2]}"));
    check(&with("url: http://es, index: x, headers: {Cookie: hunter2}"));
    check(&with("url: http://es, index: x, api_key: {hunter2: x}"));
    check(&with("url: http://u:hun/hunter2@es, index: x"));
    check(&with("url: u:hunter2@es, index: x"));
    check(&with("url: 'htp://es?token=hunter2', index: x"));
    check(&with("url: http://es, index: x, bad: y } } # was hunter2\n  c: { console: {"));
    check(&with("url: http://es, index: x, timeout: '${ES_PW:-hunter2}'"));
    check(&with("url: http://es, index: x, user: u, password: '${ES PW:-hunter2}'"));
    check(&with("url: http://es, index: x, user: u, password: !hunter2 x, api_key: !!hunter2"));
    check("state: ${ES_PW:-hunter2}\nadmin: '${A:-${hunter2}}'");
    for unreadable in [
        "password:\n  hunter2: x: [",
        "- password: |\n    a\n\n    hunter2: x\n- y: z: [",
        "pw: hunter2: x: [",
        "a: {b: hunter2: x: ]",
        "a: http://u:hun/hunter2@es: x: [",
        "a: [ # hunter2",
        "x: \"hunter2: y",
        "password:\n- hunter2: x: y",
    ] {
        check(unreadable);
    }
}

#[test]
fn nor_does_one_about_an_option() {
    for to in [
        "https://elastic:hunter2@es",
        "https://elastic:hun=hunter2@es",
        "elasticserch=https://elastic:hunter2@es",
        "elastic:hunter2@es",
        "elasticsearch=elastic:hunter2@es",
        "elasticsearch=https://elastic:hun/hunter2@es",
        "loki=htp://es?token=hunter2",
        "file=${ES_PW:-hunter2}",
    ] {
        let files = ["/l/*.log".to_owned()];
        let given = from_simple(&files, &[to.to_owned()], &Over::default(), &environment);
        let set = |name: &str| (name == "PILLION_TO").then(|| to.to_owned());
        let set = from_simple(&files, &[], &Over::default(), &set);
        for found in [given.expect_err(to), set.expect_err(to)] {
            assert!(!found.to_string().contains("hunter2"), "{found}");
        }
    }
}

#[test]
fn what_helps_is_still_shown() {
    let shown = |content: &str| text(content).expect_err("refused").to_string();
    let found = shown("memory: 12MiBs\nschema: esc\n");
    assert!(found.contains("1 | memory: 12MiBs") && found.contains("2 | schema: esc"), "{found}");
    let found = shown("sources: { a: { files: [/l/*.log, relative], parsr: json } }\n");
    let line = "1 | sources: { a: { files: [********, relative], parsr: **** } }";
    assert!(found.contains(line), "{found}");
    let found = shown("a: b: c");
    assert!(found.contains("1 | a: *: *"), "{found}");
}
