//! Rotation by renaming, copying and truncating.
