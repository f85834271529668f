//! The configuration file while the agent runs: read again when told to, and when it has changed.
//!
//! Looked at about once a second, through symlinks, so that a ConfigMap's swap of a directory is seen
//! like an edit in place. What is still being written is left to settle: it must have been the same at
//! two looks. What the pod says of itself in a mounted volume belongs to it: labels change while a pod
//! lives. So does the file with the key of the hashes, which is rotated.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

use crate::config::pod::Pod;
use crate::config::secret::Held;
use crate::config::settings::Settings;
use crate::config::{self, Diagnostics, Over};

/// Between two looks at the file.
const LOOK: Duration = Duration::from_secs(1);

/// Until a configuration that could not be set up is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// A configuration file, and what the command line says over it.
#[derive(Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    over: Over,
    /// Of the content that was read last, whatever became of it.
    read: u64,
    /// What the configuration in force has learned of the pod.
    pod: Option<Pod>,
    /// The key of its hashes.
    key: Option<Held>,
    /// Where the files lay and when they had changed at the last look; empty before the first since
    /// they were read.
    stamp: Vec<Option<Stamp>>,
    /// Of other content that was there at the last look, and may not be whole.
    settling: Option<u64>,
    /// When it is to be loaded again though it is the same.
    again: Option<Instant>,
}

/// Device, inode, bytes, and the times of change of the content and of the inode, with nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(u64, u64, u64, [i64; 4]);

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        Some(Self(meta.dev(), meta.ino(), meta.len(), times))
    }
}

impl ConfigFile {
    /// Reads and checks a file for the first time.
    pub(super) fn open(path: PathBuf, over: Over) -> Result<(Self, Settings), Diagnostics> {
        let (read, settings) = load(&path, &over);
        let stamp = Vec::new();
        let (pod, key, settling, again) = (None, None, None, None);
        let mut file = Self { path, over, read, pod, key, stamp, settling, again };
        file.loaded(read, 0, settings).map(|settings| (file, settings))
    }

    /// Notes what was loaded: the hash of the file, and that of the rest before if it came to nothing.
    fn loaded(
        &mut self,
        read: u64,
        before: u64,
        settings: Result<Settings, Diagnostics>,
    ) -> Result<Settings, Diagnostics> {
        let rest = match &settings {
            Ok(settings) => {
                self.pod.clone_from(&settings.pod);
                self.key.clone_from(&settings.hash_key);
                self.pod.as_ref().map_or(0, Pod::hash) ^ self.key.as_ref().map_or(0, Held::hash)
            }
            Err(_) => before,
        };
        self.read = read ^ rest;
        // Either may have changed since it was read: the next look is at the content.
        self.stamp.clear();
        (self.settling, self.again) = (None, None);
        settings
    }

    /// Of the file, of the volume's, and of the key's.
    fn stamps(&self) -> Vec<Option<Stamp>> {
        let pod = self.pod.iter().flat_map(Pod::files).map(|path| Stamp::of(&path));
        let key = self.key.iter().flat_map(Held::files).map(Stamp::of);
        std::iter::once(Stamp::of(&self.path)).chain(pod).chain(key).collect()
    }

    /// A hash of what the pod says now of what is asked for, and of the key.
    fn rest_now(&self) -> u64 {
        let again = |pod: &Pod| pod.learn_again(&config::process_environment).hash();
        self.pod.as_ref().map_or(0, again) ^ self.key.as_ref().map_or(0, Held::hash_now)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be read again: a pipe's content is gone. A file that is gone may come back.
    pub(super) fn can_be_read_again(&self) -> bool {
        std::fs::metadata(&self.path).map_or(true, |meta| meta.is_file())
    }

    /// Has it loaded again in a minute: what could not be set up lies outside of it, such as a port that
    /// is taken, or a certificate that is not mounted yet.
    pub(super) fn try_again(&mut self) {
        self.again = Some(Instant::now() + AGAIN);
    }

    /// Reads and checks it again, on a thread of its own: deliveries go on meanwhile.
    ///
    /// # Errors
    ///
    /// With every mistake in it. Inside of `Err`, no thread was to be had.
    pub(super) async fn load(&mut self) -> std::io::Result<Result<Settings, Diagnostics>> {
        let (path, over) = (self.path.clone(), self.over.clone());
        let before = self.rest_now();
        let (done, loaded) = oneshot::channel();
        std::thread::Builder::new().name("config".to_owned()).spawn(move || {
            // Fails only when nobody wants to know any more.
            let _ = done.send(load(&path, &over));
        })?;
        let (read, settings) = loaded.await.map_err(std::io::Error::other)?;
        Ok(self.loaded(read, before, settings))
    }

    /// Resolves when the file is to be loaded again, with the reason: it has other content than was read
    /// last, which has settled, or its time has come. May be dropped.
    pub(super) async fn due(&mut self) -> &'static str {
        loop {
            tokio::time::sleep(LOOK).await;
            if self.look() {
                return "it has changed";
            }
            if self.again.take_if(|at| *at <= Instant::now()).is_some() {
                return "it could not be set up before";
            }
        }
    }

