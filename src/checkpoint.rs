//! How far each File is safe, per destination: the [`ledger`] (pure), the [`tracker`] that destinations
//! report to, and the checkpoint in the state directory ([`store`]), so that a restart goes on where
//! the last run stopped.
//!
//! ```text
//! Receipt ──> Tracker(Ledger) ──(tail thread, every second)──> Snapshot ──> Store
//! ```
//!
//! A small state is written whole at each save. Of a large one what changed is added to a journal
//! beside it, so that a save costs what changed, not what is known.
//!
//! The ledger waits on no stage: settling is a short critical section, so the backward edge of the
//! pipeline cannot deadlock. Only the tail thread writes the checkpoint.

mod journal;
pub mod ledger;
pub mod lock;
pub mod resume;
pub mod settle;
pub mod snapshot;
pub mod store;
pub mod tombstone;
pub mod tracker;
