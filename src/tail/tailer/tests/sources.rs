//! Several sources of the same files, and sources that go elsewhere than before.

use super::archives::compress;
use super::*;

/// Two sources have the same files, and one of them is done with a compressed one.
#[test]
fn what_a_compressed_file_is_to_one_source_says_nothing_to_another() {
    let mut bench = Bench::with(|options| {
        options.again = vec!["app.log*".to_owned()];
        options.destinations = vec!["search", "spare"];
    });
    bench.write("app.log", lines(100, 20));
    bench.start().finish();
    bench.write("app.log", lines(120, 20));
    bench.rename("app.log", "app.log.1");
    compress(&bench, "app.log.1");
    bench.settle = false;
    bench.start();
    for _ in 0..5 {
        let number = |source| bench.opened.iter().rfind(|it| it.source == source).map(|it| it.file);
        let again = number(1).expect("opened");
        for chunk in bench.held.iter().filter(|chunk| chunk.file == again) {
            settle(&bench.tracker, 1, chunk);
        }
        bench.pass(1);
    }
    bench.finish();
    assert_ne!(bench.saved().tombstones[0].archive, 0, "the second source is done");
    bench.came.clear();
    bench.settle = true;
    bench.start().pass(5);
    assert_eq!(bench.text("app.log"), lines(120, 20), "{:?}", bench.log);
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
}

/// What is left of it where its source does not go any more is no loss.
#[test]
fn what_a_destination_missed_that_a_source_does_not_go_to_is_no_loss() {
    let mut bench = Bench::with(|options| options.destinations = vec!["search", "grafana"]);
    bench.settle = false;
    bench.write("app.log", lines(0, 20));
    bench.start();
    for chunk in std::mem::take(&mut bench.held) {
        settle(&bench.tracker, 0, &chunk);
    }
    bench.pass(2).finish();
    bench.options.again = vec!["other.log".to_owned()];
    bench.remove("app.log");
    bench.start().pass(5);
    assert_eq!(bench.stat(|stats| &stats.lost_gone), 0);
}
