//! From Chunks to Batches, on the worker thread: frame, join, parse, redact, encode.

pub mod batch;
mod choice;
pub mod chunk;
mod lineage;
pub mod outlet;
mod prepare;
pub mod pressure;
pub mod replay;
mod split;
pub mod stats;
pub mod thread;
pub mod worker;
