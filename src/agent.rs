//! Builds the stages, connects them, and drains them in order. The stages never name each other's
//! insides; what runs where, and who holds which end, is said here.
//!
//! | thread | runs | ends when |
//! |---|---|---|
//! | the runtime's (current thread) | one delivery per destination, the admin server, signals | all have settled, or the grace is over |
//! | `tail` | discovery, reading, saving the checkpoint | told to finish |
//! | `worker-n` | frame, join, parse, redact, encode | the tail hangs up |

mod drain;
mod health;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::budget::Budget;
use crate::checkpoint::store::{StateError, Store};
use crate::checkpoint::tracker::Tracker;
use crate::config::memory;
use crate::config::settings::{Destination, Settings, StartAt};
use crate::export::buffer;
use crate::export::dead_letter::file::CAP;
use crate::export::deliver::{DeadLetters, Delivery, Report};
use crate::export::encode::Encoder;
use crate::export::id::Instance;
use crate::export::queue::Queue;
use crate::export::rewrite::Rewriter;
use crate::export::stats::DestinationStats;
use crate::observe::admin::{self, Admin};
use crate::observe::metrics::Counted;
use crate::pipeline::outlet::{Outlet, OutletParts};
use crate::pipeline::pressure::Pressure;
use crate::pipeline::stats::PipelineStats;
use crate::pipeline::thread::{self, READS_WAITING};
use crate::pipeline::worker::{Worker, WorkerParts};
use crate::tail::settings::{TailSettings, TailSource};
use crate::tail::stats::TailStats;
use crate::tail::{TailHandle, TailParts};

pub use drain::Drained;
use health::Health;

