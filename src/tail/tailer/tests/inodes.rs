//! Inodes that somebody else has by now, while the agent was away.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use super::archives::{compress, keep_compressed, put};
use super::*;
use crate::tail::inflate::tests::gzip;

/// Has the checkpoint say that its first File had the inode that this path has, as if that had been
/// given away again.
fn give_its_inode(bench: &Bench, to: &str) {
    let inode = fs::symlink_metadata(bench.path(to)).expect("there").ino();
    bench.change_saved(|saved| saved.files[0].inode = inode);
}

/// Has it say what it says where file systems do not tell when a file was made, or an earlier version
/// wrote it.
fn forget_births(bench: &Bench) {
    bench.change_saved(|saved| saved.files.iter_mut().for_each(|file| file.born = None));
}

/// What cannot be opened as a log, under a name that no glob has.
fn make(bench: &Bench, kind: &str) {
    let path = bench.path("other");
    let made = match kind {
        "a directory" => fs::create_dir(path).is_ok(),
        "a FIFO" => Command::new("mkfifo").arg(path).status().expect("runs").success(),
        _ => std::os::unix::net::UnixListener::bind(path).is_ok(),
    };
    assert!(made, "{kind}");
}

#[test]
fn what_is_no_file_and_has_an_unread_files_inode_keeps_nothing_back() {
    for (kind, told) in
        [("a directory", true), ("a FIFO", true), ("a FIFO", false), ("a socket", true)]
    {
        for compressed in [true, false] {
            let mut bench = Bench::new();
            bench.settle = false;
            bench.write("app.log", lines(100, 40));
            bench.start();
            bench.finish();
            bench.came.clear();
            match compressed {
                true => compress(&bench, "app.log"),
                false => bench.remove("app.log"),
            }
            make(&bench, kind);
            give_its_inode(&bench, "other");
            if !told {
                forget_births(&bench);
            }
            bench.settle = true;
            bench.write("app.log", lines(900, 3));
            bench.start().pass(60);
            let text = if compressed { lines(100, 40) } else { String::new() };
            assert_eq!(bench.text("app.log"), text + &lines(900, 3), "{kind}, {compressed}");
            let lost = if compressed { 0 } else { lines(100, 40).len() as u64 };
            assert_eq!(bench.stat(|s| &s.lost_gone), lost, "{kind}, {compressed}");
        }
    }
}

/// The same bytes, the same name or another of the same kind, the same inode: another file.
#[test]
fn a_file_with_the_inode_and_the_bytes_of_one_that_is_gone_is_another() {
    for (from, to) in [("job-1.log", "job-2.log"), ("app.log", "app.log")] {
        let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
        bench.write(from, "start\ndone\n");
        let was = fs::metadata(bench.path(from)).expect("there").created();
        let Ok(was) = was else { return };
        bench.start().pass(1).finish();
        bench.remove(from);
        bench.write_after(to, "start\ndone\n", was);
        give_its_inode(&bench, to);
        bench.came.clear();
        bench.start().pass(2);
        assert_eq!(bench.text(to), "start\ndone\n", "{to}: {:?}", bench.log);
        bench.write(to, "and more\n");
        bench.pass(2);
        assert_eq!(bench.text(to), "start\ndone\nand more\n", "{to}: {:?}", bench.log);
        assert_eq!(bench.stat(|s| &s.lost_gone), 0);
    }
}

/// Nothing is known of it but the inode.
#[test]
fn a_log_with_an_empty_files_inode_goes_by_its_own_name() {
    for told in [true, false] {
        let forget = |bench: &Bench| {
            if !told {
                forget_births(bench)
            }
        };
        let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
        bench.write("error.log", "");
        bench.start().pass(1).finish();
        bench.remove("error.log");
        bench.write("worker.log", lines(0, 10));
        give_its_inode(&bench, "worker.log");
        forget(&bench);
        bench.start().pass(2);
        bench.write("error.log", lines(50, 1));
        bench.pass(2);
        assert_eq!(bench.text("worker.log"), lines(0, 10), "{told}: {:?}", bench.log);
        assert_eq!(bench.text("error.log"), lines(50, 1), "{told}");
        // An empty file that was renamed is still the one that it was.
        let mut bench = Bench::with(|options| options.files = vec!["*.log*".to_owned()]);
        bench.write("error.log", "");
        bench.start().pass(1).finish();
        bench.rename("error.log", "error.log.1");
        bench.write("error.log.1", lines(0, 10));
        forget(&bench);
        bench.start().pass(2);
        assert_eq!(bench.text("error.log"), lines(0, 10), "{told}");
    }
}

/// The same of one that was closed for want of descriptors, while the agent runs.
#[test]
fn a_closed_files_inode_and_bytes_are_not_enough_to_know_it_by() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    bench.options.max_open = 1;
    bench.write("a.log", "start\ndone\n");
    let was = fs::metadata(bench.path("a.log")).expect("there").created();
    let Ok(was) = was else { return };
    bench.start().pass(2);
    bench.write("b.log", "one\n");
    bench.pass(3);
    bench.remove("a.log");
    bench.write_after("a.log", "start\ndone\n", was);
    bench.pass(5);
    assert_eq!(bench.text("a.log"), "start\ndone\n".repeat(2), "{:?}", bench.log);
}

/// A file that the agent may not open may be its File; with a compressed one that is, it is not.
#[test]
fn a_rotation_is_read_though_an_unreadable_file_has_its_originals_inode() {
    if rustix::process::geteuid().is_root() {
        // Permissions mean nothing to it: the test of the same by the real binary gives that up.
        return;
    }
    let mut bench = Bench::new();
    bench.write("app.log", lines(100, 20));
    bench.start().pass(2).finish();
    bench.write("app.log", lines(120, 20));
    keep_compressed(&bench, "app.log", "app.log.1.gz");
    bench.remove("app.log");
    bench.write("heap.dump", "anything");
    give_its_inode(&bench, "heap.dump");
    forget_births(&bench);
    fs::set_permissions(bench.path("heap.dump"), fs::Permissions::from_mode(0o0)).expect("set");
    bench.start().pass(5);
    assert_eq!(bench.text("app.log"), lines(100, 40), "{:?}", bench.log);
}

/// A banner of two kilobytes or of twenty, and lines.
fn generation(banner: usize, from: usize, count: usize) -> Vec<u8> {
    ("the same banner at each start\n".repeat(banner) + &lines(from, count)).into_bytes()
}

/// Of two generations that begin alike the first was read and is gone; the second was compressed while
/// the agent was away.
#[test]
fn a_generation_that_begins_as_one_before_it_is_no_copy_of_that() {
    for (first, second) in [(3000, 3000), (3000, 2990), (300, 300), (300, 299)] {
        for alive in [true, false] {
            let mut bench = Bench::with(|options| {
                options.files = vec!["app.log".to_owned(), "*.gz".to_owned()];
            });
            bench.write("app.log", generation(40, 10_000, first));
            bench.start().pass(2);
            if alive {
                bench.remove("app.log");
                bench.pass(30).finish();
            } else {
                bench.finish();
                bench.remove("app.log");
                bench.start().pass(30).finish();
            }
            bench.came.clear();
            put(&bench, "app.log.1.gz", &gzip(&generation(40, 50_000, second)));
            bench.start().pass(30);
            let came: String = bench.came.keys().map(|name| bench.text(name)).collect();
            let found = came.matches("line 5").count();
            assert_eq!(found, second, "{first}, {second}, {alive}: {:?}", bench.log);
        }
    }
}
