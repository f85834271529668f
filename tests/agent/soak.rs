//! The soak: applications, rotations, faults, kills and restarts at random, for as long as you like.
//! What arrived is judged at the end of each round, and forgotten.
//!
//! `cargo test --release --test agent -- --ignored soak --nocapture`, with `PILLION_SOAK_SECONDS=3600`
//! (60 else) and `PILLION_SOAK_SEED=n`, which plays the same script again.

mod steps;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fastrand::Rng;
use pillion::receiver::{Arrival, Keep, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place, until};
use super::oracle::{Arrived, Judgement};
use super::writer::{Form, Writer, written};

const FORMS: [(&str, Form); 4] =
    [("plain", Form::Plain), ("json", Form::Json), ("cri", Form::Cri), ("trace", Form::Trace)];
/// Applications.
const WRITERS: u32 = 8;
/// How long a round lasts before what it wrote is judged.
const ROUND: Duration = Duration::from_secs(15);
/// What is resident may pass the configured memory by this. The program as it is built for tests is
/// larger.
const BESIDES: u64 = if cfg!(debug_assertions) { 40 << 20 } else { 12 << 20 };
const MEMORY: u64 = 12 << 20;
/// The checkpoint is saved once a second; with this much patience for a slow disk, what reached Loki
/// earlier before a kill is never sent again.
const SAVED_WITHIN: Duration = Duration::from_secs(10);

/// A receiver, and what arrived there.
struct End {
    receiver: Receiver,
    arrived: Arc<Mutex<Arrived>>,
}

impl End {
    fn start(seed: u64) -> Self {
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let shown = Arc::clone(&arrived);
        let show = move |arrival: Arrival<'_>| {
            let mut arrived = shown.lock().expect("not poisoned");
            match arrival {
                Arrival::Document(stored) => arrived.document(stored),
                Arrival::Entry(entry) => arrived.entry(entry),
                Arrival::Body(_) => {}
            }
        };
        let mut options = Options { seed, keep: Keep::Show(Arc::new(show)), ..Options::default() };
        // Each path is a stream, and paths are many.
        options.loki.streams = usize::MAX;
        Self { receiver: Receiver::start(options).expect("receiver"), arrived }
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().expect("not poisoned")
    }
}

/// An application of the soak.
struct App {
    writer: Writer,
    /// Writes on in a file that was renamed.
    away: bool,
    /// The first line of the file it writes to now.
    first: u64,
    /// What it was rotated to, not yet compressed.
    rotated: Vec<std::path::PathBuf>,
}

#[derive(Debug, Default)]
struct Totals {
    lines: u64,
    bytes: u64,
    rounds: u64,
    rotations: u64,
    faults: u64,
    kills: u64,
    restarts: u64,
    reloads: u64,
    full_disks: u64,
    missing: usize,
    repeated: usize,
    altered: u64,
    repeated_at_loki: usize,
    /// How many the kills may have cost at most.
    repeated_at_loki_at_most: u64,
    peak_resident: u64,
}

