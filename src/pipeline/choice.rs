//! What `auto` chose for a lineage, as it is counted and said.

use std::sync::Arc;

use pillion_parsers::parse::Parser;

use super::stats::PipelineStats;

/// Changes of mind that are said of one lineage: one whose lines change all the time would fill the log.
const SAID: u8 = 8;

/// The choice that a lineage is counted under, and no longer once this is dropped.
#[derive(Debug, Default)]
pub(super) struct CountedChoice {
    counted: Option<(Arc<str>, Arc<PipelineStats>)>,
    said: u8,
}

impl CountedChoice {
    /// Says and counts what a lineage's parser has chosen, if that is something else than before.
    pub(super) fn follow(
        &mut self,
        parser: &Parser,
        path: &str,
        source: &str,
        stats: &Arc<PipelineStats>,
    ) {
        let Some(chosen) = parser.chosen() else { return };
        if self.counted.as_ref().is_some_and(|(counted, _)| Arc::ptr_eq(counted, chosen)) {
            return;
        }
        let before = self.counted.take().map(|(before, stats)| {
            stats.count_choice(&before, false);
            before
        });
        stats.count_choice(chosen, true);
        self.counted = Some((chosen.clone(), stats.clone()));
        if self.said >= SAID || before.as_ref() == Some(chosen) {
            return;
        }
        self.said += 1;
        let (fitting, of) = parser.sure().unwrap_or_default();
        let before = before.as_deref().unwrap_or("none");
        tracing::info!(
            source,
            path,
            format = &**chosen,
            before,
            "auto reads the file by this format, which {fitting} of the last {of} records fit; name a \
             `parser` if it is another",
        );
        if self.said == SAID {
            tracing::info!(
                path,
                "auto goes on to follow the lines of this file, and says no more of it"
            );
        }
    }
}

impl Drop for CountedChoice {
    fn drop(&mut self) {
        if let Some((counted, stats)) = &self.counted {
            stats.count_choice(counted, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use pillion_parsers::Arena;
    use pillion_parsers::parse::{Library, ParserState, ReadAt};
    use pillion_parsers::record::Record;

    use super::*;

    fn read(parser: &mut Parser, line: &str, times: usize) {
        for _ in 0..times {
            let (arena, mut record) = (Arena::new(), Record::default());
            parser.parse(line, ReadAt::default(), &arena, &mut record);
        }
    }

    #[test]
    fn a_lineage_is_counted_under_one_format_as_long_as_it_is_there() {
        let stats = Arc::new(PipelineStats::new(0, 0));
        let library = Library::builtin();
        let mut parser = Parser::new(&library, "auto", ParserState::default()).expect("there");
        let mut choice = CountedChoice::default();
        let mut follow = |parser: &Parser| {
            choice.follow(parser, "/var/log/app.log", "app", &stats);
            stats.choices()
        };
        assert_eq!(follow(&parser), []);
        read(&mut parser, r#"{"level":"info","msg":"hi"}"#, 3);
        assert_eq!(follow(&parser), [("json".into(), 1)]);
        assert_eq!(follow(&parser), [("json".into(), 1)]);
        read(&mut parser, "level=info msg=hi", 40);
        assert_eq!(follow(&parser), [("logfmt".into(), 1)]);
        drop(choice);
        assert_eq!(stats.choices(), []);
    }
}
