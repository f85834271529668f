//! How fast payloads go to the disk and come back.

use super::*;

/// `cargo test --release --lib buffer::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut bench = Bench::new();
    let mut disk = bench.open();
    (disk.limit, bench.budget) = (1 << 30, Budget::new(1 << 30));
    let large = Payload { body: vec![7; 1 << 20].into(), ..payload(1, 1) };
    let begun = std::time::Instant::now();
    for _ in 0..400 {
        disk.append(std::slice::from_ref(&large)).expect("room");
    }
    println!("400 payloads of 1 MiB written and synced in {:?}", begun.elapsed());
    bench.stats.adopt(disk.waiting());
    drop(disk);
    let begun = std::time::Instant::now();
    let mut disk = bench.open();
    println!("opened in {:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    while let Take::Payload(_, _, place) = disk.take(&bench.budget, true).expect("readable") {
        disk.done(place);
    }
    println!("taken in {:?}", begun.elapsed());
}
