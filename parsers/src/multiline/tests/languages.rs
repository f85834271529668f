//! The languages besides Java, Python and Go; text without a mark of its own; and that asking few
//! machines is as good as asking all.

use super::*;

#[test]
fn node_dies_of_an_error() {
    check(
        "node",
        "\
|starting
|/srv/shop/shop.js:6
.  throw new PaymentError('card declined')
.        ^
.
.PaymentError: card declined:
.\"insufficient funds\"
.    at charge (/srv/shop/shop.js:6:48)
.    ... 5 lines matching cause stack trace ...
.    at node:internal/main/run_main_module:28:49 {
.  code: 'DECLINED',
.  [cause]: TypeError: no price
.      at price (/srv/shop/shop.js:4:37)
.}
.
.Node.js v20.20.2
|starting
|node:internal/process/promises:389
.      new UnhandledPromiseRejection(reason);
.      ^
.
.a string
.(Use `node --trace-uncaught ...` to show where the exception was thrown)
.
.Node.js v20.20.2
|next",
    );
}

#[test]
fn node_logs_errors_and_warnings() {
    check(
        "node",
        "\
|2026-11-22 10:00:00 ERROR failed
.AssertionError [ERR_ASSERTION]: not so
.    at charge (/srv/shop/shop.js:6:48)
|TypeError: x is not a function
.    at main (/app/index.js:3:5)
|(node:130) [SHOP001] DeprecationWarning: old_price is deprecated
.    at Object.<anonymous> (/srv/shop/console.js:19:9)
.(Use `node --trace-deprecation ...` to show where the warning was created)
|Unhandled Rejection at: Promise {
.  <rejected> Error: order failed
.      at order (/srv/shop/shop.js:9:67) {
.    [cause]: 'none'
.  }
.} reason: Error: order failed
.    at order (/srv/shop/shop.js:9:67)
|listening on 8080",
    );
}

#[test]
fn node_leaves_ordinary_lines_alone() {
    check(
        "node",
        "\
|TypeError: printed by itself
|next
|/srv/shop/shop.js
|/srv/shop/shop.js:6:1
|/orders:12
|{
|  order: 7
|}
|  at the till
|Node.js v20.20.2
|Error: a
|(Use something else)",
    );
}

