//! A destination that does as it is told, and payloads that can be looked into: lines of ids.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use pillion_parsers::frame::{FileNumber, Span};
use tokio::time::Instant;

use super::*;
use crate::checkpoint::resume::Resume;
use crate::export::dead_letter::file::CAP;
use crate::export::outcome::Outcome;
use crate::export::sink::{Answer, Sink};
use crate::pipeline::batch::{Batch, Receipt};

mod buffered;
mod ends;
mod model;
mod refused;
mod scripted;
mod served;
mod unnamed;

/// A payload of records that are called by these ids.
pub(super) fn payload(ids: &[String]) -> Payload {
    let body: Bytes = ids.iter().map(|id| format!("{id}\n")).collect::<String>().into();
    let records = u32::try_from(ids.len()).expect("few");
    Payload { plain_bytes: body.len(), body, records, ids: Bytes::new() }
}

pub(super) fn ids(payload: &Payload) -> Vec<String> {
    std::str::from_utf8(&payload.body).expect("text").lines().map(str::to_owned).collect()
}

/// Takes such payloads apart.
pub(super) struct Lines;

impl Rewrite for Lines {
    fn select(
        &self,
        from: &Payload,
        keep: &mut dyn FnMut(u32) -> bool,
    ) -> io::Result<Option<Payload>> {
        let kept: Vec<_> =
            (0..).zip(ids(from)).filter(|(at, _)| keep(*at)).map(|(_, id)| id).collect();
        Ok((!kept.is_empty()).then(|| payload(&kept)))
    }

    fn split(&self, from: &Payload, cut: Cut) -> io::Result<Option<(Payload, Payload)>> {
        let all = ids(from);
        // A record's stream is what its id begins with.
        let border = || all.iter().position(|id| id.get(..1) != all[0].get(..1)).unwrap_or(0);
        let at = if cut == Cut::Streams { border() } else { all.len() / 2 };
        let (first, second) = all.split_at(at);
        Ok((!first.is_empty()).then(|| (payload(first), payload(second))))
    }

    fn leads_elsewhere(&self, _: &Payload) -> io::Result<bool> {
        Ok(false)
    }

    fn readdress(&self, payload: &Payload) -> io::Result<Payload> {
        Ok(payload.clone())
    }

    fn reading(&self, payload: &Payload) -> usize {
        payload.plain_bytes
    }

    fn rewriting(&self, payload: &Payload) -> usize {
        payload.resident()
    }

    fn dead_letters(
        &self,
        payload: &Payload,
        from: u32,
        most: usize,
        reason: &dyn Fn(u32) -> Option<Reason>,
    ) -> io::Result<(Vec<DeadLetter>, u32)> {
        let (mut letters, mut bytes, mut end) = (Vec::new(), 0, from);
        for (at, id) in (0..).zip(ids(payload)).skip(from as usize) {
            if bytes >= most {
                break;
            }
            let record = format!("{{\"message\":\"{id}\"}}");
            letters.extend(reason(at).map(|reason| DeadLetter { id, reason, record }));
            bytes = letters.iter().map(DeadLetter::resident).sum();
            end = at + 1;
        }
        Ok((letters, end))
    }
}

/// Remembers the first byte of each receipt settled.
#[derive(Default)]
pub(super) struct Settled(pub(super) Mutex<Vec<u64>>);

impl Settle for Settled {
    fn settle(&self, _: usize, receipt: &Receipt) {
        let starts = receipt.runs().map(|(_, run)| run.span.start);
        self.0.lock().expect("whole").extend(starts);
    }
}

type Sent = Arc<Mutex<Vec<(Duration, Vec<String>)>>>;
type Play = dyn FnMut(&[String]) -> Outcome + Send;

/// Answers as the closure says, after a while, and remembers what was sent when.
pub(super) struct Scripted {
    play: Mutex<Box<Play>>,
    sent: Sent,
    began: Instant,
    takes: Duration,
}

impl Sink for Scripted {
    async fn send(&self, payload: &Payload) -> Answer {
        let records = ids(payload);
        self.sent.lock().expect("whole").push((self.began.elapsed(), records.clone()));
        tokio::time::sleep(self.takes).await;
        let outcome = (self.play.lock().expect("whole"))(&records);
        Answer { outcome, status: 200, detail: None }
    }
}

/// What ends a delivery at the end of the process.
pub(super) const GRACE_IS_OVER: Notice = Notice { hand_over: false, give_up: true, until: None };

/// A delivery to a scripted destination.
pub(super) struct Bench<S> {
    pub(super) queue: Arc<Queue>,
    pub(super) stats: Arc<DestinationStats>,
    pub(super) settled: Arc<Settled>,
    pub(super) budget: Arc<Budget>,
    pub(super) sent: Sent,
    pub(super) state: tempfile::TempDir,
    pub(super) notice: watch::Sender<Notice>,
    shared: Option<Shared<S, Lines>>,
    pushed: u64,
}

impl Bench<Scripted> {
    pub(super) fn new(play: impl FnMut(&[String]) -> Outcome + Send + 'static) -> Self {
        let sent: Arc<Mutex<Vec<_>>> = Arc::default();
        let sink = Scripted {
            play: Mutex::new(Box::new(play)),
            sent: Arc::clone(&sent),
            began: Instant::now(),
            takes: Duration::from_millis(20),
        };
        Self { sent, ..Self::around(sink) }
    }

