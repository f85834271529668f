//! What the agent shows of itself: metrics, probes and its own log. Reads the stages' counters; no
//! stage knows of it.

pub mod admin;
pub mod loaded;
pub mod log;
pub mod metrics;
