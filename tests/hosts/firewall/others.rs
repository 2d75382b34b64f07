//! Hosts that have another firewall, or no nft.

use super::POLICY;
use crate::support::{Debian, Host, desired, service};

#[test]
fn another_firewall_is_refused_and_a_host_needs_nft() {
    let host = Host::boot();
    host.checkout(&[(&desired("watchme.toml"), POLICY)]);
    // Whoever is not root is told what was not looked at.
    let plan = host.sh_as(
        "ubuntu",
        &format!(
            "cd {}; watchme-apply plan 2>&1 || true",
            crate::support::CHECKOUT
        ),
    );
    assert!(
        plan.contains("the table was not checked: needs root"),
        "{plan}"
    );
    let refused = |said: &[&str]| {
        let text = host.apply(&["--yes"]).expect(1).text();
        for said in said {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert_eq!(host.table(), "");
        assert!(!host.stands("/etc/watchme-apply/firewall.nft"));
    };
    // Debian 12 has no ufw here: its file is what says whether it is active.
    let has_ufw = host.debian() == Debian::Thirteen;
    match has_ufw {
        true => host.sh("ufw --force enable"),
        false => host.sh("mkdir -p /etc/ufw; echo ENABLED=yes >/etc/ufw/ufw.conf"),
    };
    refused(&[
        "ufw is active: a port would be open only where both let it through",
        "then ufw disable, and apply at once",
    ]);
    match has_ufw {
        true => host.sh("ufw disable"),
        false => host.sh("echo ENABLED=no >/etc/ufw/ufw.conf"),
    };

    host.write(
        "/etc/systemd/system/firewalld.service",
        &service("/bin/sleep 1000"),
    );
    host.sh("systemctl start firewalld");
    refused(&[
        "firewalld is active: ",
        "systemctl disable --now firewalld, and apply at once",
    ]);
    host.sh("systemctl stop firewalld; rm /etc/systemd/system/firewalld.service");

    host.sh("ip link add br-lan type bridge; ip link add eth9 type veth peer name eth8; ip link set eth9 master br-lan");
    refused(&[
        "everything may come from br-lan, and eth9 is a port of it that does not belong to a container",
        "if it is to be trusted, list br-lan itself",
    ]);
    host.sh("ip link del br-lan; ip link del eth9");

    host.sh("mv /usr/sbin/nft /root/nft");
    refused(&["there is no nft on this host", "apt-get install nftables"]);
    // One that refuses what is asked of it.
    host.write(
        "/usr/sbin/nft",
        "#!/bin/sh\ncase $1 in -j) exec /root/nft \"$@\";; esac\necho '/dev/stdin:9:1-2: Error: syntax error, unexpected proto-dst' >&2\nexit 1\n",
    );
    host.sh("chmod +x /usr/sbin/nft");
    refused(&[
        "nft does not take the rules: ",
        "published ports cannot be governed here",
    ]);
    host.sh("mv /root/nft /usr/sbin/nft");
    host.apply(&["--yes"]).expect(0);
    // One that fails: an apply says what it said, and `status` goes on.
    host.sh("mv /usr/sbin/nft /root/nft");
    host.write(
        "/usr/sbin/nft",
        "#!/bin/sh\necho 'netlink: Error: cache initialization failed: Operation not supported' >&2\nexit 1\n",
    );
    host.sh("chmod +x /usr/sbin/nft");
    let failed = host.apply(&[]).expect(1).text();
    for said in [
        "error: nftables: could not list the tables of nftables",
        "cache initialization failed: Operation not supported",
        "hint: nft -c -f /etc/watchme-apply/firewall.nft; nft list ruleset",
    ] {
        assert!(failed.contains(said), "{said}\n{failed}");
    }
    let status = host.tool(&["status"]).text();
    assert!(
        status.contains("firewall: not checked: nftables: could not list"),
        "{status}"
    );
    host.sh("mv /root/nft /usr/sbin/nft");
    host.tool(&["drift"]).expect(0);
}
