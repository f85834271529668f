//! Builds the tree from the YAML parser's event stream, on a stack of its own: no depth of the input
//! becomes depth of the call stack.

use std::collections::{BTreeMap, HashMap};

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag,
};

use super::{Entry, Kind, Node};
use crate::config::diagnostic::{Diagnostics, Mistake, NOWHERE, Place, quote};

/// Most levels of nesting, aliases resolved.
const DEPTH: usize = 48;

/// Most bytes the tree may take with its aliases resolved, at [`NODE`] a node plus its text.
const RESOLVED: usize = 16 * 1024 * 1024;

/// What a node without text counts for.
const NODE: usize = 96;

/// Reads the first text of `found` as one YAML document. Mistakes are added to `found`; after a
/// syntax error, or past a bound, there is no tree. An empty document is an empty mapping.
pub(in crate::config) fn build(found: &mut Diagnostics) -> Option<Node> {
    let content = found.texts().first()?.content.clone();
    let mut options = Options::default();
    options.flow_nesting_limit = DEPTH;
    options.block_nesting_limit = DEPTH;
    options.set_emit_comments(false);
    let mut builder =
        Builder { found, open: Vec::new(), anchors: HashMap::new(), root: None, weight: 0 };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(&content, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.syntax(&error, &content);
                return None;
            }
        };
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let mistake = Mistake::at(place(span), "a second YAML document begins here")
                    .help("a configuration is one document: remove the `---`");
                builder.found.add(mistake);
                break;
            }
        }
        if let Err(mistake) = builder.event(event, span) {
            builder.found.add(*mistake);
            return None;
        }
    }
    let root = builder.root.take();
    Some(root.unwrap_or(Node { kind: Kind::Map(Vec::new()), place: NOWHERE }))
}

/// A collection that is not yet closed.
struct Open {
    anchor: usize,
    place: Place,
    weight: usize,
    depth: usize,
    held: Held,
}

enum Held {
    List(Vec<Node>),
    /// Entries, and the key whose value comes next; inside, none if the key is unusable.
    Map(Vec<Entry>, Option<Option<(String, Place)>>),
}

/// A node that aliases may refer to, with what a copy of it costs.
struct Anchored {
    node: Node,
    weight: usize,
    depth: usize,
}

struct Builder<'f> {
    found: &'f mut Diagnostics,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    /// Of everything so far, aliases resolved.
    weight: usize,
}

