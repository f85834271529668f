//! Two destinations in one memory, of which one is down.

use super::*;
use crate::oracle::Judgement;

/// Long lines with text that does not compress away, and that no redaction rule takes for a secret.
fn bulky(from: u64, to: u64) -> String {
    let mut random = fastrand::Rng::with_seed(from);
    let mut word = |_| -> String { (0..5).map(|_| random.lowercase()).collect() };
    let mut noise = || (0..65).map(&mut word).collect::<Vec<_>>().join(" ");
    (from..to).map(|seq| oracle::line(0, seq, &noise()) + "\n").collect()
}

/// One file to two Elasticsearches, in little memory.
fn to_two(place: &Place, up: &Receiver, down: &Receiver, when_full: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 8MiB\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  up:\n    elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
         batch: {{bytes: 128KiB, linger: 50ms}}\n  down:\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
         batch: {{bytes: 128KiB, linger: 50ms}}\n    when_full: {when_full}\n",
        up.url(),
        down.url()
    ))
}

const BULKY: u64 = 50_000;

/// How far an agent gets with so many lines at `up`, and how soon: until all are there, or until no more
/// come.
fn ship(place: &Place, up: &Receiver, agent: &Agent) -> (u64, Duration) {
    const STANDS: Duration = Duration::from_secs(2);
    let text = bulky(0, BULKY);
    let begun = Instant::now();
    place.append("app.log", text);
    let (mut stored, mut took) = (0, Duration::ZERO);
    let ended = until(PATIENCE, || {
        let now = up.requests().stored;
        if now > stored {
            (stored, took) = (now, begun.elapsed());
        }
        stored == BULKY || stored > 0 && begun.elapsed() - took > STANDS
    });
    assert!(ended, "{:?}\n{}", up.requests(), agent.log().join("\n"));
    (stored, took)
}

/// How long all of them take with both well.
fn time_with_both_up() -> Duration {
    let (place, up, other) = (Place::new(), start(|_| {}), start(|_| {}));
    let agent = Agent::start(&to_two(&place, &up, &other, "block"), &[]);
    let (stored, took) = ship(&place, &up, &agent);
    assert_eq!(stored, BULKY);
    took
}

/// Until the memory is used up, which holds some megabytes of compressed lines, the one goes on at the
/// rate that it has with both well. A third of it is taken for that, since other tests run meanwhile.
#[test]
fn s41_one_sink_down_holds_the_other_at_the_shared_bound_with_block() {
    let (place, up, mut down) = (Place::new(), start(|_| {}), start(|_| {}));
    let config = to_two(&place, &up, &down, "block");
    down.stop();
    let full = time_with_both_up();
    let agent = Agent::start(&config, &[]);
    let (stored, took) = ship(&place, &up, &agent);
    assert!(stored > 1_000, "{stored}: held before the memory can be used up");
    assert!(stored < BULKY, "all was read: nothing holds it up");
    let most = 3 * full.mul_f64(stored as f64 / BULKY as f64) + Duration::from_millis(300);
    assert!(took < most, "{stored} lines took {took:?}, all of them {full:?} with both up");
    assert!(until(PATIENCE, || metric(&agent, "pillion_budget_pauses_total") > 0.0));
    down.restart().expect("its port is free");
    wait_for_stored(&up, &agent, BULKY);
    wait_for_stored(&down, &agent, BULKY);
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    for receiver in [&up, &down] {
        assert_arrived(&Arrived::at(receiver), BULKY, []);
    }
}

#[test]
fn s41_one_sink_down_does_not_hold_the_other_with_drop_newest() {
    let (place, up, mut down) = (Place::new(), start(|_| {}), start(|_| {}));
    let config = to_two(&place, &up, &down, "drop_newest");
    down.stop();
    let agent = Agent::start(&config, &[]);
    place.append("app.log", bulky(0, BULKY));
    wait_for_stored(&up, &agent, BULKY);
    let dropped = "pillion_dropped_records_total{destination=\"down\",reason=\"full\"}";
    let dropped = metric(&agent, dropped);
    assert!(dropped > 0.0 && dropped < BULKY as f64, "{dropped}");
    down.restart().expect("its port is free");
    wait_for_stored(&down, &agent, BULKY - dropped as u64);
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_arrived(&Arrived::at(&up), BULKY, []);
    // The oldest are kept, the newest dropped, each once.
    let kept = Arrived::at(&down);
    assert!(kept.has(0, 0..1_000) && kept.lines() == BULKY - dropped as u64);
    let found = kept.judge(&BTreeMap::from([(0, BULKY)]));
    assert_eq!(found.missing.len() as u64, dropped as u64);
    assert!(Judgement { missing: Vec::new(), ..found }.is_exact());
}
