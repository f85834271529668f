//! What the agent of a round is told, and what a reload changes of it.

use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;

use super::super::harness::Place;
use super::super::scenarios::events::namespaces;
use super::end::End;

/// How the name of a copy ends that was made before a file was emptied: it is no log.
pub(super) const COPY: &str = ".copy";

/// Resident bytes in flight.
pub(super) const MEMORY: u64 = 12 << 20;

/// Bytes of a destination's buffer.
const BUFFERS: [u64; 3] = [2 << 20, 8 << 20, 64 << 20];

/// Drawn for each round.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) threads: u8,
    /// Bytes of each destination's buffer.
    buffer: Option<u64>,
    compression: &'static str,
    /// Milliseconds.
    linger: u64,
    /// A field's value, changed to change the sources.
    edition: u64,
    /// Whether the agent may be killed: what that may cost is not allowed to other rounds.
    pub(super) kills: bool,
    /// Whether agents have little grace, and are told to end while destinations are in trouble.
    pub(super) hasty: bool,
    /// Whether the destination that may miss records drops them when it is in trouble. Nobody is killed
    /// meanwhile: the counter of what was dropped would go with the agent.
    pub(super) drops: bool,
    /// Whether the agent gets no events and looks for itself.
    pub(super) polls: bool,
    /// Whether servers refuse records for good. They then leave no answer out: of what was carried out
    /// without one and refused the next time nobody could say what became of it.
    pub(super) refuses: bool,
}

impl Settings {
    /// `buffers`: whether destinations have a buffer; in some rounds if that is not said.
    pub(super) fn draw(rng: &mut Rng, buffers: Option<bool>) -> Self {
        let (has_buffer, drops) = (rng.u8(0..3) == 0, rng.u8(0..3) == 0);
        let buffered = buffers.unwrap_or(has_buffer);
        let mut settings = Self {
            threads: rng.u8(1..=2),
            buffer: buffered.then_some(0),
            compression: "fast",
            linger: 50,
            edition: 0,
            kills: rng.bool() && !drops,
            // More often where what is not sent goes to the disk.
            hasty: rng.u8(0..3) < if buffered { 2 } else { 1 } && !drops,
            drops,
            polls: rng.u8(0..3) == 0 && namespaces(),
            refuses: rng.u8(0..3) == 0,
        };
        settings.change(rng);
        settings
    }

    /// What is in a buffer is only sent as it was made: with one, its form stays.
    pub(super) fn change(&mut self, rng: &mut Rng) {
        self.linger = rng.u64(10..200);
        let (compression, size) = (rng.usize(0..3), rng.usize(0..3));
        match &mut self.buffer {
            Some(bytes) => *bytes = BUFFERS[size],
            None => self.compression = ["none", "fast", "small"][compression],
        }
        self.edition += 1;
    }

    /// How long an agent may take to end.
    pub(super) fn grace(&self) -> Duration {
        Duration::from_secs(if self.hasty { 3 } else { 60 })
    }

    pub(super) fn has_buffers(&self) -> bool {
        self.buffer.is_some()
    }

    /// Whether a buffer takes more than an application writes in a moment.
    pub(super) fn has_large_buffers(&self) -> bool {
        self.buffer.is_some_and(|bytes| bytes > BUFFERS[0])
    }

    /// Writes the configuration of it.
    pub(super) fn configure(&self, place: &Place, [search, grafana, spare]: [&End; 3]) -> PathBuf {
        let Self { threads, linger, edition, compression, .. } = self;
        let when_full = if self.drops { "drop_newest" } else { "block" };
        let changes = format!("fields: {{edition: '{edition}'}}");
        let sources = [
            ("plain", format!("parser: plain, multiline: off, {changes}")),
            ("json", format!("parser: json, {changes}")),
            // What is sent again to Loki is the same, unless its content was changed.
            ("cri", "parser: cri".to_owned()),
            ("trace", format!("parser: plain, multiline: java, {changes}")),
        ];
        // The same files twice, by other globs: these have what was rotated and compressed in them.
        let source = |(name, how)| {
            format!(
                "  {name}: {{files: ['{{logs}}/{name}-*.log'], to: [search, grafana], {how}}}\n  \
                 {name}-again: {{files: ['{{logs}}/{name}-*'], exclude: ['*{COPY}'], to: [spare], {how}}}\n"
            )
        };
        let sources: String = sources.into_iter().map(source).collect();
        let buffer = self.buffer.map_or("off".to_owned(), |bytes| format!("{{disk: {bytes}B}}"));
        let batch = format!("batch: {{bytes: 1MiB, linger: {linger}ms}}, buffer: {buffer}");
        place.configure(&format!(
            "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: {MEMORY}B\nthreads: {threads}\n\
             sources:\n{sources}destinations:\n  \
             search: {{elasticsearch: {{url: '{}', index: logs-soak-default, timeout: 2s}}, \
             compression: {compression}, {batch}}}\n  \
             grafana: {{loki: {{url: '{}', labels: {{app: soak}}, timeout: 2s}}, {batch}}}\n  \
             spare: {{elasticsearch: {{url: '{}', index: logs-soak-spare, timeout: 2s}}, \
             compression: {compression}, when_full: {when_full}, {batch}}}\n",
            search.receiver.url(),
            grafana.receiver.url(),
            spare.receiver.url()
        ))
    }
}
