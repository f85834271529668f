//! The configuration changes while the agent runs: what is shown, what goes on, what is refused.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver};
use rustix::process::Signal;

use super::super::handles::metric;
use super::{Busy, assert_exact, lines, lines_of, terminate};
use crate::harness::{Agent, PATIENCE, Place, command, field, judge, seq, until};
use crate::oracle::Arrived;
use crate::seen::get;

/// One destination, as `name: url`.
pub(super) fn to(name: &str, url: &str) -> String {
    format!(
        "  {name}:\n    elasticsearch: {{url: '{url}', index: logs-test-default}}\n    \
         batch: {{linger: 50ms}}\n"
    )
}

/// A configuration of these sources and destinations.
pub(super) fn yaml(sources: &str, destinations: &str) -> String {
    format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nsources:\n{sources}destinations:\n{destinations}"
    )
}

pub(super) const APP: &str = "  app: {files: ['{logs}/*.log']}\n";

/// Waits until this generation runs. What it shows then at `/config`.
pub(super) fn wait_for_generation(agent: &Agent, generation: u64) -> serde_json::Value {
    let admin = agent.logged("admin").expect("the agent says where");
    let mut shown = serde_json::Value::Null;
    let runs = until(PATIENCE, || {
        shown = serde_json::from_str(&get(&admin, "/config").1).expect("JSON");
        shown["generation"] == generation
    });
    assert!(runs, "{shown}\n{}", agent.log().join("\n"));
    shown
}

/// Records that a destination has told to be stored. What a request that was given up has stored is a
/// duplicate for the next.
pub(super) fn stored(agent: &Agent, destination: &str) -> f64 {
    let outcome = |it: &str| {
        let labels = format!("{{destination=\"{destination}\",outcome=\"{it}\"}}");
        metric(agent, &format!("pillion_records_total{labels}"))
    };
    outcome("delivered") + outcome("duplicate")
}

#[test]
fn s48_reloads_under_backlog_lose_and_repeat_nothing() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = |linger: u64| {
        let destination = to("search", &receiver.url());
        let destination = destination.replace("50ms", &format!("{linger}ms, bytes: 64KiB"));
        place.configure(&yaml(APP, &destination))
    };
    let backlog = 60_000;
    // So that some of it is left at the last reload.
    receiver.faults().set(Fault::Slow(Duration::from_millis(400)));
    place.append("old.log", lines_of(1, 0..backlog));
    let agent = Agent::start(&config(50), &[]);
    let writer = Busy::start(&place, Duration::from_millis(10));
    let admin = agent.logged("admin").expect("the agent says where");
    let done = Arc::new(AtomicBool::new(false));
    let probed = std::thread::spawn({
        let (admin, done) = (admin.clone(), Arc::clone(&done));
        move || while_ready(&admin, &done)
    });
    for generation in 2..=6 {
        let stored = receiver.requests().stored;
        assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > stored));
        config(50 + generation);
        agent.signal(Signal::HUP);
        wait_for_generation(&agent, generation);
        assert!(!Arrived::at(&receiver).has(1, 0..backlog), "{generation}: no backlog is left");
    }
    receiver.faults().clear();
    let written = writer.stop();
    let all = written + backlog;
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= all));
    agent.assert_at_rest();
    done.store(true, Ordering::Relaxed);
    probed.join().expect("no panic");
    assert_eq!(metric(&agent, "pillion_config_generation"), 6.0);
    let stored = || stored(&agent, "search");
    assert!(until(PATIENCE, || stored() >= all as f64), "counters go on: {} of {all}", stored());
    terminate(agent);
    assert_exact(&receiver, [(0, written), (1, backlog)]);
}

/// Asks until it is done; fails when the agent was ever not ready.
fn while_ready(admin: &str, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let (status, said) = get(admin, "/readyz");
        assert_eq!(status, 200, "{said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn s48_a_bad_configuration_leaves_the_old_one_running() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let good = yaml(APP, &to("search", &receiver.url()));
    let agent = Agent::start(&place.configure(&good), &[]);
    let admin = agent.logged("admin").expect("the agent says where");
    assert_eq!(metric(&agent, "pillion_config_last_reload_successful"), 1.0);
    let since = metric(&agent, "pillion_config_last_reload_success_timestamp_seconds");

    // Nobody sends a signal: that it has changed is seen.
    place.configure(&good.replace("sources", "secret_sorces"));
    agent.wait_for_log("the configuration was not loaded");
    assert_eq!(metric(&agent, "pillion_config_last_reload_successful"), 0.0);
    let shown = wait_for_generation(&agent, 1);
    let error = shown["error"].as_str().expect("shown").to_owned();
    assert!(error.contains("pillion.yaml:3:1") && !error.contains("secret_sorces"), "{error}");
    place.append("app.log", lines(0..100));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 100));

    // What can only be refused once it is tried, and what cannot change.
    for (from, to, why) in [
        ("admin: 127.0.0.1:0", "admin: 192.0.2.1:1", "cannot listen on 192.0.2.1:1"),
        ("state: {state}", "state: {state}-2", "the state directory is not the one in use"),
    ] {
        place.configure(&good.replace(from, to));
        agent.signal(Signal::HUP);
        agent.wait_for_log(why);
    }
    assert!(!place.dir.path().join("state-2").exists());
    assert_eq!(get(&admin, "/readyz").0, 200);
    place.append("app.log", lines(100..200));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 200));

    place.configure(&(good + "schema: ecs\n"));
    let shown = wait_for_generation(&agent, 2);
    assert!(shown["error"].is_null() && shown["refused_at"].is_null(), "{shown}");
    assert_eq!(metric(&agent, "pillion_config_last_reload_successful"), 1.0);
    assert!(metric(&agent, "pillion_config_last_reload_success_timestamp_seconds") > since);
    agent.assert_at_rest();
    terminate(agent);
    assert_exact(&receiver, [(0, 200)]);
}

