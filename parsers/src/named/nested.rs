//! Looks into nested JSON by dotted names, without building a tree: what a member's value is, and the
//! text without that member. One pass over the text; it was validated when it was parsed, and what is
//! malformed all the same holds nothing.

use std::ops::Range;

use crate::record::{Text, Value, closing_quote, unescape};

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its value.
    pub(super) value: Range<usize>,
    /// What to cut out of the text so that the object is without it.
    pub(super) cut: Range<usize>,
}

/// The member of an object that a dotted name names: keys may have dots of their own. The first one,
/// where several fit.
pub(super) fn find(object: &str, name: &str) -> Option<Member> {
    let mut scan = Scan { text: object, at: 0 };
    scan.blanks();
    scan.find(name)
}

/// The values of an array, or the keys of an object, as JSON writes them.
pub(crate) fn items(text: &str) -> Items<'_> {
    let mut scan = Scan { text, at: 0 };
    scan.blanks();
    let object = scan.peek() == b'{';
    let fits = object || scan.peek() == b'[';
    scan.at += 1;
    scan.blanks();
    let over = !fits || matches!(scan.peek(), b'}' | b']');
    Items { scan, object, over }
}

/// The values of an array, or the keys of an object.
pub(crate) struct Items<'t> {
    scan: Scan<'t>,
    object: bool,
    over: bool,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.over {
            return None;
        }
        self.over = true;
        let item = if self.object {
            let key = self.scan.key()?;
            self.scan.skip()?;
            Value::Text(Text::raw_escaped(self.scan.text.get(key)?))
        } else {
            let at = self.scan.skip()?;
            value(self.scan.text.get(at)?)
        };
        self.scan.blanks();
        if self.scan.peek() == b',' {
            self.scan.at += 1;
            self.scan.blanks();
            self.over = false;
        }
        Some(item)
    }
}

/// A value as JSON writes it.
pub(super) fn value(text: &str) -> Value<'_> {
    match text.as_bytes().first() {
        Some(b'"') => {
            let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            Value::Text(Text::raw_escaped(inside.unwrap_or_default()))
        }
        Some(b'{' | b'[') => Value::Json(text),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'-' | b'0'..=b'9') => Value::Number(text),
        _ => Value::Null,
    }
}

/// What is left of a dotted name behind a key; nothing, if the key is all of it. `None` if the name does
/// not begin with the key.
pub(super) fn behind<'n>(name: &'n str, key: &str, escaped: bool) -> Option<&'n str> {
    let rest = if escaped {
        let mut decoded = String::with_capacity(key.len());
        unescape(key, &mut decoded);
        name.strip_prefix(&*decoded)?
    } else {
        name.strip_prefix(key)?
    };
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('.').filter(|rest| !rest.is_empty())
    }
}

