//! The container that the agent runs in, and the files that a runtime writes its output into.
//!
//! What it is called is told by the environment, or by what the kubelet mounts into it: the path of
//! `/dev/termination-log` has the pod's uid and the container's name. What a runtime mounts for the network
//! (`/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`) tells nothing: a container that joins another's
//! network is given that one's.

use std::path::Path;

/// What the container is taken to be called, unless `CONTAINER_NAME` says otherwise.
const CONTAINER: &str = "pillion";

/// What is known of the container; nothing outside of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    /// By the environment.
    named: Option<Named>,
    /// The pod's uid, and the container's name.
    mounted: Option<(String, String)>,
}

/// What the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    pod: String,
    /// Any, where it is not known.
    namespace: Option<String>,
    name: String,
}

impl Container {
    /// As the environment says, and the list of mounts (`/proc/self/mountinfo`).
    pub(super) fn new(environment: impl Fn(&str) -> Option<String>, mounts: &str) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let named = set("POD_NAME").map(|pod| Named {
            pod,
            namespace: set("POD_NAMESPACE"),
            name: set("CONTAINER_NAME").unwrap_or_else(|| CONTAINER.to_owned()),
        });
        // Of each mount, which part of its file system is mounted.
        let mut roots = mounts.lines().filter_map(|line| line.split(' ').nth(3));
        Self { named, mounted: roots.find_map(of_kubelet) }
    }

    /// Whether the runtime writes this file for it.
    pub(super) fn writes(&self, path: &Path) -> bool {
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let named = self.named.as_ref().is_some_and(|it| it.writes(path));
        let mounted = |(uid, name): &(String, String)| {
            let [.., pod, container, _] = parts.as_slice() else { return false };
            container == name
                && matches!(pod.split('_').collect::<Vec<_>>()[..], [_, _, it] if it == uid)
        };
        named || self.mounted.as_ref().is_some_and(mounted)
    }
}

/// `…/pods/UID/containers/NAME/…`: where the kubelet keeps a container's termination message.
fn of_kubelet(root: &str) -> Option<(String, String)> {
    let (_, below) = root.split_once("/pods/")?;
    match below.split('/').collect::<Vec<_>>().as_slice() {
        [uid, "containers", name, _] => Some(((*uid).to_owned(), (*name).to_owned())),
        _ => None,
    }
}

impl Named {
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
        let container = |namespace: Option<&str>, name: &str| {
            let environment = |variable: &str| match variable {
                "POD_NAME" => Some("shop-7d9f-x2".to_owned()),
                "POD_NAMESPACE" => namespace.map(str::to_owned),
                "CONTAINER_NAME" => Some(name.to_owned()),
                _ => None,
            };
            Container::new(environment, "")
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

    #[test]
    fn a_container_is_known_by_what_is_mounted_into_it() {
        let check = |it: &Container, path: &str, expect: bool| {
            assert_eq!(it.writes(Path::new(path)), expect, "{path} {it:?}");
        };
        let pod = "701 690 8:1 /var/lib/kubelet/pods/ab-12/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n\
                   702 690 8:1 /var/lib/kubelet/pods/ab-12/containers/shipper/9f86d081 \
                   /dev/termination-log rw - ext4 /dev/sda1 rw\n\
                   703 690 8:1 /var/lib/kubelet/pods/ab-12/volume-subpaths/v/app/0 /logs rw - ext4 x rw";
        let own = Container::new(|_| None, pod);
        check(&own, "/var/log/pods/prod_shop-7d9f-x2_ab-12/shipper/0.log", true);
        check(&own, "/var/log/pods/prod_shop-7d9f-x2_ab-12/shipper/0.log.20261126-010203.gz", true);
        check(&own, "/var/log/pods/prod_shop-7d9f-x2_ab-12/app/0.log", false);
        check(&own, "/var/log/pods/prod_shop-7d9f-x2_ab-13/shipper/0.log", false);
        // Of a node that is not a container, nothing is.
        let node = "27 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    28 27 0:25 / /var/lib/docker/containers/x/mounts/shm rw - tmpfs shm rw";
        assert_eq!(Container::new(|_| None, node), Container::default());
    }

    /// As of `network_mode: service:app`: all three are the application's.
    #[test]
    fn what_is_mounted_for_the_network_tells_nothing() {
        let app = "0123456789abcdef".repeat(4);
        for directory in ["/var/lib/docker/containers", "/containers/overlay-containers"] {
            let mount = |name: &str| {
                format!("612 601 8:1 {directory}/{app}/{name} /etc/{name} rw - ext4 /dev/sda1 rw\n")
            };
            let mounts: String = ["resolv.conf", "hostname", "hosts"].map(mount).concat();
            let own = Container::new(|_| None, &mounts);
            assert!(
                !own.writes(Path::new(&format!("{directory}/{app}/{app}-json.log"))),
                "{own:?}"
            );
        }
    }
}
