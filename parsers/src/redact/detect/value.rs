//! The value that is assigned to a name in running text: where it ends, and whether it is one.

use std::ops::Range;

use memchr::memmem;

use super::{View, is_word};

/// The place after an opening quote, and the quote (with its backslashes) if there is one.
pub(super) fn opening(view: View<'_>, at: usize) -> (usize, Option<Range<usize>>) {
    let slashes = view.run(at, 8, |byte| byte == b'\\');
    let mark = view.at(slashes);
    if !matches!(mark, b'"' | b'\'' | b'`') {
        return (at, None);
    }
    let last = view.run(slashes, 3, |byte| byte == mark);
    // Three quotes are one, where a text between them follows.
    if slashes == at && last == at + 3 && view.at(last) > b' ' {
        return (last, Some(last - 1..last));
    }
    (slashes + 1, Some(at..slashes + 1))
}

/// How many values may stand around one, each in parentheses.
const WRAPPED: usize = 4;

/// Where the quote is in `b'…'`, `Some("…")`, `Secret(Some("…"))` and PHP's `string(7) "…"`; `at` if nothing of
/// the kind is there.
pub(super) fn wrapped(view: View<'_>, at: usize) -> usize {
    let mut inside = at;
    for _ in 0..WRAPPED {
        let name = view.run(inside, 48, |byte| is_word(byte) || byte == b':');
        let letter = name == inside + 1 && matches!(view.at(inside) | 0x20, b'b' | b'r' | b'u');
        inside = match view.at(name) {
            b'(' if name > inside => {
                let digits = view.run(name + 1, 8, |byte| byte.is_ascii_digit());
                let counted = digits > name + 1 && view.has(digits, b") ");
                if counted { digits + 2 } else { name + 1 }
            }
            b'(' => name + 1,
            _ if letter => name,
            _ => return at,
        };
        if opening(view, inside).1.is_some() {
            return inside;
        }
    }
    at
}

/// How HTML writes quotes.
const ENTITIES: [&[u8]; 6] = [b"&quot;", b"&#34;", b"&#39;", b"&apos;", b"&#039;", b"&#x27;"];

/// Where a quote that HTML writes begins, if one ends before a place.
pub(super) fn entity_before(view: View<'_>, to: usize) -> Option<usize> {
    ENTITIES.iter().find_map(|entity| {
        let start = to.checked_sub(entity.len())?;
        view.has(start, entity).then_some(start)
    })
}

/// What stands between two quotes that HTML writes, if one begins here.
fn between_entities(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let entity = ENTITIES.iter().find(|entity| view.has(at, entity))?;
    let from = at + entity.len();
    let rest = view.bytes.get(from..)?;
    Some(from..memmem::find(rest, entity).map_or(view.bytes.len(), |end| from + end))
}

/// The value that begins at `at`, without its quotes; and whether it has none. `query`: in a URL's query,
/// where it ends at `&`.
pub(super) fn value(view: View<'_>, at: usize, query: bool) -> (Range<usize>, bool) {
    if view.at(at) == b'&'
        && let Some(range) = between_entities(view, at)
    {
        return (range, false);
    }
    let (from, quote) = opening(view, at);
    if let Some(quote) = quote {
        return (from..quoted_end(view, from, &quote), false);
    }
    if view.at(from) == b'[' {
        let end = view.run(from, usize::MAX, |byte| !matches!(byte, b']' | b'\n'));
        let whole = from..(end + 1).min(view.bytes.len());
        let masked = view.bytes.get(whole.clone()).is_some_and(|text| view.masks.has(text));
        return (if masked { whole } else { from + 1..end }, true);
    }
    if view.at(from) == b'{' {
        return (from..from, true);
    }
    (from..bare_end(view, from, query), true)
}

/// Where a quoted value ends: at the same quote, behind the same number of backslashes.
pub(super) fn quoted_end(view: View<'_>, from: usize, quote: &Range<usize>) -> usize {
    let mark = view.at(quote.end - 1);
    let mut place = from;
    loop {
        place = view.run(place, usize::MAX, |byte| byte != mark);
        if place >= view.bytes.len() {
            return view.bytes.len();
        }
        if let Some(end) = closes(view, from, place, quote) {
            return end;
        }
        place += 1;
    }
}

/// Whether the mark at `place` closes a value that began at `from` behind `quote`: where the value ends,
/// if so.
pub(super) fn closes(
    view: View<'_>,
    from: usize,
    place: usize,
    quote: &Range<usize>,
) -> Option<usize> {
    let slashes = quote.len() - 1;
    let start = view.run_back(place, place - from, |byte| byte == b'\\');
    let before = place - start;
    // More backslashes: a quote within the value, one level further in.
    let ends = before <= slashes || (slashes == 0 && before.is_multiple_of(2));
    ends.then(|| start.max(from).max(place - before.min(slashes)))
}

