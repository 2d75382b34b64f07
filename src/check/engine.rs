//! What a rule is, and how all of them run.

use std::iter;
use std::ops::{Deref, Range};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use source_text::make_room;

use super::context::Context;
use super::rules::FAMILIES;
use crate::model::{Diagnostic, Finding, RuleId};

/// A rule of `check`. Its page, in Markdown, is all that is said about it: a headline with its name, one
/// sentence that says why it matters, more about it, and the sections `Bad` and `Good` with an example each.
#[derive(Debug)]
pub struct Rule {
    id: RuleId,
    /// Its page.
    pub page: &'static str,
    run: Option<fn(&Context, &mut Findings)>,
    /// How several findings in a file are said as one, if their texts differ.
    pub group: Option<Group>,
    /// Whether its warnings are advice: what a server may do without. See [`super::folded`].
    pub is_advice: bool,
    /// Whether watchme.toml may not set its level.
    pub is_fixed: bool,
}

/// How several findings of a rule in a file are said as one.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What all of them are, after their number: `services have no memory limit`. Without it, only findings with the same
    /// message are one, and keep it.
    pub what: Option<&'static str>,
    /// What fixes all of them. Without it, only findings with the same help are one.
    pub help: Option<&'static str>,
}

impl Rule {
    /// A rule whose findings come from elsewhere: from a host, or from the allowances of the files.
    pub const fn reported(id: RuleId, page: &'static str) -> Self {
        Self {
            id,
            page,
            run: None,
            group: None,
            is_advice: false,
            is_fixed: false,
        }
    }

    /// The same; it looks at files.
    pub const fn run(self, run: fn(&Context, &mut Findings)) -> Self {
        let run = Some(run);
        Self { run, ..self }
    }

    /// The same; several findings in a file are one.
    pub const fn grouped(self, what: &'static str, help: Option<&'static str>) -> Self {
        let what = Some(what);
        let group = Some(Group { what, help });
        Self { group, ..self }
    }

    /// The same; several findings in a file with the same message are one, and this is the help if theirs differs.
    pub const fn same_fix(self, help: &'static str) -> Self {
        let (what, help) = (None, Some(help));
        let group = Some(Group { what, help });
        Self { group, ..self }
    }

    /// The same; its warnings are advice.
    pub const fn advice(self) -> Self {
        let is_advice = true;
        Self { is_advice, ..self }
    }

    /// The same; watchme.toml may not set its level, since an apply stops whatever that says, or since it warns
    /// of what watchme.toml brings along.
    pub const fn fixed(self) -> Self {
        let is_fixed = true;
        Self { is_fixed, ..self }
    }

    /// Why it matters, one sentence.
    pub fn why(&self) -> &'static str {
        let behind = self.page.split_once("\n\n").map_or("", |(_, rest)| rest);
        behind.split("\n\n").next().unwrap_or_default().trim()
    }

    /// A finding at a place, as severe as the rule is.
    pub fn at(&'static self, place: Diagnostic) -> Finding {
        Finding::at(&self.id, place)
    }
}

impl Deref for Rule {
    type Target = RuleId;

    fn deref(&self) -> &RuleId {
        &self.id
    }
}

/// Rules about one thing: a folder of `rules/`.
#[derive(Debug)]
pub struct Family {
    /// The name of the folder.
    pub name: &'static str,
    /// Its rules, by name.
    pub rules: &'static [&'static Rule],
    /// Whether a rule has one finding at a place, whatever its message says: what the instances of a template share.
    pub once_a_place: bool,
}

/// A rule by the name of its file, with its page beside it: `rule!(compose_no_image, Error, run)`. One that finds its part of a
/// walk that rules share names the walk: `rule!(compose_unknown_key, Error, picks shapes)`. One without either is reported elsewhere.
macro_rules! rule {
    ($file:ident, $severity:ident, picks $walk:ident) => {
        rule!($file, $severity, |context, findings| findings.pick(context.$walk()))
    };
    ($file:ident, $severity:ident $(, $run:expr)?) => {
        $crate::check::engine::Rule::reported(
            $crate::model::RuleId {
                name: {
                    const NAME: [u8; stringify!($file).len()] =
                        $crate::check::engine::kebab(stringify!($file));
                    match std::str::from_utf8(&NAME) {
                        Ok(name) => name,
                        // Evaluated by the compiler alone: the name is in a `static`.
                        Err(_) => panic!("an identifier is UTF-8"),
                    }
                },
                severity: $crate::model::Severity::$severity,
            },
            include_str!(concat!(stringify!($file), ".md")),
        )
        $(.run($run))?
    };
}
pub(crate) use rule;

/// `compose_no_image` as `compose-no-image`.
pub(super) const fn kebab<const N: usize>(file: &str) -> [u8; N] {
    let (from, mut name, mut at) = (file.as_bytes(), [b'-'; N], 0);
    while at < N {
        if from[at] != b'_' {
            name[at] = from[at];
        }
        at += 1;
    }
    name
}

