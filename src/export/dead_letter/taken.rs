//! A destination's dead letters, taken away from whoever appends to them, so that they can be sent
//! again while the agent runs.
//!
//! The file is renamed, under the lock that appenders hold, to `<destination>.replaying-N.ndjson`; the
//! next dead letter begins a new one. What is not done with in the end is appended to that, and synced,
//! before the renamed file goes. So at any moment each letter is in one of them, and after a crash, which
//! leaves a renamed file behind, the next replay takes that as well.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pillion_parsers::frame::{FileNumber, Span};

use super::file;
use crate::checkpoint::lock::{Lock, LockError};
use crate::export::append::{Appender, is_still_at, lock, sync_directory};

/// Bytes that are given back at a time.
const PIECE: usize = 1 << 20;

/// Times that a file is looked for which is another one each time.
const ROUNDS: usize = 100;

/// A whole line of a file, without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// Its bytes.
    pub bytes: &'b [u8],
    /// Where it stands in its file, newline included.
    pub span: Span,
}

/// The taken dead letters of one destination. Dropped, they stay where they are, for the next to take.
#[derive(Debug)]
pub struct Taken {
    /// Where the destination's dead letters are kept.
    path: PathBuf,
    /// Renamed files, oldest first, by number.
    files: Vec<(FileNumber, PathBuf)>,
    /// One replay at a time.
    _lock: Lock,
}

/// Why dead letters cannot be taken.
#[derive(Debug)]
pub enum TakeError {
    /// Another replay is at it.
    Lock(LockError),
    /// They are of the user with this id, whose agent could not write beside what this process writes.
    OtherUser(u32),
    /// The files cannot be listed or renamed.
    Io(io::Error),
}

impl std::fmt::Display for TakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lock(LockError::Held(holder)) => {
                write!(f, "dead letters are being replayed already, by {holder}")
            }
            Self::OtherUser(owner) => write!(
                f,
                "the dead letters are user {owner}'s: what another user writes there would keep the agent \
                 from writing on; run this as that user, as with `sudo -u '#{owner}'`"
            ),
            Self::Lock(LockError::Io(error)) | Self::Io(error) => {
                write!(f, "cannot take the dead letters: {error}")
            }
        }
    }
}

impl std::error::Error for TakeError {}

impl From<io::Error> for TakeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The files that hold a destination's dead letters now, oldest first, without taking them.
///
/// # Errors
///
/// When they cannot be listed.
pub fn files(state: &Path, destination: &str) -> io::Result<Vec<PathBuf>> {
    let path = file::path(state, destination);
    let mut files: Vec<_> = file::taken(&path)?.into_iter().map(|(_, path)| path).collect();
    files.extend(Some(path).filter(|path| path.exists()));
    Ok(files)
}

impl Taken {
    /// Takes a destination's dead letters away; `None` if it has none.
    ///
    /// # Errors
    ///
    /// When another process takes them, they are another user's, or the files cannot be renamed. Then
    /// they are where they were.
    pub fn take(state: &Path, destination: &str) -> Result<Option<Self>, TakeError> {
        let directory = file::directory(state);
        if directory.is_dir() {
            keep_to_owner(&directory)?;
        }
        if files(state, destination)?.is_empty() {
            return Ok(None);
        }
        let one = Lock::take(&directory).map_err(TakeError::Lock)?;
        let path = file::path(state, destination);
        let mut files = file::taken(&path)?;
        let next = files.last().map_or(1, |(FileNumber(number), _)| number.saturating_add(1));
        let to = directory.join(format!("{}.replaying-{next}.ndjson", file::stem(destination)));
        if rename_unwritten(&path, &to, lock)? {
            sync_directory(&directory)?;
            files.push((FileNumber(next), to));
        }
        Ok(Some(Self { path, files, _lock: one }))
    }

