//! What can happen in a soak, one step each.

use std::time::Duration;

use pillion::receiver::Fault;
use rustix::process::Signal;

use super::super::harness::{PATIENCE, limit_file_size, until};
use super::super::writer::gzip;
use super::{App, Soak};

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
    pub(super) fn take_away(&mut self, app: usize) {
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
    pub(super) fn compress(&mut self, app: usize) {
        if !self.apps[app].rotated.is_empty() && !self.apps[app].away {
            self.settle();
            let rotated = std::mem::take(&mut self.apps[app].rotated);
            rotated.iter().for_each(|path| drop(gzip(path)));
            self.note(format!("compress {app}"));
        }
    }

    pub(super) fn fail(&mut self) {
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

    pub(super) fn heal(&mut self) {
        self.search.receiver.faults().clear();
        self.grafana.receiver.faults().clear();
    }

    pub(super) fn kill(&mut self, writes_meanwhile: bool) {
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
    pub(super) fn expect_repeats(&mut self) {
        let now = self.grafana.arrived().lines();
        let then = self.reached.front().map_or(0, |(_, lines)| *lines);
        self.totals.repeated_at_loki_at_most += now - then;
    }

    pub(super) fn restart(&mut self) {
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
    pub(super) fn reload(&mut self) {
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
    pub(super) fn fill_the_disk(&mut self, app: usize) {
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
}
