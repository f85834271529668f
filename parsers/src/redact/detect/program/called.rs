//! Which programs take a password behind a letter, and whether one of them is called before a place.

use super::super::{View, is_word};

/// A program, or all that are called so and on.
pub(super) struct Program {
    pub(super) name: &'static [u8],
    /// The word that must follow for the letters to mean that.
    pub(super) word: &'static [u8],
    /// The letters.
    pub(super) letters: &'static [u8],
    pub(super) takes: Takes,
}

/// What a program takes behind the letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A password, with nothing between.
    Glued,
    /// A password, perhaps behind a blank.
    Whole,
    /// A user, this sign and a password.
    Behind(u8),
    /// A password that is the last of some arguments.
    Placed,
}

const fn program(
    name: &'static [u8],
    word: &'static [u8],
    letters: &'static [u8],
    takes: Takes,
) -> Program {
    Program { name, word, letters, takes }
}

const PROGRAMS: &[Program] = &[
    CURL,
    program(b"mysql", b"", b"p", Takes::Glued),
    program(b"mariadb", b"", b"p", Takes::Glued),
    program(b"7z", b"", b"p", Takes::Glued),
    program(b"htpasswd", b"", b"", Takes::Placed),
    program(b"sshpass", b"", b"p", Takes::Whole),
    program(b"docker", b"login", b"p", Takes::Whole),
    program(b"podman", b"login", b"p", Takes::Whole),
    program(b"nerdctl", b"login", b"p", Takes::Whole),
    program(b"buildah", b"login", b"p", Takes::Whole),
    program(b"skopeo", b"login", b"p", Takes::Whole),
    program(b"helm", b"login", b"p", Takes::Whole),
    program(b"oc", b"login", b"p", Takes::Whole),
    program(b"az", b"login", b"p", Takes::Whole),
    program(b"mongo", b"", b"p", Takes::Whole),
    program(b"cqlsh", b"", b"p", Takes::Whole),
    program(b"psexec", b"", b"p", Takes::Whole),
    program(b"ldap", b"", b"w", Takes::Whole),
    program(b"sqlcmd", b"", b"P", Takes::Whole),
    program(b"bcp", b"", b"P", Takes::Whole),
    program(b"osql", b"", b"P", Takes::Whole),
    program(b"isql", b"", b"P", Takes::Whole),
    program(b"ipmitool", b"", b"P", Takes::Whole),
    program(b"zip", b"", b"P", Takes::Whole),
    program(b"unzip", b"", b"P", Takes::Whole),
    program(b"mosquitto_pub", b"", b"P", Takes::Whole),
    program(b"mosquitto_sub", b"", b"P", Takes::Whole),
    program(b"redis-cli", b"", b"a", Takes::Whole),
    program(b"snmpwalk", b"", b"cAX", Takes::Whole),
    program(b"snmpget", b"", b"cAX", Takes::Whole),
    program(b"snmpset", b"", b"cAX", Takes::Whole),
    program(b"snmpbulk", b"", b"cAX", Takes::Whole),
    program(b"lftp", b"", b"u", Takes::Behind(b',')),
    program(b"smbclient", b"", b"U", Takes::Behind(b'%')),
    program(b"rpcclient", b"", b"U", Takes::Behind(b'%')),
];

pub(super) const CURL: Program = program(b"curl", b"", b"uU", Takes::Behind(b':'));

/// Bytes of a command before an option that are looked at. In a raw record they may be escaped, and so many more.
const COMMAND: usize = 384;
const ESCAPED: usize = 4;

/// Bytes behind a program's name in which its word is looked for.
const WORD: usize = 48;

/// A bit for each two letters that some program's name begins with, case aside.
const BEGINNINGS: [u32; 32] = {
    let mut beginnings = [0; 32];
    let mut at = 0;
    while at < PROGRAMS.len() {
        let name = PROGRAMS[at].name;
        beginnings[(name[0] & 31) as usize] |= 1 << (name[1] & 31);
        at += 1;
    }
    beginnings
};

