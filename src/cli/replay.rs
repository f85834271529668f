//! `pillion replay`: logs through the pipeline, redacted Records out; or dead letters to their
//! destination.

mod follow;
mod letters;
pub(super) mod lines;

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use globset::GlobBuilder;
use indicatif::{ProgressBar, ProgressStyle};
use pillion_parsers::frame::Encoding;

use self::letters::LettersArgs;
use self::lines::Feed;
use super::{ConfigArgs, Failure, opened};
use crate::config::settings::{Settings, Source};
use crate::pipeline::replay::Replay;

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The logs; `-` is standard input, and what gzip compressed is decompressed. Records come out in the order of the files, then of lines.
    #[arg(
        required_unless_present = "dead_letters",
        conflicts_with = "dead_letters",
        value_name = "LOG"
    )]
    logs: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    how: HowArgs,
    /// Compare what comes out with this file; exit 1 when it differs.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "dead_letters"])]
    expect: Option<PathBuf>,
    /// Rewrite the file given by --expect instead of comparing.
    #[arg(long, requires = "expect")]
    bless: bool,
    /// Go on as the files grow, until interrupted.
    #[arg(long, conflicts_with = "dead_letters")]
    follow: bool,
    #[command(flatten)]
    letters: LettersArgs,
}

/// How logs are read: shared with `test`.
#[derive(Debug, Args)]
pub(super) struct HowArgs {
    /// Read the logs as this source of the configuration would [default: the one whose `files` match
    /// a log's path, else the first].
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// When the lines count as read (RFC 3339): what a year that a line does not name is taken from
    /// [default: now].
    #[arg(long, value_name = "TIME")]
    read_at: Option<jiff::Timestamp>,
}

impl HowArgs {
    /// A replay of this log from its beginning.
    fn feed(&self, settings: &Settings, log: &Path) -> Result<Feed, Failure> {
        let read_at = self
            .read_at
            .map_or_else(now, |time| i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX));
        let source = source(settings, self.source.as_deref(), log)?;
        let replay = Replay::new(settings, source, &log.to_string_lossy(), read_at);
        Ok(Feed::new(replay, source.max_record))
    }

    /// All Records of a log.
    pub(super) fn records(&self, settings: &Settings, log: &Path) -> Result<Vec<u8>, Failure> {
        let mut records = Vec::new();
        each(&[log.to_owned()], &|log: &Path| self.feed(settings, log), &mut |some| {
            records.write_all(some)
        })?;
        Ok(records)
    }
}

pub(super) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    if args.letters.dead_letters {
        return letters::run(&args.letters, &args.config);
    }
    let settings = args.config.load_or_default()?;
    let feed_of = |log: &Path| args.how.feed(&settings, log);
    if args.follow && args.logs.iter().any(|log| log.as_os_str() == "-") {
        return Err(Failure::Other(
            "standard input cannot be followed: without --follow, `-` is read as it comes".into(),
        ));
    }
    if args.follow {
        return follow::run(&args.logs, feed_of);
    }
    let Some(expect) = &args.expect else {
        let mut stdout = std::io::stdout().lock();
        return each(&args.logs, &feed_of, &mut |records| stdout.write_all(records));
    };
    let mut found = Vec::new();
    each(&args.logs, &feed_of, &mut |records| found.write_all(records))?;
    if args.bless {
        return std::fs::write(expect, &found)
            .map_err(|error| Failure::Other(format!("{}: {error}", expect.display())));
    }
    let expected = std::fs::read(expect)
        .map_err(|error| Failure::Other(format!("{}: {error}", expect.display())))?;
    match differing(expect, &expected, &found, &mut std::io::stdout().lock())? {
        0 => Ok(()),
        differing => Err(Failure::Other(format!(
            "{differing} record(s) differ from {}; `--bless` rewrites it",
            expect.display()
        ))),
    }
}

/// The source of that name, else the one whose files the log is one of, else the first.
pub(super) fn source<'s>(
    settings: &'s Settings,
    name: Option<&str>,
    log: &Path,
) -> Result<&'s Source, Failure> {
    let found = match name {
        Some(name) => settings.sources.iter().find(|source| source.name == name),
        None => {
            let path = std::path::absolute(log).unwrap_or_else(|_| log.to_owned());
            let matching = settings.sources.iter().find(|source| covers(source, &path));
            matching.or_else(|| settings.sources.first())
        }
    };
    found.ok_or_else(|| {
        let names: Vec<_> = settings.sources.iter().map(|source| source.name.as_str()).collect();
        Failure::Other(format!("no such source; the configuration has: {}", names.join(", ")))
    })
}

/// Whether a source's globs match a path.
fn covers(source: &Source, path: &Path) -> bool {
    source.files.iter().any(|glob| {
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
    })
}

fn each(
    logs: &[PathBuf],
    feed_of: &impl Fn(&Path) -> Result<Feed, Failure>,
    write: &mut impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let progress = progress(logs);
    for log in logs {
        let place = |error: std::io::Error| Failure::Other(format!("{}: {error}", log.display()));
        let mut feed = feed_of(log)?;
        let input = opened::open(log, &progress).map_err(place)?;
        let done = lines::replay(input, &mut feed, write);
        match done {
            // Whoever read the output has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            other => other.map_err(place)?,
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// A bar on a terminal, unless the Records themselves go there.
pub(super) fn progress(logs: &[PathBuf]) -> ProgressBar {
    if !std::io::stderr().is_terminal() || std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes = logs.iter().map(|log| std::fs::metadata(log).map(|metadata| metadata.len()).ok());
    let bar = match sizes.sum::<Option<u64>>() {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    match ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How many Records are not those expected in that file; shows the first of them.
pub(super) fn differing(
    path: &Path,
    expected: &[u8],
    found: &[u8],
    out: &mut impl Write,
) -> Result<usize, Failure> {
    if expected == found {
        return Ok(0);
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut differing: usize = 0;
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (expected, found) if expected == found => {}
            (expected, found) => {
                differing += 1;
                // The first few show what is wrong; thousands would hide it.
                if differing <= 10 {
                    writeln!(out, "{}:{number}", path.display())?;
                    writeln!(out, "  expected {}", expected.unwrap_or("no more records"))?;
                    writeln!(out, "  found    {}", found.unwrap_or("no more records"))?;
                }
            }
        }
    }
    Ok(differing.max(1))
}

/// Nanoseconds since the Unix epoch.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}

/// The first lines of a log: at most `lines` of them, and at most a mebibyte. The last one is given the
/// end that it lacks.
pub(super) fn head(log: &Path, lines: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    opened::open(log, &ProgressBar::hidden())?.take(1 << 20).read_to_end(&mut bytes)?;
    let encoding = Encoding::of(&bytes);
    let end = encoding.line_ends(0, &bytes).nth(lines.saturating_sub(1));
    bytes.truncate(end.unwrap_or(bytes.len()));
    if encoding.last_line_end(0, &bytes).unwrap_or(0) < bytes.len() {
        bytes.truncate(encoding.whole_characters(0, &bytes));
        bytes.extend_from_slice(encoding.newline());
    }
    Ok(bytes)
}
