//! Streams: the limits on labels and entries, which refuse some and store the rest, and the entries
//! already known.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::super::store::{Arrival, Entry, Kept};
use super::super::{Keep, Options};
use super::decoded::RawEntry;
use super::labels::{self, Labels};
use super::{LokiLimits, Parsed};

/// Errors listed per stream; Loki says how many it left out.
const LISTED: usize = 10;

/// The streams of a receiver.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    by_tenant_and_labels: HashMap<(String, Labels), Stream>,
    /// Bytes the tenants may still send, and when that was counted; all tenants share it.
    tokens: Option<(usize, i64)>,
}

#[derive(Debug)]
struct Stream {
    newest: i64,
    /// Hashes of (time, line, metadata) of every entry.
    known: HashSet<u128>,
}

impl Streams {
    /// Forgets all entries; how new the newest was stays known.
    pub(crate) fn forget(&mut self) {
        self.by_tenant_and_labels.values_mut().for_each(|stream| stream.known = HashSet::new());
    }

    /// Takes `bytes` from a bucket that fills at `rate` a second up to `burst`.
    pub(super) fn take(&mut self, bytes: usize, rate: usize, burst: usize, now: i64) -> bool {
        let (tokens, since) = self.tokens.unwrap_or((burst, now));
        let passed = u128::try_from(now.saturating_sub(since)).unwrap_or(0);
        let filled = passed * (rate as u128) / 1_000_000_000;
        let tokens =
            tokens.saturating_add(usize::try_from(filled).unwrap_or(usize::MAX)).min(burst);
        let left = tokens.checked_sub(bytes);
        self.tokens = Some((left.unwrap_or(tokens), now));
        left.is_some()
    }
}

/// Stores what the limits let through; a stream that `is_limited` is refused for now.
///
/// # Errors
/// Status and text; what was not refused is stored nevertheless. 429 hides 400, and what an ingester
/// says hides what the distributor found.
pub(super) fn store(
    kept: &mut Kept,
    options: &Options,
    tenant: &str,
    streams: Vec<Parsed>,
    mut is_limited: impl FnMut() -> bool,
) -> Result<(), (u16, String)> {
    let limits = &options.loki;
    let now = options.clock.now();
    let (mut flaws, mut ignored) = (Grouped::default(), Vec::new());
    let mut limited = None;
    for stream in streams {
        let name = labels::write(&stream.labels);
        if let Err(flaw) = check_labels(&stream.labels, &name, limits) {
            kept.requests.refused += stream.entries.len() as u64;
            flaws.add(flaw);
            continue;
        }
        let before = flaws.count;
        if is_limited() {
            limited = Some(too_fast(&name, &stream.entries));
            kept.requests.deferred += stream.entries.len() as u64;
            continue;
        }
        let entries: Vec<RawEntry> = stream
            .entries
            .into_iter()
            .filter_map(|entry| match check_entry(&entry, &name, limits, now) {
                Ok(()) => Some(entry),
                Err(flaw) => {
                    flaws.add(flaw);
                    None
                }
            })
            .collect();
        kept.requests.refused += flaws.count - before;
        if !entries.is_empty() {
            let key = (tenant.to_owned(), stream.labels);
            if is_one_too_many(&kept.streams, &key, limits) {
                limited = Some(too_many_streams(&name, tenant));
                kept.requests.deferred += entries.len() as u64;
            } else {
                let sent = entries.len();
                let behind = append(kept, options, key, entries, now);
                ignored.extend(listed(behind, sent, &name, tenant));
            }
        }
    }
    match limited {
        Some(text) => Err((429, text)),
        None if !ignored.is_empty() => Err((400, ignored.join("\n"))),
        None => flaws.text().map_or(Ok(()), |text| Err((400, text))),
    }
}

/// Errors of the distributor, equal ones counted: Loki's `util.GroupedErrors`.
#[derive(Default)]
struct Grouped {
    /// Each with how often it came, in the order of their first times.
    errors: Vec<(String, u64)>,
    count: u64,
}

impl Grouped {
    fn add(&mut self, error: String) {
        self.count += 1;
        match self.errors.iter_mut().find(|(known, _)| *known == error) {
            Some((_, count)) => *count += 1,
            None => self.errors.push((error, 1)),
        }
    }

