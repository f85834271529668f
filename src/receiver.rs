//! A server in this process that speaks Elasticsearch's bulk API and Loki's push API, strictly: it
//! refuses what the servers refuse, with their statuses and texts, and keeps what it accepted. Tests,
//! benchmarks and `pillion demo` ship to it.
//!
//! It is an independent judge of what the agent sends: nothing here uses the agent's encoders. Where
//! real servers differ it takes the stricter reading, so that what passes here passes there. Known
//! to be stricter: JSON nested deeper than 128 levels and lone surrogates are refused outright;
//! keywords have no `ignore_above`; updates and deletes are refused.
//!
//! It runs on a thread of its own with its own runtime, so that blocking code can use it too.

mod body;
mod elasticsearch;
mod fault;
mod json;
mod loki;
mod serve;
mod store;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;

pub use elasticsearch::IndexRules;
pub use fault::{Fault, Faults};
pub use loki::LokiLimits;
pub use store::{Arrival, Entry, Requests, Stored};

use serve::Shared;
use store::Store;

/// How a receiver behaves. The default is a server as installed, on a free port, that keeps
/// everything it accepted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Values of `Authorization` that are let in; empty asks for none.
    pub authorization: Vec<String>,
    /// Bytes of a request body, after decompression, beyond which it is refused with 413.
    pub max_body: usize,
    /// What happens to what was accepted.
    pub keep: Keep,
    /// How closely bodies are read.
    pub check: Check,
    /// Whether decompressed request bodies are kept, refused ones included: for leak tests.
    pub raw_bodies: bool,
    /// What the indexes accept.
    pub elasticsearch: IndexRules,
    /// What the streams accept.
    pub loki: LokiLimits,
    /// What "now" is for limits on a record's age.
    pub clock: Clock,
    /// Seed of the faults' dice: the same requests in the same order meet the same faults.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            authorization: Vec::new(),
            max_body: 100 << 20,
            keep: Keep::Everything,
            check: Check::Strict,
            raw_bodies: false,
            elasticsearch: IndexRules::default(),
            loki: LokiLimits::default(),
            clock: Clock::System,
            seed: 0,
        }
    }
}

/// What happens to what was accepted.
#[derive(Clone, Default)]
pub enum Keep {
    /// It is kept, without bound, for [`Receiver::documents`] and [`Receiver::entries`].
    #[default]
    Everything,
    /// It is counted and forgotten (16 bytes of each id stay, to know it again).
    Counts,
    /// It is shown to a function, on the receiver's thread and under its lock, and forgotten.
    Show(Arc<dyn Fn(Arrival<'_>) + Send + Sync>),
}

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Everything => "Everything",
            Self::Counts => "Counts",
            Self::Show(_) => "Show",
        })
    }
}

/// How closely bodies are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// As the servers do.
    #[default]
    Strict,
    /// A bulk body is decompressed and its lines are counted, a push body is not even decompressed;
    /// all is accepted, and nothing kept. For benchmarks, in which the receiver must not be what
    /// limits the rate.
    Count,
}

/// What "now" is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's time.
    #[default]
    System,
    /// Always this, in nanoseconds since the Unix epoch.
    Fixed(i64),
}

impl Clock {
    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn now(self) -> i64 {
        match self {
            Self::Fixed(time) => time,
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| i64::try_from(since.as_nanos()).ok())
                .unwrap_or(0),
        }
    }
}

/// A running receiver; stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    /// Outlives the server thread: what was stored survives a [`Receiver::restart`].
    shared: Arc<Shared>,
    /// The thread that serves, and the channel whose closing ends it; `None` while stopped.
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Receiver {
    /// Binds 127.0.0.1 and serves.
    ///
    /// # Errors
    /// The port is taken, or no thread could be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            faults: Faults::seeded(options.seed),
            store: Store::default(),
            options,
        });
        let server = Some(serve::spawn(listener, Arc::clone(&shared))?);
        Ok(Self { address, shared, server })
    }

    /// Where it listens: `http://127.0.0.1:PORT`, for both APIs.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is wrong with it: switched at run time.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The documents stored so far, in order of arrival.
    #[must_use]
    pub fn documents(&self) -> Vec<Stored> {
        self.shared.store.lock().documents.clone()
    }

    /// The Loki entries stored so far, in order of arrival; equal ones of a stream once, as a query
    /// would show them.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.shared.store.lock().entries.clone()
    }

    /// Counts of what was asked, and how it was answered.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.shared.store.lock().requests.clone()
    }

    /// The decompressed bodies of all bulk and push requests, refused ones included, if
    /// [`Options::raw_bodies`]. One that could not be decompressed, or met a fault before it was
    /// looked at, is not among them.
    #[must_use]
    pub fn raw_bodies(&self) -> Vec<Bytes> {
        self.shared.store.lock().raw_bodies.clone()
    }

    /// Rolls a data stream over: ids are unique only within one of its backing indexes.
    pub fn rollover(&self, data_stream: &str) {
        self.shared.store.lock().indexes.rollover(data_stream);
    }

    /// Forgets what was stored, and that it was: a document or an entry that is sent again is stored
    /// again. The counts stay. For tests that run longer than memory lasts.
    pub fn forget(&self) {
        self.shared.store.lock().forget();
    }

    /// Blocks until the counts satisfy `enough`, or `timeout` is over; looks after every request.
    /// Returns whether they did.
    #[must_use]
    pub fn wait_for(&self, timeout: Duration, enough: impl Fn(&Requests) -> bool) -> bool {
        self.shared.store.wait_for(timeout, |kept| enough(&kept.requests))
    }

    /// Stops listening and closes all connections, in whatever state. What was stored stays.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            drop(stop);
            // A panic of the server thread was already printed there; nothing is left to do here.
            let _ = thread.join();
        }
    }

    /// Serves again on the same port, with what was stored before; stops first if it runs.
    ///
    /// # Errors
    /// The port was taken meanwhile, or no thread could be had.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop();
        let listener = TcpListener::bind(self.address)?;
        self.server = Some(serve::spawn(listener, Arc::clone(&self.shared))?);
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
