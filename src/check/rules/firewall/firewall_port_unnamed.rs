//! Ports that are served to others and that the firewall does not name.

use std::collections::BTreeSet;
use std::net::IpAddr;

use source_text::SourceFile;

use crate::check::compose::ports::{entries, shown};
use crate::check::compose::view::say;
use crate::check::nginx::listens::listens;
use crate::check::rules::prelude::*;
use crate::model::{Firewall, Transport, UfwMode, Verdict};

pub(crate) static RULE: Rule = rule!(firewall_port_unnamed, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let policy = &context.revision().parsed.policy;
    // One that cannot be read is an error already.
    let Ok(Some(firewall)) = policy.firewall() else {
        return;
    };
    if firewall.published == Verdict::Deny {
        published(context, &firewall, findings);
    }
    // Where ufw is driven, it says what becomes of the others.
    if firewall.default == Verdict::Deny && firewall.ufw == UfwMode::Refuse {
        of_nginx(context, &firewall, findings);
    }
}

fn published(context: &Context, firewall: &Firewall, findings: &mut Findings) {
    let view = context.projects();
    for entry in entries(view) {
        let host = entry.port.host.clone().filter(|_| entry.port.is_public());
        let (Some(host), Some(transport)) = (host, entry.transport()) else {
            continue;
        };
        if host
            .clone()
            .all(|port| firewall.opening(transport, port).is_some())
        {
            continue;
        }
        let port = shown(&host);
        let message = format!("nobody may reach port {port} of {}", entry.service);
        let expected = "[firewall.allow] in watchme.toml does not name it";
        let place = say(entry.place(view), message, expected, help(&port, transport));
        findings.push(RULE.at(place));
    }
}

fn of_nginx(context: &Context, firewall: &Firewall, findings: &mut Findings) {
    let mut known = BTreeSet::new();
    for listening in listens(context.subject) {
        let is_local = listening
            .address
            .is_some_and(|address: IpAddr| address.is_loopback());
        let transport = match listening.protocol {
            "udp" => Transport::Udp,
            _ => Transport::Tcp,
        };
        for port in listening.ports {
            let is_named = firewall.opening(transport, port).is_some();
            if is_local || listening.is_named || is_named || !known.insert((port, transport)) {
                continue;
            }
            let message = format!("nobody may reach port {port}, on which nginx listens");
            let place = Diagnostic::at(&SourceFile::new(listening.path, ""), 0..0, message, "");
            findings.push(RULE.at(Diagnostic {
                help: Some(help(&port.to_string(), transport)),
                ..place
            }));
        }
    }
}

fn help(port: &str, transport: Transport) -> String {
    let key = match transport {
        Transport::Tcp if !port.contains('-') => port.to_owned(),
        Transport::Tcp => format!("\"{port}\""),
        Transport::Udp => format!("\"{port}/udp\""),
    };
    format!("add {key} = [\"SOURCE\"] to [firewall.allow]; for nobody, write {key} = []")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::found;

    #[test]
    fn what_is_served_to_others_and_not_named() {
        let of = |allow: &str, port: &str, listen: &str| {
            let policy = format!("[firewall.allow]\n22 = [\"world\"]\n{allow}\n");
            let compose = format!("services:\n  app:\n    image: app:1\n    ports: ['{port}']\n");
            let site = format!("server {{ listen {listen}; return 204; }}\n");
            let files = [
                ("watchme.toml", policy.as_str()),
                ("docker-compose.yml", &compose),
                ("sites-available/a", &site),
            ];
            found(&RULE, &files)
        };
        let published = "docker-compose.yml:4:14: nobody may reach port 8000 of app";
        for (allow, port, listen, expected) in [
            ("", "8000:80", "127.0.0.1:80", Some(published)),
            ("8000 = []", "8000:80", "127.0.0.1:80", None),
            ("\"7000-9000\" = []", "8000:80", "127.0.0.1:80", None),
            (
                "\"8000/udp\" = []",
                "8000:80",
                "127.0.0.1:80",
                Some(published),
            ),
            ("", "127.0.0.1:8000:80", "[::1]:80", None),
            (
                "",
                "127.0.0.1:8000:80",
                "80",
                Some("sites-available/a:1:1: nobody may reach port 80, on which nginx listens"),
            ),
            ("80 = [\"world\"]", "127.0.0.1:8000:80", "80", None),
        ] {
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(of(allow, port, listen), expected, "{allow} {port} {listen}");
        }
        let site = "server { listen 80; return 204; }\n";
        for elsewhere in [
            "[firewall]\ndefault = \"allow\"\npublished = \"allow\"\n",
            "[firewall]\nufw = \"drive\"\n",
        ] {
            let files = [("watchme.toml", elsewhere), ("sites-available/a", site)];
            assert_eq!(found(&RULE, &files), [""; 0], "{elsewhere}");
        }
    }
}
