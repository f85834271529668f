//! Addresses: with a port, or several where proxies stand between.

use super::Walk;
use super::capture::{Capture, Name};
use super::read::is_absent;
use crate::parse::Misfit;
use crate::parse::cursor::Cursor;
use crate::record::{Key, Known, Origin, Record, Text, Value};

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

    /// `192.0.2.7`, or `192.0.2.7, 198.51.100.1`, as `X-Forwarded-For` lists a client and its proxies.
    pub(super) fn client(
        &mut self,
        capture: &Capture,
        text: &'a str,
        cursor: &Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let Some((client, _)) = text.split_once(',') else {
            return if text.is_empty() {
                Err(Misfit::Syntax)
            } else {
                self.give(capture, text, cursor, record)
            };
        };
        let list = self.shown(capture, text, cursor);
        let client = match list.origin() {
            Origin::Raw => Text::raw(client),
            _ => Text::built(client),
        };
        record.push(capture.name.key(), Value::Text(client));
        record.push(Key::Known(Known::ForwardedFor), Value::Text(list));
        Ok(())
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
