//! The tail driven turn by turn over real directories, with a clock of its own: no thread, no sleep.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use pillion_parsers::frame::Span;
use tempfile::TempDir;

use super::*;
use crate::checkpoint::resume::Resume;
use crate::checkpoint::settle::Settle;
use crate::checkpoint::snapshot::Snapshot;
use crate::pipeline::batch::Receipt;
use crate::pipeline::chunk::{Chunk, Ending, Opened};
use crate::tail::HandedOver;
use crate::tail::inbox::Drain;
use crate::tail::own_log::OwnLog;
use crate::tail::settings::TailSource;

mod alike;
mod archives;
mod awaiting;
mod bounds;
mod clock;
mod closed;
mod compressed;
mod dead;
mod draining;
mod hand_over;
mod hoped_for;
mod hostile;
mod inodes;
mod journal;
mod leaving;
mod model;
mod numbers;
mod reads;
mod remounted;
mod restart;
mod rotation;
mod sources;
mod watching;

const MIB: usize = 1 << 20;

/// What a tailer is made with; changed by tests before it starts.
struct Options {
    files: Vec<String>,
    exclude: Vec<String>,
    links_to: Vec<PathBuf>,
    start_at_end: bool,
    ignore_older: Option<Duration>,
    max_record: usize,
    destinations: Vec<&'static str>,
    /// The globs of a second source, which alone goes to the last destination.
    again: Vec<String>,
    budget: usize,
    chunk: usize,
    max_open: usize,
    max_known: usize,
    pin: u64,
    polling: bool,
    channel: usize,
    /// Whether the checkpoint has a journal, however small it is.
    journal: bool,
    own_log: Option<Arc<OwnLog>>,
}

/// A directory of logs, a state directory, and at times a tailer.
struct Bench {
    dir: TempDir,
    options: Options,
    clock: Now,
    tailer: Option<Tailer>,
    reads: Option<Receiver<Read>>,
    budget: Arc<Budget>,
    tracker: Arc<Tracker>,
    stats: Arc<TailStats>,
    inbox: Arc<Inbox>,
    /// What the last tailer left to the next; the state directory is opened without it.
    handed_over: Option<HandedOver>,
    /// The name of the one source.
    source: &'static str,
    /// Whether chunks are settled for all destinations as they come; else they are held.
    settle: bool,
    held: Vec<Chunk>,
    /// By lineage path, every byte that came, in order.
    came: BTreeMap<String, Vec<u8>>,
    paths: BTreeMap<LineageId, String>,
    opened: Vec<Opened>,
    /// What came, in words.
    log: Vec<String>,
    /// How often the worker was told that there is no budget.
    pressed: u32,
    /// Whether the worker knows of anything left to read.
    behind: BTreeMap<String, bool>,
    /// The last chunk of each.
    last: BTreeMap<String, (FileNumber, Span)>,
}

