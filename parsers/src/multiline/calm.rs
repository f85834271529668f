//! Records that a crash does not belong to, although it comes right below: an object that is complete, and
//! a logger's line that tells of no trouble. What a logger writes of an error has the traceback below it; a
//! program that dies writes one of its own.

use crate::parse::level;
use crate::record::Level;

/// Bytes of a record in which its level is looked for.
const HEAD: usize = 192;

/// Whether a record is such a one. What it costs does not depend on the record's length.
pub(super) fn is_calm(record: &[u8]) -> bool {
    if let [b'{', inside @ ..] = record {
        let blanks = inside.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        return inside.get(blanks) == Some(&b'"') && record.trim_ascii_end().ends_with(b"}");
    }
    let head = record.get(..HEAD).unwrap_or(record);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    level_of(line).is_some_and(|level| level < Level::Warn)
}

/// The first level that a line names as loggers do: in capitals, or in lower case where brackets, bars or a
/// key stand around it.
fn level_of(line: &[u8]) -> Option<Level> {
    let mut at: usize = 0;
    line.split(|byte| !byte.is_ascii_alphabetic()).find_map(|word| {
        let before = at.checked_sub(1).and_then(|before| line.get(before)).copied();
        let after = line.get(at + word.len()).copied();
        at += word.len() + 1;
        let marked = matches!(before, Some(b'[' | b'<' | b'=' | b'"'))
            || matches!((before, after), (None, Some(b':')));
        if word.len() < 4 || !marked && !word.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        level::from_name(std::str::from_utf8(word).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::is_calm;

    #[test]
    fn what_tells_of_no_trouble() {
        for record in [
            r#"{"level":"info","msg":"starting"}"#,
            r#"{"level":"error","msg":"starting"} "#,
            "{\n  \"msg\": 1\n}",
            "2026-11-26 10:00:00,123 - app - INFO - starting",
            "2026-11-26 10:00:00,123 - app - INFO - ERROR",
            "INFO:root:starting",
            "2026-11-26T10:00:00Z [info     ] starting",
            "ts=1 level=debug msg=x",
            "[2026-11-26 10:00:00,123: INFO/MainProcess] x",
            "2026-11-26 | DEBUG | x",
        ] {
            assert!(is_calm(record.as_bytes()), "{record}");
        }
        let late = format!("{} INFO", "x".repeat(200));
        for record in [
            "",
            "{",
            "{'exchange': '', 'routing_key': 'celery'}",
            r#"{"a":{"b":1},"#,
            "2026-11-26 10:00:00,123 - app - ERROR - no INFO",
            "2026-11-26 10:00:00,123 - app - WARNING - x",
            "level=error msg=info",
            "the info of it",
            "something failed",
            "x\nINFO",
            &late,
        ] {
            assert!(!is_calm(record.as_bytes()), "{record}");
        }
    }
}
