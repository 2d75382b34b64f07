//! Lists of words, written as a text with blanks between them.

/// Whether a word is one of a list.
pub fn is_one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

/// Whether a word ends with one of a list.
pub fn ends_with_one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|end| word.ends_with(end))
}
