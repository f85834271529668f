//! The JSON Schema against the readers: neither knows a key or a word that the other does not.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::config::diagnostic::Place;
use crate::config::seen::noted::{KEYS, WORDS};
use crate::config::tree::{Entry, Kind, Node};

/// A step on the way into a configuration, or into the schema along with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index,
}

fn validator() -> (Value, Validator) {
    let schema = crate::config::schema();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    (schema, validator)
}

/// The tree as JSON, and as it is without what is only there for anchors.
fn tree(content: &str) -> Node {
    let mut found = Diagnostics::new(vec![Text::file("test", content.to_owned())]);
    tree::build(&mut found).unwrap_or_else(|| panic!("no YAML: {found}"))
}

fn json(node: &Node) -> Value {
    Value::deserialize(node).expect("JSON")
}

/// Every configuration that is right: the fixtures, and what the documentation shows.
fn right() -> Vec<(String, String)> {
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &Path| std::fs::read_to_string(path).expect("readable");
    let mut all: Vec<_> =
        fixtures("good").iter().map(|path| (path.display().to_string(), read(path))).collect();
    for case in std::fs::read_dir(root.join("fixtures/replay")).expect("fixtures") {
        let path = case.expect("an entry").path().join("pillion.yaml");
        if path.exists() {
            all.push((path.display().to_string(), read(&path)));
        }
    }
    for name in ["README.md", "docs/configuration.md"] {
        let text = read(&root.join(name));
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let whole =
            |block: &&str| block.contains("\nsources:") && block.contains("\ndestinations:");
        let blocks = blocks.map(|block| format!("\n{block}"));
        let blocks = blocks.filter(|block| whole(&block.as_str()));
        all.extend(blocks.map(|block| (name.to_owned(), block)));
    }
    all
}

#[test]
fn what_is_right_is_right_by_the_schema() {
    let (_, validator) = validator();
    let right = right();
    assert!(right.len() > 15, "only {} were found", right.len());
    for (name, content) in right {
        let errors: Vec<_> = validator
            .iter_errors(&json(&tree(&content)))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}:\n{content}\n{}", errors.join("\n"));
    }
}

#[test]
fn what_is_refused_for_an_unknown_key_is_wrong_by_the_schema() {
    let (_, validator) = validator();
    let mut checked = 0;
    for path in fixtures("bad") {
        let said = std::fs::read_to_string(path.with_extension("txt")).expect("readable");
        if !said.contains("unknown key") {
            continue;
        }
        checked += 1;
        let content = std::fs::read_to_string(&path).expect("readable");
        assert!(!validator.is_valid(&json(&tree(&content))), "{} is valid", path.display());
    }
    assert!(checked >= 5, "only {checked} were found");
}

/// Where each place of a configuration is.
fn places(node: &Node, at: &mut Vec<Step>, into: &mut Vec<(Place, Vec<Step>)>) {
    into.push((node.place, at.clone()));
    let mut go = |step, node, at: &mut Vec<Step>| {
        at.push(step);
        places(node, at, into);
        at.pop();
    };
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(nodes) => nodes.iter().for_each(|node| go(Step::Index, node, at)),
        Kind::Map(entries) => {
            for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
                go(Step::Key(entry.key.clone()), &entry.value, at);
            }
        }
    }
}

/// What a schema stands for: itself, or what it refers to, or its alternatives.
fn meant<'s>(root: &'s Value, schema: &'s Value, into: &mut Vec<&'s Value>) {
    into.push(schema);
    if let Some(name) = schema["$ref"].as_str() {
        meant(root, root.pointer(&name[1..]).expect("it is there"), into);
    }
    for one in schema["anyOf"].as_array().into_iter().flatten() {
        meant(root, one, into);
    }
}

/// All that the schema says of a place in a configuration.
fn said<'s>(root: &'s Value, path: &[Step]) -> Vec<&'s Value> {
    let mut here = Vec::new();
    meant(root, root, &mut here);
    for step in path {
        let mut next = Vec::new();
        for schema in here {
            let inner = match step {
                Step::Key(key) => {
                    schema["properties"].get(key).or(schema.get("additionalProperties"))
                }
                Step::Index => schema.get("items"),
            };
            if let Some(inner) = inner.filter(|inner| inner.is_object()) {
                meant(root, inner, &mut next);
            }
        }
        here = next;
    }
    here
}

/// By the address of each part of the schema that has `key`: what it lists there.
fn parts<'s>(schema: &'s Value, key: &str, into: &mut BTreeMap<*const Value, &'s Value>) {
    match schema {
        Value::Object(entries) => {
            if entries.contains_key(key) && !entries.contains_key("$ref") {
                into.insert(std::ptr::from_ref(schema), schema);
            }
            entries.values().for_each(|inner| parts(inner, key, into));
        }
        Value::Array(values) => values.iter().for_each(|inner| parts(inner, key, into)),
        _ => {}
    }
}

