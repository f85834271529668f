//! Where a record begins and ends, whatever cuts it.
