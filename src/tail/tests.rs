//! The real thread, with the kernel's events.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::*;
use crate::checkpoint::settle::Settle;
use crate::pipeline::batch::Receipt;
use settings::TailSource;

struct Running {
    handle: TailHandle,
    reads: Receiver<Read>,
    tracker: Arc<Tracker>,
    stats: Arc<TailStats>,
    text: Vec<u8>,
}

fn start(dir: &Path) -> Running {
    let glob = dir.join("logs/**/*.log").to_str().expect("text").to_owned();
    let source = TailSource {
        name: "app".to_owned(),
        files: vec![glob],
        exclude: Vec::new(),
        links_to: Vec::new(),
        start_at_end: false,
        ignore_older: None,
        max_record: 1 << 18,
        own_log: None,
        to: vec![0],
        header: None,
    };
    let (sender, reads) = sync_channel(2);
    let (store, snapshot) = Store::open(&dir.join("state")).expect("opens");
    let (tracker, stats) = (Arc::new(Tracker::new()), Arc::new(TailStats::default()));
    let destinations = vec!["search".to_owned()];
    let handle = TailHandle::spawn(TailParts {
        settings: TailSettings::new(vec![source], destinations, Arc::new(|len| len * 3)),
        budget: Budget::new(1 << 20),
        tracker: Arc::clone(&tracker),
        store,
        snapshot,
        inherited: Inherited::default(),
        workers: vec![sender],
        stats: Arc::clone(&stats),
    })
    .expect("a thread");
    Running { handle, reads, tracker, stats, text: Vec::new() }
}

impl Running {
    /// Takes and settles what comes until so many bytes came.
    fn expect_bytes(&mut self, len: usize) {
        while self.text.len() < len {
            let read = self.reads.recv_timeout(Duration::from_secs(20)).expect("in time");
            self.take(read);
        }
    }

    fn take(&mut self, read: Read) {
        if let Read::Chunk(chunk) = read {
            self.text.extend_from_slice(&chunk.bytes);
            let mut receipt = Receipt::default();
            receipt.add(chunk.file, chunk.span, &Default::default());
            self.tracker.settle(0, &receipt);
        }
    }
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::File::options().create(true).append(true).open(path).expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn events_wake_the_thread_and_a_drain_ends_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("logs/a.log");
    std::fs::create_dir(dir.path().join("logs")).expect("made");
    append(&log, "first\n");
    let mut running = start(dir.path());
    running.expect_bytes(6);
    let began = Instant::now();
    append(&log, "second\n");
    running.expect_bytes(13);
    std::fs::rename(&log, dir.path().join("logs/a.log.1")).expect("renamed");
    append(&log, "third\n");
    running.expect_bytes(19);
    std::fs::create_dir_all(dir.path().join("logs/new/dir")).expect("made");
    append(&dir.path().join("logs/new/dir/b.log"), "fourth\n");
    running.expect_bytes(26);
    if !running.stats.polling.load(Ordering::Relaxed) {
        let took = began.elapsed();
        assert!(took < Duration::from_secs(8), "long before the safety look: {took:?}");
    }
    append(&log, "last");
    let told = running.handle.stop_discovery_and_drain(Instant::now() + Duration::from_secs(20));
    while let Ok(read) = running.reads.recv() {
        running.take(read);
    }
    assert_eq!(told.blocking_recv(), Ok(LeftBehind::default()));
    assert_eq!(running.text, b"first\nsecond\nthird\nfourth\nlast");
    assert_eq!(running.handle.finish(), Finished { unsettled: 0, saved: true });
}

#[test]
fn budget_that_comes_back_wakes_the_thread() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("logs")).expect("made");
    let line = "x".repeat(999) + "\n";
    append(&dir.path().join("logs/a.log"), &line.repeat(4000));
    let mut running = start(dir.path());
    let began = Instant::now();
    running.expect_bytes(4_000_000);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(running.handle);
}

#[test]
fn a_bad_glob_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, snapshot) = Store::open(dir.path()).expect("opens");
    let mut settings = TailSettings::new(Vec::new(), Vec::new(), Arc::new(|len| len));
    settings.sources.push(TailSource {
        name: "app".to_owned(),
        files: vec!["relative/*.log".to_owned()],
        exclude: Vec::new(),
        links_to: Vec::new(),
        start_at_end: false,
        ignore_older: None,
        max_record: 1,
        own_log: None,
        to: Vec::new(),
        header: None,
    });
    let error = TailHandle::spawn(TailParts {
        settings,
        budget: Budget::new(1),
        tracker: Arc::new(Tracker::new()),
        store,
        snapshot,
        inherited: Inherited::default(),
        workers: Vec::new(),
        stats: Arc::new(TailStats::default()),
    })
    .expect_err("refused");
    let expect = "source \"app\": \"relative/*.log\" is not an absolute path";
    assert_eq!(error.to_string(), expect);
}
