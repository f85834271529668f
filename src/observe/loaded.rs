//! Which configuration is in force, since when, and why a later one was refused: shown as metrics and
//! at `/config`, without anything of its content.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::json;

/// Shared by whoever loads configurations and whoever shows it.
#[derive(Debug)]
pub struct Loaded(Mutex<State>);

#[derive(Debug)]
struct State {
    generation: u64,
    /// `None`: there is no file, the command line or the environment said it all.
    file: Option<PathBuf>,
    loaded_at: Timestamp,
    /// Why the configuration that was read last is not in force; `None` if it is.
    error: Option<String>,
    refused_at: Option<Timestamp>,
}

impl Loaded {
    /// The first generation's, loaded now from a file, if from one.
    #[must_use]
    pub fn new(file: Option<PathBuf>) -> Self {
        Self(Mutex::new(State {
            generation: 1,
            file,
            loaded_at: Timestamp::now(),
            error: None,
            refused_at: None,
        }))
    }

    /// The next generation runs now. Returns its number.
    pub fn load(&self) -> u64 {
        let mut state = self.lock();
        state.generation += 1;
        state.loaded_at = Timestamp::now();
        (state.error, state.refused_at) = (None, None);
        state.generation
    }

    /// What was to be the next generation does not run. `why` is one line, without content of the
    /// configuration.
    pub fn refuse(&self, why: String) {
        let mut state = self.lock();
        (state.error, state.refused_at) = (Some(why), Some(Timestamp::now()));
    }

    /// The number of the generation in force, from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// The file it is from, as shown; empty if from none.
    #[must_use]
    pub fn file(&self) -> String {
        let state = self.lock();
        state.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
    }

    /// When it was loaded.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.lock().loaded_at
    }

    /// Why the configuration that was read last is not in force; `None` if it is.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    /// All of it: `generation`, `file`, `loaded_at`, `error`, `refused_at`.
    #[must_use]
    pub fn json(&self) -> String {
        let state = self.lock();
        let shown = json!({
            "generation": state.generation,
            "file": state.file.as_ref().map(|file| file.display().to_string()),
            "loaded_at": format!("{:.3}", state.loaded_at),
            "error": state.error,
            "refused_at": state.refused_at.map(|at| format!("{at:.3}")),
        });
        format!("{shown}\n")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_configuration_leaves_the_generation_and_is_forgotten_with_the_next() {
        let loaded = Loaded::new(Some("/etc/p.yaml".into()));
        loaded.refuse("a mistake at p.yaml:1:1".to_owned());
        let shown: serde_json::Value = serde_json::from_str(&loaded.json()).expect("JSON");
        assert_eq!(shown["generation"], 1);
        assert_eq!(shown["file"], "/etc/p.yaml");
        assert_eq!(shown["error"], "a mistake at p.yaml:1:1");
        assert!(shown["refused_at"].is_string() && shown["loaded_at"].is_string());
        assert_eq!(loaded.load(), 2);
        assert_eq!(loaded.error(), None);
    }
}
