//! Command lines of Exec settings, "Command lines" in systemd.service(5).

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use source_text::word_list;

use super::parse::BLANKS;

/// A command of an Exec setting, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// `-@+!:|` before the program.
    pub prefix: String,
    /// The program and its arguments, without the name that `@` gives it.
    pub words: Vec<Word>,
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without quotes and escapes.
    pub text: String,
    /// Whether any of it was quoted.
    pub quoted: bool,
    /// Its bytes in the value.
    pub span: Range<usize>,
}

/// Splits the value of an Exec setting into commands. The error says in words what is wrong.
pub fn parse(value: &str) -> Result<Vec<Command>, String> {
    let mut commands = vec![Command::default()];
    for mut word in words(value)? {
        if (word.text.as_str(), word.quoted) == (";", false) {
            commands.push(Command::default());
            continue;
        }
        if (word.text.as_str(), word.quoted) == ("\\;", false) {
            word.text = ";".into();
        }
        if let Some(command) = commands.last_mut() {
            command.words.push(word);
        }
    }
    commands.retain(|command| !command.words.is_empty());
    Ok(commands.into_iter().map(with_prefix).collect())
}

/// The same as texts, for those who only want to know what runs.
pub fn commands(value: &str) -> Result<Vec<Vec<String>>, String> {
    let texts = |command: Command| command.words.into_iter().map(|word| word.text).collect();
    Ok(parse(value)?.into_iter().map(texts).collect())
}

fn with_prefix(mut command: Command) -> Command {
    let Some(first) = command.words.first_mut() else {
        return command;
    };
    let bare = first
        .text
        .trim_start_matches(['-', '@', '+', '!', ':', '|']);
    command.prefix = first
        .text
        .get(..first.text.len() - bare.len())
        .unwrap_or_default()
        .to_owned();
    first.text = bare.to_owned();
    if !first.quoted {
        first.span.start += command.prefix.len();
    }
    if command.prefix.contains('@') && command.words.len() > 1 {
        command.words.remove(1);
    }
    command
}

/// Programs that run another one, which their arguments name.
const RUNNERS: [&str; 12] =
    word_list("sudo env exec nice ionice timeout flock setsid nohup time chrt systemd-inhibit");
const SHELLS: [&str; 4] = ["sh", "bash", "dash", "zsh"];
/// Commands in commands in commands: bounds what has no end.
const MAX_DEPTH: usize = 4;

/// The last part of a program's path.
pub fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether a program is a shell.
pub fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base(program))
}

/// What a command runs in the end, in its order: the commands of a shell's script, and that behind `sudo`
/// and its like.
pub fn runs(command: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    find_runs(command, 0, &mut found);
    found
}

fn find_runs(command: &[String], depth: usize, found: &mut Vec<Vec<String>>) {
    let Some((program, arguments)) = command.split_first() else {
        return;
    };
    if depth < MAX_DEPTH && RUNNERS.contains(&base(program)) {
        let inner = arguments.iter().position(|word| is_program(word));
        if let Some(rest) = inner.and_then(|at| arguments.get(at..)) {
            return find_runs(rest, depth + 1, found);
        }
    }
    if depth < MAX_DEPTH
        && is_shell(program)
        && let Some(text) = script_of(arguments)
    {
        for command in script(text) {
            find_runs(&command, depth + 1, found);
        }
        return;
    }
    found.push(command.to_vec());
}

/// Whether a word of `sudo` or `env` is where the command begins.
pub fn is_program(word: &str) -> bool {
    !word.starts_with('-')
        && !word.contains('=')
        && (word.starts_with('/') || ["docker-compose", "docker", "sh", "bash"].contains(&word))
}

/// The script of `sh -c SCRIPT`, also with other short options before the `c`.
pub fn script_of(arguments: &[String]) -> Option<&str> {
    let at = arguments
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))?;
    arguments.get(at + 1).map(String::as_str)
}

fn words(value: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = value.char_indices().peekable();
    loop {
        while chars.next_if(|(_, c)| BLANKS.contains(c)).is_some() {}
        let Some(&(start, _)) = chars.peek() else {
            return Ok(words);
        };
        let mut word = Word {
            text: String::new(),
            quoted: false,
            span: start..value.len(),
        };
        let mut quote = None;
        while let Some(&(at, c)) = chars.peek() {
            if quote.is_none() && BLANKS.contains(&c) {
                word.span.end = at;
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
fn escape(chars: &mut Peekable<CharIndices>, text: &mut String) {
    let replaced = match chars.peek().map(|(_, c)| c) {
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
        if let Some(command) = commands.last_mut().filter(|_| !word.is_empty()) {
            command.push(std::mem::take(word));
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
    fn words_know_where_they_stand() {
        let value = "-/bin/a 'b c' ; d\\se";
        let found = parse(value).unwrap();
        let written = |word: &Word| value[word.span.clone()].to_owned();
        let written: Vec<_> = found
            .iter()
            .flat_map(|one| &one.words)
            .map(written)
            .collect();
        assert_eq!(written, ["/bin/a", "'b c'", "d\\se"]);
        assert_eq!(found[0].prefix, "-");
    }

    #[test]
    fn what_runs_in_the_end_is_found() {
        for (value, expected) in [
            ("/usr/bin/docker ps", vec!["/usr/bin/docker ps"]),
            ("/usr/bin/env A=b docker ps", vec!["docker ps"]),
            (
                "/bin/bash -ec 'cd /c; exec docker-compose up -d && /bin/x'",
                vec!["cd /c", "docker-compose up -d", "/bin/x"],
            ),
            ("/usr/bin/sudo -u me", vec!["/usr/bin/sudo -u me"]),
        ] {
            let command = commands(value).unwrap().remove(0);
            let found: Vec<_> = runs(&command).iter().map(|words| words.join(" ")).collect();
            assert_eq!(found, expected, "{value}");
        }
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
