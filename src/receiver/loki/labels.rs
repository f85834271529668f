//! A stream's labels: `{app="x", env="y"}`, names as identifiers, values quoted as in Go.

/// Names and values, sorted by name; a name may be there twice, which the limits refuse.
pub(super) type Labels = Vec<(String, String)>;

/// Reads labels. Those with an empty value are left out, as Loki does.
///
/// # Errors
/// What was found where, in the manner of Loki's parser.
pub(super) fn parse(text: &str) -> Result<Labels, String> {
    let mut cursor = Cursor { text, at: 0 };
    let mut labels = Labels::new();
    cursor.expect('{')?;
    while !cursor.eat('}') {
        let name = cursor.name()?;
        cursor.expect('=')?;
        let value = cursor.value()?;
        if !value.is_empty() {
            labels.push((name, value));
        }
        if !cursor.eat(',') {
            cursor.expect('}')?;
            break;
        }
    }
    cursor.space();
    if cursor.at < text.len() {
        return Err(cursor.flaw("end of input"));
    }
    labels.sort();
    Ok(labels)
}

/// Writes labels as Loki quotes them in its answers.
pub(super) fn write(labels: &Labels) -> String {
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_whitespace()) {
            self.bump();
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        let there = self.peek() == Some(c);
        if there {
            self.bump();
        }
        there
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.eat(c) { Ok(()) } else { Err(self.flaw(&format!("'{c}'"))) }
    }

    fn flaw(&self, expected: &str) -> String {
        let at = self.at + 1;
        format!(
            "parse error at line 1, col {at}: syntax error: unexpected input, expecting {expected}"
        )
    }

    fn name(&mut self) -> Result<String, String> {
        self.space();
        let start = self.at;
        while self.peek().is_some_and(|c| {
            c == '_' || c.is_ascii_alphabetic() || (self.at > start && c.is_ascii_digit())
        }) {
            self.bump();
        }
        match self.text.get(start..self.at) {
            Some(name) if !name.is_empty() => Ok(name.to_owned()),
            _ => Err(self.flaw("IDENTIFIER")),
        }
    }

    fn value(&mut self) -> Result<String, String> {
        self.space();
        let quote = match self.bump() {
            Some(quote @ ('"' | '`')) => quote,
            _ => return Err(self.flaw("STRING")),
        };
        let mut value = Vec::new();
        loop {
            match self.bump() {
                Some(c) if c == quote => break,
                Some('\\') if quote == '"' => self.escape(&mut value)?,
                Some('\n') if quote == '"' => return Err("literal not terminated".to_owned()),
                Some(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => return Err("literal not terminated".to_owned()),
            }
        }
        String::from_utf8(value).map_err(|_| "invalid label value: not UTF-8".to_owned())
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), String> {
        let flaw = || "invalid char escape".to_owned();
        let c = self.bump().ok_or_else(flaw)?;
        let simple = match c {
            'a' => Some(0x07),
            'b' => Some(0x08),
            'f' => Some(0x0c),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(0x0b),
            '\\' | '"' => u8::try_from(c).ok(),
            _ => None,
        };
        if let Some(byte) = simple {
            value.push(byte);
            return Ok(());
        }
        let (digits, radix) = match c {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => {
                self.at -= 1;
                (3, 8)
            }
            _ => return Err(flaw()),
        };
        let end = self.at + digits;
        let number = self.text.get(self.at..end).and_then(|d| u32::from_str_radix(d, radix).ok());
        let number = number.ok_or_else(flaw)?;
        self.at = end;
        if matches!(c, 'u' | 'U') {
            let c = char::from_u32(number).ok_or_else(flaw)?;
            value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            value.push(u8::try_from(number).map_err(|_| flaw())?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<&[(&str, &str)], &str>) {
        match (parse(text), expect) {
            (Ok(labels), Ok(expect)) => {
                let labels: Vec<_> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                assert_eq!(labels, expect, "{text}");
            }
            (Err(flaw), Err(part)) => assert!(flaw.contains(part), "{text}: {flaw}"),
            (result, _) => panic!("{text}: {result:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn labels_are_read_as_loki_reads_them() {
        check(r#"{b="2", a="1"}"#, Ok(&[("a", "1"), ("b", "2")]));
        check(r#"{a="1",}"#, Ok(&[("a", "1")]));
        check("{}", Ok(&[]));
        check(r#"{a=""}"#, Ok(&[]));
        check(r#"{a="x\"\\\n\u00e9\xc3\xa9\101"}"#, Ok(&[("a", "x\"\\\néé\u{41}")]));
        check("{a=`raw\\n`}", Ok(&[("a", "raw\\n")]));
        check(r#"{a="1", a="2"}"#, Ok(&[("a", "1"), ("a", "2")]));
        check("", Err("expecting '{'"));
        check("app=\"x\"", Err("expecting '{'"));
        check(r#"{a.b="1"}"#, Err("expecting '='"));
        check(r#"{1a="1"}"#, Err("IDENTIFIER"));
        check("{a=1}", Err("STRING"));
        check("{a='1'}", Err("STRING"));
        check("{a=\"1\n\"}", Err("not terminated"));
        check(r#"{a="1"#, Err("not terminated"));
        check(r#"{a="\q"}"#, Err("escape"));
        check(r#"{a="\xff"}"#, Err("UTF-8"));
        check(r#"{a="1"} "#, Ok(&[("a", "1")]));
        check(r#"{a="1"} x"#, Err("end of input"));
        check(r#"{a="1" b="2"}"#, Err("expecting '}'"));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[{}a-c=\"`\\\\uxU0-9é,\n ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
