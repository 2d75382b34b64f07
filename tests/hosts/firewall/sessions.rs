//! Whoever is logged in stays able to log in.

use std::time::Duration;

use super::{LAN, NET, POLICY, VPN};
use crate::support::{Host, desired};

const SSH: &str = "[firewall.sources]\nvpn = [\"100.64.0.0/10\"]\n\n[firewall.allow]\n";

/// Somebody is logged in from the local network; somebody on the internet has opened a connection and not logged in.
#[test]
fn ssh_stays_open_to_whoever_is_logged_in() {
    let host = Host::boot();
    host.connect_clients();
    host.sh(
        "mkdir -p /run/sshd /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id
         cp /root/.ssh/id.pub /root/.ssh/authorized_keys; systemctl start ssh",
    );
    let log_in = |netns: &str, address: &str| {
        host.sh(&format!(
            "setsid ip netns exec {netns} ssh -i /root/.ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
             root@{address} 'touch /run/in-{netns}; exec sleep 600' </dev/null >/dev/null 2>&1 &"
        ));
        host.wait_for("session", Duration::from_secs(10), || {
            host.stands(&format!("/run/in-{netns}"))
        });
    };
    log_in(LAN.name, LAN.host);
    host.sh(&format!(
        "setsid ip netns exec net sh -c 'sleep 600 | busybox nc {} 22' >/dev/null 2>&1 &",
        NET.host
    ));
    host.wait_for("connection", Duration::from_secs(5), || {
        host.sh("ss -tnH state established sport = :22")
            .contains(NET.address)
    });

    let refused = |policy: &str| {
        host.commit(&[(&desired("watchme.toml"), Some(policy))], "policy");
        let plan = host.tool(&["plan"]).text();
        let refused = host.apply(&["--yes"]).expect(1).text();
        assert_eq!(host.table(), "", "{refused}");
        (plan, refused)
    };
    host.checkout(&[(
        &desired("sites-available/a"),
        "server { listen 80; return 204; }\n",
    )]);
    // 22 is open to the VPN alone.
    let (plan, text) = refused(POLICY);
    let said = "port 22 would be closed to 192.168.7.5, from where somebody is logged in by SSH";
    assert!(text.contains(said), "{text}");
    assert!(plan.contains(said), "{plan}");
    assert!(
        text.contains("add \"192.168.7.5\", or a source that has it, to 22 in [firewall.allow]"),
        "{text}"
    );
    assert!(!text.contains(NET.address), "who has not logged in: {text}");
    // Nobody named the port.
    let (_, text) = refused(&format!("{SSH}80 = [\"world\"]\n"));
    assert!(
        text.contains("nobody could log in: sshd listens on port 22, which is not named"),
        "{text}"
    );
    // The session in which the command runs, though sshd is not its parent here.
    let policy = format!("{SSH}22 = [\"vpn\", \"192.168.7.0/24\"]\n");
    host.commit(&[(&desired("watchme.toml"), Some(&policy))], "both");
    let own = host.sh(&format!(
        "cd {}; SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu SSH_CONNECTION='203.0.113.5 50000 203.0.113.1 22' watchme-apply plan 2>&1 || true",
        crate::support::CHECKOUT
    ));
    assert!(
        own.contains("port 22 would be closed to 203.0.113.5"),
        "{own}"
    );

    host.apply(&[]).expect(0);
    for (client, expected) in [(VPN, true), (LAN, true), (NET, false)] {
        assert_eq!(host.opens(client, 22), expected, "{client:?}");
    }
    // What is as desired is no reason to refuse anything: this session was there before.
    host.assert_does_nothing(&["apply"]);
    host.sh("pgrep -f 'sleep 600' >/dev/null");
}
