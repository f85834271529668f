//! The life of a pod: SIGTERM, sentinels, reloads.