    fn text(&self) -> Option<String> {
        let one = |(error, count): &(String, u64)| match count {
            1 => error.clone(),
            _ => format!("{count} errors like: {error}"),
        };
        let all: Vec<_> = self.errors.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What an ingester ignored of a stream, some of it listed.
fn listed(mut behind: Vec<String>, sent: usize, name: &str, tenant: &str) -> Option<String> {
    let count = behind.len();
    behind.truncate(LISTED);
    (count > 0).then(|| {
        let list = behind.join("\n");
        format!("{list}\nuser '{tenant}', total ignored: {count} out of {sent} for stream: {name}")
    })
}

fn check_labels(labels: &Labels, name: &str, limits: &LokiLimits) -> Result<(), String> {
    if labels.is_empty() {
        return Err("error at least one label pair is required per stream".to_owned());
    }
    let (count, limit) = (labels.len(), limits.label_names);
    if count > limit {
        return Err(format!("entry for stream '{name}' has {count} label names; limit {limit}"));
    }
    let mut last = None;
    for (label, value) in labels {
        if label.len() > limits.label_name {
            return Err(format!("stream '{name}' has label name too long: '{label}'"));
        }
        if value.len() > limits.label_value {
            return Err(format!("stream '{name}' has label value too long: '{value}'"));
        }
        if last == Some(label) {
            return Err(format!("stream '{name}' has duplicate label name: '{label}'"));
        }
        last = Some(label);
    }
    Ok(())
}

fn check_entry(entry: &RawEntry, name: &str, limits: &LokiLimits, now: i64) -> Result<(), String> {
    let oldest = now.saturating_sub(nanos(limits.too_old));
    if entry.time < oldest {
        let (time, oldest) = (second(entry.time), second(oldest));
        return Err(format!(
            "entry for stream '{name}' has timestamp too old: {time}, oldest acceptable timestamp is: {oldest}"
        ));
    }
    if entry.time > now.saturating_add(nanos(limits.too_new)) {
        return Err(format!(
            "entry for stream '{name}' has timestamp too new: {}",
            second(entry.time)
        ));
    }
    let (length, limit) = (entry.line.len(), limits.line);
    if length > limit {
        return Err(format!(
            "Max entry size '{limit}' bytes exceeded for stream '{name}' while adding an entry with length '{length}' bytes"
        ));
    }
    if !entry.metadata.is_empty() && !limits.structured_metadata {
        return Err(format!(
            "stream '{name}' includes structured metadata, but this feature is disallowed"
        ));
    }
    let (size, limit) = (entry.metadata_size(), limits.metadata_bytes);
    if size > limit {
        return Err(format!(
            "stream '{name}' has structured metadata too large: '{size}' bytes, limit: '{limit}' bytes"
        ));
    }
    let (pairs, limit) = (entry.metadata.len(), limits.metadata_pairs);
    if pairs > limit {
        return Err(format!(
            "stream '{name}' has too many structured metadata labels: '{pairs}', limit: '{limit}'"
        ));
    }
    Ok(())
}

fn is_one_too_many(streams: &Streams, key: &(String, Labels), limits: &LokiLimits) -> bool {
    let all = &streams.by_tenant_and_labels;
    !all.contains_key(key)
        && all.keys().filter(|(tenant, _)| *tenant == key.0).count() >= limits.streams
}

fn too_many_streams(name: &str, tenant: &str) -> String {
    format!(
        "Maximum active stream limit exceeded when trying to create stream {name}, reduce the number \
         of active streams (reduce labels or reduce label values), or contact your Loki administrator \
         to see if the limit can be increased, user: '{tenant}'"
    )
}

fn too_fast(name: &str, entries: &[RawEntry]) -> String {
    let bytes: usize = entries.iter().map(RawEntry::size).sum();
    format!(
        "Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest for stream \
         '{name}' totaling {bytes}B, consider splitting a stream via additional labels or contact \
         your Loki administrator to see if the limit can be increased"
    )
}

/// Appends to a stream what is not too far behind its newest entry; returns what is.
fn append(
    kept: &mut Kept,
    options: &Options,
    key: (String, Labels),
    entries: Vec<RawEntry>,
    now: i64,
) -> Vec<String> {
    let Kept { streams, entries: stored, requests, .. } = kept;
    let labels = key.1.iter().cloned().collect();
    let tenant = key.0.clone();
    let fresh = || Stream { newest: i64::MIN, known: HashSet::new() };
    let stream = streams.by_tenant_and_labels.entry(key).or_insert_with(fresh);
    let mut refused = Vec::new();
    let mut arrival = Entry {
        tenant,
        labels,
        time: 0,
        line: String::new(),
        metadata: Vec::new(),
        accepted_at: now,
    };
    for entry in entries {
        let oldest = stream.newest.saturating_sub(nanos(options.loki.too_far_behind));
        if entry.time < oldest {
            requests.refused += 1;
            let (time, oldest) = (second(entry.time), second(oldest));
            refused.push(format!(
                "entry with timestamp {time} ignored, reason: 'entry too far behind, entry timestamp \
                 is: {time}, oldest acceptable timestamp is: {oldest}',"
            ));
            continue;
        }
        stream.newest = stream.newest.max(entry.time);
        if !stream.known.insert(hash(&entry)) {
            requests.duplicates += 1;
            continue;
        }
        requests.stored += 1;
        arrival.time = entry.time;
        arrival.line = entry.line;
        arrival.metadata = entry.metadata;
        match &options.keep {
            Keep::Everything => stored.push(arrival.clone()),
            Keep::Counts => {}
            Keep::Show(show) => show(Arrival::Entry(&arrival)),
        }
    }
    refused
}

/// A time as errors show it, to the second: which makes many of them equal.
fn second(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(nanos.into())
        .map_or_else(|_| nanos.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// What makes two entries of a stream equal.
fn hash(entry: &RawEntry) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(&entry.time.to_le_bytes());
    for text in std::iter::once(&entry.line).chain(entry.metadata.iter().flat_map(|(n, v)| [n, v]))
    {
        hasher.update(&xxh3_128(text.as_bytes()).to_le_bytes());
    }
    hasher.digest128()
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
