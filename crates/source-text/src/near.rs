//! What a word may be a misspelling of.

use std::cell::Cell;

/// Comparisons of words that suggestions are worth: a file with more wrong names is not misspelt.
const COMPARISONS: usize = 500_000;

/// Looks for what words of one text are misspellings of, until that takes too long: then it knows nothing any more.
#[derive(Debug)]
pub struct Speller {
    left: Cell<usize>,
}

impl Default for Speller {
    fn default() -> Self {
        Self {
            left: Cell::new(COMPARISONS),
        }
    }
}

impl Speller {
    /// [`nearest`].
    pub fn nearest<'a>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.is_worth_it()
            .then(|| nearest(word, self.counted(known)))?
    }

    /// [`misspelt`].
    pub fn misspelt<'a>(
        &self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.is_worth_it()
            .then(|| misspelt(word, self.counted(known)))?
    }

    fn is_worth_it(&self) -> bool {
        self.left.get() > 0
    }

    fn counted<'a>(
        &self,
        known: impl IntoIterator<Item = &'a str>,
    ) -> impl Iterator<Item = &'a str> {
        known
            .into_iter()
            .inspect(|_| self.left.set(self.left.get().saturating_sub(1)))
    }
}

/// The one of `known` that `word` is most likely a misspelling of.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    known
        .into_iter()
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| other)
}

/// The one of `known` that `word` is a misspelling of beyond doubt: at most two letters are wrong, one of a short word.
/// Names that differ in a number alone are two names.
pub fn misspelt<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = if word.len() < 7 { 1 } else { 2 };
    let letters = word.chars().count();
    let bare = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let own = bare(word);
    let known = known.into_iter();
    // Cheap to say, and true of most.
    let known = known.filter(|known| known.chars().count().abs_diff(letters) <= most);
    let distances = known.map(|known| (strsim::damerau_levenshtein(word, known), known));
    let near = distances.filter(|(distance, _)| *distance <= most);
    let near = near.filter(|(_, known)| *known == word || bare(known) != own);
    near.min().map(|(_, known)| known)
}

/// `did you mean X?` for the nearest name, or the list of what there is.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(word, known.clone()) {
        return Some(format!("did you mean {name}?"));
    }
    let known: Vec<_> = known.into_iter().take(12).collect();
    (!known.is_empty()).then(|| format!("there are: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_end_where_they_take_too_long() {
        let known: Vec<String> = (0..1000).map(|number| format!("name{number}x")).collect();
        let speller = Speller::default();
        let near = || speller.misspelt("nane7x", known.iter().map(String::as_str));
        assert_eq!(near(), Some("name7x"));
        assert_eq!((1..500).filter_map(|_| near()).count(), 499);
        assert_eq!(near(), None);
        assert_eq!(speller.nearest("name7x", ["name7x"]), None);
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["start", "on_change", "start_timeout"];
        assert_eq!(nearest("stat", known), Some("start"));
        assert_eq!(nearest("on-change", known), Some("on_change"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(
            suggest("zzz", ["a", "b"]).as_deref(),
            Some("there are: a, b")
        );
    }
}
