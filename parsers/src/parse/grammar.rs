//! What a hand-written grammar is, and the list of them.
//!
//! A grammar reads a text or says why it does not fit; it may leave a half-filled record behind,
//! which the parser empties. To add a format: one file with a [`Grammar`], one line in [`GRAMMARS`],
//! one definition in `parsers/definitions/`.

use super::auto::Auto;
use super::columns::Columns;
use super::csv::{self, Dialect};
use super::pattern::Locations;
use super::refine::Refine;
use super::roles::Outside;
use super::seen::Seen;
use super::{
    Misfit, access, auditd, cef, java, json, key_value, logfmt, ltsv, netfilter, nginx_error, otlp,
    plain, syslog, tracing, w3c,
};
use crate::Arena;
use crate::record::Record;
use crate::timestamp::Clock;

/// What a grammar may use besides the text.
pub(crate) struct Context<'p, 'a> {
    /// For text that must be built.
    pub(crate) arena: &'a Arena,
    /// Reads times.
    pub(crate) clock: &'p mut Clock,
    /// Counts times that could not be read.
    pub(crate) bad_times: &'p mut u64,
    /// Whether nobody said that the text is of this format: under `auto`, where what merely could be
    /// the format must not be taken for it.
    pub(crate) guessing: bool,
    /// Bytes that the text has: under `auto`, which looked; where nobody did, all, or all but a line's end.
    pub(super) seen: Seen,
    /// What of a record its line says outside of the text: in the text, what is called so is a field.
    pub(super) outside: Outside,
    /// Room for the matches of patterns.
    pub(super) locations: &'p mut Locations,
    /// What the definition says of the time and the level, if anything.
    pub(super) refine: Option<&'p Refine>,
    /// What `auto` knows, until it is asked.
    pub(super) auto: Option<&'p mut Auto>,
    /// What the header of the text's File said.
    pub(super) columns: &'p mut Columns,
    /// How the definition says that columns are written.
    pub(super) dialect: &'p Dialect,
}

impl<'a> Context<'_, 'a> {
    /// The same for another definition.
    pub(super) fn refined<'q>(
        &'q mut self,
        refine: Option<&'q Refine>,
        dialect: &'q Dialect,
    ) -> Context<'q, 'a> {
        Context {
            arena: self.arena,
            clock: self.clock,
            bad_times: self.bad_times,
            guessing: self.guessing,
            seen: self.seen,
            outside: self.outside,
            locations: self.locations,
            refine,
            auto: self.auto.as_deref_mut(),
            columns: self.columns,
            dialect,
        }
    }
}

/// Fills a record from a text that begins a lifetime of its own, or says why it does not fit.
pub(crate) type Read =
    for<'a> fn(&'a str, &mut Context<'_, 'a>, &mut Record<'a>) -> Result<(), Misfit>;

/// A hand-written grammar.
pub(crate) struct Grammar {
    /// What definitions call it.
    pub(crate) name: &'static str,
    /// The bytes that a text of this format may begin with; none where it may be any.
    pub(crate) begins: &'static [u8],
    /// Bytes that every text of this format has.
    pub(crate) needs: &'static str,
    /// Whether a text could be of this format, from its first bytes: a few nanoseconds. `None` for a
    /// grammar that `auto` does not try.
    pub(crate) probe: Option<fn(&[u8]) -> bool>,
    /// Reads a whole text, in time linear in its length.
    pub(crate) read: Read,
}

/// Every grammar; those that `auto` tries in its order: the less a text can be of a format by
/// chance, the earlier.
pub(crate) const GRAMMARS: &[Grammar] = &[
    otlp::GRAMMAR,
    json::GRAMMAR,
    cef::GRAMMAR,
    auditd::GRAMMAR,
    netfilter::GRAMMAR,
    syslog::RFC5424,
    w3c::GRAMMAR,
    access::GRAMMAR,
    nginx_error::GRAMMAR,
    tracing::GRAMMAR,
    java::GRAMMAR,
    syslog::RFC3164,
    ltsv::GRAMMAR,
    logfmt::GRAMMAR,
    key_value::GRAMMAR,
    syslog::EITHER,
    csv::GRAMMAR,
    plain::GRAMMAR,
];

/// What definitions may name under `grammar`.
pub fn grammars() -> impl Iterator<Item = &'static str> {
    GRAMMARS.iter().map(|grammar| grammar.name)
}

/// The grammar of that name.
pub(crate) fn named(name: &str) -> Option<&'static Grammar> {
    GRAMMARS.iter().find(|grammar| grammar.name == name)
}

impl std::fmt::Debug for Grammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Grammar({})", self.name)
    }
}
