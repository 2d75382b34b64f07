//! Variables of compose files whose values are nowhere but in the containers that were made with them: those of an `.env` that is
//! gone, and what the shell of a person had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_yaml::Value;

use super::look::Look;
use crate::host::HostError;
use crate::source::compose::{Environment, interpolate, pairs};

/// What a container was made with.
pub(super) struct Made<'a> {
    pub service: &'a str,
    /// Its image as it was asked for.
    pub image: &'a str,
    /// Its variables.
    pub variables: &'a BTreeMap<String, String>,
}

/// A piece of a value.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str, Option<&'t str>),
}

/// The values of variables that `environment` does not have, as far as the containers of a compose file say them.
pub(super) fn variables(
    source: &str,
    environment: &Environment,
    containers: &[Made<'_>],
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let whole: Value = serde_yaml::from_str(source).unwrap_or_default();
    let services = whole.get("services").and_then(Value::as_mapping);
    for (name, service) in services.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let Some(made) = containers.iter().find(|made| made.service == name) else {
            continue;
        };
        let image = service.get("image").and_then(Value::as_str);
        let image = image.and_then(|image| solved(image, environment, made.image));
        found.extend(image);
        for (key, value) in pairs(service.get("environment")) {
            let Some(actual) = made.variables.get(&key) else {
                continue;
            };
            let value = value.unwrap_or_else(|| format!("${{{key}}}"));
            found.extend(solved(&value, environment, actual));
        }
    }
    found
}

/// What a project that a unit runs would not have any more after a restart; `None` where nothing is lost.
pub(super) fn lost(
    look: &Look<'_>,
    made: &[Made<'_>],
    files: &[PathBuf],
) -> Result<Option<String>, HostError> {
    let Some(folder) = files.first().and_then(|file| file.parent()) else {
        return Ok(None);
    };
    let env = folder.join(".env");
    let text = look.root().read(&env)?.unwrap_or_default();
    let environment = interpolate::env_file(&String::from_utf8_lossy(&text));
    let mut names = BTreeSet::new();
    for path in files {
        let text = look.root().read(path)?.unwrap_or_default();
        let found = variables(&String::from_utf8_lossy(&text), &environment, made);
        let found = found.into_iter().filter(|(_, value)| !value.is_empty());
        names.extend(found.map(|(name, _)| name));
    }
    if names.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = names.into_iter().collect();
    Ok(Some(format!(
        "only its containers have the values of {}: {} does not, and a restart may start it without them; `docker inspect` shows them",
        names.join(", "),
        env.display()
    )))
}

/// Names of variables that have no value and no default in a text.
pub(super) fn lacking(source: &str, environment: &Environment) -> BTreeSet<String> {
    let pieces = pieces(source).into_iter();
    let names = pieces.filter_map(|piece| match piece {
        Piece::Variable(name, None) if !environment.contains_key(name) => Some(name.to_owned()),
        _ => None,
    });
    names.collect()
}

/// The one variable of a value that has none yet, with what makes the value what it is in the container.
fn solved(written: &str, environment: &Environment, actual: &str) -> Option<(String, String)> {
    let (mut before, mut behind) = (String::new(), String::new());
    let mut unknown: Option<(&str, Option<&str>)> = None;
    for piece in pieces(written) {
        let known = match piece {
            Piece::Text(text) => text,
            Piece::Variable(name, default) => match environment.get(name) {
                Some(value) => value.as_str(),
                None if unknown.is_some() => return None,
                None => {
                    unknown = Some((name, default));
                    continue;
                }
            },
        };
        match unknown {
            Some(_) => behind.push_str(known),
            None => before.push_str(known),
        }
    }
    let (name, default) = unknown?;
    let value = actual.strip_prefix(before.as_str())?;
    let value = value.strip_suffix(behind.as_str())?;
    (default != Some(value)).then(|| (name.to_owned(), value.to_owned()))
}

/// Takes a text apart, <https://docs.docker.com/reference/compose-file/interpolation/>. What is no variable of a form that has
/// one value is text.
fn pieces(mut rest: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    while let Some(at) = rest.find('$') {
        let (text, behind) = rest.split_at(at);
        found.push(Piece::Text(text));
        let behind = behind.get(1..).unwrap_or_default();
        if let Some(further) = behind.strip_prefix('$') {
            found.push(Piece::Text("$"));
            rest = further;
            continue;
        }
        let inside = behind.strip_prefix('{').and_then(|inside| {
            let end = inside.find('}')?;
            Some((inside.get(..end)?, inside.get(end + 1..)?))
        });
        if let Some((inside, further)) = inside {
            let name = &inside[..end_of_name(inside)];
            let operator = inside.strip_prefix(name).unwrap_or_default();
            let default = operator.strip_prefix(':').unwrap_or(operator);
            match default.chars().next() {
                None | Some('?') => found.push(Piece::Variable(name, None)),
                Some('-') => found.push(Piece::Variable(name, default.get(1..))),
                Some(_) => found.push(Piece::Text("")),
            }
            rest = further;
            continue;
        }
        let (name, further) = behind.split_at(end_of_name(behind));
        match name.is_empty() {
            true => found.push(Piece::Text("$")),
            false => found.push(Piece::Variable(name, None)),
        }
        rest = further;
    }
    found.push(Piece::Text(rest));
    found
}

fn end_of_name(text: &str) -> usize {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.find(|c| !is_letter(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_says_what_an_env_file_has_lost() {
        let source = "services:
  db:
    image: postgres:${TAG}
    environment:
      PASSWORD: ${DB_PASS}
      URL: postgres://app:${DB_PASS}@${HOST:-db}/x
      MODE: ${MODE:-fast}
      SPEED: ${SPEED:-fast}
      THROUGH:
      BOTH: ${A}-${B}
      EMPTY: ${EMPTY}
      COSTS: 5$$
      ELSE: ${ELSE:+x}
  other:
    environment: ['TOKEN=${TOKEN}', 'PLAIN']
";
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let db = of(&[
            ("PASSWORD", "hunter2"),
            ("URL", "postgres://app:hunter2@db/x"),
            ("MODE", "slow"),
            ("SPEED", "fast"),
            ("THROUGH", "shell"),
            ("BOTH", "a-b"),
            ("EMPTY", ""),
            ("COSTS", "5$"),
            ("ELSE", "x"),
        ]);
        let other = of(&[("TOKEN", "t"), ("PLAIN", "p")]);
        let containers = [("db", "postgres:16", &db), ("other", "", &other)].map(
            |(service, image, variables)| Made {
                service,
                image,
                variables,
            },
        );
        let known = of(&[("PLAIN", "known")]);
        assert_eq!(
            variables(source, &known, &containers),
            of(&[
                ("DB_PASS", "hunter2"),
                ("EMPTY", ""),
                ("MODE", "slow"),
                ("TAG", "16"),
                ("THROUGH", "shell"),
                ("TOKEN", "t"),
            ])
        );
        let lacks: Vec<String> = lacking(source, &known).into_iter().collect();
        assert_eq!(lacks, ["A", "B", "DB_PASS", "EMPTY", "TAG", "TOKEN"]);
    }
}
