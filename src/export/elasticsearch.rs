//! Elasticsearch, and what speaks like it.

pub mod bulk;
pub mod reply;
