//! `pillion explain`: what pillion makes of a line, and why. The line goes the way of `replay`; how
//! well each format fits is said beside it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use pillion_parsers::frame::{FileSpan, LineEnding};
use pillion_parsers::parse::{Explainer, Fit, ReadAt, why};
use pillion_parsers::record::{Text, Value};
use pillion_parsers::redact::{Match, Place, Redacted, Redactor, Rules, Why};

use super::colour::{Colours, When};
use super::shown::{in_one_line, visible};
use super::{ConfigArgs, Failure, replay};
use crate::config::settings::{Settings, Source};
use crate::pipeline::replay::{Explained, Replay};

/// Lines of a file that are looked at.
const LINES: usize = 1_000;
/// Parsers listed of a line.
const FITS: usize = 5;
/// Parsers listed of a file.
const FILE_FITS: usize = 10;
/// What is wrong with a time whose zone cannot be told.
const VAGUE_ZONE: &str = "a time names its zone by an abbreviation that several zones have: it is taken for \
                          UTC, unless the source gives its `zone`";

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The line; or the path of a log, which is looked at as with `--file`.
    #[arg(required_unless_present = "file")]
    line: Option<String>,
    /// Look at the beginning of this log instead: which parsers fit how many of its records.
    #[arg(long, value_name = "LOG", conflicts_with = "line")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Read as this source of the configuration would [default: the one whose `files` match the log,
    /// else the first].
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub(super) fn run(args: &ExplainArgs, colour: When) -> Result<(), Failure> {
    let colours = Colours::for_stdout(colour);
    let settings = args.config.load_or_default()?;
    // No line of a log is the path of a file that is there.
    let named = args.line.as_deref().map(Path::new).filter(|path| path.is_file());
    let file = args.file.as_deref().or(named);
    let log = file.unwrap_or(Path::new("-"));
    let source = replay::source(&settings, args.source.as_deref(), log)?;
    let replay = Replay::new(&settings, source, &log.to_string_lossy(), replay::now());
    match (&args.line, file) {
        (_, Some(file)) => file_fits(&settings, source, replay, file, colours),
        (Some(line), None) => one_line(&settings, source, replay, line, colours),
        (None, None) => Ok(()),
    }
}

/// How every parser takes to what the source's own was given, which begins there.
fn fits(explainer: &mut Explainer, text: &[u8], first: FileSpan) -> Vec<Fit> {
    let at = ReadAt { now: replay::now(), container_time: None };
    explainer.fits(&String::from_utf8_lossy(text), first, at)
}

/// Which parser read a record: the source's, or the one that `auto` chose.
fn reader<'s>(source: &'s Source, chosen: Option<&'s Arc<str>>) -> &'s str {
    match (chosen, source.parser()) {
        (Some(chosen), _) => chosen,
        (None, "auto" | "cri" | "docker") => "plain",
        (None, named) => named,
    }
}

/// Why a text does not fit a parser. What it shows of the text is redacted.
fn misfit(settings: &Settings, parser: &str, text: &[u8]) -> Option<String> {
    let at = ReadAt { now: replay::now(), container_time: None };
    let why = why(&settings.library, parser, &String::from_utf8_lossy(text), at)?;
    let mut redactor = Redactor::new(Arc::clone(&settings.redact));
    Some(in_one_line(&redactor.clean(&why)))
}

fn one_line(
    settings: &Settings,
    source: &Source,
    mut replay: Replay,
    line: &str,
    colours: Colours,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut shown = Ok(());
    let (mut texts, mut matches) = (Vec::new(), Vec::new());
    let mut take = |explained: Explained<'_>| {
        texts.push((explained.text.to_vec(), explained.first));
        matches.extend_from_slice(explained.matches);
        if shown.is_ok() {
            shown = show(&mut out, colours, (settings, source), &explained);
        }
    };
    replay.explain(format!("{line}\n").as_bytes(), LineEnding::Newline, &mut take);
    replay.explain_rest(take);
    shown?;
    show_matches(&mut out, colours, &matches, settings)?;
    writeln!(out, "{0}parsers{0:#} that fit it", colours.strong)?;
    let mut explainer = Explainer::new(&settings.library);
    for (text, first) in texts {
        for fit in fits(&mut explainer, &text, first).iter().take(FITS).filter(|fit| fit.score > 0)
        {
            writeln!(out, "  {:<20} {:>3} %, {} fields", fit.name, fit.score, fit.fields)?;
        }
    }
    Ok(())
}

