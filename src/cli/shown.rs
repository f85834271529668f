//! Text of a log as a terminal may show it: a line must not steer the terminal it is shown on.

/// The text with control characters written out; line breaks and tabs stay.
pub(super) fn visible(text: &str) -> String {
    escaped(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The same in one line.
pub(super) fn in_one_line(text: &str) -> String {
    escaped(text, char::is_control)
}

fn escaped(text: &str, hidden: fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Marks that turn the direction of what follows steer a terminal too.
        if hidden(c)
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
