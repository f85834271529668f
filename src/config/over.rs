//! Settings that the command line or the environment gives over those of a file: made into a small
//! tree of their own, so that the same checks and messages apply.

use super::Environment;
use super::diagnostic::{Diagnostics, NOWHERE, Text};
use super::tree::{Entry, Kind, Node};

/// What the command line says over a file; what it does not say is looked up in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Over {
    /// `--state`, else `PILLION_STATE`.
    pub state: Option<String>,
    /// `--admin`, else `PILLION_ADMIN`.
    pub admin: Option<String>,
    /// `--grace`, else `PILLION_GRACE`.
    pub grace: Option<String>,
    /// `--quiet`, else `PILLION_QUIET`.
    pub quiet: Option<String>,
}

impl Over {
    /// What is given, by the key it has in a file. A variable that is empty counts as not set.
    pub(super) fn tree(&self, found: &mut Diagnostics, environment: &Environment<'_>) -> Node {
        let mut entries = Vec::new();
        for (key, option, variable, given) in [
            ("state", "--state", "PILLION_STATE", &self.state),
            ("admin", "--admin", "PILLION_ADMIN", &self.admin),
            ("grace", "--grace", "PILLION_GRACE", &self.grace),
            ("quiet", "--quiet", "PILLION_QUIET", &self.quiet),
        ] {
            let from_environment = || environment(variable).filter(|it| !it.trim().is_empty());
            let (name, content) = match (given, from_environment()) {
                (Some(given), _) => (option, given.clone()),
                (None, Some(set)) => (variable, set),
                (None, None) => continue,
            };
            let place = found.text(Text::option(name, content.clone()));
            let value = Node::text(content, place);
            entries.push(Entry { key: key.to_owned(), key_place: place, value });
        }
        Node { kind: Kind::Map(entries), place: NOWHERE }
    }
}
