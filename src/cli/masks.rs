//! Masks values that look like secrets.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::output::clean;

const MASK: &str = "********";

/// A setting whose name says that its value is secret: `DB_PASSWORD=x`, `api-key: x`,
/// `proxy_set_header Authorization "Bearer x"`.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)((?:[\w.-]*(?:passw(?:or[dt]|d)|pass|pwd|pw|passphrase|secret|token|jwt|webhook|api[_-]?key"#,
        r#"|access[_-]?key(?:[_-]?id)?|private[_-]?key|credentials?|creds?|authorization|auth|salt|pepper|signing"#,
        // Ends of other words, too: task, spin.
        r#"|[_-](?:sk|pin))|\b(?:sk|pin))\b[\w.-]*"#,
        r#"(?:["']?(?:\s*[=:]\s*|\s+["'])|["']\s*,\s*))"#,
        r#"("[^"]*"?|'[^']*'?|[^;#"']+)"#,
    ))
    .ok()
});

/// An option with its value as the next word: `--password x`.
static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(--?[\w-]*(?:passw(?:or[dt]|d)|pass|secret|token|api-?key|auth)\s+)([^\s-]\S*)",
    )
    .ok()
});

/// A line of a PEM block: nothing but base64, and too long for a name. RFC 7468 has 64 of them.
static PEM: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(\s*)[A-Za-z0-9+/]{48,}={0,2}\s*$").ok());

/// A key in the place of a URL's user: `https://x@host`. Names of users are shorter.
static USER_OF_URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\w+://)[A-Za-z0-9_-]{16,}(@)").ok());

/// A password within a URL: `postgres://user:x@host`.
static IN_URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\w+://[^/\s:@]*:)([^@\s/]+)(@)").ok());

/// A parameter of a URL whose name says that its value is secret: `?api_token=x`, `&sig=x`. A variable stays.
static IN_QUERY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)([?&][\w.-]*(?:passw(?:or[dt]|d)|pass|pwd|passphrase|secret|token|jwt|key|credentials?"#,
        r#"|creds?|auth|authorization|sig|signature|session|sid)=)([^$&\s;#"'][^&\s;#"']*)"#,
    ))
    .ok()
});

/// Keys of well-known shapes, wherever they are: AWS access key ids; tokens of GitHub, GitLab, Slack, npm, Hugging Face and
/// DigitalOcean; keys of Stripe, OpenAI, Google, SendGrid and age; JSON web tokens.
static SHAPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        concat!(
            r"\b(?:A(?:KIA|SIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}",
            r"|x(?:ox[abeprs]|app)-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}",
            r"|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{30,}",
            r"|hf_[A-Za-z0-9]{30,}|do[opr]_v1_[a-f0-9]{32,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}",
            r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)",
        ),
    )
    .ok()
});

/// A password among the arguments of a command that has no word for it: `mysqldump -px`, `sshpass -p x`, `curl -u user:x`;
/// and the secret part of a Slack webhook.
static ARGUMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"((?:\b(?:mysql|mariadb)\w*\b.*?\s-p|\bsshpass\s+-p\s*|\b(?:curl|wget)\b.*?\s(?:-u|--user)[ =]?[\w.-]+:",
        r"|hooks\.slack\.com/services/))([^\s$]\S*)",
    ))
    .ok()
});

/// Which of the expressions a line may match, from cheap tests: nearly all lines match none.
struct Candidates {
    in_query: bool,
    named: bool,
    pem: bool,
    option: bool,
    in_url: bool,
    shaped: bool,
    argument: bool,
}

impl Candidates {
    fn of(line: &str) -> Self {
        const SHAPES: [&str; 19] = [
            "AKIA", "ASIA", "gh", "glpat-", "xox", "xapp-", "sk_", "rk_", "whsec_", "sk-", "AIza",
            "SG.", "npm_", "hf_", "doo_", "dop_", "dor_", "AGE-", "eyJ",
        ];
        let (named, option) = settings(line);
        let trimmed = line.trim();
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        Self {
            in_query: line.contains('=') && line.contains(['?', '&']),
            named,
            pem: trimmed.len() >= 48 && trimmed.bytes().all(is_base64),
            option,
            in_url: line.contains("://") && line.contains('@'),
            shaped: SHAPES.iter().any(|start| line.contains(start)),
            argument: line.contains(" -p")
                && ["mysql", "mariadb", "sshpass"]
                    .iter()
                    .any(|name| line.contains(name))
                || line.contains(':') && (line.contains("curl") || line.contains("wget"))
                || line.contains("hooks.slack.com/services/"),
        }
    }
}

