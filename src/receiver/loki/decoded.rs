//! A push request as it was sent, before its labels and limits are looked at; and its JSON form.

use serde_json::Value;

use super::super::json;

/// A push request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Push {
    pub(super) streams: Vec<RawStream>,
}

/// A stream as sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawStream {
    /// `{app="x"}`.
    pub(super) labels: String,
    pub(super) entries: Vec<RawEntry>,
}

/// An entry as sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawEntry {
    /// Nanoseconds since the Unix epoch; `i64::MIN` where none was given: Go's zero time is in year 1.
    pub(super) time: i64,
    pub(super) line: String,
    pub(super) metadata: Vec<(String, String)>,
}

impl RawEntry {
    /// Bytes that count towards rate limits.
    pub(super) fn size(&self) -> usize {
        self.line.len() + self.metadata_size()
    }

    /// Bytes of names and values of its structured metadata.
    pub(super) fn metadata_size(&self) -> usize {
        self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

/// Reads the JSON form: `{"streams":[{"stream":{…},"values":[["nanoseconds","line",{…}]]}]}`.
///
/// # Errors
/// The text of the 400.
pub(super) fn from_json(body: &[u8]) -> Result<Push, String> {
    let Value::Object(mut request) = json::parse(body)? else {
        return Err("ReadObject: expect { or , or } or n".to_owned());
    };
    let mut push = Push::default();
    let streams = match request.remove("streams") {
        Some(Value::Array(streams)) => streams,
        None | Some(Value::Null) => return Ok(push),
        Some(_) => return Err("decode slice: expect [ or n".to_owned()),
    };
    for stream in streams {
        let Value::Object(mut stream) = stream else {
            return Err("ReadObject: expect { or , or } or n".to_owned());
        };
        let mut labels = Vec::new();
        for (name, value) in pairs(stream.remove("stream"))? {
            labels.push(format!("{name}={}", quoted(&value)));
        }
        let values = match stream.remove("values") {
            Some(Value::Array(values)) => values,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err("decode slice: expect [ or n".to_owned()),
        };
        push.streams.push(RawStream {
            labels: format!("{{{}}}", labels.join(", ")),
            entries: values.into_iter().map(entry).collect::<Result<_, _>>()?,
        });
    }
    Ok(push)
}

fn entry(value: Value) -> Result<RawEntry, String> {
    let Value::Array(parts) = value else { return Err("Value is array".to_owned()) };
    let mut parts = parts.into_iter();
    let (Some(Value::String(time)), Some(Value::String(line))) = (parts.next(), parts.next())
    else {
        return Err(
            "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol"
                .to_owned(),
        );
    };
    let time =
        time.parse().map_err(|_| format!("strconv.ParseInt: parsing {time:?}: invalid syntax"))?;
    let metadata = pairs(parts.next())?;
    if parts.next().is_some() {
        return Err("entry has more than three elements".to_owned());
    }
    Ok(RawEntry { time, line, metadata })
}

/// An object whose values are all strings.
fn pairs(value: Option<Value>) -> Result<Vec<(String, String)>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(object)) => object
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(value) => Ok((name, value)),
                _ => Err("Value is not a string".to_owned()),
            })
            .collect(),
        Some(_) => Err("Value is not an object".to_owned()),
    }
}

/// Quoted as Go's `strconv.Quote` does, in what the label parser undoes.
fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
