//! Buffers by their asynchronous side, and as one generation takes them over from another.

use super::*;

/// A buffer as the next generation opens it: with the counters of the one before.
fn reopened(bench: &Bench, settings: &Destination) -> Option<Arc<Buffer>> {
    Buffer::open(bench.dir.path(), settings, &bench.stats, &bench.budget).expect("opens")
}

#[tokio::test]
async fn a_reload_begins_with_nothing_of_what_the_buffer_before_refused() {
    let bench = Bench::new();
    let small =
        Destination { buffer: Some(LIMIT), ..destination(elasticsearch(true), Compression::None) };
    let takes = || bench.stats.buffer.takes();
    // Its disk fails.
    fs::write(bench.dir.path().join("buffer"), "in the way").expect("written");
    let buffer = reopened(&bench, &small).expect("configured");
    assert!(!buffer.append(vec![payload(1, 1)]).await && !takes());
    fs::remove_file(bench.dir.path().join("buffer")).expect("removed");
    drop(buffer);
    let buffer = reopened(&bench, &small).expect("configured");
    assert!(takes() && buffer.admits());
    // It is full, and then may have more.
    let mut records = 0;
    loop {
        bench.stats.accept(1);
        if !buffer.append(vec![payload(1, 1)]).await {
            break;
        }
        records += 1;
    }
    bench.stats.deliver(1);
    bench.stats.routed.store(records + 1, Relaxed);
    assert!(!takes() && !buffer.admits());
    drop(buffer);
    let large = Destination { buffer: Some(2 * LIMIT), ..small.clone() };
    let buffer = reopened(&bench, &large).expect("configured");
    assert!(takes() && buffer.admits() && buffer.has_waiting());
    drop(buffer);
    // What is not sent in another form is none of the records under way, until it is again.
    let zipped = Destination { compression: Compression::Fast, ..small.clone() };
    let none = Destination { buffer: None, ..zipped.clone() };
    for (settings, is_there) in [(&zipped, true), (&small, true), (&none, false)] {
        let buffer = reopened(&bench, settings);
        assert_eq!(buffer.is_some(), is_there);
        let held = if settings.compression == Compression::None { records } else { 0 };
        assert_eq!(bench.stats.buffer.records.load(Relaxed), held);
        assert_eq!(bench.stats.unaccounted(), 0);
        bench.check_conserved();
    }
    let stats = &bench.stats.buffer;
    let sizes = [&stats.limit, &stats.bytes].map(|size| size.load(Relaxed));
    let says = (takes(), stats.waiting.load(Relaxed), sizes);
    assert_eq!(says, (false, false, [0; 2]), "there is none to be waited for");
}

#[tokio::test]
async fn room_that_somebody_else_made_is_noticed() {
    let bench = Bench::new();
    let settings =
        Destination { buffer: Some(LIMIT), ..destination(elasticsearch(true), Compression::None) };
    let buffer = reopened(&bench, &settings).expect("configured");
    bench.stats.accept(1000);
    while buffer.append(vec![payload(1, 1)]).await {}
    assert!(!buffer.admits());
    let entries = fs::read_dir(bench.dir.path().join("buffer/test/bulk")).expect("there");
    for path in entries.map(|entry| entry.expect("read").path()) {
        if path.extension().is_some_and(|it| it == "segment") {
            fs::remove_file(path).expect("removed");
        }
    }
    // The first is open still.
    while let Some(taken) = buffer.take(false).await {
        buffer.done(taken.stored).await;
    }
    assert!(buffer.admits());
}

#[tokio::test]
async fn it_rests_when_what_nobody_waits_for_is_done_too() {
    let bench = Bench::new();
    let settings =
        Destination { buffer: Some(LIMIT), ..destination(elasticsearch(true), Compression::None) };
    let buffer = reopened(&bench, &settings).expect("configured");
    bench.stats.accept(3);
    let held = Arc::clone(&buffer.disk);
    let (hold, release) = std::sync::mpsc::sync_channel::<()>(1);
    let (begun, is_held) = std::sync::mpsc::sync_channel(1);
    let holder = std::thread::spawn(move || {
        let disk = held.lock().expect("whole");
        begun.send(()).expect("waits");
        release.recv().expect("sends");
        drop(disk);
    });
    is_held.recv().expect("held");
    let append = tokio::spawn({
        let buffer = Arc::clone(&buffer);
        async move { buffer.append(vec![payload(1, 3)]).await }
    });
    while Arc::strong_count(&buffer.disk) < 3 {
        tokio::task::yield_now().await;
    }
    append.abort();
    assert!(append.await.expect_err("aborted").is_cancelled());
    let early = tokio::time::timeout(Duration::from_millis(50), buffer.rest()).await;
    assert!(early.is_err(), "its write is under way");
    hold.send(()).expect("held");
    buffer.rest().await;
    holder.join().expect("no panic");
    assert_eq!(bench.stats.in_flight.load(Relaxed), 0);
    assert_eq!(bench.stats.buffer.records.load(Relaxed), 3);
}

#[tokio::test]
async fn a_buffer_of_another_form_is_kept_and_one_turned_off_gives_what_it_has() {
    let bench = Bench::new();
    let plain =
        Destination { buffer: Some(LIMIT), ..destination(elasticsearch(true), Compression::None) };
    let open = |settings: &Destination| {
        let stats = Arc::default();
        let buffer =
            Buffer::open(bench.dir.path(), settings, &stats, &bench.budget).expect("opens");
        (buffer, stats)
    };
    let (buffer, stats) = open(&plain);
    let buffer = buffer.expect("configured");
    assert!(!bench.dir.path().join("buffer").exists(), "nothing is made before it is needed");
    stats.accept(3);
    assert!(buffer.admits() && buffer.append(vec![payload(1, 3)]).await);
    assert_eq!((stats.buffer.records.load(Relaxed), buffer.has_waiting()), (3, true));
    drop(buffer);

    let zipped = Destination { compression: Compression::Fast, ..plain.clone() };
    let (buffer, stats) = open(&zipped);
    assert!(!buffer.expect("configured").has_waiting());
    assert_eq!(stats.routed.load(Relaxed), 0, "what is not sent in this run is no part of it");
    let console = Destination { kind: DestinationKind::Console, ..plain.clone() };
    assert!(open(&console).0.is_none());

    assert_eq!(form::strangers(bench.dir.path(), &["other"]).len(), 1, "whose it was is gone");
    assert!(form::strangers(bench.dir.path(), &["other", "test"]).is_empty());

    let off = Destination { buffer: None, ..plain };
    let (buffer, stats) = open(&off);
    let buffer = buffer.expect("there is something left");
    assert!(!buffer.admits() && stats.routed.load(Relaxed) == 3);
    let taken = buffer.take(false).await.expect("there");
    assert_eq!((number(&taken.payload), stats.in_flight.load(Relaxed)), (1, 3));
    buffer.done(taken.stored).await;
    drop(buffer);
    assert!(open(&off).0.is_none());
}
