//! Delivery to one destination: one task per destination pops batches, keeps a few of them in
//! flight, and settles each when every record of it has met its end.
//!
//! Each batch in flight is owned by a future of its own (`work`): dropping the future drops the
//! batch, which settles nothing and gives its budget back. What may be sent when is decided by the
//! [`Gate`], which all of them pass.
//!
//! Batches may overtake each other: order is in the records (`log.offset`), not in their arrival.
//! Not so for Loki, which refuses what comes an hour after newer lines of its stream: there one batch
//! is at hand at a time, and one that has to wait holds those behind it up. A dead destination is
//! asked with something small all the same. But order is a stream's: a batch that is refused again
//! and again, as for a stream's limit, is passed by others if the destination takes them, each tried
//! right after those before it have failed.
//!
//! With a [disk buffer](super::buffer), a destination in trouble does not hold batches: what is in the
//! queue, and what waits for another attempt, goes to disk and is settled; and as long as something is
//! there, it is sent first.
//!
//! Where it blocks: dead letters, the buffer, the `file` and the `console` destination write and sync
//! on tokio's blocking pool. On the runtime's thread itself are short reads of credential files before each
//! request, and the taking apart of a payload that was refused in part, one at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::drive::drive;
use self::work::Shared;
use self::work::aside::Call;
use super::breaker::Shown;
use super::buffer::Buffer;
use super::concurrency::MOST;
use super::console::ConsoleSink;
use super::dead_letter::file::DeadLetterFile;
use super::dead_letter::{DeadLetter, Reason};
use super::file::FileSink;
use super::gate::Gate;
use super::http::{Http, HttpError};
use super::outcome::RetryClass;
use super::payload::Payload;
use super::queue::Queue;
use super::rewrite::{Cut, Rewriter};
use super::sink::{Dialect, Server};
use super::stats::DestinationStats;
use crate::budget::Budget;
use crate::checkpoint::settle::Settle;
use crate::config::settings::{Destination, DestinationKind};

mod drive;
mod endpoint;
mod quiet;
mod work;

/// Between two attempts to open a buffer that cannot be read: at first, and at most.
const OPENING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Takes payloads apart by position, each record's bytes unchanged. Blocking work per byte.
pub trait Rewrite: Send + Sync + 'static {
    /// The payload with only the positions for which `keep` holds; `None` when there are none.
    ///
    /// # Errors
    ///
    /// When the payload is not of this destination.
    fn select(
        &self,
        payload: &Payload,
        keep: &mut dyn FnMut(u32) -> bool,
    ) -> io::Result<Option<Payload>>;

    /// Two payloads that together hold the records of one; `None` for what has no such place to cut.
    ///
    /// # Errors
    ///
    /// When the payload is not of this destination.
    fn split(&self, payload: &Payload, cut: Cut) -> io::Result<Option<(Payload, Payload)>>;

    /// Whether a payload was encoded for another place than the destination leads to now.
    ///
    /// # Errors
    ///
    /// When the payload is not of this kind of destination.
    fn leads_elsewhere(&self, payload: &Payload) -> io::Result<bool>;

    /// The payload for where the destination leads now.
    ///
    /// # Errors
    ///
    /// When the payload is not of this kind of destination.
    fn readdress(&self, payload: &Payload) -> io::Result<Payload>;

    /// Bytes that a payload takes while its records are read, beside itself.
    fn reading(&self, payload: &Payload) -> usize;

    /// Bytes that taking a payload apart takes beside it, with what comes out.
    fn rewriting(&self, payload: &Payload) -> usize;

    /// Dead letters for the positions from `from` on for which `reason` gives one, in order, up to
    /// the first with which they have `most` bytes; and the position after the last.
    ///
    /// # Errors
    ///
    /// When the payload is not of this destination.
    fn dead_letters(
        &self,
        payload: &Payload,
        from: u32,
        most: usize,
        reason: &dyn Fn(u32) -> Option<Reason>,
    ) -> io::Result<(Vec<DeadLetter>, u32)>;
}

impl Rewrite for Rewriter {
    fn select(
        &self,
        payload: &Payload,
        keep: &mut dyn FnMut(u32) -> bool,
    ) -> io::Result<Option<Payload>> {
        Self::select(self, payload, keep)
    }

