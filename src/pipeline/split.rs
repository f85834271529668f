//! Takes a line that holds several records apart: the text of each, and a place of its own in the file.

use pillion_parsers::frame::FileSpan;
use pillion_parsers::parse::{Parser, Parts};

/// Bytes of a record's text whose room is kept from line to line, and records whose places are.
const KEPT: (usize, usize) = (64 << 10, 256);

/// One of the records that a raw record holds: nearly always the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    /// What the parser is given.
    pub(super) text: &'t str,
    /// Where it begins in the raw record, in bytes of the file as far as the text has them all, and
    /// always within the raw record and apart from the others.
    pub(super) at: u64,
    /// Whether it is the last: the raw record's bytes are done with.
    pub(super) is_last: bool,
}

/// Where the records are of a line that holds several, and the text of one; reused from line to line.
#[derive(Debug, Default)]
pub(super) struct Split {
    parts: Parts,
    text: String,
}

impl Split {
    /// Finds the records of a line that this parser reads one by one; false if it is one record.
    pub(super) fn find(&mut self, parser: &Parser, line: &str) -> bool {
        parser.split(line, &mut self.parts)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// One of the records of `line`, which takes so many bytes `within` the file. Where it cannot be
    /// taken out, the rest of the line is the last: no byte is settled without a record.
    pub(super) fn part(&mut self, number: usize, line: &str, within: u64) -> Part<'_> {
        let to_come = self.parts.len().saturating_sub(number) as u64;
        let at = |place: usize| (place as u64).min(within.saturating_sub(to_come));
        if let Some(place) = self.parts.write(number, line, &mut self.text) {
            return Part { text: &self.text, at: at(place), is_last: to_come <= 1 };
        }
        let place = self.parts.place(number).unwrap_or(line.len());
        let start = (0..=place.min(line.len())).rev().find(|start| line.is_char_boundary(*start));
        self.text.clear();
        self.text.push_str(line.get(start.unwrap_or(0)..).unwrap_or_default());
        Part { text: &self.text, at: at(place), is_last: true }
    }

    /// Gives back what a large line took.
    pub(super) fn trim(&mut self) {
        let (text, records) = KEPT;
        self.text.clear();
        self.text.shrink_to(text);
        self.parts.shrink_to(records);
    }
}

/// The bytes of a raw record from where its first line begins on, as far as they lie together.
pub(super) fn length(spans: &[FileSpan]) -> u64 {
    let Some(first) = spans.first() else { return u64::MAX };
    let end = spans.iter().fold(first.span.start, |end, it| {
        if it.file == first.file && it.span.start == end { it.span.end } else { end }
    });
    end - first.span.start
}

#[cfg(test)]
mod tests {
    use pillion_parsers::frame::{FileNumber, Span};
    use pillion_parsers::parse::{Library, ParserState};

    use super::*;

    /// A request with so many records.
    fn request(records: usize, body: &str) -> String {
        let record = format!(r#"{{"body":{{"stringValue":"{body}"}}}}"#);
        let records = vec![record; records].join(",");
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#)
    }

    fn split(line: &str) -> Split {
        let parser = Parser::new(&Library::builtin(), "otlp", ParserState::default());
        let mut split = Split::default();
        assert!(split.find(&parser.expect("known"), line));
        split
    }

    #[test]
    fn each_part_has_a_place_of_its_own_within_the_line() {
        // Each of these takes three bytes of the text, and one of the file.
        let line = request(4, &"\u{fffd}".repeat(100));
        let mut split = split(&line);
        for bytes in [line.len() as u64, line.len() as u64 - 800, 200, 4] {
            let mut next = 0;
            for number in 0..split.len() {
                let part = split.part(number, &line, bytes);
                assert!((next..bytes).contains(&part.at), "{number} of {bytes}: {}", part.at);
                assert_eq!(part.is_last, number == 3);
                next = part.at + 1;
            }
        }
        assert_eq!(
            Some(split.part(1, &line, u64::MAX).at),
            split.parts.place(1).map(|at| at as u64)
        );
    }

    #[test]
    fn what_cannot_be_taken_apart_stays_together() {
        let line = request(3, "a");
        let mut split = split(&line);
        let place = split.parts.place(1).expect("three");
        // As if the line had been cut.
        let cut = &line[..place + 4];
        assert_eq!(
            split.part(1, cut, u64::MAX),
            Part { text: &line[place..place + 4], at: place as u64, is_last: true }
        );
    }

    #[test]
    fn a_large_lines_room_is_given_back() {
        let line = request(9000, &"a".repeat(200));
        let mut split = split(&line);
        split.part(0, &request(2, &"a".repeat(1 << 20)), u64::MAX);
        split.text.reserve(1 << 20);
        split.trim();
        assert!(split.text.capacity() <= KEPT.0, "{}", split.text.capacity());
        assert!(split.parts.resident() <= 64 << 10, "{}", split.parts.resident());
    }

    #[test]
    fn what_lies_together_is_the_length() {
        let of = |spans: &[(u32, u64, u64)]| {
            let span = |&(file, start, end): &(u32, u64, u64)| FileSpan {
                file: FileNumber(file),
                span: Span { start, end },
            };
            length(&spans.iter().map(span).collect::<Vec<_>>())
        };
        assert_eq!(of(&[(1, 5, 10)]), 5);
        assert_eq!(of(&[(1, 5, 10), (1, 10, 30)]), 25);
        assert_eq!(of(&[(1, 5, 10), (1, 20, 30)]), 5);
        assert_eq!(of(&[(1, 5, 10), (2, 10, 30)]), 5);
    }
}
