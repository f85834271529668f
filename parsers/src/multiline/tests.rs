//! Tables of real-looking logs. In a table each line begins with a mark: `|` where a record begins,
//! `.` where one goes on, `-` where `traces` alone joins an empty line, after which other languages'
//! traces may follow.

mod crashes;
mod languages;
mod patterns;

use super::*;

#[track_caller]
fn check(name: &str, table: &str) {
    for name in [name, "traces"] {
        let joiner = Joiner::named(name).expect("a known name");
        check_joiner(&joiner, table, name);
    }
}

#[track_caller]
fn check_joiner(joiner: &Joiner, table: &str, name: &str) {
    let mut state = JoinState::default();
    for row in table.lines() {
        let (mark, line) = row.split_at(1);
        let joined = joiner.joins(&mut state, line.as_bytes());
        let expected = match mark {
            "-" => name == "traces",
            mark => mark == ".",
        };
        assert_eq!(joined, expected, "{name}: {line:?}");
    }
}

fn start(pattern: &str) -> Result<Joiner, String> {
    Ok(Joiner::of_patterns([LinePattern::new(Part::Start, pattern)?]))
}

#[test]
fn java_traces() {
    check(
        "java",
        "\
|2026-11-22 10:00:00.123 ERROR [main] c.e.Shop - order failed
.java.lang.IllegalStateException: no stock
.\tat com.example.Shop.order(Shop.java:17) ~[shop.jar!/:1.0]
.\tat java.base/java.lang.Thread.run(Thread.java:1583)
.\tSuppressed: java.io.IOException: while closing
.\t\tat com.example.Shop.close(Shop.java:40)
.\t\t... 2 more
.Caused by: java.sql.SQLException: connection refused
.  detail: nobody listens
.    at com.example.Db.connect(Db.java:5)
.\t... 23 common frames omitted
|2026-11-22 10:00:01.000 INFO [main] c.e.Shop - going on
|Exception in thread \"main\" java.lang.NullPointerException
.\tat com.example.Main.main(Main.java:3)
|java.util.concurrent.TimeoutException
.\tat com.example.Main.main(Main.java:4)
|java.util.concurrent.TimeoutException: again
|",
    );
}

#[test]
fn java_nested_names_and_rmi() {
    check(
        "java",
        "\
|ERROR failed
.feign.FeignException$NotFound: [404] during [GET]
.\tat feign.FeignException.clientErrorStatus(FeignException.java:219)
.Wrapped by: com.example.AppException: outer
.\tat com.example.App.run(App.java:9)
|ERROR remote
.java.rmi.RemoteException: boom; nested exception is:
.\tjava.net.ConnectException: refused
.\tat sun.rmi.Server.dispatch(Server.java:1)
.Caused by: [CIRCULAR REFERENCE: java.net.ConnectException: refused]",
    );
}

#[test]
fn dotnet_and_node_traces() {
    check(
        "java",
        "\
|fail: Shop.Worker[0]
.System.InvalidOperationException: no stock
. ---> System.IO.IOException: disk
.   at Shop.Worker.Run() in /src/Worker.cs:line 12
.   --- End of inner exception stack trace ---
.   at Shop.Program.Main(String[] args)
|TypeError: x is not a function
.    at main (/app/index.js:3:5)
.    at node:internal/main:1:1
|listening on 8080",
    );
}

