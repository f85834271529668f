//! What the kernel logs of a packet (`LOG` and `nft log`), behind a syslog header, the seconds since
//! boot, or nothing.
//!
//! `Nov 26 01:53:22 web-1 kernel: [13832.647170] [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.50
//! DST=198.51.100.10 LEN=60 TTL=53 ID=7982 DF PROTO=TCP SPT=51514 DPT=22 WINDOW=64240 SYN URGP=0`
//!
//! Written by `nf_log_syslog.c`. Keys are in lower case; words without a value are `packet_flags`; the
//! rule's prefix is the message. Of the packet inside an ICMP error, all is `inner`.

use super::cursor::find;
use super::grammar::{Context, Grammar};
use super::keys::{Keys, Scope};
use super::{Misfit, convert, syslog};
use crate::record::{Key, Known, Record, Text, Value};

/// Reads the line of a packet.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "netfilter", needs: "IN=", probe: Some(probe), read };

/// Bytes that may stand before the packet.
const MAX_HEAD: usize = 512;

/// Words without a value.
const FLAGS: [&str; 13] = [
    "CE",
    "DF",
    "MF",
    "CWR",
    "ECE",
    "URG",
    "ACK",
    "PSH",
    "RST",
    "SYN",
    "FIN",
    "INCOMPLETE",
    "TRUNCATED",
];

fn probe(bytes: &[u8]) -> bool {
    start(bytes).is_some()
}

/// Where the packet begins: `IN=` stands before the first equals sign but those of a rule's prefix.
fn start(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    memchr::memchr_iter(b'=', head).take(4).find_map(|sign| {
        let start = sign.checked_sub(2)?;
        // Of a prefix without a blank at its end, no word may be parted.
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let parted = !start.checked_sub(1).and_then(|at| head.get(at)).is_some_and(is_word);
        let is_in = head.get(start..sign) == Some(b"IN") && parted;
        let rest = bytes.get(sign..)?;
        let blank = memchr::memchr(b' ', rest)?;
        (is_in && rest.get(blank + 1..)?.starts_with(b"OUT=")).then_some(start)
    })
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let start = start(text.as_bytes()).ok_or(Misfit::Syntax)?;
    let (head, packet) = text.split_at_checked(start).ok_or(Misfit::Syntax)?;
    read_head(head, cx, record)?;
    let mut keys = Keys::new(cx.arena);
    for field in &record.fields {
        keys.add(Scope::OUTER, field.key.name())?;
    }
    let mut flags = bumpalo::collections::String::new_in(cx.arena);
    let mut rest = packet.trim_end_matches(' ');
    while !rest.is_empty() {
        rest = rest.trim_start_matches(' ');
        let (word, after) = match rest.as_bytes().first() {
            // The packet that an ICMP error is about, or what is missing of this one.
            Some(b'[') => (rest.get(..=rest.rfind(']').ok_or(Misfit::Syntax)?), None),
            Some(_) => {
                let end = find(b' ', rest.as_bytes()).unwrap_or(rest.len());
                (rest.get(..end), rest.get(end..))
            }
            None => break,
        };
        let word = word.ok_or(Misfit::Syntax)?;
        rest = after.or_else(|| rest.get(word.len()..)).unwrap_or_default();
        if let Some((key, value)) = word.split_once('=').filter(|_| !word.starts_with('[')) {
            pair(key, value, &mut keys, record)?;
        } else if word == "OPT" {
            let options = rest.trim_start_matches(' ').strip_prefix('(').ok_or(Misfit::Syntax)?;
            let (options, after) = options.split_once(')').ok_or(Misfit::Syntax)?;
            put_named("opt", text_of(options), &mut keys, record)?;
            rest = after;
        } else if let Some(offset) = word.strip_prefix("FRAG:") {
            put_named("frag", convert::number(offset), &mut keys, record)?;
        } else if word.starts_with('[') {
            put_named("inner", text_of(word.trim_matches(['[', ']', ' '])), &mut keys, record)?;
        } else {
            let flag = FLAGS.iter().find(|flag| **flag == word).ok_or(Misfit::Syntax)?;
            flags.push_str(if flags.is_empty() { "[\"" } else { ",\"" });
            flags.push_str(flag);
            flags.push('"');
        }
    }
    if !flags.is_empty() {
        flags.push(']');
        keys.add(Scope::OUTER, "packet_flags")?;
        // Of words that stand in this file.
        let value = Value::CleanJson(flags.into_bump_str());
        record.push(Key::Text(Text::fixed("packet_flags")), value);
    }
    Ok(())
}

