//! What Elasticsearch's answer to `_bulk` means.
//!
//! A 200 says nothing about records: each has its own status, and `items` follow the order of the
//! request (`RestBulkAction`, elasticsearch-specification `_global/bulk`). Statuses are read by
//! position, under whatever key an item has (Quickwit answers `index` to `create`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::export::outcome::{
    Outcome, PauseClass, Refusal, RetryClass, Verdict, error_type, pause_class, retry_class,
};

/// What a reply should be reduced to. `status` is in every item, so that positions hold;
/// `items.*.error` alone would make the successful ones vanish. Compatible servers ignore it.
pub const FILTER_PATH: &str = "errors,items.*.status,items.*.error.type,items.*.failure_store";

/// Kinds of error told apart in one reply; further ones are refusals without a name.
const ERROR_KINDS: usize = 32;

/// Errors that a record alone is to blame for. Others, such as the `illegal_argument_exception` of a
/// pipeline that is not there, may be about the request and hit every record.
const ABOUT_RECORDS: &[&str] =
    &["document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception"];

/// A whole answer to a `_bulk` request.
#[derive(Clone, Copy, Debug)]
pub struct Bulk<'b> {
    /// The HTTP status.
    pub status: u16,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body; empty if there was none.
    pub body: &'b [u8],
    /// Records that were sent.
    pub sent: u32,
    /// The server is known not to report on every record: what it does not say is not held
    /// against it.
    pub lenient: bool,
}

impl Bulk<'_> {
    /// What is to be done.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.status {
            200 | 201 => self.items(),
            400 => self.bad_request(),
            413 => Outcome::TooLarge { status: 413, overload: false },
            status => self.failure(status),
        }
    }

    fn failure(&self, status: u16) -> Outcome {
        if let Some(class) = retry_class(status) {
            return match self.error() {
                // Less at a time, as well as later: the request's own size trips the breaker.
                Some("circuit_breaking_exception") if status == 429 => {
                    Outcome::TooLarge { status, overload: true }
                }
                // A 503 of the same name, for want of a master, passes by itself.
                Some("cluster_block_exception") if status == 429 => {
                    Outcome::Pause(PauseClass::Blocked)
                }
                _ => Outcome::Retry { class, after: self.retry_after },
            };
        }
        match (pause_class(status), self.error()) {
            (Some(_), Some("cluster_block_exception")) => Outcome::Pause(PauseClass::Blocked),
            (Some(class), _) => Outcome::Pause(class),
            (None, _) if (200..300).contains(&status) => {
                Outcome::Retry { class: RetryClass::Reply, after: None }
            }
            (None, _) => Outcome::Pause(PauseClass::Unexpected),
        }
    }

    /// A 400 of the whole: one record may poison all, and earlier parts may be stored already
    /// (`rest.incremental_bulk`), which their ids make harmless. But only Elasticsearch says so in
    /// JSON; a 400 of anybody else, a proxy that was spoken to over the wrong scheme for one, is
    /// about the request and must not condemn record after record.
    fn bad_request(&self) -> Outcome {
        let Some(error) = self.whole_error() else {
            return match self.lenient {
                true => Outcome::Poisoned(Refusal { status: 400, error: None }),
                false => Outcome::Pause(PauseClass::Unexpected),
            };
        };
        let error = error.kind.and_then(error_type).map(Arc::from);
        Outcome::Poisoned(Refusal { status: 400, error })
    }

    /// The type of a whole request's error.
    fn error(&self) -> Option<&str> {
        error_type(self.whole_error()?.kind?)
    }

    /// A whole request's error, which `filter_path` leaves as it is.
    fn whole_error(&self) -> Option<Error<'_>> {
        #[derive(Deserialize)]
        struct Whole<'b> {
            #[serde(borrow, default, deserialize_with = "lenient_error")]
            error: Option<Error<'b>>,
        }
        serde_json::from_slice::<Whole<'_>>(self.body).ok()?.error
    }

    fn items(&self) -> Outcome {
        let not_an_ack = Outcome::Retry { class: RetryClass::Reply, after: None };
        let mut reader =
            Items { stored: 0, others: Vec::new(), sent: self.sent, kinds: Vec::new() };
        let mut json = serde_json::Deserializer::from_slice(self.body);
        let top =
            TopSeed(&mut reader).deserialize(&mut json).and_then(|top| json.end().map(|()| top));
        let whole = reader.count() == self.sent as usize;
        match top {
            Ok(Top { failed: false }) if whole && reader.others.is_empty() => Outcome::Delivered,
            Ok(Top { failed: false }) if whole => reader.into_outcome(),
            // A lenient server's word: stored, unless it says otherwise, and by position only if it
            // speaks of all. VictoriaLogs answers an empty body where a line could not be read.
            Ok(Top { failed: false }) if self.lenient => unattributed(&reader.others, self.sent),
            Err(_) if self.lenient && self.body.is_empty() => Outcome::Delivered,
            _ => not_an_ack,
        }
    }
}

