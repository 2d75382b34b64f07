//! `compose/NAME/watchme-service.toml`: what watchme.toml would say of one service, beside its compose file.
//!
//! Its tables are added to those of watchme.toml. The places of all files count on in one row, so that whoever complains
//! about some bytes of the policy need not know in which file they are.

use std::path::Path;

use serde::Deserialize;
use source_text::SourceFile;

use super::schema::{GatePolicy, MemberPolicy, Named, NetworkPolicy, RoutePolicy};
use super::spanned::Spanned;
use super::{ConfigFile, Policy};
use crate::model::{Diagnostic, Gate, MemberName};

/// The file's name in the folder of a compose project.
pub const SERVICE_FILE: &str = "watchme-service.toml";

/// What the file says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(title = "watchme-service.toml")
)]
pub(super) struct ServicePolicy {
    /// Which upstream URLs public URLs must reach.
    #[serde(rename = "route")]
    routes: Vec<RoutePolicy>,
    /// What must answer for an apply to be kept: exactly one of `url`, `tcp`, `container` and `unit`.
    #[serde(rename = "gate")]
    gates: Vec<Spanned<GatePolicy>>,
    /// Docker networks.
    #[serde(rename = "network")]
    networks: Named<ServiceNetwork>,
}

/// `[network.NAME]` of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ServiceNetwork {
    /// Its containers on the network, with what the compose file does not say.
    #[serde(rename = "member")]
    members: Vec<Spanned<MemberPolicy>>,
}

impl Policy {
    /// Adds what the file of a service says.
    ///
    /// # Errors
    /// Where it is wrong, and where it says what another file says already.
    pub(crate) fn add_service(&mut self, path: &Path, source: &str) -> Result<(), Diagnostic> {
        let file = ConfigFile::from(SourceFile::new(path, source));
        let keys: ServicePolicy = toml::from_str(source).map_err(|error| file.syntax(&error))?;
        let networks = keys.networks.into_iter().map(|(name, network)| {
            let members = network.members;
            let owner = None;
            (name, NetworkPolicy { owner, members })
        });
        let own = Policy {
            file,
            routes: keys.routes,
            gates: keys.gates,
            networks: networks.collect(),
            ..Policy::default()
        };
        own.validate()?;
        self.demand_new(&own)?;
        let by = self.file.add(&own.file);
        let routes = own.routes.into_iter();
        self.routes.extend(routes.map(|route| route.moved(by)));
        let gates = own.gates.into_iter();
        self.gates
            .extend(gates.map(|gate| gate.moved(by).map(|gate| gate.moved(by))));
        for (name, network) in own.networks {
            let members = network.members.into_iter();
            let members = members.map(|member| member.moved(by).map(|member| member.moved(by)));
            let known = self.networks.entry(name.moved(by)).or_default();
            known.members.extend(members);
        }
        Ok(())
    }

    /// Fails where a file says what another one says already.
    fn demand_new(&self, own: &Policy) -> Result<(), Diagnostic> {
        let twice = |what: String, own_span, known| {
            let place = self.file.complain(known, "", "", None);
            let first = format!("{}:{}", place.path().display(), place.position().line);
            let message = format!("{what} is in two files");
            let expected = format!("{first} also has it");
            let help = Some("remove one of the two".to_owned());
            Err(own.file.complain(own_span, message, expected, help))
        };
        for route in &own.routes {
            let known = self.routes.iter().find(|known| known.url == route.url);
            if let Some(known) = known {
                // What follows a `?` may be a secret.
                let url = route.url.split('?').next().unwrap_or_default();
                return twice(
                    format!("the route of {url}"),
                    route.url.span(),
                    known.url.span(),
                );
            }
        }
        for (gate, span) in own.gates() {
            let is_same = |(known, _): &(Gate, _)| known.probe == gate.probe;
            if let Some((_, known)) = self.gates().find(is_same) {
                return twice("this gate".to_owned(), span, known);
            }
        }
        for (name, network) in &own.networks {
            let Some(known) = self.networks.get(name.as_str()) else {
                continue;
            };
            for (member, span) in network.members() {
                let is_same = |name: &MemberName| *name == member.name;
                if let Some((_, first)) = known.members().find(|(one, _)| is_same(&one.name)) {
                    let what = format!("the member {} of {}", member.name, name.as_str());
                    return twice(what, span, first);
                }
            }
        }
        Ok(())
    }
}

