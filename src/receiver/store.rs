//! What a receiver accepted, and the counts of what it was asked.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::elasticsearch::Indexes;
use super::loki::Streams;
use super::{Keep, Options};

/// A document of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The index or data stream it was sent to.
    pub index: String,
    /// Its id, the sender's or one made up.
    pub id: String,
    /// Its source.
    pub document: Value,
    /// When it was accepted, nanoseconds since the Unix epoch.
    pub accepted_at: i64,
}

/// An entry of a Loki stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The tenant: `X-Scope-OrgID`, or `fake` as Loki calls the only one.
    pub tenant: String,
    /// The stream's labels.
    pub labels: BTreeMap<String, String>,
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// The line.
    pub line: String,
    /// Structured metadata, in the order sent.
    pub metadata: Vec<(String, String)>,
    /// When it was accepted, nanoseconds since the Unix epoch.
    pub accepted_at: i64,
}

/// What was just accepted.
#[derive(Clone, Copy, Debug)]
pub enum Arrival<'a> {
    /// By a bulk request.
    Document(&'a Stored),
    /// By a push request.
    Entry(&'a Entry),
    /// The decompressed body of a bulk or push request, before it is judged: for leak tests, which
    /// must also see what is refused.
    Body(&'a Bytes),
}

/// Counts since the start; restarts do not reset them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Connections accepted.
    pub connections: u64,
    /// Bulk requests.
    pub bulk: u64,
    /// Push requests.
    pub push: u64,
    /// Requests by the status they were answered with.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests that met a [`super::Fault`].
    pub faulted: u64,
    /// Bytes of bodies as they came.
    pub wire_bytes: u64,
    /// Bytes of bodies after decompression (0 for push requests under [`super::Check::Count`]).
    pub plain_bytes: u64,
    /// Documents and entries stored.
    pub stored: u64,
    /// Documents answered with 409, and entries equal to a stored one.
    pub duplicates: u64,
    /// Documents and entries refused for good.
    pub refused: u64,
    /// Documents refused for now: 429 or 5xx of a single record.
    pub deferred: u64,
}

/// What a receiver holds.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) documents: Vec<Stored>,
    pub(super) entries: Vec<Entry>,
    pub(super) requests: Requests,
    pub(super) raw_bodies: Vec<Bytes>,
    pub(super) indexes: Indexes,
    pub(super) streams: Streams,
}

impl Kept {
    /// Forgets all but the counts.
    pub(super) fn forget(&mut self) {
        self.documents = Vec::new();
        self.entries = Vec::new();
        self.raw_bodies = Vec::new();
        self.indexes.forget();
        self.streams.forget();
    }

    /// Counts, keeps or shows a request's decompressed body.
    pub(super) fn body(&mut self, options: &Options, plain: &Bytes) {
        self.requests.plain_bytes += plain.len() as u64;
        if options.raw_bodies {
            self.raw_bodies.push(plain.clone());
        }
        if let Keep::Show(show) = &options.keep {
            show(Arrival::Body(plain));
        }
    }
}

/// The lock around it, and the bell that rings after each request.
#[derive(Debug, Default)]
pub(super) struct Store {
    kept: Mutex<Kept>,
    changed: Condvar,
}

impl Store {
    /// A panic under the lock happens only in a caller's [`super::Keep::Show`]; what is held is
    /// whole between any two records.
    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) {
        self.changed.notify_all();
    }

    pub(super) fn wait_for(&self, timeout: Duration, enough: impl Fn(&Kept) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut kept = self.lock();
        while !enough(&kept) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            kept = match self.changed.wait_timeout(kept, left) {
                Ok((kept, _)) => kept,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}