    fn split(&self, payload: &Payload, cut: Cut) -> io::Result<Option<(Payload, Payload)>> {
        Self::split(self, payload, cut)
    }

    fn leads_elsewhere(&self, payload: &Payload) -> io::Result<bool> {
        Self::leads_elsewhere(self, payload)
    }

    fn readdress(&self, payload: &Payload) -> io::Result<Payload> {
        Self::readdress(self, payload)
    }

    fn reading(&self, payload: &Payload) -> usize {
        Self::reading(self, payload)
    }

    fn rewriting(&self, payload: &Payload) -> usize {
        Self::rewriting(self, payload)
    }

    fn dead_letters(
        &self,
        payload: &Payload,
        from: u32,
        most: usize,
        reason: &dyn Fn(u32) -> Option<Reason>,
    ) -> io::Result<(Vec<DeadLetter>, u32)> {
        Self::dead_letters(self, payload, from, most, reason)
    }
}

/// One destination's delivery, ready to run.
pub struct Delivery<R> {
    shared: Unfinished<R>,
    kind: Kind,
    queue: Arc<Queue>,
    /// What the disk buffer is to be opened with: the state directory, the settings, and what pays for
    /// what is taken from it.
    unopened: Option<(PathBuf, Destination, Arc<Budget>)>,
}

/// All of [`Shared`] but the sink.
struct Unfinished<R> {
    destination: usize,
    name: String,
    rewriter: R,
    stats: Arc<DestinationStats>,
    settle: Arc<dyn Settle>,
    dead_letters: DeadLetterFile,
    buffer: Option<Arc<Buffer>>,
}

enum Kind {
    /// Boxed: a client is much larger than the others.
    Server(Box<Server<Http>>),
    Console(ConsoleSink<io::Stdout>),
    File(FileSink),
}

/// Where delivery keeps its dead letters.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetters<'p> {
    /// The state directory, where its buffer is as well.
    pub state: &'p Path,
    /// The most bytes kept per destination; [`CAP`](super::dead_letter::file::CAP) by default.
    pub cap: u64,
}

/// What a delivery is told of its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Another generation of the agent is to go on: what is not settled is read again by that, as its
    /// configuration says, and so nothing more goes to the disk buffer, or comes out of it.
    pub hand_over: bool,
    /// There is no time left: what is not settled is let go of.
    pub give_up: bool,
    /// When there will be none, once that is known.
    pub until: Option<Instant>,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Why it ended.
    pub ended: Ended,
    /// Batches left unsettled, in flight or in the queue.
    pub batches_left: usize,
    /// Records of batches left unsettled that had not met their end.
    pub records_left: u64,
}

/// Why a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The queue was closed, and everything in it is settled.
    Drained,
    /// The queue was closed, all that is not sent is in the disk buffer, and waiting would gain nothing:
    /// the next attempt is due when there is no time left, or many have failed.
    Buffered,
    /// It was told to give up.
    GaveUp,
    /// Whoever read standard output has left, so that nothing can be delivered any more.
    OutputClosed,
}

/// Why a delivery cannot be set up.
#[derive(Debug)]
pub enum SetupError {
    /// There can be no client with these settings.
    Http(HttpError),
    /// The disk buffer is there and cannot be read.
    Buffer(io::Error),
}

impl From<HttpError> for SetupError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl std::fmt::Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::Buffer(error) => write!(
                f,
                "its disk buffer in the state directory cannot be read: {error}; make it readable, or \
                 move it away to go without what is in it"
            ),
        }
    }
}

impl std::error::Error for SetupError {}

