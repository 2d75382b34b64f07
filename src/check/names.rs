//! Names that nothing here has: of inputs, in watchme.toml; and gates that nginx itself answers otherwise.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use source_text::SourceFile;

use super::Subject;
use crate::check::engine::Rule;
use crate::check::rules::checkout::rule::{gate_fails, name_misspelt};
use crate::model::{Diagnostic, Finding, MemberName, Probe, Severity, Url};
use crate::source::error::misspelt;
use crate::source::load::input_names;
use crate::source::nginx::router::{Outcome, Request};
use crate::source::policy::FILE_NAME;
use crate::source::routes::Routes;

/// Findings about gates, members and routes. What is not like any name here may be the host's own.
pub(super) fn walk(subject: &Subject) -> Vec<Finding> {
    let policy = &subject.revision.parsed.policy;
    let mut findings = entries(subject);
    let is_bare = policy.gates.is_empty() && policy.networks.is_empty() && policy.routes.is_empty();
    if is_bare || !subject.is_whole() {
        return findings;
    }
    let walk = Walk {
        subject,
        routes: LazyCell::new(Box::new(|| Routes::of(subject.revision))),
        containers: containers(subject),
    };
    for (gate, place) in policy.gates() {
        findings.extend(walk.gate(&gate.probe, &place));
    }
    for network in policy.networks.values() {
        for (member, place) in network.members() {
            if let MemberName::Container(name) = &member.name {
                findings.extend(walk.container(name, &place));
            }
        }
    }
    for route in &policy.routes {
        if let Ok(url) = route.url.parse::<Url>() {
            findings.extend(walk.host(&url, &route.url.span()));
        }
    }
    findings
}

/// Files and folders of the desired state whose names nobody looks for, and almost those of inputs that are not here.
fn entries(subject: &Subject) -> Vec<Finding> {
    let parsed = &subject.revision.parsed;
    let mut inputs = input_names(&parsed.policy.folders);
    inputs.push(FILE_NAME);
    let is_there = |name: &str| parsed.entries.iter().any(|entry| entry == name);
    let gone = inputs.iter().copied().filter(|name| !is_there(name));
    let gone: Vec<&str> = gone.collect();
    let others = parsed
        .entries
        .iter()
        .filter(|entry| !inputs.contains(&entry.as_str()));
    let found = others.filter_map(|entry| {
        let near = misspelt(entry, gone.iter().copied())?;
        let message = format!("nothing reads {entry}, and there is no {near}");
        let place = Diagnostic::at(
            &SourceFile::new(parsed.folder.join(entry), ""),
            0..0,
            message,
            "",
        );
        let help = format!("did you mean {near}?");
        let found = name_misspelt::RULE.at(place.helped(help));
        // It may be there for somebody else.
        Some(found.weighing(Severity::Warning))
    });
    found.collect()
}

/// Names of containers that compose files fix.
fn containers<'s>(subject: &'s Subject) -> BTreeSet<&'s str> {
    let stacks = subject.revision.parsed.stacks.iter();
    let services = stacks.flat_map(|stack| stack.compose.services.values());
    services
        .filter_map(|service| service.container_name.as_deref())
        .collect()
}

struct Walk<'s> {
    subject: &'s Subject<'s>,
    /// Only URLs need them.
    routes: LazyCell<Routes<'s>, Box<dyn FnOnce() -> Routes<'s> + 's>>,
    containers: BTreeSet<&'s str>,
}

