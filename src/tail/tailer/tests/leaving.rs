//! Files that lost their name: followed while somebody writes, held until they are settled, and let go
//! when too much is held.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn s02_a_writer_that_keeps_a_renamed_file_is_followed_wherever_it_lies() {
    // The second is where nobody looks.
    for to in ["app.log.1", "old/app.log"] {
        let mut bench = Bench::new();
        fs::create_dir(bench.path("old")).expect("made");
        bench.write("app.log", lines(0, 10));
        bench.start();
        let mut writer =
            OpenOptions::new().append(true).open(bench.path("app.log")).expect("opened");
        bench.rename("app.log", to);
        bench.write("app.log", "new\n");
        bench.pass(1);
        let mut expect = lines(0, 10) + "new\n";
        // A thousand in half a minute, and then again after each pause, which are longer and longer.
        let mut next = 10;
        for pause in [0, 20, 60, 600] {
            bench.pass(pause);
            for _ in 0..30 {
                let text = lines(next, 34);
                writer.write_all(text.as_bytes()).expect("written");
                expect += &text;
                next += 34;
                bench.pass(1);
            }
        }
        assert_eq!(bench.text("app.log"), expect, "{to}");
        bench.pass(60);
        assert_eq!(bench.stat(|s| &s.open_files), 1, "{to}: it is closed when it is quiet");
    }
}

#[test]
fn s02_a_writer_of_a_deleted_file_is_followed_while_it_writes() {
    let mut bench = Bench::new();
    bench.write("app.log", lines(0, 10));
    bench.start();
    let mut writer = OpenOptions::new().append(true).open(bench.path("app.log")).expect("opened");
    bench.remove("app.log");
    bench.pass(1);
    let mut next = 10;
    for pause in [9, 9, 9, 25, 25, 25] {
        bench.pass(pause);
        writer.write_all(lines(next, 10).as_bytes()).expect("written");
        next += 10;
    }
    bench.pass(60);
    assert_eq!(bench.text("app.log"), lines(0, next));
    assert_eq!((bench.stat(|s| &s.open_files), bench.stat(|s| &s.known_files)), (0, 0));
}

#[test]
fn s13_a_deleted_file_is_held_until_it_is_settled() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.remove("app.log");
    bench.pass(300);
    assert_eq!(bench.stat(|s| &s.open_files), 1, "it may have to be read again");
    assert!(bench.stat(|s| &s.pinned_bytes) >= 70);
    bench.settle_held();
    bench.pass(3);
    assert_eq!(bench.take_log().last().map(String::as_str), Some("retired #1, last"));
    assert_eq!((bench.stat(|s| &s.open_files), bench.stat(|s| &s.pinned_bytes)), (0, 0));
    assert_eq!(bench.saved().files, []);
}

/// Or its bytes in flight could not be read again once it is deleted.
#[test]
fn a_renamed_file_is_closed_when_it_is_settled() {
    let mut bench = Bench::new();
    bench.settle = false;
    bench.write("app.log", lines(0, 10));
    bench.start();
    bench.rename("app.log", "app.log.1");
    bench.pass(60);
    bench.remove("app.log.1");
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
    bench.settle_held();
    bench.pass(3);
    assert_eq!((bench.stat(|s| &s.open_files), bench.stat(|s| &s.known_files)), (0, 0));
}

fn many(options: &mut Options) {
    options.files = vec!["*.log".to_owned()];
}

#[test]
fn s13_beyond_the_pin_the_file_deleted_longest_ago_is_let_go() {
    let mut bench = Bench::with(many);
    bench.options.pin = 40 << 10;
    bench.write("settled.log", lines(0, 2000));
    bench.start();
    let all = bench.budget.try_take(8 * MIB).expect("free");
    for name in ["one.log", "two.log", "three.log"] {
        bench.write(name, lines(0, 2000));
        bench.pass(1);
        bench.remove(name);
        bench.pass(1);
        if name == "two.log" {
            assert_eq!(bench.stat(|s| &s.lost_pin), 0, "two of them fit");
            // It can be let go without a loss, and is before any other.
            bench.remove("settled.log");
            bench.pass(1);
            assert_eq!(bench.stat(|s| &s.open_files), 2);
        }
    }
    let each = lines(0, 2000).len() as u64;
    assert_eq!((bench.stat(|s| &s.lost_pin), bench.stat(|s| &s.open_files)), (each, 2));
    let pinned = bench.stat(|s| &s.pinned_bytes);
    assert!((2 * each..=40 << 10).contains(&pinned), "{pinned}");
    drop(all);
    bench.pass(15);
    let came: Vec<(&str, usize)> =
        bench.came.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).collect();
    let each = lines(0, 2000).len();
    assert_eq!(came, [("settled.log", each), ("three.log", each), ("two.log", each)]);
    assert_eq!(bench.stat(|s| &s.pinned_bytes), 0);
}

#[test]
fn without_a_pin_a_deleted_file_is_let_go_once_what_can_be_read_was() {
    let mut bench = Bench::new();
    bench.options.pin = 0;
    bench.settle = false;
    bench.write("app.log", lines(0, 10) + "half");
    bench.start();
    bench.remove("app.log");
    bench.pass(2);
    assert_eq!(bench.text("app.log"), lines(0, 10) + "half");
    assert_eq!((bench.stat(|s| &s.open_files), bench.stat(|s| &s.lost_pin)), (0, 0));
    assert!(bench.saved().files[0].gone, "known until it is settled");
}

/// As a kubelet has it: the name that fits leads to one in the pod's directory, and that to the
/// runtime's file.
#[test]
fn s17_links_to_links_that_are_retargeted_cost_no_descriptors() {
    let mut bench = Bench::new();
    let [pods, runtime] = ["pods", "runtime"].map(|name| bench.dir.path().join(name));
    fs::create_dir(&pods).expect("made");
    fs::create_dir(&runtime).expect("made");
    bench.options.links_to = vec![pods.clone(), runtime.clone()];
    let target = |n: usize| runtime.join(format!("{n}.json"));
    for n in 0..30 {
        append(&target(n), lines(n * 10, 5).as_bytes());
        let pod = pods.join(format!("{n}.log"));
        symlink(target(n), &pod).expect("linked");
        symlink(&pod, bench.path("new")).expect("linked");
        bench.rename("new", "app.log");
        if n == 0 {
            bench.start();
        } else {
            // The last words of the one before.
            append(&target(n - 1), lines(n * 10 - 5, 5).as_bytes());
        }
        bench.pass(3);
        let open = bench.stat(|s| &s.open_files);
        assert!(open <= 1 + 30 / 3 + 2, "{n}: {open} are open");
    }
    assert_eq!(bench.text("app.log"), lines(0, 295));
    bench.pass(40);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
    // The runtime removes what nobody links to.
    for n in 0..29 {
        fs::remove_file(target(n)).expect("removed");
    }
    bench.pass(5);
    assert_eq!((bench.stat(|s| &s.known_files), bench.stat(|s| &s.lost_gone)), (1, 0));
}
