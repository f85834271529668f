//! What names say, remembered: a program writes the same few in every line.

use super::super::detect::{Judge, others};
use super::super::rules::Rules;
use super::super::shapes::Slots;

/// Names that are remembered; a newer one takes an older one's place.
const NAMES: usize = 128;

/// Endings that are remembered of what stands before signs.
const ENDINGS: usize = 256;

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
    /// Whether a rule may have a longer name that ends in it, and that matters.
    pub(super) longer: bool,
}

impl Says {
    fn of(rules: &Rules, name: &str) -> Self {
        let (rule, may_be) = (rules.keys.find(name, &[]), rules.keys.may_find(name));
        // A name that says enough by itself needs no words before it.
        let weak = |rule: Option<u16>| rule.is_none_or(|rule| rules.judge(rule) == Judge::Entropy);
        Self {
            rule,
            may_be,
            query: rules.query(name),
            context: rules.shapes.contexts().of_name(name),
            longer: (weak(rule) || weak(may_be)) && rules.keys.may_end_longer(name),
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
#[derive(Debug)]
pub(in super::super) struct Familiar {
    names: Vec<Option<Known>>,
    /// Eight bytes before a sign.
    endings: Box<[u64; ENDINGS]>,
    /// A bit for each of them that a name may stand in.
    may_stand: [u64; ENDINGS / 64],
}

impl Default for Familiar {
    fn default() -> Self {
        // Nothing is remembered: 0 has the first place, and 1 has not.
        let mut endings = Box::new([0; ENDINGS]);
        endings[0] = 1;
        Self { names: Vec::new(), endings, may_stand: [0; ENDINGS / 64] }
    }
}

impl Familiar {
    /// Whether a name may stand before a sign that these eight bytes are before. All digits are alike: the number
    /// before `,"ok":` is another in each record.
    #[inline(always)]
    pub(super) fn may_stand_before(&mut self, rules: &Rules, last: [u8; 8]) -> bool {
        let digits = !others(last) >> 7 & 0x0101_0101_0101_0101;
        let ending = u64::from_le_bytes(last) & !(digits * 0x0f);
        let place = (ending.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize;
        if self.endings.get(place) == Some(&ending) {
            return self.may_stand.get(place / 64).is_none_or(|bits| bits >> (place % 64) & 1 == 1);
        }
        self.learn(rules, ending, place)
    }

    #[inline(never)]
    fn learn(&mut self, rules: &Rules, ending: u64, place: usize) -> bool {
        let may_stand = !rules.keys.none_stands_before(ending.to_le_bytes());
        let known = self.endings.get_mut(place).zip(self.may_stand.get_mut(place / 64));
        if let Some((known, bits)) = known {
            *known = ending;
            *bits = *bits & !(1 << (place % 64)) | u64::from(may_stand) << (place % 64);
        }
        may_stand
    }

    /// What a name says.
    pub(super) fn says(&mut self, rules: &Rules, name: &str) -> Says {
        let bytes = name.as_bytes();
        if bytes.len() > LONGEST {
            return Says::of(rules, name);
        }
        if self.names.is_empty() {
            self.names = vec![None; NAMES];
        }
        let hash = bytes.iter().fold(0_u32, |hash, &byte| {
            (hash.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9E37_79B1)
        });
        let Some(place) = self.names.get_mut(hash as usize >> 25) else {
            return Says::of(rules, name);
        };
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
        for _ in 0..2 {
            assert!(
                familiar.may_stand_before(&rules, [0; 8]),
                "nothing is known of what has no letters"
            );
            assert!(familiar.may_stand_before(&rules, *b"passport"));
            assert!(familiar.may_stand_before(&rules, *b"ssword\\\""), "an escaped quote");
            assert!(!familiar.may_stand_before(&rules, *b"\"status\""));
            for number in ["12", "07", "90"] {
                let ending = format!("{number},\"lvl\"");
                let ending = ending.as_bytes().first_chunk().unwrap();
                assert!(!familiar.may_stand_before(&rules, *ending), "{number}");
            }
        }
        assert!(familiar.says(&rules, "password").rule.is_some());
        assert!(familiar.says(&rules, "passwor").rule.is_none());
        assert!(familiar.says(&rules, "number").longer);
    }
}
