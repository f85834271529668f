//! What pillion's own field names are called in the Elastic Common Schema, and which values fit
//! there.
//!
//! A field goes to its ECS place only when its value fits the type that ECS gives the place, since
//! a server refuses the whole document otherwise: what does not fit (a status of `-`), has no place
//! in ECS, or is an application's own, stands in the one namespace object under its own name.

mod document;
mod inverse;
mod statics;

use std::net::IpAddr;

use pillion_parsers::record::{Known, Value, is_long};

pub(crate) use document::Documents;
pub(crate) use inverse::record_line;

/// The ECS version that documents say they follow.
const VERSION: &str = "8.17.0";

/// A field of ECS, within at most three objects.
#[derive(Debug)]
struct Slot {
    /// The field that stands here.
    known: Known,
    /// Names of the objects around it, outermost first.
    groups: &'static [&'static str],
    /// Its own name.
    leaf: &'static str,
    /// All of it as JSON, up to the value: `"http":{"request":{"method":`.
    opener: &'static str,
    /// What fits.
    shape: Shape,
}

/// What a place in ECS takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `keyword`, `wildcard`: any single value.
    Scalar,
    /// `long`.
    Long,
    /// `ip`.
    Ip,
    /// `keyword`, given as `HTTP/1.1` and stored as `1.1`.
    HttpVersion,
    /// `keyword`, given as `TLSv1.3` and stored as `1.3`.
    TlsVersion,
}

impl Shape {
    /// What a version is given with, and stored without.
    const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::HttpVersion => Some("HTTP/"),
            Self::TlsVersion => Some("TLSv"),
            Self::Scalar | Self::Long | Self::Ip => None,
        }
    }
}

impl Slot {
    /// The names down to it.
    fn path(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.groups.iter().copied().chain([self.leaf])
    }
}

macro_rules! slots {
    ($($known:ident $shape:ident $($group:literal)* => $leaf:literal,)+) => {
        &[$(Slot {
            known: Known::$known,
            groups: &[$($group),*],
            leaf: $leaf,
            opener: concat!($("\"", $group, "\":{",)* "\"", $leaf, "\":"),
            shape: Shape::$shape,
        },)+]
    };
}

/// Every place that a field may have, objects together, in the order they are written; those in
/// `log` first. The first slot of a field that its value fits is the one.
///
/// The ECS field reference, 8.17. `log.syslog.structured_data` is missing because it is an object
/// there and a text here; `stream` is what Filebeat calls it.
const SLOTS: &[Slot] = slots! {
    Logger Scalar "log" => "logger",
    File Scalar "log" "origin" "file" => "name",
    Line Long "log" "origin" "file" => "line",
    Function Scalar "log" "origin" => "function",
    Host Scalar "log" "syslog" => "hostname",
    MessageId Scalar "log" "syslog" => "msgid",
    Facility Long "log" "syslog" "facility" => "code",
    Severity Long "log" "syslog" "severity" => "code",
    UpstreamAddress Scalar "destination" => "address",
    ServerIp Ip "destination" => "ip",
    ServerPort Long "destination" => "port",
    MailFrom Scalar "email" "from" => "address",
    QueueId Scalar "email" => "local_id",
    MailMessageId Scalar "email" => "message_id",
    MailTo Scalar "email" "to" => "address",
    ErrorCode Scalar "error" => "code",
    ErrorType Scalar "error" => "type",
    ErrorMessage Scalar "error" => "message",
    StackTrace Scalar "error" => "stack_trace",
    Action Scalar "event" => "action",
    EventId Scalar "event" => "code",
    Duration Long "event" => "duration",
    Reason Scalar "event" => "reason",
    Protocol HttpVersion "http" => "version",
    Method Scalar "http" "request" => "method",
    RequestBodyBytes Long "http" "request" "body" => "bytes",
    RequestBytes Long "http" "request" => "bytes",
    RequestId Scalar "http" "request" => "id",
    Referrer Scalar "http" "request" => "referrer",
    Bytes Long "http" "response" "body" => "bytes",
    ResponseBytes Long "http" "response" => "bytes",
    ContentType Scalar "http" "response" => "mime_type",
    Status Long "http" "response" => "status_code",
    ForwardedFor Ip "network" => "forwarded_ip",
    CommandLine Scalar "process" => "command_line",
    Program Scalar "process" => "name",
    Pid Long "process" => "pid",
    Thread Long "process" "thread" => "id",
    Thread Scalar "process" "thread" => "name",
    WorkingDirectory Scalar "process" => "working_directory",
    Node Scalar "service" "node" => "name",
    ClientIp Ip "source" => "ip",
    ClientIp Scalar "source" => "address",
    ClientPort Long "source" => "port",
    Stream Scalar => "stream",
    SpanId Scalar "span" => "id",
    TlsCipher Scalar "tls" => "cipher",
    TlsProtocol TlsVersion "tls" => "version",
    TraceId Scalar "trace" => "id",
    Target Scalar "url" => "original",
    VirtualHost Scalar "url" => "domain",
    RunAs Scalar "user" "effective" => "name",
    Uid Scalar "user" => "id",
    User Scalar "user" => "name",
    UserAgent Scalar "user_agent" => "original",
};

