//! Finds out what a compressed file holds: how many bytes, whether all of them are there, and of
//! which known File they are.
//!
//! It is read to its end once before a byte of it is believed, in portions, with nothing kept but its
//! first bytes and its last ones. Names say little: rotation may call it anything.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::identity::{MIDDLES, hash_middle, middle_of};
use super::inflate::{End, Inflate, RESIDENT};
use crate::budget::Permit;
use crate::checkpoint::snapshot::{Prefix, TailHash};

/// Decompressed at once.
const BLOCK: usize = 8 << 10;
/// Bytes, in and out, of one step.
const PORTION: usize = 1 << 20;
/// First bytes that are enough to know a File by, whatever it is called now.
const STRONG: u16 = 64;

/// A File grows by no more than one part in so many while it is copied.
const MOMENT: u64 = 8;

/// Bytes that are looked at before the Files are named that it may be.
const HEAD: u64 = MIDDLES[0];

/// What an examination costs in memory.
pub(super) const EXAMINATION: usize = RESIDENT + 2 * BLOCK + HEAD as usize;

/// A known File that a compressed one may be.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its number.
    pub(super) number: u32,
    /// Of its first bytes.
    pub(super) fingerprint: Prefix,
    /// Of the bytes before a place up to which it was read.
    pub(super) tail: TailHash,
    /// Of the bytes before the place that [`middle_of`] names for `tail.end`; 0 if not known.
    pub(super) middle: u64,
    /// It has at least so many bytes.
    pub(super) read: u64,
    /// Bytes it had when it was last looked at.
    pub(super) size: u64,
    /// Whether the compressed file's name is its path with something after it.
    pub(super) kin: bool,
    /// Whether another compressed file was found to be it.
    pub(super) claimed: bool,
    /// Whether nothing of it was left, as far as known.
    pub(super) over: bool,
}

impl Candidate {
    /// Whether its first bytes are enough to know it by.
    pub(super) fn is_strong(&self) -> bool {
        self.fingerprint.len >= STRONG
    }
}

/// What one step brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing to be told yet.
    More,
    /// The first bytes are there: [`Examination::compare_with`] is to be called.
    Head,
    /// It was read to its end.
    Ended(End),
}

/// A compressed file being looked through.
#[derive(Debug)]
pub(super) struct Examination {
    inflate: Inflate,
    head: Vec<u8>,
    /// Of the bytes before each of the [`MIDDLES`]; 0 as long as there are fewer.
    middles: [u64; MIDDLES.len()],
    /// The bytes just decompressed, and those before them that a hash may cover.
    window: Vec<u8>,
    /// By the place of their hash, and whether that fits.
    candidates: Option<Vec<(Candidate, bool)>>,
    /// Candidates before this were compared.
    compared: usize,
    /// The budget for it.
    _permit: Permit,
}

impl Examination {
    /// Begins. `permit` pays for [`EXAMINATION`].
    pub(super) fn new(file: File, permit: Permit) -> Self {
        Self {
            inflate: Inflate::new(Arc::new(file)),
            head: Vec::new(),
            middles: [0; MIDDLES.len()],
            window: Vec::new(),
            candidates: None,
            compared: 0,
            _permit: permit,
        }
    }

