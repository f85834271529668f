//! Two destinations in one memory, of which one is down.

use super::*;

/// A long line with text that does not compress away.
fn bulky(from: u64, to: u64) -> String {
    let mut random = fastrand::Rng::with_seed(from);
    let mut noise = || (0..300).map(|_| random.alphanumeric()).collect::<String>();
    (from..to).map(|seq| format!("line seq={seq} end {}\n", noise())).collect()
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

/// Redaction looks closely at text like this; what it masks of it does not matter here.
const BULKY: u64 = 50_000;

/// How long an agent takes to ship the first of so many lines to `up`.
fn time_to_ship(place: &Place, up: &Receiver, agent: &Agent) -> Duration {
    let text = bulky(0, BULKY);
    let begun = Instant::now();
    place.append("app.log", text);
    wait_for_stored(up, agent, FIRST);
    begun.elapsed()
}

/// Lines that are shipped to the one before the other, which is down, holds all of the memory that reads
/// may fill.
const FIRST: u64 = 3_000;

/// The same with both well. What the rate of the other is measured by.
fn time_with_both_up() -> Duration {
    let (place, up, other) = (Place::new(), start(|_| {}), start(|_| {}));
    let agent = Agent::start(&to_two(&place, &up, &other, "block"), &[]);
    time_to_ship(&place, &up, &agent)
}

/// Full rate is taken to be a third of what it is with both well, since other tests run meanwhile.
#[test]
fn s41_one_sink_down_holds_the_other_at_the_shared_bound_with_block() {
    let (place, up, mut down) = (Place::new(), start(|_| {}), start(|_| {}));
    let config = to_two(&place, &up, &down, "block");
    down.stop();
    let full = time_with_both_up();
    let agent = Agent::start(&config, &[]);
    // At full rate until the memory is used up, which holds some megabytes of compressed lines.
    let took = time_to_ship(&place, &up, &agent);
    assert!(took < 3 * full + Duration::from_secs(2), "{took:?}, {full:?} with both up");
    assert!(until(PATIENCE, || metric(&agent, "pillion_budget_pauses_total") > 0.0));
    let read = metric(&agent, "pillion_read_lines_total");
    assert!(read < BULKY as f64, "all was read: nothing holds it up");
    down.restart().expect("its port is free");
    wait_for_stored(&up, &agent, BULKY);
    wait_for_stored(&down, &agent, BULKY);
    agent.assert_conserved();
    assert!(agent.terminate().0.success());
    for receiver in [&up, &down] {
        assert_eq!(
            judge(0..BULKY, receiver.documents().iter().filter_map(seq)),
            Default::default()
        );
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
    agent.assert_conserved();
    assert!(agent.terminate().0.success());
    assert_eq!(judge(0..BULKY, up.documents().iter().filter_map(seq)), Default::default());
    // The oldest are kept, the newest dropped, each once.
    let kept: BTreeSet<u64> = down.documents().iter().filter_map(seq).collect();
    assert_eq!(kept.len() as u64, BULKY - dropped as u64);
    assert_eq!(down.documents().len(), kept.len());
    assert_eq!(
        kept.iter().take(1_000).copied().collect::<Vec<_>>(),
        (0..1_000).collect::<Vec<_>>()
    );
}
