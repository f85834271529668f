//! Terminal colours (`ESC[1;31m`) that loggers put around levels, names and values: a line is read
//! without them.

use crate::Arena;

/// How each begins.
pub(super) const ESCAPE: u8 = 0x1b;

/// Bytes of one escape between its `[` and its `m`, at most.
const LONGEST: usize = 32;

/// The text without its colours; `None` where it has none.
///
/// What is left may be several slices of the record put together: the record is then one that was
/// [decoded](crate::record::Record::decoded).
pub(super) fn without<'a>(text: &'a str, arena: &'a Arena) -> Option<&'a str> {
    let (mut start, mut len) = next(text, 0)?;
    let mut plain = bumpalo::collections::String::with_capacity_in(text.len(), arena);
    let mut from = 0;
    loop {
        plain.push_str(text.get(from..start)?);
        from = start + len;
        match next(text, from) {
            Some(found) => (start, len) = found,
            None => break,
        }
    }
    plain.push_str(text.get(from..)?);
    Some(plain.into_bump_str())
}

/// Where the next colour begins, and its length.
fn next(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at += memchr::memchr(ESCAPE, text.as_bytes().get(at..)?)?;
        if let Some(len) = length(text.as_bytes().get(at..)?) {
            return Some((at, len));
        }
        at += 1;
    }
}

/// The length of the colour that `bytes` begin with.
fn length(bytes: &[u8]) -> Option<usize> {
    let [ESCAPE, b'[', parameters @ ..] = bytes else { return None };
    let is_parameter = |byte: &&u8| matches!(byte, b'0'..=b'9' | b';' | b':');
    let len = parameters.iter().take(LONGEST).take_while(is_parameter).count();
    (parameters.get(len) == Some(&b'm')).then_some(len + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Library, Parser, ParserState, ReadAt};
    use crate::record::{Origin, Record};

    #[test]
    fn only_colours_go() {
        let arena = Arena::new();
        for (text, plain) in [
            ("\x1b[1;31mred\x1b[0m and \x1b[mnot", Some("red and not")),
            ("\x1b[38:2::1:2:3mé", Some("é")),
            ("\x1b\x1b[0m", Some("\x1b")),
            ("\x1b[2K cleared", None),
            ("\x1b[31", None),
            ("[31m", None),
            ("", None),
        ] {
            assert_eq!(without(text, &arena), plain, "{text:?}");
        }
    }

    /// The redactor must look at what was put together; what fits nothing keeps every byte.
    #[test]
    fn a_coloured_line_is_read_as_a_plain_one() {
        let library = Library::builtin();
        for (parser, line, decoded, message) in [
            ("logfmt", "level=\x1b[32minfo\x1b[0m \x1b[36muser\x1b[0m=ann msg=hi", true, "hi"),
            ("logfmt", "level=info user=ann msg=hi", false, "hi"),
            ("logfmt", "\x1b[32mfree text\x1b[0m = ", false, "\x1b[32mfree text\x1b[0m = "),
            ("auto", "\x1b[32mfree text\x1b[0m", false, "\x1b[32mfree text\x1b[0m"),
            ("plain", "\x1b[32mfree\x1b[0m", false, "\x1b[32mfree\x1b[0m"),
        ] {
            let mut parser = Parser::new(&library, parser, ParserState::default()).unwrap();
            let arena = Arena::new();
            let mut record = Record::default();
            parser.parse(line, ReadAt::default(), &arena, &mut record);
            assert_eq!(record.decoded, decoded, "{line:?}");
            let text = record.message.unwrap();
            assert_eq!((text.as_stored(), text.origin()), (message, Origin::Raw), "{line:?}");
        }
    }
}
