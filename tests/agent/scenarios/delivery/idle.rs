//! Files that idle, are closed or move while nothing is taken.

use super::*;
use crate::scenarios::handles::{self, assert_exact, limited, open_logs};

/// The file idles until it is closed, for others want its descriptor, while nothing of it is taken yet;
/// it is opened again where it was.
#[test]
fn s32_a_file_that_idles_until_closed_while_all_is_refused_is_read_on_exactly() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set(status(429));
    let agent = limited(100, &line_by_line(place.to_elasticsearch(&receiver.url())));
    let met = |count| receiver.wait_for(PATIENCE, |requests| requests.faulted >= count);
    let is_open = || open_logs(&agent, &place).contains(&place.log("app.log"));
    place.append("app.log", handles::lines("app", 500));
    assert!(met(1) && is_open(), "{:?}", agent.log());
    // More than may be open beside it.
    let others: Vec<String> = (0..60).map(|n| format!("other{n}")).collect();
    for name in &others {
        place.append(&format!("{name}.log"), handles::lines(name, 1));
    }
    assert!(until(PATIENCE, || !is_open()), "{:?}", open_logs(&agent, &place));
    let more: String = (500..1_000).map(|seq| handles::line("app", seq)).collect();
    place.append("app.log", more);
    assert!(until(PATIENCE, is_open), "{:?}", open_logs(&agent, &place));
    let before = receiver.requests();
    assert!(before.stored == 0 && met(before.faulted + 1), "{before:?}");
    receiver.faults().clear();
    let others = others.iter().map(|name| (name.as_str(), 1));
    assert_exact(&receiver, &agent, others.chain([("app", 1_000)]));
}

/// The file is written, rotated away and begun anew while nothing is taken, and both ends are read once
/// something is.
#[test]
fn s32_a_file_that_idles_and_moves_while_all_is_refused_loses_nothing() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set(status(429));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    place.append("app.log", lines(0, 500));
    let met = |count| receiver.wait_for(PATIENCE, |requests| requests.faulted >= count);
    assert!(met(2), "{:?}", agent.log());
    fs::rename(place.log("app.log"), place.log("app.log.1")).expect("rotated");
    place.append("app.log", lines(500, 1_000));
    assert!(met(4), "{:?}", agent.log());
    fs::remove_file(place.log("app.log.1")).expect("deleted");
    place.append("app.log", lines(1_000, 1_500));
    assert!(met(5), "{:?}", agent.log());
    receiver.faults().clear();
    exact(&receiver, agent, 1_500);
}
