//! Fields that a parser cut from a text by their places: what is found in the whole text tells what goes of
//! them, since the name of a secret may stand before one.

use super::{Found, Hit, Rules, Work, merge};

impl Work {
    /// Adds what is found in a text that fields were cut from, by where it lies in memory: all of it,
    /// if that was too much work. What a private key left is found in the fields.
    pub(in super::super) fn whole(&mut self, rules: &Rules, text: &str, found: &mut Vec<Hit>) {
        let material = self.material.take();
        let exhausted = self.find(rules, text);
        self.material = material;
        if exhausted {
            let hit = Hit { range: 0..text.len(), rule: u16::MAX, named: true, quote: 0..0 };
            self.hits.splice(.., [hit]);
        }
        let start = text.as_ptr().addr();
        found.extend(self.hits.drain(..).map(|hit| Hit {
            range: start + hit.range.start..start + hit.range.end,
            quote: 0..0,
            ..hit
        }));
    }

    /// A text without these hits.
    pub(in super::super) fn without(&mut self, rules: &Rules, text: &str, hits: Vec<Hit>) -> Found {
        if hits.is_empty() {
            return Found::Nothing;
        }
        self.hits = hits;
        merge(&mut self.hits);
        self.taken(rules, text)
    }

    /// What stands in place of all of a text, whose parts have not the places that they have once it is
    /// decoded; nothing if the hits are only what is found in it by itself.
    pub(in super::super) fn instead(
        &mut self,
        rules: &Rules,
        text: &str,
        mut hits: Vec<Hit>,
    ) -> Found {
        if hits.is_empty() {
            return Found::Nothing;
        }
        let material = self.material.take();
        let exhausted = self.find(rules, text);
        self.material = material;
        let within = |hit: &Hit, own: &Hit| {
            own.range.start <= hit.range.start && hit.range.end <= own.range.end
        };
        hits.retain(|hit| exhausted || !self.hits.iter().any(|own| within(hit, own)));
        for hit in &mut hits {
            (hit.range, hit.quote) = (0..text.len(), 0..0);
        }
        self.without(rules, text, hits)
    }
}
