//! A million lines that never end their record: memory stays near `max_record`, and every byte is
//! still covered.

use super::*;

const MAX_RECORD: usize = 32 * 1024;

/// Pushes about a million lines in chunks of a KiB, so that records grow over many; gives the most bytes held, and the records.
fn flood(container: Container, joiner: &str, lines: &[&str]) -> (usize, Vec<Owned>) {
    let round: String = lines.concat();
    let chunk = round.repeat((1024 / round.len()).max(1));
    let rounds = 1_000_000 / (chunk.len() / round.len() * lines.len());
    let mut bench = Bench::with(settings(container, joiner, MAX_RECORD));
    let mut most = 0;
    for _ in 0..rounds {
        bench.push(&chunk);
        most = most.max(bench.framer.resident());
    }
    let out = bench.flush();
    let covered: u64 =
        out.iter().flat_map(|raw| &raw.spans).map(|(_, start, end)| end - start).sum();
    assert_eq!(covered, (rounds * chunk.len()) as u64);
    assert!(out.iter().all(|raw| raw.text.len() <= MAX_RECORD));
    (most, out)
}

#[test]
fn frames_without_end() {
    let (most, out) = flood(Container::None, "java", &["\tat a.B.c(D.java:1)\n"]);
    assert!(most <= MAX_RECORD + 2048, "{most}");
    // Nothing is lost: the trace goes on in record after record.
    let lines: usize = out.iter().map(|raw| raw.text.lines().count()).sum();
    assert!(lines > 990_000, "{lines}");
}

#[test]
fn a_start_pattern_that_never_matches() {
    let (most, _) = flood(Container::None, "start", &["2026-11-22 a line\n"]);
    assert!(most <= MAX_RECORD + 2048, "{most}");
}

#[test]
fn blank_lines_without_end() {
    let (most, _) = flood(Container::None, "start", &["\n"]);
    assert!(most <= MAX_RECORD + 2048, "{most}");
}

#[test]
fn parts_without_end() {
    let (most, out) = flood(Container::Cri, "none", &["2026-11-22T10:00:00Z stdout P part\n"]);
    assert!(most <= MAX_RECORD + 2048, "{most}");
    assert_eq!((out.len(), out[0].truncated, out[0].partial), (1, true, true));
}

#[test]
fn parts_without_end_on_both_streams() {
    let (most, out) = flood(
        Container::Cri,
        "traces",
        &["2026-11-22T10:00:00Z stdout P part\n", "2026-11-22T10:00:00Z stderr P part\n"],
    );
    assert!(most <= 2 * (MAX_RECORD + 32 * 1024 + 2048), "{most}");
    assert!(out.iter().all(|raw| raw.spans.len() <= 1024));
}

/// Hundreds of idle lineages must not eat the budget with buffers that hold nothing.
#[test]
fn what_is_not_open_holds_no_memory_between_pushes() {
    let long = "\\\\".repeat(20 * 1024);
    let decoded =
        format!(r#"{{"log":"{long}\n","stream":"stdout","time":"2026-11-22T10:00:00Z"}}"#) + "\n";
    let parts = "2026-11-22T10:00:00Z stdout P a\n2026-11-22T10:00:00Z stdout F b\n";
    for (container, lines) in [(Container::Docker, decoded.as_str()), (Container::Cri, parts)] {
        let mut bench = Bench::with(settings(container, "none", MAX_RECORD));
        bench.push(lines);
        assert_eq!((bench.out.len(), bench.framer.resident()), (1, 0), "{container:?}");
    }
    let mut bench = Bench::with(settings(Container::Docker, "java", MAX_RECORD));
    bench.push(&decoded);
    assert!(bench.framer.resident() <= MAX_RECORD + 2048, "{}", bench.framer.resident());
}

/// A part without an end must not hold back the File for as long as the other stream goes on.
#[test]
fn a_stream_that_falls_silent_is_passed_by() {
    let mut bench = Bench::with(settings(Container::Cri, "traces", MAX_RECORD));
    bench.push("2026-11-22T10:00:00Z stdout P part\n");
    let chunk = "2026-11-22T10:00:00Z stderr F line\n".repeat(1000);
    while bench.at + (chunk.len() as u64) < 1 << 20 {
        bench.push(&chunk);
        assert!(bench.out.iter().all(|raw| raw.text != "part"));
    }
    bench.push(&chunk).push(&chunk);
    let part = bench.out.iter().find(|raw| raw.text == "part").expect("ended");
    assert!(part.partial);
}

#[test]
fn a_long_record_leaves_no_large_buffer() {
    let mut bench = Bench::with(settings(Container::None, "start", 1 << 20));
    bench.push(&format!("> {}\n", "x".repeat(500_000)));
    assert!(bench.framer.resident() > 500_000);
    bench.push("> next\n");
    assert!(bench.framer.resident() < 20_000, "{}", bench.framer.resident());
}