fn show(
    out: &mut impl Write,
    colours: Colours,
    (settings, source): (&Settings, &Source),
    explained: &Explained<'_>,
) -> std::io::Result<()> {
    let strong = colours.strong;
    if let Some(container) = explained.container {
        writeln!(out, "{strong}container{strong:#} {container}, unwrapped")?;
    }
    let Some(record) = explained.record else {
        let step = explained.dropped_by.and_then(|step| settings.steps.get(step));
        return match step {
            Some(step) => {
                writeln!(out, "{strong}record{strong:#} dropped by the step {}", step.name)
            }
            None => writeln!(out, "{strong}record{strong:#} dropped by a rule"),
        };
    };
    let parser = reader(source, explained.chosen.as_ref());
    let how = if record.marks().unparsed { "it does not fit" } else { "as" };
    writeln!(out, "{strong}record{strong:#} of source {} ({how} {parser})", source.name)?;
    if record.marks().unparsed
        && let Some(why) = misfit(settings, parser, explained.text)
    {
        writeln!(out, "  {0}{why}{0:#}", colours.faint)?;
    }
    show_record(out, record, colours)?;
    if explained.vague_zone {
        writeln!(out, "  {0}{VAGUE_ZONE}{0:#}", colours.faint)?;
    }
    Ok(())
}

/// What each rule found and what became of it; and why, which never shows the value.
fn show_matches(
    out: &mut impl Write,
    colours: Colours,
    matches: &[Match],
    settings: &Settings,
) -> std::io::Result<()> {
    let mut redactor = Redactor::new(Arc::clone(&settings.redact));
    writeln!(out, "{0}redacted{0:#}", colours.strong)?;
    if matches.is_empty() {
        writeln!(out, "  nothing")?;
    }
    let (found_in, faint) = (colours.found, colours.faint);
    for found in matches {
        let rule = if found.rule.is_empty() { "(too much to look at)" } else { &found.rule };
        let action = settings.redact.action(rule).map_or("mask", |action| action.name());
        let place = match &found.place {
            Place::Bytes(_) => "a field's name".to_owned(),
            Place::Field(path) => format!("field {}", in_one_line(&redactor.clean(path))),
        };
        let why = reason(found);
        writeln!(out, "  {found_in}{rule:<20}{found_in:#} {action:<11} {place}")?;
        writeln!(out, "  {:<20} {faint}{why}{faint:#}", "")?;
    }
    Ok(())
}

/// Why a rule took it for what it looks for.
fn reason(found: &Match) -> String {
    let builtin = Rules::builtin().iter().find(|rule| rule.name == found.rule);
    match (found.why, builtin) {
        _ if found.rule.is_empty() => {
            "more could be hidden in it than can be looked for".to_owned()
        }
        (Why::FieldName, _) => "the field's name says what it is".to_owned(),
        (Why::NameBefore, _) => "a name that stands before it says what it is".to_owned(),
        (Why::Form, Some(rule)) => {
            let check = rule.check.as_ref();
            let check =
                check.map_or(String::new(), |check| format!(", its checksum ({check}) fits"));
            let context: Vec<_> = rule.context.iter().take(3).map(String::as_str).collect();
            let context = match context.as_slice() {
                [] => String::new(),
                words => format!(", known by words as `{}`", words.join("`, `")),
            };
            format!("it looks like it{check}{context}: {}", rule.doc.trim())
        }
        (Why::Form, None) => "the rule's pattern matches".to_owned(),
    }
}

fn show_record(
    out: &mut impl Write,
    record: &Redacted<'_, '_>,
    colours: Colours,
) -> std::io::Result<()> {
    let mut show = |name: &str, kind: &str, value: &dyn std::fmt::Display| {
        writeln!(out, "  {name:<20} {kind:<8} {}", colours.marked(&value.to_string()))
    };
    if let Some(time) = record.time() {
        let shown = jiff::Timestamp::from_nanosecond(i128::from(time.nanos));
        show("time", "time", &shown.map_or_else(|_| time.nanos.to_string(), |it| it.to_string()))?;
    }
    if let Some(level) = record.level() {
        show("level", "level", &level.name())?;
    }
    if let Some(message) = record.message() {
        show("message", "string", &printable(message))?;
    }
    for field in record.fields() {
        let name = visible(field.key.name());
        match field.value {
            Value::Null => show(&name, "null", &"null")?,
            Value::Bool(value) => show(&name, "boolean", &value)?,
            Value::Int(value) => show(&name, "integer", &value)?,
            Value::Float(value) => show(&name, "float", &value)?,
            Value::Number(value) => show(&name, "number", &value)?,
            Value::Text(text) => show(&name, "string", &printable(text))?,
            Value::Json(value) | Value::CleanJson(value) => show(&name, "json", &visible(value))?,
        }
    }
    Ok(())
}

