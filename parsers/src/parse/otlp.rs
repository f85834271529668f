//! OpenTelemetry's logs as JSON lines: an `ExportLogsServiceRequest` a line, as the collector's file
//! exporter writes.
//!
//! `{"resourceLogs":[{"resource":{…},"scopeLogs":[{"scope":{…},"logRecords":[{…}]}]}]}`
//!
//! A line with one log record is that record: its body is the message, attributes are fields by their
//! keys, those of the resource below `resource.`. A line with several is as many records, if whoever
//! reads it [takes it apart](parts); read as one, it stays the JSON it is.

mod parts;
mod walk;

use super::grammar::{Context, Grammar};
use super::json;
use super::{Misfit, convert, level};
use crate::record::{Known, Level, Record, Value};
pub use parts::Parts;
use walk::{Walk, whole};

/// Reads an export request of logs.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "otlp", begins: b"{", needs: "{[:", probe: Some(probe), read };

pub(super) fn probe(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"resourceLogs":["#)
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    if !probe(text.as_bytes()) {
        return Err(Misfit::Syntax);
    }
    let mut walk = Walk::new(text, cx.arena);
    match request(&mut walk, cx, record) {
        Ok(()) => Ok(()),
        // More than one record, or not what a request looks like: if it is JSON, it is shipped as that.
        Err(_) => {
            super::auto::clear(record);
            (json::GRAMMAR.read)(text, cx, record)
        }
    }
}

fn request<'a>(
    walk: &mut Walk<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    walk.object(&mut |walk, key| match key {
        "resourceLogs" => walk.only(&mut |walk| {
            walk.object(&mut |walk, key| match key {
                "resource" => walk.object(&mut |walk, key| match key {
                    "attributes" => walk.attributes("resource", record),
                    other => walk.keep("resource", other, record),
                }),
                "scopeLogs" => walk.only(&mut |walk| scope(walk, cx, record)),
                other => walk.keep("resource", other, record),
            })
        }),
        _ => Err(Misfit::Syntax),
    })?;
    record.unmappable = walk.end()?;
    Ok(())
}

fn scope<'a>(
    walk: &mut Walk<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    walk.object(&mut |walk, key| match key {
        "scope" => walk.object(&mut |walk, key| match key {
            "name" => walk.known(Known::Logger, record),
            "attributes" => walk.attributes("scope", record),
            other => walk.keep("scope", other, record),
        }),
        "logRecords" => walk.only(&mut |walk| log_record(walk, cx, record)),
        other => walk.keep("scope", other, record),
    })
}

fn log_record<'a>(
    walk: &mut Walk<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let (mut observed, mut named) = (None, None);
    walk.object(&mut |walk, key| match key {
        "timeUnixNano" => {
            record.time = cx.clock.any(walk.number()?);
            Ok(())
        }
        "observedTimeUnixNano" => {
            let nanos = walk.number()?;
            observed = cx.clock.any(nanos);
            walk.put("observed_time", whole(nanos), record)
        }
        "severityNumber" => {
            let number = walk.number()?;
            record.level = number.parse().ok().and_then(of_number);
            walk.put("severity_number", convert::number(number), record)
        }
        "severityText" => {
            let text = walk.string()?;
            named = level::from_name(text.as_stored());
            walk.put("severity_text", Value::Text(text), record)
        }
        "body" => walk.object(&mut |walk, kind| match kind {
            "stringValue" => {
                record.message = Some(walk.string()?);
                Ok(())
            }
            other => walk.typed(other, "body", record),
        }),
        "attributes" => walk.attributes("", record),
        "traceId" => walk.known(Known::TraceId, record),
        "spanId" => walk.known(Known::SpanId, record),
        other => walk.keep("", other, record),
    })?;
    record.time = record.time.or(observed);
    record.level = record.level.or(named);
    Ok(())
}

/// The level of a severity number: four to each.
fn of_number(number: u8) -> Option<Level> {
    Some(match number {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Fatal,
        _ => return None,
    })
}
