//! The agent's own log, which a source leaves alone: each line that it shipped could make it write
//! another, for ever.
//!
//! It is known by where standard error and standard output lead: to a file, or into a pipe whose other
//! end a container runtime writes into one. A file that grows by more than the agent writes is others'
//! log, too, and is no longer left alone: theirs must not be lost for the sake of a few lines of ours.

mod container;

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::OFlags;

use self::container::Container;
use super::identity::{self, DiskId, born_alike};

/// Where the mounts of this process are listed.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Bytes of that list that are looked at.
const MOST: u64 = 1 << 20;

/// Where the agent's own log is.
#[derive(Clone, Debug)]
pub struct OwnLog {
    files: Arc<[OwnFile]>,
    container: Arc<Container>,
    /// Records go to standard output: what lies there is sent round in a circle.
    records: bool,
}

/// A file that standard error or standard output leads to.
#[derive(Debug)]
struct OwnFile {
    id: DiskId,
    /// When it was made, if that can be told.
    born: Option<i64>,
    /// Whether standard output leads there.
    output: bool,
    /// Whether what is written goes to its end, wherever that is. Else a truncated file has a hole where
    /// its bytes were, and is soon as long as before.
    appends: bool,
    /// Bytes of log that this process has written there.
    written: fn() -> u64,
    /// What the sources' looks have shown, of which each tells the others.
    seen: Mutex<Seen>,
}

/// What is known of the bytes of such a file.
#[derive(Debug)]
struct Seen {
    /// How many there were at the last look.
    bytes: u64,
    /// Those of them that were there before this process wrote any.
    before: u64,
    /// Those that this process wrote and that were truncated away.
    gone: u64,
    /// Whether somebody else was seen to write there.
    shared: bool,
}

impl OwnLog {
    /// Of this process, which has `written` so many bytes to standard error. The environment may say which
    /// container it is in: `POD_NAME`, `POD_NAMESPACE` and `CONTAINER_NAME`.
    #[must_use]
    pub fn of_process(environment: impl Fn(&str) -> Option<String>, written: fn() -> u64) -> Self {
        let mut mounts = String::new();
        // Where it cannot be read, no mount is known.
        let _ = File::open(MOUNTS).and_then(|file| file.take(MOST).read_to_string(&mut mounts));
        let container = Container::new(environment, &mounts);
        Self::of(std::io::stderr(), std::io::stdout(), container, written)
    }

    fn of(error: impl AsFd, output: impl AsFd, container: Container, written: fn() -> u64) -> Self {
        let error = led_to(error, written);
        // No log goes there.
        let output = led_to(output, || 0);
        let files: Vec<_> = match (error, output) {
            (Some(error), Some(output)) if error.id == output.id => {
                vec![OwnFile { output: true, ..error }]
            }
            (error, output) => {
                let output = output.map(|output| OwnFile { output: true, ..output });
                error.into_iter().chain(output).collect()
            }
        };
        Self { files: files.into(), container: Arc::new(container), records: false }
    }

    /// Of a process that writes none.
    #[cfg(test)]
    pub(super) fn in_file(file: &File) -> Self {
        Self::of(file, file, Container::default(), || 0)
    }

    /// The same, where records go to standard output or not.
    #[must_use]
    pub fn with_records(&self, records: bool) -> Self {
        Self { records, ..self.clone() }
    }

    /// Whether a file is it, and nobody else's: what it is, and the names it has.
    pub(super) fn is(&self, meta: &Metadata, names: [&Path; 2]) -> bool {
        let id = DiskId::of(meta);
        match self.file(id) {
            Some(file) if self.records && file.output => true,
            Some(file) => !file.is_shared(meta.len()),
            None => names.iter().any(|path| self.container.writes(path)),
        }
    }

    /// Says that an earlier process has tailed a file: somebody else was seen to write it then.
    pub(super) fn was_tailed(&self, id: DiskId, born: Option<i64>) {
        if let Some(file) = self.file(id).filter(|file| born_alike(file.born, born)) {
            file.seen.lock().unwrap_or_else(PoisonError::into_inner).shared = true;
        }
    }

    /// How many bytes of a file were there before this process wrote any; `None` where it writes none.
    pub(super) fn before(&self, id: DiskId) -> Option<u64> {
        let seen = &self.file(id)?.seen;
        Some(seen.lock().unwrap_or_else(PoisonError::into_inner).before)
    }

    fn file(&self, id: DiskId) -> Option<&OwnFile> {
        self.files.iter().find(|file| file.id == id)
    }
}

impl OwnFile {
    /// Whether somebody else writes it, or has since this process began. So many bytes are there now.
    fn is_shared(&self, bytes: u64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes < seen.bytes && self.appends {
            // Truncated. What was written since the last look may be there: it is not counted as gone.
            seen.gone += seen.bytes.saturating_sub(seen.before);
            seen.before = 0;
        }
        seen.bytes = bytes;
        // Said before it is written: what is being written now is counted.
        let own = (self.written)().saturating_sub(seen.gone);
        seen.shared |= bytes > seen.before.saturating_add(own);
        seen.shared
    }
}