/// Where a value without quotes ends. A comma or the like ends it only where something new begins, an
/// apostrophe only where no word goes on.
fn bare_end(view: View<'_>, from: usize, query: bool) -> usize {
    let mut place = from;
    loop {
        place = view.run(place, usize::MAX, |byte| {
            !matches!(
                byte,
                0..=b' '
                    | b'"'
                    | b'\''
                    | b'&'
                    | b','
                    | b';'
                    | b'|'
                    | b'\\'
                    | b')'
                    | b']'
                    | b'}'
                    | b'>'
                    | b'<'
            )
        });
        let byte = view.at(place);
        let ends = match byte {
            // `p'ss` goes on, the quote after `'password=p'` does not.
            b'\'' => !is_word(view.at(place + 1)),
            b',' | b';' | b'|' | b'&' => {
                let name = view.run(place + 1, 64, |byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'"')
                });
                view.at(place + 1) <= b' '
                    || (byte == b'&' && query)
                    || (name > place + 1 && matches!(view.at(name), b'=' | b':'))
            }
            b')' | b']' | b'}' | b'>' => {
                let next = view.run(place, 8, |byte| matches!(byte, b')' | b']' | b'}' | b'>'));
                view.at(next) <= b' '
                    || matches!(view.at(next), b',' | b';' | b'"' | b'\'' | b'.' | b'\\' | b'|')
            }
            b'\\' => {
                matches!(view.at(place + 1), b'n' | b'r' | b't' | b'"' | b'\\' | b'u' | b'\'')
                    || view.colour_after(place).is_some()
            }
            b'<' => view.at(place + 1) == b'/',
            _ => true,
        };
        if ends || place >= view.bytes.len() {
            return place;
        }
        place += 1;
    }
}

/// Words of a name or an address at most.
const WORDS: usize = 8;

/// Where a name or an address without quotes ends, whose first word is there: before a word that begins neither
/// with a capital nor with a digit, or is assigned something itself, and behind a full stop.
pub(super) fn words_end(view: View<'_>, first: Range<usize>) -> usize {
    let mut end = first.end;
    let mut word = first;
    for _ in 0..WORDS {
        // That of `Jr.` or of an initial is none.
        if word.is_empty() || (view.before(end, 1) == b'.' && word.len() > 3) {
            return end;
        }
        let from = end + usize::from(view.at(end) == b',') + 1;
        let next = view.at(from);
        let goes_on = next.is_ascii_uppercase() || next.is_ascii_digit() || next >= 0x80;
        if view.at(from - 1) != b' ' || !goes_on {
            return end;
        }
        word = from..bare_end(view, from, false);
        let name = view.run(from, word.len(), |byte| !matches!(byte, b'=' | b':'));
        if name < word.end {
            return end;
        }
        end = word.end;
    }
    end
}

/// Text that stands for a value which is not there.
pub(super) fn is_placeholder(view: View<'_>, text: &[u8]) -> bool {
    let begins = |start: &[u8]| text.starts_with(start);
    view.masks.has(text)
        || is_hidden(text)
        || (begins(b"${") && !has_default(text))
        || begins(b"$(")
        || begins(b"{{")
        || text.strip_prefix(b"#{").is_some_and(is_path)
        || (begins(b"<%") && text.ends_with(b"%>"))
        || matches!(text, b"<%" | b"<%=")
        || begins(b"%(")
        || is_variable(text)
        || matches!(text, b"%s" | b"%v" | b"%d" | b"%q" | b"{}" | b"?")
        || text.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-' | b'#'))
}

/// Whether a text is a name, or names and dots, and perhaps the bracket behind it.
fn is_path(text: &[u8]) -> bool {
    let name = text.strip_suffix(b"}").unwrap_or(text);
    !name.is_empty() && name.iter().all(|&byte| is_word(byte) || byte == b'.')
}

