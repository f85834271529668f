//! What is remembered over a restart besides an offset: what comes out is the same as without one.

use pillion::receiver::{Options, Receiver};
use serde_json::Value;

use super::super::harness::{Agent, PATIENCE, Place, until};
use super::framing::config;

/// How the agent ends between the two parts of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Not,
    Drained,
    Killed,
}

/// The documents of a log that is written in two parts, of so many records each, in order, without what
/// differs from run to run.
fn shipped(source: &str, parts: [(&str, usize); 2], end: End, timed: bool) -> Vec<Value> {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = config(&place, &receiver, source);
    let mut agent = Agent::start(&config, &[]);
    let mut count = 0;
    for (number, (part, records)) in parts.into_iter().enumerate() {
        place.append("app.log", part);
        count += records as u64;
        let all = receiver.wait_for(PATIENCE, |it| it.stored >= count);
        assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
        if number > 0 {
            continue;
        }
        let settled = until(PATIENCE, || agent.metrics()["pillion_lag_bytes"] == 0.0);
        assert!(settled, "{}", agent.log().join("\n"));
        match end {
            End::Not => continue,
            End::Drained => drop(agent.terminate()),
            End::Killed => agent.kill(),
        }
        agent = Agent::start(&config, &[]);
    }
    agent.assert_at_rest();
    agent.terminate();
    let mut documents: Vec<_> = receiver.documents().into_iter().map(|it| it.document).collect();
    documents.sort_by_key(|document| document.pointer("/log/offset").and_then(Value::as_u64));
    for document in &mut documents {
        document["log"]["file"] = Value::Null;
        if !timed {
            document["@timestamp"] = Value::Null;
        }
    }
    documents
}

fn changes_nothing(source: &str, parts: [&str; 2], timed: bool) -> Vec<Value> {
    let parts = parts.map(|part| (part, part.lines().count()));
    let whole = shipped(source, parts, End::Not, timed);
    for end in [End::Drained, End::Killed] {
        assert_eq!(shipped(source, parts, end, timed), whole, "{end:?}");
    }
    whole
}

#[test]
fn a_restart_inside_a_private_key_leaves_it_redacted() {
    let base64 = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF0qWiaXoDkqJz0C8ybWWtFyEqzYz\n".repeat(4);
    let first = format!("before\n-----BEGIN RSA PRIVATE KEY-----\n{base64}");
    let second = format!("{base64}-----END RSA PRIVATE KEY-----\nafter\n");
    let documents = changes_nothing("parser: plain", [&first, &second], false);
    let all = serde_json::to_string(&documents).expect("JSON");
    assert!(!all.contains("MIIEpAIBAAKCAQEA") && all.contains("after"), "{all}");
}

/// Below JSON, text is unparsed; where nothing was chosen, it would be a plain message.
#[test]
fn a_restart_after_auto_chose_a_parser_goes_on_with_it() {
    let first: String = (0..40)
        .map(|n| format!("{{\"level\":\"info\",\"msg\":\"line {n}\",\"n\":{n}}}\n"))
        .collect();
    let second = "no JSON at all\n{\"level\":\"warn\",\"msg\":\"last\"}\n";
    let documents = changes_nothing("parser: auto", [&first, second], false);
    let flags = documents[40].pointer("/log/flags");
    assert_eq!(flags, Some(&serde_json::json!(["unparsed"])), "{}", documents[40]);
}

/// RFC 3164 names no year: the old one for the last day's lines, the new one for the first's, whether
/// or not the agent was restarted at midnight.
#[test]
fn a_restart_over_new_years_eve_keeps_the_years_apart() {
    let line = |time: &str, text: &str| format!("<34>{time} host app[1]: {text}\n");
    let first = line("Dec 31 23:59:58", "old") + &line("Dec 31 23:59:59", "still old");
    let second = line("Jan  1 00:00:00", "new") + &line("Jan  1 00:00:01", "newer");
    let documents = changes_nothing("parser: syslog_rfc3164", [&first, &second], true);
    let years: Vec<i64> = documents
        .iter()
        .map(|it| it["@timestamp"].as_str().expect("a time")[..4].parse().expect("a year"))
        .collect();
    assert_eq!([years[0], years[2]], [years[1], years[3]]);
    assert_eq!(years[0] + 1, years[2]);
}

/// The joiner is that of the format that was found: a restart, after which the bytes are read on from
/// their middle, knows it.
#[test]
fn a_restart_after_auto_found_a_format_joins_its_lines_as_before() {
    let first = "2026-11-22 10:00:00.123 UTC [17] LOG:  ready\n\
                 2026-11-22 10:00:01.123 UTC [17] STATEMENT:  select *\n\tfrom x\n\twhere 1=1;\n";
    let second = "2026-11-22 10:00:02.123 UTC [17] STATEMENT:  select *\n\tfrom y\n\t\n\twhere 2=2;\n\
                  2026-11-22 10:00:03.123 UTC [17] LOG:  done\n";
    let parts = [(first, 2), (second, 2)];
    let whole = shipped("parser: auto", parts, End::Not, true);
    assert_eq!(whole.len(), 4, "{whole:#?}");
    for (document, table) in [(&whole[1], "from x"), (&whole[2], "from y")] {
        let message = document["message"].as_str().expect("a message");
        assert!(message.contains(table) && message.contains("where"), "{document}");
        assert_eq!(document.pointer("/log/flags"), None, "{document}");
    }
    for end in [End::Drained, End::Killed] {
        assert_eq!(shipped("parser: auto", parts, end, true), whole, "{end:?}");
    }
}
