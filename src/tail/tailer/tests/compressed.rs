//! Random lives of logs that are rotated and compressed, unread, read or in flight, with agents that are
//! killed, stopped, drained and reloaded meanwhile. The oracle is that of `model`: what the
//! destinations hold by File and offset.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::tail::inflate::tests::gzip;

/// What one destination holds.
type Held = HashMap<(FileNumber, u64), String>;

/// A log, what it was rotated to and not compressed yet, and the first line of the file of its name.
struct Log {
    name: &'static str,
    rotated: Vec<String>,
    first: String,
}

struct Life {
    bench: Bench,
    random: fastrand::Rng,
    logs: [Log; 2],
    /// Lines written so far.
    written: usize,
    rotations: usize,
    holds: [Held; 2],
    /// Chunks in flight, and which destinations have not settled them.
    in_flight: Vec<(Chunk, [bool; 2])>,
    /// What happened, for the person who looks at a failure.
    played: Vec<String>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let within = random.bool();
        let mut bench = Bench::with(|options| {
            let end = if within { "*" } else { "" };
            options.files = vec![format!("app.log{end}"), format!("web.log{end}")];
            options.destinations = vec!["search", "grafana"];
            options.chunk = [200, 3_000, 60_000][random.usize(..3)];
            options.journal = random.bool();
        });
        bench.settle = false;
        bench.start();
        let log = |name| Log { name, rotated: Vec::new(), first: String::new() };
        Self {
            bench,
            random,
            logs: ["app.log", "web.log"].map(log),
            written: 0,
            rotations: 0,
            holds: [Held::new(), Held::new()],
            in_flight: Vec::new(),
            played: Vec::new(),
        }
    }

    fn write(&mut self, log: usize) {
        let most = [3, 30, 300][self.random.usize(..3)];
        let mut text = String::new();
        for _ in 0..self.random.usize(1..most) {
            let filling = "x".repeat(self.random.usize(..150));
            let line = format!("line {} {filling}\n", self.written);
            if self.logs[log].first.is_empty() {
                self.logs[log].first.clone_from(&line);
            }
            text.push_str(&line);
            self.written += 1;
        }
        self.bench.write(self.logs[log].name, text);
        self.played.push(format!("write {log} up to {}", self.written));
    }

    /// Out of the globs goes only what was seen within them.
    fn rotate(&mut self, log: usize) {
        let first = &self.logs[log].first;
        let has = |held: &Held| held.iter().any(|((_, at), line)| *at == 0 && line == first);
        if first.is_empty() || !self.holds.iter().all(has) {
            return;
        }
        self.rotations += 1;
        let name = self.logs[log].name;
        let to = format!("{name}.{}", self.rotations);
        self.bench.rename(name, &to);
        self.played.push(format!("rotate to {to}"));
        self.logs[log].rotated.push(to);
        self.logs[log].first.clear();
        if self.random.bool() {
            self.bench.write(name, "");
        }
    }

    fn compress(&mut self, log: usize) {
        for name in std::mem::take(&mut self.logs[log].rotated) {
            let to = self.bench.path(&format!("{name}.gz"));
            fs::write(&to, gzip(&fs::read(self.bench.path(&name)).expect("read"))).expect("written");
            let at = u64::try_from(self.bench.clock.wall).expect("after 1970");
            let file = File::options().write(true).open(to).expect("opened");
            file.set_modified(UNIX_EPOCH + Duration::from_nanos(at)).expect("set");
            self.bench.remove(&name);
            self.played.push(format!("compress {name}"));
        }
    }

    /// Some chunks, in any order, or all of them; of destinations often one only. The last one of a lineage
    /// is held by its joiner as long as more is said to follow.
    fn settle(&mut self, all: bool) {
        self.in_flight.extend(self.bench.held.drain(..).map(|chunk| (chunk, [true; 2])));
        let mut held = Vec::new();
        for (name, _) in self.bench.behind.iter().filter(|(_, behind)| **behind) {
            let last = self.bench.last.get(name).copied();
            let at = self.in_flight.iter().position(|(it, _)| Some((it.file, it.span)) == last);
            held.extend(at.map(|at| self.in_flight.swap_remove(at)));
        }
        if self.random.bool() {
            self.random.shuffle(&mut self.in_flight);
        }
        let (only, share) = (self.random.usize(..4), self.random.u8(..4));
        for (chunk, open) in &mut self.in_flight {
            for (destination, open) in open.iter_mut().enumerate() {
                let now = (only > 1 || only == destination) && self.random.u8(..4) <= share;
                if *open && (all || now) {
                    *open = false;
                    let opened = self.bench.opened.iter().rfind(|opened| opened.file == chunk.file);
                    let settled = opened.expect("opened before").settled[destination];
                    deliver(&mut self.holds[destination], chunk, settled);
                    settle(&self.bench.tracker, destination, chunk);
                }
            }
        }
        self.in_flight.retain(|(_, open)| *open != [false; 2]);
        self.in_flight.extend(held);
    }

    fn drain(&mut self) {
        let (done, _told) = tokio::sync::oneshot::channel();
        let seconds = self.random.u64(..4);
        let deadline = self.bench.clock.instant + Duration::from_secs(seconds);
        self.bench.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
        for _ in 0..=seconds {
            if self.random.bool() {
                self.settle(false);
            }
            self.bench.pass(1);
        }
    }

    fn restart(&mut self) {
        let how = self.random.u8(..5);
        match how {
            0 => drop(self.bench.kill()),
            1 => drop(self.bench.finish()),
            2 => self.bench.leave(),
            _ => {
                self.drain();
                self.bench.finish();
            }
        }
        self.played.push(format!("end {how}"));
        self.in_flight.clear();
        for _ in 0..self.random.usize(..6) {
            let log = self.random.usize(..2);
            match self.random.u8(..4) {
                0 => self.rotate(log),
                1 => self.compress(log),
                _ => self.write(log),
            }
        }
        let away = Duration::from_millis(self.random.u64(..2_000));
        self.bench.clock.instant += away;
        self.bench.clock.wall += i64::try_from(away.as_nanos()).expect("small");
        self.played.push("start".to_owned());
        self.bench.start();
    }

    fn step(&mut self) {
        let log = self.random.usize(..2);
        match self.random.usize(..24) {
            0..6 => self.write(log),
            6..8 => self.rotate(log),
            8..10 => self.compress(log),
            10..15 => self.settle(false),
            15..18 => self.restart(),
            18 => drop(self.bench.pass(40)),
            _ => drop(self.bench.pass(1)),
        }
    }
}

