//! What is opened and what is not, on a real directory.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{FileType, mknodat};

use super::*;

/// `root/` with things in it, and `outside/` beside it.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |path: &str| dir.path().join(path);
    for name in ["root/sub", "outside/pods"] {
        fs::create_dir_all(at(name)).expect("made");
    }
    for name in ["root/a.log", "root/sub/b.log", "outside/secret", "outside/pods/c.log"] {
        fs::write(at(name), name).expect("written");
    }
    for (target, link) in [
        ("a.log", "root/relative"),
        ("../outside/secret", "root/out"),
        ("../outside/pods/c.log", "root/pod"),
        ("sub", "root/dir"),
        ("../outside", "root/outdir"),
        ("circle", "root/circle"),
        ("nothing", "root/dangling"),
    ] {
        symlink(target, at(link)).expect("linked");
    }
    symlink(at("root/sub/b.log"), at("root/absolute")).expect("linked");
    symlink("/proc/self/fd/0", at("root/magic")).expect("linked");
    mknodat(CWD, at("root/fifo"), FileType::Fifo, Mode::RWXU, 0).expect("made");
    dir
}

fn outcome(result: Result<OpenFile, Refusal>) -> String {
    match result {
        Ok(OpenFile { file: Handle::Plain(file), .. }) => io::read_to_string(file).expect("read"),
        Ok(other) => format!("{other:?}"),
        Err(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn only_regular_files_below_the_root_are_opened() {
    let dir = prepared();
    let allowed = Allowed::new([dir.path().join("root").as_path()], Path::new("/nowhere"));
    for (name, expect) in [
        ("a.log", "root/a.log"),
        ("sub/b.log", "root/sub/b.log"),
        ("relative", "root/a.log"),
        ("absolute", "root/sub/b.log"),
        ("dir/b.log", "root/sub/b.log"),
        ("out", "Escapes"),
        ("pod", "Escapes"),
        ("outdir/secret", "Escapes"),
        ("../outside/secret", "Escapes"),
        ("circle", "Escapes"),
        ("dangling", "Vanished"),
        ("none", "Vanished"),
        ("fifo", "NotRegular"),
        ("sub", "Directory"),
    ] {
        assert_eq!(outcome(open(&allowed, &dir.path().join("root").join(name))), expect, "{name}");
    }
    let magic = open(&allowed, &dir.path().join("root/magic"));
    assert!(matches!(magic, Err(Refusal::Escapes | Refusal::Vanished)), "{magic:?}");
}

#[test]
fn further_directories_may_be_allowed() {
    let dir = prepared();
    let roots = [dir.path().join("root"), dir.path().join("outside/pods")];
    let allowed = Allowed::new(roots.iter().map(PathBuf::as_path), Path::new("/nowhere"));
    assert_eq!(outcome(open(&allowed, &dir.path().join("root/pod"))), "outside/pods/c.log");
    assert_eq!(outcome(open(&allowed, &dir.path().join("root/out"))), "Escapes");
}

#[test]
fn a_link_swapped_in_after_resolving_is_not_followed() {
    let dir = prepared();
    let root = dir.path().join("root").canonicalize().expect("resolved");
    for name in ["out", "outdir/secret", "dir/b.log"] {
        // What `open` would do if the name had been a plain one when it was resolved.
        let error = open_beneath(&root, Path::new(name)).expect_err("refused");
        assert!(matches!(Refusal::from(error), Refusal::Escapes | Refusal::Vanished), "{name}");
        let base = || OwnedFd::from(File::open(&root).expect("opened"));
        let error = walk_beneath(base(), Path::new(name)).expect_err("refused");
        assert!(matches!(Refusal::from(error), Refusal::Escapes | Refusal::Vanished), "{name}");
    }
    let base = OwnedFd::from(File::open(&root).expect("opened"));
    let file = walk_beneath(base, Path::new("sub/b.log")).expect("opened");
    assert_eq!(io::read_to_string(File::from(file)).expect("read"), "root/sub/b.log");
}
