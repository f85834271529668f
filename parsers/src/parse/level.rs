//! What programs call their levels.

use crate::record::Level;

/// The level of a name, in any case. Levels between two have a number behind the lower one's name:
/// `INFO+2`, `DEBUG-4`.
pub(crate) fn from_name(name: &str) -> Option<Level> {
    usual(name).or_else(|| odd(name))
}

/// As nearly all write them.
#[inline]
fn usual(name: &str) -> Option<Level> {
    Some(match name.as_bytes() {
        b"info" | b"INFO" => Level::Info,
        b"debug" | b"DEBUG" => Level::Debug,
        b"warn" | b"WARN" | b"warning" | b"WARNING" => Level::Warn,
        b"error" | b"ERROR" => Level::Error,
        b"trace" | b"TRACE" => Level::Trace,
        _ => return None,
    })
}

fn odd(name: &str) -> Option<Level> {
    exact(name).or_else(|| {
        let (base, number) = name.split_at_checked(name.find(['+', '-'])?)?;
        let digits = number.get(1..)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match exact(base).filter(|_| is_number)? {
            Level::Debug if number.starts_with('-') => Some(Level::Trace),
            level => Some(level),
        }
    })
}

fn exact(name: &str) -> Option<Level> {
    let mut lower = [0; 16];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"trace" | b"trc" | b"t" | b"verbose" | b"finer" | b"finest" | b"silly" => Level::Trace,
        b"debug" | b"dbg" | b"d" | b"fine" => Level::Debug,
        b"info" | b"inf" | b"i" | b"information" | b"informational" | b"notice" | b"config"
        | b"log" | b"success" => Level::Info,
        b"warn" | b"warning" | b"wrn" | b"w" => Level::Warn,
        b"error" | b"err" | b"eror" | b"e" | b"severe" => Level::Error,
        b"fatal" | b"ftl" | b"f" | b"critical" | b"crit" | b"c" | b"alert" | b"emerg"
        | b"emergency" | b"panic" | b"dpanic" => Level::Fatal,
        _ => return None,
    })
}

/// The level of a number: 0 to 7 are syslog's severities (GELF), 10 to 69 the tens of pino and bunyan.
pub(crate) fn from_number(text: &str) -> Option<Level> {
    let number: u8 = text.parse().ok()?;
    Some(match number {
        0..=7 => from_severity(number),
        10..=19 => Level::Trace,
        20..=29 => Level::Debug,
        30..=39 => Level::Info,
        40..=49 => Level::Warn,
        50..=59 => Level::Error,
        60..=69 => Level::Fatal,
        _ => return None,
    })
}

/// The level of a syslog severity (RFC 5424, table 2).
pub(crate) fn from_severity(severity: u8) -> Level {
    match severity {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_normalised() {
        for (name, level) in [
            ("INFO", Level::Info),
            ("Warning", Level::Warn),
            ("E", Level::Error),
            ("CRITICAL", Level::Fatal),
            ("notice", Level::Info),
            ("dpanic", Level::Fatal),
            ("INFO+2", Level::Info),
            ("DEBUG-4", Level::Trace),
            ("ERROR+4", Level::Error),
        ] {
            assert_eq!(from_name(name), Some(level), "{name}");
        }
        for name in
            ["", "infos", "INFO+", "INFO+x", "-1", "+", "a name longer than sixteen bytes", "ïnfo"]
        {
            assert_eq!(from_name(name), None, "{name}");
        }
        for (number, level) in [
            ("30", Some(Level::Info)),
            ("6", Some(Level::Info)),
            ("3", Some(Level::Error)),
            ("8", None),
            ("70", None),
            ("-1", None),
            ("300", None),
        ] {
            assert_eq!(from_number(number), level, "{number}");
        }
    }
}
