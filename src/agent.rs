//! Builds the stages, connects them, drains them in order, and puts others in their place when the
//! configuration changes. The stages never name each other's insides; what runs where, and who holds
//! which end, is said here and in `generation`.
//!
//! | thread | runs | ends when |
//! |---|---|---|
//! | the runtime's (current thread) | one delivery per destination, the admin server, signals | all have settled, or the grace is over |
//! | `tail` | discovery, reading, saving the checkpoint | told to finish |
//! | `worker-n` | frame, join, parse, redact, encode | the tail hangs up |

mod drain;
mod generation;
mod hand_over;
mod health;
pub mod resend;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::checkpoint::store::{StateError, Store};
use crate::config::process_environment;
use crate::config::settings::{Destination, Settings};
use crate::export::id::Instance;
use crate::observe::admin::{self, Admin};
use crate::observe::loaded::Loaded;
use crate::observe::log;
use crate::observe::metrics::Counted;
use crate::tail::own_log::OwnLog;
use crate::tail::{HandedOver, Inherited};

pub use drain::Drained;
use generation::{Generation, Lasting, Prepared};
pub use hand_over::ReloadError;
use health::Health;

/// Why an agent does not start.
#[derive(Debug)]
pub enum StartError {
    /// The state directory: not writable or readable, held by another agent, or of a newer version.
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

impl StartError {
    fn destination(destination: &Destination, error: impl std::fmt::Display) -> Self {
        Self::Destination { name: destination.name.clone(), error: error.to_string() }
    }
}

/// A running agent. To be ended with [`Agent::drain`]; dropped, its threads end unsettled.
pub struct Agent {
    /// The stages of the configuration in force.
    generation: Generation,
    /// What outlives a generation.
    lasting: Lasting,
    /// Which configuration is in force: shared with whoever loads others.
    loaded: Arc<Loaded>,
    /// What the admin server shows.
    health: Arc<Health>,
    admin: Option<Admin>,
}

impl Agent {
    /// Starts all stages. To be called on the runtime that is to run the deliveries; `host` becomes
    /// `host.name`, and `file` is where the settings are from, if from a file.
    ///
    /// # Errors
    ///
    /// When the state directory, a destination or the admin address cannot be used.
    pub async fn start(
        settings: Arc<Settings>,
        host: String,
        file: Option<PathBuf>,
    ) -> Result<Self, StartError> {
        let (store, snapshot) = Store::open(&settings.state).map_err(StartError::State)?;
        let instance = Instance::from_bytes(store.instance());
        let found = HandedOver { store, snapshot, inherited: Inherited::default() };
        let own_log = OwnLog::of_process(process_environment, log::written);
        let lasting = Lasting { instance, host, tail: Arc::default(), own_log };
        let prepared = Prepared::new(Arc::clone(&settings), &lasting, None)?;
        let loaded = Arc::new(Loaded::new(file));
        let health = Arc::new(Health::new(Arc::clone(prepared.counted()), Arc::clone(&loaded)));
        let admin = match settings.admin {
            Some(address) => Some(
                admin::serve(address, Arc::clone(&health) as _)
                    .await
                    .map_err(|error| StartError::Admin { address, error })?,
            ),
            None => None,
        };
        // Last: an agent that does not start has read nothing.
        let generation = prepared.launch(found, None);
        Ok(Self { generation, lasting, loaded, health, admin })
    }

    /// The stages' counters.
    #[must_use]
    pub fn counted(&self) -> &Arc<Counted> {
        &self.generation.counted
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.generation.settings
    }

    /// Which configuration is in force, and what became of a later one.
    #[must_use]
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }

    /// Where metrics and probes are served: an address and a port, or `off`.
    #[must_use]
    pub fn admin_shown(&self) -> String {
        self.admin.as_ref().map_or_else(|| "off".to_owned(), |admin| admin.address.to_string())
    }

    /// Waits until the files that are there have been found and are watched.
    pub async fn watching(&self) {
        self.health.watching().await;
    }

    /// Resolves when a destination takes nothing any more although nobody told it to end, with its
    /// name: whoever read standard output has left. Then it is time to drain.
    pub async fn forsaken(&mut self) -> String {
        let Some(ended) = self.generation.deliveries.join_next().await else {
            return std::future::pending().await;
        };
        let destinations = &self.generation.settings.destinations;
        let name = ended.ok().and_then(|(index, _)| destinations.get(index));
        name.map_or_else(|| "a destination".to_owned(), |destination| destination.name.clone())
    }
}
