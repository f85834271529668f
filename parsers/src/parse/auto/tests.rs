//! What `auto` chooses, and when it changes its mind.

use super::*;
use crate::Arena;
use crate::parse::columns::Columns;
use crate::parse::csv::Dialect;
use crate::parse::pattern::Locations;
use crate::parse::{Library, Parser, ReadAt};
use crate::record::Value;
use crate::timestamp::Clock;

const JSON: &str = r#"{"level":"info","msg":"hi"}"#;
const LOGFMT: &str = "level=info msg=hi";
const PROSE: &str = "a sentence with a=b in it";

fn fresh(chosen: Option<Arc<str>>) -> Auto {
    Auto::new(Library::builtin().candidates(), ParserState { chosen, tally: None })
}

/// Reads a line so many times, and says what came of the last.
fn read(auto: &mut Auto, line: &str, times: usize) -> &'static str {
    let mut last = "";
    for _ in 0..times {
        let arena = Arena::new();
        let (mut clock, mut bad_times) = (Clock::default(), 0);
        let mut cx = Context {
            arena: &arena,
            clock: &mut clock,
            bad_times: &mut bad_times,
            guessing: true,
            seen: crate::parse::seen::Seen::ALL,
            outside: crate::parse::roles::Outside::default(),
            locations: &mut Locations::default(),
            refine: None,
            auto: None,
            columns: &mut Columns::default(),
            dialect: &Dialect::COMMAS,
        };
        last = match auto.read(line, &mut cx, &mut Record::default()) {
            Found::Fitted(_) => "fitted",
            Found::Plain => "plain",
            Found::Unfit(_) => "unfit",
        };
    }
    last
}

/// Reads lines, and says what came of the last and what is chosen then.
fn check(auto: &mut Auto, line: &str, times: usize, found: &str, chosen: Option<&str>) {
    let last = read(auto, line, times);
    assert_eq!((last, auto.chosen().map(|name| &**name)), (found, chosen), "{line}");
}

#[test]
fn formats_are_told_apart_by_one_line() {
    for (line, name) in [
        (JSON, "json"),
        (LOGFMT, "logfmt"),
        ("level=info msg=x flag", "logfmt"),
        ("level=error msg=connection refused by peer id=3", "logfmt"),
        ("1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5", "access"),
        ("2026/11/22 10:00:00 [notice] 1#1: hi", "nginx_error"),
        ("<34>1 - - - - - - hi", "syslog_rfc5424"),
        ("<34>Nov 22 10:00:00 shop su: hi", "syslog_rfc3164"),
        ("Nov 22 10:00:00 shop su[1]: hi", "syslog_rfc3164"),
        ("2026-11-22T10:00:00.000003+01:00 shop systemd[1]: hi", "syslog_rfc3164"),
        ("2026-11-22T10:00:00.123+01:00  INFO 1 --- [main] c.e.A : hi", "java"),
        ("10:00:00.123 [main] INFO c.e.A -- hi", "java"),
    ] {
        check(&mut fresh(None), line, 1, "fitted", Some(name));
    }
}

#[test]
fn prose_is_plain_and_not_a_fault() {
    let mut auto = fresh(None);
    check(&mut auto, PROSE, 1, "plain", None);
    check(&mut auto, PROSE, 10, "plain", Some("plain"));
    // Lines that look like a format by chance do not change that at once, and are read as it.
    check(&mut auto, LOGFMT, 1, "fitted", Some("plain"));
    check(&mut auto, PROSE, 1, "plain", Some("plain"));
    check(&mut auto, "a=1 a=2 and so on", 1, "plain", Some("plain"));
}

/// A level is no host's name.
#[test]
fn a_time_and_a_level_are_no_syslog() {
    for line in [
        "2026-11-22T10:00:00Z (INFO) server: listening",
        "2026-11-22T10:00:00Z info server: listening",
        "2026-11-22T10:00:00.5+01:00 error db: refused",
        "2026-11-22T10:00:00Z (main) server[1]: listening",
    ] {
        check(&mut fresh(None), line, 1, "fitted", Some("plain_time"));
    }
    for host in ["shop", "web-1.example.com", "10.0.0.1", "fe80::1"] {
        let line = format!("2026-11-22T10:00:00Z {host} kernel: up");
        check(&mut fresh(None), &line, 1, "fitted", Some("syslog_rfc3164"));
    }
}

/// Nobody means prose by it: an object that is refused is counted from the first line on.
#[test]
fn what_all_but_fits_is_a_fault_in_any_lineage() {
    for line in [r#"{"\ud800":1}"#, r#"{"a":1,"\udc00":[2]}"#] {
        check(&mut fresh(None), line, 1, "unfit", None);
        check(&mut fresh(Some("plain".into())), line, 1, "unfit", Some("plain"));
    }
}

#[test]
fn a_banner_does_not_hide_the_format() {
    let mut auto = fresh(None);
    check(&mut auto, PROSE, 5, "plain", None);
    check(&mut auto, JSON, 1, "fitted", Some("json"));
    check(&mut auto, PROSE, 1, "unfit", Some("json"));
}

#[test]
fn the_choice_follows_the_lines_but_does_not_waver() {
    let mut auto = fresh(None);
    check(&mut auto, JSON, 1, "fitted", Some("json"));
    check(&mut auto, LOGFMT, 10, "fitted", Some("json"));
    check(&mut auto, JSON, 100, "fitted", Some("json"));
    for _ in 0..50 {
        check(&mut auto, LOGFMT, 1, "fitted", Some("json"));
        check(&mut auto, JSON, 1, "fitted", Some("json"));
    }
    check(&mut auto, LOGFMT, 1_000, "fitted", Some("logfmt"));
    check(&mut auto, PROSE, 5_000, "plain", Some("plain"));
}

