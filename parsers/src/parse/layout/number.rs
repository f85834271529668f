//! Numbers of a layout.

use crate::parse::cursor::Cursor;
use crate::parse::{Misfit, json};
use crate::record::Value;

/// Digits that always fit 64 bits.
const FITTING: usize = 18;

/// The whole number at the beginning, without a sign and plainly of 64 bits, as most are, and its length.
#[inline]
pub(super) fn whole(bytes: &[u8]) -> Option<(i64, usize)> {
    let (mut end, mut number) = (0, 0_i64);
    while let Some(digit @ 0..=9) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (1..=FITTING).contains(&end).then_some((number, end))
}

/// A number at the beginning; `None` for a `-` in its place.
#[inline]
pub(super) fn read<'a>(cursor: &mut Cursor<'a>, whole: bool) -> Result<Option<Value<'a>>, Misfit> {
    let bytes = cursor.bytes();
    let start = usize::from(bytes.first() == Some(&b'-'));
    let (mut end, mut number) = (start, 0_i64);
    while let Some(digit @ 0..=9) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    let len = end - start;
    if len == 0 {
        return if start > 0 { cursor.take(1).map(|_| None) } else { Err(Misfit::Syntax) };
    }
    if !whole && bytes.get(end) == Some(&b'.') {
        let decimals = bytes.get(end + 1..).unwrap_or_default();
        let len = decimals.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len > 0 {
            let text = cursor.take(end + 1 + len)?;
            return float(text).map(Some);
        }
    }
    let text = cursor.take(end)?;
    if len > FITTING {
        return float(text).map(Some);
    }
    Ok(Some(Value::Int(if start > 0 { -number } else { number })))
}

/// A decimal number as it stands, if JSON writes it so too.
fn float(text: &str) -> Result<Value<'_>, Misfit> {
    if text.len() <= 64 && json::is_number(text) {
        return Ok(Value::Number(text));
    }
    let float: f64 = text.parse().map_err(|_| Misfit::FieldType)?;
    if float.is_finite() { Ok(Value::Float(float)) } else { Err(Misfit::FieldType) }
}
