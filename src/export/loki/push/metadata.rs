//! Structured metadata: name and text pairs beside a line, within the limits that Loki has by
//! default. What does not fit goes into the line.

use crate::config::settings::LokiFormat;
use crate::export::encode::names::short_hash;
use crate::export::escape;
use crate::export::id::push_varint;

/// Pairs per line (`max_structured_metadata_entries_count`).
const MAX_PAIRS: usize = 128;
/// Bytes of names and values per line (`max_structured_metadata_size`, 64 KB).
const MAX_BYTES: usize = 64 * 1024;
/// What is kept free for the pairs that are added last: see [`Pairs::add_last`].
const LAST_PAIRS: usize = 2;
/// Bytes kept free for those.
const LAST_BYTES: usize = 256;

/// The pairs of one record, in the form of the body.
#[derive(Debug)]
pub(super) struct Pairs {
    format: LokiFormat,
    /// Protobuf `LabelPair` fields, or members of a JSON object without its braces.
    pub(super) encoded: Vec<u8>,
    pairs: usize,
    bytes: usize,
    names: Taken,
    /// A name as it is being normalised: at least a quarter as long as it was.
    name: String,
}

impl Pairs {
    /// No pairs yet, and names that they must not have: those of the labels.
    pub(super) fn new<'n>(format: LokiFormat, labels: impl Iterator<Item = &'n str>) -> Self {
        let mut names = Taken::default();
        for label in labels {
            names.add(label, bit(label));
        }
        names.fixed = (names.ends.len(), names.bits);
        Self { format, encoded: Vec::new(), pairs: 0, bytes: 0, names, name: String::new() }
    }

    /// Forgets the pairs.
    pub(super) fn clear(&mut self) {
        self.encoded.clear();
        self.pairs = 0;
        self.bytes = 0;
        self.names.clear();
    }

    /// Adds a pair; false when it does not fit. The name is made of letters, digits and `_`, and
    /// unlike all others of this record. An empty value is left out, as Loki would.
    pub(super) fn add(&mut self, name: &str, value: &str) -> bool {
        self.add_within(name, value, MAX_PAIRS - LAST_PAIRS, MAX_BYTES - LAST_BYTES)
    }

    /// Adds one of at most two short pairs that always fit.
    pub(super) fn add_last(&mut self, name: &str, value: &str) {
        self.add_within(name, value, MAX_PAIRS, MAX_BYTES);
    }

    fn add_within(&mut self, name: &str, value: &str, pairs: usize, bytes: usize) -> bool {
        if value.is_empty() {
            return true;
        }
        if self.pairs >= pairs || self.bytes + name.len() / 4 + value.len() > bytes {
            return false;
        }
        let mut own = bit(name);
        let name = if is_normal(name) && !self.names.contains(name, own) {
            name
        } else {
            self.name.clear();
            normalise(&mut self.name, name);
            while self.names.contains(&self.name, bit(&self.name)) {
                self.name.push('_');
            }
            own = bit(&self.name);
            &self.name
        };
        let size = self.bytes + name.len() + value.len();
        if size > bytes {
            return false;
        }
        self.names.add(name, own);
        self.pairs += 1;
        self.bytes = size;
        match self.format {
            LokiFormat::Protobuf => push_pair(&mut self.encoded, name, value),
            LokiFormat::Json => {
                if self.pairs > 1 {
                    self.encoded.push(b',');
                }
                escape::quote(&mut self.encoded, name);
                self.encoded.push(b':');
                escape::quote(&mut self.encoded, value);
            }
        }
        true
    }

    /// Bytes of memory taken.
    pub(super) fn resident(&self) -> usize {
        self.encoded.capacity() + self.names.text.capacity()
    }
}

