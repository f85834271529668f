//! One destination's circuit breaker: after a few failures in a row nothing is sent but one small
//! probe at a time, at growing intervals; the first success lets everything through again.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;

/// Failures in a row, with no success between, that open the circuit. Fewer may be one batch's own
/// trouble and must not stop the others.
const TOLERATED: u32 = 3;

/// Whether a destination may be asked. Pure: time and chance are passed in.
#[derive(Debug, Default)]
pub struct Breaker {
    state: State,
    /// Failures of whole requests since the last success.
    failures: u32,
    /// Answers in a row that a person must do something about.
    pauses: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Open {
        until: Instant,
        paused: bool,
    },
    /// A probe is out.
    Probing {
        paused: bool,
    },
}

/// The answer to "may I send?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send.
    Yes,
    /// Send something small, and report.
    Probe,
    /// Not before.
    At(Instant),
    /// Not before the probe's answer.
    AfterProbe,
}

/// What a metric or a probe of health shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Sending.
    Closed = 0,
    /// Waiting, or probing, after failures.
    Open = 1,
    /// Waiting, or probing, for a person to mend something.
    Paused = 2,
}

impl Breaker {
    /// Whether a request may be sent now. Changes nothing: [`Self::probe`] does.
    #[must_use]
    pub fn admit(&self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Yes,
            State::Open { until, .. } if now >= until => Admission::Probe,
            State::Open { until, .. } => Admission::At(until),
            State::Probing { .. } => Admission::AfterProbe,
        }
    }

    /// The probe is sent.
    pub fn probe(&mut self) {
        self.state = State::Probing { paused: self.shown() == Shown::Paused };
    }

    /// The probe was given up without an answer: the next may go at once.
    pub fn abandon(&mut self, now: Instant) {
        if let State::Probing { paused } = self.state {
            self.state = State::Open { until: now, paused };
        }
    }

    /// A request was answered, whatever became of single records. Returns whether this closed the
    /// circuit.
    pub fn succeeded(&mut self) -> bool {
        let reopened = self.state != State::Closed;
        *self = Self::default();
        reopened
    }

    /// A request failed as a whole. `probe`: it was the probe. Returns until when nothing is sent,
    /// if the circuit is open now.
    pub fn failed(
        &mut self,
        now: Instant,
        backoff: Backoff,
        random: f64,
        after: Option<Duration>,
        probe: bool,
    ) -> Option<Instant> {
        match self.state {
            // What was sent before the circuit opened says nothing new.
            State::Open { until, .. } => return Some(until),
            State::Probing { .. } if !probe => return None,
            _ => {}
        }
        self.failures = self.failures.saturating_add(1);
        if !probe && self.failures < TOLERATED && after.is_none() {
            return None;
        }
        let until = now + backoff.delay(self.failures, random, after);
        self.state = State::Open { until, paused: false };
        Some(until)
    }

    /// A person must mend something: only a slow probe from now on. Returns until when nothing is
    /// sent.
    pub fn pause(&mut self, now: Instant, random: f64, probe: bool) -> Instant {
        match self.state {
            State::Open { until, paused: true } => return until,
            State::Probing { paused: true } if !probe => return now,
            _ => {}
        }
        self.pauses = self.pauses.saturating_add(1);
        // At least half the ceiling: "slow" means that a wrong password is not tried in a burst.
        let delay = Backoff::CONFIGURATION.delay(self.pauses, 0.5 + random / 2.0, None);
        let until = now + delay;
        self.state = State::Open { until, paused: true };
        until
    }

    /// Failures, and answers that a person must do something about, in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures.saturating_add(self.pauses)
    }

    /// What to show.
    #[must_use]
    pub fn shown(&self) -> Shown {
        match self.state {
            State::Closed => Shown::Closed,
            State::Open { paused, .. } | State::Probing { paused } => {
                if paused {
                    Shown::Paused
                } else {
                    Shown::Open
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: f64 = 0.5;

    fn fail(breaker: &mut Breaker, now: Instant, probe: bool) -> Option<Duration> {
        breaker
            .failed(now, Backoff::NETWORK, HALF, None, probe)
            .map(|until| until.saturating_duration_since(now))
    }

    #[test]
    fn it_opens_at_the_third_failure_and_probes_at_growing_intervals() {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        assert_eq!(fail(&mut breaker, now, false), None);
        assert_eq!(fail(&mut breaker, now, false), None);
        assert_eq!(fail(&mut breaker, now, false), Some(Duration::from_secs(2)));
        // A late answer from before does not push the probe further away.
        assert_eq!(fail(&mut breaker, now, false), Some(Duration::from_secs(2)));
        for expect in [4, 8, 16, 30, 30] {
            let Admission::At(until) = breaker.admit(now) else { panic!("open") };
            now = until;
            assert_eq!(breaker.admit(now), Admission::Probe);
            breaker.probe();
            assert_eq!(breaker.admit(now), Admission::AfterProbe);
            assert_eq!(fail(&mut breaker, now, true), Some(Duration::from_secs(expect)));
        }
        let Admission::At(until) = breaker.admit(now) else { panic!("open") };
        assert_eq!(breaker.admit(until), Admission::Probe);
        breaker.probe();
        assert!(breaker.succeeded());
        assert_eq!(breaker.admit(until), Admission::Yes);
        assert_eq!(fail(&mut breaker, until, false), None, "and the count begins anew");
    }

    #[test]
    fn retry_after_opens_it_at_once() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        let asked = Some(Duration::from_secs(20));
        let until = breaker.failed(now, Backoff::OVERLOAD, HALF, asked, false);
        assert_eq!(until, Some(now + Duration::from_secs(20)));
        assert_eq!(breaker.admit(now), Admission::At(now + Duration::from_secs(20)));
    }

    #[test]
    fn a_pause_is_slow_from_the_start_and_outranks_a_failure() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        let until = breaker.pause(now, 0.0, false);
        assert_eq!(until, now + Duration::from_millis(2500));
        assert_eq!(breaker.shown(), Shown::Paused);
        assert_eq!(breaker.pause(now, 0.9, false), until, "others that were out add nothing");
        breaker.probe();
        assert_eq!(breaker.shown(), Shown::Paused);
        breaker.abandon(now);
        assert_eq!(breaker.admit(now), Admission::Probe);
        assert!(breaker.succeeded());
        assert_eq!(breaker.shown(), Shown::Closed);
    }
}
