//! Steps on records: what they leave, and which records.

use super::*;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::{Key, Known, Origin};

const SECOND: i64 = 1_000_000_000;

fn step(action: Action) -> Step {
    Step { name: "it".to_owned(), when: None, action }
}

fn condition(text: &str) -> Condition {
    Condition::new(text).expect(text)
}

fn template(text: &str) -> Addition {
    Addition::Text(Template::new(text).expect(text))
}

fn moment(offset: u64, read_at: i64) -> Moment {
    let identity = Identity { file: 7, offset, hash: 99 };
    Moment { identity, read_at, throttled_at: read_at, max_record: 100_000 }
}

/// Parses a line as JSON, runs one step on it, and looks at the record.
fn after(action: Action, line: &str, look: impl FnOnce(&Record<'_>)) {
    let steps = [step(action)];
    let library = Library::builtin();
    let mut parser = Parser::new(&library, "json", ParserState::default()).expect("there is one");
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, ReadAt::default(), &arena, &mut record);
    let dropped = Stepper::default().run(&steps, &[0], moment(0, 0), &arena, &mut record);
    assert_eq!(dropped, None, "{line}");
    look(&record);
}

/// The record as `name=value`, joined by blanks.
fn shown(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    if let Some(time) = record.time {
        out.push(format!("@{}", time.nanos));
    }
    out.extend(record.level.map(|level| format!("[{}]", level.name())));
    out.extend(record.message.map(|text| format!("\"{}\"", text.as_stored())));
    for field in &record.fields {
        let mut value = String::new();
        named::push(field.value, &mut value);
        out.push(format!("{}={value}", field.key.name()));
    }
    out.join(" ")
}

fn check(action: Action, line: &str, expect: &str) {
    after(action, line, |record| assert_eq!(shown(record), expect, "{line}"));
}

fn rename(pairs: &[(&str, &str)]) -> Action {
    Action::Rename(pairs.iter().map(|(old, new)| ((*old).into(), (*new).into())).collect())
}

