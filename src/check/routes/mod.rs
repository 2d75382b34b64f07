//! Routes that watchme.toml expects: where a public URL must lead, as nginx itself would match it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;

use super::Subject;
use crate::check::engine::Rule;
use crate::check::rules::route::rule::{
    route_elsewhere, route_nowhere, route_unknown, route_untested,
};
use crate::model::{Diagnostic, Finding, Url};
use crate::source::nginx::router::{Answer, Located, MatchKind, Outcome, Upstream};
use crate::source::policy::RoutePolicy;
use crate::source::routes::{Routes, Row};

/// A finding for each expected route that comes out elsewhere, and for each location that none of them tests.
pub(super) fn walk(subject: &Subject) -> Vec<Finding> {
    let revision = subject.revision;
    let expected = &revision.parsed.policy.routes;
    // What a file that cannot be read would do is not known.
    if expected.is_empty() || !subject.is_whole() {
        return Vec::new();
    }
    let walk = Walk {
        routes: Routes::of(revision),
        subject,
    };
    let mut findings = Vec::new();
    let mut tested = Tested::default();
    for route in expected {
        // Of the URLs that watchme.toml takes, some have no host or port that could be asked.
        let Ok(url) = route.url.parse::<Url>() else {
            findings.push(walk.nowhere(route, "it is not a URL that a client can request", None));
            continue;
        };
        let answer = walk.routes.answer(&url);
        findings.extend(walk.route(route, &url, &answer));
        let places = answer.steps.iter().filter_map(|step| step.place);
        let locations = places.filter(|place| place.directive.name == "location");
        locations.for_each(|place| tested.add(place));
    }
    findings.extend(walk.untested(&tested));
    findings
}

/// The locations that an expected route tests, by file and by where they begin there.
#[derive(Default)]
struct Tested<'a>(HashMap<&'a Path, HashSet<usize>>);

impl<'a> Tested<'a> {
    fn add(&mut self, place: Located<'a>) {
        let starts = self.0.entry(place.path).or_default();
        starts.insert(place.directive.span.start);
    }

    /// Whether a location is in a file of which others are tested, and is not.
    fn lacks(&self, place: Located) -> bool {
        let tested = self.0.get(place.path);
        tested.is_some_and(|starts| !starts.contains(&place.directive.span.start))
    }
}

struct Walk<'a> {
    routes: Routes<'a>,
    subject: &'a Subject<'a>,
}