fn deliver(held: &mut Held, chunk: &Chunk, settled: u64) {
    let mut at = chunk.span.start;
    for line in chunk.bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = at + line.len() as u64;
        if end > settled {
            let text = String::from_utf8(line.to_vec()).expect("text");
            let before = held.insert((chunk.file, at), text.clone());
            assert!(before.is_none_or(|before| before == text), "one id, two lines");
        }
        at = end;
    }
}

fn live(seed: u64) {
    let mut life = Life::new(seed);
    for _ in 0..50 {
        life.step();
    }
    for _ in 0..90 {
        life.settle(true);
        life.bench.pass(1);
    }
    life.settle(true);
    life.bench.pass(1);
    let played = || format!("seed {seed}\n{:#?}\n{:?}", life.played, life.bench.log);
    let stats = &life.bench.stats;
    for lost in [&stats.lost_gone, &stats.lost_truncated, &stats.lost_damaged] {
        assert_eq!(lost.load(Ordering::Relaxed), 0, "lost, {}", played());
    }
    for (destination, held) in life.holds.iter().enumerate() {
        let number = |line: &String| line.split(' ').nth(1).and_then(|it| it.parse().ok());
        let mut numbers: Vec<usize> = held.values().filter_map(number).collect();
        numbers.sort_unstable();
        let missing: Vec<_> =
            (0..life.written).filter(|it| numbers.binary_search(it).is_err()).collect();
        assert!(missing.is_empty(), "missing at {destination}: {missing:?}, {}", played());
        assert_eq!(numbers.len(), life.written, "repeated at {destination}, {}", played());
    }
}

#[test]
fn every_line_arrives_once_though_logs_are_compressed() {
    for seed in 0..10 {
        live(seed);
    }
}

#[test]
#[ignore = "minutes: more of the same, for changes to the tail"]
fn every_line_arrives_once_in_many_lives_of_compressed_logs() {
    for seed in 10..2_000 {
        live(seed);
    }
}
