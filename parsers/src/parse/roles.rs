//! What loggers call the time, the level and the message of a structured record (JSON, logfmt), and
//! which key wins where several stand for the same.

use super::convert::Leveller;
use super::grammar::Context;
use super::level;
use super::refine::Refine;
use crate::record::{ClockUnit, Field, Key, Level, Record, Text, Time, Value};

/// What a top-level key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// When it happened.
    Time,
    /// How bad it is.
    Level,
    /// The human-readable part.
    Message,
}

/// What a key stands for, and how much it is preferred where several stand for the same: 0 most.
///
/// Conventions of: ECS and Logstash (`@timestamp`, `log.level`, `message`), logrus and zerolog
/// (`time`, `level`, `msg`), zap (`ts`), slog, pino and bunyan, python-json-logger (`asctime`,
/// `levelname`), Serilog (`@t`, `@l`, `@m`, `RenderedMessage`), .NET (`Timestamp`, `LogLevel`, `Message`), Monolog
/// (`datetime`, `level_name`), GELF (`short_message`), logback (`formattedMessage`), Google Cloud
/// (`severity`).
#[inline]
pub(super) fn role(key: &[u8]) -> Option<(Role, u8)> {
    // No key of the conventions is longer: most keys that are not one stop here.
    if key.len() > 16 {
        return None;
    }
    Some(match key {
        b"@timestamp" => (Role::Time, 0),
        b"timestamp" | b"Timestamp" => (Role::Time, 1),
        b"time" | b"Time" => (Role::Time, 2),
        b"ts" => (Role::Time, 3),
        b"datetime" | b"asctime" | b"@t" | b"timeMillis" => (Role::Time, 4),
        b"t" => (Role::Time, 5),
        b"log.level" => (Role::Level, 0),
        b"level" | b"Level" => (Role::Level, 1),
        b"lvl" | b"loglevel" | b"logLevel" | b"LogLevel" | b"log_level" => (Role::Level, 2),
        b"levelname" | b"level_name" => (Role::Level, 0),
        b"severity" | b"Severity" | b"severity_text" => (Role::Level, 3),
        b"@l" => (Role::Level, 4),
        // What else calls itself the message has places in it still, which these fill.
        b"formattedMessage" | b"RenderedMessage" => (Role::Message, 0),
        b"message" | b"Message" => (Role::Message, 1),
        b"msg" => (Role::Message, 2),
        b"short_message" => (Role::Message, 3),
        b"@m" => (Role::Message, 4),
        _ => return None,
    })
}

/// What of a record is said already, outside of the text that is read into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// When it happened.
    pub(super) time: bool,
    /// How bad it is.
    pub(super) level: bool,
    /// The human-readable part.
    pub(super) message: bool,
}

impl Outside {
    /// Whether it is what is called so.
    pub(super) fn says(self, name: &str) -> bool {
        match name {
            "time" => self.time,
            "level" => self.level,
            "message" => self.message,
            _ => false,
        }
    }
}

/// What stands for time, level and message so far.
#[derive(Default)]
pub(super) struct Roles<'a> {
    time: Option<Taken<'a, Time>>,
    level: Option<Taken<'a, Level>>,
    message: Option<Taken<'a, Text<'a>>>,
}

/// A field that stands for something, and what it gave.
struct Taken<'a, T> {
    rank: u8,
    field: Field<'a>,
    gives: T,
}

impl<'a> Roles<'a> {
    /// Takes a field for a role as [`Roles::take`] does, and gives the record the field that is one after
    /// all.
    #[inline(always)]
    pub(super) fn put(
        &mut self,
        role: Role,
        rank: u8,
        field: Field<'a>,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) {
        if let Some(left) = self.take(role, rank, field, cx) {
            put_back(left, record);
        }
    }

    /// Puts a text where its key says that it belongs.
    ///
    /// Key and text come as they are, and the field is put together in the place where it stays: what is
    /// put together elsewhere and copied is slow to read at once.
    #[inline(always)]
    pub(super) fn put_text(
        &mut self,
        key: Text<'a>,
        text: Text<'a>,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) {
        match role(key.as_stored().as_bytes()) {
            None => record.push(Key::Text(key), Value::Text(text)),
            Some((role, rank)) => {
                let field = Field { key: Key::Text(key), value: Value::Text(text) };
                self.put(role, rank, field, cx, record);
            }
        }
    }

