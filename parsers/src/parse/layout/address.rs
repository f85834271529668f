//! Addresses with a port.

use super::Walk;
use super::capture::{Capture, Name, is_absent};
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
        let arena = self.cx.arena;
        let is_port = |port: &str| {
            (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (host, number) = match text.rsplit_once(':') {
            Some((host, number)) if is_port(number) => (host, number.parse().ok()),
            _ => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let shown = match self.shown(text, cursor).origin() {
            Origin::Raw => Text::raw(bare),
            _ => Text::built(bare),
        };
        record.push(capture.name.key(arena), Value::Text(shown));
        if let Some(number) = number {
            record.push(port.key(arena), Value::Int(number));
        }
    }
}
