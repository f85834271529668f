//! The soak: applications, rotations, faults, kills and restarts at random, for as long as you like.
//! What arrived is judged at the end of each round, and forgotten.
//!
//! `cargo test --release --test agent -- --ignored soak --nocapture`, with `PILLION_SOAK_SECONDS=3600`
//! (60 else) and `PILLION_SOAK_SEED=n`, which plays the same script again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fastrand::Rng;
use pillion::receiver::{Arrival, Fault, Keep, Options, Receiver};
use rustix::process::Signal;

use super::harness::{Agent, PATIENCE, Place, limit_file_size, until};
use super::oracle::{Arrived, Judgement};
use super::writer::{Form, Writer, gzip, written};

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

    fn write(&mut self, app: usize) {
        let lines = self.rng.u64(1..300);
        let half = self.rng.u8(0..4) == 0;
        let App { writer, .. } = &mut self.apps[app];
        writer.lines(lines);
        // Half a stack trace or a container's line is not half a line.
        if half && writer.is_plain() {
            writer.half();
        }
    }

    /// Renames within the glob or out of it. Out of it goes only what was seen within: what comes and
    /// goes while the agent is away was never its business.
    fn rotate(&mut self, app: usize) {
        let (keeps, chains) = (self.rng.u8(0..4) == 0, self.rng.bool());
        self.totals.rotations += 1;
        let number = self.totals.rotations;
        let App { writer, away, first, rotated } = &mut self.apps[app];
        if std::mem::take(away) {
            writer.reopen();
            *first = writer.written().1;
            return;
        }
        let (file, seq) = writer.written();
        let seen = seq > *first
            && [&self.search, &self.grafana]
                .iter()
                .all(|end| end.arrived().has(file, *first..*first + 1));
        let name = writer.path.file_stem().expect("a name").to_string_lossy().into_owned();
        let step = format!("rotate {name}, seen {seen}, keeps {keeps}, chains {chains}");
        if !seen {
            let to = writer.path.with_file_name(format!("{name}-old{number}.log"));
            writer.rename(&to);
        } else if chains {
            rotated.clear();
            writer.chain_without_reopening(1_000);
        } else {
            let to = writer.path.with_file_name(format!("{name}.log.{number}-{file}"));
            writer.rename(&to);
            rotated.push(to);
        }
        if keeps {
            *away = true;
        } else {
            writer.reopen();
            *first = writer.written().1;
        }
        self.note(step);
    }

    /// Truncates or deletes, once all is shipped: what goes unread is lost by its nature.
    fn take_away(&mut self, app: usize) {
        let truncates = self.rng.bool();
        self.settle();
        self.totals.rotations += 1;
        let App { writer, away, first, .. } = &mut self.apps[app];
        if std::mem::take(away) {
            writer.reopen();
        } else if truncates {
            let to = writer.rotated(0);
            writer.copytruncate(&to);
        } else {
            writer.delete();
            writer.reopen();
        }
        *first = writer.written().1;
        self.note(format!("take away {app}, truncates {truncates}"));
    }

    /// Compresses what was rotated before, as with `delaycompress`: once all is shipped, and nobody
    /// writes to it.
    fn compress(&mut self, app: usize) {
        if !self.apps[app].rotated.is_empty() && !self.apps[app].away {
            self.settle();
            let rotated = std::mem::take(&mut self.apps[app].rotated);
            rotated.iter().for_each(|path| drop(gzip(path)));
            self.note(format!("compress {app}"));
        }
    }

    fn fail(&mut self) {
        self.totals.faults += 1;
        let status = |status| Fault::Status { status, retry_after: None };
        let fault = match self.rng.usize(0..12) {
            0 => Fault::Status { status: 429, retry_after: Some(Duration::from_secs(1)) },
            1 => status(429),
            2 => status(500),
            3 => status(503),
            4 => status(401),
            5 => Fault::Reset { stored: true },
            6 => Fault::Reset { stored: false },
            7 => Fault::Hang { stored: self.rng.bool() },
            8 => Fault::Slow(Duration::from_millis(200)),
            9 => Fault::TruncatedReply,
            10 => Fault::OversizeReply(16 << 20),
            _ => Fault::Records { status: 429, fraction: 0.3 },
        };
        let fraction = [0.2, 0.6, 1.0][self.rng.usize(0..3)];
        let end = if self.rng.bool() { &self.search } else { &self.grafana };
        end.receiver.faults().set_for(fraction, fault.clone());
        self.note(format!("{fault:?} for {fraction}"));
    }

    fn heal(&mut self) {
        self.search.receiver.faults().clear();
        self.grafana.receiver.faults().clear();
    }

    fn kill(&mut self, writes_meanwhile: bool) {
        self.totals.kills += 1;
        if let Some(agent) = self.agent.take() {
            agent.kill();
        }
        self.expect_repeats();
        if writes_meanwhile {
            for app in 0..self.apps.len() {
                self.write(app);
            }
        }
        self.note(format!("kill, writes meanwhile {writes_meanwhile}"));
        self.start();
    }

    /// What reached Loki since the checkpoint was saved last may be sent again.
    fn expect_repeats(&mut self) {
        let now = self.grafana.arrived().lines();
        let then = self.reached.front().map_or(0, |(_, lines)| *lines);
        self.totals.repeated_at_loki_at_most += now - then;
    }

    fn restart(&mut self) {
        self.totals.restarts += 1;
        self.end_halves();
        self.heal();
        if let Some(agent) = self.agent.take() {
            let (status, log) = agent.terminate();
            assert!(status.success(), "{}\n{}", self.describe(), log.join("\n"));
        }
        self.note("restart".to_owned());
        self.start();
    }

    /// A reload, or, of an agent that has none, an end without a drain.
    fn reload(&mut self) {
        self.totals.reloads += 1;
        let mut agent = self.agent.take().expect("it runs");
        agent.signal(Signal::HUP);
        if until(Duration::from_millis(300), || agent.has_ended()) {
            self.expect_repeats();
            self.start();
        } else {
            self.agent = Some(agent);
        }
        self.note("reload".to_owned());
    }

    /// No file can grow for a while. A kill meanwhile would cost repeats, so there is none.
    fn fill_the_disk(&mut self, app: usize) {
        self.totals.full_disks += 1;
        limit_file_size(self.agent(), Some(0));
        self.write(app);
        self.rotate(app);
        self.write(app);
        let agent = self.agent();
        let failed =
            until(PATIENCE, || agent.metrics()["pillion_checkpoint_save_errors_total"] > 0.0);
        limit_file_size(agent, None);
        let saves = || agent.metrics()["pillion_checkpoint_saves_total"];
        let before = saves();
        let saved = until(PATIENCE, || saves() > before);
        assert!(failed && saved, "{}\n{}", self.describe(), self.agent().log().join("\n"));
        self.note(format!("full disk, {app}"));
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
