//! Fields of a layout: what they are called, what they look like, and what becomes of them.

use super::literal::Literal;
use super::until::Until;
use super::words::Words;
use crate::definition::FieldType;
use crate::parse::grammar::Grammar;
use crate::parse::roles::Outside;
use crate::parse::seen::Seen;
use crate::parse::{json, logfmt, names};
use crate::record::Key;
use crate::timestamp::Format;

/// A field.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) name: Name,
    pub(super) gives: Gives,
    pub(super) kind: Kind,
    pub(super) until: Until,
    /// Whether no word goes on before or behind it: what stands there is no part of one.
    pub(super) apart: bool,
    /// Whether a name and its sign may stand before it: what is a secret because of that.
    pub(super) behind_name: bool,
    /// The text that follows it.
    pub(super) then: Option<Literal>,
}

/// What a field is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Name(Key<'static>);

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self(names::key(name))
    }

    pub(super) fn as_str(&self) -> &'static str {
        self.0.name()
    }

    #[inline]
    pub(super) fn key<'a>(&self) -> Key<'a> {
        self.0
    }
}

/// What a field becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Gives {
    Time,
    Level,
    Message,
    Field(Option<FieldType>),
    /// Nothing: it must be there, and is not kept.
    Nothing,
}

/// Fields of their own, in a grammar.
#[derive(Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) grammar: &'static Grammar,
    /// What the layout itself gives behind them.
    pub(super) behind: Outside,
}

/// What a field looks like. What tells them apart has a byte of its own, which is looked at for each field.
#[derive(Debug, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Anything up to what follows.
    Text,
    /// The same, also beyond its line.
    Lines,
    /// Text without blanks, and not empty.
    Word,
    /// The same, up to the last place in the word where what follows begins.
    Stem,
    /// A word that names a class in its package, or a logger: with a dot in it, and a letter ahead.
    Class,
    /// All that is left, which what follows reads further.
    Rest,
    /// Anything up to the last place where what follows begins.
    Last,
    /// Text before pairs: up to the first word with an equals sign in it.
    Head,
    /// Words with `, ` or ` : ` between them.
    List,
    /// Digits, with a sign or without.
    Integer,
    /// A decimal number.
    Float,
    /// A number of a unit of time.
    Duration(FieldType),
    /// Text with backslash escapes.
    Escaped,
    /// The same, also beyond its line.
    EscapedLines,
    /// The same, in double quotes.
    Quoted,
    /// A UUID: 32 hex digits, with hyphens between.
    Uuid,
    /// One of these words.
    OneOf(Box<Words>),
    /// A JSON value.
    Json,
    /// A request line: method, target and protocol.
    Request,
    /// An address, or the list of `X-Forwarded-For`, whose first is the client.
    Client,
    /// An address and, after a colon, a port.
    Address { port: Name },
    /// A time.
    Time(Box<Format>),
    /// Fields of their own, in a grammar.
    Spread(Spread),
}

impl Kind {
    /// Whether it begins with a brace or a bracket.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Self::Json => true,
            Self::Spread(spread) => spread.grammar.name == json::GRAMMAR.name,
            _ => false,
        }
    }

    /// Whether it may go on beyond its line, as values of klog's pairs do.
    pub(super) fn has_lines(&self) -> bool {
        match self {
            Self::Lines | Self::EscapedLines => true,
            Self::Spread(spread) => spread.grammar.name == logfmt::TAIL.name,
            _ => false,
        }
    }

    /// Whether it ends where it ends, whatever follows.
    pub(super) fn ends_by_itself(&self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Float
                | Self::Duration(_)
                | Self::Quoted
                | Self::OneOf(_)
                | Self::Json
                | Self::Uuid
                | Self::List
                | Self::Client
                | Self::Head
        )
    }
}

impl Capture {
    /// The bytes that it may begin with, where that is known.
    pub(super) fn begins(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Integer | Kind::Float | Kind::Duration(_) => Some(b"0123456789-".to_vec()),
            Kind::Quoted => Some(vec![b'"']),
            Kind::Json => Some(b"{[".to_vec()),
            Kind::OneOf(words) => {
                words.iter().map(|word| word.as_bytes().first().copied()).collect()
            }
            Kind::Time(format) => format.begins().map(<[u8]>::to_vec),
            _ => None,
        }
    }

    /// The same where the text has come to it: a time that cannot be read, and JSON that is neither object
    /// nor array, begin otherwise, and are taken all the same.
    pub(super) fn opens(&self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Time(_) | Kind::Json => None,
            _ => self.begins(),
        }
    }

    /// The bytes that it has.
    pub(super) fn needs(&self) -> Seen {
        match &self.kind {
            Kind::Quoted => Seen::of(b"\""),
            Kind::Uuid => Seen::of(b"-"),
            Kind::Time(format) => Seen::DIGIT.and(Seen::of(format.needs())),
            Kind::OneOf(words) => {
                let words = words.iter().map(|word| Seen::of(word.as_bytes()));
                words.reduce(Seen::common).unwrap_or_default()
            }
            _ => Seen::default(),
        }
    }
}

impl PartialEq for Grammar {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}