impl Bench {
    /// Tails `logs/app.log*`, everything settled as it comes.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("logs")).expect("made");
        let mut options = Options {
            files: vec!["app.log".to_owned()],
            exclude: Vec::new(),
            links_to: Vec::new(),
            start_at_end: false,
            ignore_older: None,
            max_record: 256 << 10,
            destinations: vec!["search"],
            again: Vec::new(),
            budget: 8 * MIB,
            chunk: 4096,
            max_open: 1000,
            max_known: 20_000,
            pin: 256 << 20,
            polling: true,
            channel: 4,
            journal: false,
            own_log: None,
        };
        change(&mut options);
        let wall = i64::try_from(
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .expect("after 1970")
                .as_nanos(),
        )
        .expect("before 2262");
        Self {
            budget: Budget::new(options.budget),
            dir,
            options,
            clock: Now { instant: Instant::now(), wall },
            tailer: None,
            reads: None,
            tracker: Arc::new(Tracker::new()),
            stats: Arc::new(TailStats::default()),
            inbox: Arc::new(Inbox::default()),
            source: "app",
            handed_over: None,
            settle: true,
            held: Vec::new(),
            came: BTreeMap::new(),
            paths: BTreeMap::new(),
            opened: Vec::new(),
            log: Vec::new(),
            pressed: 0,
            behind: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name), text.as_ref());
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("removed");
    }

    /// What `copytruncate` does to the original.
    fn truncate(&self, name: &str) {
        let file = OpenOptions::new().write(true).open(self.path(name)).expect("opened");
        file.set_len(0).expect("truncated");
    }

    /// Starts a tailer, and lets it do what there is to do.
    fn start(&mut self) -> &mut Self {
        let logs = self.dir.path().join("logs");
        let full = |name: &String| logs.join(name).to_str().expect("text").to_owned();
        let options = &self.options;
        let destinations: Vec<String> =
            options.destinations.iter().map(|&name| name.to_owned()).collect();
        let source = TailSource {
            name: self.source.to_owned(),
            files: options.files.iter().map(full).collect(),
            exclude: options.exclude.clone(),
            links_to: options.links_to.clone(),
            start_at_end: options.start_at_end,
            ignore_older: options.ignore_older,
            max_record: options.max_record,
            own_log: options.own_log.clone(),
            to: (0..destinations.len()).collect(),
            header: None,
        };
        let mut sources = vec![source];
        if !options.again.is_empty() {
            let last = destinations.len() - 1;
            let files = options.again.iter().map(full).collect();
            sources[0].to = (0..last).collect();
            let (name, to) = ("again".to_owned(), vec![last]);
            sources.push(TailSource { name, files, to, ..sources[0].clone() });
        }
        let mut settings = TailSettings::new(sources, destinations, Arc::new(|len| len));
        (settings.chunk, settings.max_open) = (options.chunk, options.max_open);
        (settings.max_known, settings.polling) = (options.max_known, options.polling);
        settings.pin = options.pin;
        let (sender, receiver) = sync_channel(options.channel);
        let HandedOver { store, snapshot, inherited } =
            self.handed_over.take().unwrap_or_else(|| {
                let small = if self.options.journal { 0 } else { u64::MAX };
                let state = self.dir.path().join("state");
                let (store, snapshot) = Store::open_with(&state, small).expect("opens");
                HandedOver { store, snapshot, inherited: Inherited::default() }
            });
        self.tracker = Arc::new(Tracker::new());
        self.stats = Arc::new(TailStats::default());
        let parts = TailParts {
            settings,
            budget: Arc::clone(&self.budget),
            tracker: Arc::clone(&self.tracker),
            store,
            snapshot,
            inherited,
            workers: vec![sender],
            stats: Arc::clone(&self.stats),
        };
        let patterns = compile(&parts.settings).expect("compiles");
        self.tailer = Some(Tailer::new(parts, patterns, Arc::clone(&self.inbox), self.clock));
        self.reads = Some(receiver);
        self.run()
    }

    /// Ends the tailer as SIGKILL would: nothing more is saved, what is in flight is gone.
    fn kill(&mut self) -> &mut Self {
        self.take_reads();
        (self.tailer, self.reads) = (None, None);
        self.held.clear();
        self
    }

    /// Ends it as the agent does, without a drain.
    fn finish(&mut self) -> Finished {
        self.inbox.post(|posted| posted.finish = true);
        let Next::Finished(finished) = self.turn() else { panic!("goes on") };
        self.kill();
        finished
    }

    /// Ends it as a reload does, and lets another begin: what is in flight is read again.
    fn hand_over(&mut self) -> &mut Self {
        self.leave();
        self.start()
    }

    /// Ends it as a reload does; the next one inherits what it knew.
    fn leave(&mut self) {
        self.inbox.post(|posted| posted.stop = true);
        self.turn();
        self.inbox.post(|posted| posted.finish = true);
        let Next::Finished(_) = self.turn() else { panic!("goes on") };
        self.handed_over = self.tailer.take().expect("started").bequeath();
        self.kill();
        assert!(self.handed_over.is_some());
    }

    fn turn(&mut self) -> Next {
        let next = self.tailer.as_mut().expect("started").turn(self.inbox.take(), self.clock);
        self.take_reads();
        next
    }

    /// Turns until there is nothing to do but wait.
    fn run(&mut self) -> &mut Self {
        for _ in 0..1_000_000 {
            match self.turn() {
                Next::Again => {}
                // A full channel: the worker has just emptied it.
                Next::Wait(wait) if wait == FULL_CHANNEL => {}
                Next::Wait(_) | Next::Finished(_) => return self,
            }
        }
        panic!("never rests");
    }

    /// Lets seconds pass, one at a time.
    fn pass(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.clock.instant += Duration::from_secs(1);
            self.clock.wall += 1_000_000_000;
            self.run();
        }
        self
    }

    /// What the checkpoint says now.
    fn saved(&self) -> Snapshot {
        let text = fs::read_to_string(self.dir.path().join("state/checkpoint")).expect("saved");
        serde_json::from_str(text.lines().nth(2).expect("a body")).expect("whole")
    }

    /// Has the checkpoint say something else. No tailer may run.
    fn change_saved(&self, change: impl FnOnce(&mut Snapshot)) {
        let state = self.dir.path().join("state");
        let (mut store, mut snapshot) = Store::open_with(&state, u64::MAX).expect("opens");
        change(&mut snapshot);
        store.save(&snapshot).expect("saved");
    }

    /// Writes a file that was made later than another, by the clock of the file system.
    fn write_after(&self, name: &str, text: &str, than: std::time::SystemTime) {
        loop {
            self.write(name, text);
            if fs::metadata(self.path(name)).expect("there").created().expect("told") > than {
                return;
            }
            self.remove(name);
        }
    }

    fn stat(&self, counter: impl Fn(&TailStats) -> &std::sync::atomic::AtomicU64) -> u64 {
        counter(&self.stats).load(Ordering::Relaxed)
    }
}

fn settle(tracker: &Tracker, destination: usize, chunk: &Chunk) {
    let end = chunk.span.end.to_string();
    let resume = Resume { parser: Some(end.as_str().into()), ..Resume::default() };
    let mut receipt = Receipt::default();
    receipt.add(chunk.file, chunk.span, &resume);
    tracker.settle(destination, &receipt);
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opened");
    file.write_all(bytes).expect("written");
}

/// `count` numbered lines.
fn lines(from: usize, count: usize) -> String {
    (from..from + count).fold(String::new(), |mut text, n| {
        writeln!(text, "line {n}").expect("fits");
        text
    })
}
