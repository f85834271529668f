//! Dead letters sent again: from their file through redaction and encoding to their destination, by
//! the same delivery as everything else. Runs beside an agent, or without one.
//!
//! The receipt of a batch names the lines that it stands for; what is not settled in the end is given
//! back. What is refused again is by then a dead letter of its own, with the new reason.
//!
//! A letter was redacted before it was kept, but it lay on a disk, and rules change: it is redacted
//! again by those of now, which leave alone what is masked already.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pillion_parsers::frame::{FileNumber, Span};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::checkpoint::settle::Settle;
use crate::config::settings::{Destination, Settings};
use crate::export::dead_letter::Reason;
use crate::export::dead_letter::kept::KeptLetter;
use crate::export::dead_letter::taken::{self, TakeError, Taken};
use crate::export::deliver::{DeadLetters, Delivery, Ended, Notice};
use crate::export::id::Instance;
use crate::export::lines::read;
use crate::export::queue::Queue;
use crate::export::rewrite::Rewriter;
use crate::export::stats::DestinationStats;
use crate::pipeline::batch::Receipt;
use crate::pipeline::pressure::Pressure;

mod feed;

use feed::Feed;

/// How often it is looked whether anything moves.
const LOOK: Duration = Duration::from_millis(50);

/// Agents whose letters one file may hold: a lost state directory makes a new one.
const MOST_INSTANCES: usize = 64;

/// What is to be sent again.
#[derive(Clone, Debug)]
pub struct Resend {
    /// The configuration as it is now.
    pub settings: Arc<Settings>,
    /// Whose dead letters.
    destination: Destination,
    /// Its place among [`Settings::destinations`].
    index: usize,
    /// Only those with this reason.
    pub only: Option<Reason>,
    /// Give up when nothing was settled for so long.
    pub patience: Duration,
}

/// What the files hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Letters that are to be sent again, by their reason's name.
    pub letters: BTreeMap<&'static str, u64>,
    /// Letters with other reasons than the one asked for.
    pub others: u64,
    /// Lines that cannot be read.
    pub unreadable: u64,
    /// Whose letters they are.
    instances: Vec<Instance>,
}

/// What became of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// What the files held.
    pub survey: Survey,
    /// Records that are stored now.
    pub delivered: u64,
    /// Records that were stored already.
    pub duplicate: u64,
    /// Records that are in the server's failure store now.
    pub failure_store: u64,
    /// Records that a redaction rule of now drops.
    pub dropped: u64,
    /// Records that were refused again, and are dead letters again.
    pub refused: u64,
    /// Records that were refused again, and could not be kept: see `lost` of the agent's log.
    pub lost: u64,
    /// Letters that were not settled, and are where they were.
    pub left: u64,
    /// Why some are left, in a word, if the destination is to blame.
    pub trouble: Option<&'static str>,
}

/// Why dead letters were not sent.
#[derive(Debug)]
pub enum ResendError {
    /// They could not be taken.
    Take(TakeError),
    /// The destination cannot be set up: a certificate that cannot be read, labels that are none.
    Destination(String),
    /// A file could not be read, or those left over not be given back. Letters are in
    /// `dead-letters/…replaying-N.ndjson` then, and the next replay takes them.
    Disk(std::io::Error),
}

impl std::fmt::Display for ResendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Take(error) => error.fmt(f),
            Self::Destination(error) => f.write_str(error),
            Self::Disk(error) => write!(
                f,
                "cannot read or give back dead letters: {error}; they stay where they are, in files \
                 with `replaying` in their names, which the next replay takes as well"
            ),
        }
    }
}

impl std::error::Error for ResendError {}

impl From<std::io::Error> for ResendError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Lines that are done with: the ends of runs by the File that a taken file counts as, and the runs'
/// beginnings.
#[derive(Debug, Default)]
struct Done(Mutex<BTreeMap<(FileNumber, u64), u64>>);