/// Some of the verdicts, in an unknown order.
fn unattributed(verdicts: &[Verdict], sent: u32) -> Outcome {
    let stored = |verdict: &&Verdict| !matches!(verdict, Verdict::Delivered | Verdict::Duplicate);
    let refused = u32::try_from(verdicts.iter().filter(stored).count()).unwrap_or(sent).min(sent);
    if refused == 0 { Outcome::Delivered } else { Outcome::Unattributed { refused } }
}

#[derive(Default, Deserialize)]
struct Error<'b> {
    /// Borrowed: a type with an escape in it is none.
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'b str>,
}

/// The one value of an item.
#[derive(Deserialize)]
struct Item<'b> {
    status: u16,
    #[serde(borrow, default, deserialize_with = "lenient_error")]
    error: Option<Error<'b>>,
    #[serde(borrow, default)]
    failure_store: Option<&'b str>,
}

/// An error as an object with a type; older and compatible servers also write a bare string.
fn lenient_error<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Error<'de>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<'b> {
        Object(#[serde(borrow)] Error<'b>),
        Other(IgnoredAny),
    }
    Ok(match Either::deserialize(json)? {
        Either::Object(error) => Some(error),
        Either::Other(_) => Some(Error::default()),
    })
}

/// Collects verdicts as items go by, so that a reply is never held as a tree, and the usual one, in
/// which all are stored, not even as a list.
struct Items {
    /// Items at the beginning that say "stored".
    stored: usize,
    /// The verdicts from the first that does not.
    others: Vec<Verdict>,
    sent: u32,
    /// Names of errors, shared by the verdicts that carry them.
    kinds: Vec<Arc<str>>,
}

impl Items {
    fn add(&mut self, item: &Item<'_>) {
        match self.verdict(item) {
            Verdict::Delivered if self.others.is_empty() => self.stored += 1,
            verdict => self.others.push(verdict),
        }
    }

    fn count(&self) -> usize {
        self.stored + self.others.len()
    }

    fn into_outcome(self) -> Outcome {
        let mut verdicts = vec![Verdict::Delivered; self.stored];
        verdicts.extend(self.others);
        Outcome::Records(verdicts)
    }

    fn verdict(&mut self, item: &Item<'_>) -> Verdict {
        let kind = item.error.as_ref().and_then(|error| error_type(error.kind?));
        match item.status {
            200..=299 if item.failure_store == Some("used") => Verdict::FailureStore,
            200..=299 => Verdict::Delivered,
            409 => Verdict::Duplicate,
            429 | 403 if kind == Some("cluster_block_exception") => {
                Verdict::Pause(PauseClass::Blocked)
            }
            status @ (401 | 403 | 404) => {
                Verdict::Pause(pause_class(status).unwrap_or(PauseClass::Unexpected))
            }
            status => match retry_class(status) {
                Some(class) => Verdict::Retry(class),
                None => {
                    let error = kind.and_then(|kind| self.share(kind));
                    let refusal = Refusal { status, error };
                    match status == 413 || kind.is_some_and(|kind| ABOUT_RECORDS.contains(&kind)) {
                        true => Verdict::Refused(refusal),
                        false => Verdict::Doubted(refusal),
                    }
                }
            },
        }
    }

    fn share(&mut self, kind: &str) -> Option<Arc<str>> {
        if let Some(known) = self.kinds.iter().find(|known| &***known == kind) {
            return Some(Arc::clone(known));
        }
        (self.kinds.len() < ERROR_KINDS).then(|| {
            let new: Arc<str> = Arc::from(kind);
            self.kinds.push(Arc::clone(&new));
            new
        })
    }
}

/// The reply's own members.
struct Top {
    /// There is a top-level `error` (ZincSearch's only way to say so).
    failed: bool,
}

struct TopSeed<'i>(&'i mut Items);

impl<'de> DeserializeSeed<'de> for TopSeed<'_> {
    type Value = Top;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Top, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TopSeed<'_> {
    type Value = Top;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bulk reply")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
        let mut top = Top { failed: false };
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "items" => map.next_value_seed(ItemsSeed(self.0))?,
                "error" => top.failed = map.next_value::<Option<IgnoredAny>>()?.is_some(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(top)
    }
}

struct ItemsSeed<'i>(&'i mut Items);

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(Sole(item)) = seq.next_element::<Sole<'_>>()? {
            self.0.add(&item);
            // More answers than questions: not a reply to this request, and no reason to go on.
            if self.0.count() > self.0.sent as usize {
                return Err(serde::de::Error::custom("more items than were sent"));
            }
        }
        Ok(())
    }
}

/// An object with one member, whatever its key.
struct Sole<'b>(Item<'b>);

impl<'de: 'b, 'b> Deserialize<'de> for Sole<'b> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct SoleVisitor;
        impl<'de> Visitor<'de> for SoleVisitor {
            type Value = Sole<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one member")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sole<'de>, A::Error> {
                let Some((IgnoredAny, item)) = map.next_entry::<IgnoredAny, Item<'de>>()? else {
                    return Err(serde::de::Error::custom("an empty item"));
                };
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(Sole(item)),
                    Some(_) => Err(serde::de::Error::custom("an item with two members")),
                }
            }
        }
        json.deserialize_map(SoleVisitor)
    }
}

#[cfg(test)]
mod tests;
