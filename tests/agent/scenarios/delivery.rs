//! Servers that refuse, stall, or lie.
