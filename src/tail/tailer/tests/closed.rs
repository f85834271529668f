//! Files without a handle: read to their end and at rest, or closed for want of descriptors.

use super::archives::{compress, put};
use super::*;
use crate::tail::inflate::tests::gzip;

fn many(options: &mut Options) {
    options.files = vec!["*.log".to_owned()];
}

/// To the tail, a file with a known inode, other bytes and another name is an inode reused.
#[test]
fn a_reused_inode_is_shipped_under_its_own_name_or_not_at_all() {
    for (name, path) in
        [("heap.hprof", None), ("other.log", Some("other.log")), ("app.log.2", Some("app.log"))]
    {
        let mut bench = Bench::with(many);
        bench.write("app.log", lines(0, 10));
        bench.start();
        bench.rename("app.log", "app.log.1");
        bench.write("app.log", lines(10, 10));
        bench.pass(40);
        assert_eq!(bench.stat(|s| &s.open_files), 1, "the old one is at rest");
        bench.rename("app.log.1", name);
        bench.truncate(name);
        bench.write(name, lines(700, 20));
        bench.pass(12);
        let mut expect = BTreeMap::from([("app.log".to_owned(), lines(0, 20))]);
        if let Some(path) = path {
            expect.entry(path.to_owned()).or_default().push_str(&lines(700, 20));
        }
        let came: BTreeMap<_, _> =
            bench.came.keys().map(|path| (path.clone(), bench.text(path))).collect();
        assert_eq!(came, expect, "{name}");
    }
}

#[test]
fn files_that_end_in_half_a_line_make_room_for_others() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 20;
    for n in 0..200 {
        bench.write(&format!("{n}.log"), "first line\nhalf");
    }
    bench.start().pass(20);
    assert_eq!(bench.came.len(), 200);
    assert_eq!(bench.stat(|s| &s.waiting_files), 0);
    for n in 0..200 {
        bench.write(&format!("{n}.log"), " a line\n");
    }
    bench.pass(20);
    for n in 0..200 {
        assert_eq!(bench.text(&format!("{n}.log")), "first line\nhalf a line\n");
    }
}

#[test]
fn files_that_wait_for_a_descriptor_are_shown() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 20;
    let all = bench.budget.try_take(8 * MIB).expect("free");
    for n in 0..30 {
        bench.write(&format!("{n}.log"), "a line\n");
    }
    bench.start();
    assert_eq!(bench.stat(|s| &s.waiting_files), 10, "none could be read");
    drop(all);
    bench.pass(3);
    assert_eq!((bench.came.len(), bench.stat(|s| &s.waiting_files)), (30, 0));
}

#[test]
fn no_more_files_are_known_than_may_be() {
    let mut bench = Bench::with(many);
    bench.options.max_known = 20;
    for n in 0..30 {
        bench.write(&format!("{n}.log"), "a line\n");
    }
    bench.start().pass(3);
    assert_eq!(bench.came.len(), 20);
    assert_eq!(bench.stat(|s| &s.refused.beyond_bounds), 1);
    let read: Vec<String> = bench.came.keys().cloned().collect();
    for name in read {
        bench.remove(&name);
    }
    bench.pass(30);
    assert_eq!(bench.came.len(), 30, "when others are gone");
}

#[test]
fn no_more_compressed_files_are_known_than_may_be() {
    let mut bench = Bench::new();
    bench.options.max_known = 20;
    for n in 0..30 {
        bench.write(&format!("{n}.gz"), "anything");
    }
    bench.write("app.log", "a line\n");
    bench.start().pass(5);
    assert_eq!(bench.text("app.log"), "a line\n");
    assert_eq!(bench.stat(|s| &s.refused.beyond_bounds), 1, "said once");
}

#[test]
fn a_closed_file_that_grows_and_is_renamed_is_read_at_once() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 20;
    for n in 0..60 {
        bench.write(&format!("{n}.log"), "one\n");
    }
    bench.start().pass(3);
    for n in 0..60 {
        bench.write(&format!("{n}.log"), "two\n");
        bench.rename(&format!("{n}.log"), &format!("{n}.log.1"));
    }
    bench.pass(5);
    for n in 0..60 {
        assert_eq!(bench.text(&format!("{n}.log")), "one\ntwo\n", "{n}");
        bench.remove(&format!("{n}.log.1"));
    }
    bench.pass(60);
    assert_eq!((bench.stat(|s| &s.lost_gone), bench.stat(|s| &s.known_files)), (0, 0));
}

