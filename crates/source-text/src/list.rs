//! Lists of words that are written as one text.

/// The words of a text: `const SHELLS: [&str; 2] = word_list("sh bash");`. It compiles where there are as many as the type says.
pub const fn word_list<const N: usize>(text: &'static str) -> [&'static str; N] {
    let (mut words, mut count) = ([""; N], 0);
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let mut end = 0;
        while end < rest.len() && !rest.as_bytes()[end].is_ascii_whitespace() {
            end += 1;
        }
        let (word, behind) = rest.split_at(end);
        words[count] = word;
        count += 1;
        rest = behind.trim_ascii_start();
    }
    assert!(
        count == N,
        "the type of the list has another number of words"
    );
    words
}
