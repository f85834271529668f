//! Lines that are read by what a header above them says: over restarts, rotations, and where reading
//! begins below it.

use std::fs;
use std::path::PathBuf;

use pillion::receiver::{Options, Receiver};
use serde_json::Value;

use super::super::harness::{Agent, PATIENCE, Place, until};

fn config(place: &Place, receiver: &Receiver, source: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         parsers:\n  commented: {{grammar: csv, csv: {{comment: '#'}}}}\n  \
         inside: {{pattern: '^(?<message>.*)$', nested: csv}}\n\
         sources: {{app: {{files: ['{{logs}}/app.log'], {source}}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}}}\n",
        receiver.url()
    ))
}

/// Waits for so many records to be stored and settled.
fn settle(agent: &Agent, receiver: &Receiver, count: u64) {
    let all = receiver.wait_for(PATIENCE, |it| it.stored >= count);
    assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
    let settled = until(PATIENCE, || agent.metrics()["pillion_lag_bytes"] == 0.0);
    assert!(settled, "{}", agent.log().join("\n"));
}

/// Kills it once the checkpoint says that the log is settled to its end: without that, the next one
/// would read all of it again.
fn kill(agent: Agent, place: &Place) {
    let length = fs::metadata(place.log("app.log")).expect("there").len();
    let saved = || fs::read_to_string(place.state().join("checkpoint")).unwrap_or_default();
    let settled = until(PATIENCE, || saved().contains(&format!("\"safe\":{length},")));
    assert!(settled, "{}\n{}", saved(), agent.log().join("\n"));
    agent.kill();
}

/// Each document as its fields below the application's own, or its message, in the order of the Files
/// and the places in them.
fn told(receiver: &Receiver) -> Vec<String> {
    let stored = receiver.documents();
    let mut documents: Vec<_> = stored.into_iter().map(|it| (it.id, it.document)).collect();
    // An id begins with the File and the place in it.
    const BASE_64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = |id: &str| id.chars().map(|digit| BASE_64.find(digit)).collect::<Vec<_>>();
    documents.sort_by_key(|(id, _)| place(id));
    let show = |document: &Value| {
        assert_eq!(document.pointer("/log/flags"), None, "{document}");
        match document.get("message") {
            Some(message) => message.as_str().expect("text").to_owned(),
            None => {
                let own = ["app", "source", "http"].iter().filter_map(|name| document.get(*name));
                own.map(Value::to_string).collect::<Vec<_>>().join(" ")
            }
        }
    };
    documents.iter().map(|(_, document)| show(document)).collect()
}

/// Appends the parts one after the other, with the agent killed between them.
fn shipped(source: &str, parts: &[(&str, u64)], killed: bool) -> Vec<String> {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = config(&place, &receiver, source);
    let mut agent = Agent::start(&config, &[]);
    let mut count = 0;
    for (part, records) in parts {
        place.append("app.log", part);
        count += records;
        settle(&agent, &receiver, count);
        if killed {
            kill(agent, &place);
            agent = Agent::start(&config, &[]);
        }
    }
    agent.terminate();
    told(&receiver)
}

fn the_same_when_killed(source: &str, parts: &[(&str, u64)]) -> Vec<String> {
    let whole = shipped(source, parts, false);
    assert_eq!(shipped(source, parts, true), whole);
    whole
}