fn remove(names: &[&str]) -> Action {
    Action::Remove(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn renamed_fields_keep_their_place_and_replace_what_has_the_name() {
    check(rename(&[("a", "x")]), r#"{"a":1,"b":2}"#, "x=1 b=2");
    check(rename(&[("a", "b")]), r#"{"a":1,"b":2,"c":3}"#, "b=1 c=3");
    check(rename(&[("c", "b")]), r#"{"a":1,"b":2,"c":3}"#, "a=1 b=3");
    check(rename(&[("a", "b"), ("b", "c")]), r#"{"a":1}"#, "c=1");
    check(rename(&[("nothing", "b")]), r#"{"b":2}"#, "b=2");
    check(rename(&[("h.cookie", "c")]), r#"{"h":{"cookie":"a\"b","x":1}}"#, "h={\"x\":1} c=a\"b");
    check(
        rename(&[("h.cookie", "c")]),
        r#"{"h.cookie":"v","h":{"cookie":1}}"#,
        "c=v h={\"cookie\":1}",
    );
}

#[test]
fn renamed_keys_are_built_or_known() {
    after(rename(&[("a", "b"), ("remote", "client_ip")]), r#"{"a":"x","remote":"y"}"#, |record| {
        let Key::Text(key) = record.fields[0].key else { panic!("{record:?}") };
        assert_eq!(key.origin(), Origin::Built);
        assert_eq!(record.fields[1].key, Key::Known(Known::ClientIp));
        // The values are what they were.
        let Value::Text(value) = record.fields[0].value else { panic!("{record:?}") };
        assert_eq!(value.origin(), Origin::Raw);
    });
    after(rename(&[("a.b", "c")]), r#"{"a":{"b":"x\u0040y"}}"#, |record| {
        let Value::Text(value) = record.fields[1].value else { panic!("{record:?}") };
        assert_eq!((value.as_stored(), value.origin()), ("x@y", Origin::Built));
    });
}

#[test]
fn message_level_and_time_are_names_like_others() {
    let line = r#"{"text":"hello","sev":"WARN","at":"2026-11-22T10:00:00Z","n":5}"#;
    check(rename(&[("text", "message")]), line, "\"hello\" sev=WARN at=2026-11-22T10:00:00Z n=5");
    check(rename(&[("sev", "level")]), line, "[warn] text=hello at=2026-11-22T10:00:00Z n=5");
    check(rename(&[("at", "time")]), line, "@1795341600000000000 text=hello sev=WARN n=5");
    check(rename(&[("n", "message")]), line, "\"5\" text=hello sev=WARN at=2026-11-22T10:00:00Z");
    // What cannot be read stays what it is.
    let all = "text=hello sev=WARN at=2026-11-22T10:00:00Z n=5";
    check(rename(&[("text", "level"), ("sev", "time")]), line, all);
    let known = r#"{"time":"2026-11-22T10:00:00.5Z","level":"info","msg":"m","x":1}"#;
    let out = rename(&[("time", "t"), ("level", "l"), ("message", "m")]);
    check(out, known, "x=1 t=2026-11-22T10:00:00.5Z l=info m=m");
    check(remove(&["time", "level", "message"]), known, "x=1");
    check(rename(&[("x", "message")]), known, "@1795341600500000000 [info] \"1\"");
}

#[test]
fn fields_are_removed_at_any_depth() {
    let line = r#"{"headers":{"cookie":"secret","host":"h"},"a.b":1,"a":{"b":2,"c":[3]}}"#;
    let expect = r#"headers={"host":"h"} a.b=1 a={"b":2,"c":[3]}"#;
    check(remove(&["headers.cookie", "nothing", "headers.nothing.x"]), line, expect);
    // The key that has the whole name goes first.
    let expect = r#"headers={"cookie":"secret","host":"h"} a={"c":[3]}"#;
    check(remove(&["a.b", "a.b"]), line, expect);
    check(remove(&["headers", "a"]), line, "a.b=1");
}

#[test]
fn added_fields_are_text_with_places_or_copies() {
    let line =
        r#"{"level":"warn","msg":"m","status":503,"ok":true,"h":{"ip":"10.0.0.1"},"q":"a\"b"}"#;
    let add = |name: &str, addition| Action::Add(vec![(name.to_owned(), addition)]);
    let base = r#"[warn] "m" status=503 ok=true h={"ip":"10.0.0.1"} q=a"b"#;
    for (name, addition, expect) in [
        ("env", template("prod"), format!("{base} env=prod")),
        (
            "t",
            template("{level}-{status}-{h.ip}-{q}{nothing}"),
            format!("{base} t=warn-503-10.0.0.1-a\"b"),
        ),
        ("s", template("{status}"), format!("{base} s=503")),
        ("n", Addition::Int(3), format!("{base} n=3")),
        ("n", template("{nothing}"), base.to_owned()),
        ("n", template("{nothing}{none}"), base.to_owned()),
        ("status", Addition::Float(1.5), base.replace("503", "1.5")),
        ("level", template("{status}x"), base.to_owned()),
        ("level", template("ERROR"), base.replace("warn", "error")),
        ("message", template("{message}!"), base.replace("\"m\"", "\"m!\"")),
    ] {
        check(add(name, addition), line, &expect);
    }
    after(add("s", template("{status}")), line, |record| {
        assert_eq!(record.get("s"), Some(&Value::Number("503")));
    });
    after(add("s", template("x{q}")), line, |record| {
        let Some(Value::Text(text)) = record.get("s") else { panic!("{record:?}") };
        assert_eq!(text.origin(), Origin::Built);
    });
}

#[test]
fn text_that_is_added_is_cut_where_records_are_and_the_record_is_marked() {
    let check = |text: &str, characters: usize, expect: (usize, bool)| {
        let line = format!(r#"{{"m":"{}"}}"#, "é".repeat(characters));
        let add = Action::Add(vec![("x".to_owned(), template(text))]);
        after(add, &line, |record| {
            let Some(Value::Text(text)) = record.get("x") else { panic!("{record:?}") };
            assert_eq!((text.as_stored().len(), record.marks.truncated), expect);
        });
    };
    check("aa{m}", 49_999, (100_000, false));
    check("{m}", 60_000, (120_000, false));
    check("a{m}", 50_000, (99_999, true));
    check("{m}{m}", 60_000, (100_000, true));
}

#[test]
fn throttles_go_by_their_own_clock() {
    let rate = Rate { records: 1, per: SECOND as u64 };
    let steps = [step(Action::Throttle(Throttle::new(rate, 1, None)))];
    let (arena, mut stepper) = (Arena::new(), Stepper::default());
    let mut passes = |throttled_at| {
        let moment = Moment { throttled_at, ..moment(0, 0) };
        stepper.run(&steps, &[0], moment, &arena, &mut Record::default()).is_none()
    };
    assert!(passes(0) && !passes(1) && passes(SECOND));
}

#[test]
fn templates_are_refused_where_they_are_wrong() {
    for (text, at) in [("a{", 1..2), ("a}", 1..2), ("{}", 0..2), ("x{ a }", 1..6), ("{a{b}}", 0..5)]
    {
        assert_eq!(Template::new(text).expect_err(text).at, at, "{text}");
    }
    assert!(Template::new(&"x".repeat(2049)).is_err());
}

/// Which of these offsets are kept.
fn kept(steps: &[Step], records: &[Record<'_>], read_at: impl Fn(usize) -> i64) -> Vec<usize> {
    let mut stepper = Stepper::default();
    let which: Vec<_> = (0..steps.len()).collect();
    let mut kept = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let arena = Arena::new();
        let mut copy = Record { fields: record.fields.clone(), ..Record::default() };
        (copy.level, copy.message) = (record.level, record.message);
        let moment = moment(index as u64 * 40, read_at(index));
        if stepper.run(steps, &which, moment, &arena, &mut copy).is_none() {
            kept.push(index);
        }
    }
    kept
}

fn numbered(count: usize, keys: usize) -> Vec<Record<'static>> {
    let record = |n: usize| {
        let mut record = Record::default();
        let key = i64::try_from(n % keys).expect("small");
        record.push(Key::Text(Text::raw("k")), Value::Int(key));
        record
    };
    (0..count).map(record).collect()
}

#[test]
fn dropping_and_keeping_go_by_a_condition_and_in_order() {
    let records = numbered(6, 6);
    let drop = || step(Action::Drop(condition("k < 2")));
    let keep = || step(Action::Keep(condition("k != 4")));
    assert_eq!(kept(&[drop(), keep()], &records, |_| 0), [2, 3, 5]);
    // What a step has changed is what the next one sees.
    let renamed = [step(rename(&[("k", "j")])), drop()];
    assert_eq!(kept(&renamed, &records, |_| 0), [0, 1, 2, 3, 4, 5]);
    let when = Step { when: Some(condition("k == 5")), ..step(Action::Keep(condition("false"))) };
    assert_eq!(kept(&[when], &records, |_| 0), [0, 1, 2, 3, 4]);
}

#[test]
fn samples_are_the_same_each_time_and_as_many_as_asked_for() {
    let records = numbered(10_000, 10_000);
    for (sample, expect) in [
        (Sample::rate(0.1, None), 900..1100),
        (Sample::one_in(4, None), 2350..2650),
        (Sample::rate(1.0, None), 10_000..10_001),
        (Sample::one_in(1, None), 10_000..10_001),
        (Sample::rate(1e-30, None), 0..1),
        (Sample::rate(0.1, Some("k".to_owned())), 900..1100),
    ] {
        let steps = [step(Action::Sample(sample.clone()))];
        let first = kept(&steps, &records, |_| 0);
        assert!(expect.contains(&first.len()), "{sample:?}: {}", first.len());
        assert_eq!(first, kept(&steps, &records, |index| index as i64 * SECOND), "{sample:?}");
    }
    // One after the other, each takes its own part.
    let half = |name: &str| Step {
        name: name.to_owned(),
        ..step(Action::Sample(Sample::one_in(2, None)))
    };
    let quarter = kept(&[half("a"), half("b")], &records, |_| 0).len();
    assert!((2300..2700).contains(&quarter), "{quarter}");
}

#[test]
fn records_with_one_key_are_kept_together() {
    let records = numbered(1_000, 10);
    let steps = [step(Action::Sample(Sample::one_in(2, Some("k".to_owned()))))];
    let kept = kept(&steps, &records, |_| 0);
    let keys: std::collections::BTreeSet<_> = kept.iter().map(|index| index % 10).collect();
    assert_eq!(kept.len(), keys.len() * 100);
    assert!((1..10).contains(&keys.len()), "{keys:?}");
    // Records without the field go by themselves.
    let steps = [step(Action::Sample(Sample::one_in(2, Some("j".to_owned()))))];
    let alone = super::tests::kept(&steps, &records, |_| 0).len();
    assert!((400..600).contains(&alone), "{alone}");
}

fn throttle(records: u32, per: i64, burst: u32, key: Option<&str>) -> Step {
    let rate = Rate { records, per: per.unsigned_abs() };
    let key = key.map(|key| Template::new(key).expect(key));
    step(Action::Throttle(Throttle::new(rate, burst, key)))
}

#[test]
fn each_key_has_its_own_rate() {
    let records = numbered(1_000, 2);
    // 100 a second, half of them of each key: 10/s of each pass, and 5 at once.
    let steps = [throttle(10, SECOND, 5, Some("{k}"))];
    let passed = kept(&steps, &records, |index| index as i64 * SECOND / 100);
    assert!((205..=212).contains(&passed.len()), "{}", passed.len());
    assert_eq!(passed.iter().filter(|index| *index % 2 == 0).count(), passed.len().div_ceil(2));
    // All at once: the burst.
    assert_eq!(kept(&steps, &records, |_| 7 * SECOND), (0..10).collect::<Vec<_>>());
    // Without a key, all have one.
    let steps = [throttle(10, SECOND, 10, None)];
    assert_eq!(kept(&steps, &records, |_| 0).len(), 10);
}

#[test]
fn a_clock_set_back_stops_nobody_for_long() {
    let records = numbered(40, 1);
    let steps = [throttle(1, SECOND, 1, Some("{k}"))];
    let read_at = |index: usize| {
        let index = index as i64;
        if index < 20 { 1_000_000 * SECOND + index * SECOND } else { index * SECOND }
    };
    let passed = kept(&steps, &records, read_at);
    assert!(passed.len() >= 39, "{passed:?}");
}

#[test]
fn keys_are_bounded_and_those_beyond_share_one() {
    let records = numbered(MAX_KEYS + 1_000, usize::MAX);
    let steps = [throttle(1, 10 * SECOND, 1, Some("{k}"))];
    // Nobody is forgotten meanwhile: the last thousand share one bucket.
    assert_eq!(kept(&steps, &records, |_| 0).len(), MAX_KEYS + 1);
    // Those who have used up nothing make room.
    let read_at = |index: usize| if index < MAX_KEYS { 0 } else { 11 * SECOND };
    assert_eq!(kept(&steps, &records, read_at).len(), MAX_KEYS + 1_000);
    let mut table = throttle::Table::default();
    let Action::Throttle(throttle) = &steps[0].action else { panic!("it is one") };
    for record in &records {
        table.lets_pass(0, throttle, 0, record, &mut String::new());
    }
    assert_eq!(table.len(), MAX_KEYS + 1);
}