/// What stands before the packet: a syslog header, the seconds since boot, the prefix of the rule.
fn read_head<'a>(
    head: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut rest = head;
    if head.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '<') {
        let read = (syslog::EITHER.read)(head, cx, record);
        match (read, record.message.take()) {
            (Ok(()), Some(text)) if text.as_stored().len() < head.len() => rest = text.as_stored(),
            // The prefix of a rule, and nothing before it.
            _ => super::auto::clear(record),
        }
    }
    let uptime = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((seconds, after)) = uptime
        && let value @ Value::Float(_) = convert::number(seconds.trim_start_matches(' '))
    {
        record.push(Key::Text(Text::fixed("uptime")), value);
        rest = after;
    }
    let prefix = rest.trim_matches(' ');
    record.message = (!prefix.is_empty()).then(|| Text::raw(prefix));
    Ok(())
}

fn pair<'a>(
    key: &'a str,
    value: &'a str,
    keys: &mut Keys<'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let name = match key {
        "SRC" => return put(Known::ClientIp, text_of(value), keys, record),
        "DST" => return put(Known::ServerIp, text_of(value), keys, record),
        "SPT" => return put(Known::ClientPort, convert::number(value), keys, record),
        "DPT" => return put(Known::ServerPort, convert::number(value), keys, record),
        // Of protocols that the kernel has no name for, it is a number.
        "PROTO" => return put_named("proto", text_of(value), keys, record),
        // Of UDP's header after that of IP, and of an echo.
        "LEN" if record.get("len").is_some() => "udp_len",
        "ID" if record.get("ip_id").is_some() => "icmp_id",
        "IN" => "in",
        "OUT" => "out",
        "PHYSIN" => "physin",
        "PHYSOUT" => "physout",
        "MAC" => "mac",
        "MACSRC" => "macsrc",
        "MACDST" => "macdst",
        "MACPROTO" => "macproto",
        "LEN" => "len",
        "TOS" => "tos",
        "PREC" => "prec",
        "TTL" => "ttl",
        "ID" => "ip_id",
        "SEQ" => "seq",
        "ACK" => "ack",
        "WINDOW" => "window",
        "RES" => "reserved",
        "URGP" => "urgp",
        "TYPE" => "icmp_type",
        "CODE" => "icmp_code",
        "MARK" => "mark",
        "UID" => "uid",
        "GID" => "gid",
        "TC" => "tc",
        "HOPLIMIT" => "hoplimit",
        "FLOWLBL" => "flowlbl",
        _ => {
            keys.add(Scope::OUTER, key)?;
            record.push(Key::Text(Text::raw(key)), text_of(value));
            return Ok(());
        }
    };
    if value.is_empty() {
        return keys.add(Scope::OUTER, name);
    }
    put_named(name, convert::number(value), keys, record)
}

fn put<'a>(
    known: Known,
    value: Value<'a>,
    keys: &mut Keys<'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    keys.add(Scope::OUTER, known.name())?;
    if !matches!(value, Value::Text(text) if text.as_stored().is_empty()) {
        record.push(Key::Known(known), value);
    }
    Ok(())
}

fn put_named<'a>(
    name: &'static str,
    value: Value<'a>,
    keys: &mut Keys<'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    keys.add(Scope::OUTER, name)?;
    record.push(Key::Text(Text::fixed(name)), value);
    Ok(())
}

fn text_of(text: &str) -> Value<'_> {
    Value::Text(Text::raw(text))
}
