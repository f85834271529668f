//! The log format of Kubernetes' container runtime interface: `<time> <stream> <tags> <text>`, where
//! tags are parted by colons and the first says whether the line is whole (`F`) or goes on (`P`).
//! Source: `kubernetes/design-proposals-archive`, `node/kubelet-cri-logging.md`, and kubelet's
//! parser, `pkg/kubelet/kuberuntime/logs/logs.go`.

use super::rfc3339;
use super::{Body, Unwrapped, runtime_time};
use crate::frame::Stream;

/// What the line, given without its newline, holds.
pub(super) fn unwrap(line: &[u8]) -> Option<Unwrapped> {
    let (nanos, time_len) = rfc3339::prefix(line)?;
    let rest = line.get(time_len..)?;
    let (stream, rest) = match rest.split_first_chunk::<8>()? {
        (b" stdout ", rest) => (Stream::Stdout, rest),
        (b" stderr ", rest) => (Stream::Stderr, rest),
        _ => return None,
    };
    let ends = match rest.first()? {
        b'F' => true,
        b'P' => false,
        _ => return None,
    };
    let tags = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    if !matches!(rest.get(1), None | Some(b' ' | b':')) {
        return None;
    }
    // The space before an empty text may be missing.
    let text = (line.len() - rest.len() + tags + 1).min(line.len());
    let body = Body::Within(text, line.len());
    Some(Unwrapped { body, stream, time: runtime_time(nanos), ends })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Option<(Stream, bool, &str)>) {
        let got = unwrap(line.as_bytes()).map(|got| {
            let Body::Within(start, end) = got.body else { panic!("nothing to decode in CRI") };
            (got.stream, got.ends, &line[start..end])
        });
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn whole_lines_and_parts() {
        use Stream::{Stderr, Stdout};
        let time = "2026-11-22T10:00:00.123456789Z";
        for (rest, expect) in [
            (" stdout F text", (Stdout, true, "text")),
            (" stderr P  two spaces ", (Stderr, false, " two spaces ")),
            (" stdout F ", (Stdout, true, "")),
            (" stdout F", (Stdout, true, "")),
            (" stdout P:x:y part", (Stdout, false, "part")),
            (
                " stdout F 2026-11-22T10:00:00Z stderr F forged",
                (Stdout, true, "2026-11-22T10:00:00Z stderr F forged"),
            ),
        ] {
            check(&format!("{time}{rest}"), Some(expect));
        }
        // CRI-O writes the zone as a number.
        check("2026-11-22T10:00:00.123456789+01:00 stdout F x", Some((Stdout, true, "x")));
    }

    #[test]
    fn broken_prefixes_are_ordinary() {
        for line in [
            "",
            "text",
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00Z stdout ",
            "2026-11-22T10:00:00Z stdout  F x",
            "2026-11-22T10:00:00Z stdout Fx",
            "2026-11-22T10:00:00Z stdout f x",
            "2026-11-22T10:00:00Z stdlog F x",
            "2026-11-22T10:00:00 stdout F x",
            " 2026-11-22T10:00:00Z stdout F x",
            "2026-11-22 10:00:00Z stdout F x",
        ] {
            check(line, None);
        }
    }
}
