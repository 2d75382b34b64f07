//! `[check]` of watchme.toml: which level a rule or a family of rules has for the checkout, or for some paths.

use std::path::Path;

use super::engine::{self, Rule};
use super::rules::checkout::rule::{allowance_invalid, allowance_unused, name_misspelt};
use super::{Subject, rules};
use crate::model::{Diagnostic, Finding};
use crate::source::Revision;
use crate::source::error::nearest;
use crate::source::policy::{CheckPolicy, Level, Spanned};

/// A `*` does not go beyond a `/`.
const MATCH: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The findings as severe as watchme.toml wants them, without those that it switches off. A setting of a rule counts
/// more than one of its family.
pub fn set(findings: Vec<Finding>, revision: &Revision) -> Vec<Finding> {
    let settings = &revision.parsed.policy.check;
    if settings.is_empty() {
        return findings;
    }
    let set = findings.into_iter().filter_map(|finding| {
        let name = finding.rule.name;
        if engine::rule_of(name).is_none_or(|rule| rule.is_fixed) {
            return Some(finding);
        }
        let family = engine::family_of(name).map_or("", |family| family.name);
        let place = finding.place().map(Diagnostic::path);
        let mut known = [name, family].into_iter();
        let setting = known.find_map(|name| {
            let setting = settings.get(name)?;
            is_for(setting, place, &revision.parsed.folder).then_some(setting)
        });
        match setting {
            Some(setting) => setting
                .level
                .severity()
                .map(|level| finding.weighing(level)),
            None => Some(finding),
        }
    });
    set.collect()
}

/// Whether a setting is for findings in a file. Paths are below the folder of watchme.toml.
fn is_for(setting: &CheckPolicy, path: Option<&Path>, folder: &Path) -> bool {
    setting.paths.is_empty() || path.is_some_and(|path| matches(setting, path, folder))
}

fn matches(setting: &CheckPolicy, path: &Path, folder: &Path) -> bool {
    let path = path.strip_prefix(folder).unwrap_or(path);
    let mut patterns = setting.paths.iter();
    patterns.any(|pattern| pattern.matches_path_with(path, MATCH))
}

/// Settings of rules that there are not, of rules whose level is fixed, and for paths that no file has.
pub(super) fn wrong(subject: &Subject) -> Vec<Finding> {
    let (policy, parsed) = (&subject.revision.parsed.policy, &subject.revision.parsed);
    let mut findings = Vec::new();
    for (name, setting) in &policy.check {
        let at = |span, message: String, help: String| {
            policy.file.complain(span, message, "", Some(help))
        };
        match (engine::rule_of(name), engine::family(name)) {
            (None, None) => {
                let message = format!("there is no rule and no family of rules {}", name.as_str());
                let names = rules::FAMILIES.iter().map(|family| family.name);
                let names = names.chain(engine::rules().into_iter().map(|rule| rule.name));
                let help = match nearest(name, names) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "watchme-apply check --explain lists all rules".to_owned(),
                };
                findings.push(name_misspelt::RULE.at(at(name.span(), message, help)));
                continue;
            }
            (Some(rule), _) if rule.is_fixed => {
                let message = format!("the level of {} cannot be set", name.as_str());
                let help = "remove it, and fix the findings".to_owned();
                findings.push(allowance_invalid::RULE.at(at(name.span(), message, help)));
                continue;
            }
            _ => {}
        }
        let loose = parsed.loose.iter().flat_map(|alone| &alone.paths);
        let inputs = subject.revision.inputs.keys();
        let files = inputs.chain(parsed.beside.keys()).chain(loose);
        for pattern in &setting.paths {
            let mut files = files
                .clone()
                .map(|path| path.strip_prefix(&parsed.folder).unwrap_or(path));
            if subject.is_whole() && !files.any(|path| pattern.matches_path_with(path, MATCH)) {
                let message = format!("no file matches {}", pattern.as_str());
                let help =
                    "remove the pattern, or correct it: paths begin at the folder of watchme.toml";
                findings.push(allowance_unused::RULE.at(at(
                    pattern.span(),
                    message,
                    help.to_owned(),
                )));
            }
        }
    }
    findings
}

/// What watchme.toml says about a rule, a line for each setting: of the rule itself, and of its family.
pub fn described(rule: &Rule, revision: &Revision) -> Vec<String> {
    let policy = &revision.parsed.policy;
    let family = engine::family_of(rule.name).map_or("", |family| family.name);
    let settings = [rule.name, family]
        .into_iter()
        .filter_map(|name| policy.check.get_key_value(name).filter(|_| !rule.is_fixed));
    settings
        .map(|(name, setting)| line(name, setting, revision))
        .collect()
}

fn line(name: &Spanned<String>, setting: &CheckPolicy, revision: &Revision) -> String {
    let level = match setting.level {
        Level::Off => "off",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let paths = setting.paths.iter().map(|pattern| pattern.as_str());
    let paths: Vec<&str> = paths.collect();
    let paths = match paths.is_empty() {
        true => String::new(),
        false => format!(" for {}", paths.join(", ")),
    };
    let file = &revision.parsed.policy.file;
    let place = file.complain(name.span(), "", "", None);
    let (path, number) = (place.path().display(), place.position().line);
    let (name, reason) = (name.as_str(), setting.reason.as_str());
    format!("{name} is {level}{paths} ({path}:{number}): {reason}")
}