/// A mistake after which the rest makes no sense.
type Fatal = Box<Mistake>;

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        let place = place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let string = self.tag(tag.as_deref(), place);
                let plain = matches!(style, ScalarStyle::Plain) && !string;
                let weight = NODE + text.len();
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                self.add(Node { kind, place }, anchor, weight, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), place);
                self.begin(Held::List(Vec::new()), anchor, place);
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), place);
                self.begin(Held::Map(Vec::new(), None), anchor, place);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Alias(anchor) => {
                let Some(anchored) = self.anchors.get(&anchor) else {
                    return Err(Box::new(Mistake::at(
                        place,
                        "this alias lies within its own anchor",
                    )));
                };
                let (weight, depth) = (anchored.weight, anchored.depth);
                // Asked before the copy is made: this is what an alias bomb runs into.
                self.afford(weight, place)?;
                let node = self.anchors.get(&anchor).map(|anchored| anchored.node.clone());
                node.map_or(Ok(()), |node| self.add(node, 0, weight, depth))
            }
            _ => Ok(()),
        }
    }

    /// Whether a tag says that the scalar is a string; other tags than YAML's own are refused.
    fn tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() || tag.original_handle() == "!" && !tag.suffix().is_empty() {
            // Not quoted: it may be a password that begins with `!`.
            self.found.add(Mistake::at(place, "this tag means nothing here").help(
                "remove it, or put the value in quotes if it begins with `!`; to interpolate, write \
                 `${VAR}` or `${file:/path}`",
            ));
        }
        tag.is_yaml_core_schema_tag("str")
    }

    fn begin(&mut self, held: Held, anchor: usize, place: Place) {
        self.open.push(Open { anchor, place, weight: NODE, depth: 1, held });
    }

    fn end(&mut self, end: Place) -> Result<(), Fatal> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let place = Place { end: end.end.max(open.place.end), ..open.place };
        let kind = match open.held {
            Held::List(items) => Kind::List(items),
            Held::Map(entries, _) => Kind::Map(self.unique(entries)),
        };
        // Its children were paid for as they came.
        self.weight = self.weight.saturating_sub(open.weight - NODE);
        self.add(Node { kind, place }, open.anchor, open.weight, open.depth)
    }

    fn afford(&self, weight: usize, place: Place) -> Result<(), Fatal> {
        if self.weight.saturating_add(weight) > RESOLVED {
            let mistake =
                Mistake::at(place, "the configuration is too large once aliases are resolved")
                    .help(format!(
                        "its values may take {} MiB of memory",
                        RESOLVED / (1024 * 1024)
                    ));
            return Err(Box::new(mistake));
        }
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, weight: usize, depth: usize) -> Result<(), Fatal> {
        self.afford(weight, node.place)?;
        self.weight += weight;
        if self.open.len() + depth > DEPTH {
            let message = format!("nested deeper than {DEPTH} levels");
            return Err(Box::new(Mistake::at(node.place, message)));
        }
        if anchor != 0 {
            // The copy kept for aliases takes memory too.
            self.afford(weight, node.place)?;
            self.weight += weight;
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, depth });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight += weight;
        open.depth = open.depth.max(depth + 1);
        match &mut open.held {
            Held::List(items) => items.push(node),
            Held::Map(entries, key) => match (key.take(), node.kind) {
                (Some(Some((key, key_place))), kind) => {
                    let value = Node { kind, place: node.place };
                    entries.push(Entry { key, key_place, value });
                }
                (Some(None), _) => {}
                (None, Kind::Scalar { text, .. }) => *key = Some(Some((text, node.place))),
                (None, _) => {
                    *key = Some(None);
                    self.found.add(Mistake::at(node.place, "a key has to be a single word"));
                }
            },
        }
        Ok(())
    }

    /// Reports keys given twice, and resolves `<<`.
    fn unique(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        let mut merged = Vec::new();
        let mut own = Vec::new();
        for entry in entries {
            if entry.key == "<<" {
                merged.push(entry.value);
                continue;
            }
            if let Some(first) = seen.get(&entry.key) {
                let message = format!("the key {} is given twice", quote(&entry.key));
                self.found.add(
                    Mistake::at(entry.key_place, message)
                        .label("given again")
                        .related(*first, "first given here")
                        .help("remove one of the two"),
                );
                continue;
            }
            seen.insert(entry.key.clone(), entry.key_place);
            own.push(entry);
        }
        for value in merged {
            self.merge(value, &mut seen, &mut own);
        }
        own
    }

    /// Adds the entries of a mapping, or of a list of mappings, whose keys are not there yet.
    fn merge(&mut self, value: Node, seen: &mut BTreeMap<String, Place>, own: &mut Vec<Entry>) {
        match value.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.key_place);
                        own.push(entry);
                    }
                }
            }
            Kind::List(nodes) if nodes.iter().all(|node| matches!(node.kind, Kind::Map(_))) => {
                for node in nodes {
                    self.merge(node, seen, own);
                }
            }
            _ => self.found.add(
                Mistake::at(value.place, "`<<` merges a mapping, or a list of mappings")
                    .help("write `<<: *anchor`"),
            ),
        }
    }

    fn syntax(&mut self, error: &ScanError, content: &str) {
        let marker = error.marker();
        let start = marker.byte_offset().unwrap_or_else(|| {
            content.char_indices().nth(marker.index()).map_or(content.len(), |(offset, _)| offset)
        });
        let length =
            content.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let place = Place { text: 0, start, end: start + length };
        let message = match error.kind() {
            ErrorKind::UnknownAnchor => "this alias has no anchor".to_owned(),
            kind => format!("this is not YAML: {kind}"),
        };
        self.found.add(Mistake::at(place, message).maybe_help(advice(content, start)));
    }
}

/// What is most often behind a syntax error.
fn advice(content: &str, offset: usize) -> Option<String> {
    let start = content.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
    let line = content.get(start..)?.lines().next()?;
    let typed = line.trim_start_matches([' ', '\t', '-']);
    if line.get(..line.len() - line.trim_start().len())?.contains('\t') {
        return Some("indent with spaces: YAML allows no tabs there".to_owned());
    }
    let value = typed.split_once(": ").map_or(typed, |(_, value)| value).trim_start();
    if value.starts_with('*') {
        return Some("put a value that begins with `*` in quotes: `*` names an alias".to_owned());
    }
    if value.starts_with(['%', '@', '`', '!', '&', '|', '>']) {
        return Some("put a value that begins with a special character in quotes".to_owned());
    }
    if value.contains(": ") {
        return Some("put a value that contains `: ` in quotes".to_owned());
    }
    let above = content.get(..start)?.lines().rev().find(|line| !line.trim().is_empty())?;
    let unclosed = |open, close| above.matches(open).count() > above.matches(close).count();
    let bracket = if unclosed('[', ']') {
        '['
    } else if unclosed('{', '}') {
        '{'
    } else {
        return None;
    };
    Some(format!("is the `{bracket}` in the line above ever closed?"))
}

fn place(span: Span) -> Place {
    let range = span.byte_range().unwrap_or(0..0);
    Place { text: 0, start: range.start, end: range.end.max(range.start) }
}
