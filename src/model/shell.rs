//! Words of commands that are shown, for somebody who pastes them into a shell.

/// A text as one word of a shell: sh(1), "Quoting".
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one() {
        assert_eq!(word("/etc/a-b_1.conf"), "/etc/a-b_1.conf");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(x)"), "'$(x)'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
    }
}
