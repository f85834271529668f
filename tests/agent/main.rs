//! The real binary against the strict receiver: what was written is what arrived.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on is a failed test")]

mod batches;
mod conserved;
mod faults;
mod harness;
mod hostile;
mod leak;
mod lifecycle;
mod loki;
mod model;
mod nginx;
mod oracle;
mod recorded;
mod scenarios;
mod seen;
mod soak;
mod steps;
mod times;
mod writer;
