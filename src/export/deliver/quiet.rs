//! Keeps a log readable when every batch has the same thing to say.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The least time between two lines about the same thing.
const BETWEEN: Duration = Duration::from_secs(10);

/// Lets a line through now and then, with the sums of what the others would have said.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    /// When the last line went through, and what was kept back since.
    state: Mutex<(Option<Instant>, [u64; 2])>,
}

impl Quiet {
    /// Whether to write a line now, and then with which sums of the two counts.
    pub(super) fn add(&self, counts: [u64; 2]) -> Option<[u64; 2]> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let now = Instant::now();
        if state.0.is_some_and(|last| now.duration_since(last) < BETWEEN) {
            return None;
        }
        state.0 = Some(now);
        Some(std::mem::take(&mut state.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_back_is_said_later() {
        let quiet = Quiet::default();
        assert_eq!(quiet.add([3, 0]), Some([3, 0]));
        assert_eq!((quiet.add([2, 1]), quiet.add([4, 0])), (None, None));
        tokio::time::advance(BETWEEN).await;
        assert_eq!(quiet.add([1, 1]), Some([7, 2]));
    }
}
