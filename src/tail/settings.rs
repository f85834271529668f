//! What the tail is told: the sources' files, and how to read them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pillion_parsers::parse::HeaderForm;

use super::own_log::OwnLog;

/// Bytes of a memory claim for a chunk of so many bytes: the chunk itself and the worst that its
/// lines become. Given by whoever builds the pipeline; must be at least the chunk's own size and
/// never fall as the chunk grows.
pub type WorstCase = Arc<dyn Fn(usize) -> usize + Send + Sync>;

/// Bytes of deleted files that are held, unless the configuration says otherwise.
pub const PIN: u64 = 256 << 20;

/// Descriptors left to the rest of the process: the runtime, events, signals, the lock, the checkpoint,
/// directories being listed, the admin's connections.
const SPARE: usize = 40;
/// The same for each destination: connections, dead letters, its buffer.
const SPARE_PER_DESTINATION: usize = 12;

/// How the tail behaves.
#[derive(Clone)]
pub struct TailSettings {
    /// What to tail; [`Opened::source`](crate::pipeline::chunk::Opened::source) indexes it.
    pub sources: Vec<TailSource>,
    /// Destinations' names in the order of `Settings::destinations`: the ledger's indexes, and the
    /// checkpoint's keys.
    pub destinations: Vec<String>,
    /// What a chunk of so many bytes claims from the budget before it is read.
    pub worst: WorstCase,
    /// Bytes a chunk aims at. A single longer line makes a longer chunk, up to its `max_record`.
    pub chunk: usize,
    /// Files held open at once; beyond it the longest idle are closed, and opened again when they
    /// grow.
    pub max_open: usize,
    /// Files known at once: each costs about 1,200 bytes of memory. Those beyond it are left alone
    /// until others are gone.
    pub max_known: usize,
    /// How long a renamed File is read on after its last growth before it is retired.
    pub renamed_grace: Duration,
    /// How long a deleted File is read on after its last growth before its handle is let go. One that
    /// has grown since it was deleted is given as long as a renamed one.
    pub deleted_grace: Duration,
    /// Bytes on the disk that may be held of deleted files which are not settled everywhere; beyond it
    /// the oldest is let go, and what it had left is lost.
    pub pin: u64,
    /// Whether to look for itself instead of asking the kernel for events.
    pub polling: bool,
}

impl TailSettings {
    /// The usual behaviour: chunks of 128 KiB, half a minute of patience with a renamed file's
    /// writer, ten seconds with a deleted one's, 256 MiB of deleted files held, 20,000 known files, as
    /// many open ones as the process may have but those that the rest of it needs.
    #[must_use]
    pub fn new(sources: Vec<TailSource>, destinations: Vec<String>, worst: WorstCase) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let spare = SPARE + SPARE_PER_DESTINATION * destinations.len();
        Self {
            sources,
            destinations,
            worst,
            chunk: 128 << 10,
            max_known: 20_000,
            max_open: limit.saturating_sub(spare).max(16),
            renamed_grace: Duration::from_secs(30),
            deleted_grace: Duration::from_secs(10),
            pin: PIN,
            polling: false,
        }
    }
}

impl std::fmt::Debug for TailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailSettings")
            .field("sources", &self.sources)
            .field("destinations", &self.destinations)
            .finish_non_exhaustive()
    }
}

/// The files of one source. Field by field what `Settings::sources` says.
#[derive(Clone, Debug)]
pub struct TailSource {
    /// Its name: the checkpoint's key.
    pub name: String,
    /// Globs of absolute paths.
    pub files: Vec<String>,
    /// Globs of paths, or of bare file names, that are left alone.
    pub exclude: Vec<String>,
    /// Further directories that symlinks may lead to.
    pub links_to: Vec<PathBuf>,
    /// Whether files that are there when the source is first tailed begin at their end.
    pub start_at_end: bool,
    /// Files last changed longer ago are not begun at first sight.
    pub ignore_older: Option<Duration>,
    /// Bytes of a line beyond which it is cut.
    pub max_record: usize,
    /// The agent's own log, which is left alone; `None` if it is not.
    pub own_log: Option<Arc<OwnLog>>,
    /// Indexes into [`TailSettings::destinations`].
    pub to: Vec<usize>,
    /// How the header looks, if there is one, by which the lines below it are read: it must be read too
    /// where reading begins there.
    pub header: Option<HeaderForm>,
}
