//! The joiner of `auto`: a record goes on as the format of its first line asks for.
//!
//! Which format that is, the lineage's parser says by what it chose of the records before; where there
//! is no choice yet, the line itself. So where a record ends hangs on nothing but the lines and on the
//! choice as of its beginning, which is kept with the offset: the same bytes are framed in the same way
//! after a restart, and wherever chunks end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::machines::Machines;
use super::{JoinState, Joiner, LinePattern, Object, begins_with_any, is_indented};

/// What `auto` chose for a lineage: its parser writes it, its joiner reads it when a record begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice(Arc<AtomicU32>);

/// The choice at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// None was made yet.
    Nothing,
    /// Lines of no format.
    Plain,
    /// The format at this place.
    Format(u16),
}

impl Choice {
    /// Goes over to another choice.
    pub(crate) fn set(&self, chosen: Chosen) {
        let value = match chosen {
            Chosen::Nothing => 0,
            Chosen::Plain => 1,
            Chosen::Format(place) => u32::from(place) + 2,
        };
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Chosen {
        match self.0.load(Ordering::Relaxed) {
            0 => Chosen::Nothing,
            1 => Chosen::Plain,
            format => u16::try_from(format - 2).map_or(Chosen::Nothing, Chosen::Format),
        }
    }
}

/// The formats that `auto` knows, as far as joining goes.
pub(crate) trait Formats: Send + Sync {
    /// How a format's lines become records; `None` if as any other's.
    fn joining(&self, place: u16) -> Option<&Joining>;

    /// The format that a line is of, by itself.
    fn format_of(&self, line: &[u8]) -> Option<u16>;

    /// The format of which a line begins a record, if its records have several lines.
    fn begun_by(&self, line: &[u8]) -> Option<u16>;
}

/// How a format's lines become records under `auto`.
#[derive(Debug)]
pub(crate) enum Joining {
    /// By a joiner that takes no line of another format.
    By(Joiner),
    /// From a line that the pattern matches: traces, indented and empty lines go on with it, and as many
    /// others as `loose`, unless they are of a format themselves.
    From {
        /// What a first line matches.
        start: LinePattern,
        /// What one may match that stands ahead of that, and begins the record then.
        ahead: Option<LinePattern>,
        /// See there.
        loose: u16,
    },
}

impl Joining {
    /// Whether a record begins with a line, by its pattern or by what stands ahead of that.
    pub(crate) fn begins(&self, line: &[u8]) -> bool {
        match self {
            Self::By(_) => false,
            Self::From { start, ahead, .. } => {
                start.matches(line) || ahead.as_ref().is_some_and(|ahead| ahead.matches(line))
            }
        }
    }
}

/// See the module.
#[derive(Clone)]
pub(super) struct ByFormat {
    formats: Arc<dyn Formats>,
    choice: Choice,
}

/// How programs begin their last words: a record of its own, whatever came before.
const LAST_WORDS: [&[u8]; 8] = [
    b"panic: ",
    b"fatal error: ",
    b"Exception in thread ",
    b"thread '",
    b"Unhandled exception",
    b"Unhandled Exception",
    b"PHP Fatal error:",
    b"Uncaught ",
];

impl ByFormat {
    pub(super) fn new(formats: Arc<dyn Formats>, choice: Choice) -> Self {
        Self { formats, choice }
    }

    /// Whether a line continues the record before it.
    #[inline]
    pub(super) fn joins(&self, state: &mut JoinState, line: &[u8]) -> bool {
        match state.format.and_then(|place| self.formats.joining(place)) {
            None => join_traces(state, line),
            Some(Joining::By(joiner)) => joiner.joins(state, line),
            Some(joining @ Joining::From { start, .. }) => {
                if std::mem::take(&mut state.patterns.ahead) && start.matches(line) {
                    return true;
                }
                let blank = state.blank;
                let close =
                    join_traces(state, line) || !blank && (is_indented(line) || line.is_empty());
                let joins = (close || state.loose > 0)
                    && !joining.begins(line)
                    && (close || self.is_nothing_else(line));
                state.loose -= u16::from(joins && !close);
                if joins {
                    state.object = state.object.after(line);
                }
                if state.object == Object::Closed {
                    state.loose = 0;
                }
                state.blank = !joins && line.is_empty();
                joins
            }
        }
    }

    /// Whether no record begins with a line, as far as formats and traces tell.
    fn is_nothing_else(&self, line: &[u8]) -> bool {
        !begins_with_any(line, &LAST_WORDS) && self.formats.format_of(line).is_none()
    }

    /// Whether no line can continue the record as of the last one.
    pub(super) fn is_closed(&self, state: &JoinState) -> bool {
        match state.format.and_then(|place| self.formats.joining(place)) {
            Some(Joining::By(joiner)) => joiner.is_closed(state),
            _ => false,
        }
    }

    /// Begins a record with a line, which was asked about before.
    pub(super) fn begin(&self, state: &mut JoinState, line: &[u8]) {
        let format = match self.choice.get() {
            Chosen::Nothing => self.formats.format_of(line).or_else(|| self.formats.begun_by(line)),
            Chosen::Plain => self.formats.begun_by(line),
            Chosen::Format(place) => match self.formats.joining(place) {
                None => None,
                Some(joining @ Joining::From { loose: 1.., .. }) if !joining.begins(line) => {
                    self.formats.format_of(line).or(Some(place))
                }
                Some(_) => Some(place),
            },
        };
        if format != state.format {
            *state = JoinState { format, ..JoinState::default() };
            // What goes on from here on has to have seen it.
            self.joins(state, line);
        }
        let joining = format.and_then(|place| self.formats.joining(place));
        (state.loose, state.patterns.ahead) = match joining {
            Some(Joining::From { ahead, loose, .. }) => {
                state.object = Object::begun_by(line);
                let loose = if state.object == Object::Closed { 0 } else { *loose };
                (loose, ahead.as_ref().is_some_and(|ahead| ahead.matches(line)))
            }
            _ => (0, state.patterns.ahead),
        };
    }
}

fn join_traces(state: &mut JoinState, line: &[u8]) -> bool {
    let joins = Machines::ALL.join(&mut state.traces, line, state.blank);
    state.blank = !joins && line.is_empty();
    joins
}

impl fmt::Debug for ByFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by format, chosen {:?}", self.choice.get())
    }
}
