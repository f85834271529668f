//! The configuration: what was typed (`tree`), what it means ([`settings`]), and what is wrong with it
//! ([`Diagnostics`]: every mistake at once, each with its place).
//!
//! ```text
//! text ──> tree (spans, aliases, bounds) ──> read (types, interpolation) ──> check ──> Settings
//! ```
//!
//! - The YAML is read into a tree whose nodes know their places, not straight into types: a
//!   deserialiser stops at the first mistake, and a person wants them all.
//! - `${VAR}`, `${VAR:-default}` and `${file:/path}` are put into values when they are read off the
//!   tree, so they can never become structure. Patterns and samples are taken as they stand.
//! - The environment comes in as a function; [`process_environment`] is the only place that reads the
//!   real one.

mod check;
mod diagnostic;
mod hidden;
pub mod memory;
mod names;
mod nearest;
mod over;
pub mod pod;
mod read;
mod schema;
pub mod secret;
mod seen;
pub mod settings;
mod simple;
mod state;
mod template;
mod tree;
pub mod units;

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;

use diagnostic::{Mistake, Text, quote};
use read::Reader;
use settings::Settings;

pub use diagnostic::Diagnostics;
pub(crate) use nearest::nearest;
pub use over::Over;
pub use schema::schema;

/// Largest configuration file, in bytes.
pub const FILE_LIMIT: usize = 1024 * 1024;

/// Looks an environment variable up. Passed in, so that tests need not touch the process's own.
pub type Environment<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// The process's own environment. A variable that is not UTF-8 counts as not set.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads and checks a configuration file, and what is given over it.
///
/// # Errors
///
/// With every mistake in it; or the one that it cannot be read, is larger than [`FILE_LIMIT`], or is
/// not UTF-8.
pub fn load(
    path: &Path,
    over: &Over,
    environment: &Environment<'_>,
) -> Result<Settings, Diagnostics> {
    from_bytes(&path.display().to_string(), read(path)?, over, environment)
}

/// A configuration file's bytes, unchecked.
///
/// # Errors
///
/// With the one mistake that it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Diagnostics> {
    read_bounded(path).map_err(|(problem, help)| {
        let name = quote(&path.display().to_string());
        let message = format!("cannot read the configuration {name}: {problem}");
        Diagnostics::of(Mistake::anywhere(message).help(help))
    })
}

/// Checks a configuration that is already in memory; `name` is shown before line numbers.
///
/// # Errors
///
/// With every mistake in it.
pub fn from_text(
    name: &str,
    content: &str,
    environment: &Environment<'_>,
) -> Result<Settings, Diagnostics> {
    from_bytes(name, content.as_bytes().to_vec(), &Over::default(), environment)
}

/// Checks a file's bytes, and what is given over them; `name` is shown before line numbers.
///
/// # Errors
///
/// With every mistake in it; or the one that it is larger than [`FILE_LIMIT`] or not UTF-8.
pub fn from_bytes(
    name: &str,
    bytes: Vec<u8>,
    over: &Over,
    environment: &Environment<'_>,
) -> Result<Settings, Diagnostics> {
    if bytes.len() > FILE_LIMIT {
        let message = format!("the configuration {} is larger than 1MiB", quote(name));
        return Err(Diagnostics::of(Mistake::anywhere(message)));
    }
    let content = match String::from_utf8(bytes) {
        Ok(content) => content,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("line {line} of {} is not UTF-8", quote(name));
            let help = "save it as UTF-8; in quotes, YAML can write any character as `\\u00e9`";
            return Err(Diagnostics::of(Mistake::anywhere(message).help(help)));
        }
    };
    let mut found = Diagnostics::new(vec![Text::file(name, content)]);
    let Some(root) = tree::build(&mut found) else {
        let content = found.texts().first().map(|text| text.content.as_str()).unwrap_or_default();
        let hidden = hidden::in_lines(content);
        found.finish(&hidden);
        return Err(found);
    };
    settle(&root, found, over, environment)
}

/// Settings without a configuration file: globs of files, and where to ship them.
///
/// Several values may stand in one, separated by commas. What is not given is looked up:
/// `PILLION_FILES` and `PILLION_TO` (separated by commas or spaces). Each of `to` is
/// `elasticsearch=URL`, `loki=URL`, `console` or `file=/path`; everything else is as a file that says
/// nothing more would have it. Elasticsearch gets the data stream [`DEFAULT_INDEX`].
///
/// # Errors
///
/// With every mistake, shown in the option it was made in.
pub fn from_simple(
    files: &[String],
    to: &[String],
    over: &Over,
    environment: &Environment<'_>,
) -> Result<Settings, Diagnostics> {
    let (root, found) = simple::tree(files, to, environment);
    settle(&root, found, over, environment)
}

pub use simple::{DEFAULT_INDEX, is_simple};

/// Where the agent of this configuration serves metrics and probes; `None` is `admin: off`. Only what
/// says so is read: a mistake that was made elsewhere since the agent started is not the agent's.
/// Without a file, or with one that cannot be made out, it is the default.
///
/// # Errors
///
/// When what says so is wrong itself.
pub fn admin(
    path: &Path,
    over: &Over,
    environment: &Environment<'_>,
) -> Result<Option<SocketAddr>, Diagnostics> {
    let bytes = read_bounded(path).ok().filter(|bytes| bytes.len() <= FILE_LIMIT);
    let content = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let text = Text::file(path.display().to_string(), content);
    let root = tree::build(&mut Diagnostics::new(vec![text.clone()]));
    let mut found = Diagnostics::new(vec![text]);
    let over = over.tree(&mut found, environment);
    let mut reader = Reader::new(found, environment);
    let admin = check::admin_alone(root.as_ref(), &over, &mut reader);
    let sound = reader.is_sound();
    let mut found = reader.found;
    match admin {
        Some(admin) if sound => Ok(admin),
        _ => {
            let hidden = root.map(|root| hidden::in_tree(&root, found.texts(), &found.marks()));
            found.finish(&hidden.unwrap_or_default());
            Err(found)
        }
    }
}

fn settle(
    root: &tree::Node,
    mut found: Diagnostics,
    over: &Over,
    environment: &Environment<'_>,
) -> Result<Settings, Diagnostics> {
    let over = over.tree(&mut found, environment);
    let mut reader = Reader::new(found, environment);
    let settings = check::check(root, &over, &mut reader);
    let sound = reader.is_sound();
    let mut found = reader.found;
    match settings {
        Some(settings) if sound => Ok(settings),
        _ => {
            let hidden = hidden::in_tree(root, found.texts(), &found.marks());
            found.finish(&hidden);
            Err(found)
        }
    }
}

/// The file's bytes, at most one more than allowed; else what is wrong and what to do.
fn read_bounded(path: &Path) -> Result<Vec<u8>, (String, &'static str)> {
    let problem = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => (
            "no such file".to_owned(),
            "name one with `--config`; `pillion run` can do without, by `--files` and `--to`",
        ),
        std::io::ErrorKind::PermissionDenied => {
            ("permission denied".to_owned(), "let the user that pillion runs as read it")
        }
        _ => (error.to_string(), "name a readable file with `--config`"),
    };
    let metadata = std::fs::metadata(path).map_err(problem)?;
    if metadata.is_dir() {
        return Err(("it is a directory".to_owned(), "name the file in it with `--config`"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(problem)?;
    file.take(FILE_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(problem)?;
    Ok(bytes)
}
