//! Text below an error's own line: a message of several lines has nothing that marks the second as
//! its own. It is taken in where a trace must still follow, or where a logger begins its lines with
//! something that this one lacks.

/// Lines of text taken in below one line of a trace at most, where the trace must still follow.
const MOST_LINES: u8 = 64;
/// The same where nothing need follow.
const MOST_UNSURE: u8 = 16;

/// The text that may come below a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Below {
    /// Lines of it at most, and as many again that are indented.
    lines: u8,
    indented: u8,
    /// A trace must still follow; else it may, or what came was the end.
    surely: bool,
}

impl Below {
    /// A trace must still follow, so the text belongs to it.
    pub(super) const SURELY: Self = Self::surely(MOST_LINES);
    /// The message may go on.
    pub(super) const MAYBE: Self =
        Self { lines: MOST_UNSURE, indented: MOST_UNSURE, surely: false };
    /// One line more may follow, and what is indented below it.
    pub(super) const ANNOUNCED: Self = Self { lines: 1, indented: MOST_UNSURE, surely: false };

    /// So many lines at most, which belong to the trace.
    pub(super) const fn surely(lines: u8) -> Self {
        Self { lines, indented: 0, surely: true }
    }

    /// What may come below a line that names an error: one that ends in a colon goes on.
    pub(super) fn message(line: &[u8]) -> Self {
        if line.ends_with(b":") { Self::surely(1) } else { Self::MAYBE }
    }

    /// What a panic says: a line at least, if an empty one. More of them are told from other lines only
    /// where the record before it begins with `before` as a logger's do, or where there is none.
    pub(super) fn said(before: Head) -> Self {
        let told = before.is_stamp() || before == Head::default();
        Self::surely(if told { MOST_UNSURE } else { 1 })
    }

    pub(super) const fn is_none(self) -> bool {
        self.lines == 0 && self.indented == 0
    }

    /// Whether `line` is such text, in a record that begins with `head`.
    pub(super) fn takes(&mut self, head: Head, line: &[u8]) -> bool {
        let left = if self.indented > 0 && super::is_indented(line) {
            &mut self.indented
        } else {
            &mut self.lines
        };
        if *left == 0 || Head::of(line).is_stamp() {
            return false;
        }
        if !self.surely && (line.is_empty() || !head.is_stamp()) {
            return false;
        }
        *left -= 1;
        // What ends in a colon goes on.
        if line.ends_with(b":") {
            self.lines = self.lines.max(1);
        }
        true
    }
}

/// The first bytes of a line, padded with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head([u8; 8]);

/// What loggers begin lines with, besides times and brackets; a byte that ends the word follows.
const WORDS: [&[u8]; 32] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
    b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"TRACE", b"DEBUG", b"INFO", b"NOTICE",
    b"WARN", b"WARNING", b"ERROR", b"SEVERE", b"FATAL", b"time", b"ts", b"level", b"lvl",
];

impl Head {
    #[inline]
    pub(super) fn of(line: &[u8]) -> Self {
        match line.first_chunk() {
            Some(head) => Self(*head),
            None => Self::of_short(line),
        }
    }

    #[cold]
    fn of_short(line: &[u8]) -> Self {
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(line) {
            *to = *from;
        }
        Self(head)
    }

    /// The head after a record of this one, and a record that begins with `line`: an empty line is a record,
    /// unless nothing came before it.
    pub(super) fn then(self, line: &[u8]) -> Self {
        const EMPTY: Head = Head([b'\n', 0, 0, 0, 0, 0, 0, 0]);
        match line {
            [] if self == Self::default() => self,
            [] => EMPTY,
            _ => Self::of(line),
        }
    }

    /// Whether a logger's line begins so: with a time, a level, a bracket, or a key of one.
    pub(super) fn is_stamp(self) -> bool {
        // Levels are often right-aligned.
        if matches!(self.0, [b'{' | b'[', ..]) {
            return true;
        }
        match super::unindented(&self.0) {
            [b'0'..=b'9', b'0'..=b'9', ..] | [b'<', b'0'..=b'9', ..] => true,
            // `1.79e+09` of zap.
            [b'0'..=b'9', b'.', b'0'..=b'9', b'0'..=b'9', ..] => true,
            // `E, [2026-…` of Ruby's logger, `E1126 10:00` of klog.
            [b'A'..=b'Z', b',', b' ', b'[', ..] => true,
            [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => true,
            [b'C', b'R', b'I', b'T', b'I', b'C', b'A', b'L'] => true,
            text => WORDS.iter().any(|word| {
                text.strip_prefix(*word)
                    .is_some_and(|rest| !matches!(rest.first(), Some(b'a'..=b'z' | b'A'..=b'Z')))
            }),
        }
    }
}
