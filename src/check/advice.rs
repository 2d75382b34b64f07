//! Advice about compose files that no unit runs: nothing says that they are for a server, so that it is one finding.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::engine;
use super::grouped::Grouped;
use super::rules::compose::rule::compose_advice;
use crate::model::{Diagnostic, Severity};
use crate::source::Revision;

/// Which findings are one.
#[derive(Default)]
pub struct Advice {
    /// Compose files that no unit runs.
    files: BTreeSet<PathBuf>,
    /// Rules that watchme.toml sets: it is about each of their findings.
    set: BTreeSet<String>,
    /// How severe it is; `None` if watchme.toml switches it off.
    level: Option<Severity>,
}

impl Advice {
    /// What a desired state says about it.
    pub fn of(revision: &Revision) -> Self {
        let (desired, parsed) = (&revision.desired, &revision.parsed);
        let named = desired.files.values().map(|file| file.source.as_path());
        let stacks = parsed.stacks.iter().filter(|stack| stack.unit.is_some());
        let run = stacks.flat_map(|stack| stack.files.iter().map(PathBuf::as_path));
        let run: BTreeSet<&Path> = named.chain(run).collect();
        let infra = parsed.folder.join(parsed.policy.folders.infra.as_str());
        let files = parsed.compose.keys();
        let files = files.filter(|path| !run.contains(path.as_path()) && **path != infra);
        let check = &parsed.policy.check;
        let own = [compose_advice::RULE.name, "compose"];
        let setting = own.into_iter().find_map(|name| check.get(name));
        Self {
            files: files.cloned().collect(),
            set: check.keys().map(|name| name.to_string()).collect(),
            level: match setting.filter(|setting| setting.paths.is_empty()) {
                Some(setting) => setting.level.severity(),
                None => Some(compose_advice::RULE.severity),
            },
        }
    }

    fn is_summed(&self, found: &Grouped) -> bool {
        let rule = engine::rule_of(found.finding.rule.name);
        let is_advice = rule.is_some_and(|rule| rule.is_advice && !self.set.contains(rule.name));
        let path = found.finding.place().map(Diagnostic::path);
        is_advice
            && found.finding.severity == Severity::Warning
            && path.is_some_and(|path| self.files.contains(path))
    }

    /// The findings with this advice as one, behind the others, and how many watchme.toml switches off with it.
    pub fn summed(&self, findings: Vec<Grouped>) -> (Vec<Grouped>, usize) {
        let (all, mut rest): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|found| self.is_summed(found));
        let Some(level) = self.level else {
            return (rest, all.iter().map(count).sum());
        };
        let Some(first) = all.first().and_then(|found| found.finding.place()) else {
            return (rest, 0);
        };
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        let mut files = BTreeSet::new();
        for found in &all {
            *rules.entry(found.finding.rule.name).or_default() += count(found);
            files.extend(found.finding.place().map(Diagnostic::path));
        }
        let mut rules: Vec<_> = rules.into_iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rules: Vec<String> = rules
            .iter()
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        let (rules, name) = (rules.join(", "), compose_advice::RULE.name);
        let message = match files.len() {
            1 => format!("this compose file, which no unit runs, has findings of: {rules}"),
            many => format!("{many} compose files, which no unit runs, have findings of: {rules}"),
        };
        let help = format!(
            "watchme-apply check FILE shows each; to silence it, write into watchme.toml: [check] {name} = {{ level = \"off\", reason = \"...\" }}"
        );
        let place = Diagnostic {
            message,
            expected: String::new(),
            help: Some(help),
            ..first.clone()
        };
        rest.push(Grouped {
            finding: compose_advice::RULE.at(place).weighing(level),
            others: Vec::new(),
        });
        (rest, 0)
    }
}

fn count(found: &Grouped) -> usize {
    found.others.len() + 1
}

#[cfg(test)]
mod tests {
    use crate::check::tests::surveyed;
    use crate::check::{check, grouped};

    use super::*;

    const COMPOSE: &str = "services:\n  a: {image: 'a:1', ports: ['8080:80']}\n  b: {image: b}\n";

    /// What is said about files, and how much is switched off.
    fn said(files: &[(&str, &str)]) -> (Vec<String>, usize) {
        surveyed(files, |subject| {
            let advice = Advice::of(subject.revision);
            let (found, off) = advice.summed(grouped(check(subject)));
            let said = found.iter().map(|found| {
                let finding = &found.finding;
                let message = finding.place().map(|place| place.message.clone());
                format!("{} {}", finding.rule.name, message.unwrap_or_default())
            });
            (said.collect(), off)
        })
    }

    #[test]
    fn advice_about_files_that_no_unit_runs_is_one_finding() {
        let (one, _) = said(&[("a/docker-compose.yml", COMPOSE)]);
        assert_eq!(
            one,
            [
                "compose-advice this compose file, which no unit runs, has findings of: compose-no-health-check (2), compose-no-log-rotation (2), compose-no-memory-limit (2), compose-no-restart (2), compose-image-latest (1), port-public (1)"
            ]
        );
        let two = [
            ("a/docker-compose.yml", COMPOSE),
            (
                "b/compose.yaml",
                "services: {c: {image: 'c:1', restart: always}}\n",
            ),
        ];
        let (found, _) = said(&two);
        let starts = "compose-advice 2 compose files, which no unit runs, have findings of: ";
        assert!(
            found.len() == 1 && found[0].starts_with(starts),
            "{found:?}"
        );
        // A database that is open to the network is no advice.
        let open = "services: {c: {image: 'postgres:16', ports: ['5432:5432']}}\n";
        let (found, _) = said(&[("compose.yaml", open)]);
        assert!(
            found.len() == 2 && found[0].starts_with("port-public "),
            "{found:?}"
        );
    }

    #[test]
    fn watchme_toml_silences_it_or_asks_for_a_rule() {
        let with =
            |text: &'static str| said(&[("watchme.toml", text), ("a/docker-compose.yml", COMPOSE)]);
        let off = "[check]\ncompose-advice = { level = \"off\", reason = \"samples\" }\n";
        assert_eq!(with(off), (Vec::new(), 10));
        let (found, _) = with(
            "[check]\ncompose-no-restart = { level = \"warning\", reason = \"it has to run\" }\n",
        );
        assert!(
            found.len() == 2 && found[0].starts_with("compose-no-restart "),
            "{found:?}"
        );
    }

    #[test]
    fn what_a_unit_runs_is_said_in_full() {
        let unit =
            "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/a/docker-compose.yml up\n";
        let (found, _) = said(&[
            ("watchme.toml", "checkout = \"/srv/c\"\n"),
            ("a/docker-compose.yml", COMPOSE),
            ("systemd/a.service", unit),
        ]);
        let names = |name: &str| found.iter().any(|found| found.starts_with(name));
        assert!(
            !names("compose-advice") && names("compose-no-memory-limit "),
            "{found:?}"
        );
    }
}