/// What the names of secrets have in them.
const WORDS: [&str; 15] = [
    "pass", "pwd", "pw", "secret", "token", "jwt", "webhook", "key", "cred", "auth", "salt",
    "pepper", "signing", "sk", "pin",
];

/// Whether some name of a secret has behind it what [`NAMED`] and [`OPTION`] take for its value. `proxy_pass` has such a
/// name, and is in most lines that are shown.
fn settings(line: &str) -> (bool, bool) {
    let lower = line.to_ascii_lowercase();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let is_blank = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    let quotes = ['"', '\''];
    let (mut named, mut option) = (false, false);
    if !WORDS.iter().any(|word| lower.contains(word)) {
        return (named, option);
    }
    let mut rest = lower.as_str();
    while let Some(from) = rest.find(is_of_name) {
        let (_, begun) = rest.split_at(from);
        let end = begun.find(|c| !is_of_name(c)).unwrap_or(begun.len());
        let (name, behind) = begun.split_at(end);
        rest = behind;
        if !WORDS.iter().any(|word| name.contains(word)) {
            continue;
        }
        let unquoted = behind.strip_prefix(quotes);
        let after = unquoted.unwrap_or(behind);
        let value = after.trim_start_matches(is_blank);
        named |= value.starts_with(['=', ':'])
            || value.len() < after.len() && value.starts_with(quotes)
            || unquoted.is_some() && value.starts_with(',');
        option |= name.contains('-') && behind.starts_with(is_blank);
    }
    (named, option)
}

/// A line with what looks like secrets replaced. A value that is only a reference to a variable stays.
pub(super) fn mask(line: &str) -> Cow<'_, str> {
    masked(line, &Candidates::of(line))
}

/// The same of a text that is kept.
pub(super) fn hidden(text: &str) -> String {
    mask(text).into_owned()
}

/// Safe for a terminal and for whom it is sent to: nothing that would be executed, and nothing that looks like a secret.
pub(super) fn safe(text: &str) -> String {
    clean(&mask(text)).into_owned()
}

/// The lines of a diff with what looks like secrets replaced, values in quotes that go on in the next line included.
#[derive(Debug, Default)]
pub(super) struct DiffMask {
    /// The quote that a secret value of the old and of the new text has not closed yet.
    open: [Option<char>; 2],
}

impl DiffMask {
    /// The next line, without its sign: ` ` for both texts, `-` for the old one, `+` for the new one. Any other sign begins a
    /// new part of the texts.
    pub(super) fn mask<'t>(&mut self, sign: char, line: &'t str) -> Cow<'t, str> {
        let sides: &[usize] = match sign {
            ' ' => &[0, 1],
            '-' => &[0],
            '+' => &[1],
            _ => {
                self.open = [None; 2];
                return Cow::Borrowed(line);
            }
        };
        let mut within = false;
        for side in sides {
            let Some(open) = self.open.get_mut(*side) else {
                continue;
            };
            *open = match *open {
                Some(quote) => {
                    within = true;
                    (!line.contains(quote)).then_some(quote)
                }
                None => unclosed(line),
            };
        }
        match within {
            true => Cow::Borrowed(MASK),
            false => mask(line),
        }
    }

    /// The next line of a unified diff.
    pub(super) fn unified(&mut self, line: &str) -> String {
        let mut rest = line.chars();
        let sign = rest.next().unwrap_or(' ');
        format!("{sign}{}", self.mask(sign, rest.as_str()))
    }
}

