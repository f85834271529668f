//! A source's constant fields as they stand in every one of its documents: at the top under their
//! dotted names, unless that would clash with what the document has there already.

use pillion_parsers::redact::Clean;

use super::{FIXED, SLOTS};
use crate::export::encode::names::Names;
use crate::export::escape;
use crate::export::lines::METADATA;

/// Constant fields, as bytes to copy.
#[derive(Debug, Default)]
pub(super) struct Statics {
    /// `,"service.name":"shop"`: members for the top.
    top: Vec<u8>,
    /// `"host":"web"`: members for the namespace, which clash with something at the top.
    inner: Vec<u8>,
    /// Names of those in `inner`.
    inner_names: Vec<String>,
    /// Bit per slot whose path a constant field has: the record's own value goes to the namespace.
    hidden: u64,
    /// Whether a constant field says `host.name`.
    hides_host: bool,
}

impl Statics {
    /// Sorts fields to the top or into the namespace.
    ///
    /// A name that equals a slot's, or `host.name`, takes its place: the operator said so. One that
    /// equals another fixed field, stands where there is an object, or reaches into what is no
    /// object, goes into the namespace.
    pub(super) fn new(fields: &[(Clean, Clean)], namespace: &str) -> Self {
        let mut statics = Self::default();
        let mut at_top: Vec<&str> = Vec::new();
        let mut inner = Names::default();
        for (name, value) in fields {
            let slot = SLOTS.iter().position(|slot| slot.path().eq(name.split('.')));
            let host = &**name == "host.name";
            let clashes = name.starts_with(['@', '_'])
                || METADATA.contains(&&**name)
                || clash(name, namespace)
                || at_top.iter().any(|other| clash(name, other))
                || FIXED.iter().any(|fixed| clash(name, fixed) && !host)
                || slot.is_none() && SLOTS.iter().any(|slot| clash_path(name, slot.path()));
            if clashes {
                let below = name.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.'));
                let name = inner.unique(below.unwrap_or(name));
                if !statics.inner.is_empty() {
                    statics.inner.push(b',');
                }
                member(&mut statics.inner, &name, value);
                statics.inner_names.push(name);
                continue;
            }
            statics.hides_host |= host;
            statics.hidden |= slot.map_or(0, |slot| 1 << slot);
            at_top.push(name);
            statics.top.push(b',');
            member(&mut statics.top, name, value);
        }
        statics
    }

    /// Members for the top, each after a comma.
    pub(super) fn top(&self) -> &[u8] {
        &self.top
    }

    /// Members for the namespace, with commas between them.
    pub(super) fn inner(&self) -> &[u8] {
        &self.inner
    }

    /// Names of the members for the namespace.
    pub(super) fn inner_names(&self) -> impl Iterator<Item = &str> {
        self.inner_names.iter().map(String::as_str)
    }

    /// Whether a slot's place is taken.
    pub(super) const fn hides(&self, slot: usize) -> bool {
        self.hidden >> slot & 1 == 1
    }

    /// Whether the agent's own `host.name` is to be left out.
    pub(super) const fn hides_host(&self) -> bool {
        self.hides_host
    }

    /// Bytes of memory taken.
    pub(super) fn resident(&self) -> usize {
        self.top.capacity() + self.inner.capacity() + size_of::<Self>()
    }
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    escape::quote(out, name);
    out.push(b':');
    escape::quote(out, value);
}

/// Whether two dotted names cannot be in one document: they are equal, or one would be an object
/// around the other.
fn clash(one: &str, two: &str) -> bool {
    clash_path(one, two.split('.'))
}

fn clash_path<'p>(name: &str, path: impl Iterator<Item = &'p str>) -> bool {
    name.split('.').zip(path).all(|(one, two)| one == two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_clash_when_equal_or_nested() {
        for (one, two, expect) in [
            ("host", "host.name", true),
            ("host.name", "host", true),
            ("host.name", "host.name", true),
            ("host.ip", "host.name", false),
            ("hostname", "host", false),
            ("a", "b", false),
        ] {
            assert_eq!(clash(one, two), expect, "{one} {two}");
        }
    }
}