struct Soak {
    seed: u64,
    rng: Rng,
    place: Place,
    search: End,
    grafana: End,
    agent: Option<Agent>,
    apps: Vec<App>,
    totals: Totals,
    /// When how many lines had reached Loki.
    reached: VecDeque<(Instant, u64)>,
    /// The last steps, for the person who looks at a failure.
    played: VecDeque<String>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let place = Place::new();
        let app = |file: u32| {
            let (name, form) = FORMS[file as usize % FORMS.len()];
            let writer = Writer::new(place.log(&format!("{name}-{file}.log")), file).form(form);
            App { writer, away: false, first: 0, rotated: Vec::new() }
        };
        let apps = (0..WRITERS).map(app).collect();
        let mut soak = Self {
            seed,
            rng: Rng::with_seed(seed),
            search: End::start(seed),
            grafana: End::start(seed + 1),
            agent: None,
            apps,
            totals: Totals::default(),
            reached: VecDeque::new(),
            played: VecDeque::new(),
            place,
        };
        soak.start();
        soak
    }

    fn start(&mut self) {
        let sources = [
            ("plain", "parser: plain, multiline: off"),
            ("json", "parser: json"),
            ("cri", "parser: cri"),
            ("trace", "parser: plain, multiline: java"),
        ];
        let sources: String = sources
            .iter()
            .map(|(name, how)| format!("  {name}: {{files: ['{{logs}}/{name}-*.log'], {how}}}\n"))
            .collect();
        let config = self.place.configure(&format!(
            "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: {MEMORY}B\nsources:\n{sources}destinations:\n  \
             search: {{elasticsearch: {{url: '{}', index: logs-soak-default, timeout: 2s}}, batch: {{linger: 50ms}}}}\n  \
             grafana: {{loki: {{url: '{}', labels: {{app: soak}}, timeout: 2s}}, batch: {{linger: 50ms}}}}\n",
            self.search.receiver.url(),
            self.grafana.receiver.url()
        ));
        self.agent = Some(Agent::start(&config, &["--grace", "60s"]));
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("it runs")
    }

    fn note(&mut self, step: String) {
        self.played.push_back(step);
        if self.played.len() > 100 {
            self.played.pop_front();
        }
    }

    fn step(&mut self) {
        let app = self.rng.usize(0..self.apps.len());
        let what = self.rng.usize(0..100);
        match what {
            0..=49 => self.write(app),
            50..=64 => self.rotate(app),
            65..=66 => self.take_away(app),
            67..=72 => self.fail(),
            73..=79 => self.heal(),
            80..=81 => self.kill(false),
            82 => self.kill(true),
            83 => self.restart(),
            84 => self.reload(),
            85 => self.fill_the_disk(app),
            86..=88 => self.compress(app),
            _ => std::thread::sleep(Duration::from_millis(self.rng.u64(0..60))),
        }
        let resident = self.agent().peak_resident();
        self.totals.peak_resident = self.totals.peak_resident.max(resident);
        let lines = self.grafana.arrived().lines();
        self.reached.push_back((Instant::now(), lines));
        while self.reached.front().is_some_and(|(at, _)| at.elapsed() > SAVED_WITHIN) {
            self.reached.pop_front();
        }
    }

    fn end_halves(&mut self) {
        self.apps.iter_mut().for_each(|app| app.writer.lines(0));
    }

    fn written(&self) -> BTreeMap<u32, u64> {
        written(self.apps.iter().map(|app| &app.writer))
    }

    /// Waits until all that was written has arrived everywhere.
    fn settle(&mut self) {
        self.end_halves();
        self.heal();
        let written = self.written();
        let all = until(PATIENCE, || {
            [&self.search, &self.grafana].iter().all(|end| {
                let arrived = end.arrived();
                written.iter().all(|(file, count)| arrived.has(*file, 0..*count))
            })
        });
        if !all {
            let search = self.search.arrived().judge(&written);
            let grafana = self.grafana.arrived().judge(&written);
            let log = self.agent().log();
            let log = &log[log.len().saturating_sub(60)..];
            panic!(
                "not all arrived: search {search:?}; grafana {grafana:?}\n{}\n{}",
                self.describe(),
                log.join("\n")
            );
        }
    }

    /// Everything arrives, is judged, and is forgotten.
    fn end_round(&mut self) {
        self.settle();
        self.agent().assert_conserved();
        let agent = self.agent.take().expect("it runs");
        let peak = agent.peak_resident();
        self.totals.peak_resident = self.totals.peak_resident.max(peak);
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}\n{}", self.describe(), log.join("\n"));
        let written = self.written();
        let search = self.search.arrived().judge(&written);
        let grafana = self.grafana.arrived().judge(&written);
        self.count(&search, &grafana);
        let repeats = Judgement { repeated: Vec::new(), ..grafana };
        assert!(
            search.is_exact() && repeats.is_exact(),
            "{search:?}; at Loki {repeats:?}\n{}",
            self.describe()
        );
        let (found, most) =
            (self.totals.repeated_at_loki as u64, self.totals.repeated_at_loki_at_most);
        assert!(found <= most, "{found} repeated at Loki, {most} expected\n{}", self.describe());
        assert!(peak <= MEMORY + BESIDES, "{peak} resident\n{}", self.describe());
        self.search.arrived().forget(&written);
        self.grafana.arrived().forget(&written);
        self.search.receiver.forget();
        self.grafana.receiver.forget();
        self.clean_up();
        self.start();
    }

    fn count(&mut self, search: &Judgement, grafana: &Judgement) {
        let totals = &mut self.totals;
        totals.rounds += 1;
        totals.lines = self.apps.iter().map(|app| app.writer.written().1).sum();
        totals.bytes = self.apps.iter().map(|app| app.writer.put).sum();
        totals.missing += search.missing.len() + grafana.missing.len();
        totals.altered += search.altered + grafana.altered;
        totals.repeated += search.repeated.len();
        totals.repeated_at_loki += grafana.repeated.len();
    }

    /// Removes what was rotated: all of it is settled.
    fn clean_up(&mut self) {
        for app in &mut self.apps {
            if std::mem::take(&mut app.away) {
                app.writer.reopen();
                app.first = app.writer.written().1;
            }
            app.rotated.clear();
        }
        let live: Vec<_> = self.apps.iter().map(|app| app.writer.path.clone()).collect();
        for entry in std::fs::read_dir(self.place.logs()).expect("logs") {
            let path = entry.expect("readable").path();
            if !live.contains(&path) {
                std::fs::remove_file(path).expect("deletes");
            }
        }
    }

    fn describe(&self) -> String {
        let Self { seed, totals, played, .. } = self;
        format!(
            "PILLION_SOAK_SEED={seed}\n{totals:#?}\nlast: {}",
            Vec::from_iter(played.iter().map(String::as_str)).join("; ")
        )
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[ignore = "as long as you like: PILLION_SOAK_SECONDS"]
fn soak() {
    let seed = number("PILLION_SOAK_SEED").unwrap_or_else(|| fastrand::u64(1..1_000_000));
    let seconds = Duration::from_secs(number("PILLION_SOAK_SECONDS").unwrap_or(60));
    println!("PILLION_SOAK_SEED={seed} PILLION_SOAK_SECONDS={}", seconds.as_secs());
    let (mut soak, began) = (Soak::new(seed), Instant::now());
    while began.elapsed() < seconds {
        let round = Instant::now();
        while round.elapsed() < ROUND {
            soak.step();
        }
        soak.end_round();
    }
    println!("{:#?}", soak.totals);
}
