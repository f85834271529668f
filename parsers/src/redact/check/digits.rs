//! Values as digits, for sums over them; and the dates that numbers begin with.

/// The value, if it is exactly so many digits.
pub(super) fn digits<const N: usize>(value: &[u8]) -> Option<[u32; N]> {
    let value: &[u8; N] = value.try_into().ok()?;
    let mut digits = [0; N];
    for (to, byte) in digits.iter_mut().zip(value) {
        *to = digit(*byte)?;
    }
    Some(digits)
}

/// The value of one digit.
pub(super) fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// Digits as one number. At most nine fit.
pub(super) fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |sum, digit| sum * 10 + digit)
}

/// The sum of each digit times its weight. What has no weight does not count.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Whether all are the same.
pub(super) fn alike<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// Whether there is such a day. Without a century, a 29 February may be: `None`.
pub(super) fn is_day(year: Option<u32>, month: u32, day: u32) -> bool {
    let leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_none_or(leap) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A date: eight digits with the year first or last, month before day or after it; with a time of day
/// after a `T`; or a day and a year around an English month's name.
pub(super) fn date(value: &[u8]) -> bool {
    let is = |year: &[u32], month: &[u32], day: &[u32]| {
        (1880..2100).contains(&number(year))
            && is_day(Some(number(year)), number(month), number(day))
    };
    let whole = value.get(8).is_none_or(|byte| *byte == b'T');
    match value.first_chunk::<8>().and_then(|front| digits::<8>(front)) {
        Some([a, b, c, d, e, f, g, h]) if whole => {
            is(&[a, b, c, d], &[e, f], &[g, h])
                || is(&[e, f, g, h], &[a, b], &[c, d])
                || is(&[e, f, g, h], &[c, d], &[a, b])
        }
        Some(_) => false,
        None => worded(value),
    }
}

/// `17MAY1980`, `MAY171980`.
fn worded(value: &[u8]) -> bool {
    const MONTHS: [&[u8; 3]; 12] = [
        b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV",
        b"DEC",
    ];
    let start = value.iter().position(u8::is_ascii_alphabetic).unwrap_or(value.len());
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let (before, rest) = value.split_at(start);
    let (name, after) = rest.split_at(letters.min(rest.len()));
    let named = MONTHS.iter().any(|month| {
        name.first_chunk::<3>().is_some_and(|start| start.eq_ignore_ascii_case(*month))
    });
    let numbers = before.iter().chain(after);
    named && matches!(before.len() + after.len(), 5 | 6) && numbers.clone().all(u8::is_ascii_digit)
}

/// The number of a paper that a state gives out: letters and digits, at least four of them digits.
pub(super) fn paper(value: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    (6..=18).contains(&value.len())
        && value.iter().all(known)
        && !alike(value)
        && value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_are_and_that_are_not() {
        assert!(is_day(Some(2024), 2, 29) && is_day(Some(2000), 2, 29) && is_day(None, 2, 29));
        assert!(!is_day(Some(2023), 2, 29) && !is_day(Some(1900), 2, 29) && !is_day(None, 2, 30));
        assert!(!is_day(None, 0, 1) && !is_day(None, 13, 1) && !is_day(None, 1, 0));
        assert!(is_day(None, 12, 31) && !is_day(None, 11, 31));
    }

    #[test]
    fn dates_in_whatever_order() {
        for value in
            ["19800517", "17051980", "05171980", "19800517T000000Z", "17May1980", "MAY171980"]
        {
            assert!(date(value.as_bytes()), "{value}");
        }
        for value in ["", "19801340", "18700517", "1795658286679", "19800517X", "17Foo1980", "May"]
        {
            assert!(!date(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn digits_are_all_of_the_value() {
        assert_eq!(digits(b"042"), Some([0, 4, 2]));
        assert_eq!(digits::<3>(b"42"), None);
        assert_eq!(digits::<2>(b"4x"), None);
        assert_eq!(number(&[0, 4, 2]), 42);
        assert!(alike(b"77") && !alike(b"78") && alike::<u8>(&[]));
    }
}
