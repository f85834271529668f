//! What an answer with a verdict on each record comes to.

use crate::export::outcome::{PauseClass, Refusal, RetryClass, Verdict};

/// Counts of verdicts.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) delivered: u64,
    pub(super) duplicate: u64,
    pub(super) failure_store: u64,
    pub(super) retry: Option<RetryClass>,
    pub(super) pause: Option<PauseClass>,
}

impl Tally {
    pub(super) fn of(verdicts: &[Verdict]) -> Self {
        let mut tally = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Delivered => tally.delivered += 1,
                Verdict::Duplicate => tally.duplicate += 1,
                Verdict::FailureStore => tally.failure_store += 1,
                Verdict::Retry(class) => tally.retry = Some(*class),
                Verdict::Pause(class) => tally.pause = Some(*class),
                Verdict::Refused(_) | Verdict::Doubted(_) => {}
            }
        }
        tally
    }
}

/// Lets doubted records wait. Returns the first one's refusal, if there is any.
pub(super) fn hold(verdicts: &mut [Verdict]) -> Option<Refusal> {
    let mut first = None;
    for verdict in verdicts {
        if let Verdict::Doubted(refusal) = verdict {
            first.get_or_insert_with(|| refusal.clone());
            *verdict = Verdict::Pause(PauseClass::Unexpected);
        }
    }
    first
}
