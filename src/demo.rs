//! `pillion demo`: writes live logs of several formats, with made-up personal data in them, into a
//! temporary directory; has the agent ship them to a receiver in this process; shows what arrives, and
//! counts at the end what was lost, repeated or leaked.
//!
//! The agent is what runs in production, started from a configuration text as a user would write it:
//! [`run`] is handed a function that starts it, and sees it only through [`Running`].

mod formats;
mod planted;
mod scratch;
mod screen;
mod shown;
mod summary;
mod tally;
mod usage;
mod writers;

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::receiver::{Arrival, Fault, Keep, Options as ReceiverOptions, Receiver};

use formats::Format;
use scratch::Scratch;
use screen::Status;
pub use screen::{Screen, Style};
use shown::Shown;
pub use summary::Summary;
use tally::{Destination, Tally};

/// How long the agent may take to drain at the end.
pub const GRACE: Duration = Duration::from_secs(25);

/// Arrivals waiting to be printed; beyond it they are counted, not printed.
const WAITING: usize = 1024;

/// How often the status line is drawn anew.
const REFRESH: Duration = Duration::from_millis(200);

/// What the demo does.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long logs are written.
    pub time: Duration,
    /// Records written a second, over all files.
    pub rate: u32,
    /// What goes wrong with the receiver in the middle third of the time.
    pub fault: Option<DemoFault>,
    /// Seed of what is written; the same for the same seed, but for times.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { time: Duration::from_secs(20), rate: 60, fault: None, seed: 1 }
    }
}

/// What may go wrong with the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoFault {
    /// Every request is answered with 429 and `Retry-After: 1`.
    TooManyRequests,
    /// Every request is answered with 503.
    Unavailable,
    /// Every connection is reset, half of them after the records were stored.
    Reset,
    /// Every request takes two seconds.
    Slow,
}

impl DemoFault {
    /// The values of `--fault`.
    pub const NAMES: [&str; 4] = ["429", "503", "reset", "slow"];

    /// By its name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "429" => Some(Self::TooManyRequests),
            "503" => Some(Self::Unavailable),
            "reset" => Some(Self::Reset),
            "slow" => Some(Self::Slow),
            _ => None,
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooManyRequests => "429",
            Self::Unavailable => "503",
            Self::Reset => "reset",
            Self::Slow => "slow",
        }
    }

    fn switch_on(self, receiver: &Receiver) {
        let faults = receiver.faults();
        match self {
            Self::TooManyRequests => {
                faults
                    .set(Fault::Status { status: 429, retry_after: Some(Duration::from_secs(1)) });
            }
            Self::Unavailable => faults.set(Fault::Status { status: 503, retry_after: None }),
            Self::Reset => {
                faults.set(Fault::Reset { stored: false });
                faults.set_for(0.5, Fault::Reset { stored: true });
            }
            Self::Slow => faults.set(Fault::Slow(Duration::from_secs(2))),
        }
    }
}

/// A running agent, as the demo needs to see it.
pub trait Running: Send + Sync {
    /// Its counters, now.
    fn glance(&self) -> Glance;

    /// Reads the files to their end, ships what is left, and stops. Returns whether everything was
    /// settled within `grace`.
    fn drain(&self, grace: Duration) -> bool;
}

/// What the agent says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Redactions so far by rule, those that had any.
    pub redacted: Vec<(String, u64)>,
    /// Requests sent again so far, over all destinations.
    pub retries: u64,
}

/// Why there was nothing to see.
#[derive(Debug)]
pub enum DemoError {
    /// A directory, file, port or thread could not be had.
    Io {
        /// What was being done.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The agent did not start.
    Agent(String),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, source } => write!(f, "cannot {what}: {source}"),
            Self::Agent(reason) => write!(f, "the agent did not start: {reason}"),
        }
    }
}

impl std::error::Error for DemoError {}

fn cannot(what: &'static str) -> impl FnOnce(io::Error) -> DemoError {
    move |source| DemoError::Io { what, source }
}

/// Runs the demo. `start` is given a configuration text and starts the agent with it; `interrupted`
/// ends the writing early, as Ctrl-C does.
///
/// # Errors
/// No directory, port or thread, or the agent did not start.
pub fn run(
    options: &Options,
    screen: &mut Screen<'_>,
    interrupted: &AtomicBool,
    start: impl FnOnce(&str) -> Result<Box<dyn Running>, String>,
) -> Result<Summary, DemoError> {
    let scratch = Scratch::new().map_err(cannot("make a temporary directory"))?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let (sender, inbox) = sync_channel(WAITING);
    let receiver = receive(&tally, sender).map_err(cannot("listen on 127.0.0.1"))?;
    let writers = writers::Writers::open(&scratch.logs(), options.seed, Arc::clone(&tally))
        .map_err(cannot("write logs"))?;
    let text = configuration(scratch.path(), &receiver.url());
    screen.begin(&scratch.logs(), &text);
    let agent = start(&text).map_err(DemoError::Agent)?;
    let began = Instant::now();
    let over = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let writing = scope.spawn(|| writers.write(options.rate, || over.load(Ordering::Relaxed)));
        let show = Show { receiver: &receiver, tally: &tally, agent: &*agent, began };
        let third = options.time / 3;
        let fault = options.fault.map(|fault| (fault, third..third * 2));
        let done = || {
            began.elapsed() >= options.time
                || interrupted.load(Ordering::Relaxed)
                || writing.is_finished()
        };
        show.until(screen, &inbox, fault, done);
        over.store(true, Ordering::Relaxed);
        receiver.faults().clear();
        let written = writing.join();
        let draining = scope.spawn(|| agent.drain(GRACE));
        show.until(screen, &inbox, None, || draining.is_finished());
        // What the drain delivered last may still wait to be printed.
        show.rest(screen, &inbox);
        (written, draining.join())
    });
    let (Ok(rotations), Ok(drained)) = ended else {
        return Err(DemoError::Agent("one of the demo's threads panicked".to_owned()));
    };
    let rotations = rotations.map_err(cannot("write logs"))?;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    let summary = Summary::new(&tally, &agent.glance(), rotations, drained, usage::now());
    screen.end(&summary);
    Ok(summary)
}

