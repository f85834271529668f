//! Delivery to one destination: one task per destination pops batches, keeps a few of them in
//! flight, and settles each when every record of it has met its end.
//!
//! Each batch in flight is owned by a future of its own (`work`): dropping the future drops the
//! batch, which settles nothing and gives its budget back. What may be sent when is decided by the
//! [`Gate`], which all of them pass.
//!
//! Batches may overtake each other: order is in the records (`log.offset`), not in their arrival.
//!
//! Where it blocks: dead letters, the `file` and the `console` destination write and sync on tokio's
//! blocking pool. On the runtime's thread itself are short reads of credential files before each
//! request, and the taking apart of a payload that was refused in part, one at a time.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tracing::{error, info};

use self::work::{End, Shared};
use super::concurrency::MOST;
use super::console::ConsoleSink;
use super::dead_letter::file::DeadLetterFile;
use super::dead_letter::{DeadLetter, Reason};
use super::file::FileSink;
use super::gate::Gate;
use super::http::{Http, HttpError};
use super::payload::Payload;
use super::queue::{Accepted, Held, Queue};
use super::rewrite::Rewriter;
use super::sink::{Dialect, Server, Sink};
use super::stats::DestinationStats;
use crate::checkpoint::settle::Settle;
use crate::config::settings::{Destination, DestinationKind};

mod endpoint;
mod quiet;
mod work;

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

    /// Two payloads that together hold the records of one; `None` for one record.
    ///
    /// # Errors
    ///
    /// When the payload is not of this destination.
    fn split(&self, payload: &Payload) -> io::Result<Option<(Payload, Payload)>>;

    /// Dead letters for the positions for which `reason` gives one, in order.
    ///
    /// # Errors
    ///
    /// When the payload is not of this destination.
    fn dead_letters(
        &self,
        payload: &Payload,
        reason: &mut dyn FnMut(u32) -> Option<Reason>,
    ) -> io::Result<Vec<DeadLetter>>;
}

impl Rewrite for Rewriter {
    fn select(
        &self,
        payload: &Payload,
        keep: &mut dyn FnMut(u32) -> bool,
    ) -> io::Result<Option<Payload>> {
        Self::select(self, payload, keep)
    }

    fn split(&self, payload: &Payload) -> io::Result<Option<(Payload, Payload)>> {
        Self::split(self, payload)
    }

    fn dead_letters(
        &self,
        payload: &Payload,
        reason: &mut dyn FnMut(u32) -> Option<Reason>,
    ) -> io::Result<Vec<DeadLetter>> {
        Self::dead_letters(self, payload, reason)
    }
}

/// One destination's delivery, ready to run.
pub struct Delivery<R> {
    shared: Unfinished<R>,
    kind: Kind,
    queue: Arc<Queue>,
}

/// All of [`Shared`] but the sink.
struct Unfinished<R> {
    destination: usize,
    name: String,
    rewriter: R,
    stats: Arc<DestinationStats>,
    settle: Arc<dyn Settle>,
    dead_letters: DeadLetterFile,
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
    /// The state directory.
    pub state: &'p Path,
    /// The most bytes kept per destination; [`CAP`](super::dead_letter::file::CAP) by default.
    pub cap: u64,
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
    /// It was told to give up.
    GaveUp,
    /// Whoever read standard output has left, so that nothing can be delivered any more.
    OutputClosed,
}

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
    ) -> Result<Self, HttpError> {
        let server = |http, dialect| -> Result<Kind, HttpError> {
            Ok(Kind::Server(Box::new(Server { transport: Http::new(http)?, dialect })))
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
        let dead_letters = DeadLetterFile::new(state, &name, cap, Arc::clone(&stats));
        let shared = Unfinished { destination, name, rewriter, stats, settle, dead_letters };
        Ok(Self { shared, kind, queue })
    }

    /// Delivers until the queue is closed and everything in it is settled, or until `give_up` turns
    /// true: then it returns at once, and what is left is unsettled.
    pub async fn run(self, give_up: watch::Receiver<bool>) -> Report {
        let Self { shared, kind, queue } = self;
        match kind {
            Kind::Server(sink) => drive(shared.with(*sink, MOST), &queue, give_up).await,
            // A file has one end: what is written at a time is one payload.
            Kind::Console(sink) => drive(shared.with(sink, 1), &queue, give_up).await,
            Kind::File(sink) => drive(shared.with(sink, 1), &queue, give_up).await,
        }
    }
}

impl<R> Unfinished<R> {
    fn with<S>(self, sink: S, most: usize) -> Shared<S, R> {
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
            // Half a file is not smaller to ask about than a whole one.
            small_probes: most > 1,
            refusals: quiet::Quiet::default(),
            proven: false.into(),
        }
    }
}

/// The loop of one destination.
async fn drive<S: Sink, R: Rewrite>(
    shared: Shared<S, R>,
    queue: &Queue,
    mut give_up: watch::Receiver<bool>,
) -> Report {
    let shared = Arc::new(shared);
    let mut working: JoinSet<End> = JoinSet::new();
    let mut since: HashMap<Id, (Instant, Held)> = HashMap::new();
    let (mut open, mut abandoned) = (true, 0);
    let ended = loop {
        shared
            .stats
            .show_oldest(since.values().map(|(since, _)| *since).min().or_else(|| queue.oldest()));
        if !open && working.is_empty() {
            break Ended::Drained;
        }
        let room = working.len() < shared.gate.width();
        tokio::select! {
            biased;
            () = told(&mut give_up) => break Ended::GaveUp,
            Some(done) = working.join_next_with_id(), if !working.is_empty() => match done {
                Ok((id, End::Settled)) => drop(since.remove(&id)),
                Ok((_, End::Gone)) => {
                    // Its batch is dropped by now.
                    abandoned += 1;
                    break Ended::OutputClosed;
                }
                Err(failed) => {
                    since.remove(&failed.id());
                    abandoned += 1;
                    error!(destination = shared.name, "a bug in delivery left a batch unsettled");
                }
            },
            accepted = queue.pop(), if open && room => match accepted {
                Some(accepted) => {
                    let Accepted { batch, since: at, held } = accepted;
                    let handle = working.spawn(work::deliver(Arc::clone(&shared), batch));
                    since.insert(handle.id(), (at, held));
                }
                None => open = false,
            },
        }
    };
    let batches_left = abandoned + working.len() + queue.abandon();
    working.shutdown().await;
    let records_left = shared.stats.in_flight.load(std::sync::atomic::Ordering::Relaxed);
    info!(destination = shared.name, ?ended, batches_left, records_left, "delivery ended");
    Report { ended, batches_left, records_left }
}

/// Resolves when told to give up; never, if whoever could tell is gone.
async fn told(give_up: &mut watch::Receiver<bool>) {
    if give_up.wait_for(|told| *told).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
