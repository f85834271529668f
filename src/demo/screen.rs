//! The presenter: prints what arrives with its redactions visible, and keeps a status line below (or
//! prints one now and then, where there is no terminal).

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::DemoFault;
use super::shown::Shown;
use super::summary::Summary;
use crate::observe::log;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Arrivals printed a second; more could not be read.
const PRINTED: u32 = 100;

/// Columns of an arrival's text.
const COLUMNS: usize = 240;

/// How often a status line is printed where there is no terminal.
const PLAIN_STATUS: Duration = Duration::from_secs(2);

/// How the screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours on standard output.
    pub colour: bool,
    /// A status line that is drawn over, on standard error.
    pub live: bool,
}

impl Style {
    /// As the terminals, `NO_COLOR` and `TERM` have it.
    #[must_use]
    pub fn detect() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
            live: io::stderr().is_terminal() && !dumb,
        }
    }
}

/// Where the demo is shown.
pub struct Screen<'o> {
    /// Arrivals and the summary: standard output.
    out: &'o mut dyn Write,
    /// The status, where it is not drawn: standard error.
    plain: &'o mut dyn Write,
    /// The status, where it is drawn.
    bar: Option<ProgressBar>,
    colour: bool,
    /// When the second began in which `printed` arrivals were printed and `skipped` were not.
    second: Instant,
    printed: u32,
    skipped: u32,
    /// When the last plain status line was printed.
    last_plain: Option<Instant>,
}

/// What the status line says.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) elapsed: Duration,
    pub(super) rate: f64,
    pub(super) behind: u64,
    pub(super) lag: Duration,
    pub(super) redacted: Vec<(String, u64)>,
    pub(super) retries: u64,
    pub(super) fault: Option<DemoFault>,
}

impl<'o> Screen<'o> {
    /// Prints to `out`; the status goes to the terminal if `style` is live, else to `plain`.
    pub fn new(out: &'o mut dyn Write, plain: &'o mut dyn Write, style: Style) -> Self {
        let bar = style.live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // The template is a constant that a test draws; without it the default says as much.
            if let Ok(look) = ProgressStyle::with_template("{msg}") {
                bar.set_style(look);
            }
            log::keep_above(&bar);
            bar
        });
        Self {
            out,
            plain,
            bar,
            colour: style.colour,
            second: Instant::now(),
            printed: 0,
            skipped: 0,
            last_plain: None,
        }
    }

    pub(super) fn begin(&mut self, logs: &Path, configuration: &str) {
        let mut text =
            format!("live logs in {}, shipped with this configuration:\n\n", logs.display());
        for line in configuration.lines() {
            text.push_str(&format!("    {line}\n"));
        }
        self.print(&text);
    }

    pub(super) fn show(&mut self, shown: &Shown) {
        if self.second.elapsed() >= Duration::from_secs(1) {
            if self.skipped > 0 {
                let more = format!("… and {} more in this second", self.skipped);
                self.print(&self.paint(DIM, &more));
            }
            (self.second, self.printed, self.skipped) = (Instant::now(), 0, 0);
        }
        if self.printed >= PRINTED {
            self.skipped += 1;
            return;
        }
        self.printed += 1;
        let place = format!("{:>13} {:<8}", shown.destination, shown.source);
        let mut lines = shown.text.lines();
        let first = self.highlight(&readable(lines.next().unwrap_or_default()));
        let mut text = format!("{} {first}", self.paint(DIM, &place));
        let mut plain_lines = 0;
        for line in lines {
            if tokens(line).next().is_some() {
                text.push_str(&format!("\n{:23}{}", "", self.highlight(&readable(line))));
            } else {
                plain_lines += 1;
            }
        }
        if plain_lines > 0 {
            text.push_str(&self.paint(DIM, &format!(" (+{plain_lines} lines)")));
        }
        self.print(&text);
    }

    pub(super) fn fault(&mut self, fault: DemoFault, on: bool) {
        let state = if on { "begins" } else { "is over" };
        let text = format!("——— the fault {state}: {} ———", fault.name());
        self.print(&self.paint(WARN, &text));
    }

    pub(super) fn status(&mut self, status: &Status) {
        let text = status.text();
        if let Some(bar) = &self.bar {
            bar.set_message(text);
            bar.tick();
        } else if self.last_plain.is_none_or(|last| last.elapsed() >= PLAIN_STATUS) {
            self.last_plain = Some(Instant::now());
            // A status that cannot be printed is not missed.
            let _ = writeln!(self.plain, "{text}");
        }
    }

    pub(super) fn end(&mut self, summary: &Summary) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.print(&format!("\n{summary}"));
    }

    /// Prints above the status line. A reader that went away is not an error of the demo.
    fn print(&mut self, text: &str) {
        let Self { out, bar, .. } = self;
        let mut write = || {
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        };
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    fn highlight(&self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let mut painted = String::with_capacity(text.len() + 32);
        let mut done = 0;
        for (start, end) in tokens(text) {
            painted.push_str(text.get(done..start).unwrap_or_default());
            painted.push_str(&self.paint(TOKEN, text.get(start..end).unwrap_or_default()));
            done = end;
        }
        painted.push_str(text.get(done..).unwrap_or_default());
        painted
    }
}