/// Whether all of a text is what a template has in place of a value: `${NAME}`, `{{ name }}`, `%(name)s`, `#{name}`,
/// `<%= name %>`, `$(command)`, `$NAME`.
pub(in super::super) fn is_template(text: &[u8]) -> bool {
    const AROUND: [(&[u8], &[u8]); 6] = [
        (b"${", b"}"),
        (b"{{", b"}}"),
        (b"%(", b")s"),
        (b"#{", b"}"),
        (b"<%", b"%>"),
        (b"$(", b")"),
    ];
    let inside = AROUND
        .iter()
        .find_map(|(open, close)| Some(text.strip_prefix(*open)?.strip_suffix(*close)).flatten());
    let plain = |inside: &[u8]| inside.iter().all(|byte| !matches!(byte, b'}' | b')' | b'"'));
    is_variable(text)
        || inside.is_some_and(|inside| {
            // `${{ secrets.NAME }}`
            let inside =
                inside.strip_prefix(b"{").map_or(inside, |it| it.strip_suffix(b"}").unwrap_or(it));
            plain(inside) && !has_default(text)
        })
}

/// Whether a variable has what stands for it where it is not set, which may be a secret: `${NAME:-hunter2}`, and
/// Spring's `${NAME:hunter2}`. `${env:NAME}` and `${file:/run/secrets/db}` have none.
fn has_default(text: &[u8]) -> bool {
    let inside = text.strip_prefix(b"${").unwrap_or(text);
    let inside = inside.strip_suffix(b"}").unwrap_or(inside);
    let end = inside.iter().position(|&byte| !is_word(byte)).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    match rest {
        [b':', b'-' | b'=', default @ ..] => !default.is_empty(),
        [b':', b'?' | b'+', ..] => false,
        [b':' | b'-' | b'=', default @ ..] => {
            !default.is_empty() && !name.iter().any(u8::is_ascii_lowercase)
        }
        _ => false,
    }
}

/// Whether a text is a variable of a shell that is named like a secret, or a marker of a statement: `$DB_PASSWORD`,
/// `%DB_PASSWORD%`, `$1`. Other words behind a `$` may be somebody's password.
fn is_variable(text: &[u8]) -> bool {
    const ENDS: [&[u8]; 8] =
        [b"PASSWORD", b"PASSWD", b"PASS", b"PWD", b"SECRET", b"TOKEN", b"KEY", b"AUTH"];
    let windows = || text.strip_prefix(b"%")?.strip_suffix(b"%");
    let Some(name) = text.strip_prefix(b"$").or_else(windows) else { return false };
    let member = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    // `$MONKEY` is none.
    let ends = |end: &[u8]| {
        let rest = name.strip_suffix(end);
        rest.is_some_and(|rest| rest.last().is_none_or(|&byte| byte == b'_'))
    };
    let marker = matches!(name.len(), 1 | 2) && name.iter().all(u8::is_ascii_digit);
    marker || (name.iter().all(member) && ENDS.iter().any(|end| ends(end)))
}

/// What programs write in place of a secret that they do not tell: `[FILTERED]`, `["REDACTED"]`, `****`; or what they
/// are told to do with it, as in Traefik's configuration: `"Authorization":"redact"`.
pub(in super::super) fn is_hidden(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"redacted",
        b"filtered",
        b"masked",
        b"hidden",
        b"removed",
        b"sanitized",
        b"scrubbed",
        b"redact",
    ];
    let around = |byte: &u8| !matches!(byte, b'[' | b']' | b'<' | b'>' | b'(' | b')' | b'"' | b' ');
    let first = text.iter().position(around).unwrap_or(text.len());
    let last = text.iter().rposition(around).map_or(first, |last| last + 1);
    let word = text.get(first..last).unwrap_or_default();
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || (word.len() > 2 && word.iter().all(|&byte| byte == b'*'))
}

/// Words that programs write for no value, and for switches.
pub(in super::super) fn is_constant(text: &[u8]) -> bool {
    let words: &[&[u8]] = &[
        b"null",
        b"none",
        b"nil",
        b"undefined",
        b"true",
        b"false",
        b"yes",
        b"no",
        b"on",
        b"off",
        b"empty",
        b"hidden",
        b"redacted",
        b"masked",
        b"filtered",
        b"unset",
        b"required",
    ];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Words that go on a sentence after `password:`.
pub(in super::super) fn is_prose(text: &[u8]) -> bool {
    let words: &[&[u8]] = &[
        b"invalid",
        b"incorrect",
        b"missing",
        b"expired",
        b"changed",
        b"wrong",
        b"failed",
        b"must",
        b"is",
        b"not",
        b"for",
        b"and",
        b"or",
        b"was",
        b"has",
        b"cannot",
        b"could",
        b"should",
        b"the",
        b"a",
        b"an",
        b"too",
        b"authentication",
        b"access",
        b"user",
        b"reset",
        b"updated",
        b"error",
        b"accepted",
        b"rejected",
        b"denied",
        b"unknown",
        b"ok",
    ];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}
