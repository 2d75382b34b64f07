//! Secrets that are written where everybody with the repository reads them. They show in no message, and are
//! masked in the lines that are shown.

use std::ops::Range;
use std::path::Path;

use super::view::{View, say};
use crate::model::{Diagnostic, File, Finding, Rule, Severity};
use crate::source::compose::Positions;
use crate::source::is_env_file;

crate::rule! {
    PLAIN, "compose-password-in-plain-text", Error;
    ENV_FILE, "compose-env-file-in-git", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&PLAIN, &ENV_FILE];

/// Parts of names whose value is a secret.
const SECRET: [&str; 10] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "CREDENTIAL",
    "PRIVATE_KEY",
    "ACCESS_KEY",
];
/// Ends of names that say something about a secret, or where it lies.
const ABOUT: [&str; 24] = [
    "_FILE",
    "_PATH",
    "_URL",
    "_URI",
    "_HOST",
    "_TTL",
    "_EXPIRY",
    "_EXPIRE",
    "_EXPIRES",
    "_EXPIRATION",
    "_LIFETIME",
    "_LENGTH",
    "_NAME",
    "_TIMEOUT",
    "_HEADER",
    "_ALGORITHM",
    "_ALGO",
    "_TYPE",
    "_ENABLED",
    "_ISSUER",
    "_MINUTES",
    "_HOURS",
    "_DAYS",
    "_ID",
];

/// Findings about secrets.
pub fn check(view: &View) -> Vec<Finding> {
    let mut findings = plain(view);
    let parsed = &view.subject.revision.parsed;
    let files = view.subject.revision.inputs.iter().chain(&parsed.beside);
    let tracked = files.filter(|(path, _)| is_env_file(path));
    findings.extend(tracked.filter_map(|(path, file)| env_file(path, file)));
    findings
}

fn plain(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (stack, service, definition) in view.services() {
        for (key, value) in definition.environment() {
            let Some(value) = value else { continue };
            let named = is_secret(&key, &value);
            if !named && password_in_url(&value).is_none() {
                continue;
            }
            let place = view.at(stack, service, &["environment", &key]);
            let raw = view.raw(&place);
            let written = raw.strip_prefix(&format!("{key}=")).unwrap_or(raw);
            if !is_literal(written) || (!named && password_in_url(written).is_none()) {
                continue;
            }
            let message = match named {
                true => format!("{key} of service {service} is written here in plain text"),
                false => {
                    format!("{key} of service {service} has a password in its URL in plain text")
                }
            };
            let variable = if named {
                key.clone()
            } else {
                "DB_PASSWORD".to_owned()
            };
            let help = format!(
                "write ${{{variable}}} here and the value into .env, outside git; then change the password, for git keeps the old one"
            );
            findings.push(Finding::at(&PLAIN, say(place, message, "", help)));
        }
    }
    findings
}

/// Whether the name says that the value is secret, and the value does not say otherwise.
pub fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_uppercase();
    let value = value.trim().trim_matches(['"', '\'']);
    let plain = matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null"
    );
    let number = value.len() < 6 && value.chars().all(|c| c.is_ascii_digit());
    // A path leads to it, such as /run/secrets/db.
    if plain
        || number
        || value.starts_with('/')
        || key.contains("PUBLIC")
        || ABOUT.iter().any(|end| key.ends_with(end))
    {
        return false;
    }
    let random = || {
        value.len() >= 16
            && value.chars().any(|c| c.is_ascii_digit())
            && value.chars().any(char::is_alphabetic)
    };
    SECRET.iter().any(|word| key.contains(word)) || (key.ends_with("_KEY") && random())
}

/// Whether a text has no variable in it.
fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.replace("$$", "").contains('$')
}

/// The password of `SCHEME://USER:PASSWORD@HOST`.
fn password_in_url(text: &str) -> Option<Range<usize>> {
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
pub fn masked(source: &str, positions: &Positions) -> String {
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

fn overwritten(source: &str, hidden: &[Range<usize>]) -> String {
    let mut text = String::with_capacity(source.len());
    for (at, c) in source.char_indices() {
        match c != '\n' && hidden.iter().any(|span| span.contains(&at)) {
            true => text.extend(std::iter::repeat_n('*', c.len_utf8())),
            false => text.push(c),
        }
    }
    text
}

/// An env file that is in git and says something.
fn env_file(path: &Path, file: &File) -> Option<Finding> {
    let text = String::from_utf8_lossy(&file.content).into_owned();
    let mut first = None;
    let mut secret = None;
    let mut hidden = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if let Some((key, value)) = trimmed
            .split_once('=')
            .filter(|_| !trimmed.starts_with('#'))
        {
            let key = key.trim().trim_start_matches("export ").trim();
            let start = at + line.find(key).unwrap_or(0);
            let span = start..start + key.len();
            if !value.trim().trim_matches(['"', '\'']).is_empty() {
                let end = at + line.trim_end().len();
                hidden.push(end - value.len()..end);
                first.get_or_insert((key.to_owned(), span.clone()));
                if is_secret(key, value) || password_in_url(value).is_some() {
                    secret.get_or_insert((key.to_owned(), span));
                }
            }
        }
        at += line.len();
    }
    let is_secret = secret.is_some();
    let (key, span) = secret.or(first)?;
    let what = if is_secret { "a secret" } else { "a value" };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let message = format!("{name} is in git, with {what} for {key}");
    let help = format!(
        "git rm --cached {name}, add it to .gitignore, and commit {name}.example without values{}",
        if is_secret {
            "; then change what was in it"
        } else {
            ""
        }
    );
    let place = Diagnostic {
        path: path.into(),
        source: overwritten(&text, &hidden),
        span,
        message,
        expected: String::new(),
        help: Some(help),
    };
    let finding = Finding::at(&ENV_FILE, place);
    Some(match is_secret {
        true => finding.weighing(Severity::Error),
        false => finding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_and_value() {
        for (key, value, expected) in [
            ("POSTGRES_PASSWORD", "egov_password", true),
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
