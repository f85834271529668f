//! What delivery sends to. Everything above [`Sink`] is the same for every kind of destination, and
//! is tested against a scripted one; everything below it turns one payload into one [`Answer`].

use std::future::Future;
use std::time::Duration;

use super::elasticsearch::reply::Bulk;
use super::loki::reply::Push;
use super::outcome::{Outcome, PauseClass, RetryClass};
use super::payload::Payload;
use crate::budget::Permit;

/// A destination, as one attempt sees it.
pub trait Sink: Send + Sync + 'static {
    /// Makes one attempt. Dropping the future gives it up; the payload may have arrived.
    fn send(&self, payload: &Payload) -> impl Future<Output = Answer> + Send;
}

/// What came of an attempt, and what may be said of it in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to do.
    pub outcome: Outcome,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// What went wrong below HTTP, in the system's own words. Never a server's.
    pub detail: Option<Box<str>>,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, status: 0, detail: None }
    }
}

/// Carries a payload over HTTP, and brings the reply.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, and reads its whole reply.
    fn send(&self, payload: &Payload) -> impl Future<Output = Result<Reply, Fault>> + Send;
}

/// A whole reply.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body, bounded by the transport.
    pub body: Vec<u8>,
    /// The body's share of the budget.
    pub permit: Permit,
}

/// Why there is no whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What to do about it.
    pub kind: FaultKind,
    /// The system's own words.
    pub detail: Box<str>,
}

/// What to do about a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Try again.
    Retry(RetryClass),
    /// A person must mend something.
    Pause(PauseClass),
}

/// Whose replies are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `_bulk`.
    Elasticsearch {
        /// See [`Bulk::lenient`].
        lenient: bool,
    },
    /// The push API.
    Loki,
}

/// A server: a transport, and the dialect of its replies.
#[derive(Debug)]
pub struct Server<T> {
    /// How payloads get there.
    pub transport: T,
    /// How its replies are read.
    pub dialect: Dialect,
}

impl<T: Transport> Sink for Server<T> {
    async fn send(&self, payload: &Payload) -> Answer {
        match self.transport.send(payload).await {
            Ok(reply) => self.understand(&reply, payload),
            Err(Fault { kind, detail }) => {
                let outcome = match kind {
                    FaultKind::Retry(class) => Outcome::Retry { class, after: None },
                    FaultKind::Pause(class) => Outcome::Pause(class),
                };
                Answer { outcome, status: 0, detail: Some(detail) }
            }
        }
    }
}

impl<T> Server<T> {
    fn understand(&self, reply: &Reply, payload: &Payload) -> Answer {
        let Reply { status, retry_after, ref body, .. } = *reply;
        let (sent, plain_bytes) = (payload.records, payload.plain_bytes);
        let outcome = match self.dialect {
            Dialect::Elasticsearch { lenient } => {
                Bulk { status, retry_after, body, sent, lenient }.outcome()
            }
            Dialect::Loki => Push { status, retry_after, body, sent, plain_bytes }.outcome(),
        };
        Answer { outcome, status, detail: None }
    }
}
