//! What is wrong with a configuration: all mistakes, each with its place, and how they are shown.

mod render;

use std::ops::Range;

/// Most mistakes kept: a file of rubbish must not fill the memory, or the screen.
const KEPT: usize = 200;

/// A stretch of one of the texts that settings were read from, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which text: see [`Text`].
    pub(super) text: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The place of what was not typed: a stand-in, or a mapping that the command line is made into.
pub(super) const NOWHERE: Place = Place { text: 0, start: 0, end: 0 };

impl Place {
    /// The part of this place that `range` covers, counted from its start.
    pub(super) fn within(self, range: &Range<usize>) -> Self {
        let clamp = |offset: usize| self.start.saturating_add(offset).min(self.end);
        Self { start: clamp(range.start), end: clamp(range.end), ..self }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end.max(self.start)
    }
}

/// A text that settings are read from: the file, or the value of a command-line option.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// As it is shown before the line number: a path, `--to`, `PILLION_TO`.
    pub(super) name: String,
    pub(super) content: String,
    /// Whether it is a file of YAML; else the value of an option or a variable.
    pub(super) is_file: bool,
}

impl Text {
    /// A configuration file.
    pub(super) fn file(name: impl Into<String>, content: String) -> Self {
        Self { name: name.into(), content, is_file: true }
    }

    /// The value of an option or a variable.
    pub(super) fn option(name: impl Into<String>, content: String) -> Self {
        Self { name: name.into(), content, is_file: false }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// What is wrong; lower case, no full stop.
    pub(super) message: String,
    /// Where; none when it is about the file as a whole.
    pub(super) place: Option<Place>,
    /// A few words under the place.
    pub(super) label: String,
    /// A second place that explains the first.
    pub(super) related: Option<(Place, String)>,
    /// What to do about it.
    pub(super) help: Option<String>,
}

impl Mistake {
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::anywhere(message) }
    }

    pub(super) fn anywhere(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            label: String::new(),
            related: None,
            help: None,
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(super) fn related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.related = Some((place, label.into()));
        self
    }
}

/// Every mistake of a configuration, in the order of the file.
///
/// `Display` is plain text for logs and files; [`Diagnostics::coloured`] is for a terminal. In both,
/// whatever could be a credential is starred out.
pub struct Diagnostics {
    texts: Vec<Text>,
    mistakes: Vec<Mistake>,
    /// Counted beyond those kept.
    more: usize,
}

impl Diagnostics {
    pub(super) fn new(texts: Vec<Text>) -> Self {
        Self { texts, mistakes: Vec::new(), more: 0 }
    }

    /// A single mistake about something that has no text.
    pub(super) fn of(mistake: Mistake) -> Self {
        let mut all = Self::new(Vec::new());
        all.add(mistake);
        all
    }

    /// One more text; returns the place of all of it.
    pub(super) fn text(&mut self, text: Text) -> Place {
        let place = Place { text: self.texts.len(), start: 0, end: text.content.len() };
        self.texts.push(text);
        place
    }

    pub(super) fn add(&mut self, mistake: Mistake) {
        // The same mistake at the same place: an anchored node that several aliases repeat.
        if self.mistakes.contains(&mistake) {
            return;
        }
        if self.mistakes.len() < KEPT {
            self.mistakes.push(mistake);
        } else {
            self.more += 1;
        }
    }

    /// Stars out what lies in these places, and sorts the mistakes as the file reads.
    pub(super) fn finish(&mut self, hidden: &[Place]) {
        for (index, text) in self.texts.iter_mut().enumerate() {
            let here = hidden.iter().filter(|place| place.text == index);
            text.content = starred(&text.content, here.map(|place| place.range()).collect());
        }
        self.mistakes.sort_by_key(|mistake| {
            mistake.place.map_or((usize::MAX, 0), |place| (place.text, place.start))
        });
    }

    /// How many mistakes there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.mistakes.len() + self.more
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// What the mistakes point at.
    pub(super) fn marks(&self) -> Vec<Place> {
        let places = |mistake: &Mistake| {
            let related = mistake.related.as_ref().map(|(place, _)| *place);
            [mistake.place, related].into_iter().flatten()
        };
        self.mistakes.iter().flat_map(places).collect()
    }

    pub(super) fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// How many mistakes there are and where the first is, in one line without anything of the
    /// configuration.
    #[must_use]
    pub fn brief(&self) -> String {
        let first = self.mistakes.first();
        let place = first.and_then(|mistake| {
            let text = self.texts.get(mistake.place?.text)?;
            let (line, column) = render::line_and_column(&text.content, mistake.place?.start);
            Some(format!("{}:{line}:{column}", text.name))
        });
        match (place, first) {
            (Some(place), _) if self.count() == 1 => format!("a mistake at {place}"),
            (Some(place), _) => format!("{} mistakes, the first at {place}", self.count()),
            // Of a file that cannot be read.
            (None, Some(first)) if self.texts.is_empty() => first.message.clone(),
            (None, _) => format!("{} mistakes", self.count()),
        }
    }

    /// The messages alone, in order, without places: for tests and short reports.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.mistakes.iter().map(|mistake| mistake.message.as_str())
    }

    /// The messages with line and column, in order.
    #[cfg(test)]
    pub(super) fn located(&self) -> impl Iterator<Item = (String, &str)> {
        self.mistakes.iter().map(|mistake| {
            let place = mistake.place.map_or((0, 0), |place| {
                let text = self.texts.get(place.text).map_or("", |text| text.content.as_str());
                render::line_and_column(text, place.start)
            });
            (format!("{}:{}", place.0, place.1), mistake.message.as_str())
        })
    }

    /// As `Display`, in colours and with box-drawing characters.
    #[must_use]
    pub fn coloured(&self) -> String {
        render::render(self, true)
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render::render(self, false))
    }
}

impl std::fmt::Debug for Diagnostics {
    /// What `Display` says: a `Result` unwrapped in a test is to be read by a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Diagnostics {}

/// The text with a star for each byte of the ranges, line breaks kept so that places stay right.
pub(super) fn starred(content: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut ranges = ranges.into_iter().peekable();
    let mut out = String::with_capacity(content.len());
    for (at, letter) in content.char_indices() {
        while ranges.peek().is_some_and(|range| range.end <= at) {
            ranges.next();
        }
        let hidden = ranges.peek().is_some_and(|range| range.contains(&at));
        if hidden && !matches!(letter, '\n' | '\r') {
            out.extend(std::iter::repeat_n('*', letter.len_utf8()));
        } else {
            out.push(letter);
        }
    }
    out
}

/// What a person typed, fit to be put into a message: without credentials, escaped, shortened, in
/// backticks.
pub(super) fn quote(typed: &str) -> String {
    const SHOWN: usize = 80;
    let typed = super::hidden::scrubbed(typed);
    let mut shown: String = typed.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    shown = shown.replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\");
    if typed.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
