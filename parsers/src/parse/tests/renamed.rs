//! Objects that are opened, and fields that get a name that destinations know.

use crate::definition::Definition;

fn checked(yaml: &str) -> Result<(), String> {
    let definition = Definition::from_yaml(yaml).map_err(|error| error.to_string())?;
    definition.check().map_err(|error| error.to_string())
}

#[test]
fn objects_are_opened_and_fields_renamed() {
    checked(
        r#"
name: x
grammar: json
open: [log., process., process.thread., extra]
fields: { log.logger: logger, process.pid: pid, process.thread.name: thread, text: message, req: method, rid: request_id }
level: { field: log.level }
samples:
  - line: '{"log":{"level":"warn","logger":"a.B"},"process":{"pid":7,"thread":{"name":"main","id":1}},"extra":{"text":"hi","n":[1]}}'
    record: { level: warn, logger: a.B, pid: 7, thread: main, process.thread.id: 1, message: hi, n: [1] }
  # the flat form is read the same
  - line: '{"log.level":"warn","log.logger":"a.B","process.pid":7}'
    record: { level: warn, logger: a.B, pid: 7 }
  # what is no object, is taken already, or is no single value, stays; what stands outside goes first
  - line: '{"log":"file","extra":{"n":1,"level":"info"},"n":2,"message":"m","text":"t","req":{"a":1}}'
    record: { message: m, log: file, n: 2, n_: 1, level: info, text: t, req: { a: 1 } }
  - line: '{"request_id":"a","rid":"b","extra":[1],"log":{"msg\"":1},"process":{}}'
    record: { request_id: a, rid: b, extra: [1], 'log.msg"': 1 }
"#,
    )
    .unwrap();
}

#[test]
fn an_array_of_one_text_is_that_text() {
    checked(
        r#"
name: x
grammar: json
open: [headers.]
fields: { headers.User-Agent: user_agent, headers.Referer: referrer, headers.Accept: accept }
samples:
  - line: '{"headers":{"User-Agent":["say \"hi\" \u00e9"],"Referer":["a","b"],"Accept":[1]}}'
    record: { user_agent: 'say "hi" é', headers.Referer: [a, b], headers.Accept: [1] }
  - line: '{"headers":{"User-Agent":[],"Referer":["-"]}}'
    record: { headers.User-Agent: [] }
"#,
    )
    .unwrap();
}

#[test]
fn layouts_name_their_fields_themselves() {
    for (key, value) in [("open", "[a]"), ("fields", "{ a: b }")] {
        let error = checked(&format!("name: x\nlayout: '{{a}}'\n{key}: {value}")).unwrap_err();
        assert!(error.contains(&format!("`{key}` is for a `grammar`")), "{error}");
    }
}
