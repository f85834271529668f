//! Checked settings: everything here is usable as it stands. `tree` is what a person typed; the check
//! between the two is the only place that refuses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pillion_parsers::Zone;
use pillion_parsers::multiline::Part;
use pillion_parsers::parse::Library;
use pillion_parsers::redact::{RuleSelection, Rules};
use pillion_parsers::step::Step;

use super::pod::Pod;
use super::secret::{Held, Secret};

/// Where metrics and probes are served unless the configuration says otherwise: loopback only.
pub const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2028);

/// A whole, checked configuration.
#[derive(Debug)]
pub struct Settings {
    /// Resident bytes that may be in flight, over all stages.
    pub memory: usize,
    /// Bytes on the disk that may be held of deleted files until they are settled everywhere.
    pub pin: u64,
    /// Where checkpoint, instance, lock, dead letters and disk buffers live.
    pub state: PathBuf,
    /// Worker threads; lineages are sharded over them.
    pub threads: NonZeroUsize,
    /// Where metrics and probes are served; `None` is `admin: off`.
    pub admin: Option<SocketAddr>,
    /// After SIGTERM: how long to read on, ship and wait for acknowledgements.
    pub grace: Duration,
    /// After SIGTERM: how long no file may have grown before the agent takes the application for ended
    /// and reads no further.
    pub quiet: Duration,
    /// How records are named at Elasticsearch and in files.
    pub schema: Schema,
    /// The object that holds an application's own keys under [`Schema::Ecs`].
    pub namespace: String,
    /// What was learned of the pod, and is in the constant fields of every source: nothing unless
    /// `enrich` asks for it.
    pub pod: Option<Pod>,
    /// What to tail, at least one.
    pub sources: Vec<Source>,
    /// Built-in parsers and the user's.
    pub library: Arc<Library>,
    /// All steps, those at the top first; [`Source::steps`] indexes them. Names are unique.
    pub steps: Arc<[Step]>,
    /// Compiled redaction rules, shared by all sources.
    pub redact: Arc<Rules>,
    /// What they were compiled from, for looking at what others would find; `None` is `redact: off`.
    pub selection: Option<RuleSelection>,
    /// What the key of their hashes was read from: where that has changed, so have the rules.
    pub hash_key: Option<Held>,
    /// Samples of the configuration's own redaction rules: the check has run them all.
    pub rule_samples: usize,
    /// Where to ship, at least one; [`Source::to`] indexes it.
    pub destinations: Vec<Destination>,
}

/// How field names are written at a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The Elastic Common Schema.
    Ecs,
    /// The Record's own names.
    Flat,
}

/// A configured set of files.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// Globs of absolute paths, `**` included.
    pub files: Vec<String>,
    /// Globs of paths, or of bare file names, that are left alone.
    pub exclude: Vec<String>,
    /// Further directories that symlinks may lead to.
    pub links_to: Vec<PathBuf>,
    /// Whether the agent's own log is tailed too, where the globs match it.
    pub include_own_log: bool,
    /// Where a file that was never seen begins to be read.
    pub start_at: StartAt,
    /// Files last changed longer ago are not begun at first sight.
    pub ignore_older: Option<Duration>,
    /// Bytes of a line or a joined record beyond which it is cut.
    pub max_record: usize,
    /// The joiner, as `Joiner::named` or `Joiner::of_patterns` understands it.
    pub multiline: Multiline,
    /// Parsers in the library, one at least: each reads the message that the one before gives.
    pub parsers: Vec<String>,
    /// What its times are in, where neither they nor the parser's definition say.
    pub zone: Zone,
    /// Indexes into [`Settings::steps`], in the order that its records take them.
    pub steps: Vec<usize>,
    /// Constant fields added to every record: the pod's, and the source's own, which count more.
    pub fields: BTreeMap<String, String>,
    /// Indexes into [`Settings::destinations`].
    pub to: Vec<usize>,
}