/// A receiver whose arrivals are tallied and sent to the screen.
fn receive(tally: &Arc<Mutex<Tally>>, sender: SyncSender<Shown>) -> io::Result<Receiver> {
    let tally = Arc::clone(tally);
    let keep = Keep::Show(Arc::new(move |arrival: Arrival<'_>| {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = match arrival {
            Arrival::Body(body) => {
                tally.planted.look(body);
                return;
            }
            Arrival::Document(stored) => {
                tally.arrived(Destination::Elasticsearch, &stored.document.to_string());
                Shown::document(stored)
            }
            Arrival::Entry(entry) => {
                let metadata = entry.metadata.iter().map(|(_, value)| value.as_str());
                let texts: Vec<_> = std::iter::once(entry.line.as_str()).chain(metadata).collect();
                tally.arrived(Destination::Loki, &texts.join(" "));
                Shown::entry(entry)
            }
        };
        if let Some(shown) = shown {
            // A screen that cannot keep up must not hold the receiver back.
            let _ = sender.try_send(shown);
        }
    }));
    Receiver::start(ReceiverOptions { keep, ..ReceiverOptions::default() })
}

/// The configuration, as a user would write it.
fn configuration(scratch: &Path, url: &str) -> String {
    // A JSON string is a YAML one, whatever is in the path.
    let quoted = |path: &Path| serde_json::Value::from(path.to_string_lossy()).to_string();
    let mut text = format!("state: {}\nadmin: off\n\nsources:\n", quoted(&scratch.join("state")));
    for format in Format::ALL {
        let file = quoted(&scratch.join("logs").join(format.file()));
        text.push_str(&format!("  {}:\n    files: [{file}]\n", format.source()));
        if let Some(joiner) = format.joiner() {
            text.push_str(&format!("    multiline: {joiner}\n"));
        }
    }
    text.push_str(&format!(
        "\ndestinations:\n  \
         search:\n    \
         elasticsearch: {{ url: \"{url}\", index: logs-demo-default }}\n    \
         batch: {{ linger: 250ms }}\n  \
         grafana:\n    \
         loki: {{ url: \"{url}\", labels: {{ app: demo }} }}\n    \
         batch: {{ linger: 250ms }}\n"
    ));
    text
}

/// What the screen is kept up to date with.
struct Show<'a> {
    receiver: &'a Receiver,
    tally: &'a Mutex<Tally>,
    agent: &'a dyn Running,
    began: Instant,
}

impl Show<'_> {
    /// Prints arrivals and the status line until `done`, and switches the fault on for its time.
    fn until(
        &self,
        screen: &mut Screen<'_>,
        inbox: &Inbox<Shown>,
        fault: Option<(DemoFault, Range<Duration>)>,
        done: impl Fn() -> bool,
    ) {
        let mut drawn = Instant::now();
        let mut on = None;
        while !done() {
            match inbox.recv_timeout(REFRESH / 4) {
                Ok(shown) => screen.show(&shown),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let due = fault.as_ref().filter(|(_, time)| time.contains(&self.began.elapsed()));
            let due = due.map(|(fault, _)| *fault);
            if due != on {
                match due {
                    Some(fault) => fault.switch_on(self.receiver),
                    None => self.receiver.faults().clear(),
                }
                if let Some(fault) = due.or(on) {
                    screen.fault(fault, due.is_some());
                }
                on = due;
            }
            if drawn.elapsed() >= REFRESH {
                drawn = Instant::now();
                screen.status(&self.status(on));
            }
        }
    }

    fn rest(&self, screen: &mut Screen<'_>, inbox: &Inbox<Shown>) {
        while let Ok(shown) = inbox.try_recv() {
            screen.show(&shown);
        }
        screen.status(&self.status(None));
    }

    fn status(&self, fault: Option<DemoFault>) -> Status {
        let Glance { redacted, retries } = self.agent.glance();
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        Status {
            elapsed: self.began.elapsed(),
            rate: tally.rate(),
            behind: tally.behind(),
            lag: tally.lag(),
            redacted,
            retries,
            fault,
        }
    }
}

#[cfg(test)]
mod tests;
