//! Starts the real binary on a temporary directory and counts what arrived by sequence number.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::oracle::Arrived;
use super::seen::{get, samples};
use super::writer::{Writer, written};
use pillion::receiver::{Receiver, Stored};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

/// How long anything may take that should take a moment. Only a failure waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A temporary directory with the logs, the state and the configuration of one agent.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("logs")).expect("logs directory");
        Self { dir }
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Writes the configuration; `{logs}` and `{state}` in it become this place's directories.
    pub(crate) fn configure(&self, yaml: &str) -> PathBuf {
        let path = self.dir.path().join("pillion.yaml");
        let text = yaml
            .replace("{logs}", &self.logs().display().to_string())
            .replace("{state}", &self.state().display().to_string());
        fs::write(&path, text).expect("configuration");
        path
    }

    /// The configuration that most tests use: every `*.log`, one Elasticsearch.
    pub(crate) fn to_elasticsearch(&self, url: &str) -> PathBuf {
        self.configure(&format!(
            "state: {{state}}\nadmin: 127.0.0.1:0\n\
             sources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
             destinations:\n  search:\n    elasticsearch: {{url: '{url}', index: logs-test-default}}\n    \
             batch: {{linger: 50ms}}\n"
        ))
    }

    /// Appends to a log file.
    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(name))
            .expect("log file opens");
        file.write_all(text.as_ref()).expect("log file takes bytes");
    }
}

/// A running `pillion run`. Killed when dropped.
pub(crate) struct Agent {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    /// Whether its configuration sends every record to every destination, by the shortest way.
    pub(crate) plain: bool,
}

impl Agent {
    /// Starts the agent and waits until it watches its files.
    pub(crate) fn start(config: &Path, args: &[&str]) -> Self {
        let agent = Self::spawn(config, args);
        agent.wait_for_log("watching");
        agent
    }

    /// Starts the agent, and waits for nothing.
    pub(crate) fn spawn(config: &Path, args: &[&str]) -> Self {
        Self::spawn_under(&[], config, args)
    }

    /// The same by way of a program that becomes the agent, once it has changed limits or rights.
    pub(crate) fn spawn_under(launcher: &[&str], config: &Path, args: &[&str]) -> Self {
        Self::spawn_by(command_under(launcher), config, args)
    }

    /// The same by a command that ends in the binary.
    pub(crate) fn spawn_by(mut command: Command, config: &Path, args: &[&str]) -> Self {
        let mut child = command
            .arg("run")
            .arg("--config")
            .arg(config)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().expect("not poisoned").push(line);
            }
        });
        let text = fs::read_to_string(config).unwrap_or_default();
        let plain = !text.contains("to: [") && !text.contains("buffer:");
        Self { child, log, reader: Some(reader), plain }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("not poisoned").clone()
    }

    /// What it logs, to be read when it has ended.
    pub(crate) fn log_to_come(&self) -> Arc<Mutex<Vec<String>>> {
        Arc::clone(&self.log)
    }

    pub(crate) fn wait_for_log(&self, text: &str) {
        let found = until(PATIENCE, || self.log().iter().any(|line| line.contains(text)));
        assert!(found, "the agent never logged {text:?}; it logged:\n{}", self.log().join("\n"));
    }

    /// The value of a field `name=…` of the first log line that has it.
    pub(crate) fn logged(&self, name: &str) -> Option<String> {
        let start = format!("{name}=");
        self.log.lock().expect("not poisoned").iter().find_map(|line| {
            let at = line.find(&start)? + start.len();
            Some(line.get(at..)?.split_whitespace().next()?.to_owned())
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident set at its highest, in bytes, since it started or [`Agent::forget_peak`].
    pub(crate) fn peak_resident(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Its resident set, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the agent runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a size");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    /// Has the peak begin at what is resident now.
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").expect("the agent runs");
    }

    /// What the page of metrics says now.
    pub(crate) fn metrics(&self) -> BTreeMap<String, f64> {
        samples(&get(&self.logged("admin").expect("the agent says where"), "/metrics").1)
    }

    /// Waits for the end of what was written: every line must be there once, as it was written, in its
    /// order, and the agent must have counted each. Then the agent is terminated, and what it did on
    /// its way out must not have changed that.
    pub(crate) fn assert_exact<'w>(
        self,
        receiver: &Receiver,
        writers: impl IntoIterator<Item = &'w Writer>,
    ) {
        let written = written(writers);
        let lines = written.values().sum::<u64>();
        // The judge says better what is missing.
        if receiver.wait_for(PATIENCE, |requests| requests.stored >= lines) {
            self.assert_at_rest();
        }
        let (status, log) = self.terminate();
        let found = Arrived::at(receiver).judge(&written);
        assert!(found.is_exact() && status.success(), "{status} {found:?}\n{}", log.join("\n"));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("small")).expect("not 0");
        kill_process(pid, signal).expect("the agent is there");
    }

    /// SIGSTOP, and waits until every one of its threads has stopped: those that run on another core do
    /// some time after they are told. SIGCONT lets it go on.
    pub(crate) fn stand_still(&self) {
        self.signal(Signal::STOP);
        let tasks = PathBuf::from(format!("/proc/{}/task", self.pid()));
        let stopped = |stat: PathBuf| {
            // A thread that has just ended has none.
            fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") T "))
        };
        let all_stopped = || {
            let mut tasks = fs::read_dir(&tasks).expect("the agent is there").flatten();
            tasks.all(|task| stopped(task.path().join("stat")))
        };
        assert!(until(PATIENCE, all_stopped), "it does not stop");
    }

    /// Closes the reading end of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Asks whether its records are [conserved](Self::assert_conserved), if it can be asked; SIGTERM, then
    /// waits for the end. Returns how it ended and what it logged.
    pub(crate) fn terminate(self) -> (ExitStatus, Vec<String>) {
        if self.logged("admin").is_some_and(|admin| admin != "off") {
            self.assert_conserved();
        }
        self.terminate_at_once()
    }

    /// The same without a question: where the signal has to meet what was written just before, or
    /// nobody is there to answer.
    pub(crate) fn terminate_at_once(mut self) -> (ExitStatus, Vec<String>) {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for the end, at which it says if a record is unaccounted for.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Vec<String>) {
        let mut status = None;
        until(PATIENCE, || {
            status = self.child.try_wait().expect("waits");
            status.is_some()
        });
        let status = status.unwrap_or_else(|| panic!("still runs:\n{}", self.log().join("\n")));
        if let Some(reader) = self.reader.take() {
            reader.join().expect("log reader");
        }
        let log = self.log();
        let conserved = !log.iter().any(|line| line.contains("unaccounted for"));
        assert!(conserved, "{}", log.join("\n"));
        (status, log)
    }

    /// Whether it is no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("waits").is_some()
    }

    /// SIGKILL: no chance to save anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killable");
        self.child.wait().expect("waits");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets no file that the agent writes grow beyond so many bytes, as a full disk would; `None` lifts it.
