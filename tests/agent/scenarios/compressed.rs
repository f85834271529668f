//! Files that are compressed while, or after, they are read.
//!
//! The oracle knows each line by its generation of the file and its number, and where it begins: what
//! arrives must be the same lines at the same offsets, each once, whichever file they were read from.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver};

use crate::harness::{Agent, PATIENCE, Place, field, until};

/// Lines of one part of a test.
const LINES: usize = 1000;

/// The application: writes `app.log`, and has it rotated as logrotate would.
struct App {
    place: Place,
    receiver: Receiver,
    generation: u32,
    offset: u64,
    /// Each line, and where it begins.
    written: Vec<(String, u64)>,
    /// More of the configuration: of the whole, and of the destination.
    more: [&'static str; 2],
}

impl App {
    fn new() -> Self {
        let (place, receiver) = (Place::new(), Receiver::start(Options::default()));
        let receiver = receiver.expect("receiver");
        Self { place, receiver, generation: 0, offset: 0, written: Vec::new(), more: ["", ""] }
    }

    /// Has the next agents read a few thousand lines at most before some are settled.
    fn little_memory(&mut self) {
        self.more = ["memory: 2MiB\n", ", bytes: 64KiB"];
    }

    /// Starts an agent that is told of these files, below the logs directory.
    fn agent(&self, files: &[&str], exclude: &[&str]) -> Agent {
        let globs = |names: &[&str]| {
            let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
            quoted.join(", ")
        };
        let files: Vec<String> = files.iter().map(|name| format!("{{logs}}/{name}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let config = self.place.configure(&format!(
            "state: {{state}}\nadmin: 127.0.0.1:0\n{}\
             sources: {{app: {{files: [{}], exclude: [{}], parser: plain, max_record: 16KiB}}}}\n\
             destinations:\n  search:\n    elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
             batch: {{linger: 50ms{}}}\n",
            self.more[0],
            globs(&files),
            globs(exclude),
            self.receiver.url(),
            self.more[1],
        ));
        Agent::start(&config, &["--grace", "60s"])
    }

    fn write(&mut self, count: usize) {
        let path = self.place.log("app.log");
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opens");
        let mut text = String::new();
        for _ in 0..count {
            let seq = self.written.len();
            let line = format!("generation={} seq={seq} {}", self.generation, "x".repeat(seq % 90));
            text.push_str(&line);
            text.push('\n');
            let len = line.len() as u64 + 1;
            self.written.push((line, self.offset));
            self.offset += len;
        }
        file.write_all(text.as_bytes()).expect("writes");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.place.log(from), self.place.log(to)).expect("renamed");
    }

    fn begin_generation(&mut self) {
        self.generation += 1;
        self.offset = 0;
    }

    /// What logrotate does with `delaycompress`: `app.log.1` stays as it is until the next rotation.
    fn rotate(&mut self) {
        for n in (2..9).rev() {
            let from = format!("app.log.{n}.gz");
            if self.place.log(&from).exists() {
                self.rename(&from, &format!("app.log.{}.gz", n + 1));
            }
        }
        if self.place.log("app.log.1").exists() {
            self.rename("app.log.1", "app.log.2");
            gzip(&self.place.log("app.log.2"));
        }
        self.rename("app.log", "app.log.1");
        self.begin_generation();
    }

    fn wait_for_all(&self, agent: &Agent) {
        let all = self.written.len() as u64;
        let came = self.receiver.wait_for(PATIENCE, |requests| requests.stored >= all);
        assert!(came, "{:?}\n{}", self.receiver.requests(), agent.log().join("\n"));
    }

    /// Waits until so many finished Files were found compressed: what comes of them has come.
    fn wait_for_known(&self, agent: &Agent, count: usize) {
        let checkpoint = self.place.state().join("checkpoint");
        let known = || {
            let text = fs::read_to_string(&checkpoint).unwrap_or_default();
            let archives = text.matches("\"archive\":").count();
            archives - text.matches("\"archive\":0").count()
        };
        let found = until(PATIENCE, || known() >= count);
        assert!(found, "{} of {count} known\n{}", known(), agent.log().join("\n"));
    }

    /// Each line is stored once, unaltered, at its offset.
    fn verify_stored(&self) {
        let mut expected: BTreeMap<(String, u64), i64> = BTreeMap::new();
        for line in &self.written {
            *expected.entry(line.clone()).or_default() += 1;
        }
        for stored in self.receiver.documents() {
            let message = field(&stored, "message").as_str().expect("text").to_owned();
            let offset = field(&stored, "log.offset").as_u64().expect("a number");
            *expected.entry((message, offset)).or_default() -= 1;
        }
        expected.retain(|_, count| *count != 0);
        let some: Vec<_> = expected.iter().take(5).collect();
        assert!(
            expected.is_empty(),
            "{} lines missing (1) or too many (-1): {some:?}",
            expected.len()
        );
    }