impl Source {
    /// The parser that reads first: it says what container to unwrap, and which joiner suits.
    #[must_use]
    pub fn parser(&self) -> &str {
        self.parsers.first().map_or("auto", String::as_str)
    }
}

/// Where a file that was never seen begins to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At its first byte.
    Beginning,
    /// At its end as of the first sight; only for files already there when the agent starts.
    End,
}

/// How lines are joined into records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Multiline {
    /// As the parser's definition says, else none.
    Default,
    /// Every line is a record.
    Off,
    /// A named joiner: `java`, `traces`, `indent`, …
    Named(String),
    /// Patterns for a record's first line, for those that go on with it, and for its last: at least
    /// one, at most one of each, checked to compile.
    Patterns(Vec<(Part, String)>),
}

/// Where records go.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its name in the configuration, the key of its ledger and metrics.
    pub name: String,
    /// Which server, and how to talk to it.
    pub kind: DestinationKind,
    /// When a batch closes.
    pub batch: BatchLimits,
    /// How payloads are compressed, where the destination compresses.
    pub compression: Compression,
    /// What happens when it cannot take more.
    pub when_full: WhenFull,
    /// Bytes that its disk buffer may have; `None` is `buffer: off`.
    pub buffer: Option<u64>,
}

/// The kinds of destination.
#[derive(Clone, Debug)]
pub enum DestinationKind {
    /// The `_bulk` API.
    Elasticsearch(Elasticsearch),
    /// The push API.
    Loki(Loki),
    /// NDJSON on standard output.
    Console,
    /// NDJSON appended to a file.
    File {
        /// The file, created with mode 0600 if absent.
        path: PathBuf,
    },
}

/// An Elasticsearch, or what speaks like it.
#[derive(Clone, Debug)]
pub struct Elasticsearch {
    /// Base URLs, at least one, tried in turn.
    pub urls: Vec<String>,
    /// A data stream or an index.
    pub index: String,
    /// How to authenticate.
    pub auth: Auth,
    /// PEM file of certificates to trust instead of the built-in roots.
    pub ca: Option<PathBuf>,
    /// Whether documents carry pillion's `_id`.
    pub ids: bool,
    /// Name of an ingest pipeline.
    pub pipeline: Option<String>,
    /// Whether missing or failing documents in a reply are not to be relied on (compatible servers).
    pub lenient: bool,
    /// How long one request may take.
    pub timeout: Duration,
}

/// A Loki.
#[derive(Clone, Debug)]
pub struct Loki {
    /// Base URL, without the push path.
    pub url: String,
    /// Label name → template: text with `{field}` places.
    pub labels: BTreeMap<String, String>,
    /// `X-Scope-OrgID`.
    pub tenant: Option<String>,
    /// How to authenticate.
    pub auth: Auth,
    /// PEM file of certificates to trust instead of the built-in roots.
    pub ca: Option<PathBuf>,
    /// The body's form.
    pub format: LokiFormat,
    /// Whether fields that are not labels travel as structured metadata; else in the line.
    pub structured_metadata: bool,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Loki's two body forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LokiFormat {
    /// Protobuf in a snappy block.
    Protobuf,
    /// JSON, gzipped.
    Json,
}

/// Credentials; their values are read when a request is made, so that a rotated file is picked up.
#[derive(Clone, Debug)]
pub enum Auth {
    /// None.
    None,
    /// User and password.
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
    /// Elasticsearch API key, encoded or as `id:key`.
    ApiKey(Secret),
    /// Bearer token.
    Bearer(Secret),
}

/// When an open batch closes: at whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Bytes before compression. A record that is larger travels alone.
    pub bytes: usize,
    /// Records.
    pub records: usize,
    /// Age of its oldest record.
    pub linger: Duration,
}

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip 1.
    Fast,
    /// gzip 6.
    Small,
    /// Not at all.
    None,
}

/// What happens when a destination cannot take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Reading stops for all that share the budget.
    Block,
    /// While the destination is in trouble, new records for it are dropped and counted.
    DropNewest,
}
