//! Findings about a desired state, from its files alone: pure, without a host.
//!
//! One folder a family of rules, one page a rule (`rules/NAME.md`), whose examples are run as tests.

mod allow;
mod compose;
mod elsewhere;
mod etc;
mod names;
mod nginx;
pub mod ports;
mod routes;
mod syntax;
mod systemd;

use std::cmp::Ordering;
use std::thread::{self, ScopedJoinHandle};

pub use elsewhere::{elsewhere, projects};

use crate::model::finding::OF_A_HOST;
use crate::model::{Diagnostic, Finding, Rule};
use crate::source::Revision;

/// What is judged.
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
}

/// All findings, by file and place. Those that a comment allows are left out, and an allowance that allows
/// nothing is a finding itself.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = side_by_side(subject);
    findings.dedup();
    let (inputs, parsed) = (&subject.revision.inputs, &subject.revision.parsed);
    let beside = parsed
        .beside
        .iter()
        .filter(|(path, _)| !inputs.contains_key(*path));
    let mut findings = allow::settle(findings, inputs.iter().chain(beside));
    // What is allowed in one file may stand in another, which could not be read.
    findings.retain(|finding| {
        let path = finding.place().map(|place| &place.path);
        let mut wrong = subject.wrong.iter();
        *finding.rule != allow::ALLOWANCE_UNUSED || wrong.all(|place| Some(&place.path) == path)
    });
    findings.sort_by(by_place);
    findings
}

/// What each family finds, in their order. None needs another one, and a server has two processors.
fn side_by_side(subject: &Subject) -> Vec<Finding> {
    let families = [
        syntax::check,
        compose::check,
        nginx::check,
        systemd::check,
        routes::check,
        ports::check,
        names::check,
        etc::check,
    ];
    thread::scope(|scope| {
        let running = families.map(|family| {
            let thread = thread::Builder::new();
            let started = thread.spawn_scoped(scope, move || family(subject));
            started.map_err(|_| family)
        });
        let found = running.map(|family| match family.map(ScopedJoinHandle::join) {
            Ok(Ok(findings)) => findings,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No more threads are to be had.
            Err(family) => family(subject),
        });
        found.into_iter().flatten().collect()
    })
}

/// Every rule, those of `plan` on a host included, by name.
pub fn rules() -> Vec<&'static Rule> {
    let families = [
        OF_A_HOST,
        syntax::RULES,
        nginx::RULES,
        routes::RULES,
        ports::RULES,
        names::RULES,
        etc::RULES,
        allow::RULES,
    ];
    let families = families.iter().chain(compose::RULES).chain(systemd::RULES);
    let mut rules: Vec<&'static Rule> = families.copied().flatten().copied().collect();
    rules.sort_by_key(|rule| rule.name);
    rules
}

/// Those about no place come last.
fn by_place(one: &Finding, other: &Finding) -> Ordering {
    let key = |finding: &Finding| {
        let place = finding.place();
        let at = place.map(|place| (place.path.clone(), place.span.start));
        (at.is_none(), at, finding.rule.name)
    };
    key(one).cmp(&key(other))
}

#[cfg(test)]
mod tests;
