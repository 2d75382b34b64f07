//! Secrets that are written where everybody with the repository reads them. They show in no message, and are
//! masked in the lines that are shown.

use std::ops::Range;

use source_text::word_list;

use crate::source::compose::Positions;

/// Parts of names whose value is a secret.
const SECRET: [&str; 10] = word_list(
    "PASSWORD PASSWD PASSPHRASE SECRET TOKEN APIKEY API_KEY CREDENTIAL PRIVATE_KEY ACCESS_KEY",
);
/// Ends of names that say something about a secret, or where it is.
const ABOUT: [&str; 24] = word_list(
    "_FILE _PATH _URL _URI _HOST _TTL _EXPIRY _EXPIRE _EXPIRES _EXPIRATION _LIFETIME _LENGTH _NAME \
    _TIMEOUT _HEADER _ALGORITHM _ALGO _TYPE _ENABLED _ISSUER _MINUTES _HOURS _DAYS _ID",
);

/// Words of names whose value is a secret as well: `DB_PASS`, `MYSQL_PWD`.
const WORDS: [&str; 5] = ["PASS", "PWD", "PASSPHRASE", "CREDS", "PSK"];

/// Whether the name says that the value is secret, and the value does not say otherwise.
pub(crate) fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_uppercase();
    let value = value.trim().trim_matches(['"', '\'']);
    if says_otherwise(&key, value) {
        return false;
    }
    if words(&key).any(|word| WORDS.contains(&word)) {
        return true;
    }
    let random = || {
        value.len() >= 16
            && value.chars().any(|c| c.is_ascii_digit())
            && value.chars().any(char::is_alphabetic)
    };
    SECRET.iter().any(|word| key.contains(word)) || (key.ends_with("_KEY") && random())
}

/// Whether a name may be one of a secret, where one too many does no harm: `APP_KEY`, `AUTH`, `SESSION_SALT`.
pub(crate) fn sounds_secret(key: &str, value: &str) -> bool {
    const WORDS: [&str; 10] = [
        "KEY", "AUTH", "CRED", "DSN", "JWT", "PW", "SALT", "PEPPER", "WEBHOOK", "COOKIE",
    ];
    let key = key.to_ascii_uppercase();
    let value = value.trim().trim_matches(['"', '\'']);
    // `DBPASS`, `APIKEY`.
    let ends = |word: &str| {
        let is_other = ["BYPASS", "COMPASS"].contains(&word);
        !is_other && ["PASS", "PWD", "KEY"].iter().any(|end| word.ends_with(end))
    };
    // A password of digits is one, where a token of few digits is a number.
    let digits = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit());
    let is_password = words(&key).any(|word| {
        ["PASSWORD", "PASSWD"]
            .iter()
            .any(|name| word.contains(name))
            || ["PASS", "PWD"].contains(&word)
    });
    let is_about = ABOUT.iter().any(|end| key.ends_with(end));
    (digits && is_password && !is_about)
        || !says_otherwise(&key, value)
            && words(&key).any(|word| WORDS.contains(&word) || ends(word))
}

fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(|c: char| !c.is_ascii_alphanumeric())
}

/// Whether a value is none of a secret, or the name says where one is.
fn says_otherwise(key: &str, value: &str) -> bool {
    let plain = matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null"
    );
    let number = value.len() < 6 && value.chars().all(|c| c.is_ascii_digit());
    // A path leads to it, such as /run/secrets/db.
    plain
        || number
        || value.starts_with('/')
        || key.contains("PUBLIC")
        || ABOUT.iter().any(|end| key.ends_with(end))
}

/// Whether a text has no variable in it.
pub(crate) fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.replace("$$", "").contains('$')
}

/// The password of `SCHEME://USER:PASSWORD@HOST`.
pub(crate) fn password_in_url(text: &str) -> Option<Range<usize>> {
    let start = text.find("://")? + 3;
    let rest = text.get(start..)?;
    let end = rest.find(['/', '?', '#', ' ']).unwrap_or(rest.len());
    let (user, _host) = rest.get(..end)?.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    if password.is_empty() || password.starts_with(['$', '<', '{']) {
        return None;
    }
    let from = start + name.len() + 1;
    Some(from..from + password.len())
}