impl<R: Rewrite> Delivery<R> {
    /// Prepares the delivery of destination number `destination`; connects to nobody yet.
    ///
    /// # Errors
    ///
    /// When the settings cannot work whatever the server does: a URL that is none, a `ca` file that
    /// holds no certificate.
    pub fn new(
        destination: usize,
        settings: &Destination,
        rewriter: R,
        queue: Arc<Queue>,
        settle: Arc<dyn Settle>,
        dead_letters: DeadLetters<'_>,
        budget: &Arc<Budget>,
    ) -> Result<Self, SetupError> {
        let server = |http, dialect| -> Result<Kind, HttpError> {
            let transport = Http::new(http, Arc::clone(budget))?;
            Ok(Kind::Server(Box::new(Server { transport, dialect })))
        };
        let kind = match &settings.kind {
            DestinationKind::Elasticsearch(elasticsearch) => server(
                endpoint::elasticsearch(elasticsearch, settings.compression)?,
                Dialect::Elasticsearch { lenient: elasticsearch.lenient },
            )?,
            DestinationKind::Loki(loki) => {
                server(endpoint::loki(loki, settings.compression)?, Dialect::Loki)?
            }
            DestinationKind::Console => Kind::Console(ConsoleSink::stdout()),
            DestinationKind::File { path } => Kind::File(FileSink::new(path.clone())),
        };
        let (name, stats) = (settings.name.clone(), Arc::clone(queue.stats()));
        let DeadLetters { state, cap } = dead_letters;
        let unopened = (state.to_owned(), settings.clone(), Arc::clone(budget));
        let dead_letters = DeadLetterFile::new(state, &name, cap, Arc::clone(&stats));
        let shared =
            Unfinished { destination, name, rewriter, stats, settle, dead_letters, buffer: None };
        Ok(Self { shared, kind, queue, unopened: Some(unopened) })
    }

    /// Opens the disk buffer, unless that was done. To be called when no other delivery has it open;
    /// [`Self::run`] does it otherwise, and tries for as long as it must.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub fn open_buffer(&mut self) -> Result<(), SetupError> {
        if let Some((state, settings, budget)) = &self.unopened {
            let opened = Buffer::open(state, settings, &self.shared.stats, budget);
            self.shared.buffer = opened.map_err(SetupError::Buffer)?;
            self.unopened = None;
        }
        Ok(())
    }

    /// Delivers until the queue is closed and everything in it is settled, and sent if the destination
    /// is well; or until it is told to give up: then it returns at once, and what is left is unsettled,
    /// or in the buffer.
    pub async fn run(mut self, mut notice: watch::Receiver<Notice>) -> Report {
        if let Err(ended) = self.until_buffer_is_open(&mut notice).await {
            let batches_left = self.queue.abandon();
            let records_left = self.shared.stats.in_flight.load(Relaxed);
            return Report { ended, batches_left, records_left };
        }
        let Self { shared, kind, queue, .. } = self;
        match kind {
            Kind::Server(sink) => {
                let most = if sink.dialect == Dialect::Loki { 1 } else { MOST };
                drive(shared.with(*sink, most, true), &queue, notice).await
            }
            // A file has one end: what is written at a time is one payload. And half a file is not
            // smaller to ask about than a whole one.
            Kind::Console(sink) => drive(shared.with(sink, 1, false), &queue, notice).await,
            Kind::File(sink) => drive(shared.with(sink, 1, false), &queue, notice).await,
        }
    }

    /// Opens the buffer, however long that takes. What is in it is older than all that comes, and
    /// settled: until it can be read, nothing is delivered, and the files are the queue.
    async fn until_buffer_is_open(
        &mut self,
        notice: &mut watch::Receiver<Notice>,
    ) -> Result<(), Ended> {
        let mut pause = OPENING.0;
        while let Err(error) = self.open_buffer() {
            let (destination, stats) = (&self.shared.name, &self.shared.stats);
            tracing::error!(destination, %error, "nothing is sent before that; trying again");
            stats.retry(RetryClass::Disk);
            stats.show_breaker(Shown::Paused, Some(Instant::now() + pause));
            let ends = notice.wait_for(|notice| notice.hand_over || notice.give_up);
            tokio::select! {
                Ok(_) = ends => return Err(Ended::GaveUp),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(OPENING.1);
            self.shared.stats.show_breaker(Shown::Closed, None);
        }
        Ok(())
    }
}

impl<R> Unfinished<R> {
    fn with<S>(self, sink: S, most: usize, small_probes: bool) -> Shared<S, R> {
        let gate = Gate::new(most, fastrand::Rng::new(), Arc::clone(&self.stats));
        Shared {
            destination: self.destination,
            name: self.name,
            sink,
            rewriter: self.rewriter,
            gate,
            stats: self.stats,
            settle: self.settle,
            dead_letters: self.dead_letters,
            small_probes,
            letters: tokio::sync::Mutex::default(),
            refusals: quiet::Quiet::default(),
            unattributed: quiet::Quiet::default(),
            proven: false.into(),
            passed: 0.into(),
            more: Notify::new(),
            buffer: self.buffer,
            call: watch::Sender::new(Call::Stay),
            writing: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
