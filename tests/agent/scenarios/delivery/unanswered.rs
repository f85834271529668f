//! Servers whose answers do not come, break off or cannot be read.

use super::*;

/// In some of these the request was carried out, and nobody was told.
const FAULTS: [Fault; 7] = [
    Fault::Hang { stored: false },
    Fault::Hang { stored: true },
    Fault::StalledReply,
    Fault::Reset { stored: false },
    Fault::Reset { stored: true },
    Fault::TruncatedReply,
    Fault::OversizeReply(10 << 20),
];

#[test]
fn s39_a_server_that_hangs_stalls_resets_or_lies_gets_each_document_once() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = place.to_elasticsearch(&receiver.url());
    impatient(&config);
    let agent = Agent::start(&config, &[]);
    for (round, fault) in (0..).zip(&FAULTS) {
        receiver.faults().set_times(1, fault.clone());
        place.append("app.log", lines(round * 100, (round + 1) * 100));
        let met = receiver.wait_for(PATIENCE, |requests| requests.faulted > round);
        assert!(met, "{fault:?}: {:?}", agent.log());
        let stored = (round + 1) * 100;
        wait_for_stored(&receiver, &agent, stored);
    }
    exact(&receiver, agent, 700);
    assert!(receiver.requests().duplicates >= 300, "{:?}", receiver.requests());
}

/// The same, for a server that knows no ids: lines that have times of their own are the same bytes again,
/// which it stores once.
#[test]
fn s39_a_loki_that_hangs_stalls_resets_or_lies_stores_each_line_once() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = line_by_line(to_loki(&place, &receiver.url()));
    let text = fs::read_to_string(&config).expect("there");
    fs::write(&config, text.replace("loki: {", "loki: {timeout: 1s, ")).expect("written");
    let agent = Agent::start(&config, &[]);
    let text = with_some_of_the_past(jiff::SignedDuration::ZERO, |_| false);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (round, fault) in (0..).zip(&FAULTS) {
        receiver.faults().set_times(1, fault.clone());
        place.append("app.log", lines[round * 100..(round + 1) * 100].concat());
        let count = round as u64 + 1;
        let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= count);
        assert!(met, "{fault:?}: {:?}", agent.log());
        wait_for_stored(&receiver, &agent, count * 100);
    }
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_arrived(&entries(&receiver), 700, []);
    assert!(receiver.requests().duplicates >= 300, "{:?}", receiver.requests());
}
