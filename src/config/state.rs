//! Where the state directory is when nobody says.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Environment;

/// The directory for a system's service, and for a container with a volume there.
const SYSTEM: &str = "/var/lib/pillion";

/// `/var/lib/pillion` where this user may write it, else the user's own: `$XDG_STATE_HOME/pillion` or
/// `~/.local/state/pillion`.
pub(super) fn default(environment: &Environment<'_>) -> PathBuf {
    choose(environment, may_write)
}

fn choose(environment: &Environment<'_>, may_write: impl Fn(&Path) -> bool) -> PathBuf {
    let absolute =
        |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let system = Path::new(SYSTEM);
    if may_write(system) {
        return system.to_owned();
    }
    // The XDG base directory specification: a relative value is to be ignored.
    let own = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    // Without a home, the error that names the system's directory is the useful one.
    own.map_or_else(|| system.to_owned(), |own| own.join("pillion"))
}

/// Whether it could be written, or made: its nearest ancestor that exists is a directory open to us.
fn may_write(path: &Path) -> bool {
    for ancestor in path.ancestors() {
        if ancestor.exists() {
            let wanted = Access::WRITE_OK | Access::EXEC_OK;
            return ancestor.is_dir() && access(ancestor, wanted).is_ok();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_can_be_written() {
        let check = |set: &[(&str, &str)], root: bool, expect: &str| {
            let environment = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let found = choose(&environment, |_| root);
            assert_eq!(found, Path::new(expect), "{set:?} {root}");
        };
        let home = ("HOME", "/home/a");
        check(&[home], true, SYSTEM);
        check(&[home], false, "/home/a/.local/state/pillion");
        check(&[home, ("XDG_STATE_HOME", "/x")], false, "/x/pillion");
        check(&[home, ("XDG_STATE_HOME", "x")], false, "/home/a/.local/state/pillion");
        check(&[], false, SYSTEM);
    }

    #[test]
    fn what_does_not_exist_yet_is_judged_by_where_it_would_be_made() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(may_write(&directory.path().join("a/b/c")));
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(!may_write(&file.join("below")));
    }
}
