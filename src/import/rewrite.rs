//! A compose file for another folder: relative paths become those that they were, and passwords become variables. Nothing
//! else changes, so that compose makes of it what it made of the old one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::passwords;
use crate::model::layout;
use crate::source::compose::{Document, Environment, Positions};

/// A compose file as it is written anew.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub text: String,
    /// Variables for `.env` that have taken the place of passwords.
    pub variables: BTreeMap<String, String>,
}

/// Bytes of a file, and what comes in their place.
pub(super) type Edit = (Range<usize>, String);

/// Writes a compose file of `folder` for another folder.
pub(super) fn rewrite(
    document: &Document,
    folder: &Path,
    environment: &Environment,
) -> Result<Rewritten, String> {
    let source = document.source();
    let positions = Positions::of(source);
    let value = &document.value;
    if value.get("include").is_some() {
        return Err("it includes other compose files".to_owned());
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (path, role) in paths(value)? {
        let place = positions.find(&path);
        if place.depth == path.len()
            && let Some(edit) = moved(source, &positions, (place.value, role), folder)?
        {
            edits.push(edit);
        }
    }
    let mut variables = BTreeMap::new();
    passwords::moved(source, &positions, environment, &mut variables, &mut edits)?;
    for (span, _) in &mut edits {
        *span = with_quotes(source, span);
    }
    edits.sort_by_key(|(span, _)| span.start);
    edits.dedup_by_key(|(span, _)| span.start);
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (span, new) in edits {
        text.push_str(source.get(at..span.start).unwrap_or_default());
        text.push_str(&new);
        at = span.end;
    }
    text.push_str(source.get(at..).unwrap_or_default());
    Ok(Rewritten { text, variables })
}

/// The bytes of a text with the quotes around it.
fn with_quotes(source: &str, span: &Range<usize>) -> Range<usize> {
    let before = source.get(..span.start).unwrap_or_default();
    let behind = source.get(span.end..).unwrap_or_default();
    let is_in = |quote: char| before.ends_with(quote) && behind.starts_with(quote);
    match is_in('"') || is_in('\'') {
        true => span.start - 1..span.end + 1,
        false => span.clone(),
    }
}

/// How a path is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Alone.
    Path,
    /// As `PATH:PATH`, `NAME:PATH` or `PATH`, where a path begins with a dot.
    Volume,
}

/// Where a compose file has paths of the host.
fn paths(value: &serde_yaml::Value) -> Result<Vec<(Vec<String>, Role)>, String> {
    let mut found: Vec<(Vec<String>, Role)> = Vec::new();
    let services = value
        .get("services")
        .and_then(|services| services.as_mapping());
    for (name, service) in services.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let mut add_as = |path: &[&str], role: Role| {
            let mut whole = vec!["services".to_owned(), name.to_owned()];
            whole.extend(path.iter().map(|part| (*part).to_owned()));
            found.push((whole, role));
        };
        if service
            .get("extends")
            .is_some_and(|extends| extends.get("file").is_some())
        {
            return Err(format!("its service {name} extends one of another file"));
        }
        let volumes = service
            .get("volumes")
            .and_then(|volumes| volumes.as_sequence());
        for (at, volume) in volumes.into_iter().flatten().enumerate() {
            let at = at.to_string();
            match (
                volume.is_mapping(),
                volume.get("type").and_then(|kind| kind.as_str()),
            ) {
                (true, Some("bind")) => add_as(&["volumes", &at, "source"], Role::Path),
                (true, _) => {}
                (false, _) => add_as(&["volumes", &at], Role::Volume),
            }
        }
        let mut add = |path: &[&str]| add_as(path, Role::Path);
        match service.get("env_file") {
            Some(files) if files.is_sequence() => {
                let files = files.as_sequence().into_iter().flatten();
                for (at, file) in files.enumerate() {
                    let at = at.to_string();
                    match file.is_mapping() {
                        true => add(&["env_file", &at, "path"]),
                        false => add(&["env_file", &at]),
                    }
                }
            }
            Some(_) => add(&["env_file"]),
            None => {}
        }
        match service.get("build") {
            Some(build) if build.is_mapping() => add(&["build", "context"]),
            Some(_) => add(&["build"]),
            None => {}
        }
    }
    for section in ["configs", "secrets"] {
        let entries = value.get(section).and_then(|section| section.as_mapping());
        for (name, entry) in entries.into_iter().flatten() {
            if entry.get("file").is_some() {
                let name = name.as_str().unwrap_or_default();
                let path = vec![section.to_owned(), name.to_owned(), "file".to_owned()];
                found.push((path, Role::Path));
            }
        }
    }
    Ok(found)
}

