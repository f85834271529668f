//! The tail thread's loop: turn, wait, turn.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Ended;
use super::inbox::Inbox;
use super::tailer::{Next, Now, Tailer};

/// A tail woken by a write waits this long before it reads, so that a busy writer's lines come in
/// chunks: less than anybody notices, and most of the cost of waking up.
const GATHER: Duration = Duration::from_millis(5);

/// Runs until told to finish.
pub(super) fn run(mut tailer: Tailer, inbox: &Arc<Inbox>) -> Ended {
    loop {
        match tailer.turn(inbox.take(), now()) {
            Next::Again => {}
            Next::Wait(wait) => {
                thread::park_timeout(wait);
                if inbox.only_writes() {
                    thread::sleep(GATHER);
                }
            }
            Next::Finished(finished) => {
                return Ended { finished, handed_over: tailer.bequeath() };
            }
        }
    }
}

/// The clocks.
pub(super) fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), wall: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX) }
}
