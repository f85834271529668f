//! Escapes: whether one hides something that a detector would look for, once it is undone.

use super::super::detect::scheme_before;
use super::super::keys::is_member;
use super::Scan;

impl Scan<'_, '_> {
    /// A backslash, `%`, `&`, or what looks like ASCII: does it hide a byte that a detector would look for?
    pub(super) fn escape(&mut self, byte: u8, at: usize) -> bool {
        if self.escaped {
            return false;
        }
        let hidden = if byte == 0xEF || byte.is_ascii_digit() {
            true
        } else if byte == b'&' {
            self.entity(at)
        } else if byte == b'%' {
            self.hex(at + 1, 2).is_some_and(|hidden| match hidden {
                b' ' => self.blank(at, at + 3),
                0xC2.. if self.view.before(at, 1).is_ascii_digit() => true,
                hidden => tells(hidden) || self.parts(at + 3),
            })
        } else {
            // Backslashes in a row: escaped more than once.
            if self.view.before(at, 1) == b'\\' {
                return false;
            }
            let letter = self.view.run(at, 16, |byte| byte == b'\\');
            match self.view.at(letter) {
                b'u' => self.hex(letter + 1, 2).zip(self.hex(letter + 3, 2)).is_some_and(
                    |(high, hidden)| {
                        let ascii = high == 0 && hidden.is_ascii();
                        // Of names in other scripts.
                        let foreign = !ascii && self.rules.keys.foreign;
                        foreign
                            || (!ascii && self.view.before(at, 1).is_ascii_digit())
                            || (high == 0 && (tells(hidden) || self.parts(letter + 5)))
                    },
                ),
                b'x' => self.hex(letter + 1, 2).is_some_and(|hidden| {
                    let foreign = hidden >= 0xC2 && self.view.before(at, 1).is_ascii_digit();
                    foreign || tells(hidden) || self.parts(letter + 3)
                }),
                // `30\/901820`, as PHP writes JSON: a URL's after `:`, or between two of them, hides nothing.
                b'/' => {
                    let parts = |byte: u8| !byte.is_ascii_alphanumeric();
                    letter > at + 1
                        || !(parts(self.view.before(at, 1)) || parts(self.view.at(letter + 1)))
                }
                _ => false,
            }
        };
        self.escaped |= hidden;
        // In a raw record, with something found before, that is enough to know.
        hidden && !self.view.bounded && !self.hits.is_empty()
    }

    /// Whether HTML's `&#64;` does, or the `&lt;` of a tag that is named like a secret, or the `&quot;` around
    /// such a name, or around a command's option or its argument; they may be escaped more than once.
    fn entity(&self, at: usize) -> bool {
        let view = self.view;
        let mut name = at + 1;
        while view.has(name, b"amp;") && name < at + 16 {
            name += 4;
        }
        if view.at(name) == b'#' {
            let entity = crate::redact::decode::entity(view.bytes, name - 1);
            return name > at + 1
                || entity.is_some_and(|(hidden, end)| {
                    let ascii = u8::try_from(hidden).ok().filter(u8::is_ascii);
                    ascii.is_some_and(tells) || self.parts(end)
                });
        }
        if view.has(name, b"quot;") {
            let option = view.before(at, 2) == b'-'
                || (view.before(at, 3) == b'-' && view.before(at, 1) == b' ');
            // A column, as `(&quot;password&quot;)`.
            let word = name + 5;
            let end = view.run(word, 64, is_member);
            let named = view.at(end) == b'&'
                && view.bytes.get(word..end).is_some_and(|word| self.rules.keys.may_be(word));
            return option || view.at(word) == b'-' || named;
        }
        if !view.has(name, b"lt;") {
            return false;
        }
        let tag = name + 3;
        let end = view.run(tag, 64, |byte| is_member(byte) || byte == b':');
        view.bytes.get(tag..end).is_some_and(|tag| self.rules.keys.may_be(tag))
    }

    /// Whether the blank that `%20` stands for tells. Most are between the words of a search: it does
    /// between digits, after a scheme, and where no word follows. Names after it are seen at their `=`.
    fn blank(&self, at: usize, after: usize) -> bool {
        let next = self.view.at(after);
        self.parts(after)
            || (self.view.before(at, 1).is_ascii_digit() && next.is_ascii_alphanumeric())
            || !(next.is_ascii_alphanumeric() || next <= b' ')
            || scheme_before(self.view, at).is_some()
    }

    /// Whether an escaped byte parts what comes after it from the escape's own digits: `%22` in
    /// `%224111…`, `\u0022` in `\u0022DE89…`.
    fn parts(&self, after: usize) -> bool {
        let (first, second) = (self.view.at(after), self.view.at(after + 1));
        first.is_ascii_digit()
            || (first.is_ascii_uppercase()
                && (second.is_ascii_uppercase() || second.is_ascii_digit()))
    }

    fn hex(&self, at: usize, digits: usize) -> Option<u8> {
        super::super::decode::hex(self.view.bytes.get(at..at + digits)?)
    }
}

/// Whether a byte may be a part of what detectors look for, or part it from what stands around.
const fn tells(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
