//! Style that a machine can keep. Each message names the mend.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines a source file may have: beyond it there is a second idea that wants a file of its own.
const MAX_LINES: usize = 420;

const BANNED_NAMES: &[&str] =
    &["util", "utils", "common", "helpers", "helper", "misc", "core", "manager", "types"];

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for dir in ["src", "parsers/src", "tests", "benches"] {
        rust_files(&root.join(dir), &mut files);
    }
    assert!(files.len() > 50, "the files were not found");
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("readable");
        let shown = path.strip_prefix(root).expect("below").display().to_string();
        if !text.starts_with("//!") {
            wrong.push(format!("{shown}: begin with a `//!` paragraph that says what it is for"));
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{shown}: {lines} lines; move the second idea into its own file"));
        }
        let stem = path.file_stem().expect("named").to_string_lossy();
        if BANNED_NAMES.contains(&stem.as_ref()) {
            wrong.push(format!("{shown}: the name says nothing; call it after what it does"));
        }
        if stem == "mod" {
            wrong.push(format!("{shown}: use the name of the module, not mod.rs"));
        }
        // Split, so that this file does not find itself.
        for mark in [["TO", "DO"].concat(), ["FIX", "ME"].concat()] {
            if text.contains(&mark) {
                wrong.push(format!("{shown}: holds a {mark}; do it, or file it"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