impl RoutePolicy {
    fn moved(self, by: usize) -> Self {
        Self {
            url: self.url.moved(by),
            upstream: self.upstream.moved(by),
        }
    }
}

impl GatePolicy {
    fn moved(self, by: usize) -> Self {
        Self {
            url: self.url.map(|url| url.moved(by)),
            tcp: self.tcp.map(|tcp| tcp.moved(by)),
            container: self.container.map(|container| container.moved(by)),
            unit: self.unit.map(|unit| unit.moved(by)),
            ..self
        }
    }
}

impl MemberPolicy {
    fn moved(self, by: usize) -> Self {
        Self {
            address: self.address.map(|address| address.moved(by)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::policy::parse;

    use super::*;

    const MAIN: &str = "[[route]]\nurl = \"http://a/x\"\nupstream = \"http://localhost:1/\"\n[[gate]]\ntcp = \"127.0.0.1:1\"\n[[network.n.member]]\ncontainer = \"a\"\n";

    fn with(texts: &[(&str, &str)]) -> Result<Policy, String> {
        let mut policy = parse(Path::new("watchme.toml"), MAIN).unwrap();
        for (path, text) in texts {
            let added = policy.add_service(Path::new(path), text);
            added.map_err(|wrong| format!("{wrong}; {}", wrong.expected))?;
        }
        Ok(policy)
    }

    #[test]
    fn each_file_adds_to_the_others_and_keeps_its_places() {
        let b = "\n[[gate]]\ncontainer = \"b\"\n[[network.n.member]]\ncontainer = \"b\"\naddress = \"192.0.2.7\"\n";
        let c = "# Müller\n[[route]]\nurl = \"http://c/x\"\nupstream = \"http://localhost:3/\"\n[[network.m.member]]\nproject = \"c\"\nservice = \"c\"\n";
        let policy = with(&[
            ("compose/b/watchme-service.toml", b),
            ("compose/c/watchme-service.toml", c),
        ])
        .unwrap();
        let at = |span| {
            let place = policy.file.complain(span, "", "", None);
            let text = place.file.get(place.span.clone()).to_owned();
            format!(
                "{}:{} {text}",
                place.path().display(),
                place.position().line
            )
        };
        let gates: Vec<_> = policy.gates().map(|(_, span)| at(span)).collect();
        assert_eq!(
            gates,
            [
                "watchme.toml:5 \"127.0.0.1:1\"",
                "compose/b/watchme-service.toml:3 \"b\""
            ]
        );
        let members = policy.networks["n"].members().map(|(_, span)| at(span));
        let members: Vec<_> = members.collect();
        assert_eq!(members[1], "compose/b/watchme-service.toml:6 \"192.0.2.7\"");
        let (name, _) = policy.networks.get_key_value("m").unwrap();
        assert_eq!(at(name.span()), "compose/c/watchme-service.toml:5 m");
        assert_eq!(
            at(policy.routes[1].upstream.span()),
            "compose/c/watchme-service.toml:4 \"http://localhost:3/\""
        );
        assert_eq!(
            at(policy.routes[0].url.span()),
            "watchme.toml:2 \"http://a/x\""
        );
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        for (text, expected) in [
            (
                "soak = \"1m\"\n",
                "s:1:1: unknown key \"soak\"; the keys here are route, gate, network",
            ),
            (
                "[network.n]\nowner = \"a.service\"\n",
                "s:2:1: unknown key \"owner\"; the keys here are member",
            ),
            (
                "[[gate]]\n",
                "s:1:1: a gate needs exactly one of url, tcp, container and unit; ",
            ),
            (
                "[[gate]]\ntcp = \"127.0.0.1:1\"\n",
                "s:2:7: this gate is in two files; watchme.toml:5 also has it",
            ),
            (
                "\n[[route]]\nurl = \"http://a/x\"\nupstream = \"http://localhost:2/\"\n",
                "s:3:7: the route of http://a/x is in two files; watchme.toml:2 also has it",
            ),
            (
                "[[network.n.member]]\ncontainer = \"a\"\n",
                "s:1:1: the member a of n is in two files; watchme.toml:6 also has it",
            ),
        ] {
            assert_eq!(with(&[("s", text)]).unwrap_err(), expected);
        }
        // Two services, of which neither is watchme.toml.
        let gate = "[[gate]]\ncontainer = \"b\"\n";
        let wrong = with(&[("r", gate), ("s", gate)]).unwrap_err();
        assert_eq!(wrong, "s:2:13: this gate is in two files; r:2 also has it");
    }
}
