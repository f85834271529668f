//! What layouts read, and what they refuse.

use crate::Arena;
use crate::definition::Definition;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::Record;

fn checked(yaml: &str) -> Result<(), String> {
    let definition = Definition::from_yaml(yaml).map_err(|error| error.to_string())?;
    definition.check().map_err(|error| error.to_string())
}

#[test]
fn kinds_of_fields() {
    checked(
        r#"
name: x
layout: '{time:iso} {level:I|W|E} {client_ip:address} {status:int} {took:float} "{request:request}" {agent:quoted} {data:json}{ }{mark:yes|no} {message:last} ({logger})'
samples:
  - line: '2026-11-26 02:20:14,615 W [2001:db8::1]:443 200 0.25 "GET /a HTTP/1.1" "a\"b" {"a":[1,{}]}   yes hi (you) (a.B)'
    record: { time: '2026-11-26T02:20:14.615Z', level: warn, client_ip: '2001:db8::1', client_port: 443, status: 200, took: 0.25, method: GET, target: /a, protocol: HTTP/1.1, agent: 'a"b', data: { a: [1, {}] }, mark: 'yes', message: 'hi (you)', logger: a.B }
  - line: '2026-11-26 02:20:14,615 W - - - "-" "-" [] no hi (a.B)'
    record: { level: warn, data: [], mark: 'no', message: hi, logger: a.B }
  - line: '2026-11-26 02:20:14,615 X - - - "-" "-" [] no hi (a.B)'
  - line: '2026-11-26 02:20:14,615 W - 20x - "-" "-" [] no hi (a.B)'
  - line: '2026-11-26 02:20:14,615 W - 20 - "-" "-" [ no hi (a.B)'
  - line: '2026-11-26 02:20:14,615 W - 20 - "-" "-" [] maybe hi (a.B)'
  - line: '2026-11-26 02:20:14,615 W - 20 - "-" "-" [] no hi (a.B) and more'
"#,
    )
    .unwrap();
}

#[test]
fn what_may_be_missing_and_what_comes_instead() {
    checked(
        r#"
name: x
layout:
  - '{{{user}{?@{host}?}}}{? [{pid:int}]?}: {message}'
  - 'only {message}'
samples:
  - line: '{ann@web} [12]: hi'
    record: { user: ann, host: web, pid: 12, message: hi }
  - line: '{ann}: hi'
    record: { user: ann, message: hi }
  - line: '{ann} [x]: hi'
  - line: 'only this'
    record: { message: this }
"#,
    )
    .unwrap();
}

/// All that is left, where nothing reads it further, is the text to the end.
#[test]
fn what_is_left_ends_a_layout() {
    checked(
        r#"
name: x
layout:
  - '{level:I|W} {a:word} {message:rest}'
  - '{level:E|F} {a}{?: {message:rest}?}'
  - 'only {a:rest}'
samples:
  - line: 'I one two three'
    record: { level: info, a: one, message: two three }
  - line: "W one two\n  three"
    record: { level: warn, a: one, message: "two\n  three" }
  - line: 'E one: two three'
    record: { level: error, a: one, message: two three }
  - line: 'E one'
    record: { level: error, a: one }
  - line: 'only one two'
    record: { a: one two }
"#,
    )
    .unwrap();
}

#[test]
fn what_is_left_is_kept_and_read_further() {
    checked(
        r#"
name: x
layout:
  - '{program}: {message:rest}Login of {user}{? from {client_ip:word}?}'
  - '{message:rest}Logout of {user}'
  - '{?{all:rest}[{pid:int}] ?}{message}'
samples:
  - line: 'web: Login of ann from ::1'
    record: { program: web, user: ann, client_ip: '::1', message: 'Login of ann from ::1' }
  - line: 'Logout of ann'
    record: { user: ann, message: Logout of ann }
  - line: '[12] hi'
    record: { pid: 12, all: '[12] hi', message: hi }
  - line: 'hi'
    record: { message: hi }
"#,
    )
    .unwrap();
}

const ALIKE: &str = r#"
name: x
layout:
  - '{time:iso} [{pid:int}] {level:INFO|WARN}: {message} in {took:int}'
  - '{time:iso} [{pid:int}] {level:INFO|WARN}: {message}'
  - '{time:iso} [{pid:int}]: {part:HINT|NOTE}: {message}'
  - '{time:iso} - {name:word}: to {message}'
  - '{time:iso} - {name:word}: {message}'
  - '{time:iso} - {message}'
