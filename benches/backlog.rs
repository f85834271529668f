//! What the agent takes to work off a backlog of 1 GB: the real binary against a receiver that only
//! counts. Rate, processor time, and the largest resident memory; and the memory it stays within while
//! the server is down.
//!
//! ```sh
//! cargo bench --bench backlog             # every workload
//! cargo bench --bench backlog -- nginx    # one
//! ```
//!
//! `BACKLOG_MB` takes another size. The receiver and the agent share the machine's cores.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and has nothing to recover"
)]

#[path = "pipeline/logs.rs"]
#[expect(dead_code, reason = "not every log of the other benchmark is used here")]
mod logs;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pillion::receiver::{Check, Fault, Keep, Options, Receiver};

/// What is written again and again until the backlog is long enough.
const PIECE: usize = 16 << 20;

/// No backlog should take longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long the agent is watched while the server is down.
const DOWN: Duration = Duration::from_secs(10);

/// The kernel's unit in `/proc/PID/stat`, on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running agent; killed when dropped.
struct Agent(Child);

impl Agent {
    fn start(directory: &Path, url: &str) -> Self {
        let config = directory.join("pillion.yaml");
        let shown = directory.display();
        let yaml = format!(
            "state: {shown}/state\nadmin: off\nsources: {{app: {{files: ['{shown}/logs/*.log']}}}}\n\
             destinations: {{to: {{elasticsearch: {{url: '{url}', index: logs-bench-default}}}}}}\n"
        );
        fs::write(&config, yaml).expect("a configuration");
        let child = Command::new(env!("CARGO_BIN_EXE_pillion"))
            .args(["run", "--config"])
            .arg(config)
            .stderr(Stdio::null())
            .spawn()
            .expect("the agent");
        Self(child)
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).expect("a running agent")
    }

    /// User and system time so far.
    fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2);
        ticks.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
    }

    /// A line of `/proc/PID/status` in MiB.
    fn mebibytes(&self, name: &str) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kibibytes.unwrap_or_else(|| panic!("no {name} in /proc")) / 1024.0
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes the backlog; its bytes and lines.
fn write(path: &Path, piece: &[u8], bytes: usize) -> (u64, u64) {
    let mut file = File::create(path).expect("a log file");
    let pieces = bytes.div_ceil(piece.len());
    for _ in 0..pieces {
        file.write_all(piece).expect("room for the backlog");
    }
    let lines = memchr::memchr_iter(b'\n', piece).count() * pieces;
    ((piece.len() * pieces) as u64, lines as u64)
}

fn receiver() -> Receiver {
    let options = Options { check: Check::Count, keep: Keep::Counts, ..Options::default() };
    Receiver::start(options).expect("a receiver")
}

fn backlog(name: &str, piece: &[u8], size: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("logs")).expect("a directory");
    let (bytes, lines) = write(&directory.path().join("logs/app.log"), piece, size);

    let server = receiver();
    let began = Instant::now();
    let agent = Agent::start(directory.path(), &server.url());
    assert!(server.wait_for(PATIENCE, |counts| counts.stored >= lines), "it never arrived");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{name:<10}{:>10.1}{:>12.2}{:>14.1}",
        bytes as f64 / seconds / 1e6,
        agent.cpu_seconds() * 1e9 / bytes as f64,
        agent.mebibytes("VmHWM:"),
    );
    drop(agent);

    fs::remove_dir_all(directory.path().join("state")).expect("the state");
    server.faults().set(Fault::Status { status: 503, retry_after: None });
    let agent = Agent::start(directory.path(), &server.url());
    std::thread::sleep(DOWN);
    let cpu = agent.cpu_seconds();
    println!("{:<10}{:>10}{cpu:>10.2} s{:>14.1}", "  (down)", "", agent.mebibytes("VmHWM:"));
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let megabytes = std::env::var("BACKLOG_MB").ok().and_then(|size| size.parse().ok());
    let size: usize = megabytes.unwrap_or(1000_usize) * 1_000_000;
    println!("{:<10}{:>10}{:>12}{:>14}", "workload", "MB/s", "CPU-s/GB", "VmHWM, MiB");
    type Make = fn(usize) -> Vec<u8>;
    let table: [(&str, Make); 2] = [("nginx", logs::nginx), ("json", logs::json)];
    for (name, make) in table {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            backlog(name, &make(PIECE), size);
        }
    }
}