/// For each slot and each of its objects, a number that the slots in the same object share.
const OBJECTS: [[u8; 3]; SLOTS.len()] = {
    let mut objects = [[0; 3]; SLOTS.len()];
    let mut slot = 0;
    while slot < SLOTS.len() {
        let mut depth = 0;
        while depth < SLOTS[slot].groups.len() {
            // The object is the one before, or a new one: those of an object stand together.
            let before = slot.saturating_sub(1);
            let outer = depth == 0 || objects[slot][depth - 1] == objects[before][depth - 1];
            let same = slot > 0 && outer && same_object(before, slot, depth);
            #[expect(clippy::cast_possible_truncation, reason = "fewer than 256 slots")]
            let new = slot as u8 + 1;
            objects[slot][depth] = if same { objects[before][depth] } else { new };
            depth += 1;
        }
        slot += 1;
    }
    objects
};

/// For each slot, how much of its opener opens none, one, two and three of its objects.
const HEADS: [[u8; 4]; SLOTS.len()] = {
    let mut heads = [[0; 4]; SLOTS.len()];
    let mut slot = 0;
    while slot < SLOTS.len() {
        let mut depth = 0;
        while depth < SLOTS[slot].groups.len() {
            // `"name":{`
            #[expect(clippy::cast_possible_truncation, reason = "names are short")]
            let name = SLOTS[slot].groups[depth].len() as u8 + 4;
            heads[slot][depth + 1] = heads[slot][depth] + name;
            depth += 1;
        }
        slot += 1;
    }
    heads
};

/// Whether two slots have an object of the same name at a depth.
const fn same_object(one: usize, two: usize, depth: usize) -> bool {
    let (one, two) = (SLOTS[one].groups, SLOTS[two].groups);
    if depth >= one.len() || depth >= two.len() {
        return false;
    }
    let (one, two) = (one[depth].as_bytes(), two[depth].as_bytes());
    let mut at = 0;
    while at < one.len() && at < two.len() && one[at] == two[at] {
        at += 1;
    }
    at == one.len() && at == two.len()
}

/// How many of [`SLOTS`] lie in `log`.
const LOG_SLOTS: usize = 8;

/// For each known field, by its number, its first slot. Slots of one field stand together.
const FIRST_SLOT: [Option<usize>; Known::ALL.len()] = {
    let mut first = [None; Known::ALL.len()];
    let mut slot = SLOTS.len();
    while slot > 0 {
        slot -= 1;
        first[SLOTS[slot].known as usize] = Some(slot);
    }
    first
};

/// What every document, or every one with such a thing, has besides [`SLOTS`], as dotted paths.
const FIXED: &[&str] = &[
    "@timestamp",
    "message",
    "ecs.version",
    "host.name",
    "log.file.path",
    "log.offset",
    "log.level",
    "log.flags",
];

/// The slot for a field with this value; `None` when it belongs into the namespace.
fn slot_for(known: Known, value: &Value<'_>) -> Option<usize> {
    let first = FIRST_SLOT.get(known as usize).copied().flatten()?;
    let mut index = first;
    while let Some(slot) = SLOTS.get(index).filter(|slot| slot.known == known) {
        if fits(slot.shape, value) {
            return Some(index);
        }
        index += 1;
    }
    None
}

/// Whether a value can stand where this shape is asked for.
fn fits(shape: Shape, value: &Value<'_>) -> bool {
    match shape {
        Shape::Scalar => !matches!(value, Value::Json(_) | Value::CleanJson(_)),
        Shape::Long => match value {
            Value::Int(_) => true,
            Value::Number(number) => is_long(number),
            _ => false,
        },
        Shape::Ip => {
            matches!(value, Value::Text(text) if text.as_stored().parse::<IpAddr>().is_ok())
        }
        Shape::HttpVersion | Shape::TlsVersion => version(shape, value).is_some(),
    }
}

