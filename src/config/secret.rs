//! Credentials: kept as a template, read when they are used, never shown.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

pub use super::template::FileProblem;

use super::template::read_file;

/// A password, key or token. Files named in it (`${file:…}`) are read again at every
/// [`Secret::read`], so that a rotated credential is picked up without a restart. Variables were
/// looked up once: a process's environment does not change.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    File(PathBuf),
}

/// Why a credential could not be read. Never holds any of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// A file it is to be read from could not be.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// There is nothing in it.
    Empty,
    /// It holds a control character, a line break for one: no HTTP header can carry it.
    Control,
}

impl std::fmt::Display for SecretError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, problem } => write!(f, "cannot read {}: {problem}", path.display()),
            Self::Empty => write!(f, "the credential is empty"),
            Self::Control => write!(f, "the credential holds a control character or a line break"),
        }
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// A secret that is this text.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        let mut secret = Self { parts: Vec::new() };
        secret.push_text(&text.into());
        secret
    }

    /// A secret that is the content of this file, line breaks at its end trimmed.
    #[must_use]
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self { parts: vec![Part::File(path.into())] }
    }

    pub(super) fn empty() -> Self {
        Self { parts: Vec::new() }
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.parts.push(Part::Text(text.to_owned()));
    }

    pub(super) fn push_file(&mut self, path: PathBuf) {
        self.parts.push(Part::File(path));
    }

    /// The value as of now. Does blocking reads of small local files.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or when what comes out is empty or cannot be put into a header.
    pub fn read(&self) -> Result<String, SecretError> {
        let mut value = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::File(path) => match read_file(path) {
                    Ok(text) => value.push_str(&text),
                    Err(problem) => return Err(SecretError::File { path: path.clone(), problem }),
                },
            }
        }
        if value.is_empty() {
            return Err(SecretError::Empty);
        }
        if value.chars().any(char::is_control) {
            return Err(SecretError::Control);
        }
        Ok(value)
    }

    /// Whether its value may be another one later: whether a file is read for it.
    #[must_use]
    pub fn is_from_file(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::File(_)))
    }
}

/// A secret that was read once, and is to be known for another when its files have changed.
#[derive(Clone)]
pub struct Held {
    secret: Secret,
    /// Of the value that was read.
    hash: u64,
}

impl Held {
    /// Reads a secret; the value is the caller's to keep.
    ///
    /// # Errors
    ///
    /// See [`Secret::read`].
    pub fn read(secret: Secret) -> Result<(Self, String), SecretError> {
        let value = secret.read()?;
        Ok((Self { hash: xxh3_64(value.as_bytes()), secret }, value))
    }

    /// A hash of the value that was read.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// A hash of the value as of now; 0 where there is none.
    #[must_use]
    pub fn hash_now(&self) -> u64 {
        self.secret.read().map_or(0, |value| xxh3_64(value.as_bytes()))
    }

    /// The files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.secret.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::File(path) => Some(path.as_path()),
        })
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(…)")
    }
}

impl std::fmt::Debug for Secret {
    /// Says that there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_is_picked_up() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        let secret = Secret::from_file(&path);
        assert!(matches!(secret.read(), Err(SecretError::File { .. })));
        for (content, value) in [("first\n", "first"), ("second", "second")] {
            std::fs::write(&path, content).expect("written");
            assert_eq!(secret.read().as_deref(), Ok(value));
        }
        std::fs::write(&path, "\n").expect("written");
        assert_eq!(secret.read(), Err(SecretError::Empty));
        std::fs::write(&path, "a\nb").expect("written");
        assert_eq!(secret.read(), Err(SecretError::Control));
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let secret = Secret::from_text("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.read().as_deref(), Ok("hunter2"));
        assert!(!secret.is_from_file());
    }
}
