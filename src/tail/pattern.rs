//! A source's globs, compiled: where to look, how deep, and what fits.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::settings::TailSource;

/// Endings of compressed files: left alone unless a glob of the source itself ends so.
const COMPRESSED: [&str; 4] = [".gz", ".bz2", ".xz", ".zst"];

/// How deep a `**` looks.
const MAX_DEPTH: usize = 32;

/// A glob's literal beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The directory.
    pub dir: PathBuf,
    /// Components below it that a fitting path can have.
    pub depth: usize,
}

/// The compiled globs of one source.
#[derive(Debug)]
pub struct Patterns {
    /// Where to look.
    pub roots: Vec<Root>,
    files: GlobSet,
    excluded_paths: GlobSet,
    excluded_names: GlobSet,
}

impl Patterns {
    /// Compiles a source's globs. `*` and `?` do not match a slash, `**` does.
    ///
    /// # Errors
    ///
    /// A glob that cannot be compiled, or does not begin with a slash.
    pub fn new(source: &TailSource) -> Result<Self, String> {
        let mut roots: Vec<Root> = Vec::new();
        let mut files = GlobSetBuilder::new();
        for text in &source.files {
            let root = root(text)?;
            files.add(compile(text)?);
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        let (mut paths, mut names) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for text in &source.exclude {
            if text.contains('/') { &mut paths } else { &mut names }.add(compile(text)?);
        }
        for ending in COMPRESSED {
            if !source.files.iter().any(|text| text.ends_with(ending)) {
                names.add(compile(&format!("*{ending}"))?);
            }
        }
        let build = |set: &GlobSetBuilder| set.build().map_err(|error| error.to_string());
        Ok(Self {
            roots,
            files: build(&files)?,
            excluded_paths: build(&paths)?,
            excluded_names: build(&names)?,
        })
    }

    /// Whether a path is one of the source's.
    #[must_use]
    pub fn fits(&self, path: &Path) -> bool {
        self.files.is_match(path)
            && !self.excluded_paths.is_match(path)
            && !path.file_name().is_some_and(|name| self.excluded_names.is_match(name))
    }
}

/// Whether a path is named like a compressed file.
pub(super) fn is_compressed(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    COMPRESSED.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// Whether a path is named like a gzip file.
pub(super) fn is_gzip(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b".gz")
}

fn compile(text: &str) -> Result<Glob, String> {
    GlobBuilder::new(text).literal_separator(true).build().map_err(|error| error.to_string())
}

/// The literal directory a glob begins with.
///
/// # Errors
///
/// When the glob is not of an absolute path.
pub fn root(text: &str) -> Result<Root, String> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(format!("{text:?} is not an absolute path"));
    }
    let special = |part: &Component<'_>| {
        part.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[]{}\\".contains(byte))
    };
    let parts: Vec<Component<'_>> = path.components().collect();
    let literal = parts.iter().position(special).unwrap_or(parts.len());
    // A glob without anything special names one file, whose directory is the root.
    let literal = literal.min(parts.len().saturating_sub(1)).max(1);
    let (dir, rest) = parts.split_at(literal.min(parts.len()));
    // An alternation may hide slashes, and `**` any number of components.
    let deep = text.contains("**") || text.contains('{');
    let depth = if deep { MAX_DEPTH } else { rest.len() };
    Ok(Root { dir: dir.iter().collect(), depth })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[&str], exclude: &[&str]) -> TailSource {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        TailSource {
            name: "app".to_owned(),
            files: owned(files),
            exclude: owned(exclude),
            links_to: Vec::new(),
            start_at_end: false,
            ignore_older: None,
            max_record: 1 << 18,
            own_log: None,
            to: vec![0],
            header: None,
        }
    }

    #[test]
    fn the_root_is_the_literal_directory() {
        for (glob, dir, depth) in [
            ("/var/log/app/*.log", "/var/log/app", 1),
            ("/var/log/app/**/*.log", "/var/log/app", MAX_DEPTH),
            ("/var/log/pods/*/*/*.log", "/var/log/pods", 3),
            ("/var/log/app.log", "/var/log", 1),
            ("/var/log/a?p/x", "/var/log", 2),
            ("/var/log/{a,b/c}/x", "/var/log", MAX_DEPTH),
            ("/app.log", "/", 1),
            ("/*", "/", 1),
        ] {
            assert_eq!(root(glob), Ok(Root { dir: PathBuf::from(dir), depth }), "{glob}");
        }
        assert!(root("app/*.log").is_err());
        assert!(Patterns::new(&source(&["/a/[b"], &[])).is_err());
    }

    #[test]
    fn what_fits() {
        let fits = |files: &[&str], exclude: &[&str], path: &str| {
            Patterns::new(&source(files, exclude)).expect("compiles").fits(Path::new(path))
        };
        assert!(fits(&["/l/*.log"], &[], "/l/a.log"));
        assert!(!fits(&["/l/*.log"], &[], "/l/d/a.log"));
        assert!(fits(&["/l/**/*.log"], &[], "/l/a.log"));
        assert!(fits(&["/l/**/*.log"], &[], "/l/d/e/a.log"));
        assert!(!fits(&["/l/*.log"], &["debug*"], "/l/debug.log"));
        assert!(!fits(&["/l/**/*.log"], &["/l/old/**"], "/l/old/a.log"));
        assert!(fits(&["/l/*"], &[], "/l/a.log.1"));
        assert!(!fits(&["/l/*"], &[], "/l/a.log.2.gz"));
        assert!(fits(&["/l/*.gz"], &[], "/l/a.log.2.gz"));
        assert!(!fits(&["/l/*.gz"], &["*.gz"], "/l/a.log.2.gz"));
    }
}