impl Walk<'_> {
    fn gate(&self, probe: &Probe, place: &Range<usize>) -> Option<Finding> {
        match probe {
            Probe::Unit(name) => {
                let units = self.subject.revision.desired.units.keys();
                self.misspelt("unit", name, units.map(String::as_str), place)
            }
            Probe::Container(name) => self.container(name, place),
            Probe::Url { url, status, .. } => self
                .host(url, place)
                .or_else(|| self.answer(url, *status, place)),
            Probe::Copy { .. } | Probe::Tcp(_) => None,
        }
    }

    fn container(&self, name: &str, place: &Range<usize>) -> Option<Finding> {
        self.misspelt("container", name, self.containers.iter().copied(), place)
    }

    /// A name that is not here, and close to one that is.
    fn misspelt<'n>(
        &self,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
        place: &Range<usize>,
    ) -> Option<Finding> {
        if known.clone().any(|known| known == name) {
            return None;
        }
        let near = misspelt(name, known)?;
        let message = format!("there is no {kind} {name} here");
        let help = Some(format!("did you mean {near}?"));
        Some(self.find(&name_misspelt::RULE, place, message, help))
    }

    /// A host that no server has for its name, so that another one takes the request.
    fn host(&self, url: &Url, place: &Range<usize>) -> Option<Finding> {
        let servers = self.routes.router.listening(url.port());
        let names = servers.iter().flat_map(|server| server.names());
        let names: BTreeSet<String> = names.map(str::to_ascii_lowercase).collect();
        let is_pattern =
            |name: &String| name.starts_with(['~', '*', '.']) || name.ends_with('*') || name == "_";
        // One without a name is for all others.
        let takes_all = servers.iter().any(|server| server.names().is_empty());
        let host = url.host();
        // Numbers are no names.
        if takes_all || names.iter().any(is_pattern) || host.parse::<IpAddr>().is_ok() {
            return None;
        }
        self.misspelt("site", &host, names.iter().map(String::as_str), place)
    }

    /// A gate that can never hold: nginx answers by itself.
    fn answer(&self, url: &Url, expected: u16, place: &Range<usize>) -> Option<Finding> {
        let request = Request::of(url, Some(Ipv4Addr::LOCALHOST.into()));
        let answer = self.routes.router.answer(&request);
        let status = match &answer.outcome {
            Outcome::Status { status, .. } | Outcome::Redirect { status, .. } => *status,
            _ => return None,
        };
        if status == expected || !answer.certain {
            return None;
        }
        let by = answer.location.map(|location| location.place);
        let by = by.map(|place| format!(", by {}", place.text()));
        let message = format!(
            "nginx itself answers {status} to this gate{}: it can never pass",
            by.unwrap_or_default()
        );
        let help = Some(format!("correct the URL, or write status = {status}"));
        Some(self.find(&gate_fails::RULE, place, message, help))
    }

    fn find(
        &self,
        rule: &'static Rule,
        place: &Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Finding {
        let policy = &self.subject.revision.parsed.policy;
        rule.at(policy.file.complain(place.clone(), message, "", help))
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tests::{of_family, surveyed};

    const SITE: &str = "server { listen 80; server_name api.example.com; location /a/ { proxy_pass http://localhost:8001/; } location / { return 404; } }\n";

    fn found(toml: &str) -> Vec<String> {
        let files = [
            ("sites-available/a", SITE),
            (
                "systemd/notes.service",
                "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/compose/a/docker-compose.yml up\n",
            ),
            (
                "compose/a/docker-compose.yml",
                "services:\n  app:\n    image: app:1\n    container_name: notes-web\n    ports: ['127.0.0.1:8001:80']\n    networks: [watchme]\nnetworks:\n  watchme:\n    external: true\n",
            ),
            (
                "docker-compose.infra.yml",
                "networks:\n  watchme:\n    name: watchme\n    driver: bridge\n",
            ),
            ("watchme.toml", &format!("checkout = \"/srv/c\"\n{toml}")),
        ];
        surveyed(&files, |subject| {
            assert!(subject.is_whole(), "{:?}", subject.wrong);
            of_family("checkout", subject)
                .iter()
                .map(|one| format!("{} {one}", one.rule.name))
                .collect()
        })
    }

    #[test]
    fn names_close_to_one_that_is_here() {
        for (toml, expected) in [
            (
                "[[gate]]\nunit = \"note.service\"\n",
                Some("name-misspelt watchme.toml:3:8: there is no unit note.service here"),
            ),
            ("[[gate]]\nunit = \"notes.service\"\n", None),
            ("[[gate]]\nunit = \"postgresql.service\"\n", None),
            ("[[gate]]\nunit = \"notes2.service\"\n", None),
            ("[[gate]]\ncontainer = \"notes-web2\"\n", None),
            (
                "[[gate]]\ncontainer = \"nots-web\"\n",
                Some("name-misspelt watchme.toml:3:13: there is no container nots-web here"),
            ),
            (
                "[[network.watchme.member]]\ncontainer = \"notes-wb\"\n",
                Some("there is no container notes-wb here"),
            ),
            (
                "[[gate]]\nurl = \"http://api.exmaple.com/a/health\"\n",
                Some("name-misspelt watchme.toml:3:7: there is no site api.exmaple.com here"),
            ),
            (
                "[[route]]\nurl = \"http://api.exampl.com/a/x\"\nupstream = \"http://localhost:8001/x\"\n",
                Some("name-misspelt watchme.toml:3:7: there is no site api.exampl.com here"),
            ),
            (
                "[[gate]]\nurl = \"http://api.example.com/a/health\"\n",
                None,
            ),
            (
                "[[gate]]\nurl = \"http://api.example.com/b/health\"\n",
                Some(
                    "gate-fails watchme.toml:3:7: nginx itself answers 404 to this gate, by location /: it can never pass",
                ),
            ),
            (
                "[[gate]]\nurl = \"http://api.example.com/b\"\nstatus = 404\n",
                None,
            ),
        ] {
            let found = found(toml);
            match expected {
                None => assert_eq!(found, [""; 0], "{toml}"),
                Some(expected) => {
                    let fits = found.len() == 1 && found[0].contains(expected);
                    assert!(fits, "{toml}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn a_server_for_all_others_takes_any_name() {
        let found = |first: &str| {
            let sites = format!("{first}\n{SITE}");
            let files = [
                ("sites-available/a", sites.as_str()),
                (
                    "watchme.toml",
                    "[[route]]\nurl = \"http://api.exampl.com/a/x\"\nupstream = \"http://localhost:8001/x\"\n",
                ),
            ];
            surveyed(&files, |subject| of_family("checkout", subject).len())
        };
        assert_eq!(found(""), 1);
        assert_eq!(
            found("server { listen 80 default_server; server_name _; return 404; }"),
            0
        );
        assert_eq!(found("server { listen 80 default_server; return 404; }"), 0);
        assert_eq!(found("server { listen 81; return 404; }"), 1);
    }

    #[test]
    fn inputs_that_nobody_reads() {
        let names = |files: &[(&str, &str)]| {
            surveyed(files, |subject| {
                let found = of_family("checkout", subject);
                found.iter().map(ToString::to_string).collect::<Vec<_>>()
            })
        };
        let unit = "[Service]\nExecStart=/bin/a\n";
        assert_eq!(
            names(&[
                ("sites-available/a", SITE),
                ("system/a.service", unit),
                ("watch.toml", ""),
                ("docker-compose.infra.yaml", ""),
                ("README.md", ""),
            ]),
            [
                "docker-compose.infra.yaml:1:1: nothing reads docker-compose.infra.yaml, and there is no docker-compose.infra.yml",
                "system:1:1: nothing reads system, and there is no systemd",
                "watch.toml:1:1: nothing reads watch.toml, and there is no watchme.toml",
            ]
        );
        let quadlet = "[Container]\nImage=app:1\n";
        assert_eq!(
            names(&[
                ("sites-available/a", SITE),
                ("site-available/b", SITE),
                ("containers/a.container", quadlet),
                ("quadlets/b.container", quadlet),
                (
                    "Compose/a/compose.yaml",
                    "services:\n  a:\n    image: a:1\n"
                ),
                ("stacks/a/compose.yaml", "services:\n  a:\n    image: a:1\n"),
                ("stacks/b/compose.yaml", "services:\n  a:\n    image: a:1\n"),
                ("apps/b/compose.yaml", "services:\n  a:\n    image: a:1\n"),
                ("watchme.toml", ""),
            ]),
            [
                "quadlets:1:1: an apply does not read this folder, which seems to contain a Quadlet of Podman",
                "site-available:1:1: an apply does not read this folder, which seems to contain a site of nginx",
                "Compose:1:1: an apply does not read this folder, which seems to contain a stack",
                "stacks:1:1: an apply does not read this folder, which seems to contain 2 stacks",
            ]
        );
        let both = [
            ("systemd/a.service", unit),
            ("system/b", ""),
            ("watchme.toml", ""),
        ];
        assert_eq!(names(&both), [""; 0]);
    }
}
