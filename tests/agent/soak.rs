//! The soak: applications, rotations, faults, kills and restarts at random, for as long as you like.
//! What arrived is judged at the end of each round, and forgotten.
//!
//! `cargo test --release --test agent -- --ignored soak --nocapture`, with `PILLION_SOAK_SECONDS=3600`
//! (60 else) and `PILLION_SOAK_SEED=n`, which plays the same script again. Some rounds have disk buffers;
//! with `PILLION_SOAK_BUFFER=0` none has, with `=1` all have.

mod drops;
mod end;
mod settings;
mod steps;
mod totals;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::os::unix::fs::DirEntryExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::harness::{Agent, PATIENCE, Place, until};
use super::scenarios::events::without;
use super::writer::{Form, Writer, written};
use drops::Places;
use end::{End, Found};
use settings::{MEMORY, Settings};
use totals::Totals;

const FORMS: [(&str, Form); 4] =
    [("plain", Form::Plain), ("json", Form::Json), ("cri", Form::Cri), ("trace", Form::Trace)];
/// Applications.
const WRITERS: u32 = 8;
/// How long a round lasts before what it wrote is judged.
const ROUND: Duration = Duration::from_secs(15);
/// What is resident may pass the configured memory by this. The program as it is built for tests is
/// larger.
const BESIDES: u64 = if cfg!(debug_assertions) { 40 << 20 } else { 12 << 20 };
/// Agents that have ended whose words are kept.
const EARLIER: usize = 3;
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

/// What may cost repeats, in this round.
#[derive(Debug, Default)]
struct Excuses {
    kills: u64,
    /// Agents that ended with what was not settled.
    cut_short: u64,
    /// Records that reloads gave up, to be read again, at each end.
    returned: [u64; 3],
    /// How many lines may have gone to Loki twice.
    lines: u64,
}

