//! Values known by their shape: at an anchor, or by the name that they are assigned to.

use super::super::detect::Assigned;
use super::super::shapes::{Place, Slots};
use super::Scan;

impl<'t> Scan<'_, 't> {
    /// A run of digits.
    pub(super) fn number(&mut self, at: usize) -> bool {
        let end = self.view.run(at, 24, |byte| byte.is_ascii_digit());
        if !self.rules.shapes.has_run(end - at) {
            return false;
        }
        if self.spend(64) {
            return true;
        }
        let found = self.rules.shapes.run(self.view, at, end - at, self.named, self.apart);
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }

    /// A shape that has this kind of anchor.
    pub(super) fn shape(&mut self, place: Place, at: usize) -> bool {
        if !self.rules.shapes.has(place) {
            return false;
        }
        if self.spend(32) {
            return true;
        }
        let found = self.rules.shapes.find(self.view, place, at, self.named, self.apart);
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }

    /// The whole value of a field with such a name, of a shape that nothing but a name gives away.
    pub(super) fn whole(&mut self) {
        let start = self.view.run(0, usize::MAX, |byte| byte.is_ascii_whitespace());
        if let Some((rule, range)) = self.rules.shapes.named(self.view, start, self.named) {
            self.hit(rule, range);
        }
    }

    /// The same where its name ends at the blank at `at`, and nothing else parts them: `passport C01X00T47`.
    pub(super) fn after_word(&mut self, at: usize) -> bool {
        if self.spend(32) {
            return true;
        }
        let (view, shapes) = (self.view, &self.rules.shapes);
        let found = shapes.named(view, at + 1, shapes.contexts().ending_before(view, at));
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }

    /// A value of a shape that nothing but its name gives away.
    pub(super) fn shape_of(&mut self, assigned: &Assigned<'t>, of_name: Slots) -> bool {
        let (view, shapes) = (self.view, &self.rules.shapes);
        let at = assigned.inside(view);
        let fits = shapes.named_fits(view, at);
        if !fits && of_name.is_empty() {
            return false;
        }
        let apart = shapes.note_name(of_name, self.apart);
        // In a list, or in an object, the name alone tells.
        if apart && !view.bounded && matches!(view.at(at), b'[' | b'{') {
            return self.hit(0, 0..0);
        }
        if !fits {
            return false;
        }
        let named = shapes.contexts().near(view, assigned.value_at()).slots();
        let found = shapes.named(view, at, named);
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }
}
