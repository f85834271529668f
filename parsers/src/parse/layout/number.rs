//! Numbers of a layout.

use crate::parse::cursor::Cursor;
use crate::parse::{Misfit, json};
use crate::record::Value;

/// A number at the beginning; `None` for a `-` in its place.
#[inline]
pub(super) fn read<'a>(cursor: &mut Cursor<'a>, whole: bool) -> Result<Option<Value<'a>>, Misfit> {
    let bytes = cursor.bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 {
        return if negative { cursor.take(1).map(|_| None) } else { Err(Misfit::Syntax) };
    }
    let end = len + usize::from(negative);
    if !whole && bytes.get(end) == Some(&b'.') {
        let decimals = bytes.get(end + 1..).unwrap_or_default();
        let len = decimals.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len > 0 {
            let text = cursor.take(end + 1 + len)?;
            return float(text).map(Some);
        }
    }
    let text = cursor.take(end)?;
    if len > 18 {
        return float(text).map(Some);
    }
    text.parse().map(|number| Some(Value::Int(number))).map_err(|_| Misfit::FieldType)
}

/// A decimal number as it stands, if JSON writes it so too.
fn float(text: &str) -> Result<Value<'_>, Misfit> {
    if text.len() <= 64 && json::is_number(text) {
        return Ok(Value::Number(text));
    }
    let float: f64 = text.parse().map_err(|_| Misfit::FieldType)?;
    if float.is_finite() { Ok(Value::Float(float)) } else { Err(Misfit::FieldType) }
}
