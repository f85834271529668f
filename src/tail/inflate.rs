//! Decompresses a gzip file, forwards and in portions.
//!
//! Whoever wrote the file may mean harm: ten bytes may become ten thousand, or ten megabytes nothing
//! at all. So every portion is paid for, by bytes that go in and bytes that come out, and when what was
//! allowed is spent, the next read says [`WouldBlock`](io::ErrorKind::WouldBlock) and goes on from there
//! once more is allowed.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::bufread::GzDecoder;

/// Compressed bytes read at once.
const INPUT: usize = 16 << 10;

/// What one reading costs in memory: the input, and zlib's window and tables.
pub(super) const RESIDENT: usize = INPUT + (48 << 10);

/// How the decompressed bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As they should: every member has its trailer, and the sums are right.
    Whole,
    /// In the middle: the file is still being written, or its writer was stopped.
    Early,
    /// In bytes that are no gzip, or in a wrong sum.
    Damaged,
}

/// A gzip file being decompressed.
#[derive(Debug)]
pub(super) struct Inflate {
    /// The member being decompressed. Between members, `input` is there instead.
    member: Option<Box<GzDecoder<Input>>>,
    input: Option<Input>,
    /// Members that were read to their end.
    members: u64,
    pos: u64,
    end: Option<End>,
    /// A read failed in between: it has to begin anew.
    failed: bool,
}

impl Inflate {
    /// Begins at the beginning. Nothing is allowed yet.
    pub(super) fn new(file: Arc<File>) -> Self {
        let input = Input { file, at: 0, buffer: vec![0; INPUT], from: 0, to: 0, allowed: 0 };
        Self { member: None, input: Some(input), members: 0, pos: 0, end: None, failed: false }
    }

    /// Begins at the beginning again, after a failed read too.
    pub(super) fn rewind(&mut self) {
        let input = self.input.take().or_else(|| self.member.take().map(|it| it.into_inner()));
        if let Some(mut input) = input {
            (input.at, input.from, input.to) = (0, 0, 0);
            self.input = Some(input);
        }
        (self.member, self.members, self.pos, self.end, self.failed) = (None, 0, 0, None, false);
    }

    /// Allows so many bytes to go in and out from here on.
    pub(super) fn allow(&mut self, bytes: usize) {
        if let Some(input) = self.input_mut() {
            input.allowed = bytes;
        }
    }

    fn input_mut(&mut self) -> Option<&mut Input> {
        self.input.as_mut().or_else(|| self.member.as_mut().map(|member| member.get_mut()))
    }

    /// Decompressed bytes so far.
    pub(super) fn pos(&self) -> u64 {
        self.pos
    }

    /// How it ended, once it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether a read failed: only [`Self::rewind`] helps.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Decompresses some bytes; none once it has ended.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when what was allowed is spent, else what the system
    /// said.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.end.is_none() {
            if self.input_mut().is_none_or(|input| input.allowed == 0) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let Some(member) = &mut self.member else {
                self.next_member()?;
                continue;
            };
            match member.read(into) {
                Ok(0) => {
                    self.members += 1;
                    self.input = self.member.take().map(|member| member.into_inner());
                }
                Ok(got) => {
                    self.pos += got as u64;
                    let input = member.get_mut();
                    input.allowed = input.allowed.saturating_sub(got);
                    return Ok(got);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Err(error),
                    io::ErrorKind::UnexpectedEof => self.end = Some(End::Early),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                        // What follows the last member and is none is nobody's, as `gzip` has it.
                        let rest = self.members > 0 && member.header().is_none();
                        self.end = Some(if rest { End::Whole } else { End::Damaged });
                    }
                    _ => {
                        self.failed = true;
                        return Err(error);
                    }
                },
            }
        }
        Ok(0)
    }

    /// Begins the next member, over zeros that fill up a tape's block.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        loop {
            let bytes = input.fill_buf()?;
            match bytes.first() {
                Some(0x1F) => break,
                Some(0) if self.members > 0 => {
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    input.consume(zeros);
                }
                first => {
                    self.end = Some(match first {
                        _ if self.members > 0 => End::Whole,
                        Some(_) => End::Damaged,
                        None => End::Early,
                    });
                    return Ok(());
                }
            }
        }
        self.member = self.input.take().map(|input| Box::new(GzDecoder::new(input)));
        Ok(())
    }
}

