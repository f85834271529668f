//! Objects that a definition opens, read in the pass that reads the record: what is in them is neither
//! copied nor looked through again.
//!
//! What comes of it is what [opening](crate::parse::nested::open) them one after another afterwards gives.
//! Where names meet, or there are very many, that is what is done: this gives up.

use bumpalo::collections::Vec;

use super::{MAX_DEPTH, Reader};
use crate::Arena;
use crate::parse::Misfit;
use crate::parse::hashed::Table;
use crate::parse::keys::{Scope, hash_dotted};
use crate::parse::rename::Rename;
use crate::record::{Field, Key, Record, Text, Value, is_field_name, is_mappable};

/// Objects that a definition may open so: one bit each.
const MOST_OBJECTS: usize = 64;
/// Fields that a record may have so.
const MOST_FIELDS: usize = 200;

/// The members of opened objects.
pub(super) struct Opened<'o, 'a> {
    /// What is to be opened, and whether under both names.
    objects: Option<&'o Table<bool>>,
    /// Names that the definition has others for.
    renamed: Option<&'o Table<Rename>>,
    members: Vec<'a, Member<'a>>,
    /// The objects that were.
    opened: u64,
    /// Whether it has given up.
    irregular: bool,
}

/// A member of an opened object, or another such object in it, which is no field any more.
struct Member<'a> {
    field: Field<'a>,
    /// Of its name.
    hash: u32,
    /// The object's place among those to be opened.
    of: u8,
    is_field: bool,
}

/// An object that is being read.
#[derive(Clone, Copy)]
struct Object<'a> {
    place: u8,
    name: &'a str,
    /// Whether its members are called by both names.
    dotted: bool,
    /// Brackets around it.
    depth: usize,
}

impl<'o, 'a> Opened<'o, 'a> {
    pub(super) fn new(
        objects: Option<&'o Table<bool>>,
        renamed: Option<&'o Table<Rename>>,
        arena: &'a Arena,
    ) -> Self {
        let objects = objects.filter(|objects| objects.len() <= MOST_OBJECTS);
        let members = if objects.is_some() { 32 } else { 0 };
        Self {
            objects,
            renamed,
            members: Vec::with_capacity_in(members, arena),
            opened: 0,
            irregular: false,
        }
    }

    /// Reads the value of a key of the outermost object if it is to be opened. Whether it was.
    #[inline]
    pub(super) fn take(&mut self, reader: &mut Reader<'a>, name: &'a str) -> Result<bool, Misfit> {
        let Some(objects) = self.objects else { return Ok(false) };
        match objects.find(reader.keys.newest(), name) {
            Some((place, dotted)) if reader.peek() == Some(b'{') => {
                let place = place as u8;
                self.object(reader, Object { place, name, dotted: *dotted, depth: 1 })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// A key stands for the time, the level or the message: if it was to be opened, it is too late.
    #[inline]
    pub(super) fn pass(&mut self, reader: &Reader<'a>, name: &str) {
        let found = |objects: &Table<bool>| objects.find(reader.keys.newest(), name).is_some();
        self.irregular |= self.objects.is_some_and(found) && reader.peek() == Some(b'{');
    }

    /// Reads an object. Recursion ends with the objects to be opened, each of which comes but once.
    fn object(&mut self, reader: &mut Reader<'a>, object: Object<'a>) -> Result<(), Misfit> {
        if object.depth >= MAX_DEPTH {
            return Err(Misfit::TooDeep);
        }
        self.irregular |= self.opened >> object.place & 1 == 1;
        self.opened |= 1 << object.place;
        let Some(scope) = reader.open(b'{')? else { return Ok(()) };
        loop {
            self.member(reader, object, scope)?;
            if reader.next_or_close(b'}')? {
                reader.close(scope);
                return Ok(());
            }
        }
    }

    #[inline]
    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        object: Object<'a>,
        scope: Scope,
    ) -> Result<(), Misfit> {
        let (key, escaped) = reader.key(scope)?;
        reader.unmappable |= !is_field_name(key);
        let (name, hash) = if object.dotted {
            let hash = hash_dotted(object.name, key);
            let known = self.renamed.and_then(|names| names.dotted(hash, object.name, key));
            (known.unwrap_or_else(|| dotted(object.name, key, reader.arena)), hash)
        } else {
            (key, reader.keys.newest())
        };
        let built = escaped || object.dotted;
        let key = Key::Text(if built { Text::built(name) } else { Text::raw(name) });
        let (of, depth) = (object.place, object.depth + 1);
        if let Some((place, dotted)) = self.objects.and_then(|objects| objects.find(hash, name))
            && reader.peek() == Some(b'{')
        {
            let place = place as u8;
            // Those before it in the definition are not looked for in it.
            self.irregular |= place <= of;
            if !self.irregular {
                let field = Field { key, value: Value::Null };
                self.members.push(Member { field, hash, of, is_field: false });
                return self.object(reader, Object { place, name, dotted: *dotted, depth });
            }
        }
        self.members.reserve(1);
        reader.value_in(depth, |value| {
            self.members.push(Member { field: Field { key, value }, hash, of, is_field: true });
        })?;
        if let Some(Member { field: Field { value: Value::Number(number), .. }, .. }) =
            self.members.last()
        {
            reader.unmappable |= !is_mappable(number);
        }
        Ok(())
    }

    /// Puts what was in the opened objects behind the other fields, in the order of the definition.
    /// Whether that is all.
    pub(super) fn finish(mut self, reader: &mut Reader<'a>, record: &mut Record<'a>) -> bool {
        if self.irregular || record.fields.len() + self.members.len() > MOST_FIELDS {
            return false;
        }
        for at in 0..self.members.len() {
            let (before, member) = self.members.split_at(at);
            let Some(member) = member.first() else { break };
            // What is called the same is told apart by who came first.
            if reader.keys.meets(member.hash) && self.is_taken(member, before, record) {
                return false;
            }
            reader.keys.note(member.hash);
        }
        while self.opened != 0 {
            let place = self.opened.trailing_zeros();
            self.opened &= self.opened - 1;
            let of = self.members.iter().filter(|it| u32::from(it.of) == place && it.is_field);
            record.fields.extend(of.map(|member| member.field));
        }
        true
    }

    #[cold]
    fn is_taken(&self, member: &Member<'a>, before: &[Member<'a>], record: &Record<'a>) -> bool {
        let name = member.field.key.name();
        before.iter().any(|member| member.field.key.name() == name)
            || record.fields.iter().any(|field| field.key.name() == name)
            || self.objects.is_some_and(|objects| objects.find(member.hash, name).is_some())
    }
}

/// Both names with a dot between.
#[inline]
fn dotted<'a>(object: &str, member: &str, arena: &'a Arena) -> &'a str {
    let len = object.len() + 1 + member.len();
    let mut full = bumpalo::collections::String::with_capacity_in(len, arena);
    full.push_str(object);
    full.push('.');
    full.push_str(member);
    full.into_bump_str()
}

#[cfg(test)]
mod tests;
