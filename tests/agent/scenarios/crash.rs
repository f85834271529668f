//! Kills, restarts, and state that was damaged.
