//! Long outages, large backlogs, many files.
