//! A text of a log with the places of what is to be found in it, and the spellings that a log gives it:
//! JSON, URLs, XML.

use std::fmt::Write;
use std::ops::Range;

/// What of a text is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Nothing.
    Ground,
    /// What may go together with a value: the scheme before a credential, the user before a password.
    Outer(usize),
    /// A value: all of it has to go.
    Value(usize),
}

/// A value to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// What has to go.
    pub(crate) value: Range<usize>,
    /// What may go with it.
    pub(crate) outer: Range<usize>,
    /// Of which kind it is.
    pub(crate) kind: &'static str,
    /// The value as it was before the line gave it a spelling.
    pub(crate) plain: String,
}

/// A text in pieces, some of them marked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pieces: Vec<(String, Mark)>,
    /// The kind of each value, and itself.
    values: Vec<(&'static str, String)>,
}

impl Text {
    /// Text without anything to find.
    pub(crate) fn ground(text: impl Into<String>) -> Self {
        Self { pieces: vec![(text.into(), Mark::Ground)], values: Vec::new() }
    }

    /// A value of a kind; what stands before a `¦` only belongs to it.
    pub(crate) fn value(kind: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        match text.split_once('¦') {
            Some((before, value)) => Self::within(kind, before, value, ""),
            None => {
                Self { pieces: vec![(text.clone(), Mark::Value(0))], values: vec![(kind, text)] }
            }
        }
    }

    /// A value of a kind and what may go with it, before and behind.
    pub(crate) fn within(kind: &'static str, before: &str, value: &str, behind: &str) -> Self {
        let outer = |text: &str| (text.to_owned(), Mark::Outer(0));
        let pieces = vec![outer(before), (value.to_owned(), Mark::Value(0)), outer(behind)];
        Self { pieces, values: vec![(kind, value.to_owned())] }
    }

    /// This and then another.
    pub(crate) fn then(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        let known = self.values.len();
        let moved = other.pieces.into_iter().map(|(text, mark)| match mark {
            Mark::Ground => (text, Mark::Ground),
            Mark::Outer(at) => (text, Mark::Outer(at + known)),
            Mark::Value(at) => (text, Mark::Value(at + known)),
        });
        self.pieces.extend(moved);
        self.values.extend(other.values);
        self
    }

    /// A text with this in place of `{}`.
    pub(crate) fn within_phrase(self, phrase: &str) -> Self {
        let (before, behind) = phrase.split_once("{}").unwrap_or((phrase, ""));
        Self::ground(before).then(self).then(Self::ground(behind))
    }

    /// The same in another spelling, which has to be one of single characters.
    pub(crate) fn spelt(mut self, spell: fn(&str) -> String) -> Self {
        for (text, _) in &mut self.pieces {
            *text = spell(text);
        }
        self
    }

    /// The text alone.
    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// The text and what is to be found in it.
    pub(crate) fn labelled(&self) -> (String, Vec<Span>) {
        let mut line = String::new();
        let mut spans: Vec<Option<Span>> = vec![None; self.values.len()];
        for (text, mark) in &self.pieces {
            let (start, end) = (line.len(), line.len() + text.len());
            line.push_str(text);
            let (Mark::Outer(at) | Mark::Value(at)) = *mark else { continue };
            let (kind, plain) = self.values[at].clone();
            let new = Span { value: end..end, outer: start..end, kind, plain };
            let span = spans[at].get_or_insert(new);
            span.outer.end = end;
            if matches!(mark, Mark::Value(_)) {
                let first = span.value.is_empty();
                span.value = if first { start..end } else { span.value.start..end };
            }
        }
        (line, spans.into_iter().flatten().collect())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::ground(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::ground(text)
    }
}

/// As it stands in a JSON string.
pub(crate) fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// As it stands in a JSON string of a program that escapes what is neither letter nor digit, as
/// .NET's and PHP's encoders do with some of it.
pub(crate) fn unicode_escaped(text: &str) -> String {
    let mut out = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() || byte == b' ' => out.push(char::from(byte)),
            _ => _ = write!(out, "\\u{unit:04x}"),
        }
    }
    out
}

/// As a browser writes it in the query of a URL.
pub(crate) fn url(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' | b'~' | b'*' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// As `encodeURIComponent` writes it.
pub(crate) fn url_component(text: &str) -> String {
    url(text).replace('+', "%20")
}

/// As it stands in XML.
pub(crate) fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
