//! Steps, end to end: what they drop is counted and settled, what they sample is the same after a
//! restart, what they change arrives changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pillion::receiver::{Options, Receiver};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Agent, PATIENCE, Place, command, field, seq, until};

/// A configuration for one destination, with these steps.
fn configure(place: &Place, receiver: &Receiver, steps: &str) -> std::path::PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log']}}}}\nsteps:\n{steps}\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n    batch: {{linger: 50ms}}\n",
        receiver.url()
    ))
}

fn recorded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded").join(name);
    fs::read_to_string(path).expect("recorded")
}

fn value(metrics: &BTreeMap<String, f64>, name: &str) -> f64 {
    metrics.get(name).copied().unwrap_or_else(|| panic!("no {name} in {metrics:?}"))
}

#[test]
fn what_steps_drop_is_counted_and_conserved() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let steps = "  - {name: quiet, drop: 'status == 200'}\n  \
                 - remove: [referrer]\n  \
                 - add: {request: '{method} {target}'}\n  \
                 - keep: 'has(client_ip)'\n";
    let agent = Agent::start(&configure(&place, &receiver, steps), &[]);
    let log = recorded("nginx/access.log");
    let fine = log.lines().filter(|line| line.contains("\" 200 ")).count();
    let all = log.lines().count();
    assert!(fine > 3 && all > fine + 3, "{fine} of {all}");
    place.append("access.log", &log);
    // A line that is no access log has no client.
    place.append("access.log", "no access\n");
    let settled = "pillion_dropped_records_total{destination=\"search\",reason=\"rule\"}";
    let dropped = fine as f64 + 1.0;
    let done = until(PATIENCE, || {
        let metrics = agent.metrics();
        metrics.get(settled) == Some(&dropped) && receiver.requests().stored == (all - fine) as u64
    });
    let metrics = agent.metrics();
    assert!(done, "{metrics:?}\n{}", agent.log().join("\n"));
    let by_step = |step: &str| {
        value(&metrics, &format!("pillion_step_dropped_records_total{{step=\"{step}\"}}"))
    };
    assert_eq!((by_step("quiet"), by_step("keep-4")), (fine as f64, 1.0));
    // Those that change records drop none, and are not listed.
    assert!(!metrics.contains_key("pillion_step_dropped_records_total{step=\"remove-2\"}"));
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    for stored in receiver.documents() {
        assert_ne!(field(&stored, "http.response.status_code"), 200);
        assert!(field(&stored, "app.request").as_str().is_some_and(|it| it.contains(' ')));
        assert!(stored.document["http"]["request"].get("referrer").is_none());
    }
}

/// The numbers after `n=` at a receiver.
fn numbers(receiver: &Receiver) -> BTreeSet<u64> {
    receiver.documents().iter().filter_map(|it| field(it, "app.n").as_u64()).collect()
}

#[test]
fn a_record_that_is_read_again_meets_the_same_fate() {
    const LINES: u64 = 4_000;
    let place = Place::new();
    let up = Receiver::start(Options::default()).expect("receiver");
    let mut down = Receiver::start(Options::default()).expect("receiver");
    let destination = |name: &str, url: &str| {
        format!(
            "  {name}:\n    elasticsearch: {{url: '{url}', index: logs-test-default}}\n    \
             batch: {{linger: 50ms}}\n"
        )
    };
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], steps: [sample: {{one_in: 4}}]}}}}\n\
         destinations:\n{}{}",
        destination("up", &up.url()),
        destination("down", &down.url())
    ));
    down.stop();
    let lines: String = (0..LINES).map(|n| format!("{{\"n\":{n},\"message\":\"m\"}}\n")).collect();
    place.append("app.log", lines);
    let agent = Agent::start(&config, &["--grace", "1s"]);
    let settled = |agent: &Agent, destination: &str| {
        let metrics = agent.metrics();
        let outcome = |it: &str| {
            value(
                &metrics,
                &format!("pillion_records_total{{destination=\"{destination}\",outcome=\"{it}\"}}"),
            )
        };
        let all = outcome("delivered") + outcome("dropped");
        all == LINES as f64 && outcome("delivered") > 0.0
    };
    assert!(until(PATIENCE, || settled(&agent, "up")), "{:?}", agent.metrics());
    agent.kill();
    let first = numbers(&up);
    assert!((800..1200).contains(&first.len()), "{} of {LINES}", first.len());
    down.restart().expect("its port is free");
    let agent = Agent::start(&config, &[]);
    assert!(until(PATIENCE, || settled(&agent, "down")), "{:?}", agent.metrics());
    assert!(agent.terminate().0.success());
    assert_eq!(numbers(&down), first);
    assert_eq!(numbers(&up), first);
}

#[test]
fn a_throttle_tells_keys_apart_and_never_shows_them() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let steps = "  - throttle: {key: '{client}', rate: 5/h}\n";
    let agent = Agent::start(&configure(&place, &receiver, steps), &[]);
    let line = |n: usize| format!("{{\"client\":\"client-{}\",\"message\":\"m\"}}\n", n % 3);
    place.append("app.log", (0..300).map(line).collect::<String>());
    let dropped = "pillion_step_dropped_records_total{step=\"throttle-1\"}";
    let counted = until(PATIENCE, || agent.metrics().get(dropped) == Some(&285.0));
    assert!(counted && receiver.wait_for(PATIENCE, |requests| requests.stored == 15));
    let metrics = agent.metrics();
    assert!(metrics.keys().all(|name| !name.contains("client-")), "{metrics:?}");
    let (status, log) = agent.terminate();
    assert!(status.success() && !log.concat().contains("client-"), "{}", log.join("\n"));
    let mut clients = BTreeMap::new();
    for stored in receiver.documents() {
        *clients.entry(field(&stored, "app.client").to_string()).or_insert(0) += 1;
    }
    assert_eq!(clients.into_values().collect::<Vec<_>>(), [5, 5, 5]);
}

