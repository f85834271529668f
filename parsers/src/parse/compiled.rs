//! A definition ready to read lines.

mod read;

use std::sync::Arc;

use memchr::memmem::Finder;

use super::convert;
use super::csv::Dialect;
use super::grammar::{self, Grammar};
use super::header_form::HeaderForm;
use super::layout::Layout;
use super::library::Library;
use super::pattern::Pattern;
use super::refine::Refine;
use super::{csv, w3c};
use crate::definition::{Definition, Fault, JoinerField, RecordStart};
use crate::record::{Field, Key, Known, Record, Value};
use crate::timestamp::Zone;

/// Parsers that one may lead to, one after another, by `within` and `nested`.
const MAX_CHAIN: usize = 4;

/// The grammars that find time and level by their keys.
const KEYED: [&str; 5] = ["json", "logfmt", "csv", "ltsv", "key_value"];

/// A definition ready to read lines.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(super) name: Arc<str>,
    pub(super) method: Arc<Method>,
    /// What is done to what a grammar gives.
    pub(super) refine: Option<Arc<Refine>>,
    /// What times that name no zone are in, where the definition says so.
    pub(super) zone: Option<Zone>,
    /// How columns are written.
    dialect: Arc<Dialect>,
    /// What its lines may be wrapped in.
    pub(super) within: Option<Arc<Compiled>>,
    /// The format that holds the same in its messages.
    wraps: Option<Box<str>>,
    /// The programs whose lines these are; none for any.
    pub(super) programs: Vec<String>,
    /// Texts that a line must have for `auto` to try it.
    pub(super) contains: Vec<Finder<'static>>,
    /// Whether `auto` leaves it alone.
    pub(super) manual: bool,
    /// Whether lines of other formats fit it, too.
    pub(super) generic: bool,
    /// How its lines become records.
    pub(super) joiner: Option<JoinerField>,
    /// Whether a record of it has several lines, of which the first may not fit by itself.
    pub(super) several: bool,
    /// What reads its message further.
    nested: Option<Arc<Compiled>>,
}

/// How a definition reads.
#[derive(Debug)]
pub(super) enum Method {
    /// By looking which format fits.
    Auto,
    /// By one grammar.
    Grammar(&'static Grammar),
    /// By layouts.
    Layout(Layout),
    /// By a user's pattern.
    Pattern(Box<Pattern>),
}

impl Compiled {
    /// Compiles a definition. `library` has the parsers that it may name.
    pub(crate) fn new(definition: &Definition, library: &Library) -> Result<Self, Fault> {
        let zone = convert::zone(definition.time.as_ref())?;
        if let Some(joiner) = &definition.joiner {
            joiner.joiner().map_err(Fault::Joiner)?;
        }
        let layouts = definition.layout.as_slice();
        let renames =
            [("open", definition.open.is_empty()), ("fields", definition.fields.is_empty())];
        if let (None, Some((key, _))) =
            (&definition.grammar, renames.into_iter().find(|(_, empty)| !empty))
        {
            return Err(Fault::Grammarless { key });
        }
        if definition.grammar.is_none()
            && definition.time.as_ref().is_some_and(|time| time.nanos.is_some())
        {
            return Err(Fault::TimeFormat("`nanos` is for a `grammar`".to_owned()));
        }
        let (method, refine) = match (&definition.grammar, layouts, &definition.pattern) {
            (Some(name), [], None) if name == "auto" => {
                (Method::Auto, Refine::new(definition, true)?)
            }
            (Some(name), [], None) => {
                let grammar = grammar::named(name).ok_or_else(|| Fault::Grammar(name.clone()))?;
                let refine = Refine::new(definition, KEYED.contains(&grammar.name))?;
                (Method::Grammar(grammar), refine)
            }
            (None, [_, ..], None) => (Method::Layout(Layout::new(layouts, definition)?), None),
            (None, [], Some(pattern)) => {
                (Method::Pattern(Box::new(Pattern::new(pattern, definition)?)), None)
            }
            _ => return Err(Fault::Method),
        };
        let other = |key: &'static str, name: &Option<String>| match name {
            None => Ok(None),
            Some(name) if *name == definition.name => Err(Fault::Other { key, name: name.clone() }),
            Some(name) => match library.compiled(name) {
                Ok(other) if other.chain() < MAX_CHAIN => Ok(Some(other)),
                _ => Err(Fault::Other { key, name: name.clone() }),
            },
        };
        let columns = matches!(&method, Method::Grammar(grammar) if grammar.name == "csv");
        if definition.csv.is_some() && !columns {
            return Err(Fault::Csv("only the grammar `csv` has columns to say this of".to_owned()));
        }
        Ok(Self {
            dialect: Arc::new(Dialect::new(definition.csv.as_ref())?),
            name: definition.name.as_str().into(),
            method: Arc::new(method),
            refine: refine.map(Arc::new),
            zone,
            within: other("within", &definition.within)?,
            wraps: definition.wraps.as_deref().map(Box::from),
            programs: definition.programs.clone(),
            contains: definition
                .contains
                .iter()
                .map(|part| Finder::new(part).into_owned())
                .collect(),
            manual: definition.manual,
            generic: definition.generic,
            joiner: definition.joiner.clone(),
            several: is_loose(definition.joiner.as_ref())
                && layouts.iter().any(|layout| layout.contains('\n')),
            nested: other("nested", &definition.nested)?,
        })
    }