/// Appends `Entry.structuredMetadata`: field 3, a `LabelPair` of name (1) and value (2).
fn push_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    let (name_length, value_length) = (name.len() as u64, value.len() as u64);
    let inner =
        2 + varint_length(name_length) + name.len() + varint_length(value_length) + value.len();
    out.reserve(inner + 12);
    // Nearly always, all three lengths are one byte.
    #[expect(clippy::cast_possible_truncation, reason = "below 128")]
    if inner < 128 {
        out.extend_from_slice(&[0x1a, inner as u8, 0x0a, name_length as u8]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&[0x12, value_length as u8]);
    } else {
        out.push(0x1a);
        push_varint(out, inner as u64);
        out.push(0x0a);
        push_varint(out, name_length);
        out.extend_from_slice(name.as_bytes());
        out.push(0x12);
        push_varint(out, value_length);
    }
    out.extend_from_slice(value.as_bytes());
}

/// Bytes that a varint takes.
pub(super) const fn varint_length(value: u64) -> usize {
    let bits = 64 - value.leading_zeros() as usize;
    if bits == 0 { 1 } else { bits.div_ceil(7) }
}

/// Whether [`normalise`] would leave a name alone.
fn is_normal(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(plain) && name.as_bytes().first().is_some_and(|first| !first.is_ascii_digit())
}

/// The name that a pair has, if no other is in its way.
pub(crate) fn normal_name(name: &str) -> String {
    let mut normal = String::new();
    normalise(&mut normal, name);
    normal
}

/// Appends a name of letters, digits and `_`, not beginning with a digit.
fn normalise(out: &mut String, name: &str) {
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        out.push('_');
    }
    out.extend(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
}

/// Names in use: the labels', which stay, and the current record's.
#[derive(Debug, Default)]
struct Taken {
    text: String,
    ends: Vec<usize>,
    /// A bit for each name, by its length and ends: most names are new, and find theirs free.
    bits: u64,
    /// How many stay, and their bits.
    fixed: (usize, u64),
}

impl Taken {
    /// Whether a name, which has this bit, is there.
    fn contains(&self, name: &str, bit: u64) -> bool {
        if self.bits & bit == 0 {
            return false;
        }
        let mut start = 0;
        self.ends.iter().any(|end| {
            let one = start..*end;
            start = *end;
            // Lengths first: most names differ in them.
            one.len() == name.len() && self.text.get(one) == Some(name)
        })
    }

    /// Adds a name, which has this bit.
    fn add(&mut self, name: &str, bit: u64) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
        self.bits |= bit;
    }

    fn clear(&mut self) {
        let (fixed, bits) = self.fixed;
        self.bits = bits;
        self.ends.truncate(fixed);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// The bit of a name.
fn bit(name: &str) -> u64 {
    1 << (short_hash(name.as_bytes()) & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Pairs {
        Pairs::new(LokiFormat::Json, ["app"].into_iter())
    }

    fn json(pairs: &Pairs) -> String {
        String::from_utf8(pairs.encoded.clone()).expect("UTF-8")
    }

    #[test]
    fn names_are_normalised_and_unlike() {
        let mut pairs = pairs();
        for name in ["a.b", "a_b", "a-b", "9", "app", "é", ""] {
            assert!(pairs.add(name, "v"));
        }
        let expect = r#""a_b":"v","a_b_":"v","a_b__":"v","_9":"v","app_":"v","__":"v","_":"v""#;
        assert_eq!(json(&pairs), expect);
        pairs.clear();
        assert!(pairs.add("a.b", ""));
        assert!(pairs.add("a.b", "v"));
        assert_eq!(json(&pairs), r#""a_b":"v""#);
    }

    #[test]
    fn what_is_over_the_limits_is_not_taken() {
        let mut pairs = pairs();
        let taken = (0..200).filter(|n| pairs.add(&format!("n{n}"), "v")).count();
        assert_eq!(taken, MAX_PAIRS - LAST_PAIRS);
        pairs.add_last("flags", "truncated");
        assert!(json(&pairs).ends_with(r#","flags":"truncated""#));
        pairs.clear();
        assert!(!pairs.add("n", &"v".repeat(MAX_BYTES)));
        assert!(pairs.add("n", &"v".repeat(MAX_BYTES - LAST_BYTES - 1)));
        assert!(!pairs.add("m", "v"));
        assert!(pairs.bytes <= MAX_BYTES - LAST_BYTES);
    }

    #[test]
    fn lengths_of_varints() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            push_varint(&mut out, value);
            assert_eq!(varint_length(value), out.len(), "{value}");
        }
    }
}
