//! Strings, numbers and whole values of JSON: where they end.

use super::{Stop, Walk};

impl<'t> Walk<'_, 't> {
    /// Goes past a value without writing it.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1).ok_or(Stop::Malformed)?;
                    self.at += 1;
                }
                0 => return Err(Stop::Malformed),
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if open > 0 => self.at += 1,
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => return Err(Stop::Malformed),
                _ => {
                    let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                    let scalar = |byte: &u8| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
                    };
                    let length = rest.iter().take_while(|byte| scalar(byte)).count();
                    self.at += length;
                    if length == 0 {
                        return Err(Stop::Malformed);
                    }
                }
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// The inside of the string that comes next.
    pub(super) fn string(&mut self) -> Result<&'t str, Stop> {
        let bytes = self.text.as_bytes();
        if self.peek() != b'"' {
            return Err(Stop::Malformed);
        }
        let from = self.at + 1;
        let mut place = from;
        loop {
            let rest = bytes.get(place..).ok_or(Stop::Malformed)?;
            let found = memchr::memchr2(b'"', b'\\', rest).ok_or(Stop::Malformed)?;
            place += found;
            if bytes.get(place) == Some(&b'"') {
                break;
            }
            place += 2;
        }
        self.at = place + 1;
        self.slice(from..place)
    }

    /// The number that comes next, as written.
    pub(super) fn number(&mut self) -> Result<&'t str, Stop> {
        let from = self.at;
        self.at += usize::from(self.peek() == b'-');
        let whole = self.at;
        self.digits()?;
        if self.text.as_bytes().get(whole) == Some(&b'0') && self.at > whole + 1 {
            return Err(Stop::Malformed);
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        self.slice(from..self.at)
    }

    /// Goes past one digit or more.
    fn digits(&mut self) -> Result<(), Stop> {
        let from = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == from { Err(Stop::Malformed) } else { Ok(()) }
    }
}
