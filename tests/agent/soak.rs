//! The soak: applications, rotations, faults, kills and restarts at random, for as long as you like.
//! What arrived is judged at the end of each round, and forgotten.
//!
//! `cargo test --release --test agent -- --ignored soak --nocapture`, with `PILLION_SOAK_SECONDS=3600`
//! (60 else) and `PILLION_SOAK_SEED=n`, which plays the same script again. Some rounds have disk buffers;
//! with `PILLION_SOAK_BUFFER=0` none has, with `=1` all have.

mod end;
mod settings;
mod steps;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::harness::{Agent, PATIENCE, Place, until};
use super::oracle::Judgement;
use super::writer::{Form, Writer, written};
use end::{End, Found};
use settings::{MEMORY, Settings};

const FORMS: [(&str, Form); 4] =
    [("plain", Form::Plain), ("json", Form::Json), ("cri", Form::Cri), ("trace", Form::Trace)];
/// Applications.
const WRITERS: u32 = 8;
/// How long a round lasts before what it wrote is judged.
const ROUND: Duration = Duration::from_secs(15);
/// What is resident may pass the configured memory by this. The program as it is built for tests is
/// larger.
const BESIDES: u64 = if cfg!(debug_assertions) { 40 << 20 } else { 12 << 20 };
/// The checkpoint is saved once a second; with this much patience for a slow disk, what reached Loki
/// earlier before a kill, and was answered, is never sent again.
const SAVED_WITHIN: Duration = Duration::from_secs(10);

/// An application of the soak.
struct App {
    writer: Writer,
    form: Form,
    /// Writes on in a file that was renamed.
    away: bool,
    /// The first line of the file it writes to now.
    first: u64,
    /// The first line since this agent started.
    since_start: u64,
    /// What it was rotated to, not yet compressed.
    rotated: Vec<std::path::PathBuf>,
}

impl App {
    fn reopen(&mut self) {
        self.writer.reopen();
        self.away = false;
        self.first = self.writer.written().1;
    }
}

#[derive(Debug, Default)]
struct Totals {
    lines: u64,
    bytes: u64,
    rounds: u64,
    rounds_with_buffers: u64,
    rotations: u64,
    deletions: u64,
    compressions: u64,
    faults: u64,
    kills: u64,
    restarts: u64,
    reloads: u64,
    full_disks: u64,
    dead_letters: usize,
    missing: usize,
    repeated: usize,
    altered: u64,
    repeated_at_loki: usize,
    peak_resident: u64,
}

/// What may cost repeats, in this round.
#[derive(Debug, Default)]
struct Excuses {
    kills: u64,
    /// Records that reloads gave up, to be read again.
    returned: u64,
    /// How many lines may have gone to Loki twice.
    lines: u64,
}

