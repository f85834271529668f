//! How fast records are encoded. Not a test of anything: run it with
//! `cargo test --release --lib export::encode::tests::speed -- --ignored --nocapture`;
//! `SPEED=access` keeps to what has that in its title.

use super::*;

const RECORDS: u64 = 200_000;

/// Nanoseconds that this thread has had a processor for: other work on the machine counts less.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("nanoseconds")
}

/// Encodes the records round and round in batches of 5 MiB.
fn run(name: &str, kind: DestinationKind, compression: Compression, specs: &[(usize, Spec)]) {
    let spot = Spot::new(&[("service.name", "shop")]);
    let destination = destination(kind, compression);
    let mut encoder =
        Encoder::new(&destination, Schema::Ecs, "app", &no_rules(), INSTANCE).expect("fine");
    let arena = Arena::new();
    let mut records: Vec<(usize, Record<'_>)> =
        specs.iter().map(|(length, spec)| (*length, spec.record())).collect();
    let mut redactor = Redactor::new(Arc::new(Rules::off()));
    let mut block = BlockState::default();
    let lent: Vec<(usize, Redacted<'_, '_>)> = records
        .iter_mut()
        .map(|(length, record)| {
            (*length, redactor.redact("", record, &arena, &mut block).expect("kept"))
        })
        .collect();
    let (mut input, mut plain, mut wire) = (0, 0, 0);
    let start = processor();
    for (number, (length, record)) in (0..RECORDS).zip(lent.iter().cycle()) {
        encoder.encode(record, &spot.at(input as u64));
        input += length;
        if encoder.plain_bytes() > 5 << 20 || number + 1 == RECORDS {
            let payload = encoder.finish().payload.expect("records");
            plain += payload.plain_bytes;
            wire += payload.body.len();
        }
    }
    let seconds = (processor() - start) / 1e9;
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "{name:>28}: {:6.0} MB/s in, {:6.0} MB/s out, {:.2} s/GB in, {:.2} x plain, {:.3} x wire",
        megabytes(input) / seconds,
        megabytes(plain) / seconds,
        seconds / megabytes(input) * 1e3,
        megabytes(plain) / megabytes(input),
        megabytes(wire) / megabytes(input),
    );
}

/// Access log lines with something of the variety of real ones.
fn access() -> Vec<(usize, Spec)> {
    let line = |n: u32| {
        let mix = n.wrapping_mul(2_654_435_761);
        let target = format!("/shop/{}/items/{}?page={}", mix % 97, mix % 7_919, mix % 13);
        let agent = [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0",
            "curl/8.5.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
        ][(mix % 3) as usize];
        let spec = Spec::default()
            .at(NOON + i64::from(n) * 1_000_000_000, ClockUnit::Second)
            .known(Known::ClientIp, text(&format!("192.0.{}.{}", mix % 5, mix % 251)))
            .known(Known::Method, text(if mix.is_multiple_of(9) { "POST" } else { "GET" }))
            .known(Known::Target, text(&target))
            .known(Known::Protocol, text("HTTP/1.1"))
            .known(Known::Status, Owned::Number("200".into()))
            .known(Known::Bytes, Owned::Number((mix % 50_000).to_string()))
            .known(Known::Referrer, text("https://shop.example/start"))
            .known(Known::UserAgent, text(agent));
        (target.len() + agent.len() + 105, spec)
    };
    (0..5_000).map(line).collect()
}

/// Lines of a JSON logger.
fn structured() -> Vec<(usize, Spec)> {
    let line = |n: u32| {
        let mix = n.wrapping_mul(2_654_435_761);
        let message = format!("order {} placed by customer {}", mix % 100_003, mix % 7_919);
        let trace = format!("{mix:032x}");
        let mut spec = Spec::message(&message)
            .at(NOON + i64::from(n) * 1_000_000, ClockUnit::Millisecond)
            .known(Known::Logger, text("com.example.shop.OrderService"))
            .known(Known::Thread, text("http-nio-8080-exec-3"))
            .known(Known::TraceId, text(&trace))
            .with("duration_ms", Owned::Number((mix % 900).to_string()))
            .with("order_id", Owned::Number((mix % 100_003).to_string()))
            .with("path", Owned::Escaped("\\/api\\/orders".into()))
            .with("tags", Owned::Json("[\"a\",\"b\"]".into()));
        spec.level = Some(Level::Info);
        (message.len() + 290, spec)
    };
    (0..5_000).map(line).collect()
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let only = std::env::var("SPEED").unwrap_or_default();
    for (name, specs) in [("access", access()), ("structured", structured())] {
        for (what, kind, compression) in [
            ("bulk, plain", elasticsearch(true), Compression::None),
            ("bulk, gzip 1", elasticsearch(true), Compression::Fast),
            ("bulk, gzip 6", elasticsearch(true), Compression::Small),
            ("push, snappy", loki(LokiFormat::Protobuf, true, &[]), Compression::Fast),
            ("push, JSON gzip 1", loki(LokiFormat::Json, true, &[]), Compression::Fast),
            ("lines", DestinationKind::Console, Compression::None),
        ] {
            let title = format!("{name}, {what}");
            if title.contains(&only) {
                run(&title, kind, compression, &specs);
            }
        }
    }
}
