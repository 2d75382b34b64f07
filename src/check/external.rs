//! Compose files that lie outside the checkout, on a host: what they add to what the rules find.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::context::Context;
use super::engine::{self, Family, Rule};
use super::rules::checkout::rule::{allowance_invalid, allowance_unused, syntax};
use super::rules::compose;
use super::rules::port::rule::{port_outside_ranges, port_public, port_published_twice};
use super::{Subject, allow, by_place, settings};
use crate::model::{File, Finding};

/// Findings of the rules about compose projects, those that are allowed included.
pub fn projects(subject: &Subject) -> Vec<Finding> {
    Context::with(subject, |context| engine::run(context, is_of_projects))
}

/// Whether a rule looks at compose projects, and at nothing that only the checkout has.
fn is_of_projects(family: &Family, rule: &Rule) -> bool {
    let ports = [
        &port_outside_ranges::RULE,
        &port_public::RULE,
        &port_published_twice::RULE,
    ];
    family.name == compose::FAMILY.name || ports.iter().any(|port| port.name == rule.name)
}

/// What compose files outside the checkout add to `before`, the findings without them: those about `files` themselves,
/// and those about what they share with the rest, such as a port.
pub fn external(
    subject: &Subject,
    before: &[Finding],
    files: &BTreeMap<PathBuf, File>,
) -> Vec<Finding> {
    let findings = Context::with(subject, |context| {
        engine::run(context, |family, rule| {
            rule.name == syntax::RULE.name || is_of_projects(family, rule)
        })
    });
    let inputs = &subject.revision.inputs;
    let mut findings = allow::apply_allowances(findings, inputs.iter().chain(files));
    let known: BTreeSet<_> = before.iter().map(key).collect();
    let allowances = [allowance_invalid::RULE.name, allowance_unused::RULE.name];
    let of_allowances = |finding: &Finding| allowances.contains(&finding.rule.name);
    findings.retain(|finding| {
        let is_there = finding
            .place()
            .is_some_and(|place| files.contains_key(place.path()));
        is_there || !of_allowances(finding) && !known.contains(&key(finding))
    });
    let mut findings = settings::set(findings, subject.revision);
    findings.sort_by(by_place);
    findings
}

/// What makes a finding another one.
fn key(finding: &Finding) -> (&'static str, Option<(&Path, usize)>, &str) {
    let place = finding.place();
    let at = place.map(|place| (place.path(), place.span.start));
    (finding.rule.name, at, finding.message())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Checkout, Which};

    const UNIT: &str = "[Service]\nWorkingDirectory=/home/ubuntu/some\nExecStart=/usr/bin/docker-compose up\n[Install]\nWantedBy=multi-user.target\n";
    const OWN: &str = "services:\n  own:\n    image: own:1\n    container_name: same\n    ports: ['127.0.0.1:8001:80']\n";

    /// What a host with these files adds to a desired state that runs a project of its own beside what `UNIT` runs.
    fn added(files: &[(&str, &str)], link: Option<(&str, &str)>) -> (Vec<String>, Vec<String>) {
        let host = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = host.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        files.iter().for_each(|(path, text)| put(path, text));
        if let Some((from, to)) = link {
            std::os::unix::fs::symlink(to, host.path().join(from)).unwrap();
        }
        put("checkout/systemd/outside.service", UNIT);
        let own = UNIT.replace("up", "-f /srv/c/own.yml up");
        put("checkout/systemd/own.service", &own);
        put("checkout/own.yml", OWN);
        put("checkout/watchme.toml", "checkout = \"/srv/c\"\n");
        let owner = nix::unistd::Uid::effective().as_raw();
        let checkout = Checkout::open(&host.path().join("checkout"), &[owner]).unwrap();
        let mut revision = checkout.read(&Which::Worktree).unwrap();
        let desired = revision.desired.clone();
        let found = revision.external(host.path(), &BTreeSet::new());
        let before = projects(&Subject {
            revision: &revision,
            wrong: &[],
        });
        revision.take_in(&found);
        assert_eq!(revision.desired, desired);
        let subject = Subject {
            revision: &revision,
            wrong: &found.wrong,
        };
        let findings = external(&subject, &before, &found.files);
        let lines = findings.iter().map(|one| {
            let place = one.place().unwrap();
            format!(
                "{} {}:{}",
                one.rule.name,
                place.path().display(),
                place.position().line
            )
        });
        (lines.collect(), found.notes)
    }

    const OUTSIDE: &str = "services:\n  app:\n    image: app:latest\n    container_name: same\n    environment:\n      DB_PASSWORD: open-sesame\n    ports: ['127.0.0.1:${PORT:-8001}:80']\n";

    fn has(lines: &[String], line: &str) -> bool {
        lines.iter().any(|one| one == line)
    }

    #[test]
    fn files_outside_are_validated_with_their_own_variables() {
        let path = "home/ubuntu/some/docker-compose.yml";
        let (lines, notes) = added(&[(path, OUTSIDE)], None);
        assert!(
            has(
                &lines,
                "compose-image-latest /home/ubuntu/some/docker-compose.yml:3"
            ),
            "{lines:#?}"
        );
        assert!(
            has(
                &lines,
                "compose-password-in-plain-text /home/ubuntu/some/docker-compose.yml:6"
            ),
            "{lines:#?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("port-published-twice ")),
            "{lines:#?}"
        );
        assert_eq!(notes, [""; 0]);

        let env = ("home/ubuntu/some/.env", "PORT=8009\n");
        let allowed = OUTSIDE.replace(
            "      DB",
            "      # watchme-apply: allow(compose-password-in-plain-text) a test\n      DB",
        );
        let (lines, _) = added(&[("home/ubuntu/some/compose.yaml", &allowed), env], None);
        let gone = |rule: &str| !lines.iter().any(|line| line.starts_with(rule));
        assert!(
            gone("port-published-twice") && gone("compose-password") && gone("allowance"),
            "{lines:#?}"
        );
    }

    #[test]
    fn nothing_outside_adds_nothing() {
        assert_eq!(added(&[], None), (Vec::new(), Vec::new()));
    }

    #[test]
    fn links_stay_below_the_root() {
        let real = ("srv/real/docker-compose.yml", OUTSIDE);
        let inside = [real, ("home/ubuntu/x", "")];
        let (lines, _) = added(
            &inside,
            Some(("home/ubuntu/some", "../../../../../srv/real")),
        );
        assert!(
            has(
                &lines,
                "compose-image-latest /home/ubuntu/some/docker-compose.yml:3"
            ),
            "{lines:#?}"
        );
        let (lines, _) = added(&inside, Some(("home/ubuntu/some", "/srv/real")));
        assert!(
            has(
                &lines,
                "compose-image-latest /home/ubuntu/some/docker-compose.yml:3"
            ),
            "{lines:#?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let path = "home/ubuntu/some/docker-compose.yml";
        let (lines, notes) = added(&[(path, "services: [\n")], None);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].starts_with("syntax /home/ubuntu/some/docker-compose.yml:"),
            "{lines:?}"
        );
        assert_eq!(notes, [""; 0]);
        let large = "#".repeat(2 << 20);
        let (lines, notes) = added(&[(path, &large)], None);
        assert_eq!(lines, [""; 0]);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].contains("outside.service") && notes[0].contains("docker-compose.yml"),
            "{notes:?}"
        );
    }
}