    /// The same, and each was sent once.
    fn verify(&self) {
        self.verify_stored();
        assert_eq!(self.receiver.requests().duplicates, 0);
    }
}

/// Runs the real thing: the compressed file has the original's times, and the original goes.
fn gzip(path: &Path) {
    let status = Command::new("gzip").arg(path).status().expect("gzip is installed");
    assert!(status.success());
}

fn end(agent: Agent) -> Vec<String> {
    agent.assert_at_rest();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    log
}

#[test]
fn s09_compressed_removed_and_created_on_the_same_inode() {
    let mut app = App::new();
    app.write(LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    // While the agent lives.
    app.write(LINES);
    gzip(&app.place.log("app.log"));
    app.begin_generation();
    app.write(LINES);
    app.wait_for_all(&agent);
    end(agent);
    // While it is away. The same inode for certain: the new file is written over the old one, which
    // was compressed under another name.
    app.write(LINES);
    let (log, copy) = (app.place.log("app.log"), app.place.log("app.log.7"));
    fs::copy(&log, &copy).expect("copied");
    gzip(&copy);
    OpenOptions::new().write(true).open(&log).and_then(|file| file.set_len(0)).expect("truncated");
    app.begin_generation();
    app.write(2 * LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    let log = end(agent);
    assert!(!log.join("\n").contains("lost"), "{log:?}");
    app.verify();
}

#[test]
fn s10_three_renames_while_the_agent_is_away() {
    let mut app = App::new();
    app.write(LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    end(agent);
    app.write(LINES);
    app.rename("app.log", "app.log.1");
    for (from, to) in [("app.log.1", "app.log.2"), ("app.log.2", "old-app")] {
        app.rename(from, to);
    }
    app.begin_generation();
    app.write(LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    end(agent);
    app.verify();
}

/// The same with more in the renamed file than the memory holds, and kills while it is read there.
#[test]
fn s10_a_large_file_is_renamed_while_the_agent_is_away_and_the_agent_is_killed_as_it_reads_it() {
    let mut app = App::new();
    app.write(LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    end(agent);
    app.write(40 * LINES);
    app.rename("app.log", "app.log.1");
    app.rename("app.log.1", "old-app");
    app.begin_generation();
    app.write(1);
    // Nothing is taken at first: as much is read as memory holds, and not all of it.
    app.receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    app.little_memory();
    let agent = app.agent(&["app.log"], &[]);
    let paused = || agent.metrics()["pillion_budget_pauses_total"] > 0.0;
    assert!(until(PATIENCE, paused), "{}", agent.log().join("\n"));
    agent.kill();
    app.receiver.faults().clear();
    app.receiver.faults().set(Fault::Slow(Duration::from_millis(20)));
    for round in 1..4 {
        let agent = app.agent(&["app.log"], &[]);
        let some = (LINES * (1 + 5 * round)) as u64;
        assert!(app.receiver.wait_for(PATIENCE, |requests| requests.stored >= some));
        agent.kill();
    }
    assert!(app.receiver.requests().stored < app.written.len() as u64, "too fast for this test");
    app.receiver.faults().clear();
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    let log = end(agent).join("\n");
    assert!(!log.contains("lost"), "{log}");
    app.verify_stored();
}

#[test]
fn s11_the_oldest_is_compressed_while_the_agent_is_away() {
    // The File's rest is shipped from its old offset whatever the compressed file is called, and
    // whether or not such are excluded.
    for (name, exclude) in [("app.log.3", &[][..]), ("old-app", &["*.gz"])] {
        let mut app = App::new();
        app.write(LINES);
        let agent = app.agent(&["app.log"], exclude);
        app.wait_for_all(&agent);
        end(agent);
        app.write(LINES);
        app.rename("app.log", name);
        gzip(&app.place.log(name));
        app.begin_generation();
        app.write(LINES);
        let agent = app.agent(&["app.log"], exclude);
        app.wait_for_all(&agent);
        app.wait_for_known(&agent, 1);
        let log = end(agent).join("\n");
        assert!(!log.contains("lost") && !log.contains("damaged"), "{log}");
        // Nor a second time.
        let agent = app.agent(&["app.log"], exclude);
        app.write(LINES);
        app.wait_for_all(&agent);
        end(agent);
        app.verify();
    }
}

#[test]
fn s11_the_agent_is_killed_while_it_reads_the_compressed_rest() {
    let mut app = App::new();
    app.write(LINES);
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    end(agent);
    app.write(20 * LINES);
    app.rename("app.log", "app.log.1");
    gzip(&app.place.log("app.log.1"));
    app.begin_generation();
    app.write(1);
    app.receiver.faults().set_for(0.5, Fault::Status { status: 503, retry_after: None });
    for round in 1..4 {
        let agent = app.agent(&["app.log"], &[]);
        let some = (LINES * (1 + 4 * round)) as u64;
        assert!(app.receiver.wait_for(PATIENCE, |requests| requests.stored >= some));
        agent.kill();
    }
    app.receiver.faults().clear();
    let agent = app.agent(&["app.log"], &[]);
    app.wait_for_all(&agent);
    app.wait_for_known(&agent, 1);
    end(agent);
    // What was in flight when it was killed was sent again, under the same ids.
    app.verify_stored();
}

#[test]
fn s12_a_compressed_file_that_was_shipped_appears_in_the_glob() {
    let mut app = App::new();
    let files = ["app.log*", "*.gz"];
    app.write(LINES);
    let agent = app.agent(&files, &[]);
    app.wait_for_all(&agent);
    // While the agent lives, and holds the original open.
    app.rename("app.log", "app.log.1");
    gzip(&app.place.log("app.log.1"));
    app.begin_generation();
    app.write(LINES);
    app.wait_for_all(&agent);
    app.wait_for_known(&agent, 1);
    end(agent);
    // While it is away.
    app.rename("app.log.1.gz", "app.log.2.gz");
    app.rename("app.log", "app.log.1");
    gzip(&app.place.log("app.log.1"));
    app.begin_generation();
    app.write(LINES);
    let agent = app.agent(&files, &[]);
    app.wait_for_all(&agent);
    app.wait_for_known(&agent, 2);
    end(agent);
    app.verify();
}

#[test]
fn s12_a_file_that_is_compressed_during_an_outage_is_read_by_its_handle() {
    let mut app = App::new();
    let files = ["app.log*", "*.gz"];
    app.write(LINES);
    let agent = app.agent(&files, &[]);
    app.wait_for_all(&agent);
    app.receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    app.write(20 * LINES);
    assert!(app.receiver.wait_for(PATIENCE, |requests| requests.faulted > 0));
    app.rename("app.log", "app.log.1");
    gzip(&app.place.log("app.log.1"));
    app.begin_generation();
    app.write(LINES);
    let faulted = app.receiver.requests().faulted;
    assert!(app.receiver.wait_for(PATIENCE, |requests| requests.faulted > faulted + 1));
    app.receiver.faults().clear();
    app.wait_for_all(&agent);
    app.wait_for_known(&agent, 1);
    let log = end(agent).join("\n");
    assert!(!log.contains("lost"), "{log}");
    app.verify();
}

/// Several rotations, a restart with more of them while the agent was away, and one more.
fn delaycompress(files: &[&str], exclude: &[&str]) {
    let mut app = App::new();
    app.write(LINES);
    let agent = app.agent(files, exclude);
    for _ in 0..3 {
        app.wait_for_all(&agent);
        app.rotate();
        app.write(LINES);
    }
    app.wait_for_all(&agent);
    end(agent);
    // While the agent is away, with something unread in each file.
    app.write(LINES);
    app.rotate();
    if files == ["app.log"] {
        // What comes and goes meanwhile under a name outside the globs is not the agent's.
        gzip(&app.place.log("app.log.1"));
    } else {
        app.write(LINES);
        app.rotate();
    }
    app.write(LINES);
    let agent = app.agent(files, exclude);
    app.wait_for_all(&agent);
    app.rotate();
    app.write(LINES);
    app.wait_for_all(&agent);
    let compressed = if files == ["app.log"] { 4 } else { 5 };
    app.wait_for_known(&agent, compressed);
    let log = end(agent).join("\n");
    assert!(!log.contains("lost") && !log.contains("damaged"), "{log}");
    app.verify();
}

#[test]
fn s12_compression_delayed_over_many_rotations_ships_nothing_twice() {
    std::thread::scope(|scope| {
        for (files, exclude) in [
            (&["*"][..], &["*.gz"][..]),
            (&["*", "*.gz"], &[]),
            (&["app.log"], &["*.gz"]),
            (&["*"], &[]),
        ] {
            scope.spawn(move || delaycompress(files, exclude));
        }
    });
}
