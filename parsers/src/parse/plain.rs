//! No structure: the whole text is the message.

use super::Misfit;
use super::grammar::{Context, Grammar};
use crate::record::{Record, Text};

/// Reads anything.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "plain", begins: b"", needs: "", probe: None, read };

#[expect(clippy::unnecessary_wraps, reason = "every grammar has this shape")]
fn read<'a>(text: &'a str, _: &mut Context<'_, 'a>, record: &mut Record<'a>) -> Result<(), Misfit> {
    record.message = Some(Text::raw(text));
    Ok(())
}
