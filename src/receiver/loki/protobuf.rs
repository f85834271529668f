//! The protobuf form of a push request, read by hand (`pkg/push/push.proto` of Loki): a receiver that
//! shared a decoder with the encoder under test would share its mistakes.

use super::decoded::{Push, RawEntry, RawStream};

/// What cannot be read as a push request; the text of the 400.
type Flaw = String;

/// Reads a `PushRequest`. Unknown fields are skipped, as gogoproto does.
///
/// # Errors
/// The text of the 400.
pub(super) fn decode(body: &[u8]) -> Result<Push, Flaw> {
    let mut push = Push::default();
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            push.streams.push(stream(value.bytes("Streams")?)?);
        }
    }
    Ok(push)
}

fn stream(body: &[u8]) -> Result<RawStream, Flaw> {
    let mut stream = RawStream::default();
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => stream.labels = value.text("Labels")?,
            2 => stream.entries.push(entry(value.bytes("Entries")?)?),
            3 => drop(value.varint("Hash")?),
            _ => {}
        }
    }
    Ok(stream)
}

fn entry(body: &[u8]) -> Result<RawEntry, Flaw> {
    let mut entry = RawEntry { time: i64::MIN, line: String::new(), metadata: Vec::new() };
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => entry.time = timestamp(value.bytes("Timestamp")?)?,
            2 => entry.line = value.text("Line")?,
            3 => entry.metadata.push(pair(value.bytes("StructuredMetadata")?)?),
            _ => {}
        }
    }
    Ok(entry)
}

fn pair(body: &[u8]) -> Result<(String, String), Flaw> {
    let (mut name, mut text) = (String::new(), String::new());
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => name = value.text("Name")?,
            2 => text = value.text("Value")?,
            _ => {}
        }
    }
    Ok((name, text))
}

/// `google.protobuf.Timestamp`, as nanoseconds.
fn timestamp(body: &[u8]) -> Result<i64, Flaw> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => seconds = value.varint("Seconds")?.cast_signed(),
            2 => nanos = value.varint("Nanos")?.cast_signed(),
            _ => {}
        }
    }
    if !(0..1_000_000_000).contains(&nanos) {
        return Err(format!("timestamp: nanos not in range [0, 1e9): {nanos}"));
    }
    let time = seconds.checked_mul(1_000_000_000).and_then(|time| time.checked_add(nanos));
    time.ok_or_else(|| format!("timestamp: seconds out of range: {seconds}"))
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

/// A field's value, by wire type.
enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes: no field of ours.
    Fixed,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Wire<'a>)>, Flaw> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let (number, kind) = (tag >> 3, tag & 7);
        if number == 0 {
            return Err("proto: illegal tag 0".to_owned());
        }
        let value = match kind {
            0 => Wire::Varint(self.varint()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            kind => return Err(format!("proto: illegal wireType {kind}")),
        };
        Ok(Some((number, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| "unexpected EOF".to_owned())?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Flaw> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or_default();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("proto: integer overflow".to_owned())
    }
}

impl<'a> Wire<'a> {
    fn varint(self, field: &str) -> Result<u64, Flaw> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(format!("proto: wrong wireType for field {field}")),
        }
    }

    fn bytes(self, field: &str) -> Result<&'a [u8], Flaw> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(format!("proto: wrong wireType for field {field}")),
        }
    }

    fn text(self, field: &str) -> Result<String, Flaw> {
        let text = std::str::from_utf8(self.bytes(field)?);
        text.map(str::to_owned).map_err(|_| format!("proto: field {field} is not valid UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes as in the protobuf documentation: tag, length, content.
    const ONE: &[u8] = b"\x0a\x27\x0a\x09{app=\"x\"}\x12\x18\x0a\x06\x08\xe5\x02\x10\xb9\x0a\x12\x05hello\x1a\x07\x0a\x01k\x12\x02vv\x18\x05";

    #[test]
    fn a_request_is_read_field_by_field() {
        let entry = RawEntry {
            time: 357_000_001_337,
            line: "hello".to_owned(),
            metadata: vec![("k".to_owned(), "vv".to_owned())],
        };
        let stream = RawStream { labels: "{app=\"x\"}".to_owned(), entries: vec![entry] };
        assert_eq!(decode(ONE), Ok(Push { streams: vec![stream] }));
        assert_eq!(decode(b""), Ok(Push::default()));
    }

    #[test]
    fn what_is_not_a_request_is_refused() {
        let check = |body: &[u8], expect: &str| {
            let flaw = decode(body).expect_err(expect);
            assert!(flaw.contains(expect), "{flaw}");
        };
        check(&ONE[..20], "unexpected EOF");
        check(b"\x08\x01", "wrong wireType for field Streams");
        check(b"\x0b", "illegal wireType 3");
        check(b"\x02\x00", "illegal tag 0");
        check(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "integer overflow");
        check(b"\x0a\x03\x0a\x01\xff", "not valid UTF-8");
        check(b"\x0a\x0a\x12\x08\x0a\x06\x10\x80\x94\xeb\xdc\x03", "nanos not in range");
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&body);
        }
    }
}
