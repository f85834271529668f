//! The disk buffer, and disks that fail under it.
