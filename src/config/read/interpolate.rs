//! Puts variables and files into scalar values.

use std::ops::Range;
use std::path::Path;

use super::{Reader, Value};
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::secret::{Secret, SecretError};
use crate::config::template::{FileProblem, Part, parse, read_file};

impl Reader<'_> {
    /// The value with its variables and files put in. Every one that is missing is reported.
    pub(super) fn interpolate(&mut self, value: Value<'_>, typed: &str) -> Option<String> {
        let mut out = Some(String::with_capacity(typed.len()));
        for part in self.parts(value, typed)? {
            let text = match part {
                Part::Text(text) => Some(text),
                Part::Variable { name, default, at } => {
                    self.variable(value, typed, &name, default, &at)
                }
                Part::File { path, at } => match read_file(&path) {
                    Ok(text) => Some(text),
                    Err(problem) => self.unreadable(self.part(value, typed, &at), &path, &problem),
                },
            };
            match (&mut out, text) {
                (Some(out), Some(text)) => out.push_str(&text),
                _ => out = None,
            }
        }
        out
    }

    /// A credential: like [`Reader::filled`], but its files are read again when it is used.
    pub(in crate::config) fn secret(&mut self, value: Value<'_>) -> Option<Secret> {
        let typed = self.verbatim(value, "a credential")?;
        let mut secret = Some(Secret::empty());
        for part in self.parts(value, typed)? {
            match part {
                Part::Text(text) => {
                    if let Some(secret) = &mut secret {
                        secret.push_text(&text);
                    }
                }
                Part::Variable { name, default, at } => {
                    match (self.variable(value, typed, &name, default, &at), &mut secret) {
                        (Some(text), Some(secret)) => secret.push_text(&text),
                        _ => secret = None,
                    }
                }
                Part::File { path, at } => {
                    if let Err(problem) = read_file(&path) {
                        let place = self.part(value, typed, &at);
                        secret = self.unreadable(place, &path, &problem);
                    } else if let Some(secret) = &mut secret {
                        secret.push_file(path);
                    }
                }
            }
        }
        let secret = secret?;
        match secret.read() {
            Ok(_) => Some(secret),
            Err(SecretError::File { path, problem }) => {
                self.unreadable(value.place(), &path, &problem)
            }
            Err(error) => {
                self.mistake(Mistake::at(value.place(), error.to_string()));
                None
            }
        }
    }

    fn parts(&mut self, value: Value<'_>, typed: &str) -> Option<Vec<Part>> {
        match parse(typed) {
            Ok(parts) => Some(parts),
            Err(malformed) => {
                let place = self.part(value, typed, &malformed.at);
                self.mistake(Mistake::at(place, malformed.what).help(malformed.help));
                None
            }
        }
    }

    fn variable(
        &mut self,
        value: Value<'_>,
        typed: &str,
        name: &str,
        default: Option<String>,
        at: &Range<usize>,
    ) -> Option<String> {
        match (self.environment(name), default) {
            // As in a shell: `:-` also replaces what is set to nothing.
            (Some(text), Some(default)) if text.is_empty() => Some(default),
            (Some(text), _) => Some(text),
            (None, Some(default)) => Some(default),
            (None, None) => {
                let place = self.part(value, typed, at);
                let message = format!("the environment variable {} is not set", quote(name));
                let help = format!("set it, or give a default: `${{{name}:-default}}`");
                self.mistake(Mistake::at(place, message).help(help));
                None
            }
        }
    }

    fn unreadable<T>(&mut self, place: Place, path: &Path, problem: &FileProblem) -> Option<T> {
        let path = quote(&path.display().to_string());
        let message = format!("cannot read {path}: {problem}");
        let help = match problem {
            FileProblem::Unreadable(std::io::ErrorKind::PermissionDenied, _) => {
                "let the user that pillion runs as read it"
            }
            FileProblem::Unreadable(..) => "mount the secret there, or correct the path",
            FileProblem::NotAFile | FileProblem::TooLarge(_) | FileProblem::NotText => {
                "name the file that holds the value alone"
            }
        };
        self.mistake(Mistake::at(place, message).help(help));
        None
    }

    /// The place of a part of the value: exact unless escapes or line folding moved it.
    pub(in crate::config) fn part(
        &self,
        value: Value<'_>,
        typed: &str,
        at: &Range<usize>,
    ) -> Place {
        let place = value.place();
        let found = typed.get(at.clone()).and_then(|part| {
            let content = &self.found.texts().get(place.text)?.content;
            let content = content.get(place.range())?;
            let whole = content.find(typed).map(|start| start + at.start);
            let start = whole.or_else(|| content.find(part))?;
            Some(place.within(&(start..start + part.len())))
        });
        found.unwrap_or(place)
    }
}
