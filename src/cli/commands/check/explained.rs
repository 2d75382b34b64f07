//! `check --explain NAME`: a rule's page, or the rules of a family, with what watchme.toml says about them.

use super::level;
use crate::check::{self, Family, Rule};
use crate::cli::masks::safe;
use crate::cli::session::Session;
use crate::cli::{Failure, render};
use crate::source::Revision;
use crate::source::error::nearest;

/// The lines about a rule or a family.
pub(super) fn explained(name: &str, session: &Session<'_>) -> Result<Vec<String>, Failure> {
    if let Some(rule) = check::rule_of(name) {
        let mut lines: Vec<String> = rule.page.trim_end().lines().map(str::to_owned).collect();
        let level = match rule.is_fixed {
            true => format!("Level: {}; it cannot be changed.", level(rule.severity)),
            false => format!("Level: {}.", level(rule.severity)),
        };
        // Below the headline.
        let below = lines.len().min(2);
        lines.splice(below..below, [level, String::new()]);
        lines.extend(own(&[rule], session));
        if !rule.is_fixed {
            lines.extend(how(name, check::family_of(name)));
        }
        return Ok(lines);
    }
    if let Some(family) = check::family(name) {
        let mut lines = of_family(family);
        lines.extend(own(family.rules, session));
        lines.extend(how(name, Some(family)));
        return Ok(lines);
    }
    let rules = check::rules();
    let near = nearest(name, rules.iter().map(|rule| rule.name));
    Err(Failure::NoRule {
        name: name.to_owned(),
        near: near.map(str::to_owned),
    })
}

fn of_family(family: &Family) -> Vec<String> {
    let rules = family.rules.iter();
    let rows = rules.map(|rule| [rule.name.to_owned(), rule.why().replace('\n', " ")]);
    let mut lines = vec![
        format!("# Rules of the family {}", family.name),
        String::new(),
    ];
    lines.extend(render::columns(&rows.collect::<Vec<_>>()));
    lines
}

/// What the watchme.toml of this checkout says; nothing where there is no checkout, or where it cannot be read.
fn own(rules: &[&Rule], session: &Session<'_>) -> Vec<String> {
    let Ok((revision, _)) = session.survey(None) else {
        return Vec::new();
    };
    let mut said = said(rules, &revision);
    if !said.is_empty() {
        let headline = [
            "".to_owned(),
            "## In this checkout".to_owned(),
            "".to_owned(),
        ];
        said.splice(0..0, headline);
    }
    said
}

fn said(rules: &[&Rule], revision: &Revision) -> Vec<String> {
    let lines = rules
        .iter()
        .flat_map(|rule| check::described(rule, revision));
    let mut said: Vec<String> = Vec::new();
    for line in lines {
        let line = safe(&line);
        if !said.contains(&line) {
            said.push(line);
        }
    }
    said
}

/// How the level of a rule or a family is set.
fn how(name: &str, family: Option<&Family>) -> Vec<String> {
    let paths = family.and_then(|family| paths(family.name));
    let (more, paths) = match paths {
        Some(paths) => (
            " Without paths it applies to the whole checkout:",
            format!(", paths = [\"{paths}\"]"),
        ),
        None => ("", String::new()),
    };
    let end = if more.is_empty() { ":" } else { "." };
    vec![
        String::new(),
        "## Change its level".to_owned(),
        String::new(),
        format!("In watchme.toml; the level is off, warning or error{end}{more}"),
        String::new(),
        "[check]".to_owned(),
        format!("{name} = {{ level = \"off\", reason = \"WHY\"{paths} }}"),
        String::new(),
    ]
}

/// An example of files that a family reports; none for those whose findings are in watchme.toml or come from a host.
fn paths(family: &str) -> Option<&'static str> {
    Some(match family {
        "compose" | "port" => "compose/legacy/**",
        "etc" => "etc/legacy/**",
        "nginx" => "sites-available/legacy.example.com",
        "systemd" => "systemd/legacy-*.service",
        _ => return None,
    })
}
