//! The header of a File that is gone on with below it: read again, since a checkpoint has no lines.

use std::io;

use pillion_parsers::frame::{Encoding, FileNumber};
use pillion_parsers::parse::HeaderForm;

use super::Tailer;
use crate::checkpoint::resume::Resume;
use crate::checkpoint::snapshot::Prefix;
use crate::pipeline::chunk::Head;
use crate::tail::handle::Handle;
use crate::tail::identity::{encoding_of, read_at_most};

/// Bytes that a header may have, and what lies above it where nobody said where it is.
const MOST: u64 = 64 << 10;
/// Given on from the header's beginning, unless its line is longer.
const GIVEN: usize = 8 << 10;
/// How far back a directive is looked for, once for a File that begins at its end: a second's reading.
const FAR: u64 = 1 << 30;
/// Bytes read at once for that.
const BLOCK: u64 = 256 << 10;

impl Tailer {
    /// The File from its header on, for a reader that goes on at `offset`: from where the checkpoint
    /// says that it lies, else from where it is found if its source's files have one. None where there
    /// is none, or it cannot be read any more.
    pub(super) fn head(&self, number: FileNumber, offset: u64, resume: &Resume) -> Option<Head> {
        let file = self.files.get(&number)?;
        let form = self.settings.sources.get(file.source)?.header?;
        let handle = file.reader.file.as_ref().filter(|_| offset > 0)?;
        let known = resume.header.filter(|header| header.file == number).map(|it| it.offset);
        let find = |encoding| Above { file: handle, encoding, end: offset }.head(form, known);
        let head = encoding_of(handle).and_then(find).ok().flatten();
        if head.is_none() && (known.is_some() || form != HeaderForm::Directive { guessed: true }) {
            let path = &file.path;
            tracing::warn!(?path, "no header was found: the file's lines are shipped whole");
        }
        head
    }
}

/// What of a File lies above where its reading begins.
struct Above<'f> {
    file: &'f Handle,
    encoding: Encoding,
    /// Where it begins.
    end: u64,
}

