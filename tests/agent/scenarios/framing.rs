//! From bytes to records: lines in pieces, joined lines, odd encodings.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use pillion::receiver::{Options, Receiver, Stored};
use rustix::process::Signal;

use super::super::harness::{Agent, PATIENCE, Place, field, until};

fn begin() -> (Place, Receiver) {
    (Place::new(), Receiver::start(Options::default()).expect("receiver"))
}

/// One source of every `*.log`, with more settings of its own.
pub(super) fn config(place: &Place, receiver: &Receiver, source: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], {source}}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}}}\n",
        receiver.url()
    ))
}

fn stored(receiver: &Receiver, agent: &Agent, count: usize) {
    let all = receiver.wait_for(PATIENCE, |it| it.stored >= count as u64);
    assert!(all, "{} of {count}\n{}", receiver.requests().stored, agent.log().join("\n"));
}

/// Waits until so many bytes were read since the agent started: whether or not they are records yet.
fn read(agent: &Agent, bytes: usize) {
    let read = || agent.metrics()["pillion_read_bytes_total"];
    assert!(until(PATIENCE, || read() >= bytes as f64), "{} of {bytes}", read());
}

/// Of each document its file's number and its message, in the order of both.
fn messages(documents: &[Stored]) -> Vec<(String, u64, String)> {
    let mut messages: Vec<_> = documents
        .iter()
        .map(|it| {
            let path = field(it, "log.file.path").as_str().expect("text").to_owned();
            let message = field(it, "message").as_str().expect("text").to_owned();
            (path, field(it, "log.offset").as_u64().expect("an offset"), message)
        })
        .collect();
    messages.sort();
    messages
}

fn texts(receiver: &Receiver) -> Vec<String> {
    messages(&receiver.documents()).into_iter().map(|(_, _, text)| text).collect()
}

/// The pause is longer than anything waits for: a second for what may be joined, a second at a drain.
#[test]
fn s19_a_line_with_a_pause_in_it() {
    let (place, receiver) = begin();
    let agent = Agent::start(&config(&place, &receiver, "parser: plain"), &[]);
    place.append("app.log", "before\nABC");
    stored(&receiver, &agent, 1);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(receiver.requests().stored, 1);
    place.append("app.log", "DEF\n");
    stored(&receiver, &agent, 2);
    agent.assert_at_rest();
    agent.terminate();
    assert_eq!(texts(&receiver), ["before", "ABCDEF"]);
}

#[test]
fn s20_half_a_line_before_a_kill_and_half_after() {
    let (place, receiver) = begin();
    let config = config(&place, &receiver, "parser: plain");
    let agent = Agent::start(&config, &[]);
    place.append("app.log", "first\nsecond, ha");
    stored(&receiver, &agent, 1);
    agent.kill();
    place.append("app.log", "lf and half\n");
    let agent = Agent::start(&config, &[]);
    stored(&receiver, &agent, 2);
    agent.assert_at_rest();
    agent.terminate();
    assert_eq!(texts(&receiver), ["first", "second, half and half"]);
}

#[test]
fn s21_an_endless_line_is_cut_and_the_next_is_whole() {
    const LONG: usize = 100_000_000;
    let (place, receiver) = begin();
    let agent = Agent::start(&config(&place, &receiver, "parser: plain"), &[]);
    // What one record of the largest size makes resident is not what is asked here.
    place.append("app.log", format!("{}\n", "y".repeat(300 << 10)));
    stored(&receiver, &agent, 1);
    agent.forget_peak();
    let before = agent.resident();
    let mut file = fs::File::options().append(true).open(place.log("app.log")).expect("opens");
    for _ in 0..LONG / 1_000_000 {
        file.write_all(&[b'x'; 1_000_000]).expect("writes");
    }
    file.write_all(b"\nnext\n").expect("writes");
    stored(&receiver, &agent, 3);
    let more = agent.peak_resident().saturating_sub(before);
    assert!(more <= 4 << 20, "{more} bytes more were resident");
    let metrics = agent.metrics();
    assert_eq!(metrics["pillion_cut_lines_total"], 2.0);
    let left_out = (LONG + (300 << 10) - 2 * (256 << 10)) as f64;
    assert_eq!(metrics["pillion_cut_bytes_total"], left_out);
    agent.assert_at_rest();
    agent.terminate();
    let texts = texts(&receiver);
    assert_eq!(texts[1], "x".repeat(256 << 10));
    assert_eq!(texts[2], "next");
    let documents = receiver.documents();
    let flagged = documents.iter().filter(|it| it.document.pointer("/log/flags").is_some());
    assert_eq!(flagged.count(), 2, "those that were cut");
}