    /// Takes a field for a role, if it can be read as that, no better one has been taken, the line does
    /// not say it elsewhere, and the definition does not say which field that is. Gives back the field
    /// that is one after all: this one, or the one it displaces.
    ///
    /// Inlined, so that the field is put where it stays and nowhere before.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        role: Role,
        rank: u8,
        field: Field<'a>,
        cx: &mut Context<'_, 'a>,
    ) -> Option<Field<'a>> {
        match role {
            Role::Time if cx.outside.time => Some(field),
            Role::Level if cx.outside.level => Some(field),
            Role::Message if cx.outside.message => Some(field),
            Role::Time if cx.refine.is_some_and(Refine::claims_time) => Some(field),
            Role::Level if cx.refine.is_some_and(Refine::claims_level) => Some(field),
            Role::Time => {
                let time = time_of(&field.value, cx);
                if time.is_none() && field.key.name() != "t" {
                    *cx.bad_times += 1;
                }
                place(&mut self.time, rank, field, time)
            }
            Role::Level => {
                let level = level_of(&field.value, cx.refine.and_then(Refine::leveller));
                place(&mut self.level, rank, field, level)
            }
            Role::Message => {
                let message = match field.value {
                    Value::Text(text) => Some(text),
                    _ => None,
                };
                place(&mut self.message, rank, field, message)
            }
        }
    }

    /// Whether nothing was taken for a role yet.
    pub(super) const fn lacks(&self, role: Role) -> bool {
        match role {
            Role::Time => self.time.is_none(),
            Role::Level => self.level.is_none(),
            Role::Message => self.message.is_none(),
        }
    }

    /// Gives the record what was taken.
    pub(super) fn finish(self, record: &mut Record<'a>) {
        record.time = self.time.map(|taken| taken.gives);
        record.level = self.level.map(|taken| taken.gives);
        record.message = self.message.map(|taken| taken.gives);
    }
}

/// In a place of its own: fields that have no role are not to come together with these before they are put.
#[inline(never)]
fn put_back<'a>(field: Field<'a>, record: &mut Record<'a>) {
    record.fields.push(field);
}

#[inline(always)]
fn place<'a, T>(
    slot: &mut Option<Taken<'a, T>>,
    rank: u8,
    field: Field<'a>,
    gives: Option<T>,
) -> Option<Field<'a>> {
    match gives {
        Some(gives) if slot.as_ref().is_none_or(|taken| rank < taken.rank) => {
            slot.replace(Taken { rank, field, gives }).map(|displaced| displaced.field)
        }
        _ => Some(field),
    }
}

fn time_of(value: &Value<'_>, cx: &mut Context<'_, '_>) -> Option<Time> {
    match value {
        Value::Text(text) => cx.clock.any(text.as_stored()),
        Value::Number(number) => cx.clock.any(number),
        Value::Json(json) => seconds_and_nanos(json),
        _ => None,
    }
}

/// `{"seconds":1795658287,"nanos":41272881}`, as Google's libraries write a time.
fn seconds_and_nanos(json: &str) -> Option<Time> {
    let inside = json.strip_prefix('{')?.strip_suffix('}')?;
    let (mut seconds, mut nanos) = (None::<i64>, 0_i64);
    for member in inside.split(',') {
        let (key, value) = member.split_once(':')?;
        // Protocol buffers write whole numbers of 64 bits as texts.
        let value = value.trim().trim_matches('"');
        match key.trim() {
            "\"seconds\"" => seconds = Some(value.parse().ok()?),
            "\"nanos\"" => {
                nanos = value.parse().ok().filter(|nanos| (0..1_000_000_000).contains(nanos))?
            }
            _ => return None,
        }
    }
    let nanos = seconds?.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    Some(Time { nanos, unit: ClockUnit::Nanosecond })
}

fn level_of(value: &Value<'_>, leveller: Option<&Leveller>) -> Option<Level> {
    match (value, leveller) {
        (Value::Text(text), Some(leveller)) => leveller.level(text.as_stored()),
        (Value::Number(number), Some(leveller)) => leveller.level(number),
        (Value::Text(text), None) => level::from_name(text.as_stored()),
        (Value::Number(number), None) => level::from_number(number),
        _ => None,
    }
}
