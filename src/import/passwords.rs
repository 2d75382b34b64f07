//! Passwords in a compose file: each becomes a variable, whose value is for `.env`.

use std::collections::{BTreeMap, BTreeSet};

use super::rewrite::{Edit, double_quoted, line_of};
use crate::check::{is_literal, is_secret, password_in_url};
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
        if !is_literal(value) {
            continue;
        }
        let hidden = match is_secret(name, value) {
            true => 0..value.len(),
            false => match password_in_url(value) {
                Some(password) => password,
                None => continue,
            },
        };
        let is_name = |name: &str| {
            let mut letters = name.chars();
            letters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        if !is_name(name) {
            return Err(format!(
                "line {line}: {name:?} has a password that cannot be moved to .env"
            ));
        }
        let secret = value
            .get(hidden.clone())
            .unwrap_or_default()
            .replace("$$", "$");
        let is_plain =
            |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '$' | '`' | '#');
        if !secret.chars().all(is_plain) {
            return Err(format!(
                "line {line}: the password of {name} has letters that the versions of compose read in different ways from .env: move it there by hand"
            ));
        }
        let variable = free(name, &secret, &taken, variables);
        let new = format!(
            "{}${{{variable}}}{}",
            value.get(..hidden.start).unwrap_or_default(),
            value.get(hidden.end..).unwrap_or_default()
        );
        let new = match key {
            Some(_) => new,
            None => format!("{name}={new}"),
        };
        taken.remove(&variable);
        variables.insert(variable, secret);
        edits.push((span, double_quoted(&new)));
    }
    Ok(())
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
