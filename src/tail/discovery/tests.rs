//! Walks over a real directory.

use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::super::settings::TailSource;
use super::*;

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[&str], links: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for name in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("made");
            fs::write(path, name).expect("written");
        }
        for (target, link) in links {
            symlink(target, dir.path().join(link)).expect("linked");
        }
        Self(dir)
    }

    fn walk(&self, glob: &str, links_to: &[&str]) -> Walk {
        let root = self.0.path();
        let source = TailSource {
            name: "app".to_owned(),
            files: vec![root.join(glob).to_str().expect("text").to_owned()],
            exclude: vec!["skip*".to_owned()],
            links_to: links_to.iter().map(|dir| root.join(dir)).collect(),
            start_at_end: false,
            ignore_older: None,
            max_record: 1,
            own_log: None,
            to: vec![0],
            header: None,
        };
        let patterns = Patterns::new(&source).expect("compiles");
        let dirs = patterns.roots.iter().map(|root| root.dir.as_path());
        let dirs = dirs.chain(source.links_to.iter().map(PathBuf::as_path));
        let allowed = Allowed::new(dirs, &root.join("state"));
        let moved = fs::metadata(root.join("logs/moved")).map(|meta| meta.ino()).unwrap_or(0);
        walk(&patterns, &allowed, &Known { moved: &|inode| inode == moved, same: &|_, _, _| None })
    }

    fn names<'p>(&self, paths: impl Iterator<Item = &'p PathBuf>) -> Vec<String> {
        let mut names: Vec<String> = paths
            .map(|path| path.strip_prefix(self.0.path()).expect("inside").display().to_string())
            .collect();
        names.sort();
        names
    }

    fn found(&self, glob: &str, links_to: &[&str]) -> Vec<String> {
        self.names(self.walk(glob, links_to).found.iter().map(|found| &found.path))
    }
}

#[test]
fn what_fits_is_found() {
    let tree = Tree::new(
        &["logs/a.log", "logs/skip.log", "logs/b.txt", "logs/d/c.log", "logs/d/e/d.log", "x.log"],
        &[],
    );
    assert_eq!(tree.found("logs/*.log", &[]), ["logs/a.log"]);
    assert_eq!(tree.found("logs/a.log", &[]), ["logs/a.log"]);
    assert_eq!(tree.found("logs/*/*.log", &[]), ["logs/d/c.log"]);
    assert_eq!(tree.found("logs/**/*.log", &[]), ["logs/a.log", "logs/d/c.log", "logs/d/e/d.log"]);
    let walk = tree.walk("logs/**/*.log", &[]);
    assert_eq!(tree.names(walk.dirs.iter()), ["logs", "logs/d", "logs/d/e"]);
    assert!(tree.walk("none/*.log", &[]).root_missing);
}

#[test]
fn the_state_directory_is_never_tailed() {
    let files = [
        "a.log",
        "state/checkpoint.log",
        "state/dead-letters/search.log",
        "state/buffer/search/bulk/1.log",
        "state/other.log",
    ];
    let links = [("state", "link"), ("state/checkpoint.log", "c.log"), ("state/dead-letters", "d")];
    let tree = Tree::new(&files, &links);
    assert_eq!(tree.found("**/*.log", &[]), ["a.log"]);
    assert_eq!(tree.walk("**/*.log", &[]).refused.len(), 0);
    for glob in ["state/*.log", "state/dead-letters/*.log", "link/*.log", "*/*.log", "s*/**/*.log"]
    {
        assert_eq!(tree.found(glob, &[]), [""; 0], "{glob}");
    }
}

#[test]
fn links_are_followed_where_they_may_lead_and_each_directory_once() {
    let tree = Tree::new(
        &["logs/real/a.log", "pods/p.log", "secret/s.log"],
        &[
            ("real", "logs/again"),
            ("..", "logs/real/circle"),
            ("real/a.log", "logs/link.log"),
            ("../pods/p.log", "logs/pod.log"),
            ("../secret/s.log", "logs/out.log"),
            ("../secret", "logs/outdir"),
            ("self.log", "logs/self.log"),
            ("none", "logs/dangling.log"),
        ],
    );
    let walk = tree.walk("logs/**/*.log", &[]);
    assert_eq!(
        tree.names(walk.found.iter().map(|found| &found.path)),
        ["logs/link.log", "logs/real/a.log"]
    );
    assert_eq!(
        tree.names(walk.refused.iter().map(|(path, _)| path)),
        ["logs/out.log", "logs/pod.log", "logs/self.log"]
    );
    assert!(walk.refused.iter().all(|(_, why)| matches!(why, Refusal::Escapes)));
    assert!(!walk.found[0].link && walk.found[1].link, "links last");
    assert_eq!(walk.found[0].id, walk.found[1].id);
    assert!(!walk.incomplete);
    assert_eq!(tree.found("logs/*.log", &["pods"]), ["logs/link.log", "logs/pod.log"]);
}

#[test]
fn what_is_no_file_is_refused() {
    let tree = Tree::new(&["logs/d.log/inner.log", "logs/a.log"], &[]);
    let fifo = tree.0.path().join("logs/f.log");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("made");
    let walk = tree.walk("logs/*.log", &[]);
    let refused: Vec<_> = walk.refused.iter().map(|(_, why)| format!("{why:?}")).collect();
    assert_eq!(refused.len(), 2);
    assert!(
        refused.contains(&"Directory".to_owned()) && refused.contains(&"NotRegular".to_owned())
    );
    // Deeper, the same directory is on the way, and no refusal.
    assert_eq!(tree.walk("logs/**/*.log", &[]).refused.len(), 1);
}

#[test]
fn known_files_are_seen_under_other_names() {
    let tree = Tree::new(&["logs/a.log", "logs/moved", "logs/other"], &[]);
    let walk = tree.walk("logs/*.log", &[]);
    assert_eq!(tree.names(walk.elsewhere.iter().map(|(_, path)| path)), ["logs/moved"]);
}
