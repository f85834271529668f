//! How a layout is written.
//!
//! Text stands for itself. `{name}` is a field, `{name:kind}` one of a kind, `{ }` one or more blanks,
//! `{?…?}` what may be missing, `{{` and `}}` a brace. A field ends where the text after it begins; if
//! that is followed by JSON, where it begins with JSON behind it.

use super::capture::{Capture, Gives, Kind, Name, Spread};
use super::follow::{Follow, end, part, settle};
use super::literal::Literal;
use super::until::Until;
use super::words::Words;
use super::{Step, convert};
use crate::definition::{Definition, Fault, FieldType};
use crate::parse::convert::Leveller;
use crate::parse::roles::Outside;
use crate::parse::{grammar, logfmt};
use crate::record::Known;
use crate::timestamp::Format;

/// Fields of a layout at most.
const MAX_FIELDS: usize = 64;

/// What is wrong with a layout.
pub(super) enum Error {
    /// The layout itself, at a column (counted in characters, from 1).
    Layout { column: usize, what: String },
    /// What the definition says of a field.
    Other(Fault),
}

/// The steps of a layout. `names` collects those of its fields, over all layouts of the definition.
pub(super) fn steps(
    layout: &str,
    definition: &Definition,
    level: &Leveller,
    names: &mut Vec<String>,
) -> Result<Vec<Step>, Error> {
    let kept = definition.level.as_ref().and_then(|level| level.keep.clone());
    let besides = kept.into_iter().collect();
    let mut reader =
        Reader { layout, at: 0, definition, level, seen: Vec::new(), besides, wrong: Vec::new() };
    let mut steps = reader.steps(false)?;
    if let [(column, first), more @ ..] = reader.wrong.as_slice() {
        let more = more.iter().map(|(column, what)| format!("; at column {column}: {what}"));
        return Err(Error::Layout {
            column: *column,
            what: first.clone() + &more.collect::<String>(),
        });
    }
    end(&mut steps);
    part(&mut steps, true);
    settle(&mut steps, &Follow::End).map_err(|name| Error::Layout {
        column: 1,
        what: format!("nothing says where `{name}` ends: put a text between it and the next field"),
    })?;
    if reader.seen.is_empty() {
        return Err(Error::Layout {
            column: 1,
            what: "it has no field, as `{message}`".to_owned(),
        });
    }
    names.append(&mut reader.seen);
    Ok(steps)
}

