//! One line, or the part of one that a container wrote, ready to begin or continue a record.

use super::container::{Body, Unwrapped, Unwrapper};
use super::{Container, Encoding, FileSpan, LineEnding, Lines, Span, Stream};
use crate::record::Time;

/// How a line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Terminator {
    /// It does not.
    #[default]
    None,
    /// In `\n`.
    Lf,
    /// In `\r\n`.
    CrLf,
}

impl Terminator {
    /// The bytes that part this line from the next of the same record. A line without an end of its
    /// own (the last of a File) is parted from the next File's all the same.
    pub(super) const fn separator(self) -> &'static [u8] {
        match self {
            Self::None | Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

/// Two places in a chunk: from the first up to, not including, the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    /// The bytes at this place. Places are made from the chunk they are used on, so the default is
    /// never taken.
    pub(super) fn of(self, chunk: &[u8]) -> &[u8] {
        chunk.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) const fn len(self) -> usize {
        self.end - self.start
    }
}

/// A line, or part of one.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its bytes in the chunk, terminator included.
    pub(super) raw: Place,
    /// Its bytes in the File: more than `raw` when it was cut.
    pub(super) at: FileSpan,
    /// What the program wrote, without terminator.
    pub(super) text: &'a [u8],
    /// Where `text` lies in the chunk; `None` when it had to be decoded.
    pub(super) lent: Option<Place>,
    pub(super) terminator: Terminator,
    pub(super) stream: Option<Stream>,
    pub(super) time: Option<Time>,
    /// What is being unwrapped, as of this line.
    pub(super) container: Container,
    /// Whether the program's line ends with this part of it.
    pub(super) ends: bool,
    /// The File ended without a newline.
    pub(super) partial: bool,
    /// Its end was left out before it came here.
    pub(super) cut: bool,
}

/// Where text that had to be decoded lies until it is emitted or copied: of one line at a time.
#[derive(Default)]
pub(super) struct Scratch {
    /// Out of UTF-16.
    decoded: Vec<u8>,
    /// Out of a container's escapes.
    unwrapped: Vec<u8>,
}

/// The byte order mark in UTF-8, which Windows programs put at the start of a File.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl<'a> Line<'a> {
    /// The line at `raw`; `ending` is its own.
    pub(super) fn read(
        lines: &Lines<'a>,
        raw: Place,
        ending: LineEnding,
        unwrapper: &mut Unwrapper,
        scratch: &'a mut Scratch,
    ) -> Self {
        let offset = |place: usize| lines.start + place as u64;
        let mut span = Span { start: offset(raw.start), end: offset(raw.end) };
        if let LineEnding::Cut { end } = ending {
            span.end = span.end.max(end);
        }
        let mut line = Self {
            raw,
            at: FileSpan { file: lines.file, span },
            text: raw.of(lines.bytes),
            lent: Some(raw),
            terminator: Terminator::None,
            stream: None,
            time: None,
            container: Container::Auto,
            ends: true,
            partial: ending == LineEnding::Partial,
            cut: matches!(ending, LineEnding::Cut { .. }),
        };
        let Scratch { decoded, unwrapped } = scratch;
        if lines.encoding != Encoding::Utf8 {
            lines.encoding.decode(span.start, line.text, decoded);
            line.text = decoded;
            line.lent = None;
        }
        if span.start == 0 && line.text.starts_with(BYTE_ORDER_MARK) {
            line.keep(BYTE_ORDER_MARK.len(), line.text.len());
        }
        if line.text.ends_with(b"\n") {
            line.keep(0, line.text.len() - 1);
            line.terminator = Terminator::Lf;
        }
        if let Some(inner) = unwrapper.unwrap(line.text, unwrapped) {
            line.take_off(inner, unwrapped);
        }
        line.container = unwrapper.current();
        line.end_at_carriage_return();
        line
    }

    /// Leaves the text from one place in it up to, not including, another.
    fn keep(&mut self, from: usize, to: usize) {
        self.text = self.text.get(from..to).unwrap_or_default();
        if let Some(place) = &mut self.lent {
            *place = Place { start: place.start + from, end: place.start + to };
        }
    }

    /// Leaves what is inside the container's line.
    fn take_off(&mut self, inner: Unwrapped, scratch: &'a [u8]) {
        match inner.body {
            Body::Within(from, to) => self.keep(from, to),
            Body::Decoded => {
                self.text = scratch;
                self.lent = None;
            }
        }
        self.stream = Some(inner.stream);
        self.time = Some(inner.time);
        self.ends = inner.ends;
        if !inner.ends {
            self.terminator = Terminator::None;
        }
    }

    fn end_at_carriage_return(&mut self) {
        if self.terminator == Terminator::Lf && self.text.ends_with(b"\r") {
            self.keep(0, self.text.len() - 1);
            self.terminator = Terminator::CrLf;
        }
    }
}

/// The longest beginning of `text` that has at most `most` bytes and parts no UTF-8 character.
pub(super) fn cut(text: &[u8], most: usize) -> &[u8] {
    if text.len() <= most {
        return text;
    }
    let is_inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    // A character has at most three bytes besides its first. Where there are more it is not UTF-8,
    // and may be cut anywhere.
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !is_inside(*at)).unwrap_or(most);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_cut_parts_no_character() {
        let check = |text: &str, most: usize, expect: &str| {
            assert_eq!(cut(text.as_bytes(), most), expect.as_bytes(), "{text} at {most}");
        };
        check("abc", 3, "abc");
        check("abc", 2, "ab");
        check("aé", 2, "a");
        check("a😀b", 4, "a");
        check("a😀b", 5, "a😀");
        check("😀", 0, "");
        assert_eq!(cut(&[0x80; 9], 6), &[0x80; 6]);
    }
}
