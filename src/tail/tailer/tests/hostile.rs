//! The shared volume is hostile ground.

use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

#[test]
fn links_lead_only_where_they_may() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    let outside = bench.dir.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("secret"), "secret\n").expect("written");
    fs::write(outside.join("pod"), "pod\n").expect("written");
    symlink(outside.join("secret"), bench.path("a.log")).expect("linked");
    symlink("/etc/passwd", bench.path("b.log")).expect("linked");
    bench.write("target", "inside\n");
    symlink("target", bench.path("c.log")).expect("linked");
    symlink("../logs", bench.path("d.log")).expect("linked");
    bench.start().pass(5);
    assert_eq!(bench.came.keys().collect::<Vec<_>>(), ["c.log"]);
    assert_eq!(bench.stat(|s| &s.refused.escapes), 2, "once each");
    bench.finish();
    bench.options.links_to = vec![outside];
    bench.start();
    assert_eq!(bench.text("a.log"), "secret\n");
    assert_eq!(bench.text("b.log"), "");
}

#[test]
fn a_link_that_is_turned_elsewhere_is_followed_and_the_old_target_read_to_its_end() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    let mut expect = String::new();
    for n in 0..30 {
        fs::create_dir_all(bench.path("..data")).expect("made");
        bench.write(&format!("..data/{n}"), lines(n, 3));
        let _ = fs::remove_file(bench.path("new"));
        symlink(format!("..data/{n}"), bench.path("new")).expect("linked");
        bench.rename("new", "app.log");
        if n == 0 {
            bench.start()
        } else {
            bench.pass(1)
        };
        expect += &lines(n, 3);
    }
    assert_eq!(bench.text("app.log"), expect);
    bench.pass(60);
    assert_eq!(bench.stat(|s| &s.open_files), 1);
}

#[test]
fn what_is_no_file_is_left_alone_and_said_once() {
    let mut bench = Bench::with(|options| options.files = vec!["*".to_owned()]);
    fs::create_dir(bench.path("directory")).expect("made");
    mknodat(CWD, bench.path("fifo"), FileType::Fifo, Mode::RWXU, 0).expect("made");
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket")).expect("bound");
    bench.write("a.log", "a\n");
    bench.write("empty.log", "");
    bench.start().pass(5);
    assert_eq!(bench.came.keys().collect::<Vec<_>>(), ["a.log"]);
    assert_eq!(bench.stat(|s| &s.refused.not_regular), 2);
    assert_eq!(bench.stat(|s| &s.refused.directory), 1);
    // Well again, it is read; ill again, it is said again.
    bench.remove("fifo");
    bench.write("fifo", "now a file\n");
    bench.pass(2);
    assert_eq!(bench.text("fifo"), "now a file\n");
    bench.remove("fifo");
    mknodat(CWD, bench.path("fifo"), FileType::Fifo, Mode::RWXU, 0).expect("made");
    bench.pass(2);
    assert_eq!(bench.stat(|s| &s.refused.not_regular), 3);
}

#[test]
fn a_hundred_megabytes_without_a_newline_are_cut_in_bounded_memory() {
    let mut bench = Bench::with(|options| options.chunk = 128 << 10);
    let mut file = File::create(bench.path("app.log")).expect("made");
    file.write_all(b"before\n").expect("written");
    bench.start();
    for _ in 0..100 {
        file.write_all(&vec![b'x'; MIB]).expect("written");
    }
    bench.pass(2);
    assert_eq!(bench.came["app.log"].len(), 7, "its end is not there yet");
    file.write_all(b"\nafter\n").expect("written");
    bench.pass(2);
    let end = 7 + 100 * MIB;
    assert_eq!(
        bench.log[2..],
        [format!("#1 7..{} Cut", end + 1), format!("#1 {}..{}", end + 1, end + 7)]
    );
    assert_eq!(bench.came["app.log"].len(), 7 + (256 << 10) + 6);
    assert_eq!(bench.stat(|s| &s.cut_bytes), (100 * MIB - (256 << 10)) as u64);
    assert!(bench.budget.peak() <= 512 << 10, "{}", bench.budget.peak());
    bench.pass(2);
    assert_eq!(bench.saved().files[0].marks[0].safe, (end + 7) as u64);
}

#[test]
fn bytes_are_handed_over_as_they_are() {
    let mut bench = Bench::with(|options| options.chunk = 64);
    let mut bytes = b"crlf\r\n\r\n\xff\xfe\x80 not text\n\x1b[31m\n\n\n".to_vec();
    bytes.extend("ä€😀".repeat(40).bytes());
    bytes.push(b'\n');
    for byte in bytes.chunks(5) {
        append(&bench.path("app.log"), byte);
        if bench.tailer.is_none() {
            bench.start()
        } else {
            bench.pass(1)
        };
    }
    assert_eq!(bench.came["app.log"], bytes);
}

#[test]
fn a_file_that_goes_before_it_is_opened_is_no_trouble() {
    let mut bench = Bench::with(|options| options.files = vec!["*.log".to_owned()]);
    symlink("nothing", bench.path("dangling.log")).expect("linked");
    bench.write("a.log", "a\n");
    bench.start();
    bench.remove("a.log");
    fs::remove_dir_all(bench.dir.path().join("logs")).expect("removed");
    bench.pass(30);
    fs::create_dir(bench.dir.path().join("logs")).expect("made");
    bench.write("b.log", "b\n");
    bench.pass(2);
    assert_eq!((bench.text("a.log"), bench.text("b.log")), ("a\n".to_owned(), "b\n".to_owned()));
}

#[test]
fn old_files_are_not_begun_and_new_lines_begin_them() {
    let mut bench = Bench::with(|options| {
        options.files = vec!["*.log".to_owned()];
        options.ignore_older = Some(Duration::from_secs(3600));
    });
    bench.write("old.log", "old\n");
    let file = File::options().append(true).open(bench.path("old.log")).expect("opened");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    file.set_modified(long_ago).expect("set");
    bench.write("new.log", "new\n");
    bench.start();
    assert_eq!(bench.came.keys().collect::<Vec<_>>(), ["new.log"]);
    bench.write("old.log", "more\n");
    bench.pass(2);
    assert_eq!(bench.text("old.log"), "old\nmore\n");
}
