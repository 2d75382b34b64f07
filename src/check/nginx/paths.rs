//! Paths of locations: where they lead, and whether two are the same.

use std::collections::BTreeMap;

use super::target::target;
use super::view::{Block, View};
use crate::model::{Finding, Severity};
use crate::source::nginx::Node;

crate::rule! {
    PREFIX_MISMATCH, "nginx-prefix-mismatch", Error;
    DUPLICATE_LOCATION, "nginx-duplicate-location", Error;
    ALIAS_TRAVERSAL, "nginx-alias-traversal", Error;
}

/// How a location matches, <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// `= /path`
    Exact,
    /// `/path` and `^~ /path`
    Prefix,
    /// `~` and `~*`
    Regex,
    /// `@name`
    Named,
}

/// What a location matches: how, and its path, expression or name.
pub fn matches<'v>(location: &'v Node<'_>) -> Option<(Match, &'v str)> {
    let args = &location.directive.args;
    let (modifier, path) = match args.as_slice() {
        [modifier, path] => (modifier.text.as_str(), path.text.as_str()),
        // The modifier may stand before the path without a blank.
        [whole] => {
            let whole = whole.text.as_str();
            let modifiers = ["=", "^~", "~*", "~"];
            let found = modifiers.into_iter().find(|one| whole.starts_with(one));
            whole.split_at_checked(found.map_or(0, str::len))?
        }
        _ => return None,
    };
    Some(match modifier {
        "=" => (Match::Exact, path),
        "~" | "~*" => (Match::Regex, path),
        _ if path.starts_with('@') => (Match::Named, path),
        _ => (Match::Prefix, path),
    })
}

/// What is wrong with the path of a location.
pub fn check(view: &View<'_>, block: &Block<'_, '_>, findings: &mut Vec<Finding>) {
    if matches!(block.kind(), "server" | "location") {
        duplicates(view, block, findings);
    }
    let Some(location) = block.node.filter(|node| node.name() == "location") else {
        return;
    };
    if let Some((Match::Prefix, path)) = matches(location) {
        findings.extend(prefix(view, block, location, path));
        findings.extend(alias(view, block, location, path));
    }
}

fn prefix(
    view: &View<'_>,
    block: &Block<'_, '_>,
    location: &Node<'_>,
    path: &str,
) -> Option<Finding> {
    let pass = *block.own("proxy_pass").last()?;
    let target = target(pass.first())?;
    let uri = target.uri.filter(|uri| uri.starts_with('/'))?;
    let changes = |node: &&Node<'_>| node.name() == "rewrite";
    let ifs = location.inside().iter().flat_map(Node::inside);
    // What a rewrite in the location leaves is passed on whole; a query is put together on purpose.
    if uri.contains(['?', '#'])
        || !block.own("rewrite").is_empty()
        || ifs.filter(changes).count() > 0
    {
        return None;
    }
    let before = pass.first().strip_suffix(uri)?;
    let whole = path.trim_end_matches('/');
    let (message, help) = match (path.ends_with('/'), uri.ends_with('/')) {
        (true, false) if !is_beginning(uri) => {
            let message = format!(
                "location {path} ends with a slash and the path {uri} of its proxy_pass does not: \
                 {path}status comes out at {uri}status"
            );
            (message, format!("write proxy_pass {before}{uri}/;"))
        }
        // A websocket has one URL.
        (false, true) if !upgrades(block) => {
            let message = format!(
                "the path {uri} of this proxy_pass ends with a slash and location {path} does not: \
                 {path}/status comes out at {uri}/status"
            );
            let help = format!(
                "write location {whole}/ {{, or location = {path} {{ if it is this one URL"
            );
            (message, help)
        }
        _ => return None,
    };
    let span = pass.directive.args.first()?.span.clone();
    let expected = format!("this replaces {path}");
    let place = view.complain(pass.path, span, message, expected, help);
    Some(Finding::at(&PREFIX_MISMATCH, place))
}

/// Whether a path is a file, or ends so that something is meant to be put behind it: `/b/v-`.
fn is_beginning(uri: &str) -> bool {
    let last = uri.rsplit('/').next().unwrap_or_default();
    let file = last
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.starts_with(|c: char| c.is_ascii_alphabetic()));
    file || !last.ends_with(|c: char| c.is_alphanumeric())
}

fn upgrades(block: &Block<'_, '_>) -> bool {
    let mut headers = block.own("proxy_set_header").iter();
    headers.any(|node| node.first().eq_ignore_ascii_case("upgrade"))
}

fn alias(
    view: &View<'_>,
    block: &Block<'_, '_>,
    location: &Node<'_>,
    path: &str,
) -> Option<Finding> {
    let alias = *block.own("alias").last()?;
    let folder = alias.first();
    if path.ends_with('/') || !folder.ends_with('/') || !path.starts_with('/') {
        return None;
    }
    let span = location.directive.args.last()?.span.clone();
    let message = format!(
        "location {path} has no slash at its end and its alias {folder} has one: {path}../x is {folder}../x, \
         outside the folder"
    );
    let help = format!("write location {path}/ {{");
    let place = view.complain(
        location.path,
        span,
        message,
        "a slash is missing here",
        help,
    );
    let found = Finding::at(&ALIAS_TRAVERSAL, place);
    // No client gets there by itself, only what an upstream sends there.
    Some(match block.setting("internal") {
        Some(_) => found.weighing(Severity::Warning),
        None => found,
    })
}

/// Locations of one block that are the same: nginx refuses them, but for regular expressions and
/// names, of which the second never comes to pass.
fn duplicates(view: &View<'_>, block: &Block<'_, '_>, findings: &mut Vec<Finding>) {
    let inside = block.node.map_or(&[][..], Node::inside);
    let mut known: BTreeMap<(Match, bool, &str), &Node<'_>> = BTreeMap::new();
    for location in inside.iter().filter(|node| node.name() == "location") {
        let Some((kind, path)) = matches(location) else {
            continue;
        };
        let first = location.first();
        let caseless = kind == Match::Regex && first.starts_with("~*");
        let Some(first) = known.get(&(kind, caseless, path)) else {
            known.insert((kind, caseless, path), location);
            continue;
        };
        let written = format!("location {}", words(location));
        let (said, severity) = match kind {
            Match::Exact | Match::Prefix => ("nginx refuses it", Severity::Error),
            Match::Regex | Match::Named => ("this one never comes to pass", Severity::Warning),
        };
        let place = view.place(first);
        let message = format!("{written} stands at {place} already: {said}");
        let help = "join the two blocks, or give one of them another path";
        let found = view.find(&DUPLICATE_LOCATION, location, message, "", help);
        findings.push(found.weighing(severity));
    }
}

fn words(node: &Node<'_>) -> String {
    let words = node.directive.args.iter().map(|word| word.text.as_str());
    words.collect::<Vec<_>>().join(" ")
}
