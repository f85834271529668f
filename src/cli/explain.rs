//! `pillion explain`: what pillion makes of a line, and why.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use pillion_parsers::Arena;
use pillion_parsers::parse::{Parser, ParserState, ReadAt, explain};
use pillion_parsers::record::{Record, Text, Value};
use pillion_parsers::redact::{BlockState, Place, Redacted, Redactor};

use super::{ConfigArgs, Failure};
use crate::config::settings::Settings;

/// Lines of a file that are looked at.
const LINES: usize = 1_000;
/// Parsers listed.
const FITS: usize = 5;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The line.
    #[arg(required_unless_present = "file")]
    line: Option<String>,
    /// Look at the beginning of this log instead: which parsers fit how many of its lines.
    #[arg(long, value_name = "LOG", conflicts_with = "line")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let settings = args.config.load_or_default()?;
    match (&args.line, &args.file) {
        (Some(line), _) => one_line(&settings, line),
        (None, Some(file)) => file_fits(&settings, file),
        (None, None) => Ok(()),
    }
}

fn read_at() -> ReadAt {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    ReadAt { now: i64::try_from(now).unwrap_or(i64::MAX), container_time: None }
}

/// Escape sequences on a terminal, nothing elsewhere.
struct Colours {
    strong: &'static str,
    found: &'static str,
    off: &'static str,
}

impl Colours {
    fn for_stdout() -> Self {
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            Self { strong: "\x1b[1m", found: "\x1b[33m", off: "\x1b[0m" }
        } else {
            Self { strong: "", found: "", off: "" }
        }
    }
}

fn one_line(settings: &Settings, line: &str) -> Result<(), Failure> {
    let colours = Colours::for_stdout();
    let mut out = std::io::stdout().lock();
    let fits = explain(&settings.library, line, read_at());
    writeln!(out, "{}parsers{}", colours.strong, colours.off)?;
    for fit in fits.iter().take(FITS).filter(|fit| fit.score > 0) {
        writeln!(out, "  {:<20} {:>3} %, {} fields", fit.name, fit.score, fit.fields)?;
    }
    let best = fits.first().filter(|fit| fit.score > 0).map_or("plain", |fit| fit.name.as_str());
    let mut parser = Parser::new(&settings.library, best, ParserState::default())
        .map_err(|unknown| Failure::Other(unknown.to_string()))?;
    let arena = Arena::new();
    let mut record = Record::default();
    parser.parse(line, read_at(), &arena, &mut record);
    let mut redactor = Redactor::new(settings.redact.clone());
    let mut block = BlockState::default();
    let (redacted, matches) = redactor.redact_explained(line, &mut record, &arena, &mut block);
    match redacted {
        Some(redacted) => show_record(&mut out, &colours, best, &redacted)?,
        None => writeln!(out, "a rule drops the record")?,
    }
    writeln!(out, "{}redacted{}", colours.strong, colours.off)?;
    if matches.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for found in matches {
        let place = match found.place {
            Place::Bytes(range) => format!("bytes {} to {} of the line", range.start, range.end),
            Place::Field(path) => format!("field {}", redactor.clean(&path)),
        };
        writeln!(out, "  {}{:<20}{} {place}", colours.found, found.rule, colours.off)?;
    }
    Ok(())
}

fn show_record(
    out: &mut impl Write,
    colours: &Colours,
    parser: &str,
    record: &Redacted<'_, '_>,
) -> std::io::Result<()> {
    writeln!(out, "{}record{} (as {parser})", colours.strong, colours.off)?;
    let mut show = |name: &str, kind: &str, value: &dyn std::fmt::Display| {
        writeln!(out, "  {name:<20} {kind:<8} {value}")
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

/// A log line must not steer the terminal it is shown on.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn file_fits(settings: &Settings, file: &std::path::Path) -> Result<(), Failure> {
    let bytes = super::replay::head(file, LINES)
        .map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut totals: Vec<(String, usize, u64)> = Vec::new();
    let mut lines = 0;
    for line in text.lines() {
        lines += 1;
        for fit in explain(&settings.library, line, read_at()) {
            let fitted = usize::from(fit.misfit.is_none());
            let score = u64::from(fit.score);
            match totals.iter_mut().find(|(name, _, _)| *name == fit.name) {
                Some((_, count, sum)) => {
                    *count += fitted;
                    *sum += score;
                }
                None => totals.push((fit.name, fitted, score)),
            }
        }
    }
    totals.sort_by_key(|(_, _, sum)| std::cmp::Reverse(*sum));
    let mut out = std::io::stdout().lock();
    for (name, count, sum) in totals.iter().filter(|(_, _, sum)| *sum > 0) {
        let sure = sum / lines.max(1);
        writeln!(out, "{name:<20} {count:>6} of {lines} lines, {sure:>3} % sure")?;
    }
    Ok(())
}
