//! Faults as a client sees them, on both APIs.

use super::*;

/// What a client sees of a bulk and of a push request under a fault, and how many were stored.
fn under(fault: &Fault) -> (Answer, Answer, u64) {
    let receiver = start(|_| {});
    receiver.faults().set(fault.clone());
    let answers = (bulk(&receiver, &create("a", "x")), push(&receiver, &stream(&[(NOW, "x")])));
    let stored = receiver.requests().stored;
    assert_eq!(receiver.requests().faulted, 2);
    receiver.faults().clear();
    let status = bulk(&receiver, &create("b", "x")).status;
    assert_eq!(status, 200, "{fault:?} is off again");
    (answers.0, answers.1, stored)
}

#[test]
fn statuses_come_with_the_servers_texts() {
    let texts = [
        (401, "security_exception", "no org id"),
        (413, "", "request body too large"),
        (429, "es_rejected_execution_exception", "Ingestion rate limit exceeded"),
        (500, "exception", "empty ring"),
        (503, "cluster_block_exception", "service unavailable"),
    ];
    for (status, bulk_text, push_text) in texts {
        let retry_after = (status == 429).then_some(Duration::from_secs(7));
        let (bulk, push, stored) = under(&Fault::Status { status, retry_after });
        assert_eq!((bulk.status, push.status, stored), (status, status, 0));
        assert!(bulk.text().contains(bulk_text) && push.text().contains(push_text), "{status}");
        let named = [&bulk, &push].map(|answer| answer.head.contains("retry-after: 7"));
        assert_eq!(named, [status == 429; 2]);
    }
}

#[test]
fn a_reset_leaves_the_client_in_doubt() {
    for (stored, count) in [(false, 0), (true, 2)] {
        let (bulk, push, counted) = under(&Fault::Reset { stored });
        assert!(bulk.reset && push.reset && bulk.head.is_empty(), "{bulk:?}");
        assert_eq!(counted, count);
    }
}

#[test]
fn replies_break_off_or_swell() {
    let (bulk, push, stored) = under(&Fault::TruncatedReply);
    let promised = bulk.head.to_lowercase();
    let promised = promised.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let promised: usize = promised.expect("a length").parse().expect("a number");
    assert_eq!(bulk.status, 200);
    assert_eq!(bulk.body.len(), promised / 2);
    assert!(push.head.starts_with("HTTP/1.1 204") && !push.head.contains('\n'));
    assert_eq!(stored, 2);
    let (bulk, push, stored) = under(&Fault::OversizeReply(1 << 20));
    assert!(bulk.body.len() > 1 << 20 && push.body.len() >= 1 << 20);
    assert_eq!((bulk.items().len(), push.status, stored), (1, 500, 2));
}

#[test]
fn a_hanging_request_ends_with_the_server() {
    let mut receiver = start(|_| {});
    receiver.faults().set(Fault::Hang { stored: true });
    let mut client = TcpStream::connect(receiver.address()).expect("it listens");
    let body = create("a", "x");
    let length = body.len();
    write!(
        client,
        "POST /_bulk HTTP/1.1\r\nHost: x\r\n{NDJSON}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("taken");
    assert!(receiver.wait_for(Duration::from_secs(10), |requests| requests.stored == 1));
    receiver.stop();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.is_empty(), "nothing was answered");
}

#[test]
fn a_request_that_is_never_answered_wakes_who_waits_for_it() {
    let receiver = start(|_| {});
    receiver.faults().set(Fault::Reset { stored: false });
    let (began, patience) = (std::time::Instant::now(), Duration::from_secs(20));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            bulk(&receiver, &create("a", "x"))
        });
        assert!(receiver.wait_for(patience, |requests| requests.faulted == 1));
        assert!(began.elapsed() < patience, "woken, not timed out");
    });
}

#[test]
fn slow_is_late_and_otherwise_as_usual() {
    let began = std::time::Instant::now();
    let (bulk, push, stored) = under(&Fault::Slow(Duration::from_millis(20)));
    assert_eq!((bulk.status, push.status, stored), (200, 204, 2));
    assert!(began.elapsed() >= Duration::from_millis(40));
}

#[test]
fn bodies_above_a_size_are_refused() {
    let receiver = start(|_| {});
    receiver.faults().set(Fault::TooLarge(200));
    assert_eq!(bulk(&receiver, &create("a", &"x".repeat(200))).status, 413);
    assert_eq!(bulk(&receiver, &create("a", "x")).status, 200);
    assert_eq!(push(&receiver, &stream(&[(NOW, &"x".repeat(200))])).status, 413);
}

#[test]
fn a_fraction_of_the_records_is_put_off_and_the_same_ones_again_with_the_same_seed() {
    let body: String = (0..100).map(|n| create(&n.to_string(), "x")).collect();
    let statuses = |seed: u64| {
        let receiver = start(|options| options.seed = seed);
        receiver.faults().set(Fault::Records { status: 429, fraction: 0.3 });
        let answer = bulk(&receiver, &body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["errors"], json!(true));
        let items = answer.items();
        let put_off = items.iter().filter(|item| item.0 == 429).count() as u64;
        let requests = receiver.requests();
        assert_eq!((requests.deferred, requests.stored), (put_off, 100 - put_off));
        assert!((10..60).contains(&put_off), "{put_off} of 100");
        items
    };
    assert_eq!(statuses(1), statuses(1));
    assert_ne!(statuses(1), statuses(2));
}

#[test]
fn a_stream_over_its_rate_limit_is_refused_and_the_others_stored() {
    let receiver = start(|_| {});
    let streams: Vec<_> = (0..40)
        .map(|n| json!({"stream": {"app": n.to_string()}, "values": [[NOW.to_string(), "x"]]}))
        .collect();
    let body = json!({"streams": streams});
    receiver.faults().set(Fault::Records { status: 429, fraction: 0.5 });
    let answer = push(&receiver, &body);
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("Per stream rate limit exceeded"));
    let stored = receiver.requests().stored;
    assert!((5..35).contains(&stored), "{stored} of 40");
    receiver.faults().clear();
    assert_eq!(push(&receiver, &body).status, 204);
    let requests = receiver.requests();
    assert_eq!((requests.stored, requests.duplicates), (40, stored));
}
