//! The parsers there are: the built-in definitions, each read and compiled when first needed, and a
//! user's.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use super::convert::{self, Refine};
use super::csv::Dialect;
use super::grammar::{self, Grammar};
use super::pattern::Pattern;
use crate::definition::{Definition, DefinitionError, Fault};
use crate::timestamp::Zone;

/// Lists the built-in definitions: one YAML file each.
macro_rules! builtin {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../definitions/", $name, ".yaml"))),)+]
    };
}

/// Name and YAML of every built-in definition.
pub(crate) const BUILTIN: &[(&str, &str)] = builtin![
    "auto",
    "plain",
    "json",
    "logfmt",
    "access",
    "nginx",
    "apache",
    "nginx_error",
    "syslog",
    "syslog_rfc5424",
    "syslog_rfc3164",
    "java",
    "cri",
    "docker",
    "csv",
    "w3c",
    "ltsv",
    "key_value",
    "cef",
    "auditd",
    "netfilter",
    "otlp",
];

/// The grammars that find time and level by their keys.
const KEYED: [&str; 5] = ["json", "logfmt", "csv", "ltsv", "key_value"];

/// A definition ready to read lines.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) method: Method,
    /// What is done to what a grammar gives.
    pub(super) refine: Option<Refine>,
    pub(super) zone: Zone,
    /// How columns are written.
    pub(super) dialect: Dialect,
}

/// How a definition reads.
#[derive(Debug)]
pub(super) enum Method {
    /// By looking which grammar fits.
    Auto,
    /// By one grammar.
    Grammar(&'static Grammar),
    /// By a user's pattern.
    Pattern(Box<Pattern>),
}

impl Compiled {
    pub(crate) fn new(definition: &Definition) -> Result<Self, Fault> {
        let zone = convert::zone(definition.time.as_ref())?;
        let (method, refine) = match (&definition.grammar, &definition.pattern) {
            (Some(name), None) if name == "auto" => (Method::Auto, Refine::new(definition, true)?),
            (Some(name), None) => {
                let grammar = grammar::named(name).ok_or_else(|| Fault::Grammar(name.clone()))?;
                let refine = Refine::new(definition, KEYED.contains(&grammar.name))?;
                (Method::Grammar(grammar), refine)
            }
            (None, Some(pattern)) => {
                (Method::Pattern(Box::new(Pattern::new(pattern, definition)?)), None)
            }
            _ => return Err(Fault::Method),
        };
        let columns = matches!(&method, Method::Grammar(grammar) if grammar.name == "csv");
        if definition.csv.is_some() && !columns {
            return Err(Fault::Csv("only the grammar `csv` has columns to say this of".to_owned()));
        }
        Ok(Self { method, refine, zone, dialect: Dialect::new(definition.csv.as_ref())? })
    }

    /// What takes every text as the message.
    pub(super) fn plain() -> Self {
        Self {
            method: Method::Grammar(&super::plain::GRAMMAR),
            refine: None,
            zone: Zone::default(),
            dialect: Dialect::COMMAS,
        }
    }
}

/// One parser. A built-in one is read and compiled when first asked for, so that an agent pays for
/// those it uses.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    yaml: &'static str,
    definition: OnceLock<Option<Definition>>,
    compiled: OnceLock<Option<Arc<Compiled>>>,
}

/// The parsers that sources may name.
#[derive(Debug, Clone)]
pub struct Library {
    entries: Vec<Arc<Entry>>,
}

/// There is no parser of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownParser(pub String);

impl fmt::Display for UnknownParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no parser `{}`: `pillion parsers` lists them", self.0)
    }
}

impl std::error::Error for UnknownParser {}

static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let entry = |&(name, yaml): &(&str, &'static str)| {
        Arc::new(Entry {
            name: name.into(),
            yaml,
            definition: OnceLock::new(),
            compiled: OnceLock::new(),
        })
    };
    Arc::new(Library { entries: BUILTIN.iter().map(entry).collect() })
});

impl Library {
    /// The built-in parsers.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        LIBRARY.clone()
    }

    /// These parsers and a user's, each of which is compiled and proved by its samples.
    ///
    /// # Errors
    /// For the first definition that cannot be used: its name is taken, it does not compile, or a
    /// sample of it does not come out as it says.
    pub fn with(&self, user: Vec<Definition>) -> Result<Self, DefinitionError> {
        let mut library = self.clone();
        for definition in user {
            if definition.name.is_empty() || library.entry(&definition.name).is_some() {
                return Err(DefinitionError { name: definition.name, fault: Fault::Name });
            }
            match definition.compile_and_check() {
                Err(fault) => return Err(DefinitionError { name: definition.name, fault }),
                Ok(compiled) => library.entries.push(Arc::new(Entry {
                    name: definition.name.as_str().into(),
                    yaml: "",
                    definition: OnceLock::from(Some(definition)),
                    compiled: OnceLock::from(Some(compiled)),
                })),
            }
        }
        Ok(library)
    }

    /// The names of all parsers, the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// A parser's definition.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.entry(name)?.definition()
    }

    /// Whether a parser's lines are read by what a line above them says, so that it must know that
    /// when it goes on in the middle of a File.
    #[must_use]
    pub fn wants_header(&self, name: &str) -> bool {
        self.compiled(name).is_ok_and(|compiled| match &compiled.method {
            Method::Grammar(grammar) => match grammar.name {
                "csv" => compiled.dialect.wants_header(),
                name => name == "w3c",
            },
            _ => false,
        })
    }

    /// A parser, compiled.
    pub(super) fn compiled(&self, name: &str) -> Result<Arc<Compiled>, UnknownParser> {
        self.entry(name)
            .and_then(|entry| entry.compiled())
            .ok_or_else(|| UnknownParser(name.to_owned()))
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name).map(|entry| &**entry)
    }
}

impl Entry {
    // A built-in definition that could not be read or compiled would be as if it were not there; a
    // test reads, compiles and proves each.
    fn definition(&self) -> Option<&Definition> {
        self.definition.get_or_init(|| Definition::from_yaml(self.yaml).ok()).as_ref()
    }

    fn compiled(&self) -> Option<Arc<Compiled>> {
        let compile = || Compiled::new(self.definition()?).ok().map(Arc::new);
        self.compiled.get_or_init(compile).clone()
    }
}
