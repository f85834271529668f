//! The same way, told step by step: for `explain`, so that it says what the agent does.

use std::sync::Arc;

use pillion_parsers::frame::{LineEnding, Raw};
use pillion_parsers::redact::{Match, Redacted};

use super::Replay;
use crate::pipeline::lineage::Lineage;

/// One record on its way.
pub struct Explained<'e> {
    /// What the parser was given: unwrapped and joined, and not redacted.
    pub text: &'e [u8],
    /// The container's line format that was around it.
    pub container: Option<&'static str>,
    /// What `auto` has chosen so far.
    pub chosen: Option<Arc<str>>,
    /// What comes out; `None` when a rule drops the record.
    pub record: Option<&'e Redacted<'e, 'e>>,
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
            // Only a container's lines are of a stream.
            let container = raw.stream.map(|_| raw.container.name());
            preparer.prepare(context, &raw, |context, record| {
                let chosen = context.parser.chosen().cloned();
                then(Explained { text: raw.text, container, chosen, record });
            });
        };
        framer.push(run, now, &mut explain);
        framer.flush(&mut explain);
        self.offset += lines.len() as u64;
        self.preparer.explained.take().unwrap_or_default()
    }
}
