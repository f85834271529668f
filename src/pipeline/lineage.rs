//! What a worker keeps per lineage: its framer, its parser, and where each destination stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use pillion_parsers::frame::{
    Container, FileNumber, FileSpan, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::{Joiner, LinePattern};
use pillion_parsers::parse::{Library, Parser, ParserState};
use pillion_parsers::redact::{BlockState, Clean, Match, Redactor};

use super::choice::CountedChoice;
use super::chunk::{Head, Opened};
use super::stats::SourceStats;
use crate::checkpoint::resume::Resume;
use crate::config::settings::{Multiline, Source};
use crate::export::encode::Enrich;

/// A lineage's state in the worker that owns it.
pub(super) struct Lineage {
    pub(super) framer: Framer,
    pub(super) context: Context,
}

/// Everything but the framer: what a framed record is handled with.
pub(super) struct Context {
    pub(super) parser: Parser,
    pub(super) block: BlockState,
    /// The path as it may be shown.
    pub(super) path: Clean,
    /// Whether the joiner goes by what the parser finds out.
    joins_by_format: bool,
    /// What `auto` chose, as far as it was counted and said.
    pub(super) choice: CountedChoice,
    /// Bytes that a record may have.
    pub(super) max_record: usize,
    /// What is counted for the lineage's source.
    pub(super) source: Arc<SourceStats>,
    /// The source's constant fields, redacted once.
    pub(super) enrich: Enrich,
    /// Indexes of the steps that this lineage's records take, in order.
    pub(super) steps: Vec<usize>,
    /// Indexes of the destinations that get this lineage's records.
    pub(super) to: Vec<usize>,
    /// Per File, where each destination stood after an earlier run.
    settled: BTreeMap<FileNumber, Settled>,
    /// The state as of the record handled last.
    pub(super) resume: Resume,
    /// When the last chunk was read, nanoseconds since the Unix epoch: the time of records that
    /// carry none.
    pub(super) read_at: i64,
    /// What was redacted of the record handled last, and why; only while somebody wants to know.
    pub(super) explained: Option<Vec<Match>>,
    /// The File whose lines came last, or come first.
    at: FileNumber,
    /// Whether that one brings no more lines.
    at_retired: bool,
    /// Where Files stand that go on in their middle, not after the lines that came last. Boxed: there
    /// is seldom one.
    elsewhere: BTreeMap<FileNumber, Box<State>>,
}

/// How much of a File was settled before.
struct Settled {
    /// By destination, the offset up to which everything is.
    upto: Vec<u64>,
    /// The File brings no more lines.
    retired: bool,
}

/// What the lines of a File leave to its next ones.
struct State {
    parser: Parser,
    block: BlockState,
    resume: Resume,
}

impl Lineage {
    /// The state for a lineage that begins, or goes on after a restart, with `opened`.
    pub(super) fn new(
        opened: &Opened,
        source: &Source,
        library: &Arc<Library>,
        joiner: Joiner,
        stats: &Arc<SourceStats>,
        redactor: &mut Redactor,
    ) -> Self {
        let mut parser = new_parser(source, library, &opened.resume);
        let joiner = joiner_of(&parser, source).unwrap_or(joiner);
        let mut framer = Framer::new(FrameSettings {
            // The containers' own line formats are unwrapped before joining; which one, the parser's
            // name says.
            container: Container::from_name(source.parser()).unwrap_or_default(),
            joiner,
            max_record: source.max_record,
        });
        learn(&mut parser, opened, framer.settings());
        framer.resume(opened.resume.container);
        let enrich =
            source.fields.iter().map(|(key, value)| redactor.clean_field(key, value)).collect();
        let enrich = Enrich::new(enrich);
        Self {
            framer,
            context: Context {
                joins_by_format: joiner_of(&parser, source).is_some(),
                choice: CountedChoice::default(),
                parser,
                block: BlockState::resumed(opened.resume.in_private_key),
                path: redactor.clean(&opened.path),
                max_record: source.max_record,
                source: Arc::clone(stats),
                enrich,
                steps: source.steps.clone(),
                to: source.to.clone(),
                settled: BTreeMap::new(),
                resume: opened.resume.clone(),
                read_at: 0,
                explained: None,
                at: opened.file,
                at_retired: false,
                elsewhere: BTreeMap::new(),
            },
        }
    }

    /// Learns of another File of the lineage. One that goes on in its middle does so in the state it
    /// had there; one that begins goes on in that of the lines before.
    pub(super) fn open(&mut self, opened: &Opened, source: &Source, library: &Arc<Library>) {
        if opened.file == self.context.at {
            self.context.at_retired = false;
        } else if opened.offset > 0 {
            self.context.elsewhere.entry(opened.file).or_insert_with(|| {
                let mut parser = new_parser(source, library, &opened.resume);
                learn(&mut parser, opened, self.framer.settings());
                Box::new(State {
                    parser,
                    block: BlockState::resumed(opened.resume.in_private_key),
                    resume: opened.resume.clone(),
                })
            });
        }
        if opened.settled.iter().any(|settled| *settled > opened.offset) {
            let settled = Settled { upto: opened.settled.clone(), retired: false };
            self.context.settled.insert(opened.file, settled);
        }
    }

