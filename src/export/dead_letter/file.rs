//! Where dead letters are kept: `dead-letters/<destination>.ndjson` in the state directory, one line
//! each, synced before anything counts as kept, and capped; with what a replay has taken away and not
//! given back, beside it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use pillion_parsers::frame::FileNumber;

use super::DeadLetter;
use crate::export::append::{Appended, Appender, sync_directory};
use crate::export::outcome::Refusal;
use crate::export::stats::DestinationStats;

/// The most bytes of dead letters kept per destination, unless configured otherwise.
pub const CAP: u64 = 64 << 20;

/// A destination's dead letters.
#[derive(Debug)]
pub struct DeadLetterFile {
    destination: String,
    cap: u64,
    /// Shared with the blocking thread that writes; one at a time.
    appender: Arc<Mutex<Appender>>,
    stats: Arc<DestinationStats>,
}

/// A dead letter, and what the server said about it.
#[derive(Debug)]
pub struct Refused {
    /// The record and the reason.
    pub letter: DeadLetter,
    /// Status and error, where a server refused it.
    pub refusal: Option<Refusal>,
}

/// What became of each dead letter, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is in the file, and synced.
    Synced,
    /// The file is at its cap: the record is lost.
    Full,
}

impl DeadLetterFile {
    /// The file of `destination` below the state directory. Nothing is created before it is needed.
    #[must_use]
    pub fn new(state: &Path, destination: &str, cap: u64, stats: Arc<DestinationStats>) -> Self {
        let path = path(state, destination);
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let taken = taken_bytes(&path).unwrap_or(0);
        stats.dead_letter_bytes.store(length.saturating_add(taken), Ordering::Relaxed);
        let appender = Arc::new(Mutex::new(Appender::new(path)));
        Self { destination: destination.to_owned(), cap, appender, stats }
    }

    /// Writes dead letters, and syncs them, on tokio's blocking pool. Those from the first that
    /// does not fit below the cap are not written.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; then none is, and all must be tried again.
    pub async fn keep(&self, letters: &[Refused]) -> io::Result<Vec<Kept>> {
        let now = jiff::Timestamp::now();
        let mut lines = Vec::new();
        let mut ends = Vec::with_capacity(letters.len());
        for refused in letters {
            lines.extend_from_slice(self.line(refused, now).as_bytes());
            ends.push(lines.len());
        }
        let (appender, cap) = (Arc::clone(&self.appender), self.cap);
        let written = tokio::task::spawn_blocking(move || {
            let mut appender = appender.lock().unwrap_or_else(PoisonError::into_inner);
            append(&mut appender, &lines, &ends, cap)
        });
        let (kept, length) = written.await.map_err(io::Error::other)??;
        if let Some(length) = length {
            self.stats.dead_letter_bytes.store(length, Ordering::Relaxed);
        }
        let kept_or_full = |at| if at < kept { Kept::Synced } else { Kept::Full };
        Ok((0..letters.len()).map(kept_or_full).collect())
    }

    fn line(&self, refused: &Refused, now: jiff::Timestamp) -> String {
        let Refused { letter, refusal } = refused;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut line = String::with_capacity(letter.record.len() + 200);
        line.push_str("{\"id\":");
        line.push_str(&quoted(&letter.id));
        line.push_str(",\"destination\":");
        line.push_str(&quoted(&self.destination));
        // Writing to a String cannot fail.
        let _ = write!(line, ",\"reason\":\"{}\"", letter.reason.name());
        if let Some(Refusal { status, error }) = refusal {
            let _ = write!(line, ",\"status\":{status}");
            if let Some(error) = error {
                line.push_str(",\"error\":");
                line.push_str(&quoted(error));
            }
        }
        let _ = write!(line, ",\"time\":\"{now:.3}\",\"record\":");
        line.push_str(&letter.record);
        line.push_str("}\n");
        line
    }
}

/// Appends as many whole lines as fit below the cap, with what a replay has taken: how many that were,
/// and the bytes that there are then if anything was written.
fn append(
    appender: &mut Appender,
    lines: &[u8],
    ends: &[usize],
    cap: u64,
) -> io::Result<(usize, Option<u64>)> {
    if let Some(directory) = appender.path().parent() {
        create_private(directory)?;
    }
    let taken = taken_bytes(appender.path())?;
    let cap = cap.saturating_sub(taken);
    let mut kept = ends.len();
    while let Some(end) = kept.checked_sub(1).and_then(|last| ends.get(last)) {
        match appender.append(lines.get(..*end).unwrap_or_default(), Some(cap))? {
            Appended::Synced(length) => return Ok((kept, Some(length.saturating_add(taken)))),
            Appended::Full => {
                // Rare, and cheap: only the file's length is asked for each time.
                kept -= 1;
            }
        }
    }
    Ok((0, None))
}

pub(super) fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let Some(parent) = directory.parent() else { return Ok(()) };
    // Else the next attempt finds the directory there, and its name may never get to disk.
    sync_directory(parent).inspect_err(|_| drop(std::fs::remove_dir(directory)))
}

