//! The documentation against the program: every whole configuration in it is accepted.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).expect("readable")
}

/// The fenced blocks of a language, each with the line it begins in.
fn blocks(markdown: &str, language: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut outside = true;
    for (number, line) in markdown.lines().enumerate() {
        if let Some(after) = line.strip_prefix("```") {
            if outside && after == language {
                open = Some((number + 1, String::new()));
            } else if !outside {
                found.extend(open.take());
            }
            outside = !outside;
        } else if let Some((_, text)) = &mut open {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

fn is_whole_configuration(yaml: &str) -> bool {
    ["sources:", "destinations:"].iter().all(|key| yaml.lines().any(|line| line == *key))
}

#[test]
fn whole_configurations_are_accepted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for name in ["README.md", "docs/configuration.md"] {
        for (line, yaml) in blocks(&read(name), "yaml") {
            if !is_whole_configuration(&yaml) {
                continue;
            }
            checked += 1;
            let path = dir.path().join("pillion.yaml");
            fs::write(&path, yaml).expect("writes");
            let output = Command::new(env!("CARGO_BIN_EXE_pillion"))
                .env_clear()
                .env("NO_COLOR", "1")
                .args(["check", "--config"])
                .arg(&path)
                .output()
                .expect("the binary starts");
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                wrong.push(format!("{name}:{line}:\n{said}"));
            }
        }
    }
    assert!(checked >= 7, "only {checked} configurations were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
