//! Draws values by a seed: the same seed gives the same corpus on every machine.

/// Letters and digits by the class of [`Draw::grown`].
const CLASSES: &[(u8, &[u8])] = &[
    (b'd', b"0123456789"),
    (b'h', b"0123456789abcdef"),
    (b'H', b"0123456789ABCDEF"),
    (b'l', b"abcdefghijklmnopqrstuvwxyz"),
    (b'u', b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (b'a', b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    (b'n', b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
    (b'N', b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
    (b'm', b"abcdefghijklmnopqrstuvwxyz0123456789"),
    (b's', b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    (b'b', b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    (b'5', b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    (b'z', b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"),
];

/// A source of drawn values (splitmix64).
pub(crate) struct Draw(u64);

impl Draw {
    /// The values of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub(crate) const fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both possible.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.any() % (high - low + 1)
    }

    /// Whether one of `n` equal chances came.
    pub(crate) const fn one_in(&mut self, n: u64) -> bool {
        self.any().is_multiple_of(n)
    }

    /// One of a list.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[usize::try_from(self.between(0, list.len() as u64 - 1)).unwrap_or(0)]
    }

    /// A text after a form: `<d4>` stands for four digits, and so on for each class of [`CLASSES`];
    /// `<d4-6>` for four to six. All else stands for itself.
    pub(crate) fn grown(&mut self, form: &str) -> String {
        let mut out = String::new();
        let mut rest = form;
        while let Some((before, behind)) = rest.split_once('<') {
            out.push_str(before);
            let (class, after) = behind.split_once('>').unwrap_or((behind, ""));
            let (letter, count) = class.split_at(1);
            let (low, high) = count.split_once('-').unwrap_or((count, count));
            let bound = |text: &str| text.parse::<u64>().unwrap_or(1);
            let alphabet = CLASSES.iter().find(|(of, _)| letter.as_bytes() == [*of]);
            for _ in 0..self.between(bound(low), bound(high)) {
                let letters = alphabet.map_or(&b"?"[..], |(_, letters)| letters);
                out.push(char::from(*self.pick(letters)));
            }
            rest = after;
        }
        out + rest
    }

    /// A text after one of several forms.
    pub(crate) fn one_of(&mut self, forms: &[&str]) -> String {
        let form = *self.pick(forms);
        self.grown(form)
    }

    /// A number with leading zeros.
    pub(crate) fn padded(&mut self, low: u64, high: u64, width: usize) -> String {
        format!("{:0width$}", self.between(low, high))
    }
}
