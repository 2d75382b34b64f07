//! Names whose addresses nginx looks up when it loads its configuration.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

use super::Message;
use crate::host::candidate::conf::{Conf, Statement};

/// Names that a configuration has nginx look up and that /etc/hosts does not have, each with what nginx says
/// where nobody knows it. Groups of servers (`upstream`), those of `more` included, are no names.
pub(super) fn names(conf: &Conf, more: &Conf) -> Vec<(String, Message)> {
    let groups: BTreeSet<&str> = conf
        .statements
        .iter()
        .chain(&more.statements)
        .filter(|statement| statement.name() == "upstream")
        .filter_map(|statement| statement.arguments().first())
        .map(String::as_str)
        .collect();
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let in_hosts: BTreeSet<&str> = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split_whitespace().skip(1))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for statement in &conf.statements {
        let Some(target) = target(statement) else {
            continue;
        };
        let Some(name) = host(target) else { continue };
        let group = target.split('/').next().unwrap_or_default();
        if groups.contains(group) || in_hosts.contains(name.as_str()) || !seen.insert(name.clone())
        {
            continue;
        }
        let message = Message {
            level: "emerg".to_owned(),
            text: format!("host not found in upstream \"{name}\""),
            place: Some((statement.file.clone(), statement.line)),
        };
        found.push((name, message));
    }
    found
}

/// What a statement sends requests to, as nginx names it: without the scheme.
fn target(statement: &Statement) -> Option<&str> {
    let [first, ..] = statement.arguments() else {
        return None;
    };
    match statement.name() {
        // The block `server { }` has no arguments.
        "server" => {}
        "proxy_pass" | "grpc_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass"
        | "memcached_pass" => {}
        _ => return None,
    }
    let behind = first
        .split_once("://")
        .map_or(first.as_str(), |(_, rest)| rest);
    (!behind.contains('$') && !behind.starts_with("unix:")).then_some(behind)
}

/// The name in `NAME:80/path`; `None` of an address.
pub(super) fn host(target: &str) -> Option<String> {
    let authority = target.split('/').next()?;
    if authority.starts_with('[') {
        return None;
    }
    let name = authority.split(':').next()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name = !name.is_empty() && name.chars().all(fits) && name.parse::<IpAddr>().is_err();
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_targets() {
        for (target, expected) in [
            ("api.example.com", Some("api.example.com")),
            ("api.example.com:8080/x", Some("api.example.com")),
            ("127.0.0.1:80", None),
            ("[::1]:80", None),
            ("", None),
        ] {
            assert_eq!(host(target).as_deref(), expected, "{target}");
        }
    }
}
