//! Rules of ufw: those that are wanted where ufw is driven, and those that its files have.

use std::collections::BTreeSet;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Firewall, OpenTo, Transport, shown};
use crate::model;

/// The comment by which rules are ours.
pub const UFW_COMMENT: &str = "watchme-apply";

/// Where a rule is in the files of ufw for IPv4 and IPv6, from 1.
pub type UfwPlaces = [Option<usize>; 2];

/// A rule of ufw that lets connections in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UfwRule {
    /// The protocol.
    pub transport: Transport,
    /// The first port.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// From where; `None`: from anywhere.
    pub from: Option<IpNet>,
}

impl UfwRule {
    /// The rule as words of a command, ufw(8).
    pub fn words(&self) -> Vec<String> {
        self.words_from("any")
    }

    /// The same for one of the protocols only, where `anywhere` is `0.0.0.0/0` or `::/0`.
    pub fn words_from(&self, anywhere: &str) -> Vec<String> {
        let from = self.from.as_ref().map_or(anywhere.to_owned(), shown);
        let port = match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{}:{}", self.first, self.last),
        };
        let words = [
            "allow",
            "proto",
            self.transport.as_str(),
            "from",
            &from,
            "to",
            "any",
            "port",
            &port,
        ];
        words.map(str::to_owned).into()
    }
}

impl fmt::Display for UfwRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

/// A rule as the files of ufw have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UfwLine {
    /// The rule, if it is one that could be ours; nothing of other actions, interfaces and destinations.
    pub rule: Option<UfwRule>,
    /// Whether it has our comment.
    pub ours: bool,
    /// Its protocol; `None`: any.
    pub transport: Option<Transport>,
    /// Its ports; empty: any.
    pub ports: Vec<(u16, u16)>,
    /// The interface that it is for.
    pub interface: Option<String>,
    /// As its file has it, without the comment.
    pub text: String,
    /// Which of all the rules in its file it is, from 1.
    pub place: usize,
}

impl UfwLine {
    /// Whether it also decides about some of these ports.
    pub fn touches(&self, transport: Transport, first: u16, last: u16) -> bool {
        let mut ports = self.ports.iter();
        self.transport.is_none_or(|own| own == transport)
            && (self.ports.is_empty() || ports.any(|(from, to)| *from <= last && first <= *to))
    }
}

/// The rules about incoming connections in `user.rules` or `user6.rules`, of which ufw keeps a line each:
/// `### tuple ### allow tcp 8000 0.0.0.0/0 any 100.64.0.0/10 in comment=…`, hexadecimal.
pub fn ufw_lines(text: &str) -> Vec<UfwLine> {
    let lines = (1..).zip(tuples(text));
    lines
        .filter_map(|(place, text)| line(place, text))
        .collect()
}

/// How many rules ufw counts in one of its files: those of an application are one, whatever their ports
/// (`get_rules_count` in ufw/backend.py).
pub fn ufw_count(text: &str) -> usize {
    let mut applications = BTreeSet::new();
    let mut count = 0;
    for text in tuples(text) {
        let words: Vec<&str> = text.split_whitespace().collect();
        count += match *words {
            [
                _,
                _,
                port,
                to,
                source_port,
                from,
                application,
                source,
                direction,
                ..,
            ] => {
                let of = |name, port| if name == "-" { port } else { name };
                let named = [of(application, port), of(source, source_port)];
                usize::from(applications.insert((named, to, from, direction)))
            }
            _ => 1,
        };
    }
    count
}

/// How many rules one of the files of ufw has.
pub fn ufw_places(text: &str) -> usize {
    tuples(text).count()
}

fn tuples(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("### tuple ### "))
}

fn line(place: usize, text: &str) -> Option<UfwLine> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let comment = words.last()?.strip_prefix("comment=").map(str::to_owned);
    if comment.is_some() {
        words.pop();
    }
    // Before the direction there may be the names of applications: `OpenSSH -`.
    let direction = *words.last()?;
    let interface = direction.strip_prefix("in_");
    if direction != "in" && interface.is_none() {
        return None;
    }
    let [action, protocol, port, to, source_port, from] = *words.get(..6)? else {
        return None;
    };
    let transport = match protocol {
        "tcp" => Some(Transport::Tcp),
        "udp" => Some(Transport::Udp),
        _ => None,
    };
    let ports: Vec<(u16, u16)> = port.split(',').filter_map(span).collect();
    let anywhere = |text: &str| matches!(text, "0.0.0.0/0" | "::/0");
    let source = match anywhere(from) {
        true => Some(None),
        false => super::address_range(from).map(Some),
    };
    let is_plain = action == "allow" && anywhere(to) && source_port == "any" && interface.is_none();
    let rule = match (transport, ports.as_slice(), source) {
        (Some(transport), [(first, last)], Some(from)) if is_plain => Some(UfwRule {
            transport,
            first: *first,
            last: *last,
            from,
        }),
        _ => None,
    };
    let ours = comment.is_some_and(|hex| hex == model::hex(UFW_COMMENT.as_bytes()));
    Some(UfwLine {
        rule,
        ours,
        transport,
        ports,
        interface: interface.map(str::to_owned),
        text: words.join(" "),
        place,
    })
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