    /// Lets each answer take so long.
    pub(super) fn takes(&mut self, takes: Duration) {
        self.shared.as_mut().expect("not started").sink.takes = takes;
    }
}

impl<S: Sink> Bench<S> {
    /// A delivery to this sink.
    pub(super) fn around(sink: S) -> Self {
        let stats = Arc::new(DestinationStats::default());
        let state = tempfile::tempdir().expect("a directory");
        let settled = Arc::new(Settled::default());
        let shared = Shared {
            destination: 0,
            name: "test".to_owned(),
            sink,
            rewriter: Lines,
            gate: Gate::new(MOST, fastrand::Rng::with_seed(1), Arc::clone(&stats)),
            stats: Arc::clone(&stats),
            settle: Arc::clone(&settled) as Arc<dyn Settle>,
            dead_letters: DeadLetterFile::new(state.path(), "test", CAP, Arc::clone(&stats)),
            small_probes: true,
            letters: tokio::sync::Mutex::default(),
            refusals: quiet::Quiet::default(),
            unattributed: quiet::Quiet::default(),
            proven: false.into(),
            passed: 0.into(),
            more: Notify::new(),
            buffer: None,
            call: watch::Sender::new(Call::Stay),
            writing: Arc::default(),
        };
        Self {
            queue: Queue::new(Arc::clone(&stats)),
            stats,
            settled,
            budget: Budget::new(1 << 30),
            sent: Arc::default(),
            state,
            notice: watch::Sender::default(),
            shared: Some(shared),
            pushed: 0,
        }
    }

    /// Lets one request out at a time, as to Loki.
    pub(super) fn one_at_a_time(&mut self) {
        let shared = self.shared.as_mut().expect("not started");
        shared.gate = Gate::new(1, fastrand::Rng::with_seed(1), Arc::clone(&self.stats));
    }

    /// Queues a batch of records `prefix0`, `prefix1`, …
    pub(super) fn push(&mut self, prefix: &str, records: usize) -> Vec<String> {
        let records: Vec<_> = (0..records).map(|at| format!("{prefix}{at}")).collect();
        self.push_batch(Some(payload(&records)), Vec::new());
        records
    }

    pub(super) fn push_batch(&mut self, payload: Option<Payload>, refused: Vec<DeadLetter>) {
        let mut receipt = Receipt::default();
        let span = Span { start: self.pushed, end: self.pushed + 1 };
        receipt.add(FileNumber(1), span, &Resume::default());
        self.pushed += 1;
        let bytes = payload.as_ref().map_or(0, Payload::resident) + receipt.resident();
        let permit = self.budget.try_take(bytes).expect("free");
        self.queue.push(Batch { payload, refused, receipt, permit }).expect("open");
    }

    /// Starts the delivery. Closing the queue, or giving up, ends it.
    pub(super) fn start(&mut self) -> tokio::task::JoinHandle<Report> {
        let (shared, queue) = (self.shared.take().expect("once"), Arc::clone(&self.queue));
        let notice = self.notice.subscribe();
        tokio::spawn(async move { drive(shared, &queue, notice).await })
    }

    /// Delivers everything that was pushed, and checks what must hold whatever happened.
    pub(super) async fn drain(&mut self) {
        self.queue.close();
        let report = self.start().await.expect("no panic");
        assert_eq!(report, Report { ended: Ended::Drained, batches_left: 0, records_left: 0 });
        assert_eq!(self.settled_once(), (0..self.pushed).collect());
        self.check_conserved();
        assert_eq!(self.budget.used(), 0, "the budget is given back");
    }

    pub(super) fn check_conserved(&self) {
        let count = |counter: &std::sync::atomic::AtomicU64| {
            counter.load(std::sync::atomic::Ordering::Relaxed)
        };
        let (records_in, in_flight) = (count(&self.stats.records_in), count(&self.stats.in_flight));
        let buffered = count(&self.stats.buffer.records);
        assert_eq!(records_in, self.stats.resolved() + in_flight + buffered, "{:?}", self.stats);
    }

    /// Which batches are settled; none twice.
    pub(super) fn settled_once(&self) -> BTreeSet<u64> {
        let settled = self.settled.0.lock().expect("whole");
        let once: BTreeSet<_> = settled.iter().copied().collect();
        assert_eq!(once.len(), settled.len(), "a batch was settled twice");
        once
    }

    /// What was sent, in order.
    pub(super) fn sent(&self) -> Vec<Vec<String>> {
        self.sent.lock().expect("whole").iter().map(|(_, records)| records.clone()).collect()
    }

    /// When something was sent, in seconds since the start.
    pub(super) fn sent_at(&self) -> Vec<f64> {
        self.sent.lock().expect("whole").iter().map(|(at, _)| at.as_secs_f64()).collect()
    }

    /// The id and reason of each dead letter.
    pub(super) fn dead_letters(&self) -> Vec<(String, String)> {
        let path = self.state.path().join("dead-letters/test.ndjson");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let letter = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let text = |key: &str| line[key].as_str().expect("text").to_owned();
            (text("id"), text("reason"))
        };
        text.lines().map(letter).collect()
    }
}
