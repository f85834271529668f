//! Records of several lines whose first line has a format: it is read, and the rest is not lost.

use super::*;

const TRACE: &str = "java.lang.IllegalStateException: no stock\n\tat c.e.Shop.order(Shop.java:17)";
const PYTHON: &str = "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'";

/// Level, message, stack trace and error type; each empty where there is none.
#[track_caller]
fn check(parser: &mut Parser, text: &str, expect: [&str; 4]) {
    let arena = Arena::new();
    let mut record = Record::default();
    parser.parse(text, AT, &arena, &mut record);
    assert!(!record.marks.unparsed, "{text}");
    let field = |known: Known| match record.get(known.name()) {
        Some(Value::Text(text)) => text.as_stored(),
        _ => "",
    };
    let got = [
        record.level.map_or("", Level::name),
        record.message.map_or("", |message| message.as_stored()),
        field(Known::StackTrace),
        field(Known::ErrorType),
    ];
    assert_eq!(got, expect, "{text}");
}

fn pattern(pattern: &str) -> Parser {
    let definition = Definition { pattern: Some(pattern.to_owned()), ..Definition::default() };
    Parser::with(
        definition.compile_and_check(&Library::builtin()).expect("good"),
        &Library::builtin(),
        ParserState::default(),
    )
}

#[test]
fn a_pattern_reads_the_first_line_and_the_trace_is_a_field() {
    const CLASS: &str = "java.lang.IllegalStateException";
    for anchored in [
        r"^(?<time>\S+) (?<level>[A-Z]+) (?<message>.*)$",
        r"(?<time>\S+) (?<level>[A-Z]+) (?<message>.*)",
        r"(?m)^(?<time>\S+) (?<level>[A-Z]+) (?<message>.*)$",
    ] {
        let mut parser = pattern(anchored);
        let head = "2026-11-22T10:00:00Z ERROR order failed";
        check(&mut parser, head, ["error", "order failed", "", ""]);
        let text = format!("{head}\n{TRACE}");
        check(&mut parser, &text, ["error", "order failed", TRACE, CLASS]);
        let text = format!("{head}\r\nmore of it\r\n{TRACE}");
        check(&mut parser, &text, ["error", "order failed\nmore of it", TRACE, CLASS]);
        let text = format!("{head}\n{PYTHON}");
        check(&mut parser, &text, ["error", "order failed", PYTHON, "KeyError"]);
        assert_eq!(parser.counters().parsed, 4);
    }
}

#[test]
fn a_pattern_of_several_lines_has_them() {
    let mut parser = pattern(r"(?s)^(?<time>\S+) (?<message>.*)$");
    let text = format!("2026-11-22T10:00:00Z failed\n{TRACE}");
    check(&mut parser, &text, ["", &text[21..], "", ""]);
    let mut parser = pattern(r"^(?<time>\S+)\n(?<message>.*)$");
    check(&mut parser, "2026-11-22T10:00:00Z\nfailed", ["", "failed", "", ""]);
}

#[test]
fn a_pattern_that_fits_a_later_line_only_loses_none() {
    let mut parser = pattern(r"order=(?<order>\d+)");
    assert!(is_unparsed(&mut parser, "failed\norder=17"));
    check(&mut parser, "order=17\nfailed", ["", "failed", "", ""]);
}

#[test]
fn a_field_that_is_there_is_not_put_twice() {
    let mut parser = pattern(r"^(?<stack_trace>\S+) (?<message>.*)$");
    let text = format!("none failed\n{TRACE}");
    check(&mut parser, &text, ["", &format!("failed\n{TRACE}"), "none", ""]);
    let json = format!("{{\"msg\":\"a\\u0041\",\"error_type\":\"x\"}}\n{TRACE}");
    check(&mut super::parser("json"), &json, ["", &format!("aA\n{TRACE}"), "", "x"]);
}

