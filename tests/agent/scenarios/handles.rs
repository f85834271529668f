//! Files that are renamed or deleted with bytes unread, and too few handles.