    /// One look: whether there is something new to be read.
    fn look(&mut self) -> bool {
        let stamp = self.stamps();
        let there = stamp.first().is_some_and(Option::is_some);
        let same = stamp == self.stamp;
        self.stamp = stamp;
        if same && self.settling.is_none() || there && !self.can_be_read_again() {
            return false;
        }
        let content = hash(&config::read(&self.path)) ^ self.rest_now();
        if content == self.read {
            // Touched, or put back as it was.
            self.settling = None;
            return false;
        }
        let settled = self.settling.replace(content) == Some(content);
        if settled {
            self.settling = None;
        }
        settled
    }
}

fn load(path: &Path, over: &Over) -> (u64, Result<Settings, Diagnostics>) {
    let bytes = config::read(path);
    let read = hash(&bytes);
    let name = path.display().to_string();
    let check = |bytes| config::from_bytes(&name, bytes, over, &config::process_environment);
    (read, bytes.and_then(check))
}

/// Of the content, or of the reason why there is none.
fn hash(content: &Result<Vec<u8>, Diagnostics>) -> u64 {
    match content {
        Ok(bytes) => xxh3_64(bytes),
        Err(why) => xxh3_64(why.brief().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(glob: &str) -> String {
        format!(
            "state: /tmp/none\nsources: {{app: {{files: ['{glob}']}}}}\n\
             destinations: {{screen: {{console: {{}}}}}}\n"
        )
    }

    #[tokio::test]
    async fn content_counts_once_it_has_settled() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("pillion.yaml");
        fs::write(&path, text("/a/*.log")).expect("written");
        let (mut file, _) = ConfigFile::open(path.clone(), Over::default()).expect("good");
        assert!(!file.look() && !file.look(), "as it was");
        fs::write(&path, text("/a/*.log")).expect("written");
        assert!(!file.look() && !file.look(), "touched");
        fs::write(&path, "sources:").expect("written");
        assert!(!file.look(), "half of it");
        fs::write(&path, text("/b/*.log")).expect("written");
        assert!(!file.look(), "it may not be whole either");
        assert!(file.look());
        let settings = file.load().await.expect("a thread").expect("good");
        assert_eq!(settings.sources[0].files, ["/b/*.log"]);
        fs::write(&path, "sources: 1").expect("written");
        assert!(!file.look() && file.look());
        assert!(file.load().await.expect("a thread").is_err());
        assert!(!file.look() && !file.look(), "refused once");
        fs::remove_file(&path).expect("removed");
        assert!(!file.look() && file.look(), "gone is another content");
    }

    #[tokio::test]
    async fn a_key_that_is_rotated_is_seen_like_an_edit() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, key) = (dir.path().join("pillion.yaml"), dir.path().join("key"));
        let redact = format!("redact: {{action: hash, hash_key: '${{file:{}}}'}}\n", key.display());
        fs::write(&key, "0123456789abcdef\n").expect("written");
        fs::write(&path, redact + &text("/a/*.log")).expect("written");
        let (mut file, _) = ConfigFile::open(path, Over::default()).expect("good");
        assert!(!file.look() && !file.look(), "as it was");
        fs::write(&key, "short").expect("written");
        assert!(!file.look() && file.look());
        assert!(file.load().await.expect("a thread").is_err());
        assert!(!file.look() && !file.look(), "refused once");
        fs::write(&key, "fedcba9876543210").expect("written");
        assert!(!file.look() && file.look());
        file.load().await.expect("a thread").expect("good");
        assert!(!file.look() && !file.look(), "as it was");
    }

    #[tokio::test]
    async fn what_changes_while_it_is_loaded_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| fs::write(at(name), text).expect("written");
        let enrich = format!("enrich: {{kubernetes: {{volume: '{}'}}}}\n", dir.path().display());
        write("labels", "app=\"one\"");
        write("pillion.yaml", &(enrich.clone() + &text("/a/*.log")));
        let path = at("pillion.yaml");
        let (mut file, _) = ConfigFile::open(path.clone(), Over::default()).expect("good");
        for (changed, new) in
            [("pillion.yaml", enrich + &text("/b/*.log")), ("labels", "app=\"two\"".to_owned())]
        {
            let before = file.rest_now();
            let (read, settings) = load(&path, &Over::default());
            write(changed, &new);
            file.loaded(read, before, settings).expect("good");
            assert!(!file.look() && file.look(), "{changed}");
        }
        file.load().await.expect("a thread").expect("good");
        assert!(!file.look() && !file.look(), "as it was");
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_set_up_is_tried_again_once_in_a_minute() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("pillion.yaml");
        fs::write(&path, text("/a/*.log")).expect("written");
        let (mut file, _) = ConfigFile::open(path.clone(), Over::default()).expect("good");
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, file.due()).await.is_err(), "it is in force");
        let begun = Instant::now();
        file.try_again();
        assert_eq!(file.due().await, "it could not be set up before");
        let waited = begun.elapsed();
        assert!(AGAIN <= waited && waited <= AGAIN + 2 * LOOK, "{waited:?}");
        assert!(tokio::time::timeout(hour, file.due()).await.is_err(), "once");
        file.try_again();
        fs::write(&path, text("/b/*.log")).expect("written");
        assert_eq!(file.due().await, "it has changed");
        // What is loaded by then is another one.
        file.load().await.expect("a thread").expect("good");
        assert!(tokio::time::timeout(hour, file.due()).await.is_err());
    }

    #[tokio::test]
    async fn labels_that_change_are_seen_like_an_edit() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        for (version, label) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(at(version)).expect("made");
            fs::write(at(version).join("labels"), format!("app=\"{label}\"")).expect("written");
        }
        symlink("..1", at("..data")).expect("linked");
        symlink("..data/labels", at("labels")).expect("linked");
        let path = at("pillion.yaml");
        let yaml = format!("enrich: {{kubernetes: {{volume: '{}'}}}}\n", dir.path().display());
        fs::write(&path, yaml + &text("/a/*.log")).expect("written");
        let (mut file, settings) = ConfigFile::open(path, Over::default()).expect("good");
        assert_eq!(settings.sources[0].fields["kubernetes.labels.app"], "one");
        assert!(!file.look() && !file.look());
        symlink("..2", at("..data_tmp")).expect("linked");
        fs::rename(at("..data_tmp"), at("..data")).expect("swapped");
        assert!(!file.look() && file.look());
        let settings = file.load().await.expect("a thread").expect("good");
        assert_eq!(settings.sources[0].fields["kubernetes.labels.app"], "two");
        assert!(!file.look() && !file.look());
        fs::write(at("annotations"), "checked=\"at ten\"").expect("written");
        assert!(!file.look() && !file.look(), "nobody asked for it");
    }

    #[test]
    fn a_directory_that_is_swapped_by_a_link_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        for (version, glob) in [("..1", "/a/*.log"), ("..2", "/b/*.log")] {
            fs::create_dir(at(version)).expect("made");
            fs::write(at(version).join("pillion.yaml"), text(glob)).expect("written");
        }
        symlink("..1", at("..data")).expect("linked");
        symlink("..data/pillion.yaml", at("pillion.yaml")).expect("linked");
        let (mut file, _) = ConfigFile::open(at("pillion.yaml"), Over::default()).expect("good");
        assert!(!file.look());
        symlink("..2", at("..data_tmp")).expect("linked");
        fs::rename(at("..data_tmp"), at("..data")).expect("swapped");
        assert!(!file.look() && file.look());
    }
}
