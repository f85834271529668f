//! What ends a record that may go on: its writer's pauses, never ours. What is known of Files goes on
//! the receipts, and stays known as long as it matters.

use pillion_parsers::frame::{Container, Encoding, Span};

use super::*;
use crate::checkpoint::resume::Resume;
use crate::config;
use crate::export::encode::Encoder;
use crate::export::queue::Queue;
use crate::export::stats::DestinationStats;
use crate::pipeline::chunk::Ending;
use crate::pipeline::outlet::OutletParts;
use crate::pipeline::pressure::Pressure;

const SECOND: i64 = 1_000_000_000;
const LINEAGE: LineageId = LineageId(3);

/// A worker with one destination that takes nothing unless told.
struct Rig {
    worker: Worker,
    queue: Arc<Queue>,
    budget: Arc<Budget>,
    file: FileNumber,
    offset: u64,
    now: i64,
}

impl Rig {
    fn new(source: &str) -> Self {
        let yaml = format!(
            "state: /tmp\nsources: {{app: {{files: [/logs/*.log], {source}}}}}\n\
             destinations: {{screen: {{console: {{}}}}}}\n"
        );
        let settings = Arc::new(config::from_text("t.yaml", &yaml, &|_| None).expect("good"));
        let budget = Budget::new(12 << 20);
        let stats = Arc::new(DestinationStats::default());
        let queue = Queue::new(Arc::clone(&stats));
        let destination = &settings.destinations[0];
        let instance = Instance::from_bytes([7; 9]);
        let outlet = Outlet::new(OutletParts {
            name: "screen".to_owned(),
            encoder: Encoder::new(destination, settings.schema, "app", &settings.redact, instance)
                .expect("good"),
            limits: destination.batch,
            most: usize::MAX,
            when_full: destination.when_full,
            share: usize::MAX,
            queue: Arc::clone(&queue),
            stats,
            pressure: Pressure::new(Arc::clone(&budget)),
        });
        let stats =
            Arc::new(PipelineStats::new(settings.redact.names().len(), settings.steps.len()));
        let sources = vec![Arc::new(SourceStats::new("app"))];
        let worker = Worker::new(WorkerParts {
            settings,
            instance,
            host: "host".to_owned(),
            outlets: vec![outlet],
            budget: Arc::clone(&budget),
            stats,
            sources,
        });
        let mut rig = Self { worker, queue, budget, file: FileNumber(0), offset: 0, now: 0 };
        rig.open(FileNumber(1), vec![0]);
        rig
    }

    fn open(&mut self, file: FileNumber, settled: Vec<u64>) {
        self.go_on(file, 0, settled, Resume::default());
    }

    fn go_on(&mut self, file: FileNumber, offset: u64, settled: Vec<u64>, resume: Resume) {
        (self.file, self.offset) = (file, offset);
        let path = Arc::from("/logs/app.log");
        let opened =
            Opened { lineage: LINEAGE, file, source: 0, path, offset, settled, resume, head: None };
        self.take(Read::Opened(opened));
    }

    fn take(&mut self, read: Read) {
        self.worker.take(read, self.now);
    }

    fn read(&mut self, lines: &str, caught_up: bool) -> Read {
        let span = Span { start: self.offset, end: self.offset + lines.len() as u64 };
        self.offset = span.end;
        Read::Chunk(Chunk {
            lineage: LINEAGE,
            file: self.file,
            span,
            bytes: lines.as_bytes().to_vec(),
            ending: Ending::Newline,
            encoding: Encoding::Utf8,
            caught_up,
            read_at: 0,
            permit: self.budget.overdraw(lines.len()),
        })
    }

    fn chunk(&mut self, lines: &str, caught_up: bool) {
        let chunk = self.read(lines, caught_up);
        self.take(chunk);
    }

    /// Lets a while pass in which `waiting` stays unread.
    fn pass(&mut self, seconds: i64, waiting: Vec<Read>) -> Vec<Read> {
        let waiting = VecDeque::from(waiting);
        for _ in 0..seconds {
            self.now += SECOND;
            self.worker.tick(&waiting, self.now);
        }
        waiting.into()
    }

    /// The spans and states on the receipts of what was handed to the destination.
    async fn sent(&mut self) -> Vec<(u32, u64, u64, Resume)> {
        self.worker.bench.outlets[0].close();
        let mut runs = Vec::new();
        while !self.queue.is_empty() {
            let accepted = self.queue.pop().await.expect("a batch");
            runs.extend(
                accepted
                    .batch
                    .receipt
                    .runs()
                    .map(|(file, run)| (file.0, run.span.start, run.span.end, run.resume.clone())),
            );
        }
        runs
    }

    fn records(&self) -> u64 {
        self.worker.stats.records.load(Ordering::Relaxed)
    }
}

const PART: &str = "2026-11-22T10:00:00Z stdout P jane.doe@exam\n";
const END: &str = "2026-11-22T10:00:00Z stdout F ple.com\n";

#[test]
fn a_writer_that_pauses_has_its_record_ended() {
    let mut rig = Rig::new("parser: cri");
    rig.chunk(PART, true);
    rig.pass(1, Vec::new());
    assert_eq!(rig.records(), 1);
    assert_eq!(rig.worker.next_tick(rig.now), rig.worker.bench.outlets[0].due());
}

