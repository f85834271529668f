//! How many requests one destination gets at a time: additive increase, multiplicative decrease.
//!
//! The algorithm is Vector's adaptive request concurrency: once per mean round trip, one more if the
//! limit was reached and round trips did not get longer; a tenth fewer after any sign of overload,
//! or when they got much longer than usual.

use std::time::Duration;

use tokio::time::Instant;

/// The most requests in flight to one destination.
pub const MOST: usize = 8;
/// Weight of the newest window in the moving mean.
const ALPHA: f64 = 0.4;
/// What remains of the limit after a sign of overload.
const SHRINK: f64 = 0.9;
/// Standard deviations beyond the mean at which a round trip is a sign of overload.
const DEVIATIONS: f64 = 2.5;

/// The limit, and what it has learnt about round trips. Pure: time is passed in.
#[derive(Debug)]
pub struct Concurrency {
    limit: f64,
    most: usize,
    /// Moving mean and variance of round trips, in seconds; `None` before the first.
    usual: Option<(f64, f64)>,
    window: Window,
}

/// What was seen since the limit was last reconsidered.
#[derive(Debug, Default)]
struct Window {
    sum: f64,
    count: u32,
    /// Whether as many requests as allowed were in flight.
    full: bool,
    overloaded: bool,
    ends: Option<Instant>,
}

impl Concurrency {
    /// Begins at one request, and never allows more than `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { limit: 1.0, most: most.max(1), usual: None, window: Window::default() }
    }

    /// Requests that may be in flight now, at least one.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to `most`")]
    pub fn limit(&self) -> usize {
        (self.limit as usize).clamp(1, self.most)
    }

    /// The most that [`Self::limit`] may become.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// A request began; `active` are now in flight, it included.
    pub fn began(&mut self, active: usize) {
        self.window.full |= active >= self.limit();
    }

    /// A request ended: after `took`, or with a sign of overload (a timeout, a retriable answer).
    pub fn ended(&mut self, now: Instant, took: Option<Duration>) {
        match took {
            Some(took) => {
                self.window.sum += took.as_secs_f64();
                self.window.count += 1;
            }
            None => self.window.overloaded = true,
        }
        if self.window.ends.is_none_or(|ends| now >= ends) {
            self.reconsider(now);
        }
    }

    /// Back to one request: the destination has just come back.
    pub fn restart(&mut self) {
        self.limit = 1.0;
        self.window = Window::default();
    }

    fn reconsider(&mut self, now: Instant) {
        let window = std::mem::take(&mut self.window);
        let mean = (window.count > 0).then(|| window.sum / f64::from(window.count));
        let slow = match (mean, self.usual) {
            (Some(mean), Some((usual, variance))) => mean > usual + DEVIATIONS * variance.sqrt(),
            _ => false,
        };
        let no_longer = mean.is_some_and(|mean| {
            self.usual.is_none_or(|(usual, variance)| mean <= usual + variance.sqrt())
        });
        if window.overloaded || slow {
            self.limit = (self.limit * SHRINK).max(1.0);
        } else if window.full && no_longer {
            #[expect(clippy::cast_precision_loss, reason = "`most` is small")]
            let most = self.most as f64;
            self.limit = (self.limit.floor() + 1.0).min(most);
        }
        if let Some(mean) = mean {
            self.usual = Some(match self.usual {
                None => (mean, 0.0),
                Some((usual, variance)) => {
                    let difference = mean - usual;
                    let increment = ALPHA * difference;
                    (usual + increment, (1.0 - ALPHA) * (variance + difference * increment))
                }
            });
        }
        let wait = self.usual.map_or(0.0, |(usual, _)| usual);
        self.window.ends = Some(now + Duration::from_secs_f64(wait.clamp(0.0, 60.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs windows of requests that all take `millis`, at the limit, and returns the limit.
    fn run(concurrency: &mut Concurrency, now: &mut Instant, windows: u32, millis: u64) -> usize {
        let took = Duration::from_millis(millis);
        for _ in 0..windows {
            for active in 1..=concurrency.limit() {
                concurrency.began(active);
            }
            *now += took;
            concurrency.ended(*now, Some(took));
        }
        concurrency.limit()
    }

    #[test]
    fn a_steady_destination_gets_more_up_to_the_most() {
        let (mut concurrency, mut now) = (Concurrency::new(MOST), Instant::now());
        assert_eq!(concurrency.limit(), 1);
        assert_eq!(run(&mut concurrency, &mut now, 3, 20), 4);
        assert_eq!(run(&mut concurrency, &mut now, 50, 20), MOST);
    }

    #[test]
    fn no_more_while_the_limit_is_not_reached() {
        let (mut concurrency, mut now) = (Concurrency::new(MOST), Instant::now());
        run(&mut concurrency, &mut now, 2, 20);
        for _ in 0..50 {
            concurrency.began(1);
            now += Duration::from_millis(20);
            concurrency.ended(now, Some(Duration::from_millis(20)));
        }
        assert_eq!(concurrency.limit(), 3);
    }

    #[test]
    fn overload_and_slow_answers_shrink_it_but_never_below_one() {
        let (mut concurrency, mut now) = (Concurrency::new(MOST), Instant::now());
        run(&mut concurrency, &mut now, 50, 20);
        assert!(run(&mut concurrency, &mut now, 1, 2000) < MOST, "a hundred times slower");
        for _ in 0..100 {
            now += Duration::from_secs(3);
            concurrency.ended(now, None);
        }
        assert_eq!(concurrency.limit(), 1);
    }

    #[test]
    fn it_is_reconsidered_once_per_round_trip_not_once_per_request() {
        let (mut concurrency, mut now) = (Concurrency::new(MOST), Instant::now());
        run(&mut concurrency, &mut now, 50, 100);
        now += Duration::from_millis(200);
        for _ in 0..20 {
            concurrency.ended(now, None);
        }
        assert_eq!(concurrency.limit(), 7, "twenty failures at one instant count once, or twice");
    }
}
