//! `filter_path`: which parts of a reply are sent. Patterns of dotted names, `*` within a name, `**`
//! for any number of names, `-` in front to leave out; arrays are looked through.

use serde_json::{Map, Value};

/// The patterns of a request.
#[derive(Debug, Default)]
pub(super) struct FilterPath {
    include: Vec<Vec<String>>,
    exclude: Vec<Vec<String>>,
}

impl FilterPath {
    /// Patterns separated by commas; empty filters nothing.
    pub(super) fn new(patterns: &str) -> Self {
        let mut filter = Self::default();
        for pattern in patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            let (pattern, list) = match pattern.strip_prefix('-') {
                Some(pattern) => (pattern, &mut filter.exclude),
                None => (pattern, &mut filter.include),
            };
            list.push(pattern.split('.').map(str::to_owned).collect());
        }
        filter
    }

    /// What is left of `reply`; an empty object if nothing is.
    pub(super) fn apply(&self, reply: Value) -> Value {
        let reply =
            if self.exclude.is_empty() { Some(reply) } else { without(reply, &self.exclude) };
        let reply = if self.include.is_empty() {
            reply
        } else {
            reply.and_then(|reply| only(reply, &self.include))
        };
        reply.unwrap_or_else(|| Value::Object(Map::new()))
    }
}

/// Where the patterns stand after going into `key`: the rests, and whether one of them is done.
fn step(patterns: &[Vec<String>], key: &str) -> (Vec<Vec<String>>, bool) {
    let mut rests = Vec::new();
    for pattern in patterns {
        advance(pattern, key, &mut rests);
    }
    let done = rests.iter().any(|rest| rest.iter().all(|name| name == "**"));
    (rests, done)
}

fn advance(pattern: &[String], key: &str, rests: &mut Vec<Vec<String>>) {
    match pattern {
        [first, rest @ ..] if first == "**" => {
            rests.push(pattern.to_vec());
            advance(rest, key, rests);
        }
        [first, rest @ ..] if matches(first, key) => rests.push(rest.to_vec()),
        _ => {}
    }
}

fn only(value: Value, patterns: &[Vec<String>]) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let mut left = Map::new();
            for (key, value) in map {
                let (rests, done) = step(patterns, &key);
                let kept = if done { Some(value) } else { only(value, &rests) };
                if let Some(kept) = kept {
                    left.insert(key, kept);
                }
            }
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(elements) => {
            let left: Vec<_> =
                elements.into_iter().filter_map(|element| only(element, patterns)).collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        _ => None,
    }
}

fn without(value: Value, patterns: &[Vec<String>]) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let mut left = Map::new();
            for (key, value) in map {
                let (rests, done) = step(patterns, &key);
                if !done && let Some(kept) = without(value, &rests) {
                    left.insert(key, kept);
                }
            }
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(elements) => {
            let left: Vec<_> =
                elements.into_iter().filter_map(|element| without(element, patterns)).collect();
            Some(Value::Array(left))
        }
        value => Some(value),
    }
}

/// Whether `text` fits a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(patterns: &str, expect: Value) {
        let reply = json!({"took": 3, "errors": true, "items": [
            {"create": {"_id": "a", "status": 201}},
            {"create": {"_id": "b", "status": 400, "error": {"type": "t", "reason": "r"}}},
        ]});
        assert_eq!(FilterPath::new(patterns).apply(reply), expect, "{patterns}");
    }

    #[test]
    fn patterns_choose_parts_of_the_reply() {
        let statuses = json!([{"create": {"status": 201}}, {"create": {"status": 400}}]);
        check("errors,items.*.status", json!({"errors": true, "items": statuses}));
        check("**.status", json!({"items": statuses}));
        // The known trap: successes vanish, and positions shift.
        check("items.*.error.type", json!({"items": [{"create": {"error": {"type": "t"}}}]}));
        check(
            "items.*.err*",
            json!({"items": [{"create": {"error": {"type": "t", "reason": "r"}}}]}),
        );
        check("-items,-took", json!({"errors": true}));
        check("errors,-items", json!({"errors": true}));
        check("nothing", json!({}));
    }
}
