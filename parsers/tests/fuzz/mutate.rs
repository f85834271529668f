//! Lines made hostile: cut, swapped, doubled, and with the marks of other grammars put in.

/// What the grammars look for.
const MARKS: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\\u",
    "\\ud83d",
    "\\x",
    "'",
    "[",
    "]",
    "[]",
    "{",
    "}",
    "{}",
    "(",
    ")",
    "<",
    ">",
    "<13>",
    "<13>1 ",
    "<191>",
    ":",
    ": ",
    "::1",
    ",",
    ";",
    "|",
    "=",
    "=\"",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\n\tat ",
    "\n  ",
    "-",
    " - ",
    "- - -",
    "+",
    "%",
    "%20",
    "/",
    ".",
    "0",
    "9",
    "00",
    "99999999999999999999",
    "-1",
    "1e400",
    "0.0",
    "é",
    "\u{1d}",
    "\u{1b}[31m",
    "\u{feff}",
    "\u{0}",
    "null",
    "true",
    "nan",
    "{\"a\":",
    "\"a\":1,",
    "\"level\":\"info\"",
    "\"time\":",
    "level=info",
    "time=",
    "msg=\"",
    "Nov 22 10:00:00",
    "2026-11-22T10:00:00.123Z",
    "[22/Nov/2026:10:00:00 +0100]",
    "2026-02-30",
    "24:00:60",
    "1795341600.123",
    "+9999",
    "Z",
    "\"GET / HTTP/1.1\"",
    "INFO",
    "ERROR",
    "CEF:0|",
    "type=A msg=audit(1795658207.967:7): ",
    "IN=",
    "#Fields: ",
    "host[1]: ",
    "stdout F ",
    "stderr P ",
    "Caused by: ",
    "Traceback (most recent call last):",
    "bob@example.com",
    "4111111111111111",
    "-----BEGIN RSA PRIVATE KEY-----",
    "password=",
    "Bearer ",
];

/// Numbers by chance, the same from the same seed (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// One of these.
    pub fn one<'s, T>(&mut self, of: &'s [T]) -> &'s T {
        &of[self.below(of.len())]
    }

    /// A range of at most `most` within `len`.
    fn range(&mut self, len: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.below((len - start).min(most) + 1)
    }
}

/// Changes a line in one to four ways; `other` is a line to take a piece of.
pub fn mutate(line: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(line.len() + 1);
        match chance.below(9) {
            0 => drop(line.drain(chance.range(line.len(), 24))),
            1 => line.truncate(at),
            2 => drop(line.drain(..at)),
            3 => {
                let piece = line[chance.range(line.len(), 64)].to_vec();
                let times = chance.below(4);
                line.splice(at..at, piece.repeat(times));
            }
            4 => {
                let with = chance.below(line.len());
                if at < line.len() {
                    line.swap(at, with);
                }
            }
            5 if at < line.len() => line[at] = chance.next().to_le_bytes()[0],
            6 => {
                let piece = &other[chance.range(other.len(), 64)];
                line.splice(at..at, piece.iter().copied());
            }
            _ => {
                let mark = chance.one(MARKS).as_bytes();
                let end = (at + chance.below(2) * mark.len()).min(line.len());
                line.splice(at..end, mark.iter().copied());
            }
        }
    }
    line
}

/// The input that fails, with as much cut out of it as can be.
pub fn shrink(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at + size <= input.len() {
            let mut less = input.clone();
            less.drain(at..at + size);
            if fails(&less) {
                input = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    input
}
