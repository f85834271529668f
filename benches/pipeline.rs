//! How fast the pure part is, on one core: framed, parsed, redacted by the default rules, encoded and
//! compressed; and how often it allocates.
//!
//! ```sh
//! cargo bench --bench pipeline            # every workload
//! cargo bench --bench pipeline -- nginx   # one
//! ```
//!
//! The floor of a workload is what no shipper can do without: finding the newlines, and compressing
//! exactly the bytes that are sent.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and has nothing to recover"
)]

#[path = "pipeline/logs.rs"]
mod logs;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use pillion::budget::Budget;
use pillion::checkpoint::resume::Resume;
use pillion::config;
use pillion::config::settings::{DestinationKind, Settings};
use pillion::export::encode::Encoder;
use pillion::export::id::Instance;
use pillion::export::queue::Queue;
use pillion::export::stats::DestinationStats;
use pillion::pipeline::chunk::{Chunk, Ending, LineageId, Opened, Read as FromTail};
use pillion::pipeline::outlet::{Outlet, OutletParts};
use pillion::pipeline::pressure::Pressure;
use pillion::pipeline::stats::{PipelineStats, SourceStats};
use pillion::pipeline::worker::{Worker, WorkerParts};
use pillion_parsers::frame::{Encoding, FileNumber, Span};

const CHUNK: usize = 128 << 10;
const INPUT: usize = 64 << 20;
const ROUNDS: usize = 3;

struct Workload {
    name: &'static str,
    parser: &'static str,
    destination: &'static str,
    input: Vec<u8>,
}

/// One worker and its one destination's queue.
struct Rig {
    worker: Worker,
    queue: Arc<Queue>,
    budget: Arc<Budget>,
    /// Where the next chunk begins in the File.
    offset: u64,
    /// Pops the queue, which never waits here.
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let budget = Budget::new(1 << 30);
        let stats = Arc::new(DestinationStats::default());
        let queue = Queue::new(Arc::clone(&stats));
        let destination = &settings.destinations[0];
        let encoder = Encoder::new(
            destination,
            settings.schema,
            &settings.namespace,
            &settings.redact,
            Instance::from_bytes([7; 9]),
        )
        .expect("an encoder");
        let outlet = Outlet::new(OutletParts {
            name: destination.name.clone(),
            encoder,
            limits: destination.batch,
            most: usize::MAX,
            when_full: destination.when_full,
            share: usize::MAX,
            queue: Arc::clone(&queue),
            stats,
            pressure: Pressure::new(Arc::clone(&budget)),
        });
        let mut worker = Worker::new(WorkerParts {
            instance: Instance::from_bytes([7; 9]),
            host: "bench".to_owned(),
            outlets: vec![outlet],
            budget: Arc::clone(&budget),
            stats: Arc::new(PipelineStats::new(
                settings.redact.names().len(),
                settings.steps.len(),
            )),
            sources: vec![Arc::new(SourceStats::new("bench"))],
            settings,
        });
        let opened = Opened {
            lineage: LineageId(0),
            file: FileNumber(1),
            source: 0,
            path: Arc::from("/var/log/bench/app.log"),
            offset: 0,
            settled: vec![0],
            resume: Resume::default(),
            head: None,
        };
        worker.take(FromTail::Opened(opened), 0);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { worker, queue, budget, offset: 0, runtime }
    }

    /// Works through one chunk; gives the bodies of the batches that closed.
    fn chunk(&mut self, bytes: Vec<u8>) -> Vec<bytes::Bytes> {
        let span = Span { start: self.offset, end: self.offset + bytes.len() as u64 };
        self.offset = span.end;
        let permit = self.budget.overdraw(bytes.len());
        let chunk = Chunk {
            lineage: LineageId(0),
            file: FileNumber(1),
            span,
            bytes,
            ending: Ending::Newline,
            encoding: Encoding::Utf8,
            caught_up: false,
            read_at: 1_795_341_600_000_000_000,
            permit,
        };
        self.worker.take(FromTail::Chunk(chunk), 0);
        self.closed()
    }

    fn closed(&self) -> Vec<bytes::Bytes> {
        let mut bodies = Vec::new();
        while !self.queue.is_empty() {
            let accepted = self.runtime.block_on(self.queue.pop());
            bodies.extend(accepted.and_then(|it| it.batch.payload).map(|payload| payload.body));
        }
        bodies
    }

    fn drain(&mut self) -> Vec<bytes::Bytes> {
        let (lineage, file) = (LineageId(0), FileNumber(1));
        self.worker.take(FromTail::Retired { lineage, file, last: true }, 0);
        self.worker.end(0);
        self.closed()
    }
}

