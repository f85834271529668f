//! A record that may still go on. As long as its lines lie side by side in the chunk it is two
//! places in it ([`Run`]); else, and when the chunk ends, it is copied and grows in a bounded buffer
//! ([`Held`]). Both give the same record for the same lines.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::line::{Line, Place, Terminator, cut};
use super::{Container, FileSpan, Raw, Stream};
use crate::multiline::{JoinState, Joiner};
use crate::record::Time;

/// Spans that do not touch, which one record may have: a stream whose lines alternate with
/// another's adds one for each. A record that needs more is cut there.
const MOST_SPANS: usize = 1024;

/// A buffer that grew past this many bytes is not kept for the next record.
const KEPT_CAPACITY: usize = 16 * 1024;

/// What is known of a record besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    stream: Option<Stream>,
    time: Option<Time>,
    /// As of its last line.
    container: Container,
    /// Of its last line.
    terminator: Terminator,
    /// The last line goes on in a later part.
    within_line: bool,
    /// More than one line.
    joined: bool,
    partial: bool,
    truncated: bool,
}

impl Facts {
    fn of(line: &Line<'_>, limit: usize) -> Self {
        Self {
            stream: line.stream,
            time: line.time,
            container: line.container,
            terminator: line.terminator,
            within_line: !line.ends,
            joined: false,
            partial: line.partial,
            truncated: line.cut || line.text.len() > limit,
        }
    }

    /// Takes in a line, or part of one, that the record goes on with.
    fn add(&mut self, line: &Line<'_>) {
        self.joined |= !self.within_line;
        self.container = line.container;
        self.terminator = line.terminator;
        self.within_line = !line.ends;
        self.partial |= line.partial;
        self.truncated |= line.cut;
    }

    fn raw<'a>(&self, text: &'a [u8], spans: &'a [FileSpan], hash: u64) -> Raw<'a> {
        let text = if self.joined { without_blank_end(text) } else { text };
        // Of a line that was cut, the bytes are the same wherever that was: what is kept tells it from
        // the same line cut elsewhere, and the complement from a line that ended there.
        let hash = if self.truncated { !xxh3_64(text) } else { hash };
        Raw {
            text,
            spans,
            hash: low_half(hash),
            stream: self.stream,
            container_time: self.time,
            container: self.container,
            partial: self.partial || self.within_line,
            truncated: self.truncated,
        }
    }
}

/// The low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "an id has room for half of the hash")]
const fn low_half(hash: u64) -> u32 {
    hash as u32
}

/// A join's text without the blank lines it ends in, which a joiner takes in before it can know that
/// nothing follows.
fn without_blank_end(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_suffix(b"\n") {
        text = rest.strip_suffix(b"\r").unwrap_or(rest);
    }
    text
}

/// A record whose lines lie side by side in the chunk.
#[derive(Clone, Copy)]
struct Run {
    raw: Place,
    text: Place,
    at: FileSpan,
    facts: Facts,
}

/// A record that was copied. Without spans it is none, only buffers kept for the next.
#[derive(Default)]
struct Held {
    text: Vec<u8>,
    spans: Vec<FileSpan>,
    hash: Xxh3,
    facts: Facts,
}

impl Held {
    fn begin(&mut self, text: &[u8], at: FileSpan, raw: &[u8], facts: Facts) {
        self.text.clear();
        self.text.extend_from_slice(text);
        self.spans.clear();
        self.spans.push(at);
        self.hash.reset();
        self.hash.update(raw);
        self.facts = facts;
    }

    fn add(&mut self, line: &Line<'_>, chunk: &[u8], limit: usize) {
        if !self.facts.within_line {
            self.append(self.facts.terminator.separator(), limit);
        }
        // Of a line that was cut, no later part is kept.
        if !self.facts.truncated {
            let room = limit.saturating_sub(self.text.len());
            let kept = cut(line.text, room);
            self.append(kept, limit);
            self.facts.truncated = kept.len() < line.text.len();
        }
        self.hash.update(line.raw.of(chunk));
        match self.spans.last_mut() {
            Some(last) if touches(*last, line.at) => last.span.end = line.at.span.end,
            _ => self.spans.push(line.at),
        }
        self.facts.add(line);
    }

