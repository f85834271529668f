//! The oracle: lines that say which they are, and the judge of what arrived of them.
//!
//! A line is `line f=3 seq=17 … crc=gdkhfeab`: the file it was written to, its number there from 0, and
//! a checksum over all that precedes ` crc=`, in letters that no redaction rule takes for a number. So
//! what arrived can be judged by itself, and nobody has to keep what was written.

use std::collections::BTreeMap;
use std::ops::Range;

use flate2::Crc;
use pillion::receiver::{Entry, Receiver, Stored};

use super::harness::{field, number_after};

/// Characters of a document's id that tell its File: instance (9 bytes) and number (4 bytes), in
/// base64.
const FILE_PART: usize = 18;
/// A number further than this beyond those known is nobody's.
const FAR: u64 = 1 << 28;
/// Examples kept of what cannot be told by a number.
const EXAMPLES: usize = 10;

/// The text of a line, without its newline. `filling` may have newlines of its own (a stack trace).
pub(crate) fn line(file: u32, seq: u64, filling: &str) -> String {
    let mut text = format!("line f={file} seq={seq} {filling}");
    let crc = checksum(&text);
    text.push_str(" crc=");
    text.push_str(&crc);
    text
}

fn checksum(text: &str) -> String {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    let digit = |at: u32| char::from(b'a' + (crc.sum() >> (4 * at) & 15) as u8);
    (0..8).map(digit).collect()
}

/// File, number, and whether it is as it was written.
fn read(text: &str) -> Option<(u32, u64, bool)> {
    let rest = text.strip_prefix("line f=")?;
    let file = rest.split(' ').next()?.parse().ok()?;
    let seq = number_after(text, " seq=")?;
    let whole = text.rsplit_once(" crc=").is_some_and(|(text, crc)| checksum(text) == crc);
    Some((file, seq, whole))
}

/// How often each line of one file arrived, from the first that is not judged yet.
#[derive(Debug, Default)]
struct Counts {
    from: u64,
    times: Vec<u8>,
}

/// What arrived, by file and number. Small enough to be kept for millions of lines.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    files: BTreeMap<u32, Counts>,
    /// Per File of the agent's and file of ours: offset and number.
    places: BTreeMap<(String, u32), Vec<(u64, u64)>>,
    /// Arrived again after it was judged, or with a number that nobody wrote.
    early: Vec<(u32, u64)>,
    far: Vec<(u32, u64)>,
    altered: (u64, Vec<String>),
    lines: u64,
}

impl Arrived {
    /// All that a receiver holds as documents.
    pub(crate) fn at(receiver: &Receiver) -> Self {
        let mut arrived = Self::default();
        receiver.documents().iter().for_each(|stored| arrived.document(stored));
        arrived
    }

    /// Takes a document, whose order is told by its id and `log.offset`.
    pub(crate) fn document(&mut self, stored: &Stored) {
        let message = stored.document.get("message").and_then(|text| text.as_str());
        let Some((file, seq)) = self.text(message.unwrap_or_default()) else { return };
        let offset = field(stored, "log.offset").as_u64().expect("an offset");
        let of = stored.id.get(..FILE_PART).unwrap_or(&stored.id).to_owned();
        self.places.entry((of, file)).or_default().push((offset, seq));
    }