    /// Walks the lines of a file, in order, until told to stop.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as `each` says.
    pub fn lines<E: From<io::Error>>(
        path: &Path,
        mut each: impl FnMut(Line<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut reader = BufReader::new(File::open(path)?);
        let (mut bytes, mut start) = (Vec::new(), 0);
        loop {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes)?;
            let end = start + read as u64;
            // What is left of a line that was being written at a crash was never acknowledged.
            let Some(line) = bytes.strip_suffix(b"\n") else { return Ok(()) };
            if each(Line { bytes: line, span: Span { start, end } })?.is_break() {
                return Ok(());
            }
            start = end;
        }
    }

    /// The taken files, oldest first.
    #[must_use]
    pub fn files(&self) -> &[(FileNumber, PathBuf)] {
        &self.files
    }

    /// Ends it: lines that are not `done` are dead letters as before, the others are gone. How many
    /// were given back.
    ///
    /// # Errors
    ///
    /// When the disk does not take them. They stay in the renamed files, which the next replay takes.
    pub fn give_back(self, done: impl Fn(FileNumber, Span) -> bool) -> io::Result<u64> {
        let mut given = 0;
        let alone = self.files.len() == 1;
        for (number, path) in &self.files {
            let lines = count(path, |span| !done(*number, span))?;
            given += lines.wanted;
            // As it was, without writing anything; a new file must not be written over.
            if alone && lines.wanted == lines.all && std::fs::hard_link(path, &self.path).is_ok() {
                std::fs::remove_file(path)?;
                continue;
            }
            if lines.wanted > 0 {
                self.append(path, |span| !done(*number, span))?;
            }
            std::fs::remove_file(path)?;
        }
        if let Some(directory) = self.path.parent() {
            sync_directory(directory)?;
        }
        Ok(given)
    }

    /// Appends the wanted lines of a renamed file to where the dead letters are kept.
    fn append(&self, from: &Path, wanted: impl Fn(Span) -> bool) -> io::Result<()> {
        let mut appender = Appender::new(self.path.clone());
        let mut piece = Vec::new();
        Self::lines(from, |line| {
            if wanted(line.span) {
                piece.extend_from_slice(line.bytes);
                piece.push(b'\n');
            }
            if piece.len() >= PIECE {
                // They were there before: the cap is not asked.
                appender.append(&std::mem::take(&mut piece), None)?;
            }
            io::Result::Ok(ControlFlow::Continue(()))
        })?;
        if !piece.is_empty() {
            appender.append(&piece, None)?;
        }
        Ok(())
    }
}

/// How many lines a file has.
struct Count {
    all: u64,
    wanted: u64,
}

