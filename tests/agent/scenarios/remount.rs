//! Volumes that are mounted late, again, or under another device number, in a namespace of the agent's
//! own. What changes a volume's number while its files keep their inodes is an overlay: each has a number
//! of its own, and the inodes of what lies below.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use pillion::receiver::{Options, Receiver};

use super::events::namespaces;
use super::handles::{assert_exact, line, lines, metric};
use crate::harness::{Agent, PATIENCE, Place, until};

const LOST: &str = "pillion_lost_bytes_total{reason=\"gone\"}";

/// A directory that is mounted on the logs.
struct Volume {
    place: Place,
    receiver: Receiver,
    config: PathBuf,
}

impl Volume {
    /// `globs`: below the logs.
    fn new(globs: &str) -> Self {
        let (place, receiver) =
            (Place::new(), Receiver::start(Options::default()).expect("receiver"));
        for name in ["lower", "upper", "work", "other"] {
            fs::create_dir(place.dir.path().join(name)).expect("made");
        }
        let config = place.configure(&format!(
            "state: {{state}}\nadmin: 127.0.0.1:0\n\
             sources: {{app: {{files: ['{{logs}}/{globs}']}}}}\n\
             destinations:\n  search:\n    elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
             batch: {{linger: 50ms}}\n",
            receiver.url()
        ));
        Self { place, receiver, config }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.place.dir.path().join(name)
    }

    /// What is on the volume, whoever mounts it.
    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.dir("upper").join(name);
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        file.expect("opened").write_all(text.as_ref()).expect("written");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.dir("upper").join(from), self.dir("upper").join(to)).expect("renamed");
    }

    /// A command that mounts it: under its own number, or under a new one. Another overlay takes the number
    /// that was given back last.
    fn mount(&self, anew: bool) -> String {
        let [lower, upper, work, other] =
            ["lower", "upper", "work", "other"].map(|it| self.dir(it));
        let (logs, upper) = (self.place.logs(), upper.display());
        if !anew {
            return format!("mount --bind {upper} {}", logs.display());
        }
        format!(
            "mount -t tmpfs tmpfs {} && mount -t overlay overlay -o \
             lowerdir={},upperdir={upper},workdir={} {}",
            other.display(),
            lower.display(),
            work.display(),
            logs.display()
        )
    }

    /// Starts an agent under these commands; what is in `later` is done when [`Volume::go`] says so, one
    /// after the other.
    fn start(&self, first: &str, later: &[String]) -> Agent {
        let dir = self.place.dir.path().display().to_string();
        let step = |(at, command): (usize, &String)| {
            format!(
                "n=0; until [ -e {dir}/go{at} ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done; \
                 {command} && : > {dir}/done{at};"
            )
        };
        let later: String = later.iter().enumerate().map(step).collect();
        let script = format!(
            "{first} || exit 70; ({later} :) </dev/null >/dev/null 2>&1 & ulimit -n 80; \
             exec \"$0\" \"$@\""
        );
        let launcher = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script];
        let agent = Agent::spawn_under(&launcher, &self.config, &[]);
        agent.wait_for_log("watching");
        agent
    }

    /// Has what comes later be done.
    fn go(&self, at: usize) {
        fs::write(self.dir(&format!("go{at}")), "").expect("written");
        let done = self.dir(&format!("done{at}"));
        assert!(until(PATIENCE, || done.exists()), "{at} is not done");
    }

    /// The device numbers in the checkpoint.
    fn numbers(&self) -> Vec<String> {
        let text = fs::read_to_string(self.place.state().join("checkpoint")).expect("saved");
        let rest = text.split("\"dev\":").skip(1);
        rest.map(|it| it.chars().take_while(char::is_ascii_digit).collect()).collect()
    }
}

/// Waits until the directories were looked at so often again.
fn look(agent: &Agent, times: f64) {
    let before = metric(agent, "pillion_rescans_total");
    let looked = || metric(agent, "pillion_rescans_total") >= before + times;
    assert!(until(PATIENCE, looked), "{}", agent.log().join("\n"));
}

