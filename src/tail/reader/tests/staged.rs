//! Files that are truncated and written anew between two calls of one step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::tail::handle::Stage;

impl Bench {
    /// Truncates the file and writes it anew, once: right before the first other read after the `nth` of
    /// those that bring lines.
    fn truncate_after(&mut self, nth: usize, anew: Vec<u8>) {
        let [file, writer] = [(); 2].map(|()| self.writer.try_clone().expect("another handle"));
        let (read, done) = (AtomicUsize::new(0), AtomicBool::new(false));
        let act = move |call: &str| {
            if call == "read both" {
                read.fetch_add(1, Ordering::Relaxed);
            } else if call == "read"
                && read.load(Ordering::Relaxed) >= nth
                && !done.swap(true, Ordering::Relaxed)
            {
                writer.set_len(0)?;
                writer.write_all_at(&anew, 0)?;
            }
            Ok(())
        };
        self.reader.file = Some(Handle::Staged(file, Stage(Box::new(act))));
    }
}

/// Whether it was taken for another file, before a byte of that was taken for a continuation.
fn noticed(seen: &[String]) -> bool {
    seen.last().is_some_and(|last| last.starts_with("Replaced"))
}

#[test]
fn a_file_that_is_truncated_while_it_is_read_is_not_gone_on_with_in_the_middle_of_another_line() {
    let long = |text: &str, len: usize| text.repeat(len / text.len()) + "\n";
    let contents = [
        ("first line\n".to_owned(), "second\n".to_owned()),
        (String::new(), "second\n".to_owned()),
        (long("a ", 2000), long("b ", 60)),
        // Cut: its end is looked at by itself.
        ("first line\n".to_owned(), long("c ", 400)),
        (String::new(), long("d ", 400)),
        // Skipped.
        ("first line\n".to_owned(), "\0".repeat(40) + "after zeros\n"),
        ("first line\n".to_owned(), "\0".repeat(700) + "after zeros\n"),
    ];
    let others = ["x".repeat(30) + "\n", "\0".repeat(50), String::new()];
    for (at, (before, then)) in contents.iter().enumerate() {
        for (other, nth) in others.iter().flat_map(|other| [(other, 1), (other, 2)]) {
            let mut bench = Bench::new(before.as_bytes());
            bench.run();
            bench.append(then.as_bytes());
            let anew = other.repeat(200) + &"y".repeat(4000) + "\nlast\n";
            bench.truncate_after(nth, anew.clone().into_bytes());
            let mut seen = bench.run();
            let known = bench.reader.prefix;
            let first = format!("0..{} ", then.len());
            if before.is_empty() && !seen.first().is_some_and(|it| it.starts_with(&first)) {
                // It was another before a line of it was read.
                let begins = &anew.as_bytes()[..usize::from(known.len)];
                let its = known.len == 0 || Prefix::of(begins) == known;
                assert!(its, "{at}, {other:?}, {nth}: {seen:?}");
                continue;
            }
            if !noticed(&seen) {
                // Nothing was read after the lines.
                bench.writer.set_len(0).expect("truncated");
                bench.writer.write_all_at(anew.as_bytes(), 0).expect("written");
                seen.extend(bench.run());
            }
            assert!(noticed(&seen), "{at}, {other:?}, {nth}: {seen:?}");
            let others = seen.iter().any(|it| it.contains("yy") || it.contains("xx"));
            assert!(!others, "{at}, {nth}: {seen:?}");
            // What it is known by is not the other's.
            let was = format!("{before}{then}").into_bytes();
            let len = usize::from(bench.reader.prefix.len);
            assert_eq!(Prefix::of(&was[..len]), bench.reader.prefix, "{at}, {other:?}, {nth}");
        }
    }
}