/// A layout and how far it has been read.
struct Reader<'l> {
    layout: &'l str,
    at: usize,
    definition: &'l Definition,
    level: &'l Leveller,
    seen: Vec<String>,
    /// What fields give that are called otherwise: the parts of a request, ports.
    besides: Vec<String>,
    /// Fields of no known kind, by their columns: one hides no other.
    wrong: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.layout.get(self.at..).unwrap_or_default()
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, Error> {
        let before = self.layout.get(..self.at).unwrap_or_default();
        Err(Error::Layout { column: before.chars().count() + 1, what: what.into() })
    }

    fn steps(&mut self, optional: bool) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::new();
        let mut literal = String::new();
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                if optional {
                    return self.wrong("`{?` is not closed by `?}`");
                }
                break;
            }
            if optional && rest.starts_with("?}") {
                self.at += 2;
                break;
            }
            if let Some(brace) = ["{{", "}}"].into_iter().find(|brace| rest.starts_with(brace)) {
                literal.push_str(brace.get(1..).unwrap_or_default());
                self.at += 2;
            } else if rest.starts_with('}') {
                return self.wrong("`}` closes nothing: write `}}` for the character");
            } else if rest.starts_with('{') {
                flush(&mut literal, &mut steps);
                let step = self.braced(optional)?;
                steps.push(step);
            } else {
                let next = rest.chars().next().unwrap_or_default();
                literal.push(next);
                self.at += next.len_utf8();
            }
        }
        flush(&mut literal, &mut steps);
        Ok(steps)
    }

    /// What begins with a brace.
    fn braced(&mut self, optional: bool) -> Result<Step, Error> {
        if self.rest().starts_with("{?") {
            if optional {
                return self.wrong("`{?` within `{?`");
            }
            self.at += 2;
            return self.steps(true).map(Step::Optional);
        }
        let Some(end) = self.rest().find('}') else {
            return self.wrong("`{` is not closed: write `{{` for the character");
        };
        let inside = self.rest().get(1..end).unwrap_or_default().to_owned();
        let step = if !inside.is_empty() && inside.bytes().all(|byte| byte == b' ') {
            Step::Blanks
        } else {
            Step::Capture(Box::new(self.field(&inside)?))
        };
        self.at += end + 1;
        Ok(step)
    }

    /// `name` or `name:kind`.
    fn field(&mut self, inside: &str) -> Result<Capture, Error> {
        let (name, kind) = match inside.split_once(':') {
            Some((name, kind)) => (name, Some(kind)),
            None => (inside, None),
        };
        let spread = name == "*";
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !spread && (name.is_empty() || !name.bytes().all(is_name)) {
            return self.wrong(format!("`{name}` is no name for a field"));
        }
        self.claim(name)?;
        if self.seen.len() >= MAX_FIELDS {
            return self.wrong(format!("it has more than {MAX_FIELDS} fields"));
        }
        self.seen.push(name.to_owned());
        let gives = self.gives(name);
        let kind = match self.kind(name, kind, &gives) {
            Err(Error::Layout { column, what }) => {
                self.wrong.push((column, what));
                Kind::Text
            }
            kind => kind?,
        };
        let besides = match &kind {
            Kind::Request => [Known::Method, Known::Target, Known::Protocol]
                .map(|known| known.name().to_owned())
                .to_vec(),
            Kind::Address { .. } => vec![port_name(name)],
            Kind::Client => vec![Known::ForwardedFor.name().to_owned()],
            _ => Vec::new(),
        };
        for other in besides.into_iter().filter(|other| other != name) {
            self.claim(&other)?;
            self.besides.push(other);
        }
        Ok(Capture {
            name: Name::new(name),
            gives,
            kind,
            until: Until::End,
            apart: false,
            behind_name: true,
            then: None,
        })
    }

    /// Sees to it that no other field is called so.
    fn claim(&self, name: &str) -> Result<(), Error> {
        if name != "_" && self.seen.iter().chain(&self.besides).any(|taken| taken == name) {
            return self.wrong(format!("there is a field `{name}` before"));
        }
        Ok(())
    }

    fn gives(&self, name: &str) -> Gives {
        let time = self.definition.time.as_ref().and_then(|time| time.field.as_deref());
        let level = self.definition.level.as_ref().and_then(|level| level.field.as_deref());
        if name == time.unwrap_or("time") {
            Gives::Time
        } else if name == level.unwrap_or("level") {
            Gives::Level
        } else if name == "message" {
            Gives::Message
        } else if name == "_" {
            Gives::Nothing
        } else {
            Gives::Field(self.definition.types.get(name).copied())
        }
    }

    fn kind(&self, name: &str, kind: Option<&str>, gives: &Gives) -> Result<Kind, Error> {
        if name == "*" {
            let kind = kind.unwrap_or_default();
            return match grammar::named(kind) {
                Some(grammar) => {
                    let tail = grammar.name == logfmt::TAIL.name;
                    let grammar = if tail { &logfmt::TAIL } else { grammar };
                    Ok(Kind::Spread(Spread { grammar, behind: Outside::default() }))
                }
                None => self.wrong(format!("there is no grammar `{kind}` to read `*` by")),
            };
        }
        if matches!(gives, Gives::Time) {
            let format = match kind {
                Some(format) => match Format::new(format) {
                    Ok(format) => format,
                    Err(error) => return self.wrong(format!("the time cannot be read: {error}")),
                },
                None => convert::format(self.definition.time.as_ref()).map_err(Error::Other)?,
            };
            return Ok(Kind::Time(Box::new(format)));
        }
        let Some(kind) = kind else { return Ok(declared(gives)) };
        Ok(match kind {
            "text" => Kind::Text,
            "word" => Kind::Word,
            "stem" => Kind::Stem,
            "class" => Kind::Class,
            "last" => Kind::Last,
            "list" => Kind::List,
            "head" => Kind::Head,
            "rest" => Kind::Rest,
            "lines" => Kind::Lines,
            "uuid" => Kind::Uuid,
            "int" => Kind::Integer,
            "float" => Kind::Float,
            "s" => Kind::Duration(FieldType::Seconds),
            "ms" => Kind::Duration(FieldType::Milliseconds),
            "us" => Kind::Duration(FieldType::Microseconds),
            "ns" => Kind::Duration(FieldType::Nanoseconds),
            "quoted" => Kind::Quoted,
            "escaped" => Kind::Escaped,
            "escaped_lines" => Kind::EscapedLines,
            "json" => Kind::Json,
            "request" => Kind::Request,
            "client" => Kind::Client,
            "address" => Kind::Address { port: Name::new(&port_name(name)) },
            words if words.contains('|') => Kind::OneOf(Box::new(Words::new(words, self.level))),
            other => {
                return self.wrong(format!(
                    "`{other}` is no kind of field: text, lines, word, stem, class, last, list, head, rest, int, float, \
                     s, ms, us, ns, quoted, escaped, escaped_lines, json, uuid, request, address, client, or words as `yes|no`"
                ));
            }
        })
    }
}

/// The kind of a field that the layout says nothing of.
fn declared(gives: &Gives) -> Kind {
    match gives {
        Gives::Field(Some(FieldType::Integer)) => Kind::Integer,
        Gives::Field(Some(FieldType::Float)) => Kind::Float,
        _ => Kind::Text,
    }
}

/// `client_ip` → `client_port`.
fn port_name(name: &str) -> String {
    let stem = ["_ip", "_address", "_host"].into_iter().find_map(|end| name.strip_suffix(end));
    format!("{}_port", stem.unwrap_or(name))
}

fn flush(literal: &mut String, steps: &mut Vec<Step>) {
    if !literal.is_empty() {
        steps.push(Step::Literal(Literal::new(&std::mem::take(literal))));
    }
}