#[test]
fn ruby_errors() {
    check(
        "ruby",
        "\
|#<Thread:0x00007f21155649f0@worker-1 shop.rb:22 run> terminated with exception (report_on_exception is true):
.shop.rb:12:in `rescue in order': order failed (RuntimeError)
.\tfrom shop.rb:9:in `order'
.shop.rb:6:in 'Shop#charge': card declined (PaymentError)
.\"insufficient funds\"
.\tfrom shop.rb:3:in 'Shop#charge'
.\t ... 10067 levels...
|joined: RuntimeError
|shop.rb:25:in `<main>': undefined method `price' for nil:NilClass (NoMethodError)
.
.when 'nil' then nil.price
.                   ^^^^^^
.Did you mean?  prize
|starting
|shop.rb:30:in `<main>': unhandled exception
|next",
    );
}

#[test]
fn ruby_loggers_and_rails() {
    check(
        "ruby",
        "\
|E, [2026-11-26T02:01:22.538557 #26] ERROR -- : card declined:
.\"insufficient funds\" (PaymentError)
.shop.rb:11:in `rescue in charge'
.shop.rb:8:in `charge'
|F, [2026-11-26T02:01:16.635465 #39] FATAL -- : [8c6b5755-8353-48f3-8fc9-6f48f6237012]   
.[8c6b5755-8353-48f3-8fc9-6f48f6237012] ActiveRecord::RecordNotFound (no order):
.[8c6b5755-8353-48f3-8fc9-6f48f6237012]   
.[8c6b5755-8353-48f3-8fc9-6f48f6237012] config.ru:40:in `show'
|I, [2026-11-26T02:01:16.644399 #39]  INFO -- : [f6bd5517-d111-4ad0-bc3e-55f2eb867e68] Started
|RuntimeError (order failed:
.\"no such item\"):
.  
.config.ru:44:in `fail'
|Completed 500 (Views: 1):
|  
|shop.rb:11: warning: assigned but unused variable - e",
    );
}

#[test]
fn php_exceptions_and_messages() {
    check(
        "php",
        "\
|[26-Nov-2026 02:00:07 UTC] PHP Fatal error:  Uncaught RuntimeException: declined:
.\"insufficient funds\" in /srv/shop/shop.php:5
.Stack trace:
.#0 /srv/shop/shop.php(5): intdiv(100, 0)
.#1 {main}
.
.Next LogicException: order 7 failed in /srv/shop/shop.php:15
.Stack trace:
.#0 {main}
.  thrown in /srv/shop/shop.php on line 15
|[26-Nov-2026 02:00:07 UTC] PHP Warning:  said \"hello\"
.and went in /srv/shop/shop.php on line 29
|[26-Nov-2026 02:00:07 UTC] PHP Warning:  a in /srv/shop/shop.php on line 29
|#0 a comment
|[2026-11-26 02:58:44] production.ERROR: order 7 failed {\"exception\":\"[object] (LogicException(code: 0): order 7
.failed at /srv/shop/shop.php:73)
.[stacktrace]
.#0 /srv/shop/shop.php(73): Shop\\\\Orders->order()
.
.[previous exception] [object] (DivisionByZeroError(code: 0): by zero at /srv/shop/shop.php:22)
.[stacktrace]
.#0 {main}
.\",\"userId\":7} 
|[2026-11-26 02:58:44] production.INFO: next [] []",
    );
}

#[test]
fn rust_panics() {
    check(
        "rust",
        "\
|starting
|
|thread 'main' (283) panicked at src/main.rs:10:19:
.index out of bounds: the len is 0 but the index is 3
.stack backtrace:
.   0: __rustc::rust_begin_unwind
.             at /rustc/5980/library/std/src/panicking.rs:689:5
.  10:     0x55b9d06a4941 - std::panicking::default_hook
.note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
|2026-11-26T02:04:01Z ERROR shop: thread 'main' panicked at src/main.rs:42:21:
.assertion `left == right` failed: items of order 7
.  left: 0
. right: 1
.note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
|thread 'worker' panicked at src/main.rs:41:20:
.
.thread caused non-unwinding panic. aborting.
|thread 'main' panicked at 'boom', src/main.rs:3:5
.stack backtrace:
.   0: main
|thread 'main' (272) has overflowed its stack
.fatal runtime error: stack overflow, aborting
|next",
    );
}

#[test]
fn rust_reports() {
    check(
        "rust",
        "\
|Error: order 7 failed
.
.Caused by:
.    0: charge the card
.       \"insufficient funds\"
.
.Stack backtrace:
.   0: shop::charge
.             at ./src/main.rs:24:84
|2026-11-26T02:04:01Z ERROR shop: order 7 failed
.
.Caused by:
.    card declined
|next",
    );
}

/// After the documentation of .NET.
#[test]
fn dotnet_exceptions_and_the_console() {
    check(
        "dotnet",
        "\
|Unhandled exception. System.AggregateException: One or more errors occurred. (a) (b)
. ---> System.InvalidOperationException: no stock:
.nothing in it
. ---> System.IO.IOException: disk
.   at Shop.Worker.Run() in /src/Worker.cs:line 12
.   --- End of inner exception stack trace ---
.--- End of stack trace from previous location ---
.   at Shop.Program.Main(String[] args)
. ---> (Inner Exception #1) System.Exception: b<---
.
|info: Microsoft.Hosting.Lifetime[14]
.      Now listening on: http://localhost:5000
|fail: Shop.Worker[0]
.      order failed
.      System.InvalidOperationException: no stock
.         at Shop.Worker.Run() in /src/Worker.cs:line 12
|info: of something else
|      indented
|warn: Shop.Worker[-3]
.      late",
    );
}

#[test]
fn spring_boot_prints_an_empty_line_before_each_trace() {
    check(
        "java",
        "\
|2026-11-26T03:02:27.624+01:00 ERROR 174 --- [shop] [scheduling-1] o.s.Tasks : failed
.
.java.lang.IllegalArgumentException: nothing to tidy
.\tat com.example.shop.ShopApplication.tidy(ShopApplication.java:54)
.
|2026-11-26T03:02:28.624+01:00 INFO 174 --- [shop] [main] o.s.Tasks : going on
.
.
|2026-11-26T03:02:29.624+01:00 INFO 174 --- [shop] [main] o.s.Tasks : going on
.
|java.util.x",
    );
}

#[test]
fn messages_of_several_lines() {
    // A logger's lines begin with a time or a level; the message's others do not.
    check(
        "java",
        "\
|10:00:00.123 [main] ERROR c.e.Shop - failed
.java.io.IOException: card declined: café
.\"insufficient funds\"
.try another
.\tat c.e.Shop.charge(Shop.java:17)
.Caused by: java.lang.IllegalStateException: declined
.\"insufficient funds\"
.\t... 2 more
|10:00:00.124 [main] INFO c.e.Shop - going on",
    );
    // Where they do not, only what must still be followed by frames is taken in.
    check(
        "java",
        "\
|Exception in thread \"main\" java.io.IOException: card declined
.\"insufficient funds\"
.\tat c.e.Shop.charge(Shop.java:17)
|java.io.IOException: card declined
|\"insufficient funds\"",
    );
    check(
        "python",
        "\
|ERROR:shop:failed
.Traceback (most recent call last):
.  File \"/srv/shop/shop.py\", line 16, in reserve
.ValueError: card declined
.please try another
|INFO:shop:next",
    );
}

#[test]
fn text_is_bounded() {
    let joiner = Joiner::named("traces").expect("a known name");
    let mut state = JoinState::default();
    assert!(!joiner.joins(&mut state, b"2026-11-22 ERROR failed"));
    assert!(joiner.joins(&mut state, b"java.io.IOException: declined"));
    let taken = (0..1000).take_while(|_| joiner.joins(&mut state, b"text")).count();
    assert_eq!(taken, 16);
}

#[test]
fn python_errors_of_logging_itself() {
    check(
        "python",
        "\
|--- Logging error ---
.Traceback (most recent call last):
.  File \"/usr/lib/python3.11/logging/__init__.py\", line 1110, in emit
.TypeError: not enough arguments for format string
.Call stack:
.  File \"/srv/shop/uncaught.py\", line 12, in <module>
.Message: 'too few arguments: %s %s'
.Arguments: (1,)
|Message: next
.  + Exception Group Traceback (most recent call last):
.  |   File \"/srv/shop/uncaught.py\", line 25, in <module>
.  | ExceptionGroup: two (2 sub-exceptions)
.  +-+---------------- 1 ----------------
.    | ValueError: 1
.and its second line
.    +------------------------------------
|next",
    );
}

#[test]
fn a_thread_dump_is_one_record() {
    check(
        "java",
        "\
|2026-11-26 01:57:27
|Full thread dump OpenJDK 64-Bit Server VM (17.0.15):
.
.\"main\" #1 prio=5
.   java.lang.Thread.State: RUNNABLE
.\tat c.e.Shop.main(Shop.java:62)
.
.JNI global refs: 4
.
.Heap
. def new generation   total 14784K
.
|starting",
    );
}

/// Lines as all the tables have them, with each first byte there is.
#[test]
fn machines_at_rest_need_not_be_asked() {
    let tables = include_str!("languages.rs").lines().chain(include_str!("../tests.rs").lines());
    let lines: Vec<&str> = tables.filter_map(|line| line.get(1..)).collect();
    for first in (0..=u8::MAX).filter(|byte| *byte != b'\n') {
        for line in &lines {
            let mut line = line.as_bytes().to_vec();
            if let Some(byte) = line.first_mut() {
                *byte = first;
            }
            assert_eq!(machines::disagreement(&line), 0, "{}", line.escape_ascii());
        }
    }
}

#[test]
fn carriage_returns_are_no_part_of_lines() {
    use crate::frame::{Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines};
    let log =
        b"ERROR x\r\nTraceback (most recent call last):\r\n  File \"a\"\r\nE: y\r\n\r\nINFO z\r\n";
    let mut framer = Framer::new(FrameSettings {
        container: Container::None,
        joiner: Joiner::named("traces").expect("a known name"),
        max_record: 1024,
    });
    let mut texts = Vec::new();
    let lines = Lines {
        file: FileNumber(1),
        start: 0,
        bytes: log,
        ending: LineEnding::Newline,
        encoding: Encoding::default(),
    };
    framer.push(lines, 0, &mut |raw| texts.push(String::from_utf8_lossy(raw.text).into_owned()));
    framer.flush(&mut |raw| texts.push(String::from_utf8_lossy(raw.text).into_owned()));
    let joined = "ERROR x\r\nTraceback (most recent call last):\r\n  File \"a\"\r\nE: y";
    assert_eq!(texts, [joined, "INFO z"]);
}
