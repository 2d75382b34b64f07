//! The rules of the table, as nft(8) reads them. Names and ranges were read into types before: nothing here is text of a
//! checkout but the names of sources and interfaces, whose letters are bounded.

use std::fmt::Write;

use ipnet::IpNet;

use super::{FIREWALL_TABLE, Firewall, OpenTo, Opening, UfwMode, Verdict};
use crate::model::list;

/// Before the chains of Docker, Podman, ufw and others at `filter`: what is dropped here never reaches them, and what is
/// accepted here they still decide about.
const PRIORITY: &str = "filter - 5";

/// What keeps a network working and opens no port: errors, echo, neighbours and routers (RFC 4890).
const ICMP: &str =
    "icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept";
const ICMPV6: &str = "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, mld-listener-query, mld-listener-report, mld-listener-done, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept";

/// Answers of DHCP servers, which no connection of ours is on record for: requests go to all.
const DHCP: [&str; 2] = [
    "udp sport 67 udp dport 68 accept",
    "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
];

impl Firewall {
    /// The file that puts the table in the place of whatever is there under its name, in one transaction.
    pub fn rules(&self) -> String {
        let table = FIREWALL_TABLE;
        let mut text =
            String::from("# Written by watchme-apply from [firewall] in watchme.toml.\n#\n");
        for line in self.reach().lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = write!(
            text,
            "\ntable inet {table}\ndelete table inet {table}\n\ntable inet {table} {{\n"
        );
        self.sets(&mut text);
        if self.ufw == UfwMode::Refuse {
            self.input(&mut text);
            text.push('\n');
        }
        self.forward(&mut text);
        for opening in &self.openings {
            self.who(opening, &mut text);
        }
        text.push_str("}\n");
        text
    }

    fn sets(&self, text: &mut String) {
        for (name, ranges) in &self.sources {
            for (version, of_version) in by_version(ranges) {
                let _ = write!(
                    text,
                    "\tset {} {{\n\t\ttype {}_addr\n\t\tflags interval\n\t\telements = {{ {} }}\n\t}}\n\n",
                    set(name, version),
                    if version == 4 { "ipv4" } else { "ipv6" },
                    list(&of_version)
                );
            }
        }
    }

    /// Connections to the host itself.
    fn input(&self, text: &mut String) {
        let policy = match self.default {
            Verdict::Deny => "drop",
            Verdict::Allow => "accept",
        };
        begin(text, "input", policy);
        let mut rules = vec!["iifname \"lo\" accept".to_owned()];
        rules.extend(self.trusted_first());
        rules.extend([ICMP, ICMPV6].map(str::to_owned));
        rules.extend(DHCP.map(str::to_owned));
        rules.extend(self.openings.iter().map(|opening| {
            format!(
                "{} dport {} jump {}",
                opening.transport.as_str(),
                opening.span(),
                chain(opening)
            )
        }));
        end(text, &rules);
    }

    /// Connections to ports that are published: their packets have the address and port of the container already, and the
    /// entry of the connection has those that the client asked for.
    fn forward(&self, text: &mut String) {
        begin(text, "forward", "accept");
        let mut rules: Vec<String> = self.trusted_first().into_iter().collect();
        rules.extend(self.openings.iter().map(|opening| {
            format!(
                "meta l4proto {} ct status dnat ct original proto-dst {} jump {}",
                opening.transport.as_str(),
                opening.span(),
                chain(opening)
            )
        }));
        if self.published == Verdict::Deny {
            rules.push("ct status dnat drop".to_owned());
            // By a route to the network of the containers, past the ports that they publish.
            rules.extend(
                self.interfaces()
                    .map(|names| format!("oifname {names} drop")),
            );
        }
        end(text, &rules);
    }

    fn who(&self, opening: &Opening, text: &mut String) {
        let _ = write!(text, "\n\tchain {} {{\n", chain(opening));
        for to in &opening.to {
            match to {
                OpenTo::World => {
                    text.push_str("\t\taccept\n\t}\n");
                    return;
                }
                OpenTo::Range(range) => {
                    let version = if range.addr().is_ipv4() { 4 } else { 6 };
                    let _ = writeln!(text, "{} {} accept", from(version), super::shown(range));
                }
                OpenTo::Source(name) => {
                    let ranges = self.sources.get(name).map_or(&[][..], Vec::as_slice);
                    for (version, _) in by_version(ranges) {
                        let _ = writeln!(text, "{} @{} accept", from(version), set(name, version));
                    }
                }
            }
        }
        text.push_str("\t\tdrop\n\t}\n");
    }

    fn trusted_first(&self) -> Option<String> {
        let names = self.interfaces()?;
        Some(format!("iifname {names} accept"))
    }

    fn interfaces(&self) -> Option<String> {
        // nft refuses a name beside a pattern that has it.
        let is_in = |name: &str, other: &String| {
            let begin = other.strip_suffix('*');
            name != other
                && begin.is_some_and(|begin| name.trim_end_matches('*').starts_with(begin))
        };
        let names = self.trusted.iter();
        let names = names.filter(|name| !self.trusted.iter().any(|other| is_in(name, other)));
        let names = list(names.map(|name| format!("\"{name}\"")));
        (!names.is_empty()).then(|| format!("{{ {names} }}"))
    }
}

fn begin(text: &mut String, chain: &str, policy: &str) {
    let _ = write!(
        text,
        "\tchain {chain} {{\n\t\ttype filter hook {chain} priority {PRIORITY}; policy {policy};\n\t\tct state established,related accept\n"
    );
}

fn end(text: &mut String, rules: &[String]) {
    for rule in rules {
        let _ = writeln!(text, "\t\t{rule}");
    }
    text.push_str("\t}\n");
}

/// Ranges of each version of IP that there are any of, without those that another one has in it, which nft refuses.
fn by_version(ranges: &[IpNet]) -> Vec<(u8, Vec<IpNet>)> {
    let all = IpNet::aggregate(&ranges.to_vec());
    let (four, six): (Vec<IpNet>, Vec<IpNet>) =
        all.into_iter().partition(|one| one.addr().is_ipv4());
    let both = [(4, four), (6, six)];
    both.into_iter().filter(|(_, of)| !of.is_empty()).collect()
}

fn set(name: &str, version: u8) -> String {
    format!("{name}_ipv{version}")
}

fn from(version: u8) -> &'static str {
    match version {
        4 => "\t\tip saddr",
        _ => "\t\tip6 saddr",
    }
}

fn chain(opening: &Opening) -> String {
    let span = opening.span().replace('-', "_to_");
    format!("{}_{span}", opening.transport.as_str())
}
