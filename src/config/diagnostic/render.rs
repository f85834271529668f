//! Draws mistakes with the lines they stand in.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostics, Mistake, Place, Text};

/// Longest stretch of text that is drawn: beyond it, the place is given by line and column alone.
const DRAWN: usize = 16 * 1024;

/// Longest line that is drawn.
const DRAWN_LINE: usize = 1024;

/// All mistakes, a blank line between them, and their number at the end.
pub(super) fn render(all: &Diagnostics, coloured: bool) -> String {
    let renderer = if coloured {
        Renderer::styled().decor_style(DecorStyle::Unicode)
    } else {
        Renderer::plain().decor_style(DecorStyle::Ascii)
    };
    let mut out = String::new();
    for mistake in &all.mistakes {
        out.push_str(&renderer.render(&[group(mistake, &all.texts)]));
        out.push_str("\n\n");
    }
    let noun = if all.count() == 1 { "mistake" } else { "mistakes" };
    let is_over = |mistake: &Mistake| mistake.place.is_some_and(|place| place.text > 0);
    let name = match all.texts.as_slice() {
        [] => "the configuration",
        [file, ..] if file.is_file && !all.mistakes.iter().any(is_over) => file.name.as_str(),
        [file, ..] if file.is_file => &format!("{} and what is given over it", file.name),
        options if options.iter().any(|text| text.name.starts_with("--")) => "the command line",
        _ => "the environment",
    };
    out.push_str(&format!("{} {noun} in {name}", all.count()));
    if all.more > 0 {
        out.push_str(&format!(" ({} not shown)", all.more));
    }
    out
}

fn group<'a>(mistake: &'a Mistake, texts: &'a [Text]) -> Group<'a> {
    let mut group = Group::with_title(Level::ERROR.primary_title(mistake.message.as_str()));
    let text = mistake.place.and_then(|place| Some((place, texts.get(place.text)?)));
    if let Some((place, text)) = text {
        let related = mistake.related.as_ref().filter(|(other, _)| other.text == place.text);
        match drawn(text, place, related) {
            Some((source, first_line, start)) => {
                let shift = |place: Place| -> Range<usize> {
                    let range = on_one_line(&text.content, place);
                    range.start.saturating_sub(start)..range.end.saturating_sub(start)
                };
                let mut primary = AnnotationKind::Primary.span(shift(place));
                if !mistake.label.is_empty() {
                    primary = primary.label(mistake.label.as_str());
                }
                let mut snippet = Snippet::source(source)
                    .line_start(first_line)
                    .path(text.name.as_str())
                    .annotation(primary);
                if let Some((other, label)) = related {
                    let context = AnnotationKind::Context.span(shift(*other));
                    snippet = snippet.annotation(context.label(label.as_str()));
                }
                group = group.element(snippet);
            }
            None => {
                let (line, column) = line_and_column(&text.content, place.start);
                let origin = Origin::path(text.name.as_str()).line(line).char_column(column);
                group = group.element(origin);
            }
        }
    }
    if let Some(help) = &mistake.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// The whole lines that hold the places, the number of the first and its offset; none when they are
/// too long to draw.
fn drawn<'a>(
    text: &'a Text,
    place: Place,
    related: Option<&(Place, String)>,
) -> Option<(&'a str, usize, usize)> {
    let mut range = on_one_line(&text.content, place);
    if let Some((other, _)) = related {
        let other = on_one_line(&text.content, *other);
        range = range.start.min(other.start)..range.end.max(other.end);
    }
    let start = text.content.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.content.get(range.end..)?;
    let end = rest.find('\n').map_or(text.content.len(), |at| range.end + at);
    let source = text.content.get(start..end)?;
    if source.len() > DRAWN || source.lines().any(|line| line.len() > DRAWN_LINE) {
        return None;
    }
    let (line, _) = line_and_column(&text.content, start);
    Some((source, line, start))
}

/// A place cut to its first line, and to the text.
fn on_one_line(content: &str, place: Place) -> Range<usize> {
    let floor = |offset: usize| {
        let mut offset = offset.min(content.len());
        while !content.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let (start, end) = (floor(place.start), floor(place.end));
    let inside = content.get(start..end).unwrap_or_default();
    let length = inside.find(['\n', '\r']).unwrap_or(inside.len());
    start..start + length
}

/// Line and column, both from 1, the column in characters.
pub(super) fn line_and_column(content: &str, offset: usize) -> (usize, usize) {
    let before = content.get(..offset).unwrap_or(content);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}
