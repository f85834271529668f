//! Files that are compressed while, or after, they are read.
