//! Conditions on records: `level == "debug" && !message.contains("slow")`.
//!
//! The syntax is that of [CEL](https://cel.dev), of which this is the part that asks about one record:
//! literals, dotted names, comparisons, `&&`, `||`, `!`, `in`, a few functions. A condition is compiled
//! once, to a tree that is checked as far as it can be, and asked about each record without
//! allocating. At run time nothing is an error: what is absent, or of another type than it is compared
//! with, is unequal to everything, and neither less nor more.

mod ask;
mod check;
mod compile;
mod lex;

use std::fmt;
use std::ops::Range;

use memchr::memmem::Finder;
use regex::Regex;

use crate::record::{Level, Record};

/// Most bytes of a condition.
pub const MAX_LENGTH: usize = 4096;

/// Most levels of nesting: parentheses, negations, functions.
pub const MAX_DEPTH: usize = 32;

/// A compiled condition.
#[derive(Clone, Debug)]
pub struct Condition {
    expression: Expression,
    /// The names of fields in it, each once, as written.
    names: Vec<String>,
}

/// Why a condition is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// Where in its text, in bytes.
    pub at: Range<usize>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do about it, if that is clear.
    pub help: Option<String>,
    /// A word that is not known, and those that are.
    pub unknown: Option<(String, &'static [&'static str])>,
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConditionError {}

/// Room for texts whose escapes have to be undone; kept from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    left: String,
    right: String,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn new(text: &str) -> Result<Self, ConditionError> {
        compile::compile(text)
    }

    /// Whether it holds of a record.
    #[must_use]
    pub fn holds(&self, record: &Record<'_>, scratch: &mut Scratch) -> bool {
        ask::Asked { record, scratch }.holds(&self.expression)
    }

    /// The names of fields in it, each once.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What is true or false.
#[derive(Clone, Debug)]
enum Expression {
    /// All of them.
    And(Vec<Expression>),
    /// One of them.
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// A name stands for something.
    Has(Box<str>),
    /// A value is `true`.
    Is(Operand),
    Compare(Comparison, Operand, Operand),
    /// The value is one of these.
    Among(Operand, Vec<Literal>),
    /// The value is an item of an array, or a key of an object.
    In(Operand, Operand),
    /// A text, and another in it.
    Text(Position, Operand, Operand),
    /// A text has this in it.
    Contains(Operand, Box<Finder<'static>>),
    Matches(Operand, Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// Where one text is looked for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Anywhere,
    Start,
    End,
}

/// What has a value.
#[derive(Clone, Debug)]
enum Operand {
    /// What a name stands for.
    Name(Box<str>),
    Literal(Literal),
    /// Characters of a text, items of an array, members of an object.
    Size(Box<Operand>),
    /// A text or a number as a whole number.
    Int(Box<Operand>),
    /// A text or a number as a number with a fraction.
    Double(Box<Operand>),
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    /// Compared with `level`.
    Level(Level),
}

#[cfg(test)]
mod tests;