#[test]
fn the_readers_and_the_schema_know_the_same_keys_and_words() {
    let root = crate::config::schema();
    let (mut objects, mut wrong) = (BTreeMap::new(), Vec::new());
    parts(&root, "properties", &mut objects);
    // `properties` is a key of nothing but schemas here, and no name of a property.
    objects.retain(|_, schema| schema["properties"].is_object());
    assert!(objects.len() > 20, "{}", objects.len());
    for (name, content) in right() {
        KEYS.take();
        WORDS.take();
        text(&content).unwrap_or_else(|found| panic!("{name}: {found}"));
        let mut paths = Vec::new();
        places(&tree(&content), &mut Vec::new(), &mut paths);
        let at =
            |place: Place| paths.iter().filter(move |(at, _)| *at == place).map(|(_, path)| path);
        for (place, mut known) in KEYS.take() {
            known.sort_unstable();
            known.dedup();
            for path in at(place) {
                let said = said(&root, path).into_iter();
                let said: Vec<_> = said.filter(|it| it["properties"].is_object()).collect();
                let [said] = said.as_slice() else {
                    wrong.push(format!("{path:?}: {} objects of the schema", said.len()));
                    continue;
                };
                objects.remove(&std::ptr::from_ref(*said));
                let mut keys: Vec<_> = said["properties"]
                    .as_object()
                    .expect("checked")
                    .keys()
                    .map(String::as_str)
                    .collect();
                keys.sort_unstable();
                if keys != known {
                    wrong.push(format!("{path:?}: the schema has {keys:?}, the reader {known:?}"));
                }
            }
        }
        for (place, words) in WORDS.take() {
            for path in at(place) {
                let said = said(&root, path).into_iter();
                let listed: Vec<_> =
                    said.filter_map(|it| it["enum"].as_array()).flatten().collect();
                let missing = words.iter().filter(|word| !listed.contains(&&Value::from(**word)));
                let more =
                    listed.iter().filter(|it| it.as_str().is_none_or(|it| !words.contains(&it)));
                let (missing, more): (Vec<_>, Vec<_>) = (missing.collect(), more.collect());
                if !missing.is_empty() || !more.is_empty() {
                    wrong.push(format!("{path:?}: the schema lacks {missing:?} and has {more:?}"));
                }
            }
        }
    }
    for schema in objects.values() {
        wrong.push(format!("no configuration that is right has any of {:?}", schema["properties"]));
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The tree with one more key in each of its mappings, in turn.
fn with_a_key(node: &Node) -> Vec<Node> {
    let with = |kind: Kind| Node { kind, place: node.place };
    match &node.kind {
        Kind::Scalar { .. } => Vec::new(),
        Kind::List(nodes) => {
            let changed = nodes.iter().enumerate().flat_map(|(index, inner)| {
                with_a_key(inner).into_iter().map(move |inner| {
                    let mut nodes = nodes.clone();
                    nodes[index] = inner;
                    with(Kind::List(nodes))
                })
            });
            changed.collect()
        }
        Kind::Map(entries) => {
            let deeper = entries.iter().enumerate().flat_map(|(index, entry)| {
                with_a_key(&entry.value).into_iter().map(move |value| {
                    let mut entries = entries.clone();
                    entries[index].value = value;
                    with(Kind::Map(entries))
                })
            });
            let mut all: Vec<_> = deeper.collect();
            let mut entries = entries.clone();
            let value = Node::text("1", node.place);
            entries.push(Entry { key: "unheard_of".into(), key_place: node.place, value });
            all.push(with(Kind::Map(entries)));
            all
        }
    }
}

#[test]
fn a_key_that_the_readers_do_not_know_is_wrong_by_the_schema() {
    let (_, validator) = validator();
    let (mut refused, mut taken) = (0, 0);
    for (name, content) in right() {
        for changed in with_a_key(&tree(&content)) {
            let found = Diagnostics::new(vec![Text::file("test", content.clone())]);
            let unknown = match settle(&changed, found, &Over::default(), &environment) {
                Ok(_) => false,
                Err(found) => found.messages().any(|it| it.contains("unknown key `unheard_of`")),
            };
            let value = json(&changed);
            if unknown {
                refused += 1;
                assert!(!validator.is_valid(&value), "{name}: {value:#}");
            } else {
                taken += 1;
            }
        }
    }
    assert!(refused > 100, "{refused} were refused, {taken} taken");
}
