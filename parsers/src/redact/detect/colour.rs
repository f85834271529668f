//! Terminal colours and other escapes around a value: they end in letters and digits that belong to
//! no word. Loggers colour names and values apart: `ESC[36mpassword=ESC[0mhunter2`.

use super::{View, is_word};

/// How an escape character is written: itself, or as a string literal has it.
const ESCAPES: [&[u8]; 5] = [b"\x1b", b"\\u001b", b"\\x1b", b"\\033", b"\\e"];

/// How many sequences are gone past in one place: `ESC[0mESC[1mESC[31m`.
const IN_A_ROW: usize = 4;

/// Bytes of a sequence between its `[` and its last letter.
const fn is_parameter(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b';' | b':' | b'?')
}

impl View<'_> {
    /// Whether the byte before a place makes one word with what begins there. The last letter of an
    /// escape (`\n`, a colour) does not.
    pub(in super::super) fn word_before(&self, place: usize) -> bool {
        let byte = self.before(place, 1);
        let escape = self.before(place, 2) == b'\\'
            && matches!(byte, b'n' | b'r' | b't' | b'f' | b'v' | b'b');
        is_word(byte) && !escape && self.colour_before(place).is_none()
    }

    /// Where a colour that ends right before a place begins (ECMA-48's control sequences).
    #[inline]
    pub(in super::super) fn colour_before(&self, place: usize) -> Option<usize> {
        // Almost always a letter stands there.
        let inside = self.before(place, 2);
        if inside != b'[' && !is_parameter(inside) {
            return None;
        }
        self.sequence_before(place)
    }

    #[inline(never)]
    fn sequence_before(&self, place: usize) -> Option<usize> {
        let last = place.checked_sub(1).filter(|&last| self.at(last).is_ascii_alphabetic())?;
        let parameters = self.run_back(last, 16, is_parameter);
        let bracket = parameters.checked_sub(1).filter(|&bracket| self.at(bracket) == b'[')?;
        ESCAPES.iter().find_map(|escape| {
            let start = bracket.checked_sub(escape.len())?;
            self.has(start, escape).then_some(start)
        })
    }

    /// The place after a colour that begins here.
    #[inline]
    pub(super) fn colour_after(&self, place: usize) -> Option<usize> {
        if matches!(self.at(place), b'\x1b' | b'\\') { self.sequence_after(place) } else { None }
    }

    #[inline(never)]
    fn sequence_after(&self, place: usize) -> Option<usize> {
        let escape = ESCAPES.iter().find(|escape| self.has(place, escape))?;
        let bracket = place + escape.len();
        let last = self.run(bracket + 1, 16, is_parameter);
        (self.at(bracket) == b'[' && self.at(last).is_ascii_alphabetic()).then_some(last + 1)
    }

    /// The place before blanks and colours.
    pub(super) fn before_blanks(&self, place: usize) -> usize {
        let blanks = |place| self.run_back(place, usize::MAX, |byte| matches!(byte, b' ' | b'\t'));
        let back = |place: &usize| self.colour_before(*place).map(blanks);
        let places = std::iter::successors(Some(blanks(place)), back);
        places.take(IN_A_ROW + 1).last().unwrap_or(place)
    }

    /// The place after blanks and colours.
    pub(super) fn after_blanks(&self, place: usize) -> usize {
        let blanks = |place| self.run(place, usize::MAX, |byte| matches!(byte, b' ' | b'\t'));
        let on = |place: &usize| self.colour_after(*place).map(blanks);
        let places = std::iter::successors(Some(blanks(place)), on);
        places.take(IN_A_ROW + 1).last().unwrap_or(place)
    }

    /// Where a word that seems to begin here really begins: after the `31m` of a colour.
    pub(super) fn word_start(&self, place: usize) -> usize {
        let letter = self.run(place, 16, |byte| byte.is_ascii_digit());
        self.colour_before(letter + 1).map_or(place, |_| letter + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;

    #[test]
    fn colours_are_no_part_of_the_word_after_them() {
        let check = |before: &str, expect: bool| {
            let text = format!("{before}4111");
            assert_eq!(value(&text).word_before(before.len()), expect, "{before:?}");
        };
        for before in
            ["\x1b[31m", "\x1b[1;31m", "\\u001b[0m", "\\x1b[0m", "\\033[0m", "\\n", "\x1b[m"]
        {
            check(before, false);
        }
        for before in ["x", "[31m", "_", "9", "n"] {
            check(before, true);
        }
    }

    #[test]
    fn blanks_and_colours_are_gone_past_together() {
        let text = "a \x1b[0m \x1b[1m\\x1b[2mb";
        assert_eq!(value(text).after_blanks(1), text.len() - 1);
        assert_eq!(value(text).before_blanks(text.len() - 1), 1);
        assert_eq!(value("\x1b[1;31mtoken").word_start(4), 7);
        assert_eq!(value("31mtoken").word_start(0), 0);
    }
}
