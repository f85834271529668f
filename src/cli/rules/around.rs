//! What stands around a mask: taken from the redacted record, so that it holds nothing that a rule found.

use pillion_parsers::record::Value;
use pillion_parsers::redact::{Place, Redacted};

use crate::cli::shown::in_one_line;
use crate::pipeline::replay::Explained;

/// Bytes shown on each side.
const SIDE: usize = 40;

/// Bytes shown of a text in which the mask is not found again: another mask took its place.
const WHOLE: usize = 100;

/// The surroundings of the mask that stands for the `nth` of what a rule found in a place, from 0.
pub(super) fn around(explained: &Explained<'_>, place: &Place, token: &str, nth: usize) -> String {
    let Some(record) = explained.record else { return "(dropped)".to_owned() };
    let mask = format!("[{token}]");
    match place {
        Place::Field(path) => {
            let text = text(record, path).or_else(|| holding(record, &mask));
            text.map_or_else(|| mask.clone(), |text| cut(text, &mask, nth))
        }
        Place::Bytes(_) => {
            let keys = record.fields().iter().map(|field| field.key.name());
            let mut masked = keys.filter(|key| key.contains(&mask));
            masked.nth(nth).map_or_else(|| mask.clone(), |key| cut(key, &mask, 0))
        }
    }
}

/// The text of a record that a path leads into: the longest name that it begins with.
fn text<'a>(record: &Redacted<'_, 'a>, path: &str) -> Option<&'a str> {
    let leads = |name: &str| {
        path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let fields = record.fields().iter().filter(|field| leads(field.key.name()));
    let field = fields.max_by_key(|field| field.key.name().len());
    match field {
        Some(field) => written(&field.value),
        None => record.message().filter(|_| leads("message")).map(|text| text.as_stored()),
    }
}

/// The first text with a mask in it: the path of what is found in a text that is JSON begins there.
fn holding<'a>(record: &Redacted<'_, 'a>, mask: &str) -> Option<&'a str> {
    let fields = record.fields().iter().filter_map(|field| written(&field.value));
    let mut texts = record.message().map(|text| text.as_stored()).into_iter().chain(fields);
    texts.find(|text| text.contains(mask))
}

/// A value as it is written, if it can hold a mask.
const fn written<'a>(value: &Value<'a>) -> Option<&'a str> {
    match value {
        Value::Text(text) => Some(text.as_stored()),
        Value::Json(text) | Value::CleanJson(text) | Value::Number(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => None,
    }
}

fn cut(text: &str, mask: &str, nth: usize) -> String {
    let mut masks = text.match_indices(mask);
    let at = masks.clone().nth(nth).or_else(|| masks.next());
    let (from, to) = match at {
        Some((at, _)) => (at.saturating_sub(SIDE), at + mask.len() + SIDE),
        None => (0, WHOLE),
    };
    let from = (0..=from).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let to = (to..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    format!("{before}{}{after}", in_one_line(text.get(from..to).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_mask_is_shown_and_no_more_than_is_needed() {
        assert_eq!(cut("to [A] and [B] and [A]", "[A]", 1), "to [A] and [B] and [A]");
        let long = format!("{}ä [A] {}\n[A]", "x".repeat(100), "y".repeat(100));
        let shown = cut(&long, "[A]", 0);
        assert_eq!(shown, format!("…{}ä [A] {}…", "x".repeat(37), "y".repeat(39)));
        assert_eq!(cut(&long, "[A]", 1), format!("…{}\\n[A]", "y".repeat(39)));
        assert_eq!(cut(&long, "[B]", 0), format!("{}…", "x".repeat(100)));
        assert_eq!(cut("", "[B]", 0), "");
    }
}
