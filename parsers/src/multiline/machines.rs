//! The languages' machines together: which of them have to look at a line, and what their answers
//! make of it.

use super::below::{Below, Head};
use super::{contains, dotnet, go, java, node, php, python, ruby, rust};

/// A set of languages, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machines(u8);

/// How far into a trace each machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct States {
    java: java::State,
    python: python::State,
    go: go::State,
    node: node::State,
    ruby: ruby::State,
    php: php::State,
    dotnet: dotnet::State,
    rust: rust::State,
}

/// What is remembered of the lines so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traces {
    states: States,
    /// The machines that are not at rest.
    busy: u8,
    below: Below,
    /// Of the record's first line.
    head: Head,
    /// After an empty line below a logger's: a trace may still follow.
    gap: bool,
    /// The line at hand began a trace that goes on with no other.
    fresh: bool,
}

impl Traces {
    /// Whether the line that was just joined begins a trace, and not one more of a chain.
    pub(super) const fn is_fresh(&self) -> bool {
        self.fresh
    }
}

const JAVA: u8 = 1;
const PYTHON: u8 = 1 << 1;
const GO: u8 = 1 << 2;
const NODE: u8 = 1 << 3;
const RUBY: u8 = 1 << 4;
const PHP: u8 = 1 << 5;
const DOTNET: u8 = 1 << 6;
const RUST: u8 = 1 << 7;

/// The machines whose traces may follow an empty line: Spring Boot prints one before each, so do
/// glog and `anyhow`.
const AFTER_GAP: u8 = JAVA | GO | RUST;

/// Machines that may leave their rest at a line that begins with this byte.
static OPENED_BY: [u8; 256] = opened_by();

const fn opened_by() -> [u8; 256] {
    const OPENERS: [(u8, &[u8]); 8] = [
        (JAVA, java::OPENERS),
        (PYTHON, python::OPENERS),
        (GO, go::OPENERS),
        (NODE, node::OPENERS),
        (RUBY, ruby::OPENERS),
        (PHP, php::OPENERS),
        (DOTNET, dotnet::OPENERS),
        (RUST, rust::OPENERS),
    ];
    let mut table = [0; 256];
    let mut machine = 0;
    while machine < OPENERS.len() {
        let (bit, openers) = OPENERS[machine];
        let mut at = 0;
        while at < openers.len() {
            table[openers[at] as usize] |= bit;
            at += 1;
        }
        machine += 1;
    }
    table
}

impl Machines {
    pub(super) const JAVA: Self = Self(JAVA);
    pub(super) const PYTHON: Self = Self(PYTHON);
    pub(super) const GO: Self = Self(GO);
    pub(super) const NODE: Self = Self(NODE);
    pub(super) const RUBY: Self = Self(RUBY);
    pub(super) const PHP: Self = Self(PHP);
    pub(super) const DOTNET: Self = Self(DOTNET | JAVA);
    pub(super) const RUST: Self = Self(RUST);
    pub(super) const ALL: Self = Self(u8::MAX);

