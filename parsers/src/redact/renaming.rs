//! What a field's name is worth: whether what is redacted because of it still would be under another
//! name. Steps and definitions ask before they rename anything.

use super::rules::Rules;

/// How much a rule takes of a field that has its name, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Guard {
    /// Nothing.
    None,
    /// A string, if it looks like a secret.
    String,
    /// What looks like a secret; of an object, what has such a name of its own.
    Value,
    /// Every value, those right inside of an object too.
    Inside,
    /// All of it: the configuration names it.
    Whole,
}

impl Rules {
    /// Whether a field that is redacted because of its name, or because of one around it, or that has
    /// such a field in it, would no longer be redacted as much if it were called `to`.
    #[must_use]
    pub fn lose(&self, from: &str, to: &str) -> bool {
        // The message is read, and not redacted because of its name.
        let is_message = to == "message";
        let after = if is_message { Guard::None } else { self.guard(to) };
        let around = parents(from).map(|outer| self.guard(outer));
        let around = around.filter(|guard| *guard >= Guard::Inside).max().unwrap_or(Guard::None);
        let before = self.guard(from).max(around);
        // What is in it goes whole: so must all of it, unless its name leads to it as well.
        let kept = |inner| !is_message && self.guard(&join(to, inner)) == Guard::Whole;
        before > after || (after < Guard::Whole && !self.keys.inside(from).all(kept))
    }

    /// Whether what is redacted because of its name, or has such a field in it, would be redacted less
    /// as a part of the text that `to` is to be: no name leads into that.
    #[must_use]
    pub fn lose_in_text(&self, from: &str, to: &str) -> bool {
        let goes = to != "message" && self.guard(to) == Guard::Whole;
        self.lose(from, to) || (!goes && self.keys.inside(from).next().is_some())
    }

    /// The same as [`Rules::lose`] of a field that a definition gives another name: under `time` and
    /// `request` it is no field any more.
    #[must_use]
    pub fn lose_renamed(&self, from: &str, to: &str) -> bool {
        self.lose(from, if matches!(to, "time" | "request") { "message" } else { to })
    }

    /// Whether members of an object would be redacted less if they were fields of the record, called
    /// by their own name, or with `dotted` by both.
    #[must_use]
    pub fn lose_opened(&self, object: &str, dotted: bool) -> bool {
        let around = std::iter::once(object).chain(parents(object));
        let all = around.into_iter().any(|name| self.guard(name) >= Guard::Inside);
        all || (!dotted && self.keys.inside(object).next().is_some())
    }

    /// What falls to a field of that name.
    fn guard(&self, name: &str) -> Guard {
        match self.keys.find(name, &[]) {
            Some(rule) if self.is_field(rule) => return Guard::Whole,
            Some(rule) if self.reaches_into(rule) => return Guard::Inside,
            Some(_) => return Guard::Value,
            None => {}
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        if self.keys.find_string(last).is_some() { Guard::String } else { Guard::None }
    }
}

/// The names of the objects that a dotted name leads through: `a.b` and `a` for `a.b.c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').filter_map(|(at, _)| name.get(..at))
}

fn join(outer: &str, inner: &str) -> String {
    format!("{outer}.{inner}")
}

#[cfg(test)]
mod tests {
    use crate::redact::{Action, RuleSelection, Rules};

    fn rules(fields: &[&str]) -> Rules {
        let fields = fields.iter().map(|&name| (name.to_owned(), Action::Mask)).collect();
        Rules::build(RuleSelection { fields, ..RuleSelection::standard() }).expect("rules")
    }

    #[test]
    fn a_name_that_redacts_is_not_to_be_lost() {
        let rules = rules(&["user.name", "person.name", "card", "owner.id.no", "message"]);
        for (from, to) in [
            // A name of its own, of the configuration or of a rule.
            ("card", "note"),
            ("Card", "note"),
            ("password", "note"),
            ("pass", "note"),
            ("a.pass", "note"),
            // What goes whole is not to go in part.
            ("card", "token"),
            ("password", "token"),
            // The rule only leads into the new name.
            ("user.name", "user"),
            ("card", "person"),
            // What is in it, at any depth.
            ("user", "human"),
            ("profile.user", "human"),
            ("profile.user", "user.name.x"),
            ("owner", "user"),
            ("profile.owner.id", "id"),
            // What is around it.
            ("card.number", "number"),
            ("password.old", "old"),
            ("card", "message"),
        ] {
            assert!(rules.lose(from, to), "{from} -> {to}");
        }
        for (from, to) in [
            ("note", "text"),
            ("note", "card"),
            ("card", "x.card"),
            ("card", "user.name"),
            ("pass", "password"),
            ("token", "password"),
            ("user", "person"),
            ("profile.user", "person"),
            ("user", "card"),
            ("user", "user.name"),
            ("name", "title"),
            ("user.title", "title"),
            ("superuser", "human"),
        ] {
            assert!(!rules.lose(from, to), "{from} -> {to}");
        }
        assert!(!Rules::off().lose("password", "note"));
    }

    #[test]
    fn no_name_leads_into_a_text() {
        let rules = rules(&["user.name", "person.name", "card"]);
        assert!(!rules.lose("user", "person"));
        assert!(rules.lose_in_text("user", "person"));
        assert!(rules.lose_in_text("password", "note"));
        assert!(!rules.lose_in_text("user", "card"));
        assert!(!rules.lose_in_text("note", "person"));
    }

    #[test]
    fn what_is_in_an_object_is_not_to_lose_the_name_around_it() {
        let rules = rules(&["user.name", "card", "owner.id.no"]);
        for (object, dotted, expect) in [
            ("user", false, true),
            ("profile.user", false, true),
            ("user", true, false),
            ("card", true, true),
            ("card", false, true),
            ("card.holder", true, true),
            ("x.card", false, true),
            ("password", true, true),
            ("owner.id", false, true),
            ("log", false, false),
        ] {
            assert_eq!(rules.lose_opened(object, dotted), expect, "{object} {dotted}");
        }
    }
}
