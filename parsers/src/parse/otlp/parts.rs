//! Takes a request with several log records apart: the collector sends them in batches.
//!
//! Each becomes a request of its own, with the resource and the scope that it stands in, so that what
//! reads and redacts a line with one record does so with all of them. Only brackets and strings are
//! looked at here: whatever else is wrong, whoever reads the parts finds out.

use std::ops::Range;

use crate::record::closing_quote;

/// Records that a line may hold; one with more stays one.
const MOST: usize = 10_000;

/// Bytes that the parts may come to, for each of the line: resource and scope are in all of them.
const GROWTH: usize = 32;

/// What stands around every part.
const AROUND: [&str; 2] = ["{\"resourceLogs\":[", "]}"];

/// Where the records are of a line that holds several. Kept from line to line for its room.
#[derive(Debug, Default)]
pub struct Parts {
    resources: Vec<Around>,
    /// The scopes, and the number of the resource that each stands in.
    scopes: Vec<(Around, usize)>,
    /// The records, and the number of the scope that each stands in.
    records: Vec<(Range<usize>, usize)>,
}

/// What stands around the elements of an object's list.
#[derive(Debug, Default)]
struct Around {
    head: Range<usize>,
    tail: Range<usize>,
}

impl Around {
    fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }
}

impl Parts {
    /// Finds the records of a request; false if it does not hold several that are read on their own.
    pub(in super::super) fn find(&mut self, text: &str) -> bool {
        self.resources.clear();
        self.scopes.clear();
        self.records.clear();
        let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
        scan.request(self).is_some() && self.records.len() > 1 && {
            let sizes = self.records.iter().filter_map(|(record, scope)| {
                let (scope, resource) = self.scopes.get(*scope)?;
                Some(record.len() + scope.len() + self.resources.get(*resource)?.len())
            });
            sizes.sum::<usize>() <= text.len().saturating_mul(GROWTH)
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Where in the line one of them has its own object, in bytes; `None` beyond the last.
    #[must_use]
    pub fn place(&self, part: usize) -> Option<usize> {
        self.records.get(part).map(|(record, _)| record.start)
    }

    /// Forgets them, and gives back the room for more than so many.
    pub fn shrink_to(&mut self, records: usize) {
        self.resources.clear();
        self.resources.shrink_to(records);
        self.scopes.clear();
        self.scopes.shrink_to(records);
        self.records.clear();
        self.records.shrink_to(records);
    }

    /// Bytes of memory they take.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.resources.capacity() * size_of::<Around>()
            + self.scopes.capacity() * size_of::<(Around, usize)>()
            + self.records.capacity() * size_of::<(Range<usize>, usize)>()
    }

    /// Writes the text that one of them would be on its own. Gives the place in `line`, the text they
    /// were found in, where the record's own object begins, in bytes; `None` beyond the last.
    pub fn write(&self, part: usize, line: &str, out: &mut String) -> Option<usize> {
        let (record, scope) = self.records.get(part)?;
        let (scope, resource) = self.scopes.get(*scope)?;
        let resource = self.resources.get(*resource)?;
        let [before, behind] = AROUND;
        out.clear();
        out.push_str(before);
        for range in [&resource.head, &scope.head, record, &scope.tail, &resource.tail] {
            out.push_str(line.get(range.clone())?);
        }
        out.push_str(behind);
        Some(record.start)
    }
}

/// How far a request was looked through.
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn request(&mut self, parts: &mut Parts) -> Option<()> {
        let mut any = false;
        self.object(|scan, key| {
            if any || key != b"resourceLogs" {
                return None;
            }
            any = true;
            scan.list(|scan| scan.resource(parts))
        })?;
        self.blanks();
        (self.at == self.bytes.len()).then_some(())
    }

    fn resource(&mut self, parts: &mut Parts) -> Option<()> {
        let number = parts.resources.len();
        parts.resources.push(Around::default());
        let around = self.around(b"scopeLogs", |scan| scan.scope(parts, number))?;
        *parts.resources.get_mut(number)? = around;
        Some(())
    }

    fn scope(&mut self, parts: &mut Parts, resource: usize) -> Option<()> {
        let number = parts.scopes.len();
        let around = self.around(b"logRecords", |scan| {
            let start = scan.at;
            if scan.peek()? != b'{' || parts.records.len() == MOST {
                return None;
            }
            scan.skip()?;
            parts.records.push((start..scan.at, number));
            Some(())
        })?;
        parts.scopes.push((around, resource));
        Some(())
    }

