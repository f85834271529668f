//! What a record is called at a destination: the same after every restart, and never shared by bytes
//! that were framed differently.

use std::io;

use pillion_parsers::frame::FileNumber;

/// Bytes of a [`RecordId`] before encoding: instance 9, file 4, offset 6, hash 4, sub-index 1.
const RAW: usize = 24;

/// Characters of a [`RecordId`] as text: 24 bytes need no padding.
pub const ID_LENGTH: usize = 32;

/// The URL-safe alphabet of RFC 4648 section 5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The largest offset an id can tell apart: 256 TiB, the width of its six bytes.
const OFFSET_MASK: u64 = (1 << 48) - 1;

/// An agent's identity: random, made once, kept in the state directory. A lost state directory makes
/// another, so that records sent again are duplicates and never taken for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    bytes: [u8; 9],
    /// What it is in the text of an id: every id begins so.
    text: [[u8; 4]; 3],
}

impl Instance {
    /// An instance that was kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 9]) -> Self {
        let [a, b, c, d, e, f, g, h, i] = bytes;
        Self { bytes, text: [letters([a, b, c]), letters([d, e, f]), letters([g, h, i])] }
    }

    /// A new instance from the system's random source.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 9];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self::from_bytes(bytes))
    }

    /// The bytes to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 9] {
        &self.bytes
    }
}

/// The four characters of three bytes.
const fn letters([first, second, third]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, first, second, third]);
    [
        ALPHABET[(bits >> 18) as usize & 63],
        ALPHABET[(bits >> 12) as usize & 63],
        ALPHABET[(bits >> 6) as usize & 63],
        ALPHABET[bits as usize & 63],
    ]
}

/// The identity of one record, slow parts first, so that Lucene shares the prefixes of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordId {
    /// Whose record.
    pub instance: Instance,
    /// The File that its first byte lies in.
    pub file: FileNumber,
    /// Offset of its first byte. Counted modulo 2^48 in the id.
    pub offset: u64,
    /// Low 32 bits of xxh3 over its raw bytes, or of the complement of that over what is kept of a line
    /// that was cut; so that the same place framed differently (a joiner's timeout, a changed
    /// configuration) is another record.
    pub hash: u32,
    /// Which of the records made of the same bytes.
    pub sub: u8,
}

impl RecordId {
    /// The id as text.
    #[must_use]
    pub fn text(&self) -> IdText {
        let [f0, f1, f2, f3] = self.file.0.to_be_bytes();
        let [_, _, o0, o1, o2, o3, o4, o5] = (self.offset & OFFSET_MASK).to_be_bytes();
        let [h0, h1, h2, h3] = self.hash.to_be_bytes();
        let [i0, i1, i2] = self.instance.text;
        let parts = [
            i0,
            i1,
            i2,
            letters([f0, f1, f2]),
            letters([f3, o0, o1]),
            letters([o2, o3, o4]),
            letters([o5, h0, h1]),
            letters([h2, h3, self.sub]),
        ];
        let mut text = [0; ID_LENGTH];
        text.copy_from_slice(parts.as_flattened());
        IdText(text)
    }

