//! Lines that a container's runtime wrapped.

use super::*;

#[test]
fn streams_of_a_container_are_joined_apart() {
    let input = "\
2026-11-22T10:00:00.000000001Z stdout P one 
2026-11-22T10:00:00.000000002Z stderr P eins 
2026-11-22T10:00:00.000000003Z stdout P two 
not a container's line
2026-11-22T10:00:00.000000004Z stderr F zwei
2026-11-22T10:00:00.000000005Z stdout F three\r
2026-11-22T10:00:00.000000006Z stdout P cut off
";
    let mut bench = Bench::new(Container::Cri, "none");
    let out = bench.push(input).flush();
    let got: Vec<_> = out
        .iter()
        .map(|raw| {
            let nanos = raw.time.map_or(0, |time| time.nanos % 1_000_000_000);
            (raw.text.as_str(), raw.stream, nanos, raw.spans.len(), raw.partial)
        })
        .collect();
    assert_eq!(
        got,
        [
            ("not a container's line", None, 0, 1, false),
            ("eins zwei", Some(Stream::Stderr), 2, 2, false),
            ("one two three", Some(Stream::Stdout), 1, 3, false),
            ("cut off", Some(Stream::Stdout), 6, 1, true),
        ]
    );
}

#[test]
fn docker_lines_and_traces_in_them() {
    let line = |log: &str, stream: &str| {
        format!(r#"{{"log":"{log}","stream":"{stream}","time":"2026-11-22T10:00:00Z"}}"#) + "\n"
    };
    let input = [
        line(r"ERROR failed\n", "stderr"),
        line(r"\tat a.B.c(D.java:1)\r\n", "stderr"),
        line(r#"{\"k\":"#, "stdout"),
        line(r"\tat e.F.g(H.java:1)\n", "stderr"),
        line(r"1}\n", "stdout"),
        line(r"done\n", "stderr"),
    ]
    .concat();
    assert_eq!(
        Bench::new(Container::Docker, "java").push(&input).texts(),
        ["ERROR failed\n\tat a.B.c(D.java:1)\r\n\tat e.F.g(H.java:1)", "{\"k\":1}", "done",]
    );
}

#[test]
fn a_trace_in_a_container() {
    let input = "\
2026-11-22T10:00:00Z stderr F Traceback (most recent call last):
2026-11-22T10:00:00Z stdout F meanwhile
2026-11-22T10:00:00Z stderr F   File \"a.py\", line 1, in <module>
2026-11-22T10:00:00Z stderr F ValueError: x
2026-11-22T10:00:00Z stderr F 
2026-11-22T10:00:00Z stderr F next
";
    assert_eq!(
        Bench::new(Container::Auto, "traces").push(input).texts(),
        [
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: x",
            "meanwhile",
            "next",
        ]
    );
}
