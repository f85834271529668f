//! `docs/formats.md` is made from the definitions: this says what should stand there.
//!
//! `PILLION_BLESS=1 cargo test -p pillion-parsers --test formats` writes it anew.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]

#[path = "formats/kinds.rs"]
mod kinds;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use pillion_parsers::definition::Definition;
use pillion_parsers::parse::Library;
use serde_json::Value as Json;

const HEAD: &str = "# Formats

Made from the definitions in `parsers/definitions/`: change those, not this page. `pillion parsers NAME`
shows one with all its samples; `pillion explain LINE` says which fits a line of yours. How to write one
of your own, and how layouts are written, is said in [configuration](configuration.md#parsers).

A format is *recorded* where logs that the program itself wrote prove it (`fixtures/recorded/`, with the
version and a script that records them anew), *documented* where its definition follows the program's own
documentation. `auto` finds those marked with a dot by themselves; the others are too common in form, or
name what `auto` reads as well.

";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What proves a definition.
fn proof(definition: &Definition) -> String {
    let mut programs: Vec<&str> =
        definition.recorded.iter().filter_map(|log| log.split('/').next()).collect();
    programs.dedup();
    let versions = programs.iter().map(|program| {
        let path = root().join("fixtures/recorded").join(program).join("VERSION");
        let version = std::fs::read_to_string(path).unwrap_or_default();
        version.lines().next().unwrap_or(program).trim().to_owned()
    });
    let versions: Vec<String> = versions.collect();
    match (&definition.documented, versions.is_empty()) {
        (_, false) => format!("recorded: {}", versions.join(", ")),
        (Some(url), true) => format!("[documented]({url})"),
        (None, true) => "by its samples".to_owned(),
    }
}

/// The fields of a layout, each with the type of its value as its kind tells it.
fn of_layout<'d>(layout: &'d str, fields: &mut BTreeMap<Cow<'d, str>, &'static str>) {
    for braced in layout.split('{').skip(1).filter_map(|part| part.split('}').next()) {
        let (name, kind) = braced.split_once(':').unwrap_or((braced, ""));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if name.is_empty() || name == "_" || !name.bytes().all(is_name) {
            continue;
        }
        match kind {
            "request" => {
                fields.extend(["method", "target", "protocol"].map(|part| (part.into(), "text")));
                continue;
            }
            "address" => {
                let stem =
                    ["_ip", "_address", "_host"].iter().find_map(|end| name.strip_suffix(end));
                fields.insert(format!("{}_port", stem.unwrap_or(name)).into(), "integer");
            }
            _ => {}
        }
        let shown = match kind {
            "int" | "s" | "ms" | "us" | "ns" => "integer",
            "float" => "number",
            "json" => "JSON",
            _ => "text",
        };
        fields.insert(name.into(), shown);
    }
}

/// The fields of layouts and those that samples show, each with the type of its value.
fn fields(definition: &Definition) -> String {
    let mut fields: BTreeMap<Cow<'_, str>, &str> = BTreeMap::new();
    for layout in &definition.layout {
        of_layout(layout, &mut fields);
    }
    let records = definition.samples.iter().filter_map(|sample| sample.record.as_ref());
    for (name, value) in records.flatten() {
        let kind = match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(number) if number.is_i64() => "integer",
            Json::Number(_) => "number",
            Json::String(_) => "text",
            Json::Array(_) | Json::Object(_) => "JSON",
        };
        fields.insert(name.into(), kind);
    }
    let shown = fields.iter().map(|(name, kind)| match (&**name, *kind) {
        ("time" | "level" | "message", _) | (_, "text") => format!("`{name}`"),
        (_, kind) => format!("`{name}` ({kind})"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn section(page: &mut String, name: &str, definition: &Definition) -> std::fmt::Result {
    writeln!(page, "### {name}\n\n{}\n", definition.doc.trim())?;
    let how = [
        ("Stands in", &definition.within),
        ("Its message is read further by", &definition.nested),
        ("Grammar", &definition.grammar),
    ];
    for (what, other) in how {
        if let Some(other) = other {
            writeln!(page, "{what}: `{other}`.")?;
        }
    }
    if !definition.programs.is_empty() {
        writeln!(page, "Programs: `{}`.", definition.programs.join("`, `"))?;
    }
    if !definition.layout.is_empty() || definition.pattern.is_some() {
        writeln!(page, "\n```text")?;
        for layout in definition.layout.iter().chain(&definition.pattern) {
            writeln!(page, "{}", layout.trim())?;
        }
        writeln!(page, "```")?;
    }
    let fields = fields(definition);
    if !fields.is_empty() {
        writeln!(page, "\nFields: {fields}.")?;
    }
    if let Some(sample) = definition.samples.iter().find(|sample| sample.record.is_some()) {
        writeln!(page, "\n````text\n{}\n````", sample.line.trim_end())?;
    }
    writeln!(page)
}

fn page() -> String {
    let library = Library::builtin();
    let mut names: Vec<&str> = library.names().collect();
    names.sort_unstable();
    let mut page = HEAD.to_owned();
    let definition = |name: &str| library.definition(name).expect("a built-in definition is one");
    page.push_str("| name | found by `auto` | proven |\n|---|---|---|\n");
    for name in &names {
        let definition = definition(name);
        let dot = if definition.manual { "" } else { "•" };
        writeln!(page, "| [`{name}`](#{name}) | {dot} | {} |", proof(definition)).expect("memory");
    }
    page.push('\n');
    for name in names {
        section(&mut page, name, definition(name)).expect("memory");
    }
    page.push_str(&kinds::section());
    format!("{}\n", page.trim_end())
}

#[test]
fn the_page_of_formats_is_made_from_the_definitions() {
    let path = root().join("docs/formats.md");
    let page = page();
    if std::env::var("PILLION_BLESS").is_ok() {
        std::fs::write(&path, &page).expect("written");
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(stands.lines().chain(std::iter::repeat("")));
    let first = differ.enumerate().find(|(_, (made, stands))| made != stands);
    assert_eq!(first, None, "docs/formats.md is not what the definitions say: bless it");
    assert_eq!(page.lines().count(), stands.lines().count());
}