    /// Appends, growing by doubling but never past `limit`: what was asked for is what is taken.
    fn append(&mut self, bytes: &[u8], limit: usize) {
        let need = self.text.len() + bytes.len();
        if need > self.text.capacity() {
            let grown = (self.text.capacity() * 2).min(limit).max(need);
            self.text.reserve_exact(grown - self.text.len());
        }
        self.text.extend_from_slice(bytes);
    }

    fn clear(&mut self) {
        self.spans.clear();
        self.spans.shrink_to(KEPT_CAPACITY / size_of::<FileSpan>());
        self.text.clear();
        self.text.shrink_to(KEPT_CAPACITY);
    }
}

fn touches(before: FileSpan, after: FileSpan) -> bool {
    before.file == after.file && before.span.end == after.span.start
}

/// Where the record of one stream is kept while it may go on.
#[derive(Default)]
pub(super) struct Slot {
    /// Places in the chunk at hand: none between pushes. Never beside a record that is held.
    run: Option<Run>,
    /// Boxed and made when first needed: most lineages are idle and hold nothing.
    held: Option<Box<Held>>,
    joining: JoinState,
    /// When the last line came.
    last: i64,
}

impl Slot {
    /// Takes in a line, and emits what ends with it.
    pub(super) fn take(
        &mut self,
        line: &Line<'_>,
        chunk: &[u8],
        joiner: &Joiner,
        limit: usize,
        emit: &mut dyn FnMut(Raw<'_>),
    ) {
        let within = self.within_line();
        if joiner.is_none() && line.ends && within.is_none() {
            return emit(Facts::of(line, limit).raw(
                cut(line.text, limit),
                &[line.at],
                xxh3_64(line.raw.of(chunk)),
            ));
        }
        let goes_on = within == Some(true)
            || joiner.joins(&mut self.joining, line.text) && !self.parts(line, chunk, joiner);
        if goes_on && self.open().is_some_and(|open| open.has_room(line, limit)) {
            self.add(line, chunk, limit);
        } else {
            // What goes on with a record that is full goes on as that one did.
            let full = goes_on && self.within_line().is_some();
            self.end(goes_on, chunk, emit);
            if !full {
                joiner.begin(&mut self.joining, line.text);
            }
            self.begin(line, chunk, limit);
        }
        if line.ends && joiner.is_closed(&self.joining) {
            self.end(false, chunk, emit);
        }
    }

    /// Whether a line that joins the open record begins one of its own, for what that says.
    #[inline]
    fn parts(&self, line: &Line<'_>, chunk: &[u8], joiner: &Joiner) -> bool {
        let record = match (&self.run, self.held.as_deref()) {
            (Some(run), _) => run.text.of(chunk),
            (None, Some(held)) if !held.spans.is_empty() => &held.text,
            _ => return false,
        };
        joiner.parts(&self.joining, record, line.text)
    }

    fn begin(&mut self, line: &Line<'_>, chunk: &[u8], limit: usize) {
        let facts = Facts::of(line, limit);
        let text = cut(line.text, limit);
        match line.lent {
            Some(Place { start, .. }) => {
                let text = Place { start, end: start + text.len() };
                self.run = Some(Run { raw: line.raw, text, at: line.at, facts });
            }
            None => {
                let held = self.held.get_or_insert_default();
                held.begin(text, line.at, line.raw.of(chunk), facts);
            }
        }
    }

    fn add(&mut self, line: &Line<'_>, chunk: &[u8], limit: usize) {
        if let Some(run) = &mut self.run
            && let Some(text) = line.lent
            // Nothing between the texts but the terminator: what joining would put there.
            && run.text.end + run.facts.terminator.separator().len() == text.start
        {
            run.text.end = text.end;
            run.raw.end = line.raw.end;
            run.at.span.end = line.at.span.end;
            run.facts.add(line);
            return;
        }
        self.hold(chunk);
        if let Some(held) = &mut self.held {
            held.add(line, chunk, limit);
        }
    }

    /// Copies the record that is still in the chunk: its only copy.
    pub(super) fn hold(&mut self, chunk: &[u8]) {
        if let Some(run) = self.run.take() {
            let held = self.held.get_or_insert_default();
            held.begin(run.text.of(chunk), run.at, run.raw.of(chunk), run.facts);
        }
    }

    /// Notes when its last line came.
    pub(super) fn touch(&mut self, now: i64) {
        self.last = now;
    }

    /// Ends the open record, if there is one. `cut`: it would have gone on.
    pub(super) fn end(&mut self, cut: bool, chunk: &[u8], emit: &mut dyn FnMut(Raw<'_>)) {
        if let Some(run) = &mut self.run {
            run.facts.truncated |= cut;
            emit(run.facts.raw(run.text.of(chunk), &[run.at], xxh3_64(run.raw.of(chunk))));
            self.run = None;
        } else if let Some(held) = self.held.as_deref_mut().filter(|held| !held.spans.is_empty()) {
            held.facts.truncated |= cut;
            emit(held.facts.raw(&held.text, &held.spans, held.hash.digest()));
            held.clear();
        }
    }

    /// Forgets what the joiner saw, and gives idle buffers back.
    pub(super) fn forget(&mut self) {
        self.joining = JoinState::default();
        self.release();
    }

    /// Gives idle buffers back.
    pub(super) fn release(&mut self) {
        self.held = self.held.take().filter(|held| !held.spans.is_empty());
    }

    /// What the held record is made of.
    pub(super) fn spans(&self) -> &[FileSpan] {
        self.held.as_deref().map_or(&[], |held| &held.spans)
    }

    /// Where the held record begins, and when its last line came.
    pub(super) fn pending(&self) -> Option<(FileSpan, i64)> {
        let first = self.held.as_deref()?.spans.first()?;
        Some((*first, self.last))
    }

    /// Bytes of memory in buffers.
    pub(super) fn resident(&self) -> usize {
        self.held.as_deref().map_or(0, |held| {
            size_of::<Held>() + held.text.capacity() + held.spans.capacity() * size_of::<FileSpan>()
        })
    }

    /// Whether the open record, if there is one, ends within a line.
    #[inline]
    fn within_line(&self) -> Option<bool> {
        match (&self.run, self.held.as_deref()) {
            (Some(run), _) => Some(run.facts.within_line),
            (None, Some(held)) if !held.spans.is_empty() => Some(held.facts.within_line),
            _ => None,
        }
    }

    fn open(&self) -> Option<Open> {
        if let Some(run) = &self.run {
            return Some(Open { text: run.text.len(), last: run.at, spans: 1, facts: run.facts });
        }
        let held = self.held.as_deref()?;
        let last = *held.spans.last()?;
        Some(Open { text: held.text.len(), last, spans: held.spans.len(), facts: held.facts })
    }
}

/// What decides whether a record may grow.
#[derive(Clone, Copy)]
struct Open {
    /// Bytes of text.
    text: usize,
    last: FileSpan,
    spans: usize,
    facts: Facts,
}

impl Open {
    /// Whether the record may take in this line, or part of one. A line is cut where the record is
    /// full; a join ends before the line that does not fit, so that nothing of it is lost.
    fn has_room(&self, line: &Line<'_>, limit: usize) -> bool {
        let text = self.text + self.facts.terminator.separator().len() + line.text.len();
        (self.facts.within_line || (text <= limit && !self.facts.truncated))
            && (self.spans < MOST_SPANS || touches(self.last, line.at))
    }
}