    /// The joiner's name.
    pub(super) fn name(self) -> &'static str {
        let named = super::NAMED
            .into_iter()
            .find(|(_, kind)| matches!(kind, super::Kind::Traces(machines) if *machines == self));
        named.map_or("traces", |(name, _)| name)
    }

    /// Whether `line` continues the record before it, which is one `blank` line or not.
    #[inline]
    pub(super) fn join(self, traces: &mut Traces, line: &[u8], blank: bool) -> bool {
        let asked = self.asked(traces.busy, line);
        let ordinary = asked == 0 && !matches!(line.last(), None | Some(b':' | b')'));
        if ordinary && traces.below.is_none() {
            traces.head = Head::of(line);
            traces.gap = false;
            return false;
        }
        let joined = self.take(traces, asked, line) && !blank;
        if !joined {
            traces.head = traces.head.then(line);
            traces.gap = false;
        }
        joined
    }

    /// A line that some machine must see, that may be text, or that leaves a gap.
    fn take(self, traces: &mut Traces, asked: u8, line: &[u8]) -> bool {
        if traces.gap && self.0 & JAVA != 0 && line == java::BANNER {
            // What failed is told below, in lines that no logger begins.
            traces.below = Below::SURELY;
            traces.gap = false;
            return true;
        }
        let before = traces.states;
        let mut below = Below::default();
        let saying = ask(&mut traces.states, asked, line, traces.head, &mut below);
        let joined = saying & if traces.gap { AFTER_GAP } else { u8::MAX } != 0;
        let busy = busy(&traces.states);
        traces.fresh = before.python == python::State::Log;
        let unknown = saying == 0 && busy == 0 && below.is_none();
        if unknown && !traces.gap && traces.below.takes(traces.head, line) {
            traces.states = before;
            return true;
        }
        if joined && below.is_none() && before == traces.states {
            below = traces.below;
        } else if unknown && announces(line) {
            below = Below::ANNOUNCED;
        }
        (traces.below, traces.busy) = (below, busy);
        traces.gap = unknown && line.is_empty() && traces.head.is_stamp();
        joined || traces.gap && self.0 & AFTER_GAP != 0
    }

    /// The machines that must see a line.
    #[inline]
    fn asked(self, busy: u8, line: &[u8]) -> u8 {
        let opened = match line.first() {
            Some(byte) if busy == 0 => OPENED_BY[usize::from(*byte)] & opened_further(*byte, line),
            Some(byte) => OPENED_BY[usize::from(*byte)],
            None => 0,
        };
        // `… panicked at src/main.rs:3:5:`, whatever stands before it.
        let told = if line.ends_with(b":") { RUST } else { 0 };
        (busy | opened | told) & self.0
    }
}

/// Each machine of `asked` sees the line. Gives those that say it belongs to the record before it,
/// which begins with `head`.
fn ask(states: &mut States, asked: u8, line: &[u8], head: Head, below: &mut Below) -> u8 {
    let mut saying = 0;
    let mut said = |bit: u8, joined: bool| saying |= if joined { bit } else { 0 };
    if asked & JAVA != 0 {
        said(JAVA, java::joins(&mut states.java, line, below));
    }
    if asked & PYTHON != 0 {
        said(PYTHON, python::joins(&mut states.python, line, below));
    }
    if asked & GO != 0 {
        said(GO, go::joins(&mut states.go, line, head));
    }
    if asked & NODE != 0 {
        said(NODE, node::joins(&mut states.node, line, head, below));
    }
    if asked & RUBY != 0 {
        said(RUBY, ruby::joins(&mut states.ruby, line, head, below));
    }
    if asked & PHP != 0 {
        said(PHP, php::joins(&mut states.php, line, below));
    }
    if asked & DOTNET != 0 {
        said(DOTNET, dotnet::joins(&mut states.dotnet, line, below));
    }
    if asked & RUST != 0 {
        said(RUST, rust::joins(&mut states.rust, line, head, below));
    }
    saying
}

/// Of the machines that a first byte opens, those that the bytes after it may: most lines that begin
/// with a word, a blank or a bracket are ordinary all the same.
#[inline]
fn opened_further(first: u8, line: &[u8]) -> u8 {
    match first {
        b'a'..=b'z' | b'A'..=b'Z' => opened_by_word(first, line),
        b' ' | b'\t' => {
            let kept = if first == b'\t' { GO | RUBY } else { 0 };
            let text = super::unindented(line);
            if text.first().is_some_and(|byte| b"a.n-[CSWjF+<".contains(byte)) {
                u8::MAX
            } else {
                kept
            }
        }
        // `[2026-11-22 10:00:00,123]`: Laravel's times have no fraction, Monolog's own six digits.
        b'[' if line.get(5) == Some(&b'-') => {
            let monolog = line.get(20) == Some(&b']') || line.get(33) == Some(&b']');
            if monolog { u8::MAX } else { 0 }
        }
        _ => u8::MAX,
    }
}