/// The `1.1` of `HTTP/1.1`, where a shape is a version's.
fn version<'a>(shape: Shape, value: &Value<'a>) -> Option<&'a str> {
    let (Some(prefix), Value::Text(text)) = (shape.prefix(), value) else { return None };
    let version = text.as_stored().strip_prefix(prefix)?;
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    (!version.is_empty() && version.bytes().all(plain)).then_some(version)
}

/// Whether a namespace of that name stands in nobody's way.
pub(crate) fn is_namespace(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(plain)
        && !FIXED.iter().any(|path| path.split('.').next() == Some(name))
        && !SLOTS.iter().any(|slot| slot.path().next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pillion_parsers::record::Text;

    fn place(known: Known, value: Value<'_>) -> Option<String> {
        slot_for(known, &value)
            .and_then(|index| SLOTS.get(index))
            .map(|slot| slot.path().collect::<Vec<_>>().join("."))
    }

    #[test]
    fn values_go_where_they_fit() {
        let text = |text| Value::Text(Text::raw(text));
        for (known, value, expect) in [
            (Known::ClientIp, text("10.0.0.1"), Some("source.ip")),
            (Known::ClientIp, text("::1"), Some("source.ip")),
            (Known::ClientIp, text("[IPV4]"), Some("source.address")),
            (Known::Status, Value::Int(200), Some("http.response.status_code")),
            (Known::Status, Value::Number("200"), Some("http.response.status_code")),
            (Known::Status, Value::Number("2e2"), None),
            (Known::Status, text("-"), None),
            (Known::Thread, Value::Int(7), Some("process.thread.id")),
            (Known::Thread, text("main"), Some("process.thread.name")),
            (Known::Protocol, text("HTTP/1.1"), Some("http.version")),
            (Known::TlsProtocol, text("TLSv1.3"), Some("tls.version")),
            (Known::TlsProtocol, text("TLSV1.2"), None),
            (Known::TlsProtocol, text("HTTP/1.1"), None),
            (Known::Duration, Value::Int(1_500_000), Some("event.duration")),
            (Known::Duration, text("1.5ms"), None),
            (Known::Protocol, text("SSH-2.0"), None),
            (Known::Protocol, text("HTTP/1.1\""), None),
            (Known::User, Value::Json("{}"), None),
            (Known::User, text("ann"), Some("user.name")),
            (Known::Ident, text("x"), None),
        ] {
            assert_eq!(place(known, value).as_deref(), expect, "{known:?}");
        }
    }

    #[test]
    fn slots_of_a_field_and_of_an_object_stand_together() {
        for pair in SLOTS.windows(2) {
            let [one, two] = pair else { continue };
            assert!(FIRST_SLOT[two.known as usize].is_some());
            let later = SLOTS.iter().rposition(|slot| slot.known == one.known).expect("itself");
            let first = SLOTS.iter().position(|slot| slot.known == one.known).expect("itself");
            assert!(SLOTS[first..=later].iter().all(|slot| slot.known == one.known));
        }
        let mut objects: Vec<Vec<&str>> = Vec::new();
        let mut previous: &[&str] = &[];
        for slot in SLOTS {
            for depth in 1..=slot.groups.len() {
                let object = slot.groups[..depth].to_vec();
                if previous.get(..depth) != Some(&object) {
                    assert!(!objects.contains(&object), "{object:?} is opened twice");
                    objects.push(object);
                }
            }
            previous = slot.groups;
        }
        for (one, first) in SLOTS.iter().zip(&OBJECTS) {
            for (two, second) in SLOTS.iter().zip(&OBJECTS) {
                let names = one.groups.iter().zip(two.groups).take_while(|(a, b)| a == b).count();
                let numbers = first.iter().zip(second).take_while(|(a, b)| a == b && **a != 0);
                assert_eq!(names, numbers.count(), "{one:?} {two:?}");
            }
        }
        let in_log = SLOTS.iter().take_while(|slot| slot.groups.first() == Some(&"log")).count();
        assert_eq!(in_log, LOG_SLOTS);
    }

    #[test]
    fn a_namespace_must_not_be_a_field_of_ecs() {
        for (name, expect) in [
            ("app", true),
            ("my-app_2", true),
            ("", false),
            ("log", false),
            ("http", false),
            ("message", false),
            ("@timestamp", false),
            ("a.b", false),
            ("_app", false),
        ] {
            assert_eq!(is_namespace(name), expect, "{name}");
        }
    }
}
