//! How far a text fits a layout, and what should follow there: asked of one line by a person.

use super::syntax;
use super::{Step, Walk};
use crate::Arena;
use crate::definition::Definition;
use crate::parse::columns::Columns;
use crate::parse::convert::Leveller;
use crate::parse::csv::Dialect;
use crate::parse::cursor::Cursor;
use crate::parse::grammar::Context;
use crate::parse::pattern::Locations;
use crate::parse::roles::Outside;
use crate::parse::seen::Seen;
use crate::record::Record;
use crate::timestamp::Clock;

/// Which of a definition's layouts a text fits furthest, and where that ends.
pub(in super::super) fn stop(definition: &Definition, text: &str, now: i64) -> Option<String> {
    let (mut furthest, mut found) = (0, None);
    for layout in &definition.layout {
        let (len, follows) = one(layout, definition, text, now)?;
        if found.is_none() || len > furthest {
            let column = text.get(..len)?.chars().count() + 1;
            found = Some(format!("`{layout}` fits up to column {column}, where {follows}"));
            furthest = len;
        }
    }
    found
}

/// How many bytes fit one layout, and what should follow.
fn one(layout: &str, definition: &Definition, text: &str, now: i64) -> Option<(usize, String)> {
    let level = Leveller::new(definition.level.as_ref());
    let steps = syntax::steps(layout, definition, &level, &mut Vec::new()).ok()?;
    let (arena, mut record) = (Arena::new(), Record::default());
    let (mut clock, mut bad_times) = (Clock::default(), 0);
    clock.set_now(now);
    let (mut locations, mut columns) = (Locations::default(), Columns::default());
    let mut cx = Context {
        arena: &arena,
        clock: &mut clock,
        bad_times: &mut bad_times,
        guessing: false,
        seen: Seen::ALL,
        locations: &mut locations,
        refine: None,
        auto: None,
        columns: &mut columns,
        dialect: &Dialect::COMMAS,
        outside: Outside::default(),
    };
    let mut walk = Walk {
        whole: text,
        level: &level,
        line: text.find('\n'),
        readable: false,
        layout: None,
        unread: false,
        torn: false,
        cx: &mut cx,
    };
    let mut cursor = Cursor::new(text);
    for (at, step) in steps.iter().enumerate() {
        let mut next = cursor;
        if walk.steps(std::slice::from_ref(step), &mut next, &mut record).is_err() {
            let follows = format!("{} should follow", named(steps.get(at..)?));
            return Some((text.len() - cursor.rest().len(), follows));
        }
        cursor = next;
    }
    Some((text.len() - cursor.rest().len(), "it should end".to_owned()))
}

/// What comes next, as a layout writes it.
fn named(steps: &[Step]) -> String {
    match steps {
        [Step::Literal(literal), ..] => format!("`{}`", literal.as_str()),
        [Step::Blanks, ..] => "a blank".to_owned(),
        [Step::Capture(capture), rest @ ..] => {
            let behind = match rest.first() {
                Some(Step::Literal(_) | Step::Blanks) => format!(" and {}", named(rest)),
                _ => String::new(),
            };
            format!("`{{{}}}`{behind}", capture.name.as_str())
        }
        [Step::Optional(_), rest @ ..] => named(rest),
        [] => "its end".to_owned(),
    }
}
