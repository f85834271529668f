//! A temporary directory of one's own, removed at the end.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A directory below the system's temporary one, readable by this user only.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes the directory, and `logs` and `state` in it. A name that exists already is never taken:
    /// somebody else may have put it there.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        let base = std::env::temp_dir();
        let mut made = None;
        for _ in 0..16 {
            let path = base.join(format!("pillion-demo-{:08x}", fastrand::u32(..)));
            match builder.create(&path) {
                Ok(()) => {
                    made = Some(Self(path));
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let scratch = made.ok_or(io::ErrorKind::AlreadyExists)?;
        builder.create(scratch.logs())?;
        builder.create(scratch.0.join("state"))?;
        Ok(scratch)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the logs are.
    pub(super) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it: what stays behind is made-up data in a temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
