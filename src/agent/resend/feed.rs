//! From letters to batches: read back, redacted, encoded. Blocking; runs on a thread of its own and
//! waits there while more is in flight than the budget allows.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pillion_parsers::Arena;
use pillion_parsers::frame::{FileNumber, FileSpan};
use pillion_parsers::record::{Key, Record, Text, Value};
use pillion_parsers::redact::{BlockState, Clean, Redactor};

use super::{Done, Resend, wanted};
use crate::checkpoint::resume::Resume;
use crate::config::memory;
use crate::config::settings::{DestinationKind, Settings, WhenFull};
use crate::export::dead_letter::Reason;
use crate::export::dead_letter::kept::KeptLetter;
use crate::export::dead_letter::taken::{Line, Taken};
use crate::export::encode::names::decoded;
use crate::export::encode::{Encoder, EncoderError, Enrich, Place};
use crate::export::id::Instance;
use crate::export::lines::read::{self, Kept};
use crate::export::loki::push::metadata::normal_name;
use crate::export::queue::Queue;
use crate::export::stats::DestinationStats;
use crate::pipeline::outlet::{Outlet, OutletParts};
use crate::pipeline::pressure::Pressure;

/// Sends the letters of one agent into a destination's queue.
pub(super) struct Feed {
    files: Vec<(FileNumber, PathBuf)>,
    instance: Instance,
    only: Option<Reason>,
    /// What is settled, and what is there twice.
    done: Arc<Done>,
    outlet: Outlet,
    pressure: Pressure,
    redactor: Redactor,
    origin: Origin,
}

impl Feed {
    pub(super) fn new(
        what: &Resend,
        instance: Instance,
        files: &[(FileNumber, PathBuf)],
        done: &Arc<Done>,
        queue: &Arc<Queue>,
        stats: &Arc<DestinationStats>,
        pressure: &Pressure,
    ) -> Result<Self, EncoderError> {
        let (settings, destination) = (&what.settings, &what.destination);
        let Settings { schema, namespace, redact, .. } = &**settings;
        let encoder = Encoder::new(destination, *schema, namespace, redact, instance)?;
        let outlet = Outlet::new(OutletParts {
            name: destination.name.clone(),
            encoder,
            limits: destination.batch,
            most: memory::batch_limit(destination),
            // Nothing is dropped that was kept once.
            when_full: WhenFull::Block,
            share: settings.memory,
            queue: Arc::clone(queue),
            stats: Arc::clone(stats),
            pressure: pressure.clone(),
        });
        Ok(Self {
            files: files.to_vec(),
            instance,
            only: what.only,
            done: Arc::clone(done),
            outlet,
            pressure: pressure.clone(),
            redactor: Redactor::new(Arc::clone(&settings.redact)),
            origin: Origin::new(settings, what),
        })
    }

    /// Goes through all files.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut arena = Arena::new();
        for (file, path) in std::mem::take(&mut self.files) {
            Taken::lines(&path, |line| {
                self.take(file, line, &arena);
                arena.reset();
                match self.pressure.is_abandoned() {
                    true => io::Result::Ok(ControlFlow::Break(())),
                    false => Ok(ControlFlow::Continue(())),
                }
            })?;
        }
        self.outlet.drain(0);
        Ok(())
    }

    fn take(&mut self, file: FileNumber, line: Line<'_>, arena: &Arena) {
        if self.done.has(file, line.span) {
            return;
        }
        let Some(letter) = KeptLetter::read(line.bytes) else { return };
        if !wanted(self.only, &letter) || letter.id.instance != self.instance {
            return;
        }
        let Some(kept) = read::read(letter.record) else { return };
        let Kept { mut record, path, host, stamp } = kept;
        self.origin.follow(&path, &host, &mut record, &mut self.redactor);
        let read_at = stamp.or(record.time.map(|time| time.nanos)).unwrap_or(0);
        let spans = [FileSpan { file, span: line.span }];
        let resume = Resume::default();
        let mut block = BlockState::default();
        match self.redactor.redact(letter.record, &mut record, arena, &mut block) {
            Some(redacted) => {
                let Origin { path, host, enrich, .. } = &self.origin;
                let place = Place {
                    path: &path.1,
                    host: &host.1,
                    enrich,
                    id: letter.id,
                    // Too old and too new are for the server to say: it may have been told otherwise.
                    read_at,
                };
                self.outlet.add(&redacted, &place, &spans, &resume, 0);
            }
            None => self.outlet.drop_record(&spans, &resume, 0),
        }
        self.outlet.true_up();
    }
}

