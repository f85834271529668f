//! What the redactor is to know of a text that a layout cut out of a line.

use super::Walk;
use super::capture::Capture;
use crate::parse::cursor::Cursor;
use crate::parse::pattern;
use crate::record::Text;
use crate::redact::ends_in_secret;

impl<'a> Walk<'_, '_, 'a> {
    /// A text that ends where the cursor is, as the redactor is to see it: its sweep over the raw record
    /// sees whole words only.
    #[inline]
    pub(super) fn shown(&self, capture: &Capture, text: &'a str, cursor: &Cursor<'a>) -> Text<'a> {
        if capture.apart {
            return Text::raw(text);
        }
        let (start, end) = self.place(text, cursor);
        let cut = pattern::splits_word(self.whole, start) || pattern::splits_word(self.whole, end);
        if cut { Text::built(text) } else { Text::raw(text) }
    }

    /// Whether a text that ends where the cursor is goes by the name of a secret before it: it stays text
    /// then, as it is written, for the redactor to find it.
    #[inline]
    pub(super) fn is_guarded(&self, capture: &Capture, text: &str, cursor: &Cursor<'a>) -> bool {
        if !capture.behind_name {
            return false;
        }
        let (start, _) = self.place(text, cursor);
        let before = start.checked_sub(1).and_then(|before| self.whole.as_bytes().get(before));
        // Most stand behind something else.
        matches!(before, Some(b':' | b'=' | b' ' | b'\t' | b'"' | b'\''))
            && self.whole.get(..start).is_some_and(ends_in_secret)
    }

    /// Where a text begins and ends that ends where the cursor is.
    fn place(&self, text: &str, cursor: &Cursor<'a>) -> (usize, usize) {
        let end = self.whole.len() - cursor.rest().len();
        (end.saturating_sub(text.len()), end)
    }
}