samples:
  - line: '2026-11-26 02:20:14 [7] INFO: done in 3'
    record: { time: '2026-11-26T02:20:14Z', pid: 7, level: info, message: done, took: 3 }
  - line: '2026-11-26 02:20:14 [7] INFO: done in time'
    record: { time: '2026-11-26T02:20:14Z', pid: 7, level: info, message: done in time }
  - line: '2026-11-26 02:20:14 [7]: NOTE: x'
    record: { time: '2026-11-26T02:20:14Z', pid: 7, part: NOTE, message: x }
  - line: '2026-11-26 02:20:14 - a: to b'
    record: { time: '2026-11-26T02:20:14Z', name: a, message: b }
  - line: '2026-11-26 02:20:14 - a: b'
    record: { time: '2026-11-26T02:20:14Z', name: a, message: b }
  - line: '2026-11-26 02:20:14 - a b: c'
    record: { time: '2026-11-26T02:20:14Z', message: 'a b: c' }
  - line: '2026-99-26 [7]: NOTE: x'
    record: { time: '2026-99-26', pid: 7, part: NOTE, message: x }
  - line: '2026-99-26 - a: b'
    record: { time: '2026-99-26', name: a, message: b }
  - line: '2026-11-26 02:20:14 [7]: WHAT: x'
  - line: '2026-11-26 02:20:14 [x] INFO: x'
"#;

/// What layouts have in common is read once; the first that fits is taken all the same, and a time that
/// cannot be read ends where each of them says.
#[test]
fn layouts_that_begin_alike_are_tried_in_order() {
    checked(ALIKE).unwrap();
    let definition = Definition::from_yaml(ALIKE).unwrap();
    let library = Library::builtin().with(vec![definition]).unwrap();
    for (line, bad_times) in [
        ("2026-11-26 02:20:14 [7] INFO: x", 0),
        ("2026-99-26 [7]: NOTE: x", 1),
        ("2026-99-26 - a: b", 1),
        ("2026-99-26 [7]: WHAT: x", 0),
    ] {
        let mut parser = Parser::new(&library, "x", ParserState::default()).unwrap();
        let (arena, mut record) = (Arena::new(), Record::default());
        parser.parse(line, ReadAt::default(), &arena, &mut record);
        assert_eq!(parser.counters().bad_times, bad_times, "{line}");
    }
}

#[test]
fn a_stem_is_a_word_up_to_its_last_mark() {
    checked(
        r#"
name: x
layout: '[{thread:stem}:{logger:word}@{line:int}] {message}'
samples:
  - line: '[main:a.B@7] c: d@1] e'
    record: { thread: main, logger: a.B, line: 7, message: 'c: d@1] e' }
  - line: '[Accept:/127.0.0.1:2181:a.B@7] c'
    record: { thread: 'Accept:/127.0.0.1:2181', logger: a.B, line: 7, message: c }
  - line: '[:a.B@7] c'
  - line: '[main a:a.B@7] c'
"#,
    )
    .unwrap();
}

#[test]
fn fields_of_their_own() {
    checked(
        r#"
name: x
layout: '{level} {user}: {*:logfmt}'
samples:
  - line: 'INFO ann: level=debug user=bob n=1 msg="hi there"'
    record: { level: info, level_: debug, user: ann, user_: bob, n: '1', message: hi there }
"#,
    )
    .unwrap();
}

#[test]
fn only_lines_go_beyond_their_line() {
    checked(
        r#"
name: x
layout: ["{id:uuid} {message}\n\n{stack_trace:lines}", '{id:uuid}{rest}']
samples:
  - line: "a514fecf-483b-4797-9d36-2e839326b91a hi\nyou\n\na\nb"
    record: { id: a514fecf-483b-4797-9d36-2e839326b91a, message: "hi\nyou", stack_trace: "a\nb" }
  - line: "a514fecf-483b-4797-9d36-2e839326b91ax"
    record: { id: a514fecf-483b-4797-9d36-2e839326b91a, rest: x }
  - line: "a514fecf-483b-4797-9d36-2e839326b91"
  - line: "a514fecf_483b-4797-9d36-2e839326b91a x"
  - line: "a514fecf-483b-4797-9d36-2e839326b9é x"
"#,
    )
    .unwrap();
}

/// Where a time may be missing, what is none is what comes after it.
#[test]
fn a_time_may_be_missing() {
    checked(
        r#"
name: x
layout: '{?{time} ?}{word:word}: {message}'
samples:
  - line: 'info: hi'
    record: { word: info, message: hi }
  - line: '2026-11-26T02:00:00Z info: hi'
    record: { time: '2026-11-26T02:00:00Z', word: info, message: hi }
"#,
    )
    .unwrap();
}

#[test]
fn a_text_ends_where_json_begins() {
    checked(
        r#"
name: x
layout: ['{level}: {message} {context:json}{? {extra:json}?}', '{level}: {message} {*:json} end']
samples:
  - line: 'INFO: a text: with 2 words {"a":"b c"} [1]'
    record: { level: info, message: 'a text: with 2 words', context: { a: b c }, extra: [1] }
  - line: 'INFO: a [] '
  - line: 'INFO: a [b] {}'
  - line: 'INFO: hi {"n":1} end'
    record: { level: info, message: hi, n: 1 }
"#,
    )
    .unwrap();
}