/// A compose file's text with what may be secret overwritten, each byte by one: places stay where they are.
pub(crate) fn masked(source: &str, positions: &Positions) -> String {
    let mut hidden = Vec::new();
    for (key, span, _) in positions.texts() {
        let Some(value) = source.get(span.clone()) else {
            continue;
        };
        match key {
            Some(key) if is_secret(key, value) && is_literal(value) => hidden.push(span),
            Some(_) => hide_url(value, span.start, &mut hidden),
            None => match value.split_once('=') {
                Some((key, inside)) if is_secret(key, inside) && is_literal(inside) => {
                    hidden.push(span.end - inside.len()..span.end);
                }
                _ => hide_url(value, span.start, &mut hidden),
            },
        }
    }
    overwritten(source, &hidden)
}

fn hide_url(value: &str, start: usize, hidden: &mut Vec<Range<usize>>) {
    if let Some(password) = password_in_url(value) {
        hidden.push(start + password.start..start + password.end);
    }
}

/// A text whose bytes in `hidden` are stars.
pub(crate) fn overwritten(source: &str, hidden: &[Range<usize>]) -> String {
    let mut spans = hidden.to_vec();
    spans.sort_by_key(|span| span.start);
    let mut spans = spans.into_iter().peekable();
    // How far the spans reach that begin before a place.
    let mut end = 0;
    let mut text = String::with_capacity(source.len());
    for (at, c) in source.char_indices() {
        while let Some(span) = spans.next_if(|span| span.start <= at) {
            end = end.max(span.end);
        }
        match c != '\n' && at < end {
            true => text.extend(std::iter::repeat_n('*', c.len_utf8())),
            false => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_and_value() {
        for (key, value, expected) in [
            ("POSTGRES_PASSWORD", "egov_password", true),
            ("DB_PASS", "egov", true),
            ("MYSQL_PWD", "egov", true),
            ("PWD", "/srv", false),
            ("BYPASS", "x", false),
            ("DB_PASS_FILE", "x", false),
            ("db_password", "x", true),
            ("JWT_SECRET", "abc", true),
            ("AWS_SECRET_ACCESS_KEY", "abcdefgh", true),
            ("OPENAI_API_KEY", "sk-abc", true),
            ("DATABASE_KEY", "abc1abc1abc1abc1", true),
            ("SORT_KEY", "created_at", false),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/db", false),
            ("POSTGRES_PASSWORD", "/run/secrets/db", false),
            ("ACCESS_TOKEN_EXPIRE_MINUTES", "30", false),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", false),
            ("MAX_TOKENS", "4096", false),
            ("NEXT_PUBLIC_API_KEY", "abcdef", false),
            ("JWT_SECRET", "", false),
            ("PORT", "8080", false),
        ] {
            assert_eq!(is_secret(key, value), expected, "{key}={value}");
        }
    }

    #[test]
    fn passwords_in_urls_are_found() {
        let found = |text: &str| password_in_url(text).map(|span| text[span].to_owned());
        assert_eq!(found("postgres://u:p@w@db/x").as_deref(), Some("p@w"));
        for text in [
            "postgres://db/x",
            "http://a:80/x",
            "redis://u@h",
            "x://u:@h",
            "x://u:${P}@h",
            "a@b:c",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_masked_keeps_every_place() {
        let source = "a: # ü\n  PASSWORD: géheim\n  URL: x://u:pw1@h\n  b: [TOKEN=abc, K=v, 'S_TOKEN=${X}']\n";
        let shown = masked(source, &Positions::of(source));
        assert_eq!(
            shown,
            "a: # ü\n  PASSWORD: *******\n  URL: x://u:***@h\n  b: [TOKEN=***, K=v, 'S_TOKEN=${X}']\n"
        );
    }
}
