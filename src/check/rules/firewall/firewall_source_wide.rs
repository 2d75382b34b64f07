//! Sources that have far more addresses than the network that they are meant for.

use std::ops::Range;

use ipnet::IpNet;

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(firewall_source_wide, Warning, run);

/// Ranges that are nobody's own (RFC 1918, 6598, 4193, 3927, 4291), with what they are for. Shared address space is what
/// VPNs such as Tailscale use.
const PRIVATE: [(&str, &str); 7] = [
    ("100.64.0.0/10", "VPNs and carriers"),
    ("10.0.0.0/8", "private networks"),
    ("172.16.0.0/12", "private networks"),
    ("192.168.0.0/16", "private networks"),
    ("169.254.0.0/16", "addresses of one link"),
    ("fc00::/7", "private networks"),
    ("fe80::/10", "addresses of one link"),
];

fn run(context: &Context, findings: &mut Findings) {
    let policy = &context.revision().parsed.policy;
    let Some(firewall) = &policy.firewall else {
        return;
    };
    for name in firewall.trusted.iter().filter(|name| is_of_card(name)) {
        let message = format!("{} is the name of a network card", name.as_str());
        let expected = "everything that comes in through it reaches every port";
        let help = "list the addresses behind it in [firewall.sources], and remove it from trusted";
        findings.push(RULE.at(policy.file.complain(
            name.span(),
            message,
            expected,
            Some(help.to_owned()),
        )));
    }
    for (range, place) in firewall.ranges() {
        findings.extend(wide(range).map(|(message, expected, help)| {
            let place: Range<usize> = place;
            RULE.at(policy.file.complain(place, message, expected, Some(help)))
        }));
    }
}

/// Whether the kernel or systemd names network cards like that, systemd.net-naming-scheme(7), or a pattern fits their names.
fn is_of_card(name: &str) -> bool {
    let begins = name.trim_end_matches('*');
    let cards = ["eth", "eno", "ens", "enp", "enx", "wlan", "wlp", "wwan"];
    let is_one = |card: &&str| match name.ends_with('*') {
        true => card.starts_with(begins) || begins.starts_with(*card),
        false => {
            let number = begins.strip_prefix(*card);
            let digit = |c: char| c.is_ascii_digit() || *card == "enx" && c.is_ascii_hexdigit();
            number.is_some_and(|rest| rest.starts_with(digit))
        }
    };
    cards.iter().any(is_one)
}

/// What is said of a range, what follows, and what to write.
fn wide(range: IpNet) -> Option<(String, String, String)> {
    if range.prefix_len() == 0 {
        let message = format!("{range} is every address");
        let help = "write \"world\" in [firewall.allow], which says so".to_owned();
        return Some((message, String::new(), help));
    }
    let private = PRIVATE
        .iter()
        .filter_map(|(own, what)| Some((own.parse::<IpNet>().ok()?, what)));
    let inside = private.filter(|(own, _)| range.contains(own) && range != *own);
    // The widest of those that it has, such as 192.168.0.0/16 in 192.0.0.0/8.
    let (own, what) = inside.min_by_key(|(own, _)| own.prefix_len())?;
    let message = format!("{range} contains addresses of the internet");
    let expected = format!("only {own} of it is for {what}");
    Some((message, expected, format!("write \"{own}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cards() {
        for (name, is) in [
            ("eth0", true),
            ("eth*", true),
            ("e*", true),
            ("*", true),
            ("enp3s0", true),
            ("ens18", true),
            ("wlp2s0", true),
            ("docker0", false),
            ("br-*", false),
            ("tailscale0", false),
            ("wg0", false),
            ("ether-lan", false),
            ("podman*", false),
        ] {
            assert_eq!(is_of_card(name), is, "{name}");
        }
    }

    #[test]
    fn ranges_that_have_a_private_one_and_more() {
        let said = |range: &str| wide(range.parse().unwrap()).map(|(_, _, help)| help);
        for (range, expected) in [
            ("100.0.0.0/8", Some("write \"100.64.0.0/10\"")),
            ("192.0.0.0/8", Some("write \"192.168.0.0/16\"")),
            ("172.0.0.0/8", Some("write \"172.16.0.0/12\"")),
            ("f000::/4", Some("write \"fc00::/7\"")),
            (
                "0.0.0.0/0",
                Some("write \"world\" in [firewall.allow], which says so"),
            ),
            (
                "::/0",
                Some("write \"world\" in [firewall.allow], which says so"),
            ),
            ("100.64.0.0/10", None),
            ("100.64.0.0/16", None),
            ("10.0.0.0/8", None),
            ("203.0.113.0/24", None),
            ("203.0.0.0/8", None),
            ("fd7a:115c:a1e0::/48", None),
        ] {
            assert_eq!(said(range).as_deref(), expected, "{range}");
        }
    }
}