/// As a kubelet does it: the files lie in a directory of their own, which a link is swapped to.
#[test]
fn s48_a_config_map_that_is_swapped_is_loaded() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let map = place.dir.path().join("config");
    let publish = |version: &str, text: &str| {
        let written = place.configure(text);
        fs::create_dir_all(map.join(version)).expect("made");
        fs::rename(written, map.join(version).join("pillion.yaml")).expect("moved");
        symlink(version, map.join("..data_tmp")).expect("linked");
        fs::rename(map.join("..data_tmp"), map.join("..data")).expect("swapped");
    };
    let destination = to("search", &receiver.url());
    publish("..1", &yaml(APP, &destination));
    symlink("..data/pillion.yaml", map.join("pillion.yaml")).expect("linked");
    let agent = Agent::start(&map.join("pillion.yaml"), &[]);
    place.append("app.log", lines(0..10));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 10));
    let app = "  app: {files: ['{logs}/*.log'], fields: {env: green}}\n";
    publish("..2", &yaml(app, &destination));
    fs::remove_dir_all(map.join("..1")).expect("removed");
    let shown = wait_for_generation(&agent, 2);
    assert!(Path::new(shown["file"].as_str().expect("a path")).ends_with("config/pillion.yaml"));
    place.append("app.log", lines(10..20));
    terminate(agent);
    assert_exact(&receiver, [(0, 20)]);
    let green = |seq: u64| receiver_has(&receiver, seq, "env");
    assert!(!green(9) && green(10));
}

/// As when a ConfigMap is deleted, or a directory is swapped in two steps.
#[test]
fn s48_a_configuration_file_that_is_gone_is_refused_until_it_is_back() {
    let place = Place::new();
    let good = yaml(APP, &to("search", "http://127.0.0.1:9"));
    let path = place.configure(&good);
    let agent = Agent::start(&path, &[]);
    fs::remove_file(&path).expect("removed");
    agent.wait_for_log("the configuration was not loaded");
    assert_eq!(metric(&agent, "pillion_config_last_reload_successful"), 0.0);
    let error = wait_for_generation(&agent, 1)["error"].clone();
    assert!(error.as_str().is_some_and(|why| why.contains("pillion.yaml")), "{error}");
    place.configure(&good);
    wait_for_generation(&agent, 2);
    assert_eq!(metric(&agent, "pillion_config_last_reload_successful"), 1.0);
    agent.assert_at_rest();
}

fn receiver_has(receiver: &Receiver, number: u64, text: &str) -> bool {
    let documents = receiver.documents();
    let stored = documents.iter().find(|stored| seq(stored) == Some(number)).expect("stored");
    stored.document.to_string().contains(text)
}

#[test]
fn s48_a_parser_that_is_changed_reads_what_comes_from_then_on() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = |parser: &str| {
        let app = format!("  app: {{files: ['{{logs}}/*.log'], parser: {parser}}}\n");
        place.configure(&yaml(&app, &to("search", &receiver.url())))
    };
    let json = |range: std::ops::Range<u64>| {
        range.fold(String::new(), |mut text, n| {
            writeln!(text, "{{\"message\":\"json seq={n}\",\"n\":{n}}}").expect("fits");
            text
        })
    };
    let agent = Agent::start(&config("plain"), &[]);
    place.append("app.log", json(0..100));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 100));
    config("json");
    wait_for_generation(&agent, 2);
    place.append("app.log", json(100..200));
    terminate(agent);
    let documents = receiver.documents();
    assert_eq!(judge(0..200, documents.iter().filter_map(seq)), Default::default());
    for stored in &documents {
        let parsed = field(stored, "message").as_str().expect("text").starts_with("json");
        assert_eq!(parsed, seq(stored) >= Some(100), "{}", stored.document);
    }
}

#[test]
fn the_admin_server_moves_with_the_configuration() {
    let place = Place::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let config = |admin: &str| {
        let yaml = yaml(APP, &to("search", "http://127.0.0.1:9"));
        place.configure(&yaml.replace("127.0.0.1:0", admin))
    };
    let local = format!("127.0.0.1:{port}");
    let agent = Agent::start(&config(&local), &[]);
    // Both at once cannot be had.
    for (generation, admin) in [(2, format!("0.0.0.0:{port}")), (3, local)] {
        config(&admin);
        agent.signal(Signal::HUP);
        agent.wait_for_log(&format!("generation={generation}"));
        assert_eq!(get(&format!("127.0.0.1:{port}"), "/readyz").0, 200);
    }
    config("off");
    agent.signal(Signal::HUP);
    agent.wait_for_log("generation=4");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn without_a_file_there_is_nothing_to_load_anew() {
    let place = Place::new();
    let mut child = command()
        .args(["run", "--to", "elasticsearch=http://127.0.0.1:9", "--admin", "off", "--files"])
        .arg(place.logs().join("*.log"))
        .arg("--state")
        .arg(place.state())
        .stderr(fs::File::create(place.dir.path().join("log")).expect("made"))
        .spawn()
        .expect("runs");
    let said = |text: &str| {
        let log = || fs::read_to_string(place.dir.path().join("log")).expect("readable");
        assert!(until(PATIENCE, || log().contains(text)), "{}", log());
    };
    said("watching");
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("not 0"), Signal::HUP).expect("there");
    said("there is no configuration file");
    assert!(child.try_wait().expect("waits").is_none(), "it goes on");
    child.kill().expect("killable");
    child.wait().expect("waits");
}
