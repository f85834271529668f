//! The same way, told step by step: for `explain`, so that it says what the agent does.

use std::sync::Arc;

use pillion_parsers::frame::{FileSpan, LineEnding, Raw};
use pillion_parsers::redact::{Match, Redacted};

use super::Replay;
use crate::pipeline::lineage::Lineage;
use crate::pipeline::prepare::DroppedBy;

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
    /// The step that drops it, by its index in `Settings::steps`, if it is not a redaction rule.
    pub dropped_by: Option<usize>,
}

impl Replay {
    /// Takes whole lines, and lends `then` each record that they become. Returns what was redacted
    /// in all of them.
    pub fn explain(
        &mut self,
        lines: &[u8],
        mut then: impl for<'e> FnMut(Explained<'e>),
    ) -> Vec<Match> {
        let run = self.lines(lines, LineEnding::Newline);
        let Lineage { framer, context } = &mut self.lineage;
        let (preparer, now) = (&mut self.preparer, context.read_at);
        preparer.explained = Some(Vec::new());
        let mut explain = |raw: Raw<'_>| {
            let Some(&first) = raw.spans.first() else { return };
            // Only a container's lines are of a stream.
            let container = raw.stream.map(|_| raw.container.name());
            preparer.prepare(context, &raw, |context, part, record| {
                let chosen = context.parser.chosen().cloned();
                let dropped_by = match record {
                    Err(DroppedBy::Step(step)) => Some(step),
                    Ok(_) | Err(DroppedBy::Rule) => None,
                };
                let record = record.ok();
                then(Explained {
                    text: part.text.as_bytes(),
                    first,
                    container,
                    chosen,
                    record,
                    dropped_by,
                });
            });
        };
        framer.push(run, now, &mut explain);
        framer.flush(&mut explain);
        self.offset += lines.len() as u64;
        self.preparer.explained.take().unwrap_or_default()
    }
}
