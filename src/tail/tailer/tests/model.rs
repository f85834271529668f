//! Random lives of a log: written, rotated, truncated, deleted, with an agent that is stopped, killed
//! and reloaded meanwhile, and destinations that settle late and out of order. The oracle is what the
//! destinations hold: by File and offset, as ids are made, every line once, whatever was sent twice.

use std::collections::HashMap;

use super::*;

/// What one destination holds.
type Held = HashMap<(FileNumber, u64), String>;

/// How one tailer makes room for the next.
enum End {
    Killed,
    Stopped,
    HandedOver,
}

struct Life {
    bench: Bench,
    random: fastrand::Rng,
    /// Lines written so far.
    written: usize,
    /// The second half of a line whose first half is written.
    owed: Option<String>,
    rotations: usize,
    holds: [Held; 2],
    /// Chunks in flight, and which destinations have not settled them.
    in_flight: Vec<(Chunk, [bool; 2])>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut bench = Bench::with(|options| {
            options.files = vec!["app.log*".to_owned()];
            options.destinations = vec!["search", "grafana"];
            options.chunk = 64;
            options.journal = seed.is_multiple_of(2);
        });
        bench.settle = false;
        bench.start();
        let random = fastrand::Rng::with_seed(seed);
        let holds = [Held::new(), Held::new()];
        Self { bench, random, written: 0, owed: None, rotations: 0, holds, in_flight: Vec::new() }
    }

    fn write(&mut self) {
        for _ in 0..self.random.usize(1..30) {
            let line = self.owed.take().unwrap_or_else(|| {
                self.written += 1;
                format!("line {}\n", self.written - 1)
            });
            if self.random.usize(..20) == 0 && line.len() > 3 {
                let (now, later) = line.split_at(self.random.usize(1..line.len()));
                self.bench.write("app.log", now);
                self.owed = Some(later.to_owned());
                return;
            }
            self.bench.write("app.log", line);
        }
    }

    fn end_line(&mut self) {
        if let Some(rest) = self.owed.take() {
            self.bench.write("app.log", rest);
        }
    }

    fn rotate(&mut self) {
        if !self.bench.path("app.log").exists() {
            return;
        }
        self.end_line();
        let name = |n: usize| if n == 0 { "app.log".to_owned() } else { format!("app.log.{n}") };
        for n in (0..self.rotations + 1).rev() {
            if self.bench.path(&name(n)).exists() {
                self.bench.rename(&name(n), &name(n + 1));
            }
        }
        self.rotations += 1;
        if self.random.bool() {
            self.bench.write("app.log", "");
        }
    }

    /// Everything is read, settled and saved.
    fn catch_up(&mut self) {
        self.end_line();
        for _ in 0..3 {
            self.bench.pass(1);
            self.settle(true);
        }
        self.bench.pass(1);
    }

    fn truncate(&mut self) {
        if self.bench.path("app.log").exists() {
            self.catch_up();
            self.bench.truncate("app.log");
        }
    }

    fn delete_oldest(&mut self) {
        self.catch_up();
        let oldest = format!("app.log.{}", self.rotations);
        if self.bench.path(&oldest).exists() {
            self.bench.remove(&oldest);
            self.rotations -= 1;
        }
    }

    /// Some chunks, in any order, or all of them.
    fn settle(&mut self, all: bool) {
        self.in_flight.extend(self.bench.held.drain(..).map(|chunk| (chunk, [true; 2])));
        self.random.shuffle(&mut self.in_flight);
        for (chunk, open) in &mut self.in_flight {
            for (destination, open) in open.iter_mut().enumerate() {
                if *open && (all || self.random.bool()) {
                    *open = false;
                    let opened = self.bench.opened.iter().rfind(|opened| opened.file == chunk.file);
                    let settled = opened.expect("opened before").settled[destination];
                    deliver(&mut self.holds[destination], chunk, settled);
                    settle(&self.bench.tracker, destination, chunk);
                }
            }
        }
        self.in_flight.retain(|(_, open)| *open != [false; 2]);
    }

    fn restart(&mut self, end: End) {
        match end {
            End::Killed => drop(self.bench.kill()),
            End::Stopped => drop(self.bench.finish()),
            End::HandedOver => self.bench.leave(),
        }
        self.in_flight.clear();
        for _ in 0..self.random.usize(..3) {
            if self.random.bool() { self.write() } else { self.rotate() }
        }
        self.bench.start();
    }

    fn step(&mut self) {
        match self.random.usize(..21) {
            0..6 => self.write(),
            6..8 => self.rotate(),
            8 => self.truncate(),
            9 => self.delete_oldest(),
            10..14 => self.settle(false),
            14 => self.restart(End::Killed),
            15 => self.restart(End::Stopped),
            16 => self.restart(End::HandedOver),
            17 => drop(self.bench.pass(40)),
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
    assert_eq!(at, chunk.span.end);
}

fn live(seed: u64) {
    let mut life = Life::new(seed);
    for _ in 0..60 {
        life.step();
    }
    life.catch_up();
    for held in &life.holds {
        let mut numbers: Vec<usize> = held
            .values()
            .map(|line| {
                let number =
                    line.strip_prefix("line ").and_then(|rest| rest.trim_end().parse().ok());
                number.unwrap_or_else(|| panic!("seed {seed}: altered: {line:?}"))
            })
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..life.written).collect::<Vec<_>>(), "seed {seed}");
    }
    assert_eq!(life.bench.finish().unsettled, 0, "seed {seed}");
    let stats = &life.bench.stats;
    for lost in [&stats.lost_gone, &stats.lost_truncated] {
        assert_eq!(lost.load(Ordering::Relaxed), 0, "seed {seed}");
    }
}

#[test]
fn every_line_arrives_once_whatever_happens() {
    for seed in 0..10 {
        live(seed);
    }
}

#[test]
#[ignore = "a minute: more of the same, for changes to the tail"]
fn every_line_arrives_once_in_many_lives() {
    for seed in 10..160 {
        live(seed);
    }
}