/// The regular file that a descriptor leads to, if it is one.
fn led_to(descriptor: impl AsFd, written: fn() -> u64) -> Option<OwnFile> {
    let stat = rustix::fs::fstat(&descriptor).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    let before = bytes.saturating_sub(written());
    let flags = rustix::fs::fcntl_getfl(&descriptor);
    regular.then(|| OwnFile {
        id: DiskId { dev: stat.st_dev, inode: stat.st_ino },
        born: identity::born(&descriptor),
        output: false,
        appends: flags.is_ok_and(|flags| flags.contains(OFlags::APPEND)),
        written,
        seen: Mutex::new(Seen { bytes, before, gone: 0, shared: false }),
    })
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn nothing() -> u64 {
        0
    }

    #[test]
    fn a_file_that_somebody_else_writes_is_not_left_alone() {
        let open = || tempfile::tempfile().expect("a file");
        let (mut error, mut output, other) = (open(), open(), open());
        error.write_all(b"there already\n").expect("written");
        let own =
            |error: &File, output: &File| OwnLog::of(error, output, Container::default(), nothing);
        let is = |own: &OwnLog, file: &File| {
            own.is(&file.metadata().expect("open"), [Path::new("/x"); 2])
        };
        let log = own(&error, &output);
        assert!(is(&log, &error) && is(&log, &output) && !is(&log, &other));
        error.write_all(b"another's\n").expect("written");
        output.write_all(b"another's\n").expect("written");
        assert!(!is(&log, &error) && !is(&log, &output));
        // Once is enough: it may have been truncated since.
        error.set_len(0).expect("truncated");
        assert!(!is(&log, &error));
        // A circle is never entered.
        let log = log.with_records(true);
        assert!(!is(&log, &error) && is(&log, &output));
        let both = own(&error, &error).with_records(true);
        error.write_all(b"another's\n").expect("written");
        assert!(is(&both, &error));
    }

    #[test]
    fn what_the_agent_writes_is_counted_out() {
        fn ten() -> u64 {
            10
        }
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"0123456789").expect("written");
        let log = OwnLog::of(&file, &file, Container::default(), ten);
        let is = || log.is(&file.metadata().expect("open"), [Path::new("/x"); 2]);
        assert!(is(), "all of it");
        (&file).write_all(b"x").expect("written");
        assert!(!is());
    }

    fn is(log: &OwnLog, file: &File) -> bool {
        log.is(&file.metadata().expect("open"), [Path::new("/x"); 2])
    }

    #[test]
    fn what_goes_to_standard_error_is_not_counted_out_of_standard_outputs_file() {
        fn ten() -> u64 {
            10
        }
        let [error, mut output] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
        let log = OwnLog::of(&error, &output, Container::default(), ten);
        assert!(is(&log, &output));
        output.write_all(b"a").expect("written");
        assert!(!is(&log, &output) && is(&log, &error));
    }

    #[test]
    fn a_truncated_file_is_counted_anew() {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let named = tempfile::NamedTempFile::new().expect("a file");
        let open = |append: bool| {
            OpenOptions::new().write(true).append(append).open(named.path()).expect("opened")
        };
        let mut file = open(true);
        file.write_all(&[b'x'; 1000]).expect("written");
        let of = |file: &File| {
            OwnLog::of(file, file, Container::default(), || WRITTEN.load(Ordering::Relaxed))
        };
        let write = |mut file: &File, bytes: u64| {
            WRITTEN.fetch_add(bytes, Ordering::Relaxed);
            file.write_all(&vec![b'o'; usize::try_from(bytes).expect("few")]).expect("written");
        };
        let log = of(&file);
        write(&file, 100);
        assert!(is(&log, &file));
        file.set_len(0).expect("truncated");
        // Before anybody has looked.
        write(&file, 50);
        assert!(is(&log, &file), "its own");
        write(&file, 50);
        assert!(is(&log, &file), "its own");
        file.set_len(0).expect("truncated");
        assert!(is(&log, &file));
        file.write_all(b"another's\n").expect("written");
        assert!(!is(&log, &file));
        // Where nothing is appended, a hole takes the place of what was there.
        file.set_len(0).expect("truncated");
        let file = open(false);
        WRITTEN.store(0, Ordering::Relaxed);
        write(&file, 100);
        let log = of(&file);
        assert!(is(&log, &file));
        file.set_len(0).expect("truncated");
        assert!(is(&log, &file));
        write(&file, 10);
        assert_eq!(file.metadata().expect("open").len(), 110);
        assert!(is(&log, &file), "its own");
    }
}
