//! What servers, and pillion's own metrics, accept as a name. Each function says what is wrong, for a
//! person, or nothing.

/// A source's or destination's name: a metric label, a key of the ledger, a part of log lines.
pub(super) fn own(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > 64 {
        return Err("a name has 1 to 64 characters");
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.bytes().all(fits) {
        Ok(())
    } else {
        Err("a name is made of letters, digits, `_`, `-` and `.`")
    }
}

/// An index or a data stream, as Elasticsearch's `MetadataCreateIndexService.validateIndexName` has
/// it; dates and fields in it are refused too, because nothing would expand them.
pub(super) fn index(name: &str) -> Result<(), &'static str> {
    if name.contains(['{', '}', '%']) || name.starts_with('<') {
        return Err(
            "dates and fields in an index name are not there yet: name a data stream, which \
                    Elasticsearch rolls over itself",
        );
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) || name.to_lowercase() != name {
        return Err("an index name is in lower case");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':']) {
        return Err("an index name cannot hold a space or any of \\ / * ? \" < > | , # :");
    }
    if name.chars().any(char::is_control) {
        return Err("an index name cannot hold control characters");
    }
    if name.starts_with(['-', '_', '+']) {
        return Err("an index name cannot begin with `-`, `_` or `+`");
    }
    if name == "." || name == ".." {
        return Err("an index name cannot be `.` or `..`");
    }
    if name.len() > 255 {
        return Err("an index name has at most 255 bytes");
    }
    Ok(())
}

/// A label of a Loki stream: Prometheus's grammar, without the colons that are kept for rules and
/// the leading `__` that Loki keeps for itself; at most 1,024 bytes (`max_label_name_length`).
pub(super) fn label(name: &str) -> Result<(), &'static str> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic());
    if !begins || !bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
        return Err("a label name is made of letters, digits and `_`, and begins with no digit");
    }
    if name.starts_with("__") {
        return Err("label names that begin with `__` are Loki's own");
    }
    if name.len() > 1024 {
        return Err("a label name has at most 1024 bytes");
    }
    Ok(())
}

/// A label's value: text with `{field}` places.
pub(super) fn label_template(template: &str) -> Result<(), &'static str> {
    if template.len() > 2048 {
        return Err("a label value has at most 2048 bytes");
    }
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let inside = rest.get(at..).unwrap_or_default();
        let Some(inside) = inside.strip_prefix('{') else {
            return Err("a `}` stands without its `{`");
        };
        let Some((field, after)) = inside.split_once('}') else {
            return Err("a `{` is never closed");
        };
        if field.is_empty() || field.contains('{') || field.trim() != field {
            return Err("a place is written `{field}`, with the name of one field in it");
        }
        rest = after;
    }
    Ok(())
}

/// `X-Scope-OrgID`, as Grafana's `dskit/tenant` checks it.
pub(super) fn tenant(name: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_.*'()".contains(&byte);
    if name.is_empty() || name.len() > 150 {
        return Err("a tenant has 1 to 150 bytes");
    }
    if name == "." || name == ".." {
        return Err("a tenant cannot be `.` or `..`");
    }
    if !name.bytes().all(fits) {
        return Err("a tenant is made of letters, digits and ! - _ . * ' ( )");
    }
    Ok(())
}

/// The object that holds an application's own keys: an Elasticsearch field that ECS does not have.
pub(super) fn namespace(name: &str) -> Result<(), &'static str> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
    let fits = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !begins || !bytes.all(fits) || name.len() > 64 {
        return Err(
            "a namespace is made of lower-case letters, digits and `_`, and begins with a \
                    letter",
        );
    }
    if ECS.contains(&name) {
        return Err("this is a field set of the Elastic Common Schema: choose another name");
    }
    Ok(())
}

/// The top-level names of ECS 8 and 9.
#[rustfmt::skip]
const ECS: [&str; 56] = [
    "agent", "as", "base", "client", "cloud", "code_signature", "container", "data_stream",
    "destination", "device", "dll", "dns", "ecs", "elf", "email", "error", "event", "faas", "file",
    "gen_ai", "geo", "group", "hash", "host", "http", "interface", "labels", "log", "macho",
    "message", "network", "observer", "orchestrator", "organization", "os", "package", "pe",
    "process", "registry", "related", "risk", "rule", "server", "service", "source", "span",
    "tags", "threat", "tls", "trace", "transaction", "url", "user", "user_agent", "vlan",
    "vulnerability",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accepts: fn(&str) -> Result<(), &'static str>, good: &[&str], bad: &[&str]) {
        for name in good {
            assert_eq!(accepts(name), Ok(()), "{name:?}");
        }
        for name in bad {
            assert!(accepts(name).is_err(), "{name:?} is accepted");
        }
    }

    #[test]
    fn index_names() {
        let long = "a".repeat(256);
        check(
            index,
            &["logs-shop-prod", "a", "logs-2026.11.22", ".hidden", "größe", "a+b"],
            &[
                "Logs",
                "Größe",
                "a b",
                "a/b",
                "a*",
                "a,b",
                "a#b",
                "a:b",
                "-a",
                "_a",
                "+a",
                ".",
                "..",
                "<logs-{now/d}>",
                "logs-%Y",
                "logs-{env}",
                "a\"b",
                "a\nb",
                &long,
            ],
        );
    }

    #[test]
    fn labels_and_their_values() {
        let long = "a".repeat(1025);
        check(label, &["app", "_a1", "A"], &["", "1a", "a-b", "a.b", "a:b", "__name", "é", &long]);
        check(
            label_template,
            &["", "shop", "{level}", "a-{b.c}-{d}"],
            &["{", "}", "{}", "{a", "a}", "{a{b}}", "{ a }", &"v".repeat(2049)],
        );
    }

    #[test]
    fn the_rest() {
        check(tenant, &["shop", "a!-_.*'()"], &["", ".", "..", "a b", "a|b", &"t".repeat(151)]);
        check(own, &["app", "es-1.eu_west"], &["", "a b", "é", "a/b", &"n".repeat(65)]);
        check(namespace, &["app", "my_app2"], &["", "host", "App", "a.b", "2a", "_a"]);
    }
}