/// Why an agent does not start.
#[derive(Debug)]
pub enum StartError {
    /// The state directory: not writable, held by another agent, or of a newer version.
    State(StateError),
    /// A destination cannot be set up: its certificates cannot be read, its dead letters not opened.
    Destination {
        /// The destination's name.
        name: String,
        /// What is wrong.
        error: String,
    },
    /// The admin address cannot be listened on.
    Admin {
        /// The address.
        address: std::net::SocketAddr,
        /// What is wrong.
        error: io::Error,
    },
    /// The system gives no thread.
    Thread(io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State(error) => error.fmt(f),
            Self::Destination { name, error } => write!(f, "destination {name}: {error}"),
            Self::Admin { address, error } => write!(
                f,
                "cannot listen on {address} for metrics and probes: {error}; \
                 choose another address with `admin:` or turn it off with `admin: off`"
            ),
            Self::Thread(error) => write!(f, "cannot start a thread: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running agent. To be ended with [`Agent::drain`]; dropped, its threads end unsettled.
pub struct Agent {
    tail: TailHandle,
    workers: Vec<JoinHandle<()>>,
    queues: Vec<Arc<Queue>>,
    /// Each with its destination's index.
    deliveries: JoinSet<(usize, Report)>,
    /// Tells the deliveries that the grace is over.
    give_up: watch::Sender<bool>,
    /// Tells the workers the same.
    pressure: Pressure,
    counted: Arc<Counted>,
    health: Arc<Health>,
    admin: Option<Admin>,
}

/// What the stages share.
struct Shared {
    settings: Arc<Settings>,
    budget: Arc<Budget>,
    pressure: Pressure,
    instance: Instance,
    host: String,
}

impl Agent {
    /// Starts all stages. To be called on the runtime that is to run the deliveries; `host` becomes
    /// `host.name`.
    ///
    /// # Errors
    ///
    /// When the state directory, a destination or the admin address cannot be used.
    pub async fn start(settings: Arc<Settings>, host: String) -> Result<Self, StartError> {
        let (store, snapshot) = Store::open(&settings.state).map_err(StartError::State)?;
        let budget = Budget::new(settings.memory);
        let shared = Shared {
            pressure: Pressure::new(Arc::clone(&budget)),
            budget,
            instance: Instance::from_bytes(store.instance()),
            host,
            settings: Arc::clone(&settings),
        };
        let tracker = Arc::new(Tracker::new());
        let (give_up, given_up) = watch::channel(false);
        let mut queues = Vec::new();
        let mut deliveries = JoinSet::new();
        let mut destinations = Vec::new();
        let names: Vec<_> = settings.destinations.iter().map(|it| it.name.as_str()).collect();
        buffer::warn_of_strangers(&settings.state, &names);
        for (index, destination) in settings.destinations.iter().enumerate() {
            let stats = Arc::new(DestinationStats::default());
            let queue = Queue::new(Arc::clone(&stats));
            let failed =
                |error: String| StartError::Destination { name: destination.name.clone(), error };
            let rewriter =
                Rewriter::new(destination, settings.schema, &settings.namespace, shared.instance);
            let delivery = Delivery::new(
                index,
                destination,
                rewriter,
                Arc::clone(&queue),
                Arc::clone(&tracker) as _,
                DeadLetters { state: &settings.state, cap: CAP },
                &shared.budget,
            )
            .map_err(|error| failed(error.to_string()))?;
            let given_up = given_up.clone();
            deliveries.spawn(async move { (index, delivery.run(given_up).await) });
            queues.push(queue);
            destinations.push((destination.name.clone(), stats));
        }
        let mut workers = Vec::new();
        let mut senders = Vec::new();
        let mut worker_stats = Vec::new();
        for number in 0..settings.threads.get() {
            let (sender, reads) = sync_channel(READS_WAITING);
            let stats = Arc::new(PipelineStats::new(settings.redact.names().len()));
            let worker = shared.worker(&queues, &destinations, Arc::clone(&stats))?;
            let spawned =
                thread::spawn(number, worker, reads, Arc::clone(&stats), shared.pressure.clone());
            workers.push(spawned.map_err(StartError::Thread)?);
            senders.push(sender);
            worker_stats.push(stats);
        }
        let tail_stats = Arc::new(TailStats::default());
        let counted = Arc::new(Counted {
            sources: settings.sources.iter().map(|source| source.name.clone()).collect(),
            destinations,
            rules: settings.redact.names().to_vec(),
            tail: Arc::clone(&tail_stats),
            workers: worker_stats,
            budget: Arc::clone(&shared.budget),
            redact: Arc::clone(&settings.redact),
        });
        let health = Arc::new(Health::new(Arc::clone(&counted)));
        let admin = match settings.admin {
            Some(address) => Some(
                admin::serve(address, Arc::clone(&health) as _)
                    .await
                    .map_err(|error| StartError::Admin { address, error })?,
            ),
            None => None,
        };
        // Last: an agent that does not start has read nothing.
        let tail = TailHandle::spawn(TailParts {
            settings: tail_settings(&settings),
            budget: Arc::clone(&shared.budget),
            tracker,
            store,
            snapshot,
            workers: senders,
            stats: tail_stats,
        })
        .map_err(StartError::Thread)?;
        Ok(Self {
            tail,
            workers,
            queues,
            deliveries,
            give_up,
            pressure: shared.pressure,
            counted,
            health,
            admin,
        })
    }

    /// The stages' counters.
    #[must_use]
    pub fn counted(&self) -> &Arc<Counted> {
        &self.counted
    }

    /// Where metrics and probes are served.
    #[must_use]
    pub fn admin_address(&self) -> Option<std::net::SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// Waits until the files that are there have been found and are watched.
    pub async fn watching(&self) {
        self.health.watching().await;
    }

    /// Resolves when a destination takes nothing any more although nobody told it to end, with its
    /// name: whoever read standard output has left. Then it is time to drain.
    pub async fn forsaken(&mut self) -> String {
        let Some(ended) = self.deliveries.join_next().await else {
            return std::future::pending().await;
        };
        let name = ended.ok().and_then(|(index, _)| self.counted.destinations.get(index));
        name.map_or_else(|| "a destination".to_owned(), |(name, _)| name.clone())
    }
}

impl Shared {
    fn worker(
        &self,
        queues: &[Arc<Queue>],
        destinations: &[(String, Arc<DestinationStats>)],
        stats: Arc<PipelineStats>,
    ) -> Result<Worker, StartError> {
        let mut outlets = Vec::new();
        for ((destination, queue), (_, counters)) in
            self.settings.destinations.iter().zip(queues).zip(destinations)
        {
            outlets.push(Outlet::new(OutletParts {
                name: destination.name.clone(),
                encoder: self.encoder(destination)?,
                limits: destination.batch,
                when_full: destination.when_full,
                share: self.settings.memory / (2 * self.settings.destinations.len()),
                queue: Arc::clone(queue),
                stats: Arc::clone(counters),
                pressure: self.pressure.clone(),
            }));
        }
        Ok(Worker::new(WorkerParts {
            settings: Arc::clone(&self.settings),
            instance: self.instance,
            host: self.host.clone(),
            outlets,
            budget: Arc::clone(&self.budget),
            stats,
        }))
    }

    fn encoder(&self, destination: &Destination) -> Result<Encoder, StartError> {
        let settings = &self.settings;
        Encoder::new(destination, settings.schema, &settings.namespace, self.instance)
            .map(|encoder| encoder.redacting(&settings.redact))
            .map_err(|error| StartError::Destination {
                name: destination.name.clone(),
                error: error.to_string(),
            })
    }
}

fn tail_settings(settings: &Settings) -> TailSettings {
    let sources = settings
        .sources
        .iter()
        .map(|source| TailSource {
            name: source.name.clone(),
            files: source.files.clone(),
            exclude: source.exclude.clone(),
            links_to: source.links_to.clone(),
            start_at_end: source.start_at == StartAt::End,
            ignore_older: source.ignore_older,
            max_record: source.max_record,
            to: source.to.clone(),
        })
        .collect();
    let destinations = settings.destinations.iter().map(|it| it.name.clone()).collect();
    let shipped_to = settings.destinations.clone();
    let worst = move |bytes| memory::chunk_share(bytes, &shipped_to);
    TailSettings::new(sources, destinations, Arc::new(worst))
}