impl Done {
    fn add(&self, file: FileNumber, span: Span) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = runs.range_mut(..=(file, span.start)).next_back();
        match before.filter(|((of, _), end)| *of == file && **end >= span.start) {
            Some((_, end)) => *end = span.end.max(*end),
            None => _ = runs.insert((file, span.start), span.end),
        }
    }

    fn has(&self, file: FileNumber, span: Span) -> bool {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = runs.range(..=(file, span.start)).next_back();
        before.is_some_and(|((of, _), end)| *of == file && *end >= span.end)
    }
}

impl Settle for Done {
    fn settle(&self, _: usize, receipt: &Receipt) {
        for (file, run) in receipt.settle() {
            self.add(file, run.span);
        }
    }
}

impl Resend {
    /// All dead letters of the destination with that name, with patience for a minute; `None` if there is
    /// no such destination.
    #[must_use]
    pub fn to(settings: Arc<Settings>, name: &str) -> Option<Self> {
        let index = settings.destinations.iter().position(|it| it.name == name)?;
        let destination = settings.destinations.get(index)?.clone();
        let patience = Duration::from_secs(60);
        Some(Self { settings, destination, index, only: None, patience })
    }

    /// What there is to send, without touching it.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn survey(&self) -> Result<Survey, ResendError> {
        let files = taken::files(&self.settings.state, &self.destination.name)?;
        let numbered = (0..).map(FileNumber).zip(files.iter().map(PathBuf::as_path));
        self.look_into(numbered, &Done::default())
    }

    /// Sends the dead letters again, until all are settled, nothing moves any more, or `stop` resolves.
    ///
    /// # Errors
    ///
    /// See [`ResendError`]. Nothing is lost by any of them.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<Resent, ResendError> {
        let state = &self.settings.state;
        let Some(taken) = Taken::take(state, &self.destination.name).map_err(ResendError::Take)?
        else {
            return Ok(Resent::default());
        };
        let done = Arc::new(Done::default());
        let sent = self.send_all(&taken, &done, stop).await;
        let given = taken.give_back(|file, span| done.has(file, span))?;
        let mut resent = sent?;
        resent.left =
            given.saturating_sub(resent.survey.others).saturating_sub(resent.survey.unreadable);
        if resent.left == 0 {
            resent.trouble = None;
        }
        Ok(resent)
    }

    /// What files hold. After a crash, or a give-back that failed halfway, lines may be there twice:
    /// the second counts as done.
    fn look_into<'p>(
        &self,
        files: impl Iterator<Item = (FileNumber, &'p Path)>,
        done: &Done,
    ) -> Result<Survey, ResendError> {
        let mut survey = Survey::default();
        // Hashes, as there may be some 200,000 lines: two of so many are equal once in a thousand million
        // times, and nobody can choose which.
        let (random, mut seen) = (RandomState::new(), HashSet::new());
        for (file, path) in files {
            Taken::lines(path, |line| {
                let letter = KeptLetter::read(line.bytes);
                let letter = letter.filter(|it| read::read(it.record).is_some());
                let to_send = letter.filter(|it| wanted(self.only, it));
                let hash = match &to_send {
                    // Sent once, whatever it was refused for.
                    Some(letter) => random.hash_one(letter.id),
                    None => random.hash_one(line.bytes),
                };
                match (seen.insert(hash), letter, to_send) {
                    (false, ..) => done.add(file, line.span),
                    (true, None, _) => survey.unreadable += 1,
                    (true, Some(_), None) => survey.others += 1,
                    (true, _, Some(letter)) => survey.add(&letter),
                }
                std::io::Result::Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(survey)
    }

    async fn send_all(
        &self,
        taken: &Taken,
        done: &Arc<Done>,
        stop: impl Future<Output = ()>,
    ) -> Result<Resent, ResendError> {
        let files = taken.files().iter().map(|(file, path)| (*file, path.as_path()));
        let survey = self.look_into(files, done)?;
        let mut resent = Resent { survey, ..Resent::default() };
        let instances = resent.survey.instances.clone();
        tokio::pin!(stop);
        for instance in instances {
            let stats = Arc::new(DestinationStats::default());
            let ended = self.send(instance, taken, done, &stats, &mut stop).await?;
            resent.add(&stats);
            if ended != Ended::Drained {
                break;
            }
        }
        Ok(resent)
    }

    /// Sends the letters of one agent.
    async fn send(
        &self,
        instance: Instance,
        taken: &Taken,
        done: &Arc<Done>,
        stats: &Arc<DestinationStats>,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<Ended, ResendError> {
        let settings = &self.settings;
        let failed = |error: String| {
            ResendError::Destination(format!("destination {}: {error}", self.destination.name))
        };
        // An agent may run beside it, in the same container and with a budget of its own.
        let budget = Budget::new(settings.memory / 2);
        let queue = Queue::new(Arc::clone(stats));
        let delivery = Delivery::new(
            self.index,
            &self.destination,
            Rewriter::new(&self.destination, instance),
            Arc::clone(&queue),
            Arc::clone(done) as Arc<dyn Settle>,
            // They were there before: what is refused again has its place.
            DeadLetters { state: &settings.state, cap: u64::MAX },
            &budget,
        )
        .map_err(|error| failed(error.to_string()))?;
        let pressure = Pressure::new(budget);
        let feed = Feed::new(self, instance, taken.files(), done, &queue, stats, &pressure);
        let feed = feed.map_err(|error| failed(error.to_string()))?;
        let (give_up, given_up) = watch::channel(Notice::default());
        let feeding = tokio::task::spawn_blocking(move || feed.run());
        let delivering = tokio::spawn(delivery.run(given_up));
        let sent = async {
            let fed = feeding.await.map_err(std::io::Error::other);
            queue.close();
            let report = delivering.await.map_err(std::io::Error::other)?;
            fed??;
            Ok::<_, ResendError>(report.ended)
        };
        tokio::pin!(sent);
        tokio::select! {
            ended = &mut sent => return ended,
            () = standstill(stats, self.patience) => {}
            () = stop => {}
        }
        pressure.abandon();
        give_up.send_modify(|notice| notice.give_up = true);
        sent.await.map(|_| Ended::GaveUp)
    }
}

/// Whether a letter is to be sent again.
fn wanted(only: Option<Reason>, letter: &KeptLetter<'_>) -> bool {
    only.is_none() || letter.reason == only
}

/// Resolves when nothing was settled for so long.
async fn standstill(stats: &DestinationStats, patience: Duration) {
    let (mut settled, mut since) = (stats.resolved(), Instant::now());
    while since.elapsed() < patience {
        tokio::time::sleep(LOOK.min(patience)).await;
        let now = stats.resolved();
        if now != settled {
            (settled, since) = (now, Instant::now());
        }
    }
}

impl Survey {
    fn add(&mut self, letter: &KeptLetter<'_>) {
        let reason = letter.reason.map_or("unknown", Reason::name);
        *self.letters.entry(reason).or_default() += 1;
        let instance = letter.id.instance;
        if !self.instances.contains(&instance) && self.instances.len() < MOST_INSTANCES {
            self.instances.push(instance);
        }
    }

    /// How many letters there are to send.
    #[must_use]
    pub fn letters(&self) -> u64 {
        self.letters.values().sum()
    }
}

impl Resent {
    fn add(&mut self, stats: &DestinationStats) {
        use std::sync::atomic::Ordering::Relaxed;
        self.delivered += stats.delivered.load(Relaxed);
        self.duplicate += stats.duplicate.load(Relaxed);
        self.dropped += stats.dropped().map(|(_, records)| records).sum::<u64>();
        self.lost += stats.lost().map(|(_, records)| records).sum::<u64>();
        for (reason, records) in stats.dead_lettered() {
            match reason {
                Reason::FailureStore => self.failure_store += records,
                _ => self.refused += records,
            }
        }
        self.trouble = stats.last_error().or(self.trouble);
    }

    /// Whether no letter that was to be sent is one any more.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.refused + self.lost + self.left + self.survey.unreadable == 0
    }
}
