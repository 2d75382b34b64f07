//! Name servers of others that decide where requests go.

use std::net::IpAddr;

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_resolver_external, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let blocks = context.blocks();
    let is_on = |node: &Node<'_>| node.first() == "on";
    let staples = |block: &Block<'_>| block.own("ssl_stapling").iter().any(|node| is_on(node));
    // A signature protects the answers of OCSP: there, whose name server it is does not matter.
    let for_stapling = blocks.iter().any(|block| staples(block));
    for block in blocks {
        let own = block.own("resolver").iter().filter(|_| !for_stapling);
        findings.extend(own.filter_map(|node| external(view, node)));
        let varies = block
            .passes
            .iter()
            .any(|(_, node)| node.first().contains('$'));
        if varies && for_stapling {
            let used = block.setting("resolver");
            findings.extend(used.and_then(|node| external(view, node)));
        }
    }
}

fn external(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let mut servers = node.args().iter().filter(|word| !word.text.contains('='));
    let word = servers.find(|word| address(&word.text).is_some_and(is_public))?;
    let message = format!(
        "{} is not in this network: whoever forges its answers decides where nginx sends requests",
        word.text
    );
    let help = "write a name server of this host or network, such as 127.0.0.1, or 127.0.0.53 for systemd-resolved";
    Some(RULE.at(view.complain(node.path, word.span.clone(), message, "", help)))
}

/// The address of a name server, without its port.
fn address(text: &str) -> Option<IpAddr> {
    if let Some(inside) = text.strip_prefix('[') {
        return inside.split(']').next()?.parse().ok();
    }
    text.split(':')
        .next()?
        .parse()
        .ok()
        .or_else(|| text.parse().ok())
}

/// Whether an address can be one of the Internet; the ranges are those of
/// <https://www.iana.org/assignments/iana-ipv4-special-registry> and its counterpart for IPv6.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn name_servers_of_others() {
        table(
            "nginx-resolver-external",
            &[
                (
                    "resolver 203.0.113.53;",
                    "W sites-available/a:2:10: 203.0.113.53 is not in this network",
                ),
                (
                    "resolver 127.0.0.1 203.0.113.53:53 valid=30s;",
                    "203.0.113.53:53",
                ),
                ("resolver [2606:4700:4700::1111]:53;", "2606"),
                (
                    "ssl_stapling on; resolver 203.0.113.53; location /a { proxy_pass http://$backend; }",
                    "203.0.113.53",
                ),
                ("resolver 127.0.0.1;", ""),
                (
                    "resolver 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.253 100.100.100.100;",
                    "",
                ),
                ("resolver 127.0.0.1 [::1]:53 ::1 [fd00::1];", ""),
                ("resolver 127.0.0.11 valid=10s ipv6=off;", ""),
                ("resolver dns.internal.example.com;", ""),
                (
                    "ssl_stapling on; resolver 203.0.113.53 valid=60s; root /x;",
                    "",
                ),
            ],
        );
    }
}