#[test]
fn what_was_seen_to_grow_and_got_no_descriptor_is_counted_when_it_goes() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 1;
    bench.write("a.log", "one\n");
    bench.start().pass(2);
    bench.settle = false;
    bench.write("b.log", "one\n");
    bench.pass(3);
    // Open as long as it is not settled.
    bench.remove("b.log");
    bench.pass(3);
    bench.write("a.log", lines(0, 100));
    bench.pass(3);
    assert_eq!(bench.stat(|s| &s.waiting_files), 1);
    assert_eq!(bench.stat(|s| &s.lag_bytes), lines(0, 100).len() as u64 + 4);
    bench.remove("a.log");
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.lost_gone), lines(0, 100).len() as u64);
}

#[test]
fn a_file_at_rest_that_got_no_descriptor_at_first_is_read_later() {
    let mut bench = Bench::new();
    bench.options.max_open = 1;
    bench.write("app.log", "one\n");
    bench.start().pass(2);
    bench.rename("app.log", "app.log.1");
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 0, "at rest");
    bench.settle = false;
    bench.write("app.log", "two\n");
    bench.pass(3);
    bench.remove("app.log");
    bench.pass(3);
    bench.write("app.log.1", "three\n");
    bench.pass(5);
    assert_eq!(bench.text("app.log"), "one\ntwo\n");
    bench.settle_held();
    bench.pass(60);
    assert_eq!(bench.text("app.log"), "one\ntwo\nthree\n");
}

#[test]
fn half_a_line_in_a_closed_file_is_shipped_when_it_is_renamed_or_counted_when_it_goes() {
    for removed in [false, true] {
        let mut bench = Bench::with(many);
        bench.options.max_open = 16;
        for n in 0..40 {
            bench.write(&format!("{n}.log"), "one\nhalf");
        }
        bench.start().pass(5);
        for n in 0..40 {
            bench.rename(&format!("{n}.log"), &format!("{n}.log.1"));
        }
        bench.pass(2);
        if removed {
            for n in 0..40 {
                bench.remove(&format!("{n}.log.1"));
            }
        }
        bench.pass(120);
        let shipped = bench.came.values().filter(|bytes| bytes.ends_with(b"half")).count() as u64;
        assert_eq!(shipped + bench.stat(|s| &s.lost_gone) / 4, 40, "{removed}");
        assert!(removed || shipped == 40, "{shipped}");
        assert_eq!(bench.stat(|s| &s.open_files), 0);
    }
}

#[test]
fn a_restart_opens_no_more_files_than_may_be_open() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 20;
    for n in 0..60 {
        bench.write(&format!("{n}.log"), "one\n");
    }
    bench.start().pass(5).finish();
    for n in 0..60 {
        bench.write(&format!("{n}.log"), "two\n");
    }
    let all = bench.budget.try_take(8 * MIB).expect("free");
    bench.start().pass(2);
    assert!(bench.stat(|s| &s.open_files) <= 20, "{}", bench.stat(|s| &s.open_files));
    drop(all);
    bench.pass(20);
    for n in 0..60 {
        assert_eq!(bench.text(&format!("{n}.log")), "one\ntwo\n");
    }
}

/// What the processor was busy for, for each look at the directory after a restart with so many files, of which
/// few may be open.
fn busy_for_a_look(files: u32) -> Duration {
    let mut bench = Bench::with(many);
    bench.options.max_open = 5000;
    for n in 0..files {
        bench.write(&format!("{n}.log"), "one\n");
    }
    bench.start().pass(2).finish();
    bench.options.max_open = 60;
    let busy = || {
        let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        text.split(' ').next().and_then(|nanos| nanos.parse().ok()).map(Duration::from_nanos)
    };
    let before = busy();
    bench.start().pass(1);
    let took = busy().zip(before).map(|(after, before)| after - before).expect("a number");
    let looks = bench.stat(|s| &s.rescans);
    took / u32::try_from(looks.max(1)).expect("few")
}

/// Nothing is read while directories are looked at: that must not take a time for each pair of files. Listed for each
/// file, four times the files would take sixteen times as long.
#[test]
fn a_restart_with_many_more_files_than_descriptors_lists_each_directory_once() {
    // The better of two: what else the machine does counts for little, then.
    let best = |files| busy_for_a_look(files).min(busy_for_a_look(files));
    let (few, many) = (best(1000), best(4000));
    assert!(many < few * 8, "{few:?} for 1,000 files, {many:?} for 4,000");
}