fn printable(text: Text<'_>) -> String {
    visible(text.as_stored())
}

fn file_fits(
    settings: &Settings,
    source: &Source,
    mut replay: Replay,
    file: &Path,
    colours: Colours,
) -> Result<(), Failure> {
    let bytes = replay::head(file, LINES)
        .map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
    let mut explainer = Explainer::new(&settings.library);
    let mut found = Found::default();
    let mut take = |explained: Explained<'_>| {
        let fits = fits(&mut explainer, explained.text, explained.first);
        if found.why.is_none() && explained.record.is_some_and(|it| it.marks().unparsed) {
            let parser = reader(source, explained.chosen.as_ref());
            let why = misfit(settings, parser, explained.text);
            found.why = why.map(|why| format!("record {}: {why}", found.records + 1));
        }
        found.take(&explained, fits);
    };
    replay.explain(&bytes, LineEnding::Newline, &mut take);
    replay.explain_rest(take);
    found.show(&mut std::io::stdout().lock(), source, colours)?;
    Ok(())
}

/// What was found of a file.
#[derive(Default)]
struct Found {
    records: u64,
    unparsed: u64,
    container: Option<&'static str>,
    vague_zone: bool,
    /// What `auto` chose, one after another, and from which record on.
    chosen: Vec<(Option<Arc<str>>, u64)>,
    /// By parser, how many records it fitted and how well in all.
    totals: Vec<(String, usize, u64)>,
    /// Why the first record is unparsed that is.
    why: Option<String>,
}

impl Found {
    fn take(&mut self, explained: &Explained<'_>, fits: Vec<Fit>) {
        self.records += 1;
        self.unparsed += u64::from(explained.record.is_some_and(|it| it.marks().unparsed));
        self.container = self.container.or(explained.container);
        self.vague_zone |= explained.vague_zone;
        if self.chosen.last().is_none_or(|(chosen, _)| *chosen != explained.chosen) {
            self.chosen.push((explained.chosen.clone(), self.records));
        }
        for fit in fits {
            let fitted = usize::from(fit.misfit.is_none());
            let score = u64::from(fit.score);
            match self.totals.iter_mut().find(|(name, _, _)| *name == fit.name) {
                Some((_, count, sum)) => {
                    *count += fitted;
                    *sum += score;
                }
                None => self.totals.push((fit.name, fitted, score)),
            }
        }
    }

    fn show(
        mut self,
        out: &mut impl Write,
        source: &Source,
        colours: Colours,
    ) -> std::io::Result<()> {
        let strong = colours.strong;
        let (chosen, since) = self.chosen.pop().unwrap_or_default();
        let parser = reader(source, chosen.as_ref());
        let within = self.container.map_or(String::new(), |it| format!(", in {it}'s lines"));
        // A banner may be in no format: what came before the first choice is not named.
        let before = self.chosen.pop().and_then(|(before, _)| before);
        let before = before.map_or(String::new(), |before| {
            format!(" since record {since}, and by {before} until then")
        });
        let (name, unparsed) = (&source.name, self.unparsed);
        writeln!(
            out,
            "source {name} reads it as {strong}{parser}{strong:#}{within}{before}; {unparsed} unparsed"
        )?;
        if let Some(why) = &self.why {
            writeln!(out, "{0}{why}{0:#}", colours.faint)?;
        }
        if self.vague_zone {
            writeln!(out, "{VAGUE_ZONE}")?;
        }
        // What it is read by, then what fits better and more.
        self.totals.sort_by_key(|(name, _, sum)| (name != parser, std::cmp::Reverse(*sum)));
        self.totals.retain(|(_, _, sum)| *sum > 0);
        for (name, count, sum) in self.totals.iter().take(FILE_FITS) {
            let (records, sure) = (self.records, sum / self.records.max(1));
            writeln!(out, "{name:<20} {count:>6} of {records} records, {sure:>3} % sure")?;
        }
        let more = self.totals.len().saturating_sub(FILE_FITS);
        if more > 0 {
            writeln!(out, "{0}and {more} more that fit no better{0:#}", colours.faint)?;
        }
        Ok(())
    }
}