/// The file's path.
pub(super) fn path(state: &Path, destination: &str) -> PathBuf {
    directory(state).join(stem(destination) + ".ndjson")
}

/// Files beside a destination's dead letters that a replay has taken and not given back, by number.
///
/// # Errors
///
/// When they cannot be listed.
pub(super) fn taken(path: &Path) -> io::Result<Vec<(FileNumber, PathBuf)>> {
    let (Some(directory), Some(stem)) = (path.parent(), path.file_stem()) else {
        return Ok(Vec::new());
    };
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let begin = format!("{}.replaying-", stem.to_string_lossy());
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(&begin)?.strip_suffix(".ndjson")?.parse().ok());
        files.extend(number.map(|number| (FileNumber(number), entry.path())));
    }
    files.sort_unstable();
    Ok(files)
}

fn taken_bytes(path: &Path) -> io::Result<u64> {
    // One that goes meanwhile has none.
    let bytes = |(_, path)| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    Ok(taken(path)?.into_iter().map(bytes).fold(0, u64::saturating_add))
}

/// Where all dead letters are.
pub(super) fn directory(state: &Path) -> PathBuf {
    state.join("dead-letters")
}

/// A destination's name as a part of a path. Bytes that could mean something there are written as
/// `%XX`, so that no two destinations share one.
pub(crate) fn stem(destination: &str) -> String {
    let mut name = String::new();
    for byte in destination.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::dead_letter::Reason;

    fn refused(id: &str, refusal: Option<Refusal>) -> Refused {
        let letter = DeadLetter {
            id: id.to_owned(),
            reason: Reason::Refused,
            record: r#"{"message":"hello"}"#.to_owned(),
        };
        Refused { letter, refusal }
    }

    fn file(state: &Path, cap: u64) -> DeadLetterFile {
        DeadLetterFile::new(state, "a/b", cap, Arc::default())
    }

    #[tokio::test]
    async fn a_line_says_which_record_where_why_and_when() {
        let state = tempfile::tempdir().expect("a directory");
        let file = file(state.path(), CAP);
        let refusal = Refusal { status: 400, error: Some("mapper_parsing_exception".into()) };
        let kept = file.keep(&[refused("one", Some(refusal)), refused("two", None)]).await;
        assert_eq!(kept.expect("written"), [Kept::Synced, Kept::Synced]);
        let path = state.path().join("dead-letters/a%2Fb.ndjson");
        let text = std::fs::read_to_string(path).expect("readable");
        assert_eq!(file.stats.dead_letter_bytes.load(Ordering::Relaxed), text.len() as u64);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let [first, second] = lines.as_slice() else { panic!("two lines") };
        let keys: Vec<_> = first.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["id", "destination", "reason", "status", "error", "time", "record"]);
        assert_eq!(first["destination"], "a/b");
        assert_eq!(first["status"], 400);
        assert_eq!(first["record"]["message"], "hello");
        assert!(first["time"].as_str().expect("text").ends_with('Z'));
        assert_eq!((&second["id"], second.get("status")), (&"two".into(), None));
    }

    #[tokio::test]
    async fn at_the_cap_what_fits_is_kept_and_the_rest_is_said_to_be_lost() {
        let state = tempfile::tempdir().expect("a directory");
        let one =
            file(state.path(), CAP).line(&refused("x", None), jiff::Timestamp::now()).len() as u64;
        let file = file(state.path(), one * 5 / 2);
        let letters = [refused("1", None), refused("2", None), refused("3", None)];
        let kept = file.keep(&letters).await.expect("written");
        assert_eq!(kept, [Kept::Synced, Kept::Synced, Kept::Full]);
        assert_eq!(file.keep(&letters).await.expect("asked"), [Kept::Full; 3]);
    }

    /// A replay that was killed, or that fails from time to time, does not add to what there may be.
    #[tokio::test]
    async fn what_a_replay_has_taken_counts_as_well() {
        let state = tempfile::tempdir().expect("a directory");
        let kept = file(state.path(), CAP).keep(&[refused("x", None)]).await;
        assert_eq!(kept.expect("written"), [Kept::Synced]);
        let path = path(state.path(), "a/b");
        let one = std::fs::metadata(&path).expect("there").len();
        let taken = path.with_file_name("a%2Fb.replaying-1.ndjson");
        std::fs::rename(&path, taken).expect("renamed");
        let file = file(state.path(), one * 5 / 2);
        let bytes = || file.stats.dead_letter_bytes.load(Ordering::Relaxed);
        assert_eq!(bytes(), one);
        let letters = [refused("1", None), refused("2", None)];
        let kept = file.keep(&letters).await.expect("written");
        assert_eq!((kept, bytes()), (vec![Kept::Synced, Kept::Full], 2 * one));
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_is_an_error_until_it_can() {
        let state = tempfile::tempdir().expect("a directory");
        let path = state.path().join("state");
        std::fs::write(&path, "in the way").expect("written");
        let file = file(&path, CAP);
        assert!(file.keep(&[refused("1", None)]).await.is_err());
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(file.keep(&[refused("1", None)]).await.expect("written"), [Kept::Synced]);
    }
}
