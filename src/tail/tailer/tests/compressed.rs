//! Random lives of logs that are rotated and compressed, unread, read or in flight, with agents that are
//! killed, stopped, drained and reloaded meanwhile. The oracle is that of `model`: what the
//! destinations hold by File and offset.

use std::collections::HashMap;
use std::ops::Range;
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
    /// Chunks in flight, and up to where destinations have settled them.
    in_flight: Vec<(Chunk, [u64; 2])>,
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
            if random.bool() {
                options.again = vec!["app.log*".to_owned(), "web.log*".to_owned()];
            }
            options.chunk = [200, 3_000, 60_000][random.usize(..3)];
            options.journal = random.bool();
            options.budget = [3 * MIB, 8 * MIB][random.usize(..2)];
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
        let has = |held: &Held| held.iter().any(|(_, line)| line == first);
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
            fs::write(&to, gzip(&fs::read(self.bench.path(&name)).expect("read")))
                .expect("written");
            let at = u64::try_from(self.bench.clock.wall).expect("after 1970");
            let file = File::options().write(true).open(to).expect("opened");
            file.set_modified(UNIX_EPOCH + Duration::from_nanos(at)).expect("set");
            self.bench.remove(&name);
            self.played.push(format!("compress {name}"));
        }
    }

    /// Up to where a File was settled, at each destination, when it was opened.
    fn settled(&self, file: FileNumber) -> [u64; 2] {
        let opened = self.bench.opened.iter().rfind(|opened| opened.file == file);
        opened.expect("opened before").settled[..].try_into().expect("two")
    }

    /// Some chunks, in any order, or all of them; of destinations often one only. The last one of a lineage
    /// is held by its joiner as long as more is said to follow.
    fn settle(&mut self, all: bool) {
        for chunk in std::mem::take(&mut self.bench.held) {
            let settled = self.settled(chunk.file);
            // A source need not go to both.
            let safe = settled.map(|it| if it == u64::MAX { it } else { chunk.span.start });
            self.in_flight.push((chunk, safe));
        }
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
        let opened = &self.bench.opened;
        for (chunk, safe) in &mut self.in_flight {
            for (destination, safe) in safe.iter_mut().enumerate() {
                let now = (only > 1 || only == destination) && self.random.u8(..4) <= share;
                if *safe >= chunk.span.end || !(all || now) {
                    continue;
                }
                let ends: Vec<u64> = ends(chunk).filter(|end| end > safe).collect();
                let end = match all || self.random.bool() {
                    true => chunk.span.end,
                    // A batch ends where it is full, or is refused in part.
                    false => self.random.choice(&ends).copied().unwrap_or(chunk.span.end),
                };
                let settled = opened.iter().rfind(|it| it.file == chunk.file);
                let settled = settled.expect("opened before").settled[destination];
                deliver(&mut self.holds[destination], chunk, settled.max(*safe)..end);
                let mut receipt = Receipt::default();
                let span = Span { start: *safe, end };
                receipt.add(chunk.file, span, &Resume::default());
                self.bench.tracker.settle(destination, &receipt);
                *safe = end;
            }
        }
        self.in_flight.retain(|(chunk, safe)| safe.iter().any(|safe| *safe < chunk.span.end));
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

/// Where its lines end.
fn ends(chunk: &Chunk) -> impl Iterator<Item = u64> {
    let lines = chunk.bytes.split_inclusive(|byte| *byte == b'\n');
    lines.scan(chunk.span.start, |at, line| {
        *at += line.len() as u64;
        Some(*at)
    })
}

fn deliver(held: &mut Held, chunk: &Chunk, Range { start, end }: Range<u64>) {
    let lines = chunk.bytes.split_inclusive(|byte| *byte == b'\n').zip(ends(chunk));
    for (line, at) in lines.filter(|(_, at)| *at > start && *at <= end) {
        let text = String::from_utf8(line.to_vec()).expect("text");
        let before = held.insert((chunk.file, at), text.clone());
        assert!(before.is_none_or(|before| before == text), "one id, two lines");
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
    let played = || {
        let Life { bench, played, in_flight, .. } = &life;
        let in_flight = in_flight.iter().map(|(chunk, safe)| (chunk.file, chunk.span, safe));
        let (in_flight, saved) = (Vec::from_iter(in_flight), bench.saved().files);
        format!("seed {seed}\n{played:#?}\n{:?}\n{in_flight:?}\n{saved:#?}", bench.log)
    };
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
    let from = std::env::var("PILLION_LIVES").ok().and_then(|it| it.parse().ok()).unwrap_or(10);
    for seed in from..from + 1_000 {
        live(seed);
    }
}
