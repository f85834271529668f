//! The pure half of pillion: bytes in, bytes out.
//!
//! A run of whole [`Lines`](frame::Lines) comes in; the [`frame`] stage cuts it into raw
//! records (unwrapping containers and joining stack traces), [`parse`] fills a reused
//! [`Record`](record::Record) that borrows from the chunk, [`step`]s change or drop it, and [`redact`]
//! turns that into a [`Redacted`](redact::Redacted), the only thing the agent's encoders accept.
//!
//! Invariants:
//!
//! - No I/O, no clock, no threads, no environment: this crate's own `clippy.toml` refuses them. What
//!   the time is, and what a file is called, the caller says.
//! - Parsing and redacting are total: every input gives a record, none an error or a panic.
//! - No allocation per line on the common path: text borrows from the chunk or from an [`Arena`]
//!   that is reset between records.

pub mod condition;
pub mod definition;
pub mod frame;
pub mod multiline;
mod named;
pub mod parse;
pub mod record;
pub mod redact;
pub mod step;
mod timestamp;

pub use timestamp::Zone;

/// Where text that had to be built (decoded, replaced, joined) lives until its record is encoded.
/// Reset between records, so a worker's arena stays as large as its largest record.
pub type Arena = bumpalo::Bump;
