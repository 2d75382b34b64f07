//! What is wrong with the configuration of nginx, as the sites and the files that they include say it.

mod arguments;
mod backups;
mod certificates;
mod directives;
mod forwarded;
mod headers;
mod injection;
mod listens;
mod paths;
mod ports;
mod published;
mod refused;
mod servers;
mod target;
mod timeouts;
mod upstreams;
mod variables;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub(super) use listens::listens;

use super::Subject;
use crate::model::{Finding, Rule};
use view::View;

/// The rules of this family.
pub const RULES: &[&Rule] = &[
    &directives::UNKNOWN_DIRECTIVE,
    &directives::DIRECTIVE_MISPLACED,
    &directives::WRONG_ARGUMENTS,
    &directives::MISSING_SEMICOLON,
    &directives::DIRECTIVE_TWICE,
    &variables::UNKNOWN_VARIABLE,
    &paths::PREFIX_MISMATCH,
    &paths::DUPLICATE_LOCATION,
    &paths::ALIAS_TRAVERSAL,
    &refused::REGEX_INVALID,
    &refused::PROXY_PASS_URI,
    &servers::DUPLICATE_SERVER,
    &servers::DUPLICATE_LISTEN,
    &servers::DUPLICATE_DEFAULT,
    &servers::SERVER_NAME_REGEX,
    &servers::SERVER_NAME_UNMATCHABLE,
    &servers::PLAIN_443,
    &certificates::NO_CERTIFICATE,
    &upstreams::CONTAINER_UPSTREAM,
    &ports::PORT_UNPUBLISHED,
    &ports::PORT_UNPROXIED,
    &headers::ADD_HEADER_DROPPED,
    &headers::CORS_TWICE,
    &forwarded::FORWARDED_HEADERS,
    &forwarded::HOST_SPOOFABLE,
    &forwarded::WEBSOCKET_HEADERS,
    &injection::HEADER_INJECTION,
    &timeouts::TIMEOUT_TOO_SHORT,
    &backups::BACKUP_INCLUDED,
];

/// What the rules of this family find.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let view = View::new(subject);
    let groups = target::groups(&view);
    let published = published::Publications::of(subject.revision);
    let containers = upstreams::Containers::of(&view);
    let needs = timeouts::needs(subject.revision);
    let mut proxied = ports::Proxied::default();
    let mut seen = upstreams::Seen::new();
    let mut findings = Vec::new();
    view.visit(&mut |block| {
        let found = &mut findings;
        paths::check(&view, block, found);
        refused::check(&view, block, found);
        headers::check(&view, block, found);
        forwarded::check(&view, block, &groups, found);
        injection::check(&view, block, found);
        timeouts::check(&view, block, (&groups, &needs), found);
        upstreams::check(
            &view,
            block,
            (&groups, &containers),
            &published,
            (&mut seen, found),
        );
        proxied.add(&groups, block);
    });
    directives::check(&view, &mut findings);
    arguments::check(&view, &mut findings);
    variables::check(&view, &mut findings);
    refused::regexes(&view, &mut findings);
    servers::check(&view, &mut findings);
    certificates::check(&view, &mut findings);
    ports::check(&view, &published, &proxied, &mut findings);
    backups::check(&view, &mut findings);
    // A file that is included in several places is complained about once.
    findings.sort_by_cached_key(|finding| {
        let place = finding.place();
        let at = place.map(|place| (place.path.clone(), place.span.start));
        (at, finding.rule.name, finding.message().to_owned())
    });
    findings.dedup();
    findings
}

/// The local ports to which requests are passed on, each with the files and lines that say so.
pub(super) fn proxied(subject: &Subject) -> BTreeMap<u16, BTreeSet<(PathBuf, usize)>> {
    let view = View::new(subject);
    let groups = target::groups(&view);
    let mut proxied = ports::Proxied::default();
    view.visit(&mut |block| proxied.add(&groups, block));
    proxied.places(&view)
}

#[cfg(test)]
mod tests;