/// Names of constant fields, each as letters may have it, and its own.
type Names = Vec<(String, String)>;

/// Where the letters in hand came from; those of one File come in runs.
struct Origin {
    /// For each source of the destination, its files and the names of its constant fields.
    sources: Vec<(GlobSet, Names)>,
    /// The path as it was read, and cleaned.
    path: (String, Clean),
    host: (String, Clean),
    /// The names that are constant for files at this path.
    constant: Names,
    /// The constant fields, as they were read, and cleaned.
    fields: Vec<(String, String)>,
    enrich: Enrich,
}

impl Origin {
    fn new(settings: &Settings, what: &Resend) -> Self {
        let is_loki = matches!(what.destination.kind, DestinationKind::Loki(_));
        let destination = what.index;
        let sources = settings.sources.iter().filter(|source| source.to.contains(&destination));
        let sources = sources.map(|source| {
            let globs = source
                .files
                .iter()
                .filter_map(|glob| GlobBuilder::new(glob).literal_separator(true).build().ok());
            let mut set = GlobSetBuilder::new();
            globs.for_each(|glob| {
                set.add(glob);
            });
            (set.build().unwrap_or_default(), names(source.fields.keys(), is_loki))
        });
        let nowhere = || (String::new(), Clean::from_static(""));
        Self {
            sources: sources.collect(),
            path: nowhere(),
            host: nowhere(),
            constant: Vec::new(),
            fields: Vec::new(),
            enrich: Enrich::new(Vec::new()),
        }
    }

    /// Sees to it that this is where a record came from. Moves its source's constant fields, which a
    /// letter has among the others, out of it.
    fn follow(&mut self, path: &str, host: &str, record: &mut Record<'_>, redactor: &mut Redactor) {
        if self.path.0 != path {
            self.path = (path.to_owned(), redactor.clean(path));
            let source = self.sources.iter().find(|(files, _)| files.is_match(path));
            self.constant = source.map(|(_, names)| names.clone()).unwrap_or_default();
        }
        if self.host.0 != host {
            self.host = (host.to_owned(), redactor.clean(host));
        }
        let mut fields = Vec::new();
        record.fields.retain(|field| match constant(&self.constant, &field.key, &field.value) {
            Some(constant) => {
                fields.push(constant);
                false
            }
            None => true,
        });
        if fields != self.fields {
            let clean = fields.iter().map(|(name, value)| redactor.clean_field(name, value));
            self.enrich = Enrich::new(clean.collect());
            self.fields = fields;
        }
    }
}

/// Loki's letters have the names that its structured metadata has, but for those never sent.
fn names<'n>(own: impl Iterator<Item = &'n String>, is_loki: bool) -> Names {
    let both = own.flat_map(|name| {
        let normal = is_loki.then(|| normal_name(name)).filter(|normal| normal != name);
        normal.into_iter().chain([name.clone()]).map(|it| (it, name.clone())).collect::<Vec<_>>()
    });
    both.collect()
}

/// A field that has the name of a constant one.
fn constant(
    names: &[(String, String)],
    key: &Key<'_>,
    value: &Value<'_>,
) -> Option<(String, String)> {
    let Value::Text(text) = value else { return None };
    let (_, name) = names.iter().find(|(name, _)| name == key.name())?;
    let plain = |text: &Text<'_>| match text.is_escaped() {
        true => decoded(text.as_stored()),
        false => text.as_stored().to_owned(),
    };
    Some((name.clone(), plain(text)))
}

#[cfg(test)]
mod tests;
