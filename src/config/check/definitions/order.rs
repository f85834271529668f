//! The order in which parsers are read: each behind those that it names, wherever these stand.

use crate::config::diagnostic::{Mistake, quote};
use crate::config::read::{Reader, Value};
use crate::config::tree::{Entry, Kind};

/// The keys by which a parser names another.
const KEYS: [&str; 2] = ["within", "nested"];

/// Parsers so that each comes behind those it names, and the names of those that lead back to themselves,
/// which is a mistake.
pub(super) fn ordered<'n>(
    reader: &mut Reader<'_>,
    parsers: Vec<Value<'n>>,
) -> (Vec<Value<'n>>, Vec<&'n str>) {
    let mut walk = Walk {
        state: vec![State::New; parsers.len()],
        parsers,
        ordered: Vec::new(),
        circular: Vec::new(),
    };
    for at in 0..walk.parsers.len() {
        walk.visit(at, &mut Vec::new(), reader);
    }
    (walk.ordered, walk.circular)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

struct Walk<'n> {
    parsers: Vec<Value<'n>>,
    state: Vec<State>,
    ordered: Vec<Value<'n>>,
    circular: Vec<&'n str>,
}

impl<'n> Walk<'n> {
    /// Goes through what a parser names, `path` being the way to it. Parsers are as many as a person writes.
    fn visit(&mut self, at: usize, path: &mut Vec<&'n str>, reader: &mut Reader<'_>) {
        let Some(parser) = self.parsers.get(at).copied() else { return };
        if self.state.get(at) != Some(&State::New) || path.len() > MOST {
            return;
        }
        self.set(at, State::Open);
        path.push(parser.name);
        for named in KEYS.iter().filter_map(|key| parser.node.entry(key)) {
            let Some(name) = text(named) else { continue };
            let Some(other) = self.parsers.iter().position(|parser| parser.name == name) else {
                continue;
            };
            if self.state.get(other) == Some(&State::Open) {
                let from = path.iter().position(|on_way| *on_way == name).unwrap_or_default();
                let circle = path.get(from..).unwrap_or_default();
                let way: Vec<String> =
                    circle.iter().chain([&name]).map(|name| quote(name)).collect();
                let message =
                    format!("these parsers name each other in a circle: {}", way.join(", "));
                let mistake = Mistake::at(named.value.place, message);
                reader.mistake(mistake.help("let one of them read its lines by itself"));
                self.circular.extend(circle);
            } else {
                self.visit(other, path, reader);
            }
        }
        path.pop();
        self.set(at, State::Done);
        self.ordered.push(parser);
    }

    fn set(&mut self, at: usize, state: State) {
        if let Some(it) = self.state.get_mut(at) {
            *it = state;
        }
    }
}

/// Parsers on a way that is gone: a longer one is refused for that.
const MOST: usize = 64;

fn text(entry: &Entry) -> Option<&str> {
    match &entry.value.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