/// Whether a program's name may begin with these two bytes.
#[inline]
fn may_begin(first: u8, second: u8) -> bool {
    BEGINNINGS.get(usize::from(first & 31)).is_some_and(|seconds| seconds >> (second & 31) & 1 == 1)
        && is_word(first)
}

/// The program, of those that `wanted` says, whose arguments stand before a place.
pub(super) fn command(
    view: View<'_>,
    at: usize,
    wanted: impl Fn(&Program) -> bool,
) -> Option<&'static Program> {
    let least = at.saturating_sub(if view.bounded { COMMAND } else { ESCAPED * COMMAND });
    let (mut other, mut quotes) = (false, 0);
    for place in (least..at).rev() {
        let first = view.at(place);
        quotes += usize::from(matches!(first, b'"' | b'\''));
        if ends_command(view, place, quotes % 2 == 0) {
            view.walked(at - place);
            return None;
        }
        other |= matches!(first, b'\n' | b';' | b'|' | b'&');
        if may_be_called(view, place) {
            let found = PROGRAMS.iter().find(|program| {
                // What a header or an address has in it ends no command of these.
                let own = !other || matches!(program.takes, Takes::Behind(_));
                own && wanted(program) && is_called(view, place, program)
            });
            if found.is_some() {
                view.walked(at - place);
                return found;
            }
        }
    }
    view.walked(at - least);
    None
}

/// Whether a command ends at a place, of whichever program: ` && `, ` | `, and `; ` outside of quotes.
fn ends_command(view: View<'_>, place: usize, outside: bool) -> bool {
    let sign = view.at(place);
    let before = view.before(place, 1);
    match sign {
        b'&' | b'|' => view.at(place + 1) == b' ' && (before == b' ' || before == sign),
        b';' => view.at(place + 1) == b' ' && outside,
        b'\n' => before != b'\\',
        _ => false,
    }
}

/// Whether a program's name may begin at a place: the end of a file's name is none, nor an option.
fn may_be_called(view: View<'_>, place: usize) -> bool {
    may_begin(view.at(place), view.at(place + 1))
        && !(view.bounded && view.word_before(place))
        && !matches!(view.before(place, 1), b'.' | b'-')
}

/// Whether any of the programs was called in a text so far: it is gone over once, however many options it has.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super::super) struct Called {
    until: usize,
    any: bool,
}

impl Called {
    /// Whether one was called before a place.
    pub(in super::super::super) fn before(&mut self, view: View<'_>, at: usize) -> bool {
        let called = |place: usize| {
            may_be_called(view, place)
                && PROGRAMS.iter().any(|program| is_called(view, place, program))
        };
        if !self.any && self.until < at {
            view.walked(at - self.until);
            self.any = (self.until..at).any(called);
            self.until = at;
        }
        self.any
    }
}

/// Whether a program is called at a place by its name, and by its word.
fn is_called(view: View<'_>, at: usize, program: &Program) -> bool {
    if view.bytes.get(at..at + program.name.len()) != Some(program.name) {
        return false;
    }
    let glued = program.takes == Takes::Glued;
    let goes_on = |byte: u8| byte.is_ascii_lowercase() || (glued && byte == b'-');
    let end = view.run(at + program.name.len(), 24, goes_on);
    let ends = matches!(view.at(end), b' ' | b'"' | b'\'' | b'\\') || view.has(end, b".exe");
    let window = view.bytes.get(end..view.bytes.len().min(end + WORD)).unwrap_or_default();
    let word = || {
        let part = |byte: u8| is_word(byte) || byte == b'-';
        let at = end + memchr::memmem::find(window, program.word)?;
        (!part(view.before(at, 1)) && !part(view.at(at + program.word.len()))).then_some(at)
    };
    ends && (program.word.is_empty() || word().is_some())
}
