//! One destination: its kind, and when its batches close.

use std::time::Duration;

use super::{elasticsearch, good_name, loki};
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::nearest::nearest;
use crate::config::read::{Fields, Reader, Value};
use crate::config::settings::{
    BatchLimits, Compression, Destination, DestinationKind, LokiFormat, WhenFull,
};
use crate::config::tree::Kind;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// More than any disk.
const MOST_BUFFERED: usize = 1 << 50;

/// The kinds, as a destination names them.
const KINDS: [&str; 4] = ["elasticsearch", "loki", "console", "file"];

/// Reads a destination. What was refused has a stand-in; `None` when not even its kind can be told.
pub(super) fn destination(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Destination> {
    let named = good_name(reader, value);
    let mut fields = reader.map(value)?;
    let given: Vec<_> = KINDS.iter().filter_map(|kind| fields.take(kind)).collect();
    let kind = kind(reader, &fields, &given);
    // Whatever is wrong inside, the limits are those of the kind it was to be.
    let (usual, most) = usual(given.first().map_or("", |kind| kind.name));
    let batch = fields.take("batch");
    let limits = batch.map_or(Some(usual), |value| batch_limits(reader, value, usual, most));
    let compression = fields.take("compression");
    let compression = compression.map_or(Some(Compression::Fast), |value| {
        let words = [
            ("fast", Compression::Fast),
            ("small", Compression::Small),
            ("none", Compression::None),
        ];
        let word = reader.one_of(value, &words)?;
        has_compression(reader, value.key, kind.as_ref()?).then_some(word)
    });
    let when_full = fields.take("when_full").map_or(Some(WhenFull::Block), |value| {
        let words = [("block", WhenFull::Block), ("drop_newest", WhenFull::DropNewest)];
        reader.one_of(value, &words)
    });
    let least = limits.map_or(0, |limits| limits.bytes.saturating_mul(2));
    let buffer = fields.take("buffer");
    let buffer = buffer.map_or(Some(None), |value| disk(reader, value, kind.as_ref(), least));
    fields.finish(reader);
    let name = reader.or(named.then_some(value.name), value.name).to_owned();
    Some(Destination {
        name,
        kind: kind?,
        batch: reader.or(limits, BatchLimits { bytes: 0, ..usual }),
        compression: reader.or(compression, Compression::Fast),
        when_full: reader.or(when_full, WhenFull::Block),
        buffer: reader.or(buffer, None),
    })
}

/// Exactly one of the kinds has to be there.
fn kind(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    given: &[Value<'_>],
) -> Option<DestinationKind> {
    match given {
        [] => {
            if fields.unknown().any(|key| nearest(key, KINDS.into_iter()).is_some()) {
                // The unknown key's own message says which kind it may be.
                return None;
            }
            let message = format!("{} has no kind", quote(fields.whole.name));
            let help = "name the server under `elasticsearch` or `loki`, or write `console: {}` or \
                        `file: {path: …}`";
            reader.mistake(Mistake::at(fields.whole.key, message).help(help));
            None
        }
        [one] => read_kind(reader, *one),
        [first, second, ..] => {
            let message = format!("{} is of two kinds at once", quote(fields.whole.name));
            reader.mistake(
                Mistake::at(second.key, message)
                    .label("a second kind")
                    .related(first.key, "the first")
                    .help("give each a destination of its own"),
            );
            for value in given {
                read_kind(reader, *value);
            }
            None
        }
    }
}

fn read_kind(reader: &mut Reader<'_>, value: Value<'_>) -> Option<DestinationKind> {
    match value.name {
        "elasticsearch" => {
            elasticsearch::elasticsearch(reader, value).map(DestinationKind::Elasticsearch)
        }
        "loki" => loki::loki(reader, value).map(DestinationKind::Loki),
        "console" => {
            reader.map_or_nothing(value)?.finish(reader);
            Some(DestinationKind::Console)
        }
        _ => {
            let path = if matches!(value.node.kind, Kind::Scalar { .. }) {
                reader.path(value)
            } else {
                let mut fields = reader.map(value)?;
                let path = fields.need("path", "write `file: {path: /var/tmp/out.ndjson}`");
                fields.finish(reader);
                path.and_then(|path| reader.path(path))
            };
            path.map(|path| DestinationKind::File { path })
        }
    }
}

/// What closes a batch where nothing is said, and the most bytes allowed.
fn usual(kind: &str) -> (BatchLimits, usize) {
    let second = Duration::from_secs(1);
    match kind {
        // Loki's distributor hands a batch to its ingesters in messages of at most 4 MiB, and
        // answers a larger one with a 500 that looks as if trying again could help.
        "loki" => (BatchLimits { bytes: MIB, records: 10_000, linger: second }, 4 * MIB),
        "console" => {
            let linger = Duration::from_millis(100);
            (BatchLimits { bytes: 64 * KIB, records: 1_000, linger }, 64 * MIB)
        }
        "file" => (BatchLimits { bytes: 256 * KIB, records: 10_000, linger: second }, 64 * MIB),
        // Elasticsearch refuses bodies over 100 MB, counted after decompression
        // (`http.max_content_length`).
        _ => (BatchLimits { bytes: 5 * MIB, records: 10_000, linger: second }, 95 * MIB),
    }
}

fn batch_limits(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    usual: BatchLimits,
    most: usize,
) -> Option<BatchLimits> {
    let mut fields = reader.map(value)?;
    let bytes = fields.take("bytes");
    let bytes = bytes.map_or(Some(usual.bytes), |value| reader.size(value, KIB..=most));
    let records = fields.take("records");
    let records = records.map_or(Some(usual.records), |value| reader.whole(value, 1..=1_000_000));
    let linger = fields.take("linger").map_or(Some(usual.linger), |value| {
        reader.duration(value, Duration::from_millis(1)..=Duration::from_secs(600))
    });
    fields.finish(reader);
    Some(BatchLimits { bytes: bytes?, records: records?, linger: linger? })
}

fn has_compression(reader: &mut Reader<'_>, place: Place, kind: &DestinationKind) -> bool {
    let message = match kind {
        DestinationKind::Elasticsearch(_) => return true,
        DestinationKind::Loki(loki) if loki.format == LokiFormat::Json => return true,
        DestinationKind::Loki(_) => "Loki's protobuf form is always compressed with snappy",
        DestinationKind::Console => "`console` writes plain lines",
        DestinationKind::File { .. } => "`file` writes plain lines",
    };
    reader.mistake(Mistake::at(place, message).help("remove `compression`"));
    false
}

/// The bytes of a disk buffer; nothing for `off`. It has to have room for two batches.
fn disk(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    kind: Option<&DestinationKind>,
    least: usize,
) -> Option<Option<u64>> {
    if matches!(value.node.kind, Kind::Scalar { .. }) && !value.node.is_null() {
        if reader.verbatim(value, "`off`")? == "off" {
            return Some(None);
        }
        let message = format!("`buffer` cannot be {}", value.quoted());
        let help = "write `buffer: off`, or `buffer: {disk: 1GiB}`";
        reader.mistake(Mistake::at(value.place(), message).help(help));
        return None;
    }
    let mut fields = reader.map(value)?;
    let disk = fields.need("disk", "write `buffer: {disk: 1GiB}`");
    fields.finish(reader);
    let bytes = disk.and_then(|disk| reader.size(disk, least.max(MIB)..=MOST_BUFFERED))?;
    if matches!(kind, Some(DestinationKind::Console | DestinationKind::File { .. })) {
        let message = "only `elasticsearch` and `loki` have a disk buffer";
        let help = "remove `buffer`: what cannot be written stays in the log files";
        reader.mistake(Mistake::at(value.key, message).help(help));
        return None;
    }
    Some(Some(bytes as u64))
}