impl Firewall {
    /// The rules that ufw has to have, each once.
    pub fn ufw_rules(&self) -> Vec<UfwRule> {
        let mut rules = Vec::new();
        for opening in &self.openings {
            let from = |to: &OpenTo| match to {
                OpenTo::World => vec![None],
                OpenTo::Range(range) => vec![Some(*range)],
                OpenTo::Source(name) => {
                    let ranges = self.sources.get(name).into_iter().flatten();
                    ranges.map(|range| Some(*range)).collect()
                }
            };
            let from = match opening.to.contains(&OpenTo::World) {
                true => vec![None],
                false => opening.to.iter().flat_map(from).collect(),
            };
            rules.extend(from.into_iter().map(|from| UfwRule {
                transport: opening.transport,
                first: opening.first,
                last: opening.last,
                from,
            }));
        }
        rules.sort();
        rules.dedup();
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_the_files_of_ufw_have_them() {
        let text = "*filter\n### RULES ###\n\n\
            ### tuple ### allow tcp 8000 0.0.0.0/0 any 100.64.0.0/10 in comment=77617463686d652d6170706c79\n\
            -A ufw-user-input -p tcp --dport 8000 -s 100.64.0.0/10 -j ACCEPT\n\
            ### tuple ### allow tcp 8000:8010 ::/0 any ::/0 in comment=6f74686572\n\
            ### tuple ### limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
            ### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in\n\
            ### tuple ### allow any 5 0.0.0.0/0 any 0.0.0.0/0 in_docker0\n\
            ### tuple ### allow any any 0.0.0.0/0 any 203.0.113.7 in\n\
            ### tuple ### deny tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in\n\
            ### tuple ### allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 out\n";
        let lines = ufw_lines(text);
        let places: Vec<usize> = lines.iter().map(|line| line.place).collect();
        assert_eq!(places, [1, 2, 3, 4, 5, 6, 7]);
        let rule = |line: &UfwLine| line.rule.as_ref().map(ToString::to_string);
        let rules: Vec<Option<String>> = lines.iter().map(rule).collect();
        let expected = [
            Some("allow proto tcp from 100.64.0.0/10 to any port 8000"),
            Some("allow proto tcp from any to any port 8000:8010"),
            None,
            Some("allow proto tcp from any to any port 22"),
            None,
            None,
            None,
        ];
        assert_eq!(rules, expected.map(|rule| rule.map(str::to_owned)));
        let ours: Vec<bool> = lines.iter().map(|line| line.ours).collect();
        assert_eq!(ours, [true, false, false, false, false, false, false]);
        let about = |port: u16| {
            let lines = lines
                .iter()
                .filter(|line| line.touches(Transport::Tcp, port, port));
            lines.count()
        };
        // The one without a port is about all of them.
        assert_eq!([22, 443, 5, 8005, 9].map(about), [3, 2, 2, 2, 1]);
        assert_eq!(lines[4].interface.as_deref(), Some("docker0"));
    }
    /// As `ufw status numbered` of Debian 13 shows them.
    #[test]
    fn what_ufw_counts() {
        let text = "### tuple ### allow udp 137,138 0.0.0.0/0 any 0.0.0.0/0 Samba - in\n\
            ### tuple ### allow tcp 139,445 0.0.0.0/0 any 0.0.0.0/0 Samba - in comment=6f74686572\n\
            ### tuple ### allow tcp 139,445 0.0.0.0/0 any 192.0.2.7 Samba - in\n\
            ### tuple ### reject tcp 25 0.0.0.0/0 any 0.0.0.0/0 out comment=6f74686572\n\
            ### tuple ### allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 in comment=6f74686572\n";
        assert_eq!(ufw_count(text), 4);
        let places: Vec<usize> = ufw_lines(text).iter().map(|line| line.place).collect();
        assert_eq!(places, [1, 2, 3, 5]);
        assert_eq!(ufw_count(""), 0);
    }
}
