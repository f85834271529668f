//! The key of the hashes: the same in every pod, and another once its file has changed.

use std::fs;

use pillion::receiver::{Options, Receiver};

use super::reload::{APP, to, wait_for_generation, yaml};
use super::terminate;
use crate::harness::{Agent, PATIENCE, Place, field, seq};

/// What a record's message became.
fn hashed(receiver: &Receiver, number: u64) -> String {
    let documents = receiver.documents();
    let stored = documents.iter().find(|stored| seq(stored) == Some(number)).expect("stored");
    let message = field(stored, "message").as_str().expect("text");
    message.split_once(" by ").expect("by somebody").1.to_owned()
}

#[test]
fn a_key_that_is_rotated_hashes_what_comes_from_then_on() {
    let (one, two) = (Place::new(), Place::new());
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let key = one.dir.path().join("key");
    fs::write(&key, "the first of the keys\n").expect("written");
    let start = |place: &Place| {
        let redact = format!("redact: {{action: hash, hash_key: '${{file:{}}}'}}\n", key.display());
        let config = place.configure(&(redact + &yaml(APP, &to("search", &receiver.url()))));
        Agent::start(&config, &[])
    };
    let agents = [start(&one), start(&two)];
    let line = |seq: u64| format!("seq={seq} by Bob@example.com\n");
    let stored = |count| assert!(receiver.wait_for(PATIENCE, |it| it.stored >= count));
    one.append("app.log", line(1));
    two.append("app.log", line(2).to_lowercase());
    stored(2);

    // Nobody sends a signal.
    fs::write(&key, "the second of the keys\n").expect("written");
    for agent in &agents {
        wait_for_generation(agent, 2);
    }
    one.append("app.log", line(3));
    two.append("app.log", line(4));
    stored(4);
    agents.into_iter().for_each(terminate);
    let [first, same, third, fourth] = [1, 2, 3, 4].map(|number| hashed(&receiver, number));
    assert!(first.starts_with("[EMAIL:") && first.len() == "[EMAIL:abcdefghij]".len(), "{first}");
    assert_eq!(first, same, "equal values in two pods");
    assert_ne!(first, third, "with another key");
    assert_eq!(third, fourth, "equal values in two pods");
}
