//! Walks the members of a JSON object without building anything: for payloads of our own making,
//! whose values go on as the text they are, every digit kept.

/// The members of an object: the inside of each key's string, and each value's text.
///
/// The text must be a valid JSON object. What is not ends the walk early, or gives slices of no
/// meaning, but never panics.
pub(crate) struct Members<'j> {
    rest: &'j str,
}

impl<'j> Members<'j> {
    /// The members of the object that `json` is.
    pub(crate) fn of(json: &'j str) -> Self {
        Self { rest: json.trim_ascii_start().strip_prefix('{').unwrap_or_default() }
    }
}

impl<'j> Iterator for Members<'j> {
    type Item = (&'j str, &'j str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_ascii_start();
        let rest = rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start();
        let (key, rest) = inside(take(rest)?)?;
        let rest = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
        let (value, rest) = take(rest)?;
        self.rest = rest;
        Some((key, value))
    }
}

/// The inside of a string and what follows it; `None` when the value is no string.
fn inside<'j>((value, rest): (&'j str, &'j str)) -> Option<(&'j str, &'j str)> {
    Some((unquoted(value)?, rest))
}

/// The inside of a JSON string; `None` for any other value.
pub(crate) fn unquoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The elements of an array, under the same terms as [`Members`].
pub(crate) struct Elements<'j> {
    rest: &'j str,
}

impl<'j> Elements<'j> {
    /// The elements of the array that `json` is.
    pub(crate) fn of(json: &'j str) -> Self {
        Self { rest: json.trim_ascii_start().strip_prefix('[').unwrap_or_default() }
    }
}

impl<'j> Iterator for Elements<'j> {
    type Item = &'j str;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_ascii_start();
        let rest = rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start();
        let (value, rest) = take(rest)?;
        self.rest = rest;
        Some(value)
    }
}

/// Takes one value off the front.
fn take(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at + 1)?;
                if depth == 0 {
                    return text.split_at_checked(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            // Nothing at all is no value.
            b'}' | b']' | b',' | b':' | b' ' if depth == 0 => {
                return text.split_at_checked(at).filter(|_| at > 0);
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return text.split_at_checked(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    (depth == 0 && at > 0).then_some((text, ""))
}

/// The index after the quote that ends the string whose inside begins at `from`.
pub(super) fn string_end(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(json: &str, expect: &[(&str, &str)]) {
        assert_eq!(Members::of(json).collect::<Vec<_>>(), expect, "{json}");
    }

    #[test]
    fn members_come_as_text() {
        check("{}", &[]);
        check("{\"a\":1}", &[("a", "1")]);
        check(
            r#"{"a":1.10,"b":"x,}\"","c":{"d":[1,{"e":"]"}]},"f":null,"g\"":[]}"#,
            &[
                ("a", "1.10"),
                ("b", r#""x,}\"""#),
                ("c", r#"{"d":[1,{"e":"]"}]}"#),
                ("f", "null"),
                ("g\\\"", "[]"),
            ],
        );
        check(" { \"a\" : true , \"b\" : [ 1 ] } ", &[("a", "true"), ("b", "[ 1 ]")]);
    }

    #[test]
    fn elements_come_as_text() {
        let elements = Elements::of(r#"[[1,"a]"],{"b":[]}, "c",null]"#).collect::<Vec<_>>();
        assert_eq!(elements, [r#"[1,"a]"]"#, r#"{"b":[]}"#, r#""c""#, "null"]);
        assert_eq!(Elements::of("[]").count(), 0);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(text in "[{}\\[\\]\",:\\\\ aé1]{0,32}") {
            prop_assert!(Members::of(&text).take(100).count() < 100);
            prop_assert!(Elements::of(&text).take(100).count() < 100);
        }
    }
}