    /// Takes one step.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn step(&mut self) -> io::Result<Progress> {
        self.inflate.allow(PORTION);
        loop {
            let end = self.inflate.end();
            match (&self.candidates, end) {
                (None, Some(_)) => return Ok(Progress::Head),
                (None, None) if self.len() >= HEAD => return Ok(Progress::Head),
                (Some(_), Some(end)) => return Ok(Progress::Ended(end)),
                _ => {}
            }
            match self.decode() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Progress::More);
                }
                other => other?,
            }
        }
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.candidates.is_some() {
            let gone = self.window.len().saturating_sub(usize::from(TailHash::MAX));
            self.window.drain(..gone);
        }
        let mut block = [0; BLOCK];
        let got = self.inflate.read(&mut block)?;
        let bytes = block.get(..got).unwrap_or_default();
        self.head.extend(bytes.iter().take(usize::from(Prefix::MAX) - self.head.len()));
        self.window.extend_from_slice(bytes);
        self.note_middles(got);
        self.compare();
        Ok(())
    }

    /// Notes the hashes of the places that are among the last `got` bytes.
    fn note_middles(&mut self, got: usize) {
        let len = self.inflate.pos();
        for (place, hash) in MIDDLES.into_iter().zip(&mut self.middles) {
            if let Some(after) =
                len.checked_sub(place).and_then(|after| usize::try_from(after).ok())
                && after < got
            {
                let end = self.window.len().saturating_sub(after);
                *hash = self.window.get(..end).map_or(0, hash_middle);
            }
        }
    }

    /// Of the bytes before the place that [`middle_of`] names for a File of so many bytes; 0 if there is
    /// none, or there are fewer here.
    pub(super) fn middle(&self, len: u64) -> u64 {
        let place = middle_of(len);
        let mut all = MIDDLES.into_iter().zip(self.middles);
        all.find(|(its, _)| Some(*its) == place).map_or(0, |(_, hash)| hash)
    }

    /// Whether a File has the bytes in its middle that are here, as far as known; `surely`: whether it is
    /// known.
    pub(super) fn fits_middle(&self, end: u64, middle: u64, surely: bool) -> bool {
        let found = self.middle(end);
        // Of a File that went on, that of a smaller place may be what is known.
        let fits = middle != 0 && self.middles.contains(&middle);
        fits || !surely && (found == 0 || middle == 0)
    }

    /// The first bytes, as many as a fingerprint covers at most.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Decompressed bytes so far; at the end, all of them.
    pub(super) fn len(&self) -> u64 {
        self.inflate.pos()
    }

    /// Of the last bytes so far.
    pub(super) fn tail(&self) -> TailHash {
        TailHash::of(self.len(), &self.window)
    }

    /// Names the Files it may be, whose fingerprints fit.
    pub(super) fn compare_with(&mut self, candidates: Vec<Candidate>) {
        let mut candidates: Vec<_> = candidates
            .into_iter()
            .map(|candidate| {
                let unread = candidate.tail.len == 0;
                (candidate, unread)
            })
            .collect();
        candidates.sort_by_key(|(candidate, _)| candidate.tail.end);
        self.candidates = Some(candidates);
        self.compare();
    }

    /// Compares the hashes of bytes that are in the window.
    fn compare(&mut self) {
        let len = self.inflate.pos();
        let start = len - self.window.len() as u64;
        let Some(candidates) = &mut self.candidates else { return };
        while let Some((candidate, fits)) = candidates.get_mut(self.compared) {
            let tail = candidate.tail;
            if tail.end > len {
                return;
            }
            self.compared += 1;
            let place = |at: u64| usize::try_from(at.checked_sub(start)?).ok();
            let bytes = place(tail.end.saturating_sub(u64::from(tail.len)))
                .zip(place(tail.end))
                .and_then(|(from, to)| self.window.get(from..to));
            *fits |= bytes.is_some_and(|bytes| TailHash::of(tail.end, bytes) == tail);
        }
    }

    /// The File it is, once it was read to its end: the one that was read furthest, one of the same
    /// length first. What is damaged before a place that was read is known by its first bytes alone.
    pub(super) fn best(&self, end: End) -> Option<&Candidate> {
        let len = self.len();
        let may_be = |(candidate, fits): &&(Candidate, bool)| {
            let whole = *fits && candidate.read <= len;
            let damaged = end == End::Damaged && candidate.tail.end.max(candidate.read) > len;
            let all_of_it = whole && candidate.tail.end == len;
            let alike = candidate.kin || candidate.is_strong() || all_of_it;
            // That it had more after all is less likely than that another one began as it did.
            let more = candidate.over && len > candidate.size;
            let known = if more { candidate.is_strong() && !candidate.claimed } else { alike };
            (whole || damaged) && known
        };
        let all = self.candidates.iter().flatten().filter(may_be);
        let best = all.min_by_key(|(candidate, fits)| {
            let Candidate { number, tail, size, kin, claimed, .. } = candidate;
            Reverse((*fits, *size == len, tail.end, !claimed, *kin, *number))
        });
        best.map(|(candidate, _)| candidate)
    }

    /// A File that was written on while it was copied, before it was truncated: one that begins alike, is
    /// alike further on as far as both go, went on for a little more than there is here, and has the name that goes with it.
    /// Its bytes are gone, so there is nothing else to know it by.
    pub(super) fn copied_from(&self) -> Option<u32> {
        let len = self.len();
        let mut all = self.longer().filter(|it| {
            let little = it.tail.end - len <= it.tail.end / MOMENT;
            // Of a short one no middle is known, nor of a copy that ends before it.
            let middle = self.fits_middle(it.tail.end, it.middle, false);
            let alike = it.fingerprint.len == Prefix::MAX && middle;
            little && alike && it.kin && !it.claimed
        });
        let found = all.next()?;
        all.next().is_none().then_some(found.number)
    }

    /// Files that begin alike and were read further than it goes: it may be a copy of a beginning.
    pub(super) fn longer(&self) -> impl Iterator<Item = &Candidate> {
        let all = self.candidates.iter().flatten().map(|(candidate, _)| candidate);
        all.filter(|candidate| candidate.is_strong() && candidate.tail.end > self.len())
    }
}

/// Whether a compressed file is called as rotation calls those of a path: the path, something after
/// it perhaps, and the ending.
pub(super) fn is_kin(path: &Path, archive: &Path) -> bool {
    let (path, archive) = (path.as_os_str(), archive.as_os_str());
    let rest = archive.as_encoded_bytes().strip_prefix(path.as_encoded_bytes());
    rest.is_some_and(|rest| !rest.contains(&b'/'))
}

