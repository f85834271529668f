//! The same way, told step by step: for `explain`, so that it says what the agent does.

use std::sync::Arc;

use pillion_parsers::frame::{FileSpan, LineEnding, Raw};
use pillion_parsers::redact::{Match, Redacted};

use super::Replay;
use crate::pipeline::lineage::{Context, Lineage};
use crate::pipeline::prepare::{DroppedBy, Preparer};

/// One record on its way.
pub struct Explained<'e> {
    /// What the parser was given: unwrapped and joined, and not redacted.
    pub text: &'e [u8],
    /// Where its first bytes lie.
    pub first: FileSpan,
    /// The container's line format that was around it.
    pub container: Option<&'static str>,
    /// What `auto` has chosen so far.
    pub chosen: Option<Arc<str>>,
    /// What comes out; `None` when the record is dropped.
    pub record: Option<&'e Redacted<'e, 'e>>,
    /// What the rules found in it, in order.
    pub matches: &'e [Match],
    /// The step that drops it, by its index in `Settings::steps`, if it is not a redaction rule.
    pub dropped_by: Option<usize>,
    /// Whether a time so far named its zone by an abbreviation that several have: it is taken for UTC.
    pub vague_zone: bool,
}

impl Replay {
    /// Takes lines, and lends `then` each record that ends in them.
    pub fn explain(
        &mut self,
        bytes: &[u8],
        ending: LineEnding,
        mut then: impl for<'e> FnMut(Explained<'e>),
    ) {
        let lines = self.lines(bytes, ending);
        let Lineage { framer, context } = &mut self.lineage;
        let (preparer, now) = (&mut self.preparer, context.read_at);
        framer.push(lines, now, &mut |raw| explain(preparer, context, &raw, &mut then));
        self.advance(bytes, ending);
    }

    /// Ends a record that a joiner holds open, and lends it to `then`.
    pub fn explain_rest(&mut self, mut then: impl for<'e> FnMut(Explained<'e>)) {
        let Lineage { framer, context } = &mut self.lineage;
        let preparer = &mut self.preparer;
        framer.flush(&mut |raw| explain(preparer, context, &raw, &mut then));
    }
}

fn explain(
    preparer: &mut Preparer,
    context: &mut Context,
    raw: &Raw<'_>,
    then: &mut impl for<'e> FnMut(Explained<'e>),
) {
    let Some(&first) = raw.spans.first() else { return };
    // Only a container's lines are of a stream.
    let container = raw.stream.map(|_| raw.container.name());
    context.explained.get_or_insert_default();
    preparer.prepare(context, raw, |context, part, record| {
        let dropped_by = match record {
            Err(DroppedBy::Step(step)) => Some(step),
            Ok(_) | Err(DroppedBy::Rule) => None,
        };
        then(Explained {
            text: part.text.as_bytes(),
            first,
            container,
            chosen: context.parser.chosen().cloned(),
            record: record.ok(),
            matches: context.explained.as_deref().unwrap_or_default(),
            dropped_by,
            vague_zone: context.parser.counters().vague_zones > 0,
        });
    });
}