/// The format that the last line was read by.
fn last(auto: &Auto) -> &str {
    auto.tally.last.and_then(|place| auto.candidates.get(place)).map_or("", |it| &it.compiled.name)
}

/// What fitted lately is tried early, but takes nothing from what shows by texts of its own.
#[test]
fn in_a_mix_each_line_is_read_by_what_it_fits() {
    const PINO: &str = r#"{"level":30,"time":1795658418079,"pid":1,"hostname":"web-1","msg":"hi"}"#;
    const ZAP: &str = r#"{"level":"info","ts":1795658418.5,"caller":"shop/main.go:9","msg":"hi"}"#;
    const RFC5424: &str = "<34>1 - - - - - - hi";
    const RFC3164: &str = "<34>Nov 22 10:00:00 shop su: hi";
    const ACCESS: &str = "1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5";
    let mut auto = fresh(None);
    check(&mut auto, PINO, 30, "fitted", Some("pino"));
    for (line, name) in [
        (JSON, "json"),
        (LOGFMT, "logfmt"),
        (RFC5424, "syslog_rfc5424"),
        (ACCESS, "access"),
        (RFC3164, "syslog_rfc3164"),
    ] {
        check(&mut auto, line, 6, "fitted", Some("pino"));
        assert_eq!(last(&auto), name, "{line}");
    }
    for (line, name) in
        [(PINO, "pino"), (JSON, "json"), (ZAP, "zap"), (JSON, "json"), (PINO, "pino")]
    {
        check(&mut auto, line, 1, "fitted", Some("pino"));
        assert_eq!(last(&auto), name, "{line}");
    }
}

#[test]
fn a_resumed_choice_is_kept() {
    for name in ["json", "plain"] {
        let auto = fresh(Some(name.into()));
        assert_eq!(auto.chosen().map(|name| &**name), Some(name));
    }
    // A few lines that do not fit shake it no more than they would have before.
    let mut auto = fresh(Some("json".into()));
    check(&mut auto, PROSE, 100, "unfit", Some("json"));
    // A parser that a newer or older version chose, and this one does not have.
    assert_eq!(fresh(Some("morse".into())).chosen(), None);
}

/// What others' lines fit, too, takes none from them by having been first.
#[test]
fn a_generic_format_does_not_stick() {
    const SLOG: &str = "2026/11/22 10:00:00 INFO hi";
    const LOGGER: &str = "2026-11-22T10:00:00Z ERROR [main] com.foo.Bar - boom";
    const JAVA: &str = "2026-11-22T10:00:00Z ERROR 1 --- [main] com.foo.Bar : boom";
    for (first, name, line, better) in [
        ("2026/11/22 10:00:00 starting", "go_log", SLOG, "slog_default"),
        ("2026-11-22T10:00:00Z INFO hello", "plain_time", LOGGER, "python"),
        ("2026-11-22T10:00:00Z INFO hello", "plain_time", JAVA, "java"),
        (JSON, "json", r#"{"level":"info","ts":1795658418.5,"caller":"a.go:9","msg":"hi"}"#, "zap"),
    ] {
        let mut auto = fresh(None);
        check(&mut auto, first, 3, "fitted", Some(name));
        check(&mut auto, line, 1, "fitted", Some(name));
        assert_eq!(last(&auto), better, "{line}");
        check(&mut auto, first, 1, "fitted", Some(name));
        assert_eq!(last(&auto), name, "{first}");
    }
}

/// A long banner is behind when all lines are of a format.
#[test]
fn what_all_lines_are_of_now_is_chosen_however_long_the_banner_was() {
    let mut auto = fresh(None);
    check(&mut auto, PROSE, 500, "plain", Some("plain"));
    check(&mut auto, JSON, 15, "fitted", Some("plain"));
    check(&mut auto, JSON, 1, "fitted", Some("json"));
}

/// What is kept of a lineage is all there is.
#[test]
fn a_resumed_lineage_changes_its_mind_when_it_would_have() {
    let mut auto = fresh(None);
    check(&mut auto, JSON, 40, "fitted", Some("json"));
    for _ in 0..20 {
        read(&mut auto, LOGFMT, 3);
        read(&mut auto, PROSE, 1);
        let state = ParserState { chosen: auto.chosen.clone(), tally: Some(auto.tally) };
        let resumed = Auto::new(Library::builtin().candidates(), state);
        assert_eq!((resumed.tally, resumed.format), (auto.tally, auto.format));
    }
    assert_eq!(auto.chosen().map(|name| &**name), Some("logfmt"));
}

/// What a program says when it dies stands in no format, and is no fault of the log's.
#[test]
fn a_crash_below_a_format_is_a_trace_of_its_own() {
    let library = Library::builtin();
    for (crash, class) in [
        ("panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/main.go:5 +0x1d", "panic"),
        (
            "Exception in thread \"main\" java.lang.Error: boom\n\tat a.B.c(B.java:5)",
            "java.lang.Error",
        ),
    ] {
        let mut parser = Parser::new(&library, "auto", ParserState::default()).unwrap();
        for text in [JSON, crash] {
            let (arena, mut record) = (Arena::new(), Record::default());
            parser.parse(text, ReadAt::default(), &arena, &mut record);
            assert!(!record.marks.unparsed, "{text}");
            if text == crash {
                assert!(record.get("stack_trace").is_some(), "{record:?}");
                let Some(Value::Text(found)) = record.get("error_type") else {
                    panic!("{record:?}")
                };
                assert_eq!(found.as_stored(), class);
            }
        }
    }
}
