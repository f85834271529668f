//! The agent's own log, which a source leaves alone: each line that it shipped could make it write
//! another, for ever.
//!
//! It is known by where standard error and standard output lead. In a pod they lead into a pipe, whose
//! other end the runtime writes into a file: that one is known by the names of pod and container.

use std::fs::Metadata;
use std::os::fd::AsFd;
use std::path::Path;

use super::identity::DiskId;

/// What the container is taken to be called, unless `CONTAINER_NAME` says otherwise.
const CONTAINER: &str = "pillion";

/// Where the agent's own log is.
#[derive(Clone, Debug, Default)]
pub struct OwnLog {
    /// The files that standard error and standard output lead to.
    files: Vec<DiskId>,
    container: Option<Container>,
}

/// The container that the agent runs in.
#[derive(Clone, Debug)]
struct Container {
    pod: String,
    /// Any, where it is not known.
    namespace: Option<String>,
    name: String,
}

impl OwnLog {
    /// Of this process. The environment says which pod it is in: `POD_NAME`, `POD_NAMESPACE` and
    /// `CONTAINER_NAME`.
    #[must_use]
    pub fn of_process(environment: impl Fn(&str) -> Option<String>) -> Self {
        let files = [led_to(std::io::stderr()), led_to(std::io::stdout())];
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let container = set("POD_NAME").map(|pod| Container {
            pod,
            namespace: set("POD_NAMESPACE"),
            name: set("CONTAINER_NAME").unwrap_or_else(|| CONTAINER.to_owned()),
        });
        Self { files: files.into_iter().flatten().collect(), container }
    }

    /// Whether a file is it: what it is, and the names it has.
    pub(super) fn is(&self, meta: &Metadata, names: [&Path; 2]) -> bool {
        self.files.contains(&DiskId::of(meta))
            || self.container.as_ref().is_some_and(|it| names.iter().any(|path| it.writes(path)))
    }
}

/// The regular file that a descriptor leads to, if it is one.
fn led_to(descriptor: impl AsFd) -> Option<DiskId> {
    let stat = rustix::fs::fstat(descriptor).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    regular.then_some(DiskId { dev: stat.st_dev, inode: stat.st_ino })
}

impl Container {
    /// Whether the runtime writes this file for it: `containers/POD_NAMESPACE_NAME-ID.log`, or
    /// `pods/NAMESPACE_POD_UID/NAME/0.log` and its rotations. None of the names has a `_` in it.
    fn writes(&self, path: &Path) -> bool {
        let part = |path: Option<&Path>| {
            path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned())
        };
        let namespace = |name: &str| self.namespace.as_ref().is_none_or(|own| own == name);
        let file = part(Some(path)).unwrap_or_default();
        if let [pod, space, rest] = file.split('_').collect::<Vec<_>>().as_slice()
            && *pod == self.pod
            && namespace(space)
        {
            // An id has no `-` in it.
            return rest.rsplit_once('-').is_some_and(|(name, _)| name == self.name);
        }
        let (parent, above) = (path.parent(), path.parent().and_then(Path::parent));
        let above = part(above).unwrap_or_default();
        match above.split('_').collect::<Vec<_>>().as_slice() {
            [space, pod, _] => {
                *pod == self.pod && namespace(space) && part(parent).as_ref() == Some(&self.name)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_files_are_known_by_their_names() {
        let container = |namespace: Option<&str>, name: &str| Container {
            pod: "shop-7d9f-x2".to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        let check = |it: &Container, path: &str, expect: bool| {
            assert_eq!(it.writes(Path::new(path)), expect, "{path} {it:?}");
        };
        let own = container(Some("prod"), "pillion");
        for (path, expect) in [
            ("/var/log/containers/shop-7d9f-x2_prod_pillion-0a1b2c.log", true),
            ("/var/log/containers/shop-7d9f-x2_prod_shop-0a1b2c.log", false),
            ("/var/log/containers/shop-7d9f-x2_prod_pillion-2-0a1b2c.log", false),
            ("/var/log/containers/shop-7d9f-x2_test_pillion-0a1b2c.log", false),
            ("/var/log/containers/other_prod_pillion-0a1b2c.log", false),
            ("/var/log/pods/prod_shop-7d9f-x2_uid-1/pillion/0.log", true),
            ("/var/log/pods/prod_shop-7d9f-x2_uid-1/pillion/0.log.20261126-010203", true),
            ("/var/log/pods/prod_shop-7d9f-x2_uid-1/shop/0.log", false),
            ("/var/log/pods/test_shop-7d9f-x2_uid-1/pillion/0.log", false),
            ("/0.log", false),
            ("pillion.log", false),
        ] {
            check(&own, path, expect);
        }
        let anywhere = container(None, "log-shipper");
        check(&anywhere, "/c/shop-7d9f-x2_any_log-shipper-0a.log", true);
        check(&anywhere, "/c/shop-7d9f-x2_any_shipper-0a.log", false);
    }
}