#[test]
fn a_restart_below_a_csv_header_knows_the_columns() {
    let parts = [("id,kind\n1,a\n", 2), ("2,\"b\nc\"\n", 1), ("3,d\n4,e\n", 2)];
    let told = the_same_when_killed("parser: csv", &parts);
    assert!(told[0] == "id,kind" && told[2].contains(r#""kind":"b\nc""#), "{told:?}");
    assert!(told[4].contains(r#""id":"4""#) && told[4].contains(r#""kind":"e""#), "{told:?}");
}

/// Under `auto` nothing but the checkpoint says that there is a header, and which one.
#[test]
fn a_restart_below_a_changed_directive_knows_the_columns() {
    let parts = [
        ("#Version: 1.0\n#Fields: date time x-a\n2026-11-22 10:00:00 one\n", 3),
        ("#Fields: date time x-b x-c\n2026-11-22 10:00:01 two three\n", 2),
        ("2026-11-22 10:00:02 four five\n", 1),
    ];
    for parser in ["w3c", "auto"] {
        let told = the_same_when_killed(&format!("parser: {parser}"), &parts);
        assert!(told[2].contains(r#""x-a":"one""#), "{told:?}");
        assert!(
            told[5].contains(r#""x-b":"four""#) && told[5].contains(r#""x-c":"five""#),
            "{told:?}"
        );
    }
}

#[test]
fn each_file_has_a_header_of_its_own() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = config(&place, &receiver, "parser: csv");
    let agent = Agent::start(&config, &[]);
    place.append("app.log", "a,b\n1,2\n");
    settle(&agent, &receiver, 2);
    kill(agent, &place);
    place.append("app.log", "3,4\n");
    fs::rename(place.log("app.log"), place.log("app.log.1")).expect("renamed");
    place.append("app.log", "c,d\n5,6\n");
    let agent = Agent::start(&config, &[]);
    settle(&agent, &receiver, 5);
    // The rest of the one before, while the next is read.
    place.append("app.log.1", "7,8\n");
    settle(&agent, &receiver, 6);
    place.append("app.log", "9,10\n");
    settle(&agent, &receiver, 7);
    agent.assert_at_rest();
    agent.terminate();
    let told = told(&receiver);
    let has = |at: usize, text: &str| assert!(told[at].contains(text), "{told:?}");
    assert!(told[0] == "a,b" && told[4] == "c,d", "{told:?}");
    has(2, r#""a":"3""#);
    has(3, r#""a":"7","b":"8""#);
    has(5, r#""c":"5""#);
    has(6, r#""c":"9""#);
}

/// What is made of `below`, in a file that begins at the end of `above`; and the agent's own log.
fn below(source: &str, above: &str, below: &str) -> (Vec<Value>, String) {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = config(&place, &receiver, &format!("{source}, start_at: end"));
    place.append("app.log", above);
    let agent = Agent::start(&config, &[]);
    place.append("app.log", below);
    settle(&agent, &receiver, below.lines().count() as u64);
    let (_, log) = agent.terminate();
    (receiver.documents().into_iter().map(|stored| stored.document).collect(), log.join("\n"))
}

#[test]
fn a_file_that_begins_at_its_end_is_read_by_the_header_above() {
    let long = format!("{}a,b\n1,2\n", "# what is in it\n".repeat(1_000));
    let row = "2026-11-22 10:00:00 one\n";
    let two = format!("#Version: 1.0\n#Fields: date time x-a\n{row}#Fields: date time x-b\n{row}");
    for (parser, above, line, field) in [
        ("csv", "a,b\n1,2\n", "3,4\n", "/app/a"),
        ("commented", &long, "3,4\n", "/app/a"),
        ("inside", "a,b\n1,2\n", "3,4\n", "/app/a"),
        ("w3c", &two, row, "/app/x-b"),
        ("auto", &two, row, "/app/x-b"),
    ] {
        let (stored, log) = below(&format!("parser: {parser}"), above, line);
        assert!(stored[0].pointer(field).is_some(), "{parser}: {stored:?}\n{log}");
        assert!(!log.contains("no header"), "{parser}: {log}");
    }
}

/// Else all later records would have its values as names.
#[test]
fn a_line_of_values_does_not_become_the_header() {
    for above in [
        // Further down than is looked.
        format!("{}a,b\n", "# what is in it\n".repeat(10_000)),
        "a \"b\",\"c\" d\n1,2\n".to_owned(),
    ] {
        let (stored, log) = below("parser: commented", &above, "3,4\n5,6\n");
        for document in &stored {
            let whole = document["message"].as_str().is_some_and(|text| text.contains(','));
            assert!(whole && document.get("app").is_none(), "{document}");
        }
        assert_eq!(log.matches("no header was found").count(), 1, "{log}");
    }
}

#[test]
fn a_source_that_has_no_header_any_more_misses_none() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = Agent::start(&config(&place, &receiver, "parser: csv"), &[]);
    place.append("app.log", "a,b\n1,2\n");
    settle(&agent, &receiver, 2);
    kill(agent, &place);
    let agent = Agent::start(&config(&place, &receiver, "parser: json"), &[]);
    place.append("app.log", "{\"n\":1}\n");
    settle(&agent, &receiver, 3);
    let (_, log) = agent.terminate();
    assert!(!log.concat().contains("no header"), "{}", log.join("\n"));
}

/// A writer may hold on to a file while two others take its name.
#[test]
fn three_files_of_a_path_have_their_headers_at_a_time() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = Agent::start(&config(&place, &receiver, "parser: csv"), &[]);
    for (number, header) in ["a,b", "c,d", "e,f"].into_iter().enumerate() {
        if number > 0 {
            fs::rename(place.log("app.log"), place.log(&format!("app.log.{number}")))
                .expect("renamed");
        }
        place.append("app.log", format!("{header}\n1,2\n"));
        settle(&agent, &receiver, 2 * (number as u64 + 1));
    }
    place.append("app.log.1", "3,4\n");
    settle(&agent, &receiver, 7);
    agent.terminate();
    let told = told(&receiver);
    assert!(told[2].contains(r#""a":"3","b":"4""#), "{told:?}");
}