#[test]
fn the_pod_is_in_every_record_and_its_labels_may_change() {
    let place = Place::new();
    let elastic = Receiver::start(Options::default()).expect("receiver");
    let loki = Receiver::start(Options::default()).expect("receiver");
    let volume = place.dir.path().join("podinfo");
    fs::create_dir(&volume).expect("made");
    let label = |value: &str| {
        let text = format!("app.kubernetes.io/name=\"{value}\"\nowner=\"ann@example.com\"\n");
        fs::write(volume.join("labels"), text).expect("written");
    };
    label("shop");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nenrich: {{kubernetes: {{volume: '{}'}}}}\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n    batch: {{linger: 50ms}}\n  \
         grafana:\n    loki: {{url: '{}', labels: {{app: shop, pod: '{{kubernetes.pod.name}}'}}}}\n    \
         batch: {{linger: 50ms}}\n",
        volume.display(),
        elastic.url(),
        loki.url()
    ));
    let mut by = command();
    by.env("POD_NAME", "shop-1").env("POD_NAMESPACE", "prod").env("NODE_NAME", "node-7");
    let agent = Agent::spawn_by(by, &config, &[]);
    agent.wait_for_log("watching");
    place.append("app.log", "seq=0\n");
    for receiver in [&elastic, &loki] {
        assert!(receiver.wait_for(PATIENCE, |requests| requests.stored == 1));
    }
    label("store");
    agent.wait_for_log("loading the configuration anew");
    agent.wait_for_log("configuration loaded");
    place.append("app.log", "seq=1\n");
    for receiver in [&elastic, &loki] {
        assert!(receiver.wait_for(PATIENCE, |requests| requests.stored == 2));
    }
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let mut names = BTreeSet::new();
    for stored in elastic.documents() {
        let fixed = |name: &str| stored.document[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(fixed("kubernetes.pod.name"), "shop-1");
        assert_eq!(fixed("kubernetes.namespace"), "prod");
        assert_eq!(fixed("kubernetes.node.name"), "node-7");
        assert_eq!(fixed("kubernetes.labels.owner"), "[EMAIL]");
        names.insert(fixed("kubernetes.labels.app_kubernetes_io/name"));
    }
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["shop", "store"]);
    for entry in loki.entries() {
        let shown = format!("{entry:?}");
        assert!(
            shown.contains("(\"pod\", \"shop-1\")") || shown.contains("\"pod\": \"shop-1\""),
            "{shown}"
        );
        assert!(shown.contains("kubernetes_node_name") && shown.contains("node-7"), "{shown}");
        // Said once: by the label.
        assert!(!shown.contains("kubernetes_pod_name"), "{shown}");
    }
}

/// Runs an agent whose standard error goes into a file among its logs. What arrived besides the
/// application's lines.
fn own_lines(include: bool) -> (usize, String) {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain, include_own_log: {include}}}}}\n\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n    batch: {{linger: 50ms}}\n",
        receiver.url()
    ));
    let own = place.log("pillion.log");
    let file = fs::File::create(&own).expect("created");
    let mut child = command()
        .args(["run", "--config"])
        .arg(&config)
        .stdout(std::process::Stdio::null())
        .stderr(file)
        .spawn()
        .expect("the binary starts");
    place.append("app.log", "seq=0\nseq=1\n");
    let arrived = |more: u64| receiver.wait_for(PATIENCE, |requests| requests.stored >= 2 + more);
    assert!(arrived(u64::from(include)), "{}", fs::read_to_string(&own).expect("its log"));
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("small")).expect("not 0");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert!(child.wait().expect("waits").success());
    let ours = |it: &&pillion::receiver::Stored| seq(it).is_some();
    let others = receiver.documents().len() - receiver.documents().iter().filter(ours).count();
    (others, fs::read_to_string(own).expect("its log"))
}

/// As under a supervisor that gathers all output in one file.
#[test]
fn what_somebody_else_writes_into_its_log_is_shipped() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\nsources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: logs-test-default}}\n    batch: {{linger: 50ms}}\n",
        receiver.url()
    ));
    place.append("all.log", "seq=0\n");
    let own = place.log("all.log");
    let file = fs::OpenOptions::new().append(true).open(&own).expect("opened");
    let mut by = command();
    by.args(["run", "--config"]).arg(&config).stdout(std::process::Stdio::null()).stderr(file);
    let mut child = by.spawn().expect("the binary starts");
    let said = || fs::read_to_string(&own).expect("its log");
    let left = until(PATIENCE, || said().contains("the agent's own log goes there"));
    assert!(left && said().contains("WARN"), "{}", said());
    place.append("all.log", "seq=1\n");
    let ours = || receiver.documents().iter().filter(|it| seq(it).is_some()).count();
    assert!(until(PATIENCE, || ours() == 2), "{}", said());
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("small")).expect("not 0");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert!(child.wait().expect("waits").success());
}

#[test]
fn its_own_log_is_left_alone_unless_asked_for() {
    let (others, log) = own_lines(false);
    assert_eq!(others, 0, "{log}");
    assert_eq!(log.matches("the agent's own log goes there").count(), 1, "{log}");
    let (others, log) = own_lines(true);
    assert!(others > 0 && !log.contains("own log goes there"), "{log}");
}