#[test]
fn lists_have_blanks_in_them_and_requests_may_have_what_ends_them() {
    checked(
        r#"
name: x
layout: ['<{user:escaped}> {n:int}', '{addresses:list} {times:list} {n:int}', '"{request:request}" {status:int} "{agent}"']
samples:
  - line: '10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0.1, - : 0.3 7'
    record: { addresses: '10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80', times: '0.1, - : 0.3', n: 7 }
  - line: '<g\xC3\xBC nther> 1'
    record: { user: gü nther, n: 1 }
  - line: '<-> 1'
    record: { n: 1 }
  - line: '- 1 2'
    record: { times: '1', n: 2 }
  - line: '1, 2'
  - line: '"GET /?q="a b" HTTP/1.1" 200 "x"'
    record: { method: GET, target: '/?q="a b"', protocol: HTTP/1.1, status: 200, agent: x }
  - line: '"nonsense here" 400 "a HTTP/1.1"'
    record: { target: nonsense here, status: 400, agent: a HTTP/1.1 }
  - line: '"" 400 "-"'
    record: { status: 400 }
  - line: '"- - -" 0 "-"'
    record: { status: 0 }
  - line: '"GET / HTTP/1.1 200'
"#,
    )
    .unwrap();
}

#[test]
fn wrapped_and_nested() {
    checked(
        r#"
name: x
within: syslog
programs: [shopd]
layout: '{user} says {message}'
nested: logfmt
samples:
  - line: 'Nov 22 10:00:00 web shopd[12]: ann says n=1 level=warn'
    record: { host: web, program: shopd, pid: 12, user: ann, n: '1', level: warn }
  - line: 'Nov 22 10:00:00 web other: ann says n=1'
    record: { host: web, program: other, message: ann says n=1 }
  - line: 'Nov 22 10:00:00 web shopd: ann is silent'
    record: { host: web, program: shopd, message: ann is silent }
  - line: 'ann says hello'
    record: { user: ann, message: hello }
  - line: 'hello'
"#,
    )
    .unwrap();
}

/// What was escaped is no slice of the raw record for the redactor.
#[test]
fn a_chain_reads_the_message_of_the_one_before() {
    let library = Library::builtin();
    let mut parser = Parser::chain(&library, ["json", "logfmt"], ParserState::default()).unwrap();
    for (line, decoded, user) in [
        (r#"{"log":1,"msg":"user=ann level=warn"}"#, false, Some("ann")),
        (r#"{"log":1,"msg":"user=\"ann\" level=warn"}"#, true, Some("ann")),
        (r#"{"log":1,"msg":"just a text"}"#, false, None),
    ] {
        let arena = Arena::new();
        let mut record = Record::default();
        parser.parse(line, ReadAt::default(), &arena, &mut record);
        assert_eq!(record.decoded, decoded, "{line}");
        assert!(record.get("log").is_some());
        let found = record.get("user").map(|value| match value {
            crate::record::Value::Text(text) => text.as_stored(),
            _ => "",
        });
        assert_eq!(found, user, "{line}");
        assert_eq!(record.message.is_some(), user.is_none(), "{line}");
    }
    assert!(Parser::chain(&library, ["json", "nothing"], ParserState::default()).is_err());
}

#[test]
fn mistakes_have_their_place() {
    for (layout, column, what) in [
        ("{a}{b}", 1, "nothing says where `a` ends"),
        ("hé {a", 4, "`{` is not closed"),
        ("a}", 2, "closes nothing"),
        ("{a} {a}", 5, "a field `a` before"),
        ("{a b}", 1, "no name for a field"),
        ("{a:b}", 1, "`b` is no kind of field"),
        ("{?{a}", 6, "`{?` is not closed"),
        ("{?{?{a}?}?}", 3, "`{?` within `{?`"),
        ("{*:morse}", 1, "no grammar `morse`"),
        ("text", 1, "it has no field"),
    ] {
        let error = checked(&format!("name: x\nlayout: '{layout}'")).unwrap_err();
        assert!(error.contains(what) && error.contains(&format!("column {column}:")), "{error}");
    }
    let error = checked("name: x\nlayout: '{a}'\ntypes: { b: integer }").unwrap_err();
    assert!(error.contains("`types` names the field `b`"), "{error}");
    for name in ["x", "morse"] {
        let error = checked(&format!("name: x\nlayout: '{{a}}'\nwithin: {name}")).unwrap_err();
        assert!(error.contains(&format!("`within: {name}` names no parser")), "{error}");
    }
}

/// Elasticsearch refuses a document that has a key twice.
#[test]
fn what_a_field_gives_besides_is_taken() {
    for layout in [
        "{protocol} {line:request}",
        "{line:request} {target}",
        "{one:request} {two:request}",
        "{client_ip:address} {client_port:int}",
        "{peer_ip:address} {peer_host:address}",
    ] {
        let error = checked(&format!("name: x\nlayout: '{layout}'")).unwrap_err();
        assert!(error.contains("there is a field"), "{layout}: {error}");
    }
    checked("name: x\nlayout: '{target:request} {client_ip:address} {peer_ip:address}'").unwrap();
}

/// What is a number stays the text it is behind the name of a secret, wherever the layout has that from.
#[test]
fn a_number_behind_a_name() {
    checked(
        r#"
name: x
layout: 'password: {a:int} token:{ }{b:int}{? secret= ?}{c:int}/{d:int} {e:int}'
samples:
  - line: 'password: 17 token:  18 secret= 19/20 21'
    record: { a: '17', b: '18', c: '19', d: 20, e: 21 }
"#,
    )
    .unwrap();
}
