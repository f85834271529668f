//! What must be known, besides an offset, to go on in the middle of a File as if nothing had
//! happened. Bounded, and without line content.

use std::sync::Arc;

use pillion_parsers::frame::Container;
use pillion_parsers::parse::{HeaderAt, Tally};

/// A lineage's state as of a safe offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Name of the parser that `auto` chose.
    pub parser: Option<Arc<str>>,
    /// What `auto` saw in the lines before: the choice goes on to change when it would have.
    pub tally: Option<Tally>,
    /// Whether the next line lies inside a private-key block.
    pub in_private_key: bool,
    /// What `auto` found to be wrapped around each line.
    pub container: Container,
    /// Where the header lies by which the File's lines are read, where they have one.
    pub header: Option<HeaderAt>,
}

impl Default for Resume {
    /// Of a File's first byte: everything is still to be found out.
    fn default() -> Self {
        Self {
            parser: None,
            tally: None,
            in_private_key: false,
            container: Container::Auto,
            header: None,
        }
    }
}

impl Resume {
    /// Becomes equal to `other` without touching the parser's shared name where it is the same: this
    /// runs once per record.
    pub fn catch_up(&mut self, other: &Self) {
        let same = match (&self.parser, &other.parser) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.parser.clone_from(&other.parser);
        }
        self.tally = other.tally;
        self.in_private_key = other.in_private_key;
        self.container = other.container;
        self.header = other.header;
    }
}