const DIM: &str = "\x1b[2m";
const WARN: &str = "\x1b[1;33m";
const TOKEN: &str = "\x1b[1;32m";
const RESET: &str = "\x1b[0m";

impl Status {
    fn text(&self) -> String {
        let redacted: Vec<_> =
            self.redacted.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        let redacted = if redacted.is_empty() { "none".to_owned() } else { redacted.join(" ") };
        let fault =
            self.fault.map(|fault| format!(" | fault {}", fault.name())).unwrap_or_default();
        format!(
            "{:>3} s | {:.0} lines/s | lag {} lines, {:.1} s | redacted {redacted} | retries {}{fault}",
            self.elapsed.as_secs(),
            self.rate,
            self.behind,
            self.lag.as_secs_f64(),
            self.retries,
        )
    }
}

/// Where redaction tokens stand: `[EMAIL]`, or `[EMAIL:…]` with a keyed hash.
fn tokens(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.match_indices('[').filter_map(|(start, _)| {
        let rest = text.get(start + 1..)?;
        let end = rest.find(']')?;
        let inner = rest.get(..end)?;
        let name = inner.split(':').next()?;
        let is_name = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        is_name.then_some((start, start + end + 2))
    })
}

/// A line that a terminal can be shown: no control characters, not too long.
fn readable(line: &str) -> String {
    let mut text: String =
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(COLUMNS).collect();
    if text.len() < line.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a screen of this style prints of an arrival.
    fn printed(colour: bool, text: &str) -> String {
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let mut screen = Screen::new(&mut out, &mut plain, Style { colour, live: false });
        screen.show(&Shown { destination: "loki", source: "pod", text: text.to_owned() });
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn redactions_are_seen_and_controls_are_not() {
        let text = "to [EMAIL] and [CARD:ab12] [not] [X]\x1b[31m\n\tat x\n\tby [SSN]\n";
        let plain = printed(false, text);
        assert_eq!(
            plain,
            "         loki pod      to [EMAIL] and [CARD:ab12] [not] [X] [31m\n                        by [SSN] (+1 lines)\n"
        );
        let colour = printed(true, text);
        assert!(colour.contains("\x1b[1;32m[EMAIL]\x1b[0m and \x1b[1;32m[CARD:ab12]\x1b[0m [not]"));
        assert!(!colour.contains("\x1b[31m"));
        assert!(printed(false, &"é".repeat(300)).contains('…'));
    }

    #[test]
    fn too_many_arrivals_are_counted_instead_of_printed() {
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let mut screen = Screen::new(&mut out, &mut plain, Style::default());
        let shown = Shown { destination: "loki", source: "pod", text: "x".to_owned() };
        (0..150).for_each(|_| screen.show(&shown));
        screen.second =
            Instant::now().checked_sub(Duration::from_secs(1)).expect("a running clock");
        screen.show(&shown);
        let lines = String::from_utf8(out).expect("UTF-8");
        assert_eq!(lines.lines().count(), 102);
        assert!(lines.contains("… and 50 more in this second"));
    }

    #[test]
    fn the_status_is_one_line_wherever_it_goes() {
        let status = Status {
            elapsed: Duration::from_secs(7),
            rate: 60.4,
            behind: 12,
            lag: Duration::from_millis(340),
            redacted: vec![("email".to_owned(), 9), ("iban".to_owned(), 2)],
            retries: 3,
            fault: Some(DemoFault::Slow),
        };
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let mut screen = Screen::new(&mut out, &mut plain, Style::default());
        screen.status(&status);
        screen.status(&status);
        assert_eq!(
            String::from_utf8(plain).expect("UTF-8"),
            "  7 s | 60 lines/s | lag 12 lines, 0.3 s | redacted email 9 iban 2 | retries 3 | fault slow\n"
        );
    }
}
