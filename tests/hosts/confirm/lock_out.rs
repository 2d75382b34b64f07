//! Somebody applies over SSH what shuts them out.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired};

const LOG_IN: &str = "ssh -i /root/.ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=2 root@127.0.0.1";
/// The file of another person's rules, as nftables.service loads it.
const RULES: &str = "#!/usr/sbin/nft -f
table inet site { }
delete table inet site
table inet site {
    chain input {
        type filter hook input priority 0; policy accept;
        RULE
    }
}
";

fn rules(rule: &str) -> String {
    RULES.replace("RULE", rule)
}

fn can_log_in(host: &Host) -> bool {
    host.try_sh(&format!("{LOG_IN} true </dev/null")).status == 0
}

#[test]
#[ignore = "long: a connection that is cut off, and the time to confirm"]
fn who_is_shut_out_gets_in_again() {
    let host = Host::boot();
    host.sh(
        "mkdir -p /run/sshd /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id
         cp /root/.ssh/id.pub /root/.ssh/authorized_keys; systemctl start ssh",
    );
    host.checkout(&[
        (
            &desired("watchme.toml"),
            "[etc.\"nftables.conf\"]\nreload = \"nftables.service\"\nmode = \"0755\"\n",
        ),
        (&desired("etc/nftables.conf"), &rules("tcp dport 9 drop")),
    ]);
    host.sh("systemctl start nftables");
    host.apply(&["--yes"]).expect(0);
    assert!(can_log_in(&host));

    host.commit(
        &[(
            &desired("etc/nftables.conf"),
            Some(&rules("tcp dport 22 drop")),
        )],
        "nobody gets in",
    );
    // On a terminal of a real session, which the new rule cuts off: it ends with the client.
    host.sh(&format!(
        "setsid {LOG_IN} -tt 'cd {CHECKOUT}; SUDO_USER=ubuntu SUDO_UID=1000 SUDO_GID=1000 watchme-apply apply --confirm 12s' </dev/null >/root/session 2>&1 &"
    ));
    host.wait_for("the lock-out", Duration::from_secs(30), || {
        host.sh("nft list ruleset").contains("dport 22 drop")
    });
    assert!(!can_log_in(&host), "the rule holds");
    let status = host.tool(&["status"]).text();
    assert!(status.contains("waits for confirmation"), "{status}");
    host.sh("pkill -KILL -x ssh || true");
    host.wait_for("the rollback", Duration::from_secs(40), || {
        host.sh("nft list ruleset").contains("dport 9 drop")
    });
    assert!(can_log_in(&host), "a new connection works");
    host.wait_for("the end", Duration::from_secs(20), || {
        !host.stands("/var/lib/watchme-apply/confirm.json")
    });
    host.tool(&["plan"]).expect(0);
    let history = host.tool(&["history"]).expect(0).text();
    assert!(history.contains("not confirmed: applied by "), "{history}");
}
