//! Passwords in a compose file: each becomes a variable, whose value is for `.env`.

use std::collections::{BTreeMap, BTreeSet};

use super::rewrite::{Edit, double_quoted, line_of};
use crate::check::{is_literal, is_secret, password_in_url, sounds_secret};
use crate::source::compose::{Environment, Positions};

/// Passwords that are written in the file: in the values of maps, and in items such as `DB_PASSWORD=x`.
pub(super) fn moved(
    source: &str,
    positions: &Positions,
    environment: &Environment,
    variables: &mut BTreeMap<String, String>,
    edits: &mut Vec<Edit>,
) -> Result<(), String> {
    let mut taken: BTreeSet<String> = environment.keys().cloned().collect();
    for (key, span, text) in positions.texts() {
        let line = line_of(source, span.start);
        let (name, value) = match key {
            Some(key) => (key, text),
            None => match text.split_once('=') {
                Some((key, value)) => (key, value),
                None => continue,
            },
        };
        let written = |value: &str| match key {
            Some(_) => double_quoted(value),
            None => double_quoted(&format!("{name}={value}")),
        };
        let is_name = |name: &str| {
            let mut letters = name.chars();
            letters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        if !is_literal(value) {
            if let Some(edit) = without_default(name, value, environment, variables) {
                taken.extend(variables.keys().cloned());
                edits.push((span, written(&edit)));
            }
            continue;
        }
        // What only sounds like a secret goes along: a variable is as good.
        let is_secret =
            |value: &str| is_secret(name, value) || is_name(name) && sounds_secret(name, value);
        let hidden = match is_secret(value) {
            true => 0..value.len(),
            false => match password_in_url(value) {
                Some(password) => password,
                None => continue,
            },
        };
        if !is_name(name) {
            return Err(format!(
                "line {line}: {name:?} has a password that cannot be moved to .env"
            ));
        }
        let secret = value.get(hidden.clone()).unwrap_or_default();
        let secret = secret.replace("$$", "$");
        if !is_plain(&secret) {
            return Err(format!(
                "line {line}: the password of {name} has characters that versions of compose read differently from .env: move it there by hand"
            ));
        }
        let variable = free(name, &secret, &taken, variables);
        let new = format!(
            "{}${{{variable}}}{}",
            value.get(..hidden.start).unwrap_or_default(),
            value.get(hidden.end..).unwrap_or_default()
        );
        taken.remove(&variable);
        variables.insert(variable, secret);
        edits.push((span, written(&new)));
    }
    Ok(())
}

/// `${NAME}` for the `${NAME:-password}` of a secret, whose value is for `.env` if that does not have another one.
fn without_default(
    name: &str,
    value: &str,
    environment: &Environment,
    variables: &mut BTreeMap<String, String>,
) -> Option<String> {
    let inside = value.strip_prefix("${")?.strip_suffix('}')?;
    let (variable, default) = inside.split_once(":-").or_else(|| inside.split_once('-'))?;
    let is_hidden =
        is_literal(default) && (is_secret(name, default) || sounds_secret(name, default));
    let is_free = variables.get(variable).is_none_or(|known| known == default);
    if !is_hidden || default.contains(['{', '}']) || !is_plain(default) {
        return None;
    }
    let known = environment.get(variable);
    if known.is_none_or(String::is_empty) {
        if !is_free {
            return None;
        }
        variables.insert(variable.to_owned(), default.to_owned());
    }
    Some(format!("${{{variable}}}"))
}

/// Whether every version of compose reads a value from `.env` as it is written.
pub(super) fn is_plain(value: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '$' | '`' | '#');
    value.chars().all(is_plain)
}

/// A variable that has this value already, or that nobody has.
fn free(
    name: &str,
    value: &str,
    taken: &BTreeSet<String>,
    variables: &BTreeMap<String, String>,
) -> String {
    let numbered =
        std::iter::once(name.to_owned()).chain((2..).map(|number| format!("{name}_{number}")));
    let mut names = numbered.filter(|name| {
        !taken.contains(name) && variables.get(name).is_none_or(|known| known == value)
    });
    names.next().unwrap_or_default()
}
