//! A server with every fault at once, against what it must hold in the end.

use super::*;
use crate::export::outcome::{PauseClass, Refusal, RetryClass, Verdict};

/// Refuses some records for good, takes few at a time, and fails at random, with or without having
/// stored what it was sent.
struct Faulty {
    random: fastrand::Rng,
    stored: Arc<Mutex<BTreeSet<String>>>,
    most: usize,
    faults: u32,
}

fn is_bad(id: &str) -> bool {
    id.ends_with("13")
}

impl Faulty {
    fn answer(&mut self, sent: &[String]) -> Outcome {
        let refusal = || Refusal { status: 400, error: None };
        if self.faults > 0 && self.random.u8(..3) == 0 {
            self.faults -= 1;
            return self.fault(sent);
        }
        if sent.len() > self.most {
            return Outcome::TooLarge { status: 413, overload: self.random.bool() };
        }
        if sent.iter().any(|id| is_bad(id)) && self.random.bool() {
            return Outcome::Poisoned(refusal());
        }
        let mut stored = self.stored.lock().expect("whole");
        let verdicts = sent.iter().map(|id| {
            if is_bad(id) {
                Verdict::Refused(refusal())
            } else if self.faults > 0 && self.random.u8(..10) == 0 {
                self.faults -= 1;
                match self.random.bool() {
                    true => Verdict::Retry(RetryClass::Overload),
                    false => Verdict::Pause(PauseClass::Blocked),
                }
            } else if stored.insert(id.clone()) {
                Verdict::Delivered
            } else {
                Verdict::Duplicate
            }
        });
        Outcome::Records(verdicts.collect())
    }

    fn fault(&mut self, sent: &[String]) -> Outcome {
        if self.random.bool() {
            // Stored, or some of it, and the answer lost.
            let some = self.random.usize(..=sent.len());
            let good = sent.iter().take(some).filter(|id| !is_bad(id)).cloned();
            self.stored.lock().expect("whole").extend(good);
        }
        let class = RetryClass::ALL[self.random.usize(..RetryClass::ALL.len())];
        match self.random.u8(..4) {
            0 => Outcome::Pause(PauseClass::Forbidden),
            1 => Outcome::Retry { class, after: Some(Duration::from_secs(3)) },
            _ => Outcome::Retry { class, after: None },
        }
    }
}

#[test]
fn every_record_meets_its_one_end_whatever_the_server_does() {
    for seed in 0..150 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(play(seed));
    }
}

async fn play(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let stored: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut server = Faulty {
        random: random.fork(),
        stored: Arc::clone(&stored),
        most: random.usize(1..40),
        faults: random.u32(..60),
    };
    let mut bench = Bench::new(move |sent| server.answer(sent));
    let mut all = BTreeSet::new();
    for batch in 0..random.usize(1..20) {
        all.extend(bench.push(&format!("s{seed}b{batch}-"), random.usize(1..60)));
    }
    bench.drain().await;
    let (bad, good): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|id| is_bad(id));
    assert_eq!(*stored.lock().expect("whole"), good, "seed {seed}");
    let dead: Vec<_> = bench.dead_letters().into_iter().map(|(id, _)| id).collect();
    assert_eq!(dead.len(), bad.len(), "seed {seed}: a dead letter twice");
    assert_eq!(dead.into_iter().collect::<BTreeSet<_>>(), bad, "seed {seed}");
}
