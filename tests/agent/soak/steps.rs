//! What can happen in a soak, one step each.

use std::time::{Duration, Instant};

use pillion::receiver::Fault;
use rustix::process::Signal;

use super::super::harness::{Agent, PATIENCE, limit_file_size, number_after, until};
use super::super::writer::gzip;
use super::settings::COPY;
use super::{App, SAVED_WITHIN, Soak};

/// How much longer than its grace an agent may take to end: it lets go, and saves.
const LATE: Duration = Duration::from_secs(8);

impl Soak {
    pub(super) fn write(&mut self, app: usize) {
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
    pub(super) fn rotate(&mut self, app: usize) {
        let (keeps, chains) = (self.rng.u8(0..4) == 0, self.rng.bool());
        self.totals.rotations += 1;
        let number = self.totals.rotations;
        if self.apps[app].away {
            return self.apps[app].reopen();
        }
        let App { writer, first, .. } = &self.apps[app];
        let ((file, seq), first) = (writer.written(), *first);
        let seen = seq > first && self.all_have(file, first..first + 1);
        let app = &mut self.apps[app];
        let name = app.writer.path.file_stem().expect("a name").to_string_lossy().into_owned();
        if !seen {
            let to = app.writer.path.with_file_name(format!("{name}-old{number}.log"));
            app.writer.rename(&to);
        } else if chains {
            app.rotated.clear();
            app.writer.chain_without_reopening(1_000);
        } else {
            let to = app.writer.path.with_file_name(format!("{name}.log.{number}-{file}"));
            app.writer.rename(&to);
            app.rotated.push(to);
        }
        if keeps {
            app.away = true;
        } else {
            app.reopen();
        }
        self.note(format!("rotate {name}, seen {seen}, keeps {keeps}, chains {chains}"));
    }

    /// Copies and truncates, once all is shipped: what goes unread is lost by its nature.
    pub(super) fn truncate(&mut self, app: usize) {
        self.settle();
        self.totals.rotations += 1;
        let app = &mut self.apps[app];
        if app.away {
            app.reopen();
        } else {
            let to = app.writer.path.with_extension(&COPY[1..]);
            app.writer.copytruncate(&to);
            app.first = app.writer.written().1;
        }
        let name = app.writer.path.display().to_string();
        self.note(format!("truncate {name}"));
    }

    /// Deletes a file that the agent has open, whatever of it is unread or in flight.
    pub(super) fn delete(&mut self, app: usize) {
        let App { writer, away, first, since_start, .. } = &self.apps[app];
        let ((file, seq), from) = (writer.written(), *first.max(since_start));
        let ends = [&self.search, &self.spare];
        let is_open = ends.iter().all(|end| end.has(file, from..from + 1));
        if *away || seq <= from || !is_open {
            return;
        }
        self.totals.deletions += 1;
        self.apps[app].writer.delete();
        self.apps[app].reopen();
        self.unnamed.push(self.apps[app].writer.written());
        self.note(format!("delete {app}, up to {seq}"));
    }

    /// Compresses what was rotated before, as with `delaycompress`, shipped or not: nobody writes to it.
    pub(super) fn compress(&mut self, app: usize) {
        let App { away, rotated, .. } = &mut self.apps[app];
        if !*away && !rotated.is_empty() {
            let rotated = std::mem::take(rotated);
            rotated.iter().for_each(|path| drop(gzip(path)));
            self.totals.compressions += rotated.len() as u64;
            self.note(format!("compress {app}"));
        }
    }

    pub(super) fn fail(&mut self) {
        self.totals.faults += 1;
        let status = |status| Fault::Status { status, retry_after: None };
        let stored = self.rng.bool() && !self.settings.refuses;
        let common = [
            Fault::Status { status: 429, retry_after: Some(Duration::from_secs(1)) },
            status(429),
            status(500),
            status(503),
            status(401),
            status(403),
            status(404),
            Fault::Records { status: 429, fraction: 0.3 },
            Fault::Records { status: 503, fraction: 0.3 },
            Fault::TooLarge(30_000),
            Fault::Reset { stored },
            Fault::Hang { stored },
        ];
        let unanswered = [
            Fault::Slow(Duration::from_millis(200)),
            Fault::TruncatedReply,
            Fault::StalledReply,
            Fault::OversizeReply(16 << 20),
        ];
        let refusals = [
            status(400),
            Fault::Records { status: 400, fraction: 0.1 },
            Fault::Records { status: 400, fraction: 0.01 },
        ];
        let special = if self.settings.refuses { &refusals[..] } else { &unanswered[..] };
        let from = if self.rng.bool() { &common[..] } else { special };
        let fault = from[self.rng.usize(0..from.len())].clone();
        let fraction = [0.2, 0.6, 1.0][self.rng.usize(0..3)];
        // Where records may be dropped, they are.
        let of = if self.settings.drops { 6 } else { 3 };
        let (name, end) = match self.rng.usize(0..of) {
            0 => ("search", &mut self.search),
            1 => ("grafana", &mut self.grafana),
            _ => ("spare", &mut self.spare),
        };
        end.fail(fraction, fault.clone());
        self.note(format!("{fault:?} for {fraction} at {name}"));
    }

    /// The destination that may miss records takes none, until some are dropped for it.
    pub(super) fn overfill(&mut self) {
        self.heal();
        self.spare.fail(1.0, Fault::Status { status: 503, retry_after: None });
        let before = self.dropped_now();
        let plain = self.apps.iter().position(|app| app.writer.is_plain()).expect("there are some");
        // What is in a large one takes a while, and none of it is dropped.
        let most = if self.settings.has_large_buffers() { 4 } else { 40 };
        let drops = (0..most).any(|_| {
            self.apps[plain].writer.lines(1_500);
            let (file, seq) = self.apps[plain].writer.written();
            let read = until(PATIENCE, || self.all_have(file, seq - 1..seq));
            assert!(read, "one that is down holds up the others\n{}", self.trace());
            self.dropped_now() > before
        });
        // A buffer may be larger than that.
        assert!(drops || self.settings.has_buffers(), "nothing is dropped\n{}", self.trace());
        self.note(format!("overfill, dropped {drops}"));
    }

    pub(super) fn heal(&mut self) {
        self.ends().iter().for_each(|end| end.receiver.faults().clear());
    }

    /// In a third of the rounds, and not while only the agent has what was deleted.
    pub(super) fn kill(&mut self) {
        if !self.settings.kills || self.has_unnamed() {
            return;
        }
        self.totals.kills += 1;
        self.take_agent().kill();
        self.excuses.kills += 1;
        self.excuse_repeats();
        self.note("kill".to_owned());
        if self.rng.u8(0..3) == 0 {
            self.go_on_without();
        }
        self.start();
    }

    /// Whether only the agent has what was deleted, and not shipped.
    fn has_unnamed(&mut self) -> bool {
        let unnamed = std::mem::take(&mut self.unnamed);
        let unshipped = |(file, to): &(u32, u64)| !self.all_have(*file, self.judged(*file)..*to);
        self.unnamed = unnamed.into_iter().filter(unshipped).collect();
        !self.unnamed.is_empty()
    }

    /// What reached Loki since the checkpoint was saved last may be sent again, and so may what was
    /// carried out without an answer or in part, and what lies behind that.
    fn excuse_repeats(&mut self) {
        let now = Instant::now();
        let since = self.grafana.fails_since.unwrap_or(now);
        let before = |(at, _): &&(Instant, u64)| *at + SAVED_WITHIN < since;
        let first = self.reached.first().map_or(0, |(_, lines)| *lines);
        let then = self.reached.iter().rev().find(before).map_or(first, |(_, lines)| *lines);
        self.excuses.lines += self.grafana.lines() - then;
    }

    /// What applications and rotation do while no agent is there.
    fn go_on_without(&mut self) {
        for app in 0..self.apps.len() {
            self.write(app);
            match self.rng.u8(0..6) {
                0 => self.rotate(app),
                1 => self.compress(app),
                _ => {}
            }
        }
        self.note("went on without".to_owned());
    }

    /// Applications go on meanwhile, in whole lines: an agent that ends ships what stands still as it is.
    pub(super) fn restart(&mut self) {
        self.totals.restarts += 1;
        self.end_halves();
        self.heal();
        self.count_drops();
        let mut agent = self.take_agent();
        agent.signal(Signal::TERM);
        self.write_meanwhile(&mut agent);
        let (status, log) = agent.ended();
        assert!(status.success(), "{}\n{}", self.describe(), log.join("\n"));
        self.said.hear(&log);
        self.note("restart".to_owned());
        self.go_on_without();
        self.start();
    }

    /// The agent is told to end while destinations are in trouble, to the end or until it is half-way
    /// through its grace: what is not sent in time is in the disk buffer, or left to the next. Not while
    /// only the agent has what was deleted.
    pub(super) fn end_in_trouble(&mut self) {
        if self.has_unnamed() {
            return;
        }
        self.totals.ends_in_trouble += 1;
        self.end_halves();
        (0..self.rng.u8(1..4)).for_each(|_| self.fail());
        (0..self.apps.len()).for_each(|app| self.apps[app].writer.lines(50));
        let heals = self.rng.bool();
        let mut agent = self.take_agent();
        let (began, grace) = (Instant::now(), self.settings.grace());
        agent.signal(Signal::TERM);
        self.write_meanwhile(&mut agent);
        if heals {
            self.heal();
        }
        let (status, log) = agent.ended();
        let took = began.elapsed();
        let in_time = took < grace + LATE;
        assert!(status.success() && in_time, "{took:?}, {}\n{}", self.describe(), log.join("\n"));
        let buffered = log.iter().filter(|line| line.contains("drained, "));
        let buffered = buffered.filter_map(|line| number_after(line, "records_buffered="));
        self.totals.left_in_buffers += buffered.sum::<u64>();
        self.excuses.cut_short += 1;
        self.excuse_repeats();
        self.note(format!("end in trouble, heals {heals}, took {took:?}"));
        self.go_on_without();
        self.start();
    }

    fn write_meanwhile(&mut self, agent: &mut Agent) {
        let writes = Instant::now() + Duration::from_millis(self.rng.u64(0..1_500));
        while Instant::now() < writes && !agent.has_ended() {
            let plain: Vec<_> =
                (0..self.apps.len()).filter(|app| self.apps[*app].writer.is_plain()).collect();
            let app = plain[self.rng.usize(0..plain.len())];
            let lines = self.rng.u64(1..50);
            self.apps[app].writer.lines(lines);
            std::thread::sleep(Duration::from_millis(self.rng.u64(0..30)));
        }
    }

    /// Something changes, and the new configuration comes into force.
    pub(super) fn reload(&mut self) {
        self.totals.reloads += 1;
        if self.settings.drops {
            // What is given up is read again, and with it what was dropped behind it.
            self.settle();
        }
        let returned = self.returned();
        self.settings.change(&mut self.rng);
        self.settings.configure(&self.place, self.ends());
        self.note(format!("reload {:?}", self.settings));
        self.agent().signal(Signal::HUP);
        self.generation += 1;
        let generation = self.generation as f64;
        let loaded = until(PATIENCE, || {
            let agent = self.agent.as_mut().expect("it runs");
            !agent.has_ended() && agent.metrics()["pillion_config_generation"] == generation
        });
        assert!(loaded, "the new configuration is not in force\n{}", self.trace());
        let now = self.returned();
        for (sum, (now, before)) in self.excuses.returned.iter_mut().zip(now.iter().zip(returned)) {
            *sum += now - before;
        }
        // Of a batch that is given up all is read again, also what is counted as delivered.
        if now[1] > returned[1] {
            self.excuse_repeats();
        }
    }

    /// Records that were given up so far, by this agent, at each end.
    fn returned(&self) -> [u64; 3] {
        let metrics = self.agent().metrics();
        ["search", "grafana", "spare"].map(|destination| {
            let labels = format!("destination=\"{destination}\",outcome=\"returned\"");
            metrics[&format!("pillion_records_total{{{labels}}}")] as u64
        })
    }

    /// No file can grow for a while. A kill meanwhile would cost repeats, so there is none.
    pub(super) fn fill_the_disk(&mut self, app: usize) {
        self.totals.full_disks += 1;
        let count = |soak: &Self, name: &str| {
            soak.agent().metrics()[&format!("pillion_checkpoint_{name}_total")]
        };
        let failed = count(self, "save_errors");
        limit_file_size(self.agent(), Some(0));
        self.write(app);
        self.rotate(app);
        self.write(app);
        let fails = until(PATIENCE, || count(self, "save_errors") > failed);
        limit_file_size(self.agent(), None);
        let saved = count(self, "saves");
        let saves = until(PATIENCE, || count(self, "saves") > saved);
        assert!(fails && saves, "fails {fails}, saves {saves}\n{}", self.trace());
        self.note(format!("full disk, {app}"));
    }
}
