//! What was looked at already: most servers say the same in each of their locations.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use crate::source::nginx::Directive;

/// Directives by their words and the kind of place where they stand, each with what was found out about it. What is kept must
/// not depend on the file, or on what is beside the directive.
pub(crate) type Said<'a, P, T> = FxHashMap<Words<'a, P>, T>;

/// A directive that is the same as another one with the same words at such a place.
pub(crate) struct Words<'a, P> {
    place: P,
    directive: &'a Directive,
}

impl<'a, P> Words<'a, P> {
    /// Of a directive.
    pub(crate) fn of(directive: &'a Directive, place: P) -> Self {
        Self { place, directive }
    }
}

impl<P: PartialEq> PartialEq for Words<'_, P> {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.directive, other.directive);
        let mut pairs = one.args.iter().zip(&two.args);
        self.place == other.place
            && one.name == two.name
            && one.block.is_some() == two.block.is_some()
            && one.args.len() == two.args.len()
            && pairs.all(|(one, two)| one.text == two.text)
    }
}

impl<P: Eq> Eq for Words<'_, P> {}

impl<P: Hash> Hash for Words<'_, P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
        self.directive.name.as_str().hash(state);
        for word in &self.directive.args {
            word.text.as_str().hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_words_at_such_a_place_are_the_same() {
        let text = "a b c; a b c; a bc; ab c; a b c { } a \"b\" c; a b;";
        let parsed = crate::source::nginx::parse("s".as_ref(), text).unwrap();
        let said: Said<'_, bool, ()> = std::iter::once((Words::of(&parsed[0], true), ())).collect();
        let is_known = |at: usize, place| said.contains_key(&Words::of(&parsed[at], place));
        let known: Vec<bool> = (0..parsed.len()).map(|at| is_known(at, true)).collect();
        assert_eq!(known, [true, true, false, false, false, true, false]);
        assert!(!is_known(1, false));
    }
}
