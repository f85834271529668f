//! The form of a destination's bodies: a buffer holds one form only, since what was encoded for one
//! kind of server means nothing to another.

use std::path::{Path, PathBuf};

use crate::config::settings::{Compression, Destination, DestinationKind, LokiFormat};
use crate::export::dead_letter::file::stem;

/// How a destination's bodies are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bulk,
    BulkGzip,
    PushSnappy,
    PushJson,
    PushJsonGzip,
}

impl Form {
    const ALL: [Self; 5] =
        [Self::Bulk, Self::BulkGzip, Self::PushSnappy, Self::PushJson, Self::PushJsonGzip];

    /// A destination's form; `None` where nothing is buffered.
    pub(super) fn of(destination: &Destination) -> Option<Self> {
        let plain = destination.compression == Compression::None;
        match &destination.kind {
            DestinationKind::Elasticsearch(_) if plain => Some(Self::Bulk),
            DestinationKind::Elasticsearch(_) => Some(Self::BulkGzip),
            DestinationKind::Loki(loki) => Some(match loki.format {
                LokiFormat::Protobuf => Self::PushSnappy,
                LokiFormat::Json if plain => Self::PushJson,
                LokiFormat::Json => Self::PushJsonGzip,
            }),
            DestinationKind::Console | DestinationKind::File { .. } => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::BulkGzip => "bulk-gzip",
            Self::PushSnappy => "push-snappy",
            Self::PushJson => "push-json",
            Self::PushJsonGzip => "push-json-gzip",
        }
    }

    /// Where a destination's buffer of this form is.
    pub(super) fn directory(self, state: &Path, destination: &str) -> PathBuf {
        of_destination(state, destination).join(self.name())
    }

    /// Directories of the destination's that hold segments of another form, with its name.
    pub(super) fn others(
        form: Option<Self>,
        state: &Path,
        destination: &str,
    ) -> Vec<(&'static str, PathBuf)> {
        let others = Self::ALL.into_iter().filter(|other| Some(*other) != form);
        others
            .map(|other| (other.name(), other.directory(state, destination)))
            .filter(|(_, directory)| holds_segments(directory))
            .collect()
    }
}

/// Where the buffers of a destination are.
fn of_destination(state: &Path, destination: &str) -> PathBuf {
    state.join("buffer").join(stem(destination))
}

/// Directories of destinations that are not among these, and hold segments.
pub(super) fn strangers(state: &Path, destinations: &[&str]) -> Vec<PathBuf> {
    let known: Vec<_> = destinations.iter().map(|name| of_destination(state, name)).collect();
    let entries = std::fs::read_dir(state.join("buffer")).into_iter().flatten();
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let holds =
        |path: &PathBuf| Form::ALL.iter().any(|form| holds_segments(&path.join(form.name())));
    paths.filter(|path| !known.contains(path) && holds(path)).collect()
}

/// Whether there is a segment in a directory.
pub(super) fn holds_segments(directory: &Path) -> bool {
    let is_segment = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|it| it == "segment"))
    };
    std::fs::read_dir(directory).is_ok_and(|mut entries| entries.any(is_segment))
}
