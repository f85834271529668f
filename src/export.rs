//! Delivery: payloads go out, outcomes come back, receipts are settled.

pub mod append;
pub mod auth;
pub mod backoff;
pub mod breaker;
pub mod buffer;
pub mod concurrency;
pub mod console;
pub mod dead_letter;
pub mod deliver;
mod ecs;
pub mod elasticsearch;
pub mod encode;
mod escape;
pub mod file;
pub mod gate;
pub mod http;
pub mod id;
pub mod lines;
pub mod loki;
pub mod outcome;
pub mod payload;
pub mod queue;
pub mod rewrite;
pub mod sink;
pub mod stats;
pub mod tls;