/// The rules of a family's folder: a function and a test of each.
#[macro_export]
macro_rules! family {
    ($name:literal, $once:literal, [$($rule:ident,)*]) => {
        /// The rules of this folder.
        pub(crate) static FAMILY: $crate::check::engine::Family = $crate::check::engine::Family {
            name: $name,
            rules: &[$(&rule::$rule::RULE),*],
            once_a_place: $once,
        };

        #[cfg(test)]
        mod page {
            mod rule {$(
                #[test]
                fn $rule() {
                    $crate::check::tests::page_is_right(
                        &super::super::rule::$rule::RULE,
                        concat!($name, "/", stringify!($rule)),
                    );
                }
            )*}
        }
    };
}

/// What a rule has found.
pub struct Findings {
    rule: &'static Rule,
    found: Vec<Finding>,
}

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Adds those of a shared walk that are this rule's.
    pub fn pick(&mut self, found: &[Finding]) {
        let own = found.iter().filter(|one| one.rule.name == self.rule.name);
        self.found.extend(own.cloned());
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.found.extend(findings);
    }
}

/// Adds what an apply refuses, of a rule that reports it.
pub(super) fn refused(context: &Context, findings: &mut Findings) {
    let rule = findings.rule;
    let refused = &context.revision().parsed.refused;
    let own = refused.iter().filter(|(name, _)| *name == rule.name);
    findings.extend(own.map(|(_, place)| rule.at(place.clone())));
}

/// Every rule, those of a host included, by name.
pub fn rules() -> Vec<&'static Rule> {
    let families = FAMILIES.iter().flat_map(|family| family.rules);
    let mut rules: Vec<&'static Rule> = families.copied().collect();
    rules.sort_by_key(|rule| rule.name);
    rules
}

/// The rule of that name.
pub fn rule_of(name: &str) -> Option<&'static Rule> {
    RULES.get(name).map(|(_, rule)| *rule)
}

/// Every rule with its family, by name: each finding is asked for its own.
static RULES: LazyLock<FxHashMap<&str, (&Family, &Rule)>> = LazyLock::new(|| {
    let families = FAMILIES.iter().copied();
    families
        .flat_map(|family| family.rules.iter().map(move |rule| (family, *rule)))
        .map(|(family, rule)| (rule.name, (family, rule)))
        .collect()
});

/// The family of that name.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name).copied()
}

/// The family of a rule.
pub fn family_of(rule: &str) -> Option<&'static Family> {
    RULES.get(rule).map(|(family, _)| *family)
}

/// What those rules find that are `wanted`, in the order of the families. A server has two processors: one takes rules from
/// the front of the list and the other from its end, so that they seldom wait for what rules of a family share.
pub(super) fn run(context: &Context, wanted: impl Fn(&Family, &Rule) -> bool) -> Vec<Finding> {
    let rules: Vec<(&Family, &'static Rule)> = (FAMILIES.iter().copied())
        .flat_map(|family| family.rules.iter().map(move |rule| (family, *rule)))
        .filter(|(family, rule)| wanted(family, rule))
        .collect();
    let left = Mutex::new(0..rules.len());
    let work = |take: fn(&mut Range<usize>) -> Option<usize>| {
        let next = || take(&mut left.lock().unwrap_or_else(PoisonError::into_inner));
        let found = iter::from_fn(next).map(|at| (at, run_rule(context, rules[at])));
        found.collect::<Vec<_>>()
    };
    let mut found = thread::scope(|scope| {
        let from_the_end = || {
            make_room();
            work(Range::next_back)
        };
        // Without a second thread the first one does it all.
        let other = thread::Builder::new().spawn_scoped(scope, from_the_end);
        let mut found = work(Range::next);
        match other.map(ScopedJoinHandle::join) {
            Ok(Ok(others)) => found.extend(others),
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => {}
        }
        found
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().flat_map(|(_, found)| found).collect()
}

fn run_rule(context: &Context, (family, rule): (&Family, &'static Rule)) -> Vec<Finding> {
    let mut findings = Findings {
        rule,
        found: Vec::new(),
    };
    if let Some(run) = rule.run {
        run(context, &mut findings);
    }
    // Two projects may share a file, and a file may be included twice.
    let mut seen = FxHashSet::with_capacity_and_hasher(findings.found.len(), FxBuildHasher);
    let is_new = findings.found.iter().map(|finding| {
        let place = finding.place();
        let at = place.map(|place| (place.path().as_os_str(), place.span.start, place.span.end));
        let message = (!family.once_a_place).then(|| finding.message());
        seen.insert((at, message))
    });
    let is_new: Vec<bool> = is_new.collect();
    let found = findings.found.into_iter().zip(is_new);
    found
        .filter_map(|(finding, is_new)| is_new.then_some(finding))
        .collect()
}