    /// Hears that a File brings no more lines. It is forgotten when none of them is held any longer,
    /// which is looked at whenever another retires.
    pub(super) fn retire(&mut self, file: FileNumber) {
        if let Some(settled) = self.context.settled.get_mut(&file) {
            settled.retired = true;
        }
        self.context.elsewhere.remove(&file);
        self.context.at_retired |= self.context.at == file;
        let framer = &self.framer;
        self.context.settled.retain(|file, settled| !settled.retired || framer.holds(*file));
    }
}

impl Context {
    /// Whether a destination got all of these bytes in an earlier run. Differently framed bytes,
    /// which reach past what is settled, are sent again rather than lost.
    pub(super) fn is_settled(&self, destination: usize, spans: &[FileSpan]) -> bool {
        !self.settled.is_empty()
            && spans.iter().all(|span| {
                self.settled
                    .get(&span.file)
                    .and_then(|settled| settled.upto.get(destination))
                    .is_some_and(|settled| span.span.end <= *settled)
            })
    }

    /// Whether a File's next lines go on in another state than that of the lines before. What is open
    /// is to be ended first.
    pub(super) fn leaps_to(&self, file: FileNumber) -> bool {
        self.at != file && self.elsewhere.contains_key(&file)
    }

    /// Goes on with a File's lines. If that changes the state, the framer hears of it.
    pub(super) fn turn_to(&mut self, file: FileNumber, framer: &mut Framer) {
        let left = std::mem::replace(&mut self.at, file);
        let over = left != file && std::mem::take(&mut self.at_retired);
        let state = self.elsewhere.remove(&file).filter(|_| left != file);
        let Some(mut state) = state else { return };
        std::mem::swap(&mut self.parser, &mut state.parser);
        std::mem::swap(&mut self.block, &mut state.block);
        std::mem::swap(&mut self.resume, &mut state.resume);
        if !over {
            self.elsewhere.insert(left, state);
        }
        framer.resume(self.resume.container);
        if let Some(joiner) = self.parser.joiner().filter(|_| self.joins_by_format) {
            framer.join_by(joiner);
        }
    }

    /// Brings [`Context::resume`] up to the record just handled.
    pub(super) fn catch_up(&mut self, container: Container) {
        let chosen = self.parser.chosen();
        if chosen.map(Arc::as_ptr) != self.resume.parser.as_ref().map(Arc::as_ptr) {
            self.resume.parser = chosen.cloned();
        }
        self.resume.tally = self.parser.tally();
        self.resume.in_private_key = self.block.is_inside();
        self.resume.container = container;
        self.resume.header = self.parser.header();
    }
}

fn new_parser(source: &Source, library: &Arc<Library>, resume: &Resume) -> Parser {
    let state = ParserState { chosen: resume.parser.clone(), tally: resume.tally };
    let names = source.parsers.iter().map(String::as_str);
    let parser = Parser::chain(library, names, state).unwrap_or_else(|unknown| {
        // The configuration's check knows every name; should one slip through, its lines still ship.
        tracing::error!(parser = %unknown.0, "unknown parser, lines are shipped whole");
        Parser::plain()
    });
    parser.in_zone(&source.zone)
}

/// Tells a parser what stands above the lines that it goes on with.
fn learn(parser: &mut Parser, opened: &Opened, settings: &FrameSettings) {
    let Some(Head { offset, bytes, encoding }) = &opened.head else { return };
    let mut framer = Framer::new(settings.clone());
    framer.resume(opened.resume.container);
    let (file, start, encoding, ending) = (opened.file, *offset, *encoding, LineEnding::Newline);
    let mut learn = |raw: Raw<'_>| {
        if let Some(first) = raw.spans.first() {
            parser.place(*first);
            parser.learn(&String::from_utf8_lossy(raw.text));
        }
    };
    framer.push(Lines { file, start, bytes, ending, encoding }, 0, &mut learn);
    framer.flush(&mut learn);
    if !parser.end_learning(start + bytes.len() as u64 == opened.offset) {
        tracing::warn!(path = ?opened.path, "no header was found: the file's lines are shipped whole");
    }
}

/// The joiner that goes by what a parser finds out, unless the source says another.
fn joiner_of(parser: &Parser, source: &Source) -> Option<Joiner> {
    parser.joiner().filter(|_| source.multiline == Multiline::Default)
}

/// A source's joiner, to be cloned for each of its lineages: they share what a pattern takes.
pub(super) fn joiner(source: &Source, library: &Library) -> Joiner {
    let declared = || library.definition(source.parser())?.implied_joiner();
    match &source.multiline {
        Multiline::Off => None,
        Multiline::Default => declared(),
        Multiline::Named(name) => Joiner::named(name),
        Multiline::Patterns(patterns) => {
            let compiled = patterns.iter().map(|(part, pattern)| LinePattern::new(*part, pattern));
            // The configuration's check has compiled them; should one slip through, lines still ship.
            let compiled: Result<Vec<_>, _> = compiled.collect();
            let joiner = compiled.map(Joiner::of_patterns);
            joiner.inspect_err(|error| tracing::error!(error, "lines are not joined")).ok()
        }
    }
    .unwrap_or_else(Joiner::none)
}
