//! Situations a log shipper must survive, each a test named after its number in this list; the outcome
//! of each is exact. Every line carries its file and a sequence number, and what arrived is counted by
//! both: what is missing, repeated, reordered or altered.
//!
//! What "order" means: that of `log.offset` within a file, not that of arrival.

mod compressed;
mod crash;
mod delivery;
pub(crate) mod events;
mod framing;
mod handles;
mod headers;
mod lifecycle;
mod remount;
mod resources;
mod resume;
mod rotation;
mod spool;
mod truncation;