/// A path at its old place, if it is relative.
fn moved(
    source: &str,
    positions: &Positions,
    (span, role): (Range<usize>, Role),
    folder: &Path,
) -> Result<Option<Edit>, String> {
    let texts = positions.texts();
    let Some((_, _, text)) = texts.iter().find(|(_, other, _)| *other == span) else {
        return Ok(None);
    };
    let end = match role {
        Role::Volume => text.find(':').unwrap_or(text.len()),
        Role::Path => text.len(),
    };
    let (path, rest) = text.split_at(end);
    let is_elsewhere =
        path.starts_with(['/', '~']) || path.contains("://") || path.starts_with("git@");
    // Compose knows the name of a volume, or one without a name, by its first letter.
    let is_volume = role == Role::Volume && !path.starts_with(['.', '$']);
    if is_elsewhere || is_volume {
        return Ok(None);
    }
    let line = line_of(source, span.start);
    if path.starts_with('$') {
        return Err(format!(
            "line {line}: whether the path {path} is relative depends on a variable"
        ));
    }
    let absolute = layout::normal(&folder.join(path));
    let new = format!("{}{rest}", absolute.display());
    Ok(Some((span, double_quoted(&new))))
}

/// The line of a byte, counted from 1.
pub(super) fn line_of(source: &str, at: usize) -> usize {
    source.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// A text in double quotes, YAML 1.2 section 7.3.1.
pub(super) fn double_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Result<Rewritten, String> {
        let document =
            Document::parse(Path::new("compose.yaml"), text, &Environment::new()).unwrap();
        rewrite(
            &document,
            Path::new("/opt/shop"),
            &[("TOKEN".to_owned(), "other".to_owned())].into(),
        )
    }

    #[test]
    fn relative_paths_lead_where_they_led() {
        let text = "# A comment stays.
services:
  web:
    build: .
    env_file: [.env, shop.env, /etc/shop.env]
    volumes:
      - ./data:/data
      - 'named:/b'
      - ../other/x.conf:/etc/x.conf:ro
      - /srv/a:/a
      - /anonymous
      - {type: bind, source: d, target: /d}
  api:
    build: {context: ./api, dockerfile: Dockerfile}
    env_file: api.env
configs:
  c: {file: ./c.conf}
volumes: {named: }
";
        let expected = text
            .replace("build: .\n", "build: \"/opt/shop\"\n")
            .replace(
                "[.env, shop.env,",
                "[\"/opt/shop/.env\", \"/opt/shop/shop.env\",",
            )
            .replace("- ./data:/data", "- \"/opt/shop/data:/data\"")
            .replace(
                "- ../other/x.conf:/etc/x.conf:ro",
                "- \"/opt/other/x.conf:/etc/x.conf:ro\"",
            )
            .replace("source: d,", "source: \"/opt/shop/d\",")
            .replace("context: ./api,", "context: \"/opt/shop/api\",")
            .replace("env_file: api.env", "env_file: \"/opt/shop/api.env\"")
            .replace("file: ./c.conf", "file: \"/opt/shop/c.conf\"");
        assert_eq!(rewritten(text).unwrap().text, expected);
    }

    #[test]
    fn passwords_become_variables() {
        let text = "services:
  db:
    environment:
      POSTGRES_PASSWORD: hunter2
      TOKEN: 'x7zpq'
      URL: postgres://u:pw1@h/x
      PORT: 5432
      KEPT_PASSWORD: ${KEPT}
  web:
    environment: [DB_PASSWORD=hunter2, A=b]
";
        let new = rewritten(text).unwrap();
        for part in [
            "POSTGRES_PASSWORD: \"${POSTGRES_PASSWORD}\"",
            "TOKEN: \"${TOKEN_2}\"",
            "URL: \"postgres://u:${URL}@h/x\"",
            "PORT: 5432",
            "KEPT_PASSWORD: ${KEPT}",
            "[\"DB_PASSWORD=${DB_PASSWORD}\", A=b]",
        ] {
            assert!(new.text.contains(part), "{part}: {}", new.text);
        }
        assert!(!new.text.contains("hunter2") && !new.text.contains("pw1"));
        let names: Vec<&str> = new.variables.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["DB_PASSWORD", "POSTGRES_PASSWORD", "TOKEN_2", "URL"]
        );
    }

    #[test]
    fn what_cannot_be_moved_says_why() {
        for (text, expected) in [
            ("include: [a.yml]\n", "it includes other compose files"),
            (
                "services: {a: {extends: {file: b.yml, service: b}}}\n",
                "its service a extends one of another file",
            ),
            (
                "services: {a: {volumes: ['${DATA}:/data']}}\n",
                "line 1: whether the path ${DATA} is relative depends on a variable",
            ),
            (
                "services: {a: {environment: {DB_PASSWORD: \"a'b\"}}}\n",
                "line 1: the password of DB_PASSWORD has characters that versions of compose read differently from .env: move it there by hand",
            ),
        ] {
            assert_eq!(rewritten(text).unwrap_err(), expected, "{text}");
        }
    }
}
