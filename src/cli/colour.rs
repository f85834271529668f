//! Colour on a terminal: `--color`, and `NO_COLOR` where that does not say.

use std::io::IsTerminal;

use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style};

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal that can show it, unless `NO_COLOR` is set.
    Auto,
    /// Into files and pipes too.
    Always,
    /// Not at all.
    Never,
}

impl When {
    /// Whether what goes there is coloured.
    pub(super) fn on(self, output: &impl IsTerminal) -> bool {
        match self {
            Self::Auto => output.is_terminal() && is_welcome(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// What the environment says (<https://no-color.org>): set to nothing is not set.
fn is_welcome() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// How the parts of a text are shown: as they are, unless they are coloured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Colours {
    /// Headings.
    pub(super) strong: Style,
    /// What redaction found, and left in its place.
    pub(super) found: Style,
    /// What is said beside it.
    pub(super) faint: Style,
}

impl Colours {
    /// Those for standard output.
    pub(super) fn for_stdout(when: When) -> Self {
        if !when.on(&std::io::stdout()) {
            return Self::default();
        }
        Self {
            strong: Style::new().bold(),
            found: AnsiColor::Yellow.on_default(),
            faint: Style::new().dimmed(),
        }
    }

    /// A text with each mask of a token, as `[EMAIL]`, in the colour of what was found.
    pub(super) fn marked(&self, text: &str) -> String {
        let found = self.found;
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('[') {
            let token = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let end = from.find(|c| !token(c)).unwrap_or(from.len());
            let (name, after) = from.split_at(end);
            // A hash may stand behind the token.
            let close = after.strip_prefix(':').and_then(|hash| hash.find(']').map(|at| at + 1));
            let close = if after.starts_with(']') { Some(0) } else { close };
            shown.push_str(before);
            match close.filter(|_| !name.is_empty()) {
                Some(close) => {
                    let (hash, after) = after.split_at(close + 1);
                    shown.push_str(&format!("{found}[{name}{hash}{found:#}"));
                    rest = after;
                }
                None => {
                    shown.push('[');
                    rest = from;
                }
            }
        }
        shown.push_str(rest);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_marked_and_nothing_else() {
        let found = AnsiColor::Yellow.on_default();
        let colours = Colours { found, ..Colours::default() };
        let (on, off) = (found.render().to_string(), found.render_reset().to_string());
        let marked = colours.marked("a [EMAIL] [EMAIL:k3wq] [info] [] [A:b x[");
        let expected = format!("a {on}[EMAIL]{off} {on}[EMAIL:k3wq]{off} [info] [] [A:b x[");
        assert_eq!(marked, expected);
        assert_eq!(Colours::default().marked("a [EMAIL] ["), "a [EMAIL] [");
    }
}