/// Walks over a text.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while let b' ' | b'\t' | b'\n' | b'\r' = self.peek() {
            self.at += 1;
        }
    }

    /// Looks through the object that comes next, and those in it that the name leads into; goes past it
    /// if there is no such member. As deep as the name has dots.
    fn find(&mut self, name: &str) -> Option<Member> {
        if self.peek() != b'{' {
            return None;
        }
        self.at += 1;
        let mut comma = None;
        loop {
            self.blanks();
            if self.peek() == b'}' {
                self.at += 1;
                return None;
            }
            let start = self.at;
            let key = self.key()?;
            let key = self.text.get(key)?;
            let value = self.at;
            match behind(name, key, key.contains('\\')) {
                Some("") => {
                    let value = self.skip()?;
                    self.blanks();
                    let cut = match comma {
                        Some(comma) => comma..value.end,
                        None if self.peek() == b',' => {
                            self.at += 1;
                            self.blanks();
                            start..self.at
                        }
                        None => start..value.end,
                    };
                    return Some(Member { value, cut });
                }
                Some(rest) if self.peek() == b'{' => {
                    if let Some(found) = self.find(rest) {
                        return Some(found);
                    }
                    // Malformed: it did not get past it.
                    if self.at == value {
                        return None;
                    }
                }
                _ => {
                    self.skip()?;
                }
            }
            self.blanks();
            if self.peek() == b',' {
                comma = Some(self.at);
                self.at += 1;
            }
        }
    }

    /// The inside of the key that comes next; goes on to its value.
    fn key(&mut self) -> Option<Range<usize>> {
        let key = self.string()?;
        self.blanks();
        if self.peek() != b':' {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(key)
    }

    /// The inside of the string that comes next.
    fn string(&mut self) -> Option<Range<usize>> {
        if self.peek() != b'"' {
            return None;
        }
        let from = self.at + 1;
        let end = from + closing_quote(self.text.as_bytes().get(from..)?)?;
        self.at = end + 1;
        Some(from..end)
    }

    /// Goes past the value that comes next, and says where it was.
    fn skip(&mut self) -> Option<Range<usize>> {
        let from = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                0 => return None,
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if open > 0 => self.at += 1,
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => return None,
                _ => {
                    let rest = self.text.as_bytes().get(self.at..)?;
                    let end = |byte: &u8| b",:]}\" \t\n\r{[".contains(byte);
                    self.at += rest.iter().position(end).unwrap_or(rest.len());
                }
            }
            if open == 0 {
                return Some(from..self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_dotted_names() {
        let text = r#"{ "a" : {"b":1,"c.d":[2,"}"]}, "a.b":"x", "\u0065":{"f":"g\"h"},"n":null }"#;
        let check = |name: &str, expect: Option<&str>| {
            let found = find(text, name).and_then(|member| text.get(member.value));
            assert_eq!(found, expect, "{name}");
        };
        check("a", Some(r#"{"b":1,"c.d":[2,"}"]}"#));
        check("a.b", Some("1"));
        check("a.c.d", Some(r#"[2,"}"]"#));
        check("e.f", Some(r#""g\"h""#));
        check("n", Some("null"));
        for name in ["", "b", "a.", ".a", "a.c", "a.b.c", "e.f.g", "n.x"] {
            check(name, None);
        }
    }

    #[test]
    fn what_is_cut_leaves_an_object() {
        for (text, name, expect) in [
            (r#"{"a":1}"#, "a", "{}"),
            (r#"{"a":1,"b":2}"#, "a", r#"{"b":2}"#),
            (r#"{"a":1, "b":2}"#, "b", r#"{"a":1}"#),
            (r#"{"a":1,"b":2,"c":3}"#, "b", r#"{"a":1,"c":3}"#),
            (r#"{"a":{"x":"y"},"b":2}"#, "a.x", r#"{"a":{},"b":2}"#),
            (r#"{ "a" : 1 , "b" : 2 }"#, "a", r#"{ "b" : 2 }"#),
        ] {
            let cut = find(text, name).expect("there").cut;
            assert_eq!(format!("{}{}", &text[..cut.start], &text[cut.end..]), expect, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_holds_nothing_and_ends() {
        for text in
            ["", "{", "[1", r#"{"a"#, r#"{"a":"#, r#"{"a":{"b""#, r#"{"a" 1}"#, "{,}", r#"{"a":\"#]
        {
            assert_eq!(find(text, "a.c"), None, "{text}");
            assert!(items(text).count() < 3);
        }
    }

    #[test]
    fn items_are_values_or_keys() {
        let list: Vec<_> = items(r#" [1,"a\n",{"b":[2]}, null]"#).collect();
        let expect = [
            Value::Number("1"),
            Value::Text(Text::raw_escaped(r"a\n")),
            Value::Json(r#"{"b":[2]}"#),
            Value::Null,
        ];
        assert_eq!(list, expect);
        assert_eq!(items(r#"{"a":1,"b":{"c":2}}"#).count(), 2);
        assert_eq!((items("[]").count(), items("{ }").count(), items("7").count()), (0, 0, 0));
    }
}