    /// An object with a list under that name, which has an element at least: a request without a record
    /// stays what it is.
    fn around(
        &mut self,
        name: &[u8],
        mut each: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<Around> {
        let start = self.at;
        let mut inside = None;
        self.object(|scan, key| {
            if key != name {
                return scan.skip();
            }
            let (mut first, mut count) = (0, 0);
            scan.list(|scan| {
                if count == 0 {
                    first = scan.at;
                }
                count += 1;
                each(scan)
            })?;
            let once = inside.replace((first, scan.at - 1)).is_none();
            (once && count > 0).then_some(())
        })?;
        let (first, end) = inside?;
        Some(Around { head: start..first, tail: end..self.at })
    }

    /// The members of an object.
    fn object(&mut self, mut each: impl FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.elements(b'{', b'}', |scan| {
            let key = scan.string()?;
            scan.blanks();
            scan.expect(b':')?;
            scan.blanks();
            let key = scan.bytes.get(key)?;
            each(scan, key)
        })
    }

    /// The elements of a list.
    fn list(&mut self, each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.elements(b'[', b']', each)
    }

    fn elements(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.expect(open)?;
        self.blanks();
        if self.peek()? == close {
            return self.expect(close);
        }
        loop {
            self.blanks();
            each(self)?;
            self.blanks();
            if self.peek()? == close {
                return self.expect(close);
            }
            self.expect(b',')?;
        }
    }

    /// Passes over a value.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.peek()? {
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
                b',' if open == 0 => return None,
                _ => {
                    let rest = self.bytes.get(self.at..)?;
                    let ends = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
                    let ends = |byte: &u8| ends(byte) || (open == 0 && *byte == b',');
                    self.at += rest.iter().position(ends)?;
                }
            }
            if open == 0 {
                return Some(());
            }
        }
    }

    /// Passes over a string; where its inside is.
    fn string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let start = self.at;
        let end = start + closing_quote(self.bytes.get(start..)?)?;
        self.at = end + 1;
        Some(start..end)
    }

    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a line, and where each begins.
    fn parts(line: &str) -> Option<Vec<(usize, String)>> {
        let mut parts = Parts::default();
        parts.find(line).then(|| {
            let write = |part| {
                let mut text = String::new();
                let at = parts.write(part, line, &mut text).expect("a part");
                (at, text)
            };
            (0..parts.len()).map(write).collect()
        })
    }

    #[test]
    fn each_record_has_what_it_stood_in() {
        let line = r#"{"resourceLogs":[{"resource":{"a":"]}"},"scopeLogs":[{"scope":{"n":1},"logRecords":[{"b":"one"} , {"b":"{\""}],"schemaUrl":"s"},{"logRecords":[{}]}]},{"scopeLogs": [ {"logRecords":[ {"b":[3]} ]} ],"x":{"y":[]},"z":7}]}"#;
        let parts = parts(line).expect("several");
        let texts: Vec<_> = parts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                r#"{"resourceLogs":[{"resource":{"a":"]}"},"scopeLogs":[{"scope":{"n":1},"logRecords":[{"b":"one"}],"schemaUrl":"s"}]}]}"#,
                r#"{"resourceLogs":[{"resource":{"a":"]}"},"scopeLogs":[{"scope":{"n":1},"logRecords":[{"b":"{\""}],"schemaUrl":"s"}]}]}"#,
                r#"{"resourceLogs":[{"resource":{"a":"]}"},"scopeLogs":[{"logRecords":[{}]}]}]}"#,
                r#"{"resourceLogs":[{"scopeLogs": [ {"logRecords":[ {"b":[3]}]}],"x":{"y":[]},"z":7}]}"#,
            ]
        );
        for ((at, _), begins) in
            parts.iter().zip([r#"{"b":"one"}"#, r#"{"b":"{"#, "{}", r#"{"b":[3]"#])
        {
            assert!(line[*at..].starts_with(begins), "{at}");
        }
    }

    #[test]
    fn what_is_one_record_stays_one() {
        for line in [
            "",
            "{}",
            r#"{"resourceLogs":[]}"#,
            // One.
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"b":1}]}]}]}"#,
            // What has none would be lost.
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]},{"logRecords":[]}]}]}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]},{"resource":{}}]}"#,
            // What stands beside would be, too.
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}],"a":1}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]} x"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}],"logRecords":[{}]}]}]}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},7]}]}]}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{]}]}]}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{},]}]}]}"#,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{} {}]}]}]}"#,
        ] {
            assert_eq!(parts(line), None, "{line}");
        }
    }

    #[test]
    fn neither_their_number_nor_their_size_goes_beyond_bounds() {
        let line = |resource: usize, records: usize| {
            let records = vec![r#"{"body":{"stringValue":"a line of some length"}}"#; records];
            format!(
                r#"{{"resourceLogs":[{{"resource":{{"a":"{}"}},"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#,
                "x".repeat(resource),
                records.join(",")
            )
        };
        assert_eq!(parts(&line(10, MOST)).map(|parts| parts.len()), Some(MOST));
        assert_eq!(parts(&line(10, MOST + 1)), None);
        assert_eq!(parts(&line(500, 1000)).map(|parts| parts.len()), Some(1000));
        assert_eq!(parts(&line(5_000, 1000)), None);
    }
}