/// One file for each place at which it can be cut in two; the second part comes once the first was
/// read as far as it can be.
#[test]
fn s22_crlf_and_characters_split_at_every_byte() {
    let text = "one\r\nzwei ä€😀\r\n\r\ndrei\rvier\n€\n";
    let (place, receiver) = begin();
    let agent = Agent::start(&config(&place, &receiver, "parser: plain"), &[]);
    let name = |at: usize| format!("{at:02}.log");
    let mut whole = 0;
    for at in 1..text.len() {
        place.append(&name(at), &text.as_bytes()[..at]);
        whole += text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |n| n + 1);
    }
    read(&agent, whole);
    let seen = || agent.metrics()["pillion_lag_bytes"];
    let halves: usize = (1..text.len()).sum::<usize>() - whole;
    assert!(until(PATIENCE, || seen() == halves as f64), "{} of {halves}", seen());
    for at in 1..text.len() {
        place.append(&name(at), &text.as_bytes()[at..]);
    }
    stored(&receiver, &agent, 5 * (text.len() - 1));
    agent.assert_at_rest();
    agent.terminate();
    let messages = messages(&receiver.documents());
    for at in 1..text.len() {
        let path = place.log(&name(at)).display().to_string();
        let texts: Vec<_> =
            messages.iter().filter(|it| it.0 == path).map(|it| it.2.as_str()).collect();
        assert_eq!(texts, ["one", "zwei ä€😀", "", "drei\rvier", "€"], "cut at {at}");
    }
}

#[test]
fn s23_invalid_utf8_is_replaced_and_empty_lines_are_kept() {
    let (place, receiver) = begin();
    let agent = Agent::start(&config(&place, &receiver, "parser: plain"), &[]);
    place.append("app.log", b"before\nb\xff\xfed \xe2\x82\n\n\nafter\n");
    stored(&receiver, &agent, 5);
    assert_eq!(agent.metrics()["pillion_invalid_utf8_records_total"], 1.0);
    agent.assert_at_rest();
    agent.terminate();
    assert_eq!(texts(&receiver), ["before", "b\u{fffd}\u{fffd}d \u{fffd}", "", "", "after"]);
}

/// The second part begins with the second half of a U+0A00, whose bytes are also a newline's, and comes
/// after a kill: what the encoding is told by lies far before where reading goes on.
#[test]
fn s23_utf_16_with_a_byte_order_mark_is_decoded() {
    type Form = fn(u16) -> [u8; 2];
    let forms: [(&str, Form); 2] = [("be.log", u16::to_be_bytes), ("le.log", u16::to_le_bytes)];
    let first = "\u{feff}Grüße 😀 \u{10a}\r\n\r\ncard 4111 1111 1111 1111\r\n";
    let second = "\u{a00} after the kill\n\nlast ";
    let wide = |text: &str, form: Form| -> Vec<u8> { text.encode_utf16().flat_map(form).collect() };
    let (place, receiver) = begin();
    let config = config(&place, &receiver, "parser: plain");
    let agent = Agent::start(&config, &[]);
    place.append("utf8.log", "\u{feff}marked\n");
    for (name, form) in forms {
        place.append(name, [&wide(first, form), &wide(second, form)[..1]].concat());
    }
    stored(&receiver, &agent, 7);
    agent.kill();
    for (name, form) in forms {
        // Half a pair of surrogates.
        place.append(name, [&wide(second, form)[1..], &form(0xD83D), &form(0x0A)].concat());
    }
    let agent = Agent::start(&config, &[]);
    stored(&receiver, &agent, 13);
    assert_eq!(agent.metrics()["pillion_invalid_utf8_records_total"], 2.0);
    agent.assert_at_rest();
    agent.terminate();
    let path = |name| place.log(name).display().to_string();
    let lines = [
        (0, "Grüße 😀 \u{10a}"),
        (26, ""),
        (30, "card [CREDIT_CARD]"),
        (82, "\u{a00} after the kill"),
        (116, ""),
        (118, "last \u{fffd}"),
    ];
    let wide = ["be.log", "le.log"]
        .into_iter()
        .flat_map(|name| lines.map(|(at, text): (u64, &str)| (path(name), at, text.to_owned())));
    let narrow = (path("utf8.log"), 0, "marked".to_owned());
    assert_eq!(messages(&receiver.documents()), wide.chain([narrow]).collect::<Vec<_>>());
}

/// What happens between the two parts of a text.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Rotation,
    Restart,
    Kill,
    /// What is open began in a File that has another name by then.
    RotationThenRestart,
    RotationThenKill,
}

impl Between {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Rotation,
        Self::Restart,
        Self::Kill,
        Self::RotationThenRestart,
        Self::RotationThenKill,
    ];

    fn rotates(self) -> bool {
        matches!(self, Self::Rotation | Self::RotationThenRestart | Self::RotationThenKill)
    }
}

