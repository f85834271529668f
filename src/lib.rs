//! pillion: a log-shipping sidecar.
//!
//! ```text
//! files ──> Chunk ──> Record ──> Redacted ──> Batch ──> Payload ──> Elasticsearch / Loki
//! tail      frame     parse      redact       encode    compress    export
//!   ^                                                                  │
//!   └───────── Checkpoint <──── Ledger <───── Ack (spans) <────────────┘
//! ```
//!
//! Modules in flow order: [`config`] is read once; [`tail`] finds Files and reads Chunks; [`pipeline`]
//! turns Chunks into Batches (with `pillion-parsers`); [`export`] delivers them; [`checkpoint`] learns
//! from Acks how far each File is safe; [`observe`] shows it all; `agent` joins the stages and drains
//! them in order.

pub mod agent;
pub mod budget;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod demo;
pub mod export;
pub mod observe;
pub mod pipeline;
pub mod receiver;
pub mod tail;
