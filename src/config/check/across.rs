//! What no part can be blamed for alone: memory that does not suffice for all, and output that would be
//! input again.

use std::path::Path;

use super::source;
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::memory::{JOINERS, Need};
use crate::config::read::{Reader, Value};
use crate::config::settings::{Destination, DestinationKind, Settings, Source};
use crate::config::units::shown;

/// Refuses a `memory` that is smaller than what the rest needs at the least.
pub(super) fn enough_memory(
    reader: &mut Reader<'_>,
    memory: Option<Value<'_>>,
    settings: &Settings,
) {
    let place = |message: String| match memory {
        Some(value) => Mistake::at(value.place(), message),
        None => Mistake::anywhere(message),
    };
    let given = shown(settings.memory);
    let need = Need::of(settings);
    if need.total() > settings.memory {
        let message = format!("`memory` of {given} is too small: {need}");
        let help = format!(
            "give at least {}, or make `batch: bytes` or `max_record` smaller",
            shown(need.total())
        );
        reader.mistake(place(message).help(help));
    }
    let largest = settings.sources.iter().max_by_key(|source| source.max_record);
    if let Some(Source { name, max_record, .. }) = largest
        && settings.memory / JOINERS < *max_record
    {
        let message = format!(
            "`memory` of {given} is too small for `max_record` of {} in `{name}`: records being \
             joined may take a quarter of it",
            shown(*max_record)
        );
        let least = shown(max_record.saturating_mul(JOINERS));
        reader.mistake(place(message).help(format!("give at least {least}")));
    }
}

/// What pillion writes must not be what it reads. `keys` are the places of the sources' names.
pub(super) fn no_loops(reader: &mut Reader<'_>, keys: &[Place], settings: &Settings) {
    for (key, source) in keys.iter().zip(&settings.sources) {
        for Destination { name, kind, .. } in &settings.destinations {
            let DestinationKind::File { path } = kind else { continue };
            if source::reads(source, path) {
                let message = format!(
                    "{} reads {}, which `{name}` writes: it would ship its own output for ever",
                    quote(&source.name),
                    quote(&path.display().to_string())
                );
                reader.mistake(
                    Mistake::at(*key, message).help("name it under the source's `exclude`"),
                );
            }
        }
        if reads_state(source, settings) {
            let state = quote(&settings.state.display().to_string());
            let message =
                format!("{} reads pillion's own state directory {state}", quote(&source.name));
            let help = "choose another `state`, or name it under the source's `exclude`";
            reader.mistake(Mistake::at(*key, message).help(help));
        }
    }
}

/// Whether a source looks into the state directory: at what pillion writes there, or nowhere else.
fn reads_state(source: &Source, settings: &Settings) -> bool {
    let state = &settings.state;
    // One that was refused.
    if state.as_os_str().is_empty() {
        return false;
    }
    let dead_letters = settings
        .destinations
        .iter()
        .map(|destination| state.join("dead-letters").join(format!("{}.ndjson", destination.name)));
    let files = ["checkpoint", "checkpoint.previous", "instance", "instance.origin", "lock"];
    let mut written = files.iter().map(|name| state.join(name)).chain(dead_letters);
    written.any(|path| source::reads(source, &path))
        || source.files.iter().any(|glob| Path::new(glob).starts_with(state))
}