fn count(path: &Path, wanted: impl Fn(Span) -> bool) -> io::Result<Count> {
    let mut count = Count { all: 0, wanted: 0 };
    Taken::lines(path, |line| {
        count.all += 1;
        count.wanted += u64::from(wanted(line.span));
        io::Result::Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

/// Makes sure that what is written in a directory is its owner's: the agent could not append to it, and
/// would hold its batches for good.
fn keep_to_owner(directory: &Path) -> Result<(), TakeError> {
    let owner = std::fs::metadata(directory)?.uid();
    if rustix::process::geteuid().as_raw() == owner {
        return Ok(());
    }
    // A mount may give one owner to all that is in it, whoever writes.
    let probe = directory.join(format!("probe-{}", std::process::id()));
    let made = File::options().write(true).create_new(true).mode(0o600).open(&probe);
    let made = made.and_then(|file| file.metadata());
    let _ = std::fs::remove_file(&probe);
    match made {
        Ok(made) if made.uid() == owner => Ok(()),
        _ => Err(TakeError::OtherUser(owner)),
    }
}

/// Renames a file while nobody writes to it. Whether there was one.
fn rename_unwritten(
    from: &Path,
    to: &Path,
    lock: impl Fn(&File) -> io::Result<bool>,
) -> io::Result<bool> {
    for _ in 0..ROUNDS {
        let file = match File::open(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        // Else an agent may be about to write, and its letters would go with the file.
        let is_locked = lock(&file)?;
        if is_locked && is_still_at(&file, from) {
            std::fs::rename(from, to)?;
            return Ok(true);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "their file system has no locks, and an agent may be writing to them; move the file to \
         dead-letters/ in a directory elsewhere, and name that with --state",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(state: &Path, text: &str) {
        Appender::new(file::path(state, "a/b")).append(text.as_bytes(), None).expect("written");
    }

    fn read(state: &Path) -> String {
        std::fs::read_to_string(file::path(state, "a/b")).unwrap_or_default()
    }

    fn state() -> tempfile::TempDir {
        let state = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(file::directory(state.path())).expect("made");
        state
    }

    fn take(state: &Path) -> Taken {
        Taken::take(state, "a/b").expect("free").expect("some")
    }

    #[test]
    fn what_is_not_done_is_a_dead_letter_again_behind_those_that_came_meanwhile() {
        let state = state();
        let path = state.path();
        assert!(Taken::take(path, "a/b").expect("free").is_none());
        write(path, "one\ntwo\nthree\n");
        let taken = take(path);
        assert_eq!(read(path), "");
        assert!(matches!(Taken::take(path, "a/b"), Err(TakeError::Lock(LockError::Held(_)))));
        write(path, "four\n");
        assert_eq!(taken.give_back(|_, span| span.start == 4).expect("written"), 2);
        assert_eq!(read(path), "four\none\nthree\n");
        assert_eq!(files(path, "a/b").expect("listed"), [file::path(path, "a/b")]);
    }

    /// Only root can be another user than the one whose files it may write.
    #[test]
    fn another_users_letters_are_left_alone() {
        let state = state();
        write(state.path(), "one\n");
        let directory = file::directory(state.path());
        let agent = std::os::unix::fs::chown(&directory, Some(65_532), None);
        if agent.is_err() {
            return;
        }
        let taken = Taken::take(state.path(), "a/b");
        let error = taken.expect_err("another user's");
        assert!(error.to_string().contains("sudo -u '#65532'"), "{error}");
        let left = std::fs::read_dir(&directory).expect("listed");
        let left: Vec<_> = left.map(|entry| entry.expect("read").file_name()).collect();
        assert_eq!(left, ["a%2Fb.ndjson"], "nothing of root's");
    }

    /// Written to between the look and the reading, letters would be gone with the file.
    #[test]
    fn without_locks_nothing_is_taken() {
        let state = state();
        write(state.path(), "one\n");
        let (from, to) = (file::path(state.path(), "a/b"), state.path().join("to"));
        let error = rename_unwritten(&from, &to, |_| Ok(false)).expect_err("refused");
        assert_eq!(
            (error.kind(), read(state.path()).as_str()),
            (io::ErrorKind::Unsupported, "one\n")
        );
        assert!(rename_unwritten(&from, &to, |_| Ok(true)).expect("renamed"));
    }

    #[test]
    fn what_is_given_back_whole_is_the_same_file() {
        let state = state();
        write(state.path(), "one\ntwo\n");
        let inode = |path: &Path| std::fs::metadata(path).expect("there").ino();
        let before = inode(&file::path(state.path(), "a/b"));
        assert_eq!(take(state.path()).give_back(|_, _| false).expect("renamed"), 2);
        assert_eq!(inode(&file::path(state.path(), "a/b")), before);
        assert_eq!(files(state.path(), "a/b").expect("listed").len(), 1);
    }

    #[test]
    fn after_a_crash_the_next_replay_takes_what_was_left() {
        let state = state();
        write(state.path(), "one\ntorn");
        drop(take(state.path()));
        write(state.path(), "two\n");
        drop(take(state.path()));
        write(state.path(), "three\n");
        let taken = take(state.path());
        let numbers: Vec<_> = taken.files().iter().map(|(FileNumber(number), _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(taken.give_back(|number, _| number == FileNumber(2)).expect("written"), 2);
        assert_eq!(read(state.path()), "one\nthree\n");
    }
}