/// The quote of a secret value that the line does not close.
fn unclosed(line: &str) -> Option<char> {
    let named = NAMED.as_ref().filter(|_| Candidates::of(line).named)?;
    let value = named.captures_iter(line).last()?.get(2)?.as_str();
    let first = value.chars().next();
    let quote = first.filter(|first| "\"'".contains(*first))?;
    (value.len() == 1 || !value.ends_with(quote)).then_some(quote)
}

/// What comes in the place of what an expression found in a text.
type Masked = fn(&str, &Captures<'_>) -> String;

fn masked<'t>(line: &'t str, may: &Candidates) -> Cow<'t, str> {
    let behind_first: Masked = |_, found| format!("{}{MASK}", &found[1]);
    let between: Masked = |_, found| format!("{}{MASK}{}", &found[1], &found[2]);
    let in_url: Masked = |_, found| match is_variables(&found[2]) {
        true => found[0].to_owned(),
        false => format!("{}{MASK}{}", &found[1], &found[3]),
    };
    let all: [(&LazyLock<Option<Regex>>, bool, Masked); 8] = [
        (&IN_QUERY, may.in_query, behind_first),
        (&NAMED, may.named, masked_setting),
        (&PEM, may.pem, behind_first),
        (&OPTION, may.option, behind_first),
        (&ARGUMENT, may.argument, behind_first),
        (&IN_URL, may.in_url, in_url),
        (&USER_OF_URL, may.in_url, between),
        (&SHAPED, may.shaped, |_, _| MASK.to_owned()),
    ];
    let mut text = Cow::Borrowed(line);
    for (expression, _, masked) in all.into_iter().filter(|(_, may, _)| *may) {
        let Some(expression) = expression.as_ref() else {
            continue;
        };
        let new = expression.replace_all(&text, |found: &Captures<'_>| masked(&text, found));
        if new != text {
            text = Cow::Owned(new.into_owned());
        }
    }
    text
}

/// What [`NAMED`] found, masked where it is a setting with a value.
fn masked_setting(text: &str, found: &Captures<'_>) -> String {
    let (name, value) = (&found[1], &found[2]);
    if is_reference(value) {
        return found[0].to_owned();
    }
    // A host may have such a name, and its port is no secret; what follows may hold some.
    let before = found.get(0).and_then(|found| text.get(..found.start()));
    if before.is_some_and(|before| is_tag_of_sudoers(before, name, value)) {
        return format!("{name}{}", mask(value));
    }
    // `${NAME:?MESSAGE}` has no value.
    let is_named = before.is_some_and(|before| before.ends_with("${")) && value.starts_with('?');
    if let (true, Some(end)) = (is_named, value.find('}')) {
        let (message, rest) = value.split_at(end);
        return format!("{name}{message}{}", mask(rest));
    }
    let is_host = before.is_some_and(|before| before.ends_with("//")) && name.ends_with(':');
    let port = value.find(|character: char| !character.is_ascii_digit());
    let (port, rest) = value.split_at(port.unwrap_or(value.len()));
    match is_host && !port.is_empty() && !rest.starts_with(|next: char| !"/ ;,)".contains(next)) {
        true => format!("{name}{port}{}", mask(rest)),
        false => format!("{name}{MASK}"),
    }
}

/// Whether it is a tag of a line of sudoers, with commands behind it: `user ALL=(ALL) NOPASSWD: /usr/bin/ls`. sudoers(5),
/// "`Tag_Spec`".
fn is_tag_of_sudoers(before: &str, name: &str, value: &str) -> bool {
    let is_command = |first: char| first.is_ascii_uppercase() || "/!".contains(first);
    matches!(name.trim_end(), "NOPASSWD:" | "PASSWD:")
        && (before.contains('=') || before.starts_with(is_command))
        && value.starts_with(is_command)
}

fn is_reference(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    value.is_empty() || (value.starts_with('$') && !value.contains(":-"))
}

/// Whether a text is nothing but variables, as `$NAME`, `${NAME}` or `${NAME:?MESSAGE}`: names are no secrets.
fn is_variables(text: &str) -> bool {
    static VARIABLES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(?:\$\w+|\$\{\w+(?::?\?[^{}]*)?\})+$").ok());
    VARIABLES.as_ref().is_some_and(|all| all.is_match(text))
}

#[cfg(test)]
mod tests;