struct Soak {
    seed: u64,
    rng: Rng,
    place: Place,
    search: End,
    grafana: End,
    agent: Option<Agent>,
    /// Its configuration's number.
    generation: u64,
    settings: Settings,
    apps: Vec<App>,
    totals: Totals,
    excuses: Excuses,
    /// When how many lines had reached Loki, in this round.
    reached: Vec<(Instant, u64)>,
    /// Deleted, by file and end: until these lines are shipped only a living agent has them.
    unnamed: Vec<(u32, u64)>,
    /// Lines judged so far.
    judged: BTreeMap<u32, u64>,
    /// The last steps, for the person who looks at a failure.
    played: VecDeque<String>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let place = Place::new();
        let app = |file: u32| {
            let (name, form) = FORMS[file as usize % FORMS.len()];
            let writer = Writer::new(place.log(&format!("{name}-{file}.log")), file).form(form);
            let rotated = Vec::new();
            App { writer, form, away: false, first: 0, since_start: 0, rotated }
        };
        let apps = (0..WRITERS).map(app).collect();
        let mut rng = Rng::with_seed(seed);
        let settings = Settings::draw(&mut rng, buffers());
        let mut soak = Self {
            seed,
            rng,
            search: End::start(seed, &place, "search"),
            grafana: End::start(seed + 1, &place, "grafana"),
            agent: None,
            generation: 0,
            settings,
            apps,
            totals: Totals::default(),
            excuses: Excuses::default(),
            reached: Vec::new(),
            unnamed: Vec::new(),
            judged: BTreeMap::new(),
            played: VecDeque::new(),
            place,
        };
        soak.start();
        soak
    }

    fn start(&mut self) {
        let config = self.settings.configure(&self.place, &self.search, &self.grafana);
        // Reads on until the applications are quiet, or drains at once.
        let quiet = if self.rng.bool() { "1s" } else { "0" };
        self.apps.iter_mut().for_each(|app| app.since_start = app.writer.written().1);
        self.agent = Some(Agent::start(&config, &["--grace", "60s", "--quiet", quiet]));
        self.generation = 1;
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("it runs")
    }

    /// The agent that is to end, which has kept to its memory.
    fn take_agent(&mut self) -> Agent {
        self.look_at_memory();
        self.agent.take().expect("it runs")
    }

    fn look_at_memory(&mut self) {
        let peak = self.agent().peak_resident();
        self.totals.peak_resident = self.totals.peak_resident.max(peak);
        assert!(peak <= MEMORY + BESIDES, "{peak} resident\n{}", self.describe());
        if self.agent().logged("admin").is_some() {
            let budget = self.agent().metrics()["pillion_budget_peak_bytes"];
            assert!(budget <= MEMORY as f64, "{budget} in flight\n{}", self.describe());
        }
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
            50..=63 => self.rotate(app),
            64 => self.truncate(app),
            65..=66 => self.delete(app),
            67..=72 => self.fail(),
            73..=79 => self.heal(),
            80..=82 => self.kill(),
            83 => self.restart(),
            84 => self.reload(),
            85 => self.fill_the_disk(app),
            86..=88 => self.compress(app),
            _ => std::thread::sleep(Duration::from_millis(self.rng.u64(0..60))),
        }
        self.look_at_memory();
        let lines = self.grafana.lines();
        self.reached.push((Instant::now(), lines));
    }

    fn end_halves(&mut self) {
        self.apps.iter_mut().for_each(|app| app.writer.lines(0));
    }

    fn written(&self) -> BTreeMap<u32, u64> {
        written(self.apps.iter().map(|app| &app.writer))
    }

    /// Waits until all that was written has arrived everywhere, or was refused there.
    fn settle(&mut self) {
        self.end_halves();
        self.heal();
        let written = self.written();
        let from = |file| self.judged.get(file).copied().unwrap_or(0);
        let all = until(PATIENCE, || {
            [&self.search, &self.grafana]
                .iter()
                .all(|end| written.iter().all(|(file, to)| end.has(*file, from(file)..*to)))
        });
        if !all {
            let (search, grafana) = (self.search.judge(&written), self.grafana.judge(&written));
            panic!("not all arrived: search {search:?}; grafana {grafana:?}\n{}", self.trace());
        }
        self.unnamed.clear();
        self.search.fails_since = None;
        self.grafana.fails_since = None;
    }

    /// Everything arrives, is judged, and is forgotten.
    fn end_round(&mut self) {
        self.settle();
        let trace = self.trace();
        let (status, log) = self.take_agent().terminate();
        assert!(status.success(), "{}\n{}", self.describe(), log.join("\n"));
        let written = self.written();
        let (search, grafana) = (self.search.judge(&written), self.grafana.judge(&written));
        self.count(&search, &grafana);
        self.assert_well(search, grafana, &trace);
        self.search.forget(&written);
        self.grafana.forget(&written);
        self.judged = written;
        self.clean_up();
        self.excuses = Excuses::default();
        self.reached.clear();
        self.settings = Settings::draw(&mut self.rng, buffers());
        self.start();
    }

    /// Elasticsearch has each line once. Loki may have got some twice where there is an excuse, but none
    /// that has a time of its own. What is refused is not stored, and refused once, unless there is one.
    fn assert_well(&self, search: Found, grafana: Found, trace: &str) {
        let excused = self.excuses.returned > 0 || self.excuses.kills > 0;
        let repeated = &grafana.lines.repeated;
        let timed = |(file, _): &&(u32, u64)| self.apps[*file as usize].form == Form::Cri;
        let timed: Vec<_> = repeated.iter().filter(timed).take(10).collect();
        let repeats = repeated.len() as u64;
        assert!(
            repeats <= self.excuses.lines && timed.is_empty(),
            "{repeats} repeated at Loki, with a time of their own {timed:?}: {grafana:?}\n{trace}"
        );
        for (name, mut found) in [("search", search), ("grafana", grafana)] {
            if name == "grafana" {
                found.lines.repeated.clear();
            }
            if excused {
                found.refused.repeated.clear();
                found.both.clear();
            }
            let few = self.settings.refuses || found.letters == 0;
            let well = found.lines.is_exact() && found.refused.is_exact() && found.both.is_empty();
            assert!(few && well, "{name}: {found:?}\n{trace}");
        }
    }

    fn count(&mut self, search: &Found, grafana: &Found) {
        let totals = &mut self.totals;
        totals.rounds += 1;
        totals.rounds_with_buffers += u64::from(self.settings.has_buffers());
        totals.lines = self.apps.iter().map(|app| app.writer.written().1).sum();
        totals.bytes = self.apps.iter().map(|app| app.writer.put).sum();
        totals.dead_letters += search.letters + grafana.letters;
        let of = |count: fn(&Judgement) -> usize| count(&search.lines) + count(&grafana.lines);
        totals.missing += of(|it| it.missing.len());
        totals.altered += search.lines.altered + grafana.lines.altered;
        totals.repeated += search.lines.repeated.len();
        totals.repeated_at_loki += grafana.lines.repeated.len();
    }

    /// Removes what was rotated: all of it is settled.
    fn clean_up(&mut self) {
        for app in &mut self.apps {
            if app.away {
                app.reopen();
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
        let Self { seed, totals, settings, excuses, played, .. } = self;
        format!(
            "PILLION_SOAK_SEED={seed}\n{totals:#?}\n{settings:?} {excuses:?}\nlast: {}",
            Vec::from_iter(played.iter().map(String::as_str)).join("; ")
        )
    }

    /// The same with the agent's last words.
    fn trace(&self) -> String {
        let log = self.agent().log();
        let log = &log[log.len().saturating_sub(60)..];
        format!("{}\n{}", self.describe(), log.join("\n"))
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn buffers() -> Option<bool> {
    number("PILLION_SOAK_BUFFER").map(|number| number > 0)
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