#[test]
fn java_leaves_ordinary_lines_alone() {
    check(
        "java",
        "\
|2026-11-22 10:00:00 INFO a
| INFO 2026-11-22 right-aligned level
| WARN 2026-11-22 right-aligned level
|com.example.ErrorHandler: started
|com.example.Shop: started
|example.com
|Error: lower
|Caused bytes to be lost
|{\"level\":\"info\"}
|\tindented by a tab
|  indented by spaces
|atlas moved
|...
|",
    );
}

#[test]
fn python_tracebacks() {
    check(
        "python",
        "\
|2026-11-22 10:00:00,123 ERROR shop: order failed
.Traceback (most recent call last):
.  File \"/app/shop.py\", line 3, in order
.    return stock[name]
.           ~~~~~^^^^^^
.  [Previous line repeated 996 more times]
.KeyError: 'apple'
.
.During handling of the above exception, another exception occurred:
.
.Traceback (most recent call last):
.  File \"/app/shop.py\", line 9, in main
.shop.errors.OutOfStock: apple
.
.The above exception was the direct cause of the following exception:
.
.Traceback (most recent call last):
.  File \"/app/shop.py\", line 12, in <module>
.KeyboardInterrupt
|2026-11-22 10:00:01,000 INFO shop: going on
-
|Starting",
    );
}

#[test]
fn python_syntax_errors_groups_and_stacks() {
    check(
        "python",
        "\
|starting worker
.  File \"/app/x.py\", line 1
.    print(
.         ^
.SyntaxError: '(' was never closed
|INFO:     Application startup
.  + Exception Group Traceback (most recent call last):
.  |   File \"/app/g.py\", line 4, in <module>
.  | ExceptionGroup: two (2 sub-exceptions)
.  +-+---------------- 1 ----------------
.    | ValueError: 1
.    +---------------- 2 ----------------
.    | TypeError: 2
.    +------------------------------------
|WARNING:root:slow
.Stack (most recent call last):
.  File \"/app/s.py\", line 2, in <module>
.    logging.warning(\"slow\", stack_info=True)
|INFO: next",
    );
}

#[test]
fn python_leaves_ordinary_lines_alone() {
    check(
        "python",
        "\
|INFO a
|  indented
|
|Traceback was empty
|During handling of the above exception, another exception occurred:
|done",
    );
    // A traceback that was cut off does not swallow the log line after it.
    check(
        "python",
        "\
|ERROR x
.Traceback (most recent call last):
.  File \"/app/shop.py\", line 3, in order
|2026-11-22 10:00:00,123 INFO shop: going on
|[10:00] next",
    );
    // A blank line after a traceback belongs to it; what follows does not.
    check(
        "python",
        "\
|ERROR x
.Traceback (most recent call last):
.ValueError: y
.
|2026 next
-
|Traceback (most recent call last):
.ValueError: z
|Traceback (most recent call last):",
    );
}

#[test]
fn go_panics() {
    check(
        "go",
        "\
|2026/11/22 10:00:00 serving
|panic: runtime error: invalid memory address or nil pointer dereference [recovered]
.\tpanic: again
.[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48e5d1]
.
.goroutine 1 gp=0xc0000061c0 m=0 mp=0x55d0a0 [running]:
.panic({0x47f4e0?, 0x4b7fd8?})
.\t/usr/local/go/src/runtime/panic.go:785 +0x132
.main.(*Shop).Order(0xc00001c0a8, {0x4a0f2c, 0x5})
.\t/app/main.go:12 +0x1d
....additional frames elided...
.github.com/acme/lib%2ev2.Map[...](...)
.\t/app/lib.go:3
.created by main.start in goroutine 1
.\t/app/main.go:9 +0x25
.
.goroutine 18 [chan receive, 5 minutes]:
.main.wait()
.\t/app/main.go:30 +0x5
.exit status 2
|2026/11/22 10:00:01 serving",
    );
}

#[test]
fn go_fatal_errors_signals_and_http() {
    check(
        "go",
        "\
|fatal error: all goroutines are asleep - deadlock!
.
.goroutine 1 [semacquire]:
.sync.runtime_Semacquire(0xc00001c0b8?)
.\t/usr/local/go/src/runtime/sema.go:71 +0x25
.
|runtime: goroutine stack exceeds 1000000000-byte limit
.runtime: sp=0xc0200e0390 stack=[0xc0200e0000, 0xc0400e0000]
.fatal error: stack overflow
.
.runtime stack:
.runtime.throw({0x4a0f2c?, 0x0?})
.\t/usr/local/go/src/runtime/panic.go:1067 +0x48
|SIGQUIT: quit
.PC=0x461a01 m=0 sigcode=0
.
.goroutine 0 [idle]:
.runtime.futex()
.\t/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21
.
.rax    0xca
.rflags 0x286
.exit status 2
|2026/11/22 10:00:00 http: panic serving 127.0.0.1:5000: boom
.goroutine 19 [running]:
.net/http.(*conn).serve.func1()
.\t/usr/local/go/src/net/http/server.go:1947 +0xbe
|2026/11/22 10:00:02 serving",
    );
}

#[test]
fn go_leaves_ordinary_lines_alone() {
    check(
        "go",
        "\
|goroutine 5 started
|\ttabbed
|panicked: no
|exit status 1
|runtime: note
|main.main()
|
|SIGNAL: strong
|created by me
|2026 x",
    );
}

#[test]
fn what_ends_a_go_stack() {
    check(
        "go",
        "\
|panic: boom
.
.goroutine 1 [running]:
.main.main()
.\t/app/main.go:3 +0x1d
.
|listening on :8080
|panic: multi
|line",
    );
}

#[test]
fn indentation_goes_on_with_a_line() {
    let joiner = Joiner::named("indent").expect("a known name");
    check_joiner(&joiner, "|a\n. b\n.\tc\n|d\n|\n|  e\n.  f", "indent");
}

#[test]
fn a_trailing_backslash_is_gone_on_with() {
    let joiner = Joiner::named("backslash").expect("a known name");
    check_joiner(&joiner, "|a \\\n.b\\\n.\n|c\n|\\\n.d", "backslash");
}

#[test]
fn every_name_is_known_and_shown() {
    for name in Joiner::names() {
        let joiner = Joiner::named(name).expect("listed");
        assert_eq!(format!("{joiner:?}"), format!("Joiner({name})"));
        assert!(!joiner.is_none());
    }
    assert!(Joiner::named("none").is_none());
    assert!(Joiner::none().is_none());
}