/// Writes `lines` to one file for each place between two of them (or each `step`th), with something
/// happening there; the records of each file, whatever happened. What is open waits a second for its
/// next line: it is not to be much later.
fn cut_everywhere(
    source: &str,
    lines: &[&str],
    between: Between,
    records: usize,
    step: usize,
) -> Vec<Vec<String>> {
    let (place, receiver) = begin();
    let config = config(&place, &receiver, source);
    let agent = Agent::start(&config, &["--quiet", "0"]);
    let name = |at: usize| format!("{at:02}.log");
    let cuts = (1..lines.len()).step_by(step);
    let mut first = 0;
    for at in cuts.clone() {
        place.append(&name(at), lines[..at].concat());
        first += lines[..at].concat().len();
    }
    read(&agent, first);
    if between.rotates() {
        for at in cuts.clone() {
            let log = place.log(&name(at));
            fs::rename(&log, log.with_extension("log.1")).expect("renames");
        }
    }
    // Of each second file, a line is read in the new one before the agent ends.
    let is_early = |at: usize| between.rotates() && at / step % 2 == 1;
    let middle = |at: usize| if is_early(at) { at + 1 } else { at };
    for at in cuts.clone().filter(|at| is_early(*at)) {
        place.append(&name(at), lines[at]);
        first += lines[at].len();
    }
    read(&agent, first);
    let alive = match between {
        Between::Nothing | Between::Rotation => Some(agent),
        Between::Restart | Between::RotationThenRestart => {
            agent.signal(Signal::TERM);
            agent.wait_for_log("draining");
            Some(agent)
        }
        Between::Kill | Between::RotationThenKill => {
            agent.kill();
            None
        }
    };
    for at in cuts.clone() {
        place.append(&name(at), lines[middle(at)..].concat());
    }
    let alive = alive.and_then(|mut agent| match between {
        // What was written meanwhile is its own to read, or the next one's.
        Between::Restart | Between::RotationThenRestart => {
            assert!(agent.ended().0.success());
            None
        }
        _ => Some(agent),
    });
    let agent = alive.unwrap_or_else(|| Agent::start(&config, &[]));
    stored(&receiver, &agent, records * cuts.len());
    agent.assert_at_rest();
    agent.terminate();
    let messages = messages(&receiver.documents());
    cuts.map(|at| {
        let path = place.log(&name(at)).display().to_string();
        messages.iter().filter(|it| it.0 == path).map(|it| it.2.clone()).collect()
    })
    .collect()
}

#[test]
fn s24_interleaved_partial_lines_of_a_container() {
    let line = |stream: &str, tag: &str, text: &str| {
        format!("2026-11-22T10:00:00.123456789Z {stream} {tag} {text}\n")
    };
    let lines = [
        line("stdout", "P", "one, "),
        line("stderr", "P", "uno, "),
        line("stdout", "P", "two, "),
        line("stderr", "F", "due"),
        line("stdout", "F", "three"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for between in Between::ALL {
        let files = cut_everywhere("parser: cri", &lines, between, 2, 1);
        for (at, texts) in files.into_iter().enumerate() {
            let mut texts = texts;
            texts.sort();
            assert_eq!(texts, ["one, two, three", "uno, due"], "{between:?} at {at}");
        }
    }
}

#[test]
fn s25_a_stack_trace_in_two_parts() {
    let mut lines = vec!["2026-11-22 10:00:00 ERROR checkout failed\n".to_owned()];
    lines.push("java.lang.IllegalStateException: no stock\n".to_owned());
    lines.extend((2..40).map(|n| format!("\tat shop.Basket.call{n}(Basket.java:{n})\n")));
    let whole = lines.concat();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    // Between each two frames, but not in front of the exception, which also stands alone.
    for between in Between::ALL {
        let files = cut_everywhere("parser: plain, multiline: java", &lines, between, 1, 6);
        for (at, texts) in files.iter().enumerate() {
            assert_eq!(texts.len(), 1, "{between:?} at {at}: {texts:?}");
            assert_eq!(texts[0], whole.trim_end(), "{between:?} at {at}");
        }
    }
}

#[test]
fn s25_a_stack_trace_that_nothing_follows_is_shipped_at_its_timeout() {
    let (place, receiver) = begin();
    let agent = Agent::start(&config(&place, &receiver, "parser: plain, multiline: java"), &[]);
    let trace = "failed\njava.lang.Error: why\n\tat a.B.c(D.java:1)\n";
    place.append("app.log", trace);
    stored(&receiver, &agent, 1);
    agent.assert_at_rest();
    agent.terminate();
    assert_eq!(texts(&receiver), [trace.trim_end()]);
}

/// The volume may be gone at the next start.
#[test]
fn s25_a_stack_trace_that_nothing_follows_is_shipped_at_a_drain() {
    let (place, receiver) = begin();
    let config = config(&place, &receiver, "parser: plain, multiline: java");
    let agent = Agent::start(&config, &["--quiet", "0"]);
    let trace = "failed\njava.lang.Error: why\n\tat a.B.c(D.java:1)\n";
    place.append("app.log", trace);
    read(&agent, trace.len());
    let (status, log) = agent.terminate();
    assert!(status.success() && log.iter().any(|line| line.contains("bytes_left_behind=0")));
    assert_eq!(texts(&receiver), [trace.trim_end()]);
}