#[test]
fn what_is_written_behind_a_link_that_leads_elsewhere_now_is_read() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 16;
    let runtime = bench.dir.path().join("runtime");
    fs::create_dir(&runtime).expect("made");
    bench.options.links_to = vec![runtime.clone()];
    let link = |bench: &Bench, n: usize, to: &str| {
        append(&runtime.join(to), format!("{to}\n").as_bytes());
        std::os::unix::fs::symlink(runtime.join(to), bench.path("new")).expect("linked");
        bench.rename("new", &format!("{n}.log"));
    };
    for n in 0..40 {
        link(&bench, n, &format!("old{n}"));
    }
    bench.start().pass(5);
    assert_eq!(bench.came.len(), 40);
    for n in 0..40 {
        link(&bench, n, &format!("new{n}"));
    }
    bench.pass(5);
    for n in 0..40 {
        append(&runtime.join(format!("old{n}")), b"last words\n");
    }
    bench.pass(20);
    for n in 0..40 {
        assert_eq!(bench.text(&format!("{n}.log")), format!("old{n}\nnew{n}\nlast words\n"));
    }
    assert_eq!(bench.stat(|s| &s.lost_gone), 0);
}

/// Of a file of which nothing was read only the inode is known, and that may be anybody's by now.
#[test]
fn an_empty_files_inode_is_no_reason_to_ship_another() {
    for (to, read) in [("heap.hprof", false), ("app.log.1", true)] {
        let mut bench = Bench::new();
        bench.write("app.log", "");
        bench.start().finish();
        bench.rename("app.log", to);
        bench.write(to, "another\n");
        bench.write("app.log", "mine\n");
        bench.start().pass(12);
        let expect = if read { "another\nmine\n" } else { "mine\n" };
        assert_eq!(bench.text("app.log"), expect);
    }
}

#[test]
fn what_a_closed_file_had_left_when_it_was_deleted_is_counted() {
    let mut bench = Bench::with(many);
    bench.options.max_open = 16;
    for n in 0..40 {
        bench.write(&format!("{n}.log"), "one\nhalf");
    }
    bench.start().pass(5);
    assert_eq!(bench.came.len(), 40);
    let open = bench.stat(|s| &s.open_files);
    for n in 0..40 {
        bench.remove(&format!("{n}.log"));
    }
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.lost_gone), (40 - open) * 4);
    let shipped = bench.came.values().filter(|bytes| bytes.ends_with(b"half")).count();
    assert_eq!(shipped as u64, open, "those whose handle was there");
}

/// What could not be read for want of a descriptor is no loss if it is found compressed, and one as soon
/// as it cannot be.
#[test]
fn what_went_unread_is_counted_only_when_it_cannot_be_found_compressed() {
    for found in [true, false] {
        let mut bench = Bench::with(many);
        bench.options.max_open = 1;
        bench.write("a.log", lines(100, 40));
        bench.start().pass(2);
        bench.settle = false;
        bench.write("b.log", "one\n");
        bench.pass(3);
        // Open as long as it is not settled.
        bench.remove("b.log");
        bench.pass(3);
        bench.write("a.log", lines(140, 60));
        bench.pass(3);
        assert_eq!(bench.stat(|s| &s.waiting_files), 1);
        let unread = lines(140, 60);
        match found {
            true => compress(&bench, "a.log"),
            false => {
                put(&bench, "a.log.gz", &gzip(b"another one\n"));
                bench.remove("a.log");
            }
        }
        bench.settle_held();
        bench.settle = true;
        bench.pass(60);
        let (text, lost) = match found {
            true => (lines(100, 100), 0),
            false => (lines(100, 40), unread.len() as u64),
        };
        assert_eq!(bench.text("a.log"), text);
        assert_eq!(bench.stat(|s| &s.lost_gone), lost, "{found}");
    }
}

/// Logs that nobody deletes are not to keep the one that is written from being read.
#[test]
fn of_more_files_than_may_be_known_the_newest_are_read() {
    let mut bench = Bench::with(many);
    bench.options.max_known = 20;
    for n in 0..30 {
        let name = format!("{n}.log");
        put(&bench, &name, b"a line\n");
        let file = File::options().write(true).open(bench.path(&name)).expect("opened");
        let changed = std::time::SystemTime::now() - Duration::from_secs(10_000 - 100 * n);
        file.set_modified(changed).expect("set");
    }
    bench.start().pass(3);
    assert_eq!(bench.came.len(), 20);
    for n in 10..30 {
        assert_eq!(bench.text(&format!("{n}.log")), "a line\n", "{n}");
    }
    assert_eq!(bench.stat(|s| &s.refused.beyond_bounds), 1);
}
