//! Random scripts of writing, rotating, compressing, truncating, deleting, failing, killing, draining and
//! restarting, played on the real agent, with many descriptors or few. The model is what was written: each line must arrive once, unaltered, in the
//! order of its offset.
//!
//! `PILLION_MODEL_SEED=n` plays one script again; `PILLION_MODEL_STEPS=n` makes scripts longer.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use pillion::receiver::{Fault, Options, Receiver, Requests, Stored};

use rustix::process::Signal;

use super::harness::{Agent, PATIENCE, Place, Verdict, field, judge, seq};
use super::writer::gzip;

const FILES: usize = 3;

/// Plays one script and keeps the model of what it wrote.
struct Script {
    place: Place,
    receiver: Receiver,
    agent: Option<Agent>,
    rng: Rng,
    /// Each line written, by its number.
    written: BTreeMap<u64, String>,
    /// The writers' handles, which stay open over renames until they notice.
    writers: Vec<File>,
    /// Beginnings of lines whose ends are still to be written.
    halves: Vec<Option<u64>>,
    /// The first line of each file since the writer opened it.
    firsts: Vec<Option<u64>>,
    rotations: u32,
    /// Renamed out of the glob, and not yet compressed.
    rotated: Vec<PathBuf>,
    /// What was played, for the person who looks at a failure.
    played: Vec<String>,
}

impl Script {
    fn new(seed: u64) -> Self {
        let place = Place::new();
        let receiver = Receiver::start(Options { seed, ..Options::default() }).expect("receiver");
        let mut script = Self {
            place,
            receiver,
            agent: None,
            rng: Rng::with_seed(seed),
            written: BTreeMap::new(),
            writers: Vec::new(),
            halves: vec![None; FILES],
            firsts: vec![None; FILES],
            rotations: 0,
            rotated: Vec::new(),
            played: Vec::new(),
        };
        for file in 0..FILES {
            let writer = script.open(file);
            script.writers.push(writer);
        }
        script.start();
        script
    }

    fn open(&self, file: usize) -> File {
        let path = self.place.log(&format!("{file}.log"));
        OpenOptions::new().create(true).append(true).open(path).expect("log file opens")
    }

    fn start(&mut self) {
        let config = self.place.to_elasticsearch(&self.receiver.url());
        // So few that some of the files are closed, to be opened again when they are read.
        let few = self.rng.u8(0..3) == 0;
        self.played.push(format!("start with few descriptors: {few}"));
        let few = if few { &["sh", "-c", "ulimit -n 28; exec \"$0\" \"$@\""][..] } else { &[] };
        let agent = Agent::spawn_under(few, &config, &["--grace", "60s"]);
        agent.wait_for_log("watching");
        self.agent = Some(agent);
    }

    fn line(&mut self) -> u64 {
        let seq = self.written.len() as u64;
        let filling = "abcdefghij ".repeat(self.rng.usize(0..30));
        self.written.insert(seq, format!("model seq={seq} {filling}end"));
        seq
    }

    /// Ends a line begun earlier, so that what follows begins a line.
    fn end_half(&mut self, file: usize) {
        if let Some(seq) = self.halves[file].take() {
            let text = &self.written[&seq];
            let rest = format!("{}\n", &text[text.len() / 2..]);
            self.writers[file].write_all(rest.as_bytes()).expect("writes");
        }
    }

    fn append(&mut self, file: usize) {
        self.end_half(file);
        for _ in 0..self.rng.usize(1..400) {
            let seq = self.line();
            self.firsts[file].get_or_insert(seq);
            let text = format!("{}\n", self.written[&seq]);
            self.writers[file].write_all(text.as_bytes()).expect("writes");
        }
        if self.rng.bool() {
            let seq = self.line();
            let text = &self.written[&seq];
            self.writers[file].write_all(&text.as_bytes()[..text.len() / 2]).expect("writes");
            self.halves[file] = Some(seq);
        }
    }

    /// Renames the file away, out of the glob or within it; the writer goes on in the old one for a
    /// moment, as real writers do. Out of the glob goes only what was seen within it: a file that
    /// comes and goes while the agent is away was never its business.
    fn rename(&mut self, file: usize) {
        self.rotations += 1;
        let out = self.rng.bool() && self.was_seen(file);
        let to = match out {
            true => format!("{file}.log.{}", self.rotations),
            false => format!("old-{file}-{}.log", self.rotations),
        };
        if out {
            self.rotated.push(self.place.log(&to));
        }
        self.played.push(to.clone());
        fs::rename(self.place.log(&format!("{file}.log")), self.place.log(&to)).expect("renames");
        self.append(file);
        self.end_half(file);
        self.writers[file] = self.open(file);
        self.firsts[file] = None;
    }

    /// Compresses what was rotated, shipped or not: nobody writes to it any more.
    fn compress(&mut self) {
        self.rotated.drain(..).for_each(|path| drop(gzip(&path)));
    }

    /// Whether something of the file, as it was opened last, has arrived.
    fn was_seen(&self, file: usize) -> bool {
        let first = self.firsts[file];
        first.is_some() && self.receiver.documents().iter().any(|stored| seq(stored) == first)
    }

