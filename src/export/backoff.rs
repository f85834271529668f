//! How long to wait before trying again: exponential, with full jitter, never giving up.

use std::time::Duration;

/// A schedule of delays: the n-th is drawn evenly from zero to `first * 2^(n-1)`, at most `cap`.
/// Full jitter, because a fleet of sidecars loses its server at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

/// A server that asks for more patience than this is asked again anyway.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(300);

impl Backoff {
    /// No answer: connection, timeout, a broken reply.
    pub const NETWORK: Self = Self::new(Duration::from_secs(1), Duration::from_secs(60));
    /// A server that answers that it has too much to do. A lower cap than [`Self::NETWORK`], so that
    /// a server that has recovered is used again within half a minute.
    pub const OVERLOAD: Self = Self::new(Duration::from_secs(1), Duration::from_secs(30));
    /// A configuration that somebody has to mend: slow, since only a person can change the answer.
    pub const CONFIGURATION: Self = Self::new(Duration::from_secs(5), Duration::from_secs(60));
    /// A dead-letter or destination file that cannot be written.
    pub const DISK: Self = Self::new(Duration::from_secs(1), Duration::from_secs(30));

    /// A schedule that begins at `first` and doubles up to `cap`.
    #[must_use]
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap }
    }

    /// The longest that the delay before retry `failures` (1 is the first) may be.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.cap)
    }

    /// The delay after so many failures in a row. `random` lies in `[0, 1)`. A server's Retry-After
    /// raises it, up to [`RETRY_AFTER_CAP`].
    #[must_use]
    pub fn delay(&self, failures: u32, random: f64, retry_after: Option<Duration>) -> Duration {
        let jittered = self.ceiling(failures).mul_f64(random.clamp(0.0, 1.0));
        let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_CAP);
        jittered.max(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_cap() {
        let ceilings: Vec<_> =
            (0..9).map(|failures| Backoff::NETWORK.ceiling(failures).as_secs()).collect();
        assert_eq!(ceilings, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(Backoff::NETWORK.ceiling(u32::MAX), Duration::from_secs(60));
    }

    #[test]
    fn jitter_is_full_and_repeatable_from_its_seed() {
        let draw = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            (0..4000).map(|_| Backoff::NETWORK.delay(5, rng.f64(), None)).collect::<Vec<_>>()
        };
        let delays = draw(7);
        assert_eq!(delays, draw(7));
        assert_ne!(delays, draw(8));
        let within = |low: u64, high: u64| {
            let (low, high) = (Duration::from_secs(low), Duration::from_secs(high));
            delays.iter().filter(|delay| (low..high).contains(*delay)).count()
        };
        // Every quarter of 0 to 16 s is drawn about as often as every other.
        for quarter in 0..4 {
            let drawn = within(quarter * 4, quarter * 4 + 4);
            assert!((900..1100).contains(&drawn), "quarter {quarter}: {drawn}");
        }
    }

    #[test]
    fn retry_after_raises_the_delay_but_only_so_far() {
        let after = |secs| Some(Duration::from_secs(secs));
        let delay = |random, asked| Backoff::OVERLOAD.delay(3, random, asked).as_secs();
        assert_eq!(delay(0.5, None), 2);
        assert_eq!(delay(0.5, after(1)), 2, "a shorter wish does not hurry");
        assert_eq!(delay(0.5, after(17)), 17);
        assert_eq!(delay(0.5, after(86_400)), RETRY_AFTER_CAP.as_secs());
    }
}