/// The machines that names open; the others know whole words.
const BY_NAME: u8 = JAVA | GO | NODE | RUBY;
/// Bytes of a word; a longer one is looked at by all.
const LONGEST_WORD: usize = 64;

/// The same for a line that begins with a word.
fn opened_by_word(first: u8, line: &[u8]) -> u8 {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let len = line.iter().take(LONGEST_WORD).take_while(|byte| is_word(byte)).count();
    let (word, rest) = line.split_at_checked(len).unwrap_or_default();
    let keep = |kept: bool, bit: u8| if kept { bit } else { 0 };
    let by_name = match rest {
        [b'=', ..] => 0,
        [b' ', next, ..] => {
            keep(b"ECFW".contains(&first), JAVA)
                | keep(b"gfr".contains(&first), GO)
                | keep(*next == b'[', NODE)
                | keep(*next == b'(', RUBY)
        }
        [b':', next, ..] => {
            keep(first == b'S' || memchr::memchr(b'.', word).is_some(), JAVA)
                | keep(b"prSf".contains(&first), GO)
                | keep(word == b"node" || matches!(word.last(), Some(b'r' | b'n' | b'g')), NODE)
                | keep(next.is_ascii_digit() || *next == b':', RUBY)
        }
        _ => BY_NAME,
    };
    if OPENED_BY[usize::from(first)] & !BY_NAME == 0 {
        return by_name;
    }
    by_name | opened_by_whole_word(word, rest)
}

/// Of the machines that know whole words, those that know this one.
fn opened_by_whole_word(word: &[u8], rest: &[u8]) -> u8 {
    match word {
        b"Traceback" => PYTHON,
        b"Stack" => PYTHON | PHP | RUST,
        b"PHP" | b"NOTICE" | b"script_filename" => PHP,
        b"Fatal" => PHP | PYTHON,
        b"source_traceback" => PYTHON,
        _ if python::SHOWN.contains(&word) && rest.starts_with(b": <") => PYTHON,
        b"Unhandled" => DOTNET,
        b"trce" | b"dbug" | b"info" | b"warn" | b"fail" | b"crit" if rest.starts_with(b": ") => {
            DOTNET
        }
        b"thread" | b"note" | b"stack" | b"Caused" | b"Error" => RUST,
        _ if word.len() == LONGEST_WORD => !BY_NAME,
        _ => 0,
    }
}

/// The machines that a line moves from their rest although they would not be asked.
#[cfg(test)]
pub(super) fn disagreement(line: &[u8]) -> u8 {
    let mut states = States::default();
    let mut below = Below::default();
    let asked = Machines::ALL.asked(0, line);
    let head = Head::of(b"2026-11-22");
    let saying = ask(&mut states, !asked, line, head, &mut below);
    saying | busy(&states) | if below.is_none() { 0 } else { !asked }
}

fn busy(states: &States) -> u8 {
    let bit = |busy: bool, bit: u8| if busy { bit } else { 0 };
    bit(states.java != java::State::Log, JAVA)
        | bit(states.python != python::State::Log, PYTHON)
        | bit(states.go != go::State::Log, GO)
        | bit(states.node != node::State::Log, NODE)
        | bit(states.ruby != ruby::State::Log, RUBY)
        | bit(states.php != php::State::Log, PHP)
        | bit(states.dotnet != dotnet::State::Log, DOTNET)
        | bit(states.rust != rust::State::Log, RUST)
}

/// Whether a logger's line tells of an error whose message goes on below: it ends in a colon, or in
/// the class as Ruby prints it after a message's first line.
fn announces(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] = [b"rror", b"RROR", b"xception", b"fatal", b"FATAL"];
    line.ends_with(b":") && WORDS.iter().any(|word| contains(line, word))
        || line.ends_with(b"Error)")
}