/// The compressed bytes, in order, as far as they are allowed.
#[derive(Debug)]
struct Input {
    file: Arc<File>,
    /// Where the buffer's bytes end in the file.
    at: u64,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    allowed: usize,
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.from == self.to {
            if self.allowed == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            match self.file.read_at(&mut self.buffer, self.at) {
                Ok(0) => break,
                Ok(got) => {
                    (self.from, self.to) = (0, got);
                    self.at += got as u64;
                    self.allowed = self.allowed.saturating_sub(got);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.buffer.get(self.from..self.to).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.from = (self.from + amount).min(self.to);
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?.read(into)?;
        self.consume(got);
        Ok(got)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// One gzip member.
    pub(in crate::tail) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    }

    pub(in crate::tail) fn file(bytes: &[u8]) -> Arc<File> {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(bytes, 0).expect("written");
        Arc::new(file)
    }

    /// Decompresses in portions: what came, how it ended, in how many portions.
    fn inflate(bytes: &[u8], portion: usize) -> (Vec<u8>, Option<End>, usize) {
        let mut inflate = Inflate::new(file(bytes));
        let (mut came, mut buffer, mut portions) = (Vec::new(), [0; 512], 0);
        loop {
            match inflate.read(&mut buffer) {
                Ok(0) => return (came, inflate.end(), portions),
                Ok(got) => came.extend_from_slice(buffer.get(..got).expect("inside")),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    inflate.allow(portion);
                    portions += 1;
                }
            }
        }
    }

    #[test]
    fn members_follow_each_other_and_what_is_no_member_is_left() {
        let text = b"one line\n".repeat(5000);
        let two = [gzip(&text), gzip(b"more\n")].concat();
        let both = [&text[..], b"more\n"].concat();
        assert_eq!(inflate(&two, 1000).0, both);
        for rest in
            [&[][..], &[0; 700], b"rubbish", &[0, 0, b'x'], &[0x1F, 0x8C, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            let (came, end, _) = inflate(&[&two, rest].concat(), 1 << 20);
            assert_eq!((came.len(), end), (both.len(), Some(End::Whole)), "{rest:?}");
        }
    }

    #[test]
    fn one_that_is_still_written_is_told_from_one_that_is_damaged() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let whole = gzip(&text);
        for cut in (0..whole.len()).step_by(97).chain(whole.len() - 20..whole.len()) {
            let (came, end, _) = inflate(whole.get(..cut).expect("inside"), 1 << 20);
            assert_eq!(end, Some(End::Early), "cut at {cut}");
            assert!(text.starts_with(&came));
        }
        let two = [gzip(b"one\n"), whole.clone()].concat();
        assert_eq!(
            inflate(two.get(..gzip(b"one\n").len() + 1).expect("in"), 9).1,
            Some(End::Early)
        );
        let mut damaged = whole.clone();
        *damaged.get_mut(whole.len() - 6).expect("the sum") ^= 1;
        assert_eq!(inflate(&damaged, 1 << 20), (text.clone(), Some(End::Damaged), 1));
        fastrand::Rng::with_seed(1).fill(damaged.get_mut(whole.len() / 2..).expect("inside"));
        let (came, end, _) = inflate(&damaged, 1 << 20);
        assert_eq!(end, Some(End::Damaged));
        assert!(text.starts_with(&came) && came.len() > text.len() / 3);
        assert_eq!(inflate(b"plain text", 100).1, Some(End::Damaged));
        assert_eq!(inflate(b"", 100).1, Some(End::Early));
    }

    #[test]
    fn work_is_bounded_by_what_goes_in_and_by_what_comes_out() {
        let (came, end, portions) = inflate(&gzip(&vec![0; 4 << 20]), 64 << 10);
        assert_eq!((came.len(), end), (4 << 20, Some(End::Whole)));
        assert!((64..80).contains(&portions), "{portions}");
        let empty = gzip(b"").repeat(20_000);
        let (came, end, portions) = inflate(&empty, 16 << 10);
        assert_eq!((came.len(), end), (0, Some(End::Whole)));
        assert!(portions >= empty.len() / (32 << 10), "{portions}");
    }

    #[test]
    fn it_begins_again() {
        let mut inflate = Inflate::new(file(&gzip(b"some text")));
        for _ in 0..3 {
            inflate.allow(1000);
            let mut buffer = [0; 4];
            assert_eq!(inflate.read(&mut buffer).expect("read"), 4);
            assert_eq!((&buffer, inflate.pos()), (b"some", 4));
            inflate.rewind();
            assert!(inflate.pos() == 0 && !inflate.failed());
        }
    }
}
