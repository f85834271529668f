//! What the tail read, and how far behind it is.

use std::sync::atomic::Ordering;

use pillion_parsers::redact::Redactor;

use super::{Counted, Page, get};

pub(super) fn show(page: &mut Page, counted: &Counted) {
    let tail = &counted.tail;
    for (name, help, value) in [
        ("read_bytes", "Bytes read from files", &tail.bytes_read),
        (
            "returned_bytes",
            "Bytes read that were no records yet when a configuration was loaded, and are read again",
            &tail.bytes_returned,
        ),
        ("read_lines", "Lines read from files", &tail.lines_read),
        ("cut_lines", "Lines longer than max_record", &tail.cut_lines),
        ("cut_bytes", "Bytes left out of lines longer than max_record", &tail.cut_bytes),
        ("zero_bytes_skipped", "Zero bytes skipped where a line should begin", &tail.zeros_skipped),
        ("read_errors", "Failed reads", &tail.read_errors),
        ("watcher_overflows", "Times the kernel's event queue overflowed", &tail.watcher_overflows),
        ("rescans", "Looks round all directories", &tail.rescans),
        ("budget_pauses", "Times reading stopped for lack of budget", &tail.budget_pauses),
        ("checkpoint_saves", "Checkpoints saved", &tail.saves),
        ("checkpoint_save_errors", "Checkpoints that could not be saved", &tail.save_errors),
    ] {
        page.counter(name, help, [(vec![], get(value))]);
    }
    let reason = |reason: &str, value| (vec![("reason", reason.to_owned())], get(value));
    page.counter(
        "lost_bytes",
        "Bytes of files that could not be read any more, by reason",
        [
            reason("truncated", &tail.lost_truncated),
            reason("gone", &tail.lost_gone),
            reason("pin", &tail.lost_pin),
            reason("damaged", &tail.lost_damaged),
        ],
    );
    page.counter(
        "truncations",
        "Files found truncated, by how it was noticed",
        [reason("shorter", &tail.truncated_shorter), reason("regrown", &tail.truncated_regrown)],
    );
    let refused = &tail.refused;
    page.counter(
        "refused_files",
        "Paths that matched and are not tailed, by reason",
        [
            reason("not_regular", &refused.not_regular),
            reason("directory", &refused.directory),
            reason("denied", &refused.denied),
            reason("escapes", &refused.escapes),
            reason("own_log", &refused.own_log),
            reason("too_many_open", &refused.too_many_open),
            reason("beyond_bounds", &refused.beyond_bounds),
            reason("other", &refused.other),
        ],
    );
    for (name, help, value) in [
        ("open_files", "Files held open", get(&tail.open_files)),
        ("pinned_bytes", "Bytes on the disk of deleted files held open", get(&tail.pinned_bytes)),
        ("known_files", "Files known, closed ones included", get(&tail.known_files)),
        (
            "waiting_files",
            "Files that wait for another to be closed, since no more may be open",
            get(&tail.waiting_files),
        ),
        ("lineages", "Paths with their rotations", get(&tail.lineages)),
        ("lag_bytes", "Bytes in files that are not settled everywhere", get(&tail.lag_bytes)),
        (
            "polling",
            "1 while files are polled because events do not come",
            u64::from(tail.polling.load(Ordering::Relaxed)),
        ),
    ] {
        page.gauge(name, help, [(vec![], value as f64)]);
    }
    page.gauge(
        "budget_paused_seconds",
        "Time that reading was stopped for lack of budget",
        [(vec![], get(&tail.budget_paused_nanos) as f64 / 1e9)],
    );
    let mut redactor = Redactor::new(counted.redact.clone());
    let lagging = tail.lagging().into_iter().map(|lag| {
        let source = counted.sources.get(lag.source).map(|it| it.name.clone()).unwrap_or_default();
        let path = redactor.clean(&lag.path).to_string();
        (vec![("source", source), ("path", path)], lag.bytes as f64)
    });
    page.gauge("file_lag_bytes", "The files furthest behind, and by how much", lagging);
}
