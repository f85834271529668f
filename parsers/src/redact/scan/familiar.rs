//! What names say, remembered: a program writes the same few in every line.

use super::super::rules::Rules;
use super::super::shapes::Slots;

/// Names that are remembered; a newer one takes an older one's place.
const NAMES: usize = 128;

/// Bytes of the longest that is.
const LONGEST: usize = 32;

/// What a name says of what is assigned to it, wherever it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Says {
    /// The rule that has it.
    pub(super) rule: Option<u16>,
    /// The rule that it may belong to in a raw record, with what surrounds it there.
    pub(super) may_be: Option<u16>,
    /// The rule that has it as a parameter of a URL.
    pub(super) query: Option<u16>,
    /// The rules of shapes whose words it ends in.
    pub(super) context: Slots,
    /// Whether a rule has a longer name that ends in it.
    pub(super) longer: bool,
}

impl Says {
    fn of(rules: &Rules, name: &str) -> Self {
        Self {
            rule: rules.keys.find(name, &[]),
            may_be: rules.keys.may_find(name),
            query: rules.query(name),
            context: rules.shapes.contexts().of_name(name),
            longer: rules.keys.may_end_longer(name),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Known {
    name: [u8; LONGEST],
    length: usize,
    says: Says,
}

/// The names that were seen last, and what they say by the rules of one redactor.
#[derive(Debug, Default)]
pub(in super::super) struct Familiar(Vec<Option<Known>>);

impl Familiar {
    /// What a name says.
    pub(super) fn says(&mut self, rules: &Rules, name: &str) -> Says {
        let bytes = name.as_bytes();
        if bytes.len() > LONGEST {
            return Says::of(rules, name);
        }
        if self.0.is_empty() {
            self.0 = vec![None; NAMES];
        }
        let hash = bytes.iter().fold(0_u32, |hash, &byte| {
            (hash.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9E37_79B1)
        });
        let Some(place) = self.0.get_mut(hash as usize >> 25) else { return Says::of(rules, name) };
        if let Some(known) = place
            && known.name.get(..known.length) == Some(bytes)
        {
            return known.says;
        }
        let mut known = [0; LONGEST];
        for (to, from) in known.iter_mut().zip(bytes) {
            *to = *from;
        }
        let says = Says::of(rules, name);
        *place = Some(Known { name: known, length: bytes.len(), says });
        says
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_took_the_place_of_another_says_its_own() {
        let rules = Rules::builtin_default();
        let mut familiar = Familiar::default();
        let names = ["password", "id", "passport", "status", "key", "user", "x-token", ""];
        let numbered = (0..2_000).map(|number| format!("field{number}"));
        let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        all.extend(numbered);
        all.push(format!("{}password", "x".repeat(LONGEST)));
        for round in 0..2 {
            for name in &all {
                let (kept, own) = (familiar.says(&rules, name), Says::of(&rules, name));
                assert_eq!(format!("{kept:?}"), format!("{own:?}"), "{name}, round {round}");
            }
        }
        assert!(familiar.says(&rules, "password").rule.is_some());
        assert!(familiar.says(&rules, "passwor").rule.is_none());
        assert!(familiar.says(&rules, "number").longer);
    }
}
