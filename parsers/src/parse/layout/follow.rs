//! What follows the fields of a layout, by which each ends.

use super::Step;
use super::capture::{Gives, Kind};
use super::until::Until;
use crate::parse::roles::Outside;

/// All that is left is text to the end, where nothing follows that would read it further.
pub(super) fn end(steps: &mut [Step]) {
    match steps.last_mut() {
        Some(Step::Capture(capture)) if matches!(capture.kind, Kind::Rest) => {
            capture.kind = Kind::Text;
        }
        Some(Step::Optional(inner)) => end(inner),
        _ => {}
    }
}

/// Tells each field whether what stands before and behind it parts it from words there. `whole`: the
/// steps are all of a line.
pub(super) fn part(steps: &mut [Step], whole: bool) {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    for at in 0..steps.len() {
        let (before, rest) = steps.split_at_mut(at);
        let Some((step, behind)) = rest.split_first_mut() else { break };
        let begins = match before.last() {
            None => whole,
            Some(Step::Literal(literal)) => !is_word(literal.as_str().as_bytes().last()),
            Some(Step::Blanks) => true,
            Some(_) => false,
        };
        let ends = match behind.first() {
            None => whole,
            Some(Step::Literal(literal)) => !is_word(literal.as_str().as_bytes().first()),
            Some(Step::Blanks) => true,
            Some(_) => false,
        };
        match step {
            Step::Capture(capture) => {
                capture.apart = begins && ends;
                capture.behind_name = may_name(before, whole);
            }
            Step::Optional(inner) => part(inner, false),
            _ => {}
        }
    }
}

/// Whether a text that steps read may end in a name and the sign behind it, blanks and quotes aside.
fn may_name(steps: &[Step], whole: bool) -> bool {
    let Some((last, before)) = steps.split_last() else { return !whole };
    match last {
        Step::Literal(literal) => {
            match literal.as_str().trim_end_matches([' ', '\t', '"', '\'']).as_bytes().last() {
                Some(byte) => matches!(byte, b':' | b'='),
                None => may_name(before, whole),
            }
        }
        Step::Blanks => may_name(before, whole),
        // They end in a digit, or are a hyphen.
        Step::Capture(capture) => {
            !matches!(capture.kind, Kind::Integer | Kind::Float | Kind::Duration(_))
        }
        Step::Optional(_) => true,
    }
}

/// What may come after a step.
#[derive(Clone)]
pub(super) enum Follow {
    /// Nothing: the text ends.
    End,
    /// One of these, or the end too.
    Marks(Vec<Mark>, bool),
    /// A field, whose beginning cannot be told.
    Field,
}

/// The beginning of what comes after a text.
#[derive(Clone)]
pub(super) enum Mark {
    Literal(Box<str>),
    Blanks,
}

/// Tells each field where it ends, from what may follow it. Gives the name of one for which nothing
/// says so.
pub(super) fn settle(steps: &mut [Step], after: &Follow) -> Result<(), String> {
    let mut follow = after.clone();
    let mut behind = Outside::default();
    // Whether JSON comes next: what a text before it has of the literal between them is no end of it.
    let mut json = false;
    for step in steps.iter_mut().rev() {
        let before_json = std::mem::replace(&mut json, false);
        match step {
            Step::Literal(literal) => {
                follow = Follow::Marks(marks(literal.as_str(), before_json), false)
            }
            Step::Blanks => follow = Follow::Marks(vec![Mark::Blanks], false),
            Step::Optional(inner) => {
                settle(inner, &follow)?;
                follow = either(first(inner), follow);
            }
            // It takes nothing away: what follows it may follow what is before.
            Step::Capture(capture) if matches!(capture.kind, Kind::Rest) => json = before_json,
            Step::Capture(capture) => {
                capture.until = match &follow {
                    Follow::End => Until::End,
                    Follow::Marks(marks, or_end) => {
                        Until::new(marks, *or_end, matches!(capture.kind, Kind::Word))
                    }
                    Follow::Field if capture.kind.ends_by_itself() => Until::End,
                    Follow::Field => return Err(capture.name.as_str().to_owned()),
                };
                json = capture.kind.is_json();
                follow = Follow::Field;
                behind.time |= matches!(capture.gives, Gives::Time);
                behind.message |= matches!(capture.gives, Gives::Message);
                behind.level |= matches!(capture.gives, Gives::Level);
                if let Kind::Spread(spread) = &mut capture.kind {
                    spread.behind = behind;
                }
            }
        }
    }
    Ok(())
}

/// What a literal looks like where it ends a text.
fn marks(literal: &str, before_json: bool) -> Vec<Mark> {
    let with = |end: &str| Mark::Literal(format!("{literal}{end}").into_boxed_str());
    if before_json { vec![with("{"), with("[")] } else { vec![with("")] }
}

/// How steps begin.
fn first(steps: &[Step]) -> Follow {
    match steps.first() {
        Some(Step::Capture(capture)) if matches!(capture.kind, Kind::Rest) => {
            first(steps.get(1..).unwrap_or_default())
        }
        Some(Step::Literal(literal)) => {
            let json =
                |step: &Step| matches!(step, Step::Capture(capture) if capture.kind.is_json());
            Follow::Marks(marks(literal.as_str(), steps.get(1).is_some_and(json)), false)
        }
        Some(Step::Blanks) => Follow::Marks(vec![Mark::Blanks], false),
        _ => Follow::Field,
    }
}

fn either(one: Follow, other: Follow) -> Follow {
    match (one, other) {
        (Follow::Marks(mut marks, or_end), Follow::Marks(more, end)) => {
            marks.extend(more);
            Follow::Marks(marks, or_end || end)
        }
        (Follow::Marks(marks, _), Follow::End) => Follow::Marks(marks, true),
        _ => Follow::Field,
    }
}