#[test]
fn structured_lines_keep_their_fields_above_a_trace() {
    let heads = [
        (r#"{"level":"error","msg":"db down","order":17}"#, "json"),
        ("level=error msg=\"db down\" order=17", "logfmt"),
    ];
    for (head, name) in heads {
        for parser in [&mut parser(name), &mut parser("auto")] {
            for trace in [PYTHON, TRACE, "goroutine 1 [running]:\nmain.main()"] {
                let class = match trace {
                    TRACE => "java.lang.IllegalStateException",
                    PYTHON => "KeyError",
                    _ => "",
                };
                let text = format!("{head}\n{trace}");
                check(parser, &text, ["error", "db down", trace, class]);
            }
            assert!(is_unparsed(parser, &format!("{{\"a\":\n{TRACE}")), "{name}");
        }
    }
}

/// What every language prints when nobody catches an error, below nothing and below a log line.
#[test]
fn traces_of_every_language_are_fields() {
    const UNCAUGHT: [(&str, &str, &str, &str); 7] = [
        (
            "panicked",
            "thread 'main' (283) panicked at src/main.rs:10:19:\nindex out of bounds\n",
            "stack backtrace:\n   0: shop::main\n             at ./src/main.rs:37:31",
            "panic",
        ),
        (
            "go",
            "panic: order 7\n\n",
            "goroutine 1 [running]:\nmain.main()\n\t/srv/shop/main.go:38 +0x8b3",
            "panic",
        ),
        (
            "php",
            "PHP Fatal error:  Uncaught Shop\\PaymentException: declined in /srv/shop.php:7\n",
            "Stack trace:\n#0 /srv/shop.php(13): charge(0)\n#1 {main}\n  thrown in /srv/shop.php",
            "Shop\\PaymentException",
        ),
        ("node", "", "TypeError: no price\n    at price (/srv/shop.js:4:37)", "TypeError"),
        (
            "node with a code",
            "/srv/shop.js:1\nassert(a)\n^\n\n",
            "AssertionError [ERR_ASSERTION]: not so\n    at price (/srv/shop.js:4:37)",
            "AssertionError",
        ),
        (
            "ruby",
            "",
            "shop.rb:4:in `/': divided by 0 (ZeroDivisionError)\n\tfrom shop.rb:4:in `charge'",
            "ZeroDivisionError",
        ),
        (
            "dotnet",
            "",
            "Unhandled exception. System.InvalidOperationException: no stock\n   at Shop.Run() in \
             /src/Shop.cs:line 12",
            "System.InvalidOperationException",
        ),
    ];
    for (language, above, trace, class) in UNCAUGHT {
        let text = format!("{above}{trace}");
        let message = if above.is_empty() { trace.lines().next() } else { Some(above.trim_end()) };
        let level = if ["ruby", "node"].contains(&language) { "error" } else { "fatal" };
        let expected = [level, message.expect("a line"), trace, class];
        if language != "php" {
            check(&mut super::parser("auto"), &text, expected);
            let mut parser = super::parser("auto");
            check(&mut parser, "level=info msg=starting", ["info", "starting", "", ""]);
            check(&mut parser, &text, expected);
        }
        let below = format!("level=error msg=failed\n{text}");
        let message = format!("failed\n{}", above.trim_end());
        let expected = ["error", message.trim_end(), trace, class];
        check(&mut super::parser("logfmt"), &below, expected);
    }
}

#[test]
fn text_that_only_looks_like_a_trace_stays_the_message() {
    for text in [
        "several\nlines: of text",
        "TypeError: said\nand no frame",
        "Notes (two):\nof text",
        "A::B (one\nof text",
        "a\n  at",
        "a\nfrom b",
    ] {
        check(&mut super::parser("auto"), text, ["", text, "", ""]);
    }
}

/// In a file that has a format.
#[test]
fn crashes_without_frames_have_level_and_class() {
    const RUST: &str = "thread 'main' (7) panicked at src/main.rs:2:5:\nmulti\nline\nnote: run with \
                        `RUST_BACKTRACE=1` environment variable to display a backtrace";
    const NODE: &str = "node:internal/process/promises:288\n            trigger(err)\n            ^\n\n\
                        [UnhandledPromiseRejection: This error … \"x\".] {\n  code: \
                        'ERR_UNHANDLED_REJECTION'\n}\n\nNode.js v20.20.2";
    const RACE: &str = "==================\nWARNING: DATA RACE\nRead at 0x00c0000b4010 by goroutine \
                        7:\n  main.main.func1()\n      /srv/x.go:9 +0x38\n==================";
    const PYTHON_DIES: &str = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00 (most \
                               recent call first):\n  File \"/srv/a.py\", line 3 in boom";
    const RUBY: &str = "shop.rb:4:in '<main>': no stock (RuntimeError)";
    const ANYHOW: &str = "Error: order 7 failed\n\nCaused by:\n    no stock";
    for head in [r#"{"level":"info","msg":"starting"}"#, "2026-11-22 10:00:00 INFO starting"] {
        let mut parser = parser("auto");
        check(&mut parser, head, ["info", "starting", "", ""]);
        for (text, level, class) in [
            (RUST, "fatal", "panic"),
            (NODE, "fatal", "UnhandledPromiseRejection"),
            (RACE, "error", ""),
            (PYTHON_DIES, "fatal", ""),
            (RUBY, "error", "RuntimeError"),
            (ANYHOW, "error", ""),
        ] {
            check(&mut parser, text, [level, text, "", class]);
        }
        let (java, first) = (format!("Exception in thread \"main\" {TRACE}"), 60);
        let class = "java.lang.IllegalStateException";
        check(&mut parser, &java, ["error", &java[..first + 8], &java, class]);
        check(&mut parser, TRACE, ["error", &TRACE[..41], TRACE, class]);
        check(&mut parser, PYTHON, ["error", &PYTHON[..34], PYTHON, "KeyError"]);
        // A line of no format is still one.
        assert!(is_unparsed(&mut parser, "panicked: no"));
    }
}

#[test]
fn an_error_is_named_where_it_stands() {
    let group = "2026-11-22T10:00:00Z ERROR failed\n  + Exception Group Traceback (most recent call \
                 last):\n  |   File \"a.py\", line 4, in <module>\n  | ExceptionGroup: two (2 \
                 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: 1";
    let (head, trace) = group.split_once('\n').expect("two");
    let message = head.rsplit_once(' ').expect("a word").1;
    check(&mut parser("auto"), group, ["error", message, trace, "ExceptionGroup"]);

    let dotnet = "fail: Shop.Worker[0]\n      order failed\n      System.InvalidOperationException: \
                  boom\n       ---> System.Exception: inner\n         at Shop.Run()\n         --- End of \
                  inner exception stack trace ---\n         at Shop.Main()";
    let at = dotnet.find("      System").expect("there");
    let class = "System.InvalidOperationException";
    check(&mut parser("dotnet"), dotnet, ["error", "order failed", &dotnet[at..], class]);

    let rails = "F, [2026-11-26T02:01:16.635465 #39] FATAL -- : [web-1] [req-7]   \n[web-1] [req-7] \
                 NoMethodError (undefined method `x' for nil):\n[web-1] [req-7]   \n[web-1] [req-7] \
                 app/orders.rb:5:in `show'";
    let at = rails.find('\n').expect("there") + 1;
    let message = "NoMethodError (undefined method `x' for nil):";
    check(&mut parser("auto"), rails, ["fatal", message, &rails[at..], "NoMethodError"]);

    let spring = "2026-11-22T10:00:00.123Z ERROR 1 --- [main] o.s.b.d.Reporter : \n\n*****\nAPPLICATION \
                  FAILED TO START\n*****\n\nDescription:\n\nPort 8080 was already in use.";
    let at = spring.find('*').expect("there");
    check(&mut parser("auto"), spring, ["error", &spring[at..], "", ""]);
}