#[test]
fn a_pause_of_our_own_ends_nothing() {
    let mut rig = Rig::new("parser: cri");
    rig.chunk(PART, false);
    rig.pass(60, Vec::new());
    assert_eq!(rig.records(), 0, "the rest is in the file, unread");
    rig.chunk(END, false);
    rig.take(Read::CaughtUp(LINEAGE));
    rig.pass(1, Vec::new());
    assert_eq!(rig.records(), 1);
    // It was read to its end, but has grown since.
    rig.chunk(PART, true);
    rig.take(Read::Behind(LINEAGE));
    rig.pass(60, Vec::new());
    assert_eq!(rig.records(), 1);
    // The next line is read, and waits behind others.
    let waiting = vec![rig.read(END, true)];
    rig.take(Read::CaughtUp(LINEAGE));
    for read in rig.pass(60, waiting) {
        assert_eq!(rig.records(), 1);
        rig.take(read);
    }
    rig.pass(1, Vec::new());
    assert_eq!(rig.records(), 2);
}

/// Budget that only open records hold must come back, or nothing is ever read again.
#[tokio::test]
async fn open_records_do_not_hold_the_budget_for_ever() {
    let mut rig = Rig::new("parser: cri, multiline: off");
    rig.chunk("2026-11-22T10:00:00Z stderr F first\n", false);
    rig.chunk(PART, false);
    rig.worker.bench.outlets[0].close();
    rig.pass(1, Vec::new());
    rig.take(Read::Pressed);
    rig.pass(60, Vec::new());
    let sent = rig.queue.pop().await.expect("a batch");
    rig.take(Read::Pressed);
    rig.pass(60, Vec::new());
    assert_eq!(rig.records(), 1, "the destination will give budget back");
    drop(sent);
    let waiting = vec![rig.read(END, true)];
    rig.take(Read::Pressed);
    rig.pass(60, waiting);
    assert_eq!(rig.records(), 1, "there is something to read");
    rig.take(Read::Pressed);
    rig.pass(1, Vec::new());
    assert_eq!(rig.records(), 2);
}

#[tokio::test]
async fn what_auto_found_around_the_lines_is_on_the_receipt() {
    let mut rig = Rig::new("parser: auto, multiline: off");
    rig.chunk(END, true);
    let container = |sent: &[(u32, u64, u64, Resume)]| sent[0].3.container;
    assert_eq!(container(&rig.sent().await), Container::Cri);
    rig.open(FileNumber(2), vec![0]);
    rig.chunk("a\nb\nc\n", true);
    assert_eq!(container(&rig.sent().await), Container::Auto);
    rig.chunk("d\n", true);
    assert_eq!(container(&rig.sent().await), Container::None);
}

/// A record of the last run that is still open when its File retires.
#[tokio::test]
async fn what_is_settled_stays_known_while_a_record_is_held() {
    let mut rig = Rig::new("parser: java, multiline: java");
    let line = "a record\n";
    rig.open(FileNumber(2), vec![line.len() as u64]);
    rig.chunk(line, true);
    rig.take(Read::Retired { lineage: LINEAGE, file: FileNumber(2), last: false });
    rig.open(FileNumber(3), vec![0]);
    rig.chunk("another record\n", true);
    rig.pass(1, Vec::new());
    let sent: Vec<u32> = rig.sent().await.into_iter().map(|(file, ..)| file).collect();
    assert_eq!(sent, [3], "the other was sent in the last run");
}

/// Whoever goes on reads it again, and joins it.
#[tokio::test]
async fn a_hand_over_closes_batches_and_ends_no_record() {
    let mut rig = Rig::new("parser: cri");
    rig.chunk(END, false);
    rig.chunk(PART, true);
    rig.worker.end(rig.now);
    assert_eq!(rig.records(), 1);
    let sent = rig.sent().await;
    let spans: Vec<_> = sent.iter().map(|(file, start, end, _)| (*file, *start, *end)).collect();
    assert_eq!(spans, [(1, 0, END.len() as u64)]);
}

/// Its rest was found compressed after others of its lineage were begun.
#[tokio::test]
async fn a_file_that_goes_on_in_its_middle_does_so_in_the_state_it_had_there() {
    const LIVE: &str = "2026-11-22T10:00:00Z stdout F live\n";
    const KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
    let mut rig = Rig::new("parser: auto");
    let mut states = Vec::new();
    let (live, old) = (FileNumber(1), FileNumber(7));
    for (file, offset, line) in
        [(live, 0, LIVE), (old, 100, KEY), (live, 35, LIVE), (old, 165, KEY), (live, 70, LIVE)]
    {
        if offset == 100 {
            let key =
                Resume { in_private_key: true, container: Container::None, ..Resume::default() };
            rig.go_on(old, offset, vec![offset], key);
        }
        (rig.file, rig.offset) = (file, offset);
        rig.chunk(line, true);
        if offset == 165 {
            rig.take(Read::Retired { lineage: LINEAGE, file: old, last: false });
        }
        rig.pass(2, Vec::new());
        let sent = rig.sent().await;
        states.extend(sent.iter().map(|(file, _, _, it)| (*file, it.in_private_key, it.container)));
    }
    let (live, old) = ((1, false, Container::Cri), (7, true, Container::None));
    assert_eq!(states, [live, old, live, old, live]);
}