    /// The id that [`RecordId::text`] gave; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; ID_LENGTH] = text.as_bytes().try_into().ok()?;
        let mut raw = [0; RAW];
        for (four, out) in text.as_chunks::<4>().0.iter().zip(raw.as_chunks_mut::<3>().0) {
            let mut bits = 0;
            for byte in four {
                let digit = ALPHABET.iter().position(|letter| letter == byte)?;
                bits = bits << 6 | u32::try_from(digit).ok()?;
            }
            let [_, first, second, third] = bits.to_be_bytes();
            *out = [first, second, third];
        }
        let [
            i0,
            i1,
            i2,
            i3,
            i4,
            i5,
            i6,
            i7,
            i8,
            f0,
            f1,
            f2,
            f3,
            o0,
            o1,
            o2,
            o3,
            o4,
            o5,
            h0,
            h1,
            h2,
            h3,
            sub,
        ] = raw;
        Some(Self {
            instance: Instance::from_bytes([i0, i1, i2, i3, i4, i5, i6, i7, i8]),
            file: FileNumber(u32::from_be_bytes([f0, f1, f2, f3])),
            offset: u64::from_be_bytes([0, 0, o0, o1, o2, o3, o4, o5]),
            hash: u32::from_be_bytes([h0, h1, h2, h3]),
            sub,
        })
    }

    /// Appends the id without its instance, in 7 to 20 bytes: file and offset as varints, the hash,
    /// the sub-index. For payloads whose body does not carry ids.
    pub(crate) fn pack(&self, out: &mut Vec<u8>) {
        push_varint(out, u64::from(self.file.0));
        push_varint(out, self.offset);
        out.extend_from_slice(&self.hash.to_le_bytes());
        out.push(self.sub);
    }

    /// Takes the first packed id off `packed`; `None` when none is left.
    pub(crate) fn unpack(packed: &mut &[u8], instance: Instance) -> Option<Self> {
        let file = FileNumber(u32::try_from(take_varint(packed)?).ok()?);
        let offset = take_varint(packed)?;
        let (hash, rest) = packed.split_first_chunk::<4>()?;
        let (sub, rest) = rest.split_first()?;
        *packed = rest;
        Some(Self { instance, file, offset, hash: u32::from_le_bytes(*hash), sub: *sub })
    }
}

/// An id as text, on the stack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdText([u8; ID_LENGTH]);

impl IdText {
    /// The characters, all of them ASCII.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_LENGTH] {
        &self.0
    }
}

impl std::fmt::Display for IdText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl std::fmt::Debug for IdText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdText({self})")
    }
}

/// Appends a base-128 varint, as protobuf has them.
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low seven bits are what is meant"
        )]
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 128 here")]
    out.push(value as u8);
}

/// Takes a varint off the front; `None` when there is none, or one of more than 64 bits.
pub(crate) fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(file: u32, offset: u64, hash: u32, sub: u8) -> RecordId {
        RecordId {
            instance: Instance::from_bytes([1; 9]),
            file: FileNumber(file),
            offset,
            hash,
            sub,
        }
    }

    #[test]
    fn text_is_url_safe_base64_of_the_parts_slow_ones_first() {
        let text = id(0x0002_0304, 0x0a0b_0c0d_0e0f, 0xfbff_ffff, 0x3e).text().to_string();
        assert_eq!(text, "AQEBAQEBAQEBAAIDBAoLDA0OD_v___8-");
        // Neighbours in a File share what comes before the offset's last bytes.
        let next = id(0x0002_0304, 0x0a0b_0c0d_0e3f, 1, 0).text().to_string();
        assert_eq!(text[..23], next[..23]);
    }

    #[test]
    fn what_is_no_id_is_not_read_as_one() {
        for text in
            ["", "AQEB", "AQEBAQEBAQEBAAIDBAoLDA0OD/v///8+", "AQEBAQEBAQEBAAIDBAoLDA0OD_v___8-A"]
        {
            assert_eq!(RecordId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn random_instances_differ() {
        assert_ne!(Instance::random().expect("random"), Instance::random().expect("random"));
    }

    proptest! {
        #[test]
        fn both_forms_come_back(file: u32, offset in 0..=OFFSET_MASK, hash: u32, sub: u8) {
            let id = id(file, offset, hash, sub);
            prop_assert_eq!(RecordId::parse(&id.text().to_string()), Some(id));
            let mut packed = Vec::new();
            id.pack(&mut packed);
            prop_assert!((7..=20).contains(&packed.len()));
            id.pack(&mut packed);
            let mut rest = packed.as_slice();
            prop_assert_eq!(RecordId::unpack(&mut rest, id.instance), Some(id));
            prop_assert_eq!(RecordId::unpack(&mut rest, id.instance), Some(id));
            prop_assert_eq!(RecordId::unpack(&mut rest, id.instance), None);
        }

        #[test]
        fn no_bytes_make_a_varint_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while take_varint(&mut rest).is_some() {}
            let mut rest = bytes.as_slice();
            while RecordId::unpack(&mut rest, Instance::from_bytes([0; 9])).is_some() {}
        }
    }
}