pub(crate) fn limit_file_size(agent: &Agent, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(agent.pid()).expect("small"));
    let before = getrlimit(Resource::Fsize);
    let limit = Rlimit { current: bytes.or(before.maximum), maximum: before.maximum };
    prlimit(pid, Resource::Fsize, limit).expect("the agent runs");
}

/// The binary under test, with nothing of this process's configuration in its environment.
pub(crate) fn command() -> Command {
    command_under(&[])
}

fn command_under(launcher: &[&str]) -> Command {
    let mut words = launcher.iter().copied().chain([env!("CARGO_BIN_EXE_pillion")]);
    let mut command = Command::new(words.next().expect("at least the binary"));
    command.args(words);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.as_encoded_bytes().starts_with(b"PILLION_")) {
        command.env_remove(name);
    }
    // As the image's allocator is by itself; see "Memory" in docs/operations.md.
    command.env("MALLOC_MMAP_THRESHOLD_", "131072");
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Looks every few milliseconds until `done`, at most for `timeout`. Whether it was done.
pub(crate) fn until(timeout: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// What is wrong with what arrived, by sequence number: nothing, if this is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) missing: Vec<u64>,
    pub(crate) repeated: Vec<u64>,
    pub(crate) unknown: Vec<u64>,
}

/// Compares the sequence numbers that arrived with those that were written.
pub(crate) fn judge(
    written: impl Iterator<Item = u64>,
    arrived: impl Iterator<Item = u64>,
) -> Verdict {
    let mut counts: BTreeMap<u64, u64> = written.map(|seq| (seq, 0)).collect();
    let mut verdict = Verdict::default();
    for seq in arrived {
        match counts.get_mut(&seq) {
            Some(count) => *count += 1,
            None => verdict.unknown.push(seq),
        }
    }
    for (seq, count) in counts {
        match count {
            0 => verdict.missing.push(seq),
            1 => {}
            _ => verdict.repeated.push(seq),
        }
    }
    verdict
}

/// A document's field by its dotted path.
pub(crate) fn field<'a>(stored: &'a Stored, path: &str) -> &'a serde_json::Value {
    let found = path.split('.').try_fold(&stored.document, |value, key| value.get(key));
    found.unwrap_or_else(|| panic!("no {path} in {}", stored.document))
}

/// The number after `seq=` in a document's message.
pub(crate) fn seq(stored: &Stored) -> Option<u64> {
    number_after(stored.document.get("message")?.as_str()?, "seq=")
}

/// The number that follows `mark` in a text.
pub(crate) fn number_after(text: &str, mark: &str) -> Option<u64> {
    let rest = text.split_once(mark)?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let verdict = judge(0..5, [0, 1, 1, 3, 9, 4].into_iter());
    assert_eq!(verdict, Verdict { missing: vec![2], repeated: vec![1], unknown: vec![9] });
}
