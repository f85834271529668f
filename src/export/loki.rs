//! Loki, and what speaks like it.

pub mod push;
pub mod reply;