struct Soak {
    seed: u64,
    rng: Rng,
    place: Place,
    search: End,
    grafana: End,
    /// Gets the same files by sources of its own, and in some rounds may miss records.
    spare: End,
    agent: Option<Agent>,
    /// Its configuration's number.
    generation: u64,
    settings: Settings,
    apps: Vec<App>,
    totals: Totals,
    excuses: Excuses,
    /// Records dropped in this round, as the agents that have ended said.
    dropped: u64,
    /// Which those were, as they said.
    said: Places,
    /// When how many lines had reached Loki, in this round.
    reached: Vec<(Instant, u64)>,
    /// What the last agents before this one logged.
    earlier: VecDeque<Arc<Mutex<Vec<String>>>>,
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
            spare: End::start(seed + 2, &place, "spare"),
            agent: None,
            generation: 0,
            settings,
            apps,
            totals: Totals::default(),
            excuses: Excuses::default(),
            dropped: 0,
            said: Places::default(),
            reached: Vec::new(),
            earlier: VecDeque::new(),
            unnamed: Vec::new(),
            judged: BTreeMap::new(),
            played: VecDeque::new(),
            place,
        };
        soak.start();
        soak
    }

    fn start(&mut self) {
        let config = self.settings.configure(&self.place, self.ends());
        // Reads on until the applications are quiet, or drains at once.
        let quiet = if self.rng.bool() { "1s" } else { "0" };
        self.apps.iter_mut().for_each(|app| app.since_start = app.writer.written().1);
        let without_events = without("max_inotify_watches");
        let launcher = without_events.each_ref().map(String::as_str);
        let launcher = if self.settings.polls { &launcher[..] } else { &[] };
        let grace = format!("{}s", self.settings.grace().as_secs());
        // What was dropped is told in detail.
        let level = if self.settings.drops { "debug" } else { "info" };
        let args = ["--grace", &grace, "--quiet", quiet, "--log", level];
        let agent = Agent::spawn_under(launcher, &config, &args);
        agent.wait_for_log("watching");
        let polls = agent.metrics()["pillion_polling"];
        assert_eq!(polls, f64::from(u8::from(self.settings.polls)), "{:?}", agent.log());
        self.agent = Some(agent);
        self.generation = 1;
    }

    fn ends(&self) -> [&End; 3] {
        [&self.search, &self.grafana, &self.spare]
    }

    /// Whether these lines are at all destinations, those aside that may miss them.
    fn all_have(&self, file: u32, lines: Range<u64>) -> bool {
        let ends = &self.ends()[..if self.settings.drops { 2 } else { 3 }];
        ends.iter().all(|end| end.has(file, lines.clone()))
    }

    /// Lines of a file that were judged, and forgotten.
    fn judged(&self, file: u32) -> u64 {
        self.judged.get(&file).copied().unwrap_or(0)
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("it runs")
    }

    /// The agent that is to end, which has kept to its memory.
    fn take_agent(&mut self) -> Agent {
        self.look_at_memory();
        let agent = self.agent.take().expect("it runs");
        self.earlier.truncate(EARLIER - 1);
        self.earlier.push_front(agent.log_to_come());
        agent
    }

    fn look_at_memory(&mut self) {
        let peak = self.agent().peak_resident();
        self.totals.peak_resident = self.totals.peak_resident.max(peak);
        assert!(peak <= MEMORY + BESIDES, "{peak} resident\n{}", self.describe());
        if self.agent().logged("admin").is_some() {
            let budget = self.agent().metrics()["pillion_budget_peak_bytes"];
            // With two threads and three destinations, `memory` is little more than the least that `check`
            // takes, and less is set aside than truing up may need (docs/operations.md, Memory).
            let beyond = if self.settings.threads == 2 { MEMORY / 16 } else { 0 };
            let most = MEMORY + beyond;
            assert!(budget <= most as f64, "{budget} in flight\n{}", self.describe());
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
            83 if !self.settings.hasty => self.restart(),
            84 => self.reload(),
            85 => self.fill_the_disk(app),
            86..=88 => self.compress(app),
            89 if self.settings.drops => self.overfill(),
            89..=90 if self.settings.hasty => self.end_in_trouble(),
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
        let all = until(PATIENCE, || {
            written.iter().all(|(file, to)| self.all_have(*file, self.judged(*file)..*to))
                && self.is_accounted_for(&written)
        });
        if !all {
            let found = self.ends().map(|end| end.judge(&written));
            let dropped = self.dropped + self.dropped_now();
            panic!("not all arrived, {dropped} dropped: {found:#?}\n{}", self.trace());
        }
        self.unnamed.clear();
        for end in [&mut self.search, &mut self.grafana, &mut self.spare] {
            end.fails_since = None;
        }
    }

    /// Whether just those records are missing that the agents say they dropped. What is under way makes
    /// that untrue: it is missing, and not dropped.
    fn is_accounted_for(&self, written: &BTreeMap<u32, u64>) -> bool {
        let missing = self.spare.judge(written).lines.missing.len() as u64;
        missing == self.dropped + self.dropped_now()
    }

    /// Records that this agent dropped so far.
    fn dropped_now(&self) -> u64 {
        let labels = "destination=\"spare\",reason=\"full\"";
        self.agent().metrics()[&format!("pillion_dropped_records_total{{{labels}}}")] as u64
    }

    /// Before an agent ends: all it will ever drop is dropped, since all that it was given is settled.
    fn count_drops(&mut self) {
        if self.settings.drops {
            self.settle();
            self.dropped += self.dropped_now();
        }
    }

    /// Everything arrives, is judged, and is forgotten.
    fn end_round(&mut self) {
        self.settle();
        self.count_drops();
        let trace = self.trace();
        let (status, log) = self.take_agent().terminate();
        assert!(status.success(), "{}\n{}", self.describe(), log.join("\n"));
        self.said.hear(&log);
        let written = self.written();
        let found = self.ends().map(|end| end.judge(&written));
        self.count(&found);
        self.assert_well(found, &trace);
        for end in [&mut self.search, &mut self.grafana, &mut self.spare] {
            end.forget(&written);
        }
        self.judged = written;
        (self.dropped, self.said) = (0, Places::default());
        self.clean_up();
        self.excuses = Excuses::default();
        self.reached.clear();
        self.settings = Settings::draw(&mut self.rng, buffers());
        self.start();
    }

    /// Elasticsearch has each line once. Loki may have got some twice where there is an excuse, but none
    /// that has a time of its own. What is refused is not stored, and refused once, unless there is one.
    /// Where records may be dropped, just those are missing that were, and none if nothing went wrong.
    fn assert_well(&self, [search, grafana, mut spare]: [Found; 3], trace: &str) {
        self.assert_dropped(&spare, trace);
        spare.lines.missing.clear();
        let repeated = &grafana.lines.repeated;
        let timed = |(file, _): &&(u32, u64)| self.apps[*file as usize].form == Form::Cri;
        let timed: Vec<_> = repeated.iter().filter(timed).take(10).collect();
        let repeats = repeated.len() as u64;
        assert!(
            repeats <= self.excuses.lines && timed.is_empty(),
            "{repeats} repeated at Loki, with a time of their own {timed:?}: {grafana:?}\n{trace}"
        );
        let ends = [("search", search), ("grafana", grafana), ("spare", spare)];
        for ((name, mut found), returned) in ends.into_iter().zip(self.excuses.returned) {
            if name == "grafana" {
                found.lines.repeated.clear();
            }
            if returned + self.excuses.kills + self.excuses.cut_short > 0 {
                found.refused.repeated.clear();
                found.both.clear();
            }
            let few = self.settings.refuses || found.letters == 0;
            let well = found.lines.is_exact() && found.refused.is_exact() && found.both.is_empty();
            assert!(few && well, "{name}: {found:?}\n{trace}");
        }
    }

    /// Removes what was rotated: all of it is settled.
    fn clean_up(&mut self) {
        for app in &mut self.apps {
            if app.away {
                app.reopen();
            }
            app.rotated.clear();
            app.writer.forget_places();
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

    /// The same with what the last agents said, the files that lie there, and what is known of them: a seed
    /// does not play the same twice.
    fn trace(&self) -> String {
        let earlier =
            self.earlier.iter().rev().map(|log| log.lock().expect("not poisoned").join("\n"));
        let said = Vec::from_iter(earlier.chain([self.agent().log().join("\n")]));
        let files = std::fs::read_dir(self.place.logs()).expect("logs").map(|entry| {
            let entry = entry.expect("readable");
            let meta = entry.metadata();
            let size = meta.as_ref().map_or(0, std::fs::Metadata::len);
            format!("{:?} {size} bytes, inode {}", entry.file_name(), entry.ino())
        });
        let files = Vec::from_iter(files).join("\n");
        let known = std::fs::read_to_string(self.place.state().join("checkpoint"));
        format!("{}\n{}\n{files}\n{known:?}", self.describe(), said.join("\n--\n"))
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
