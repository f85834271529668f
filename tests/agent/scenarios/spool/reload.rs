//! The configuration changes while something is buffered.

use pillion::receiver::IndexRules;
use rustix::process::Signal;

use super::*;

const INDEX: &str = "logs-test-default";

/// Another configuration, in force when this returns.
fn reload(
    place: &Place,
    agent: &Agent,
    url: &str,
    generation: u64,
    change: &dyn Fn(&str) -> String,
) {
    place.configure(&change(&yaml(url, "buffer: {disk: 64MiB}")));
    agent.signal(Signal::HUP);
    let loaded = || sample(agent, "pillion_config_generation") == generation as f64;
    assert!(until(PATIENCE, loaded), "{}", agent.log().join("\n"));
    agent.assert_conserved();
}

/// All is stored, once, in this index; and nothing is left anywhere.
fn assert_all_there(agent: &Agent, receiver: &Receiver, files: u64, count: u64, index: &str) {
    wait_for(receiver, agent, files * count);
    let at_rest = || {
        of_search(agent, "in_flight_records") == 0.0 && of_search(agent, "buffered_records") == 0.0
    };
    assert!(until(PATIENCE, at_rest), "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    let stored = receiver.documents();
    assert_eq!(verdict(written(0..files, count), &stored), Verdict::default());
    assert!(stored.iter().all(|it| it.index == index), "all of it is where it belongs now");
    assert_eq!(lost(agent), 0.0);
}

/// The index does not exist, which no request mends: what is buffered for it goes to the right one, with
/// its ids, and what was in memory with it.
#[test]
fn a_wrong_index_is_mended_by_a_reload() {
    let place = Place::new();
    let elasticsearch = IndexRules {
        auto_create: false,
        existing: vec![INDEX.to_owned()],
        ..IndexRules::default()
    };
    let receiver =
        Receiver::start(Options { elasticsearch, ..Options::default() }).expect("receiver");
    let wrong = |text: &str| text.replace(INDEX, "logs-tset-default");
    let text = wrong(&yaml(&receiver.url(), "buffer: {disk: 64MiB}"));
    let agent = Agent::start(&place.configure(&text), &[]);
    for file in 0..2 {
        place.append(&format!("{file}.log"), lines(file, 0..5_000));
    }
    wait_until_settled(&place, &agent);
    wipe(&place);
    reload(&place, &agent, &receiver.url(), 2, &str::to_owned);
    assert_all_there(&agent, &receiver, 2, 5_000, INDEX);
    assert!(agent.terminate().0.success());
    assert!(!place.state().join("dead-letters/search.ndjson").exists());
}

/// More room, no ids, another schema, another index, no buffer any more: each by a reload, while it is
/// down.
#[test]
fn whatever_is_changed_while_it_is_down_all_arrives_once() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let agent = Agent::start(&config(&place, &receiver.url(), "buffer: {disk: 1MiB}"), &[]);
    let (url, count) = (receiver.url(), 20_000);
    for file in 0..2 {
        place.append(&format!("{file}.log"), lines(file, 0..count));
    }
    agent.wait_for_log("the buffer is full");
    // A reload of a destination that is down does not wait for it.
    reload(&place, &agent, &url, 2, &str::to_owned);
    assert_eq!(of_search(&agent, "buffer_limit_bytes"), f64::from(64 << 20));
    wait_until_settled(&place, &agent);
    let begun = std::time::Instant::now();
    reload(&place, &agent, &url, 3, &|text| text.replace("index:", "ids: false, index:"));
    assert!(begun.elapsed() < std::time::Duration::from_secs(4), "{:?}", begun.elapsed());

    // Of another form, it is none of what is under way, until it is sent again.
    let zipped = |text: &str| text.replace("compression: none", "compression: fast");
    reload(&place, &agent, &url, 4, &zipped);
    assert_eq!(of_search(&agent, "buffered_records"), 0.0);
    agent.wait_for_log("they are kept and not sent");
    reload(&place, &agent, &url, 5, &|text| {
        text.replace("index: logs-test", "ids: false, index: logs-new")
    });
    assert!(of_search(&agent, "buffered_records") > 30_000.0);

    let off = |text: &str| {
        let text = text.replace("buffer: {disk: 64MiB}", "buffer: off");
        text.replace("logs-test", "logs-new")
    };
    reload(&place, &agent, &url, 6, &off);
    assert_eq!(of_search(&agent, "buffer_limit_bytes"), 0.0);
    wipe(&place);
    receiver.faults().clear();
    assert_all_there(&agent, &receiver, 2, count, "logs-new-default");
    assert!(until(PATIENCE, || segments(&place).is_empty()), "{:?}", segments(&place));
    // What went to the full buffer behind what did not was read again with it: known by its ids, which
    // they have again, although they were written without for a while.
    let id = &receiver.documents()[0].id;
    assert!(id.len() == 32, "{id}");
    assert!(agent.terminate().0.success());
}