impl Above<'_> {
    /// Lines from the header on, which lies at `known` or below comments that begin there.
    fn head(&self, form: HeaderForm, known: Option<u64>) -> io::Result<Option<Head>> {
        if let (HeaderForm::Directive { guessed }, None) = (form, known) {
            let beginning = self.read(0, self.reach().min(64))?;
            if !form.may_be_in(&self.text(0, &beginning)) {
                return Ok(None);
            }
            return match self.last_directive()? {
                Some(at) => self.from(at, form),
                // In a container's log, no line begins so.
                None if !guessed && self.end <= FAR => self.from(0, form),
                None => Ok(None),
            };
        }
        self.from(known.unwrap_or(0), form)
    }

    /// How far bytes are at hand: of what is compressed, only the first are.
    fn reach(&self) -> u64 {
        if self.file.is_gzip() { self.end.min(Prefix::MAX.into()) } else { self.end }
    }

    /// Whole lines from the first at or below `from` that is not passed over; if all are, from the last
    /// of them.
    fn from(&self, from: u64, form: HeaderForm) -> io::Result<Option<Head>> {
        let bytes = self.read(from, self.reach().min(from.saturating_add(MOST)))?;
        let (mut passed, mut start) = (0, 0);
        let mut ends = self.encoding.line_ends(from, &bytes);
        let found = ends.find(|end| {
            let line = bytes.get(start..*end).unwrap_or_default();
            let is_header = !form.is_passed(&self.text(from + start as u64, line));
            if !is_header {
                (passed, start) = (start, *end);
            }
            is_header
        });
        let lines = match found {
            Some(end) => {
                let given = bytes.get(start..bytes.len().min(start + GIVEN)).unwrap_or_default();
                let given = self.encoding.last_line_end(from + start as u64, given);
                start..end.max(start + given.unwrap_or(0))
            }
            // The header is still to come.
            None if start > 0 && from + start as u64 == self.end => passed..start,
            None => return Ok(None),
        };
        let offset = from + lines.start as u64;
        let bytes = bytes.get(lines).unwrap_or_default().to_vec();
        Ok(Some(Head { offset, bytes, encoding: self.encoding }))
    }

    /// Where the last line begins that is a directive.
    fn last_directive(&self) -> io::Result<Option<u64>> {
        if self.reach() < self.end {
            return Ok(None);
        }
        let directive = HeaderForm::DIRECTIVE.bytes();
        let directive: Vec<u8> = match self.encoding {
            Encoding::Utf8 => directive.collect(),
            Encoding::Utf16Le => directive.flat_map(|byte| [byte, 0]).collect(),
            Encoding::Utf16Be => directive.flat_map(|byte| [0, byte]).collect(),
        };
        let lowest = self.end.saturating_sub(FAR);
        let mut upto = self.end;
        while upto > lowest {
            let from = self.encoding.floor(upto.saturating_sub(BLOCK).max(lowest));
            let bytes = self.read(from, self.end.min(upto + directive.len() as u64))?;
            // One that begins at `upto` is ended above it: a line's beginning is the end of another.
            let is_directive = |start: &usize| {
                bytes.get(*start..).is_some_and(|line| line.starts_with(&directive))
            };
            let first = (from == 0).then(|| self.mark(&bytes));
            let found = self.encoding.line_ends(from, &bytes).rev().chain(first).find(is_directive);
            if let Some(start) = found {
                return Ok(Some(from + start as u64));
            }
            if from == 0 {
                break;
            }
            upto = from;
        }
        Ok(None)
    }

    /// Bytes of the mark that a File's text may begin with.
    fn mark(&self, bytes: &[u8]) -> usize {
        match self.encoding {
            Encoding::Utf8 if bytes.starts_with(b"\xEF\xBB\xBF") => 3,
            Encoding::Utf8 => 0,
            Encoding::Utf16Le | Encoding::Utf16Be => 2,
        }
    }

    fn read(&self, from: u64, upto: u64) -> io::Result<Vec<u8>> {
        let len = usize::try_from(upto.saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; len];
        let got = read_at_most(self.file, &mut bytes, from)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    /// A line without its end.
    fn text(&self, start: u64, line: &[u8]) -> String {
        let mut text = Vec::new();
        self.encoding.decode(start, line, &mut text);
        let text = String::from_utf8_lossy(&text);
        let text = if start == 0 { text.trim_start_matches('\u{feff}') } else { &text };
        text.trim_end_matches(['\r', '\n']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const CSV: HeaderForm = HeaderForm::FirstLine { comment: Some(b'#') };
    const W3C: HeaderForm = HeaderForm::Directive { guessed: false };
    const AUTO: HeaderForm = HeaderForm::Directive { guessed: true };

    /// The head of a file of these bytes, which is gone on with at its end: where it begins, and whether
    /// it reaches that end.
    fn head(bytes: &[u8], form: HeaderForm, known: Option<u64>) -> Option<(u64, String, bool)> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        let (file, end) = (Handle::from(file), bytes.len() as u64);
        let encoding = encoding_of(&file).expect("read");
        let above = Above { file: &file, encoding, end };
        let head = above.head(form, known).expect("read")?;
        let all = head.offset + head.bytes.len() as u64 == end;
        let first = encoding.first_line_end(head.offset, &head.bytes).expect("whole lines");
        Some((head.offset, above.text(head.offset, &head.bytes[..first]), all))
    }

    fn check(bytes: &[u8], form: HeaderForm, known: Option<u64>, offset: u64, line: &str) {
        let found = head(bytes, form, known).map(|(offset, line, _)| (offset, line));
        assert_eq!(found, Some((offset, line.to_owned())));
    }

    fn utf16(text: &str) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_first_line_that_is_no_comment_is_the_header() {
        let rows = "1,2\n".repeat(9_000);
        let file = |above: &str| format!("{above}a,b\n{rows}").into_bytes();
        check(&file(""), CSV, None, 0, "a,b");
        check(&file("# x\n\r\n"), CSV, None, 6, "a,b");
        check(&file("\u{feff}# x\n"), CSV, None, 7, "a,b");
        let long = "# a comment above it\n".repeat(1_000);
        check(&file(&long), CSV, None, long.len() as u64, "a,b");
        check(&file(&long), CSV, Some(4_200), long.len() as u64, "a,b");
        check(&utf16(&format!("# x\na,b\n{rows}")), CSV, None, 10, "a,b");
        // Further than is looked: no line of values is taken for it.
        assert_eq!(head(&file(&long.repeat(4)), CSV, None), None);
        check(&file(&long.repeat(4)), CSV, Some(80_010), 84_000, "a,b");
        assert_eq!(head(&file(&"x".repeat(70_000)), CSV, None), None, "too long for a header");
    }

    #[test]
    fn a_header_may_be_still_to_come() {
        let found = head(b"# x\n# y\n", CSV, None);
        assert_eq!(found, Some((4, "# y".to_owned(), true)));
        assert_eq!(head(b"# x\na,b\n1,2\n", CSV, None), Some((4, "a,b".to_owned(), true)));
    }

    #[test]
    fn the_last_directive_is_the_header() {
        let row = "2026-11-22 10:00:00 #Fields: x\n";
        let file = |rows: usize| {
            let rows = row.repeat(rows);
            format!("#Version: 1.0\n#Fields: a b\n{rows}#Fields: c\n{rows}").into_bytes()
        };
        for form in [W3C, AUTO] {
            check(b"#Fields: a b\n1 2\n", form, None, 0, "#Fields: a b");
            check("\u{feff}#Fields: a b\n1 2\n".as_bytes(), form, None, 3, "#Fields: a b");
            for rows in [0, 1, 9_000, 30_000] {
                let offset = (27 + rows * row.len()) as u64;
                check(&file(rows), form, None, offset, "#Fields: c");
            }
            let text = format!("#Fields: a b\n{}", row.repeat(9_000));
            check(&utf16(&text), form, None, 2, "#Fields: a b");
        }
        check(&file(1), W3C, Some(14), 14, "#Fields: a b");
    }

    #[test]
    fn a_directive_is_found_wherever_blocks_begin() {
        for more in 0..24 {
            let above = format!("#Fields: a\n{}\n", "x".repeat(500 + more));
            let below = "y".repeat(BLOCK as usize - 14);
            let bytes = format!("{above}#Fields: b\n{below}\n");
            check(bytes.as_bytes(), W3C, None, above.len() as u64, "#Fields: b");
            let below = "y".repeat(BLOCK as usize - more);
            let bytes = format!("{above}#Fields: b\n{below}\n");
            check(bytes.as_bytes(), W3C, None, above.len() as u64, "#Fields: b");
        }
    }

    #[test]
    fn what_is_no_line_of_a_directives_file_is_left_alone() {
        assert_eq!(head(b"{}\n#Fields: a\n{}\n", AUTO, None), None);
        assert_eq!(head(b"#Version: 1.0\n1 2\n", AUTO, None), None);
        // A container's log: its first lines.
        let line = "2026-11-22T10:00:00Z stdout F #Fields: a b";
        check(format!("{line}\n").as_bytes(), W3C, None, 0, line);
    }
}
