//! Addresses with a port.

use super::Walk;
use super::capture::{Capture, Name};
use super::read::is_absent;
use crate::parse::cursor::Cursor;
use crate::record::{Origin, Record, Text, Value};

impl<'a> Walk<'_, '_, 'a> {
    /// `192.0.2.7:443`, `[2001:db8::1]:443`, `2001:db8::1:443`: what stands after the last colon is the
    /// port.
    pub(super) fn address(
        &self,
        capture: &Capture,
        port: &Name,
        text: &'a str,
        cursor: &Cursor<'a>,
        record: &mut Record<'a>,
    ) {
        if is_absent(text) {
            return;
        }
        let (host, number) = match port_behind(text) {
            Some((host, number)) => (host, Some(number)),
            None => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let shown = match self.shown(capture, text, cursor).origin() {
            Origin::Raw => Text::raw(bare),
            _ => Text::built(bare),
        };
        record.push(capture.name.key(), Value::Text(shown));
        if let Some(number) = number {
            record.push(port.key(), Value::Int(number));
        }
    }
}

/// What stands before the last colon, and the port behind it.
fn port_behind(text: &str) -> Option<(&str, i64)> {
    let bytes = text.as_bytes();
    let mut number = 0;
    // A port has five digits at most.
    for digits in 0..=5 {
        let at = bytes.len().checked_sub(digits + 1)?;
        match bytes.get(at)? {
            b':' if digits > 0 => return Some((text.get(..at)?, number)),
            digit @ b'0'..=b'9' => {
                number += i64::from(digit - b'0') * 10_i64.pow(digits as u32);
            }
            _ => return None,
        }
    }
    None
}
