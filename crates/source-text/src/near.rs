//! What a word may be a misspelling of.

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
