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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::container::Container;
use super::identity::DiskId;

/// Where the mounts of this process are listed.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Bytes of that list that are looked at.
const MOST: u64 = 1 << 20;

/// Where the agent's own log is.
#[derive(Clone, Debug)]
pub struct OwnLog {
    files: Arc<[OwnFile]>,
    container: Arc<Container>,
    /// Bytes that this process has written to its log.
    written: fn() -> u64,
    /// Records go to standard output: what lies there is sent round in a circle.
    records: bool,
}

/// A file that standard error or standard output leads to.
#[derive(Debug)]
struct OwnFile {
    id: DiskId,
    /// Its bytes, but for those that this process has written.
    before: u64,
    /// Whether standard output leads there.
    output: bool,
    /// Whether somebody else was seen to write it.
    shared: AtomicBool,
}

impl OwnLog {
    /// Of this process, which has `written` so many bytes of it. The environment may say which
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
        let output = led_to(output, written).map(|file| OwnFile { output: true, ..file });
        let same = output.as_ref().map(|output| output.id);
        let error = error.filter(|error| Some(error.id) != same);
        let files: Vec<_> = error.into_iter().chain(output).collect();
        Self { files: files.into(), container: Arc::new(container), written, records: false }
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
        match self.files.iter().find(|file| file.id == id) {
            Some(file) if self.records && file.output => true,
            Some(file) => !file.is_shared(meta.len(), self.written),
            None => names.iter().any(|path| self.container.writes(path)),
        }
    }
}

impl OwnFile {
    /// Whether somebody else writes it, or has since this process began.
    fn is_shared(&self, bytes: u64, written: fn() -> u64) -> bool {
        // Said before it is written: what is being written now is counted.
        if bytes > self.before.saturating_add(written()) {
            self.shared.store(true, Ordering::Relaxed);
        }
        self.shared.load(Ordering::Relaxed)
    }
}

/// The regular file that a descriptor leads to, if it is one.
fn led_to(descriptor: impl AsFd, written: fn() -> u64) -> Option<OwnFile> {
    let stat = rustix::fs::fstat(descriptor).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    regular.then(|| OwnFile {
        id: DiskId { dev: stat.st_dev, inode: stat.st_ino },
        before: u64::try_from(stat.st_size).unwrap_or(0).saturating_sub(written()),
        output: false,
        shared: AtomicBool::new(false),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

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
}
