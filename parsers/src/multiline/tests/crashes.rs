//! What programs print as they die, and reports of more than a trace.

use super::*;

#[test]
fn rust_panics_with_a_message_of_several_lines() {
    check(
        "rust",
        "\
|thread 'main' (12345) panicked at src/main.rs:2:5:
.multi
.line
.note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    );
    check(
        "rust",
        "\
|2026-11-22T10:00:00Z INFO shop: starting
|thread 'main' panicked at src/main.rs:2:5:
.called `Result::unwrap()` on an `Err` value: Failed {
.    code: 7,
.}
.note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
|2026-11-22T10:00:01Z INFO shop: starting",
    );
    // Nothing tells a second line from what the program says.
    check(
        "rust",
        "\
|starting
|
|thread 'worker' panicked at src/main.rs:2:5:
.one
|another",
    );
}

#[test]
fn the_spans_of_tracing() {
    check(
        "rust",
        "\\
|  2026-11-22T10:00:00Z  INFO shop: order placed, order: 1
.    at src/main.rs:45 on main
.    in shop::request with method: \"GET\"
.    in shop::server
.
|  2026-11-22T10:00:00Z  INFO shop: order placed
|    in a text",
    );
}

#[test]
fn node_rejections_that_are_no_errors() {
    check(
        "node",
        "\
|starting
|node:internal/process/promises:288
.            triggerUncaughtException(err, true /* fromPromise */);
.            ^
.
.[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason \"x\".] {
.  code: 'ERR_UNHANDLED_REJECTION'
.}
.
.Node.js v20.20.2
|starting",
    );
}

#[test]
fn python_tasks_and_fatal_errors() {
    check(
        "python",
        "\
|2026-11-22 10:00:00,123 - asyncio - ERROR - Task exception was never retrieved
.future: <Task finished name='Task-1' coro=<main() done, defined at /srv/a.py:3> exception=ValueError('x')>
.Traceback (most recent call last):
.  File \"/srv/a.py\", line 4, in main
.ValueError: x
|2026-11-22 10:00:00,123 - asyncio - ERROR - Unclosed client session
.client_session: <aiohttp.client.ClientSession object at 0x7f>
.source_traceback: Object created at (most recent call last):
.  File \"/srv/a.py\", line 4, in main
.    session = make()
|2026-11-22 10:00:01,123 - shop - INFO - going on
|task: started
|Fatal Python error: Segmentation fault
.
.Current thread 0x00007f2d3c1b4740 (most recent call first):
.  File \"/srv/a.py\", line 3 in boom
.  File \"/srv/a.py\", line 5 in <module>
.
.Extension modules: numpy (total: 1)
|starting",
    );
}

#[test]
fn go_stacks_of_methods_and_races() {
    check(
        "go",
        "\
|2026-11-22T10:00:00Z\tERROR\tReconciler error\t{\"controller\": \"shop\"}
.sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller[...]).reconcileHandler
.\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.19.0/pkg/internal/controller/controller.go:316
.sigs.k8s.io/controller-runtime/pkg/internal/controller.(*Controller[...]).Start.func2.2
.\t/go/pkg/mod/sigs.k8s.io/controller-runtime@v0.19.0/pkg/internal/controller/controller.go:224
|1.6630e+09\tERROR\tfailed\t{}
.k8s.io/shop.(*Server).Serve
.\t/srv/shop.go:3
|listening
|==================
.WARNING: DATA RACE
.Read at 0x00c0000b4010 by goroutine 7:
.  main.main.func1()
.      /srv/x.go:9 +0x38
.
.Previous write at 0x00c0000b4010 by main goroutine:
.  main.main()
.      /srv/x.go:11 +0x5c
.
.Goroutine 7 (running) created at:
.  main.main()
.      /srv/x.go:8 +0x50
.==================
|Found 1 data race(s)
|==================
|a title
|==================",
    );
}

#[test]
fn php_stacks_below_what_is_said() {
    check(
        "php",
        "\
|PHP Warning:  Undefined variable $x in /srv/shop.php on line 3
.PHP Stack trace:
.PHP   1. {main}() /srv/shop.php:0
.PHP   2. order() /srv/shop.php:7
|[26-Nov-2026 02:00:07 UTC] PHP Notice:  x in /srv/shop.php on line 3
.[26-Nov-2026 02:00:07 UTC] PHP Stack trace:
.[26-Nov-2026 02:00:07 UTC] PHP   1. {main}() /srv/shop.php:0
|[26-Nov-2026 02:00:08 UTC] starting",
    );
}

#[test]
fn rails_errors_below_tags_of_any_kind() {
    check(
        "ruby",
        "\
|F, [2026-11-26T02:01:16.635465 #39] FATAL -- : [web-1] [req-7]   
.[web-1] [req-7] NoMethodError (undefined method `x' for nil):
.[web-1] [req-7]   
.[web-1] [req-7] app/controllers/orders_controller.rb:5:in `show'
|[web-2] [req-8] another
|I, [2026-11-26T02:01:16.644399 #39]  INFO -- : [web-1] [req-7] Started",
    );
}

#[test]
fn spring_boot_fails_to_start() {
    check(
        "java",
        "\
|2026-11-22T10:00:00.123Z ERROR 1 --- [main] o.s.b.d.LoggingFailureAnalysisReporter   : 
.
.***************************
.APPLICATION FAILED TO START
.***************************
.
.Description:
.
.Web server failed to start. Port 8080 was already in use.
.
.Action:
.
.Identify and stop the process that's listening on port 8080.
.
|2026-11-22T10:00:01.123Z  INFO 1 --- [main] c.e.Shop   : starting
|***************************
|a title",
    );
}
