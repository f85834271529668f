//! Lets a type that has serde's `Deserialize` be read off the tree, with the place of what does not
//! fit. Used for parts whose type lives in another crate, such as parsers' definitions.

use std::fmt::Display;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Entry, Kind, Node};
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::nearest::suggestion;
use crate::config::seen;

/// Why a node does not fit a type.
#[derive(Debug)]
pub(in crate::config) struct Misread {
    message: String,
    help: Option<String>,
    /// The innermost node it was found in.
    place: Option<Place>,
}

impl Misread {
    /// As a mistake; `outer` is the place of what was being read as a whole.
    pub(in crate::config) fn mistake(self, outer: Place) -> Mistake {
        Mistake::at(self.place.unwrap_or(outer), self.message).maybe_help(self.help)
    }

    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl Display for Misread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misread {}

impl Error for Misread {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: message.to_string(), help: None, place: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let help = suggestion(field, expected.iter().copied());
        Self { message: format!("unknown key {}", quote(field)), help, place: None }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = suggestion(variant, expected.iter().copied());
        Self { message: format!("{} is not known here", quote(variant)), help, place: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { message: format!("{} is missing", quote(field)), help: None, place: None }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match &self.kind {
            Kind::Scalar { text, plain } => scalar(text, *plain && !self.is_null(), self, visitor),
            Kind::List(nodes) => visitor.visit_seq(Items(nodes.iter())),
            Kind::Map(entries) => visitor.visit_map(Pairs { entries: entries.iter(), value: None }),
        }
        .map_err(|error| error.at(self.place))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match &self.kind {
            // A number or a word without quotes is text where text is wanted.
            Kind::Scalar { text, .. } if !self.is_null() => {
                visitor.visit_borrowed_str(text).map_err(|error: Misread| error.at(self.place))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        seen::words(self.place, variants.iter().copied());
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => visitor.visit_enum(Word(text)),
            Kind::Map(entries) => visitor.visit_enum(MapAccessDeserializer::new(Pairs {
                entries: entries.iter(),
                value: None,
            })),
            _ => Err(Misread::custom(format!("a word is wanted, not {}", self.described()))),
        }
        .map_err(|error| error.at(self.place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        seen::keys(self.place, fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct map ignored_any
    }
}

/// A scalar by YAML 1.2's core schema: without quotes, it may be a number or a truth value.
fn scalar<'de, V: Visitor<'de>>(
    text: &'de str,
    plain: bool,
    node: &Node,
    visitor: V,
) -> Result<V::Value, Misread> {
    if node.is_null() {
        return visitor.visit_unit();
    }
    if plain {
        match text {
            "true" | "True" | "TRUE" => return visitor.visit_bool(true),
            "false" | "False" | "FALSE" => return visitor.visit_bool(false),
            _ => {}
        }
        if let Ok(number) = text.parse::<u64>() {
            return visitor.visit_u64(number);
        }
        if let Ok(number) = text.parse::<i64>() {
            return visitor.visit_i64(number);
        }
        let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if numeric && let Ok(number) = text.parse::<f64>() {
            return visitor.visit_f64(number);
        }
    }
    visitor.visit_borrowed_str(text)
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misread;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misread> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|error| error.at(node.place))
    }
}

struct Pairs<'de> {
    entries: std::slice::Iter<'de, Entry>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misread> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        let key: StrDeserializer<'_, Misread> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|error| error.at(entry.key_place))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misread> {
        match self.value.take() {
            Some(node) => seed.deserialize(node).map_err(|error| error.at(node.place)),
            None => Err(Misread::custom("a value without a key")),
        }
    }
}

/// A variant that is a word alone.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Misread;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Misread> {
        let word: StrDeserializer<'_, Misread> = self.0.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Misread;

    fn unit_variant(self) -> Result<(), Misread> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Misread> {
        Err(Misread::custom("a mapping is wanted"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misread> {
        Err(Misread::custom("a mapping is wanted"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Misread> {
        Err(Misread::custom("a mapping is wanted"))
    }
}