fn settings(workload: &Workload) -> Settings {
    let yaml = format!(
        "state: /tmp\nsources: {{app: {{files: [/var/log/bench/*.log], parser: {}}}}}\n\
         destinations: {{to: {}}}\n",
        workload.parser, workload.destination
    );
    match config::from_text("bench.yaml", &yaml, &|_| None) {
        Ok(settings) => settings,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// Whole-line chunks of about [`CHUNK`] bytes.
fn chunks(input: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let most = rest.len().min(CHUNK);
        let end = memchr::memrchr(b'\n', &rest[..most]).map_or(rest.len(), |at| at + 1);
        let (chunk, after) = rest.split_at(end);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// Seconds that this thread has had a processor: what other programs take does not count.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux's schedstat");
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.expect("nanoseconds") / 1e9
}

/// Seconds and bodies of one pass.
fn pass(workload: &Workload) -> (f64, Vec<bytes::Bytes>) {
    let mut rig = Rig::new(settings(workload));
    // What the tailer would have read, so that copying is not part of what is measured.
    let read: Vec<Vec<u8>> = chunks(&workload.input).into_iter().map(<[u8]>::to_vec).collect();
    let begun = processor_seconds();
    let mut bodies = Vec::new();
    for chunk in read {
        bodies.extend(rig.chunk(chunk));
    }
    bodies.extend(rig.drain());
    (processor_seconds() - begun, bodies)
}

/// Seconds for finding the newlines and compressing what was sent.
fn floor(workload: &Workload, settings: &Settings, bodies: &[bytes::Bytes]) -> f64 {
    let snappy = matches!(settings.destinations[0].kind, DestinationKind::Loki(_));
    let plain: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| {
            let mut plain = Vec::new();
            if snappy {
                plain = snap::raw::Decoder::new().decompress_vec(body).expect("snappy");
            } else {
                GzDecoder::new(&body[..]).read_to_end(&mut plain).expect("gzip");
            }
            plain
        })
        .collect();
    let begun = processor_seconds();
    let newlines = memchr::memchr_iter(b'\n', &workload.input).count();
    for plain in &plain {
        if snappy {
            let compressed = snap::raw::Encoder::new().compress_vec(plain).expect("snappy");
            std::hint::black_box(compressed);
        } else {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(plain).expect("gzip");
            std::hint::black_box(gzip.finish().expect("gzip"));
        }
    }
    std::hint::black_box(newlines);
    processor_seconds() - begun
}

/// Allocations per 1,000 lines once everything is warm, between two closings of a batch.
fn allocations(workload: &Workload) -> f64 {
    let mut rig = Rig::new(settings(workload));
    let mut read: Vec<Vec<u8>> =
        chunks(&workload.input).into_iter().take(40).map(<[u8]>::to_vec).collect();
    let measured = read.split_off(8);
    for chunk in read {
        rig.chunk(chunk);
    }
    let lines: usize = measured.iter().map(|chunk| memchr::memchr_iter(b'\n', chunk).count()).sum();
    let counted = allocation_counter::measure(|| {
        for chunk in measured {
            rig.chunk(chunk);
        }
    });
    counted.count_total as f64 * 1000.0 / lines as f64
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let elasticsearch = "{elasticsearch: {url: 'http://x:9200', index: logs-bench-default}}";
    let loki = "{loki: {url: 'http://x:3100', labels: {app: bench}}}";
    type Make = fn(usize) -> Vec<u8>;
    let table: [(&str, &str, &str, Make); 6] = [
        ("nginx-elasticsearch", "nginx", elasticsearch, logs::nginx),
        ("json-elasticsearch", "json", elasticsearch, logs::json),
        ("plain-elasticsearch", "plain", elasticsearch, logs::plain),
        ("auto-nginx-elasticsearch", "auto", elasticsearch, logs::nginx),
        ("cri-json-loki", "cri", loki, logs::cri_json),
        ("personal-elasticsearch", "nginx", elasticsearch, logs::nginx_personal),
    ];
    println!(
        "{:<26}{:>10}{:>12}{:>12}{:>10}{:>16}",
        "workload", "MB/s", "CPU-s/GB", "floor", "x floor", "allocs/1k lines"
    );
    for (name, parser, destination, make) in table {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let workload = Workload { name, parser, destination, input: make(INPUT) };
        let settings = settings(&workload);
        let (mut best, mut lowest) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            let (seconds, bodies) = pass(&workload);
            best = best.min(seconds);
            lowest = lowest.min(floor(&workload, &settings, &bodies));
            std::thread::sleep(Duration::from_millis(50));
        }
        let bytes = workload.input.len() as f64;
        println!(
            "{:<26}{:>10.1}{:>12.2}{:>12.2}{:>10.2}{:>16.2}",
            workload.name,
            bytes / best / 1e6,
            best * 1e9 / bytes,
            lowest * 1e9 / bytes,
            best / lowest,
            allocations(&workload)
        );
    }
}
