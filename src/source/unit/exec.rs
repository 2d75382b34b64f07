//! Command lines of Exec settings, "Command lines" in systemd.service(5).

/// Splits the value of an Exec setting into commands of words. The error says in words what
/// is wrong.
///
/// Prefixes (`-@+!:|`) are removed, and so is the second word where `@` makes it the
/// command's own name.
pub fn commands(value: &str) -> Result<Vec<Vec<String>>, String> {
    let mut commands = vec![Vec::new()];
    for word in words(value)? {
        match (word.text.as_str(), word.quoted) {
            (";", false) => commands.push(Vec::new()),
            ("\\;", false) => push(&mut commands, ";".into()),
            _ => push(&mut commands, word.text),
        }
    }
    commands.retain(|command| !command.is_empty());
    Ok(commands.into_iter().map(without_prefix).collect())
}

fn push(commands: &mut [Vec<String>], word: String) {
    if let Some(command) = commands.last_mut() {
        command.push(word);
    }
}

fn without_prefix(mut command: Vec<String>) -> Vec<String> {
    let Some(first) = command.first_mut() else {
        return command;
    };
    let bare = first.trim_start_matches(['-', '@', '+', '!', ':', '|']);
    let named = first
        .get(..first.len() - bare.len())
        .is_some_and(|prefix| prefix.contains('@'));
    *first = bare.to_owned();
    if named && command.len() > 1 {
        command.remove(1);
    }
    command
}

/// A word and whether any of it was quoted.
#[derive(Debug)]
struct Word {
    text: String,
    quoted: bool,
}

fn words(value: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = value.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        let mut word = Word {
            text: String::new(),
            quoted: false,
        };
        let mut quote = None;
        while let Some(&c) = chars.peek() {
            if quote.is_none() && c.is_whitespace() {
                break;
            }
            chars.next();
            match (c, quote) {
                ('\\', _) => escape(&mut chars, &mut word.text),
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) => {
                    quote = Some(c);
                    word.quoted = true;
                }
                _ => word.text.push(c),
            }
        }
        if let Some(quote) = quote {
            return Err(format!("the quote {quote} is not closed"));
        }
        words.push(word);
    }
}

/// The escapes of systemd.syntax(7) that change a word; the backslash of others stays.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars>, text: &mut String) {
    let replaced = match chars.peek() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('s') => ' ',
        Some(same @ ('"' | '\'' | '\\')) => *same,
        _ => {
            text.push('\\');
            return;
        }
    };
    chars.next();
    text.push(replaced);
}

/// Splits a shell script (the word behind `sh -c`) into its simple commands, roughly: enough to
/// find the files that it names. Words that the shell would compute stay as they are written.
pub fn script(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    let finish = |word: &mut String, commands: &mut Vec<Vec<String>>| {
        if !word.is_empty() {
            push(commands, std::mem::take(word));
        }
    };
    for c in text.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => word.push(c),
            ('"' | '\'', None) => quote = Some(c),
            (';' | '&' | '|' | '\n' | '(' | ')', None) => {
                finish(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            ('<' | '>', None) => finish(&mut word, &mut commands),
            (c, None) if c.is_whitespace() => finish(&mut word, &mut commands),
            _ => word.push(c),
        }
    }
    finish(&mut word, &mut commands);
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_systemd_does() {
        for (value, expected) in [
            ("/bin/a b  c", vec![vec!["/bin/a", "b", "c"]]),
            (
                "-/bin/a \"b c\" 'd \"e'",
                vec![vec!["/bin/a", "b c", "d \"e"]],
            ),
            ("@-/bin/a name b", vec![vec!["/bin/a", "b"]]),
            (
                "!!/bin/a ; /bin/b \\; c",
                vec![vec!["/bin/a"], vec!["/bin/b", ";", "c"]],
            ),
            ("/bin/a \";\" b\\sc\\x", vec![vec!["/bin/a", ";", "b c\\x"]]),
            ("/bin/a --x=\"y z\"", vec![vec!["/bin/a", "--x=y z"]]),
            ("", vec![]),
        ] {
            let commands = commands(value).unwrap();
            assert_eq!(commands, expected, "{value}");
        }
        assert_eq!(
            commands("/bin/a \"b"),
            Err("the quote \" is not closed".into())
        );
    }

    #[test]
    fn scripts_are_split_into_commands() {
        assert_eq!(
            script("cd /a && docker-compose -f 'b c.yml' up; (x | y >z)"),
            [
                vec!["cd", "/a"],
                vec!["docker-compose", "-f", "b c.yml", "up"],
                vec!["x"],
                vec!["y", "z"]
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn never_panics(value in ".*") {
            let _ = commands(&value);
            let _ = script(&value);
        }
    }
}
