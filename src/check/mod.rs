//! Findings about a desired state, from its files alone: pure, without a host.
//!
//! A rule is a file and a page (`rules/FAMILY/NAME.rs` and `.md`), whose examples are run as tests. What several rules
//! look at is built once, in `context.rs`; the folders and files beside `rules/` are these views.

mod advice;
mod allow;
mod compose;
mod context;
mod engine;
mod external;
mod grouped;
mod names;
mod nginx;
pub mod ports;
mod routes;
mod rules;
mod settings;
mod systemd;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub use advice::Advice;
pub(crate) use compose::secrets::{is_literal, is_secret, password_in_url, sounds_secret};
pub use engine::{Family, Rule, family, family_of, rule_of, rules};
pub use external::{external, projects};
pub use grouped::{Grouped, folded, grouped};
pub use settings::{described, set};

use crate::model::{Diagnostic, Finding};
use crate::source::Revision;
use context::Context;
use rules::checkout::rule::allowance_unused;
use source_text::word_list;

/// What is checked.
pub struct Subject<'a> {
    /// A revision, as far as it could be read.
    pub revision: &'a Revision,
    /// Places that could not be read, and are left out of the revision.
    pub wrong: &'a [Diagnostic],
}

impl Subject<'_> {
    /// Whether all of it could be read: what is not there may stand in a file that could not.
    pub fn is_whole(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Whether what is known is enough for what a rule says. watchme.toml says which files are read and which of them are in
    /// force; and what seems to be nowhere may stand in a file that could not be read.
    fn can_tell(&self, rule: &Rule) -> bool {
        let parsed = &self.revision.parsed;
        if parsed.is_policy_unread {
            return rule.name == rules::checkout::rule::syntax::RULE.name;
        }
        let is_whole = self.is_whole() && parsed.broken.is_empty();
        is_whole || !SAYS_NOWHERE.contains(&rule.name)
    }
}

/// What a check has found.
pub struct Report {
    /// By file and place.
    pub findings: Vec<Finding>,
    /// How many more there are that watchme.toml switches off.
    pub off: usize,
}

/// All findings, as severe as watchme.toml wants them. Those that a comment allows are left out, and an allowance that
/// allows nothing is a finding itself.
pub fn report(subject: &Subject) -> Report {
    of(subject, subject.revision, |_, _| true)
}

/// What is said of configuration outside the inputs: what is wrong with it wherever it runs.
pub fn loose(subject: &Subject, main: &Revision) -> Report {
    of(subject, main, |family, rule| {
        ["checkout", "nginx", "systemd"].contains(&family.name) && !OF_A_HOST.contains(&rule.name)
    })
}

fn of(
    subject: &Subject,
    main: &Revision,
    wanted: impl Fn(&Family, &Rule) -> bool + Sync,
) -> Report {
    let findings = Context::with(subject, |context| {
        engine::run(context, |family, rule| {
            wanted(family, rule) && subject.can_tell(rule)
        })
    });
    let (inputs, parsed) = (&subject.revision.inputs, &subject.revision.parsed);
    let beside = parsed
        .beside
        .iter()
        .filter(|(path, _)| !inputs.contains_key(*path));
    let mut findings = allow::apply_allowances(findings, inputs.iter().chain(beside));
    // What is allowed in one file may be in another, which could not be read.
    let wrong: BTreeSet<&Path> = subject.wrong.iter().map(Diagnostic::path).collect();
    findings.retain(|finding| {
        let path = || finding.place().map(Diagnostic::path);
        finding.rule.name != allowance_unused::RULE.name
            || wrong.iter().all(|wrong| Some(*wrong) == path())
    });
    let all = findings.len();
    let mut findings = settings::set(findings, main);
    let off = all - findings.len();
    findings.extend(settings::wrong(subject));
    findings.sort_by(by_place);
    Report { findings, off }
}

/// Rules about what is nowhere, beside those that ask themselves whether all could be read.
const SAYS_NOWHERE: [&str; 7] = word_list(
    "backup-volume-unknown compose-not-run nginx-no-certificate nginx-not-loaded \
    nginx-undeclared-name nginx-unknown-variable secret-unknown",
);

/// Rules that need to know a whole host.
const OF_A_HOST: [&str; 10] = word_list(
    "allowance-unused input-not-read nginx-container-upstream nginx-not-loaded \
    nginx-port-unpublished systemd-file-missing systemd-network-not-required \
    systemd-not-after-network systemd-not-enabled systemd-unknown-unit",
);

/// The findings of a [`report`].
pub fn check(subject: &Subject) -> Vec<Finding> {
    report(subject).findings
}

/// Why a finding matters, one sentence.
pub fn why(finding: &Finding) -> &'static str {
    rule_of(finding.rule.name).map_or("", Rule::why)
}

/// Puts findings of several reports in the order of one.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(by_place);
}

/// Those about no place come last.
fn by_place(one: &Finding, other: &Finding) -> Ordering {
    fn key(finding: &Finding) -> (bool, Option<(&Path, usize)>, &str) {
        let place = finding.place();
        let at = place.map(|place| (place.path(), place.span.start));
        (at.is_none(), at, finding.rule.name)
    }
    // Of one file there may be many, and its path is as long in each.
    if let (Some(a), Some(b)) = (one.place(), other.place())
        && Arc::ptr_eq(&a.file, &b.file)
    {
        return (a.span.start, one.rule.name).cmp(&(b.span.start, other.rule.name));
    }
    key(one).cmp(&key(other))
}

#[cfg(test)]
mod tests;