    /// What takes every text as the message.
    pub(super) fn plain() -> Self {
        Self {
            name: super::plain::GRAMMAR.name.into(),
            method: Arc::new(Method::Grammar(&super::plain::GRAMMAR)),
            refine: None,
            zone: None,
            dialect: Arc::new(Dialect::COMMAS),
            within: None,
            wraps: None,
            programs: Vec::new(),
            contains: Vec::new(),
            manual: false,
            generic: false,
            joiner: None,
            several: false,
            nested: None,
        }
    }

    /// This parser, with another that reads its message further.
    pub(crate) fn then(&self, next: Arc<Self>) -> Self {
        let next = match &self.nested {
            Some(nested) => Arc::new(nested.then(next)),
            None => next,
        };
        Self { nested: Some(next), ..self.clone() }
    }

    /// Parsers that a line may go through, this one included.
    fn chain(&self) -> usize {
        let longest = [&self.within, &self.nested].into_iter().flatten();
        1 + longest.map(|other| other.chain()).max().unwrap_or(0)
    }

    /// How the line above its lines looks by which they are read, or what is in them or around them.
    /// What is known goes before what may be.
    pub(super) fn header_form(&self) -> Option<HeaderForm> {
        let own = match &*self.method {
            Method::Grammar(grammar) if grammar.name == csv::GRAMMAR.name => self
                .dialect
                .wants_header()
                .then(|| HeaderForm::FirstLine { comment: self.dialect.comment() }),
            Method::Grammar(grammar) if grammar.name == w3c::GRAMMAR.name => {
                Some(HeaderForm::Directive { guessed: false })
            }
            Method::Auto => Some(HeaderForm::Directive { guessed: true }),
            _ => None,
        };
        let others = [&self.within, &self.nested].into_iter().flatten();
        HeaderForm::surest(own.into_iter().chain(others.filter_map(|other| other.header_form())))
    }

    /// The name of the grammar that it reads by, if it is one.
    pub(super) fn grammar(&self) -> Option<&'static str> {
        match &*self.method {
            Method::Grammar(grammar) => Some(grammar.name),
            _ => None,
        }
    }

    /// Whether it takes every text as the message, and does nothing more with it.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        let bare = self.refine.is_none() && self.within.is_none() && self.nested.is_none();
        bare && self.grammar() == Some(super::plain::GRAMMAR.name)
    }

    /// Whether it reads OpenTelemetry's requests as such.
    pub(super) fn reads_requests(&self) -> bool {
        match &*self.method {
            Method::Auto => true,
            Method::Grammar(grammar) => grammar.name == super::otlp::GRAMMAR.name,
            Method::Layout(_) | Method::Pattern(_) => false,
        }
    }

    /// Whether it finds out the format.
    pub(super) fn finds(&self) -> bool {
        matches!(*self.method, Method::Auto)
    }

    /// Whether `auto` is among the parsers that a line may go through.
    pub(super) fn is_auto(&self) -> bool {
        self.finds()
            || [&self.within, &self.nested].into_iter().flatten().any(|other| other.is_auto())
    }

    /// Whether lines of another format may be wrapped in this one by the name of that one: `syslog`
    /// means both its forms, and what holds the same.
    pub(super) fn wraps_as(&self, other: &Self) -> bool {
        let is_this = |name: &str| {
            name.strip_prefix(&*self.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        is_this(&other.name) || other.wraps.as_deref().is_some_and(is_this)
    }

    /// Whether a program's lines may be these. A word that ends in a slash is how such begin.
    pub(super) fn is_of(&self, program: Option<&str>) -> bool {
        let is_it = |said: &str| {
            self.programs.iter().any(|word| match word.as_str() {
                word if word.ends_with('/') => said.starts_with(word),
                word => said == word,
            })
        };
        self.programs.is_empty() || program.is_some_and(is_it)
    }
}

/// Whether lines that are not indented go on with a record.
fn is_loose(joiner: Option<&JoinerField>) -> bool {
    matches!(joiner, Some(JoinerField::Pattern(RecordStart { loose: 1.., .. })))
}

/// The program that a record says it is of.
pub(super) fn program<'a>(record: &Record<'a>) -> Option<&'a str> {
    let is_it = |field: &&Field<'_>| match field.key {
        Key::Known(known) => known == Known::Program,
        Key::Text(name) => name.as_stored() == Known::Program.name(),
    };
    match record.fields.iter().find(is_it)?.value {
        Value::Text(text) => Some(text.as_stored()),
        _ => None,
    }
}
