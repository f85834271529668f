//! Interpolation: `${VAR}`, `${VAR:-default}`, `${file:/path}` and `$$` inside one scalar value.
//!
//! It works on values that the YAML parser has already told apart, so what a variable or a file
//! holds can never become a key, a list or another setting.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most bytes a `${file:…}` may hold: keys and certificates are far smaller, and a mistaken path
/// must not fill the memory.
pub(super) const FILE_LIMIT: usize = 64 * 1024;

/// A stretch of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands.
    Text(String),
    /// `${name}` or `${name:-default}`; `at` is its byte range in the value.
    Variable { name: String, default: Option<String>, at: Range<usize> },
    /// `${file:path}`.
    File { path: PathBuf, at: Range<usize> },
}

/// What is wrong with a template, and where in the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: Range<usize>,
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

/// Takes a value apart. `$` alone means itself, `$$` one dollar sign.
pub(super) fn parse(value: &str) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = value;
    while let Some(dollar) = rest.find('$') {
        let (before, from) = rest.split_at(dollar);
        text.push_str(before);
        let start = value.len() - from.len();
        if let Some(after) = from.strip_prefix("$$") {
            text.push('$');
            rest = after;
        } else if let Some(inside) = from.strip_prefix("${") {
            let Some(length) = inside.find('}') else {
                return Err(Malformed {
                    at: start..value.len(),
                    what: "`${` is never closed",
                    help: "write `${VAR}`, or `$${` for a literal `${`",
                });
            };
            let (name, after) = inside.split_at(length);
            let at = start..start + "${".len() + length + "}".len();
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(place(name, at)?);
            rest = after.strip_prefix('}').unwrap_or(after);
        } else {
            text.push('$');
            rest = from.strip_prefix('$').unwrap_or(from);
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// What stands between `${` and `}`.
fn place(inside: &str, at: Range<usize>) -> Result<Part, Malformed> {
    if let Some(path) = inside.strip_prefix("file:") {
        if !path.starts_with('/') {
            return Err(Malformed {
                at,
                what: "the file to interpolate is not an absolute path",
                help: "write `${file:/run/secrets/name}`",
            });
        }
        return Ok(Part::File { path: PathBuf::from(path), at });
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (inside, None),
    };
    if default.as_ref().is_some_and(|default| default.contains("${")) {
        return Err(Malformed {
            at,
            what: "a default cannot itself be interpolated",
            help: "write the default out, or set the variable",
        });
    }
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic());
    if !begins || !letters.all(|letter| letter == '_' || letter.is_ascii_alphanumeric()) {
        return Err(Malformed {
            at,
            what: "this is neither a variable nor a file",
            help: "write `${VAR}`, `${VAR:-default}`, `${file:/path}`, or `$${` for a literal `${`",
        });
    }
    Ok(Part::Variable { name: name.to_owned(), default, at })
}

/// Why an interpolated file could not be used. Never holds its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It could not be opened or read; the system's reason.
    Unreadable(std::io::ErrorKind, String),
    /// It is a directory, a device or the like.
    NotAFile,
    /// It holds more than so many bytes.
    TooLarge(usize),
    /// It is not UTF-8.
    NotText,
}

impl std::fmt::Display for FileProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(std::io::ErrorKind::NotFound, _) => write!(f, "no such file"),
            Self::Unreadable(std::io::ErrorKind::PermissionDenied, _) => {
                write!(f, "permission denied")
            }
            Self::Unreadable(_, reason) => write!(f, "{reason}"),
            Self::NotAFile => write!(f, "not a regular file"),
            Self::TooLarge(limit) => write!(f, "larger than {limit} bytes"),
            Self::NotText => write!(f, "not UTF-8 text"),
        }
    }
}

impl From<std::io::Error> for FileProblem {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error.kind(), error.to_string())
    }
}

/// Reads an interpolated file and trims the line breaks at its end.
///
/// # Errors
///
/// When it cannot be read, is no regular file, is too large, or is not UTF-8.
pub(super) fn read_file(path: &Path) -> Result<String, FileProblem> {
    read_text(path, FILE_LIMIT)
}

/// The same of a file of at most `limit` bytes.
///
/// # Errors
///
/// As [`read_file`].
pub(super) fn read_text(path: &Path, limit: usize) -> Result<String, FileProblem> {
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(FileProblem::NotAFile);
    }
    let mut bytes = Vec::new();
    let mut limited = std::fs::File::open(path)?.take(limit as u64 + 1);
    limited.read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(FileProblem::TooLarge(limit));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| FileProblem::NotText)?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn variable(name: &str, default: Option<&str>, at: Range<usize>) -> Part {
        Part::Variable { name: name.to_owned(), default: default.map(str::to_owned), at }
    }

    #[test]
    fn values_are_taken_apart() {
        let check = |value: &str, expect: &[Part]| {
            assert_eq!(parse(value).as_deref(), Ok(expect), "{value:?}");
        };
        check("", &[]);
        check("plain", &[text("plain")]);
        check("$5 and 5$", &[text("$5 and 5$")]);
        check("$$", &[text("$")]);
        check("$${HOME}", &[text("${HOME}")]);
        check("$$$${A}", &[text("$${A}")]);
        check("$$${A}", &[text("$"), variable("A", None, 2..6)]);
        check("${A}", &[variable("A", None, 0..4)]);
        check("é${A}", &[text("é"), variable("A", None, 2..6)]);
        check("${A:-}", &[variable("A", Some(""), 0..6)]);
        check(
            "http://${HOST:-es:9200}/",
            &[text("http://"), variable("HOST", Some("es:9200"), 7..23), text("/")],
        );
        check("${file:/run/x}", &[Part::File { path: "/run/x".into(), at: 0..14 }]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        let check = |value: &str, at: Range<usize>, what: &str| {
            let malformed = parse(value).expect_err(value);
            assert_eq!((malformed.at, malformed.what), (at, what), "{value:?}");
        };
        check("a${B", 1..4, "`${` is never closed");
        check("${}", 0..3, "this is neither a variable nor a file");
        check("${1A}", 0..5, "this is neither a variable nor a file");
        check("${A:?no}", 0..8, "this is neither a variable nor a file");
        check("${file:key}", 0..11, "the file to interpolate is not an absolute path");
        check("${A:-${B}}", 0..9, "a default cannot itself be interpolated");
    }

    #[test]
    fn files_are_bounded_regular_text() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        let check = |content: &[u8], expect: Result<&str, FileProblem>| {
            std::fs::write(&path, content).expect("written");
            assert_eq!(read_file(&path), expect.map(str::to_owned));
        };
        check(b"secret\r\n\n", Ok("secret"));
        check(b" two\nlines ", Ok(" two\nlines "));
        check(b"\xff", Err(FileProblem::NotText));
        check(&vec![b'a'; FILE_LIMIT + 1], Err(FileProblem::TooLarge(FILE_LIMIT)));
        assert_eq!(read_file(directory.path()), Err(FileProblem::NotAFile));
        let absent = read_file(&directory.path().join("absent")).expect_err("absent");
        assert_eq!(absent.to_string(), "no such file");
    }
}
