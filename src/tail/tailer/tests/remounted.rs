//! A volume that has another device number than before.

use super::archives::compress;
use super::*;

/// An agent that shipped ten lines and was away when the volume was mounted anew, and ten more were
/// written.
fn mounted_anew(globs: &str) -> Bench {
    let mut bench = Bench::with(|options| options.files = vec![globs.to_owned()]);
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1).finish();
    bench.write("app.log", lines(10, 10));
    renumber(&bench);
    bench
}

/// Has the checkpoint say that all lay on another device.
fn renumber(bench: &Bench) {
    bench.change_saved(|saved| {
        saved.files.iter_mut().for_each(|file| {
            file.dev += 1_000_000;
            file.dir_dev = file.dir_dev.map(|device| device + 1_000_000);
        });
    });
}

#[test]
fn files_of_a_remounted_volume_are_found_again_whatever_they_are_called_now() {
    for globs in ["app.log", "app.log*"] {
        for rotated in [None, Some("app.log.1"), Some("app.log.7")] {
            let mut bench = mounted_anew(globs);
            let mut expect = lines(0, 20);
            if let Some(to) = rotated {
                bench.rename("app.log", to);
                bench.write("app.log", lines(50, 5));
                expect += &lines(50, 5);
            }
            bench.start().pass(5);
            assert_eq!(bench.text("app.log"), expect, "{globs}, {rotated:?}: {:?}", bench.log);
            assert_eq!(bench.came.len(), 1, "{globs}, {rotated:?}");
            assert_eq!(bench.stat(|s| &s.lost_gone), 0, "{globs}, {rotated:?}");
            bench.pass(1).finish();
            let saved = bench.saved();
            assert_eq!(saved.files.len(), if rotated.is_some() { 2 } else { 1 }, "{saved:?}");
            assert!(saved.files.iter().all(|file| file.dev < 1_000_000), "{saved:?}");
        }
    }
}

/// The volume is not there yet: what lies below its mount point says nothing of its files.
#[test]
fn files_of_a_volume_that_is_not_mounted_are_given_up_only_after_a_while() {
    let mut bench = mounted_anew("app.log*");
    fs::rename(bench.path("app.log"), bench.dir.path().join("aside")).expect("renamed");
    bench.start().pass(30);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0, "not in a hurry");
    fs::rename(bench.dir.path().join("aside"), bench.path("app.log.1")).expect("renamed");
    bench.pass(3);
    assert_eq!(bench.text("app.log"), lines(0, 20), "{:?}", bench.log);
    // One that never comes back is given up, and what it had left is counted.
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.finish();
    renumber(&bench);
    bench.remove("app.log");
    bench.start().pass(30);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0);
    bench.clock.instant += Duration::from_secs(3600);
    bench.pass(5);
    assert_eq!(bench.stat(|s| &s.lost_gone), lines(0, 10).len() as u64);
    bench.finish();
    assert_eq!(bench.saved().files, []);
}

/// Two volumes on which the same was written, in files with the same inode: each is its own.
#[test]
fn a_file_on_another_volume_that_is_alike_is_another() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    bench.write("a.log", lines(0, 10));
    bench.start().pass(1).finish();
    let other = bench.saved().files[0].dev + 1_000_000;
    // What `b.log` is to be: alike, with the same inode, and on another device.
    bench.change_saved(|saved| {
        let mut b = saved.files[0].clone();
        (b.number, b.dev, b.dir_dev) = (saved.next_file, other, Some(other));
        b.path = b.path.replace("a.log", "b.log");
        saved.next_file += 1;
        saved.files.insert(0, b);
    });
    bench.write("a.log", lines(10, 1));
    bench.start().pass(2);
    assert_eq!(bench.text("a.log"), lines(0, 11), "{:?}", bench.log);
    assert_eq!(bench.came.len(), 1);
}