    /// Takes a Loki entry.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        self.text(&entry.line);
    }

    /// Takes a line by its text; which it was, if that can be told.
    pub(crate) fn text(&mut self, text: &str) -> Option<(u32, u64)> {
        self.lines += 1;
        let Some((file, seq, true)) = read(text) else {
            self.altered.0 += 1;
            if self.altered.1.len() < EXAMPLES {
                self.altered.1.push(text.chars().take(200).collect());
            }
            return None;
        };
        let Counts { from, times } = self.files.entry(file).or_default();
        match seq.checked_sub(*from) {
            None => self.early.push((file, seq)),
            Some(at) if at > FAR => self.far.push((file, seq)),
            Some(at) => {
                let at = usize::try_from(at).expect("not far");
                if times.len() <= at {
                    times.resize(at + 1, 0);
                }
                times[at] = times[at].saturating_add(1);
            }
        }
        Some((file, seq))
    }

    /// Lines taken so far, whatever they were.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether these lines of a file are all there, or were judged already.
    pub(crate) fn has(&self, file: u32, lines: Range<u64>) -> bool {
        let nothing = Counts::default();
        let Counts { from, times } = self.files.get(&file).unwrap_or(&nothing);
        let place = |seq: u64| usize::try_from(seq.saturating_sub(*from)).unwrap_or(usize::MAX);
        let wanted = times.get(place(lines.start)..place(lines.end));
        wanted.is_some_and(|times| times.iter().all(|times| *times > 0))
    }

    /// How often a line arrived that was not judged yet.
    pub(crate) fn times(&self, (file, seq): (u32, u64)) -> u8 {
        let of = |counts: &Counts| {
            let at = usize::try_from(seq.checked_sub(counts.from)?).ok()?;
            counts.times.get(at).copied()
        };
        self.files.get(&file).and_then(of).unwrap_or(0)
    }

    /// Every line that arrived and was not judged yet, by file and number.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, u64)> {
        self.files.iter().flat_map(|(file, Counts { from, times })| {
            let numbered = (*from..).zip(times).filter(|(_, times)| **times > 0);
            numbered.map(|(seq, _)| (*file, seq))
        })
    }

    /// Compares with what was written: files, and how many lines each got.
    pub(crate) fn judge(&self, written: &BTreeMap<u32, u64>) -> Judgement {
        let mut found = Judgement {
            repeated: self.early.clone(),
            unknown: self.far.clone(),
            altered: self.altered.0,
            examples: self.altered.1.clone(),
            ..Judgement::default()
        };
        for (file, count) in written {
            let nothing = Counts::default();
            let Counts { from, times } = self.files.get(file).unwrap_or(&nothing);
            for seq in *from..*count {
                let times = usize::try_from(seq - from).ok().and_then(|at| times.get(at));
                match times.copied().unwrap_or(0) {
                    0 => found.missing.push((*file, seq)),
                    1 => {}
                    times => found.repeated.extend((1..times).map(|_| (*file, seq))),
                }
            }
        }
        let nobodys = |(file, seq): &(u32, u64)| *seq >= written.get(file).copied().unwrap_or(0);
        found.unknown.extend(self.each().filter(nobodys));
        for ((_, file), places) in &self.places {
            let mut places = places.clone();
            places.sort_unstable();
            let wrong = places.windows(2).filter(|pair| pair[0].1 > pair[1].1);
            found.reordered.extend(wrong.map(|pair| (*file, pair[1].1)));
        }
        found
    }

    /// Forgets what was judged: the same line is a repeat from now on, however late it comes.
    pub(crate) fn forget(&mut self, written: &BTreeMap<u32, u64>) {
        let counts =
            |(file, count): (&u32, &u64)| (*file, Counts { from: *count, times: Vec::new() });
        self.files = written.iter().map(counts).collect();
        self.places.clear();
        self.early.clear();
        self.far.clear();
        self.altered = (0, Vec::new());
    }
}

/// What is wrong with what arrived, each by file and number.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) missing: Vec<(u32, u64)>,
    /// Once for each time too many.
    pub(crate) repeated: Vec<(u32, u64)>,
    /// Numbers that were never written.
    pub(crate) unknown: Vec<(u32, u64)>,
    /// Lines with a smaller number than one that lies before them in the same File.
    pub(crate) reordered: Vec<(u32, u64)>,
    /// How many were no line, or not as it was written.
    pub(crate) altered: u64,
    /// Some of those.
    pub(crate) examples: Vec<String>,
}

impl Judgement {
    /// Every line once, as it was written, in its order.
    pub(crate) fn is_exact(&self) -> bool {
        *self == Self::default()
    }

    /// Nothing missing, nothing unknown or altered: what a crash may cost is repeats.
    pub(crate) fn is_at_least_once(&self) -> bool {
        self.missing.is_empty()
            && self.unknown.is_empty()
            && self.reordered.is_empty()
            && self.altered == 0
    }
}

impl std::fmt::Debug for Judgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, lines) in [
            ("missing", &self.missing),
            ("repeated", &self.repeated),
            ("unknown", &self.unknown),
            ("reordered", &self.reordered),
        ] {
            let some: Vec<String> =
                lines.iter().take(EXAMPLES).map(|(file, seq)| format!("{file}/{seq}")).collect();
            write!(f, "{} {what} ({}…), ", lines.len(), some.join(" "))?;
        }
        write!(f, "{} altered {:?}", self.altered, self.examples)
    }
}

#[test]
fn the_oracle_finds_what_is_wrong() {
    let written = BTreeMap::from([(1, 5), (2, 2)]);
    let mut arrived = Arrived::default();
    for (file, seq) in [(1, 0), (1, 1), (1, 1), (1, 3), (1, 9), (1, 4), (3, 0)] {
        assert_eq!(arrived.text(&line(file, seq, "a\n\tb")), Some((file, seq)));
    }
    let text = line(2, 0, "some text");
    for wrong in
        [text.replace("some", "same"), text[..20].to_owned(), format!("{text} "), "x".into()]
    {
        assert_eq!(arrived.text(&wrong), None, "{wrong}");
    }
    arrived.places.insert(("File".to_owned(), 1), vec![(90, 4), (10, 0), (50, 1), (70, 0)]);
    let found = arrived.judge(&written);
    assert_eq!(found.missing, [(1, 2), (2, 0), (2, 1)]);
    assert_eq!(found.repeated, [(1, 1)]);
    assert_eq!(found.unknown, [(1, 9), (3, 0)]);
    assert_eq!(found.reordered, [(1, 0)]);
    assert_eq!((found.altered, found.examples.len()), (4, 4));
    assert!(!found.is_exact() && !found.is_at_least_once());

    assert_eq!([(1, 1), (1, 2), (4, 0)].map(|line| arrived.times(line)), [2, 0, 0]);
    arrived.forget(&written);
    assert!(arrived.judge(&BTreeMap::from([(1, 5)])).is_exact());
    arrived.text(&line(1, 3, ""));
    assert_eq!(arrived.judge(&BTreeMap::from([(1, 5)])).repeated, [(1, 3)]);
}