    /// Truncates in place, as copytruncate does, or deletes: only once all is shipped, since what goes
    /// unread is lost by its nature.
    fn take_away(&mut self, file: usize) {
        for file in 0..FILES {
            self.end_half(file);
        }
        self.heal();
        self.settle();
        if self.rng.bool() {
            self.writers[file].set_len(0).expect("truncates");
        } else {
            fs::remove_file(self.place.log(&format!("{file}.log"))).expect("deletes");
            self.writers[file] = self.open(file);
            self.firsts[file] = None;
        }
    }

    fn fail(&mut self) {
        let fault = match self.rng.usize(0..6) {
            0 => Fault::Status { status: 429, retry_after: None },
            1 => Fault::Status { status: 503, retry_after: None },
            2 => Fault::Reset { stored: true },
            3 => Fault::Reset { stored: false },
            4 => Fault::TruncatedReply,
            _ => Fault::Records { status: 429, fraction: 0.5 },
        };
        self.played.push(format!("{fault:?}"));
        self.receiver.faults().set_for(0.5, fault);
    }

    fn heal(&mut self) {
        self.receiver.faults().clear();
    }

    /// Waits until all that was written whole is stored.
    fn settle(&mut self) {
        let halves = self.halves.iter().flatten().count();
        let whole = (self.written.len() - halves) as u64;
        let all = self.receiver.wait_for(PATIENCE, |requests: &Requests| requests.stored >= whole);
        assert!(all, "{}", self.describe("not all arrived"));
    }

    fn kill(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.kill();
        }
    }

    fn stop(&mut self) {
        // A half line would be shipped as partial by a drain that finds it a second old.
        for file in 0..FILES {
            self.end_half(file);
        }
        self.heal();
        if let Some(agent) = self.agent.take() {
            let (status, log) = agent.terminate();
            assert!(status.success(), "{}\n{}", self.describe("bad exit"), log.join("\n"));
        }
    }

    /// The agent is told to end, and the application goes on, in whole lines.
    fn drain(&mut self, file: usize) {
        (0..FILES).for_each(|file| self.end_half(file));
        self.heal();
        let Some(mut agent) = self.agent.take() else { return };
        agent.signal(Signal::TERM);
        while !agent.has_ended() {
            self.append(file);
            self.end_half(file);
            std::thread::sleep(Duration::from_millis(self.rng.u64(0..2_000)));
        }
        let (status, log) = agent.ended();
        assert!(status.success(), "{}\n{}", self.describe("bad exit"), log.join("\n"));
    }

    fn step(&mut self) {
        let file = self.rng.usize(0..FILES);
        let what = self.rng.usize(0..22);
        self.played.push(format!("{what} on {file}"));
        match what {
            0..=9 => self.append(file),
            10..=12 => self.rename(file),
            13 => self.take_away(file),
            14 => self.fail(),
            15 => self.heal(),
            16 => {
                self.kill();
                self.start();
            }
            17 => {
                self.stop();
                self.start();
            }
            18 => {
                self.kill();
                self.append(file);
                self.start();
            }
            19 => {
                self.drain(file);
                self.start();
            }
            20 => self.compress(),
            _ => std::thread::sleep(Duration::from_millis(self.rng.u64(0..80))),
        }
    }

    fn describe(&self, what: &str) -> String {
        let stored = self.receiver.documents();
        let verdict = judge(0..self.written.len() as u64, stored.iter().filter_map(seq));
        let log = self.agent.as_ref().map(Agent::log).unwrap_or_default();
        format!(
            "{what}: {:?}\nmissing {:?}… repeated {:?}…\nplayed: {}\nlog:\n{}",
            self.receiver.requests(),
            &verdict.missing[..verdict.missing.len().min(20)],
            &verdict.repeated[..verdict.repeated.len().min(20)],
            self.played.join(", "),
            log.join("\n")
        )
    }

    fn finish(mut self) {
        for file in 0..FILES {
            self.end_half(file);
        }
        self.heal();
        self.settle();
        self.stop();
        let stored = self.receiver.documents();
        let verdict = judge(0..self.written.len() as u64, stored.iter().filter_map(seq));
        assert_eq!(verdict, Verdict::default(), "{}", self.describe("wrong"));
        for it in &stored {
            let number = seq(it).expect("a number");
            assert_eq!(it.document["message"].as_str(), Some(self.written[&number].as_str()));
        }
        assert_in_order(&stored);
    }
}

/// Order means `log.offset`: within a path's generation, later lines have larger offsets. A
/// generation is told by its number in the id; here it is enough that offsets never repeat within
/// an id's File part.
fn assert_in_order(stored: &[Stored]) {
    let mut by_file: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for it in stored {
        let offset = field(it, "log.offset").as_u64().expect("an offset");
        // 18 characters: instance (9 bytes) and File number (4 bytes), in base64.
        by_file.entry(&it.id[..18]).or_default().push((offset, seq(it).expect("a number")));
    }
    for (file, mut lines) in by_file {
        lines.sort_unstable();
        let ordered = lines.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
        assert!(ordered, "offsets of {file} disagree with the order written");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn random_scripts_deliver_exactly_what_was_written() {
    let seeds = match number("PILLION_MODEL_SEED") {
        Some(seed) => vec![seed],
        // Two that stay the same, so that a change that breaks them is found at once, and one new.
        None => vec![1, 2, fastrand::u64(3..1_000_000)],
    };
    let steps = number("PILLION_MODEL_STEPS").unwrap_or(40);
    for seed in seeds {
        println!("PILLION_MODEL_SEED={seed}");
        let mut script = Script::new(seed);
        for _ in 0..steps {
            script.step();
        }
        script.finish();
    }
}