/// What a gzip file's last four bytes say: its length, modulo 2³², if it has one member.
pub(super) fn said_length(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::FileExt;
    let Some(at) = file.metadata()?.len().checked_sub(4) else { return Ok(None) };
    let mut bytes = [0; 4];
    Ok((file.read_at(&mut bytes, at)? == bytes.len()).then(|| u32::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::budget::Budget;
    use crate::tail::inflate::tests::gzip;

    fn candidate(number: u32, text: &[u8], read: usize) -> Candidate {
        let read_of_it = text.get(..read).expect("inside");
        Candidate {
            number,
            fingerprint: Prefix::of(read_of_it),
            tail: TailHash::of(read as u64, read_of_it),
            middle: 0,
            read: read as u64,
            size: text.len() as u64,
            kin: false,
            claimed: false,
            over: false,
        }
    }

    /// Which candidate it is, how many bytes, and how it ends.
    fn examine(bytes: &[u8], candidates: Vec<Candidate>) -> (Option<u32>, u64, End) {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(bytes, 0).expect("written");
        let mut exam = Examination::new(file, Budget::new(1 << 20).overdraw(EXAMINATION));
        let mut candidates = Some(candidates);
        loop {
            match exam.step().expect("read") {
                Progress::More => {}
                Progress::Head => {
                    let mut candidates = candidates.take().expect("once");
                    let fits = |it: &Candidate| {
                        let len = usize::from(it.fingerprint.len);
                        exam.head().get(..len).is_some_and(|b| Prefix::of(b) == it.fingerprint)
                    };
                    candidates.retain(fits);
                    exam.compare_with(candidates);
                }
                Progress::Ended(end) => {
                    return (exam.best(end).map(|it| it.number), exam.len(), end);
                }
            }
        }
    }

    fn text(from: u32) -> Vec<u8> {
        let lines = (from..from + 400_000).flat_map(|n| format!("line {n}\n").into_bytes());
        b"banner\n".repeat(200).into_iter().chain(lines).collect()
    }

    #[test]
    fn a_file_is_known_by_what_was_read_of_it() {
        let (one, other) = (text(0), text(1_000_000));
        for read in [1, 40, 255, 256, 257, 1000, 1400, 8191, 8192, 8193, 9000, 100_001, one.len()] {
            let known = vec![candidate(1, &one, read), candidate(2, &other, read)];
            let (found, len, end) = examine(&gzip(&one), known.clone());
            // Fewer could be any file's, unless they are all there is.
            let expected = (read >= 64).then_some(1);
            assert_eq!((found, len, end), (expected, one.len() as u64, End::Whole), "{read}");
        }
    }

    #[test]
    fn the_furthest_read_is_the_one_and_what_is_shorter_is_none() {
        let one = text(0);
        let known = vec![
            candidate(1, one.get(..9000).expect("inside"), 9000),
            candidate(2, one.get(..90_000).expect("inside"), 80_000),
            candidate(3, &one, 20_000),
        ];
        assert_eq!(examine(&gzip(&one), known.clone()).0, Some(3), "of its length");
        let longer = [&one[..], b"more\n"].concat();
        assert_eq!(examine(&gzip(&longer), known.clone()).0, Some(2), "read furthest");
        let shorter = gzip(one.get(..8000).expect("inside"));
        assert_eq!(examine(&shorter, known).0, None);
    }

    #[test]
    fn what_is_damaged_is_known_by_its_first_bytes() {
        let one = text(0);
        let mut damaged = gzip(&one);
        let half = damaged.len() / 2;
        fastrand::Rng::with_seed(1).fill(damaged.get_mut(half..).expect("inside"));
        let (found, len, end) = examine(&damaged, vec![candidate(1, &one, one.len())]);
        assert_eq!((found, end), (Some(1), End::Damaged));
        assert!(len > 9000 && len < one.len() as u64);
        assert_eq!(examine(&damaged, vec![candidate(1, &one, 9000)]).0, Some(1));
        assert_eq!(examine(&damaged, vec![candidate(1, &text(7), 9000)]).0, None);
    }

    #[test]
    fn the_last_bytes_say_the_length() {
        let said = |bytes: &[u8]| {
            let file = tempfile::tempfile().expect("a file");
            file.write_all_at(bytes, 0).expect("written");
            said_length(&file).expect("read")
        };
        assert_eq!(said(&gzip(&[7; 70_000])), Some(70_000));
        assert_eq!(said(b"ab"), None);
        assert!(is_kin(Path::new("/l/a.log"), Path::new("/l/a.log.1.gz")));
        assert!(is_kin(Path::new("/l/a.log"), Path::new("/l/a.log.gz")));
        assert!(!is_kin(Path::new("/l/a.log"), Path::new("/l/b.log.gz")));
        assert!(!is_kin(Path::new("/l/a.log"), Path::new("/l/a.log.d/x.gz")));
    }
}