impl Walk<'_> {
    fn route(&self, route: &RoutePolicy, url: &Url, answer: &Answer) -> Option<Finding> {
        let wanted = route.upstream.parse::<Url>().ok();
        let fits =
            |upstream: &Upstream| wanted.as_ref().is_some_and(|wanted| fits(upstream, wanted));
        match &answer.outcome {
            Outcome::Proxy(upstream) if fits(upstream) => None,
            Outcome::Proxy(upstream) => {
                let message = format!("{url} goes to {upstream}{}", self.by(answer));
                let help = wanted.and_then(|wanted| self.pass_to(url, &wanted, route, answer));
                let label = format!("nginx asks {upstream} instead");
                Some(self.at_upstream(&route_elsewhere::RULE, route, message, label, help))
            }
            Outcome::NotKnown { possible, .. }
                if possible
                    .iter()
                    .any(|one| matches!(one, Outcome::Proxy(upstream) if fits(upstream))) =>
            {
                None
            }
            Outcome::NotKnown { why, .. } => {
                let message = format!("whether {url} goes there depends on {}", why.join(" and "));
                let label = "expected by this route".to_owned();
                Some(self.at_upstream(&route_unknown::RULE, route, message, label, None))
            }
            _ if !answer.certain => {
                let why = format!("no enabled site has the name {}", url.host());
                let help = format!(
                    "add server_name {} to a site, or correct the URL",
                    url.host()
                );
                Some(self.nowhere(route, &why, Some(help)))
            }
            outcome => {
                let why = format!("{}{}", ends(outcome, url), self.by(answer));
                Some(self.nowhere(route, &why, fix(outcome, url, route)))
            }
        }
    }

    fn nowhere(&self, route: &RoutePolicy, why: &str, help: Option<String>) -> Finding {
        let url = &route.url;
        // What follows a `?` may be a secret.
        let url = url.split('?').next().unwrap_or_default();
        let message = format!("{url} reaches no upstream: {why}");
        self.at_upstream(
            &route_nowhere::RULE,
            route,
            message,
            "nothing arrives here".to_owned(),
            help,
        )
    }

    fn at_upstream(
        &self,
        rule: &'static Rule,
        route: &RoutePolicy,
        message: String,
        label: String,
        help: Option<String>,
    ) -> Finding {
        let file = &self.subject.revision.parsed.policy.file;
        rule.at(file.complain(route.upstream.span(), message, label, help))
    }

    /// Which location it is.
    fn by(&self, answer: &Answer) -> String {
        let place = answer.location.map(|location| location.place);
        match place.or(answer.server.map(|server| server.place)) {
            Some(place) => format!(", by {} in {}", place.text(), self.spot(place)),
            None => String::new(),
        }
    }

    fn spot(&self, place: Located<'_>) -> String {
        format!("{}:{}", place.path.display(), self.routes.line(place))
    }

    /// The `proxy_pass` that leads to the wanted URL, where replacing a prefix does.
    fn pass_to(
        &self,
        url: &Url,
        wanted: &Url,
        route: &RoutePolicy,
        answer: &Answer,
    ) -> Option<String> {
        let location = answer.location?;
        let pass = location
            .says()
            .filter(|place| place.directive.name == "proxy_pass")?;
        let rewritten = |place: &Located| place.directive.name == "rewrite";
        let untouched = !answer
            .steps
            .iter()
            .filter_map(|step| step.place)
            .any(|place| rewritten(&place));
        let replaces = location.kind.is_path();
        let whole = location.name.ends_with('/') || location.kind == MatchKind::Exact;
        let rest = url.path().strip_prefix(location.name)?;
        let base = wanted.path().strip_suffix(rest)?;
        let fits =
            whole == (base.ends_with('/') || location.kind == MatchKind::Exact) && !base.is_empty();
        if !untouched || !replaces || !fits || pass.text().contains('$') {
            return None;
        }
        let scheme = if route.upstream.starts_with("https") {
            "https"
        } else {
            "http"
        };
        let to = format!("{scheme}://{}{base}", wanted.authority());
        Some(format!(
            "write proxy_pass {to}; in {}, {}",
            location.place.text(),
            self.spot(pass)
        ))
    }

    /// Locations of sites with expected routes that none of them tests.
    fn untested(&self, tested: &Tested) -> Vec<Finding> {
        let table = self.routes.table();
        let untested = table.iter().filter(|row| {
            row.location.is_some_and(|location| {
                let asked = location.kind != MatchKind::Named && !location.is_internal();
                asked && location.passes() && tested.lacks(location.place)
            })
        });
        let public = untested.filter(|row| {
            let listens = self.routes.router.listens(row.server);
            listens.iter().any(|listens| listens.public)
        });
        public.filter_map(|row| self.untested_row(row)).collect()
    }

    fn untested_row(&self, row: &Row) -> Option<Finding> {
        let place = row.location?.place;
        let help = match row.answer.as_ref().map(|answer| &answer.outcome) {
            Some(Outcome::Proxy(upstream)) => {
                format!(
                    "add the expected route to watchme.toml: a [[route]] with url = \"{}\" and upstream = \"{upstream}\"",
                    row.url
                )
            }
            _ => {
                "add a [[route]] to watchme.toml with a URL that reaches it, and the expected upstream"
                    .to_owned()
            }
        };
        Some(route_untested::RULE.at(Diagnostic {
            file: self.subject.revision.text(place.path),
            span: place.directive.span.clone(),
            message: format!("no [[route]] says where {} must lead", row.url),
            expected: "passes requests on".to_owned(),
            help: Some(help),
        }))
    }
}

/// Whether what arrives is what is wanted. This host has several names.
fn fits(upstream: &Upstream, wanted: &Url) -> bool {
    let own = |host: &str| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    };
    let host = wanted.host();
    let mut targets = upstream.targets.iter();
    let arrives = targets.any(|target| {
        let same = target
            .host
            .trim_matches(['[', ']'])
            .eq_ignore_ascii_case(&host);
        target.port == Some(wanted.port()) && (same || (own(&target.host) && own(&host)))
    });
    let named = upstream.authority.eq_ignore_ascii_case(wanted.authority());
    upstream.https == wanted.is_https() && upstream.uri == wanted.target() && (arrives || named)
}

/// What brings a request to an upstream that ends at nginx.
fn fix(outcome: &Outcome, url: &Url, route: &RoutePolicy) -> Option<String> {
    // What follows a `?` may be a secret.
    let bare = |url: &str| url.split('?').next().unwrap_or(url).to_owned();
    Some(match outcome {
        Outcome::NotListening => format!(
            "add listen {}; to a site, or correct the URL: http means port 80, https 443",
            url.port()
        ),
        Outcome::Redirect { to, .. } => format!("request {} instead, or correct the URL", bare(to)),
        Outcome::Status { .. } | Outcome::Files => format!(
            "add a location for {} with proxy_pass {}, or correct the URL",
            url.path(),
            bare(&route.upstream)
        ),
        _ => return None,
    })
}

/// What comes of a request that is not proxied, as the end of a sentence.
fn ends(outcome: &Outcome, url: &Url) -> String {
    match outcome {
        Outcome::Redirect { status, to } => format!("nginx redirects it to {to} ({status})"),
        Outcome::Status { status, .. } => format!("nginx answers {status}"),
        Outcome::Files => "nginx answers with a file of the host".to_owned(),
        Outcome::Other { directive, .. } => format!("nginx answers with {directive}"),
        Outcome::Closed => "nginx closes the connection".to_owned(),
        Outcome::NotListening => format!("no enabled site listens on port {}", url.port()),
        Outcome::Proxy(_) | Outcome::NotKnown { .. } => String::new(),
    }
}

#[cfg(test)]
pub(super) mod tests;
