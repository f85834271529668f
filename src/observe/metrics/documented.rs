//! The page against its description in `docs/operations.md`: it names the metrics that are served, no
//! more and no fewer.

use std::collections::BTreeSet;

use super::*;
use crate::pipeline::stats::SourceStats;
use crate::tail::stats::FileLag;

const OPERATIONS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md"));

/// The words of a text that are metrics' names, without what a counter's samples end in.
fn metrics(words: impl Iterator<Item = impl AsRef<str>>) -> BTreeSet<String> {
    words
        .filter_map(|word| {
            let name = word.as_ref().strip_prefix("pillion_")?;
            Some(name.strip_suffix("_total").unwrap_or(name).to_owned())
        })
        .collect()
}

#[test]
fn the_metrics_described_are_those_served() {
    let tail = TailStats::default();
    tail.show_lag(vec![FileLag { source: 0, path: "/var/log/a.log".into(), bytes: 1 }]);
    let worker = PipelineStats::new(1, 1);
    worker.count_choice(&"json".into(), true);
    let counted = Counted {
        sources: vec![Arc::new(SourceStats::new("app"))],
        destinations: vec![("search".to_owned(), Arc::new(DestinationStats::default()))],
        rules: vec!["email".to_owned()],
        steps: vec![("drop-1".to_owned(), true)],
        tail: Arc::new(tail),
        workers: vec![Arc::new(worker)],
        budget: Budget::new(1),
        redact: pillion_parsers::redact::Rules::builtin_default(),
    };
    let page = page(&counted, &Loaded::new(None));
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let served = metrics(types.filter_map(|line| line.split(' ').next()));
    assert!(served.len() > 50, "{page}");

    let described = metrics(OPERATIONS.split('`'));
    let missing: Vec<_> = served.difference(&described).collect();
    let invented: Vec<_> = described.difference(&served).collect();
    assert!(missing.is_empty(), "docs/operations.md does not describe {missing:?}");
    assert!(invented.is_empty(), "docs/operations.md describes {invented:?}, which are not served");

    // The table says what is a counter: its samples end in `_total`.
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a name and a type");
        let total = OPERATIONS.contains(&format!("| `{name}_total` |"));
        assert_eq!(total, kind == "counter", "docs/operations.md on {name}");
    }
}