#[test]
fn a_file_of_a_remounted_volume_that_was_compressed_meanwhile_is_read_in_that() {
    let mut bench = mounted_anew("app.log");
    bench.rename("app.log", "app.log.1");
    compress(&bench, "app.log.1");
    bench.write("app.log", lines(50, 5));
    bench.start().pass(10);
    assert_eq!(bench.text("app.log"), lines(0, 20) + &lines(50, 5), "{:?}", bench.log);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0);
}

/// What was read of it is in flight, and it is gone with its volume when the agent is started again.
#[test]
fn a_compressed_rotation_that_was_read_is_waited_for_until_it_is_settled() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().finish();
    bench.write("app.log", lines(10, 10));
    bench.rename("app.log", "app.log.1");
    compress(&bench, "app.log.1");
    bench.settle = false;
    bench.start().pass(4);
    assert_eq!(bench.log.last().map(String::as_str), Some("retired #1, last"));
    bench.finish();
    renumber(&bench);
    fs::rename(bench.path("app.log.1.gz"), bench.dir.path().join("aside")).expect("renamed");
    bench.came.clear();
    bench.settle = true;
    bench.start().pass(30);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0, "not in a hurry");
    fs::rename(bench.dir.path().join("aside"), bench.path("app.log.1.gz")).expect("renamed");
    bench.pass(5);
    assert_eq!(bench.text("app.log"), lines(10, 10), "{:?}", bench.log);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0);
}

/// The same while the agent runs.
#[test]
fn a_file_that_was_rotated_out_of_the_globs_on_a_remounted_volume_is_found_again() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start().pass(1);
    let tailer = bench.tailer.as_mut().expect("started");
    let file = tailer.files.get_mut(&FileNumber(1)).expect("known");
    let before = (file.source, file.id);
    file.id.dev += 1_000_000;
    file.dir_dev = file.dir_dev.map(|device| device + 1_000_000);
    file.reader.file = None;
    let id = file.id;
    tailer.by_disk.remove(&before);
    tailer.by_disk.insert((0, id), FileNumber(1));
    tailer.note_device(id.dev);
    bench.write("app.log", lines(10, 10));
    bench.rename("app.log", "app.log.1");
    bench.write("app.log", lines(50, 5));
    bench.pass(5);
    assert_eq!(bench.text("app.log"), lines(0, 20) + &lines(50, 5), "{:?}", bench.log);
    assert_eq!(bench.opened.iter().filter(|it| it.file == FileNumber(1)).count(), 1);
    assert_eq!(bench.stat(|s| &s.lost_gone), 0);
}

/// A directory on a device of its own, as on overlayfs: nothing is away.
#[test]
fn a_directory_on_another_device_than_its_files_is_no_volume_that_is_away() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.finish();
    bench.change_saved(|saved| saved.files.iter_mut().for_each(|file| file.dev += 1_000_000));
    bench.remove("app.log");
    bench.start().pass(30);
    assert_eq!(bench.stat(|s| &s.lost_gone), lines(0, 10).len() as u64);
}

/// Without births a new volume's file with the same inode number could be anything: it is open, and another.
#[test]
fn a_volume_that_is_gone_for_good_is_given_up_though_its_inodes_are_used_on_the_next_one() {
    let births = |bench: &Bench| {
        bench.change_saved(|saved| saved.files.iter_mut().for_each(|file| file.born = None));
    };
    for other in ["app.log", "app-2.log"] {
        let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
        bench.settle = false;
        bench.write("app.log", lines(0, 10));
        bench.start();
        bench.finish();
        renumber(&bench);
        births(&bench);
        bench.came.clear();
        // The very inode, with other bytes.
        bench.truncate("app.log");
        bench.write("app.log", lines(700, 20));
        if other != "app.log" {
            bench.rename("app.log", other);
        }
        bench.settle = true;
        bench.start().pass(5);
        bench.clock.instant += Duration::from_secs(3700);
        bench.pass(30);
        assert_eq!(bench.text(other), lines(700, 20), "{:?}", bench.log);
        assert_eq!(bench.stat(|s| &s.lost_gone), lines(0, 10).len() as u64, "{other}");
        bench.finish();
        assert_eq!(bench.saved().files.len(), 1);
    }
}