fn ended(agent: Agent) {
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
}

#[test]
fn a_volume_has_another_number_after_a_restart_and_its_files_were_rotated() {
    if !namespaces() {
        return;
    }
    for globs in ["app.log", "app.log*"] {
        for rotated in [false, true] {
            let volume = Volume::new(globs);
            volume.append("app.log", lines("a", 50));
            let agent = volume.start(&volume.mount(false), &[]);
            assert_exact(&volume.receiver, &agent, [("a", 50)]);
            ended(agent);
            let before = volume.numbers();
            volume.append("app.log", (50..80).map(|seq| line("a", seq)).collect::<String>());
            let mut written = vec![("a", 80)];
            if rotated {
                volume.rename("app.log", "app.log.1");
                volume.append("app.log", lines("b", 20));
                written.push(("b", 20));
            }
            let agent = volume.start(&volume.mount(true), &[]);
            assert_exact(&volume.receiver, &agent, written);
            assert_eq!(metric(&agent, LOST), 0.0, "{}", agent.log().join("\n"));
            ended(agent);
            let after = volume.numbers();
            assert!(before.iter().all(|it| !after.contains(it)), "{before:?}, {after:?}");
            assert_eq!(volume.receiver.requests().duplicates, 0);
        }
    }
}

#[test]
fn a_volume_is_mounted_after_the_agent_has_looked_at_its_mount_point() {
    if !namespaces() {
        return;
    }
    for anew in [false, true] {
        let volume = Volume::new("app.log*");
        volume.append("app.log", lines("a", 50));
        volume.append("app.log.1", lines("old", 30));
        let agent = volume.start(&volume.mount(false), &[]);
        assert_exact(&volume.receiver, &agent, [("a", 50), ("old", 30)]);
        ended(agent);
        volume.append("app.log", (50..80).map(|seq| line("a", seq)).collect::<String>());
        let empty = format!("mount -t tmpfs tmpfs {}", volume.place.logs().display());
        let agent = volume.start(&empty, &[volume.mount(anew)]);
        look(&agent, 4.0);
        assert_eq!(metric(&agent, LOST), 0.0, "{}", agent.log().join("\n"));
        volume.go(0);
        assert_exact(&volume.receiver, &agent, [("a", 80), ("old", 30)]);
        assert_eq!(metric(&agent, LOST), 0.0, "{}", agent.log().join("\n"));
        ended(agent);
        assert_eq!(volume.receiver.requests().duplicates, 0);
    }
}

/// With more files than descriptors: of some the agent holds a handle, of others it does not.
#[test]
fn a_volume_goes_and_comes_back_while_the_agent_runs() {
    if !namespaces() {
        return;
    }
    for anew in [false, true] {
        let volume = Volume::new("*.log*");
        let names: Vec<String> = (0..90).map(|n| format!("f{n}")).collect();
        for name in &names {
            volume.append(&format!("{name}.log"), lines(name, 5));
        }
        let empty = format!("mount -t tmpfs tmpfs {}", volume.place.logs().display());
        let unmount = format!("umount -l {}", volume.place.logs().display());
        let first = format!("{empty} && {}", volume.mount(false));
        let agent = volume.start(&first, &[unmount, volume.mount(anew)]);
        assert_exact(&volume.receiver, &agent, names.iter().map(|name| (name.as_str(), 5)));
        volume.go(0);
        look(&agent, 4.0);
        for (n, name) in names.iter().enumerate() {
            volume.append(
                &format!("{name}.log"),
                (5..8).map(|seq| line(name, seq)).collect::<String>(),
            );
            if n % 3 == 0 {
                volume.rename(&format!("{name}.log"), &format!("{name}.log.1"));
            }
        }
        look(&agent, 2.0);
        volume.go(1);
        assert_exact(&volume.receiver, &agent, names.iter().map(|name| (name.as_str(), 8)));
        assert_eq!(metric(&agent, LOST), 0.0, "{}", agent.log().join("\n"));
        ended(agent);
        assert_eq!(volume.receiver.requests().duplicates, 0);
    }
}
