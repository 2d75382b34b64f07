//! An active ufw that is driven. Debian 13 alone has it here.

use std::time::Duration;

use super::{POLICY, assert_governed, prepared};
use crate::support::{CHECKOUT, Debian, Host, desired, service};

const DRIVE: &str = "[firewall]\nufw = \"drive\"\n\n";

impl Host {
    /// The rules that ufw has, sorted.
    fn ufw(&self) -> Vec<String> {
        let rules = "grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules | sort";
        self.sh(rules).lines().map(str::to_owned).collect()
    }

    /// Packets over loopback that ufw has let through since its chains were loaded.
    fn counted(&self) -> u64 {
        let list = "iptables -nvxL ufw-before-input | awk '$6 == \"lo\" {print $1; exit}'";
        self.sh(list).parse().expect("a number")
    }
}

#[test]
fn an_active_ufw_is_driven_rule_by_rule() {
    let host = prepared(Host::boot_debian(Debian::Thirteen), "");
    host.sh("ufw allow 80/tcp comment theirs; ufw allow from 192.0.2.7; ufw --force enable");
    let theirs = host.ufw();
    host.apply(&[]).expect(0);
    assert_eq!(host.who_reaches(8001), [""; 0]);
    let all = ["vpn", "lan", "net"];
    assert_eq!(host.who_reaches(8003), all, "published ports pass ufw by");

    let policy = format!("{DRIVE}{POLICY}");
    host.commit(&[(&desired("watchme.toml"), Some(&policy))], "drive");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    for line in [
        "ufw allow proto tcp from 100.64.0.0/10 to any port 8001  (ufw does not have it)",
        "ufw allow proto tcp from fd7a:115c:a1e0::/48 to any port 8001",
        "load the rules",
        "ufw has rules of others about 8001/tcp",
        "allow any any 0.0.0.0/0 any 192.0.2.7 in",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    assert!(
        !plan.contains("from any to any port 80 "),
        "ufw has it: {plan}"
    );
    host.sh("ufw delete allow from 192.0.2.7; curl -s http://127.0.0.1/ >/dev/null");
    let theirs = theirs.into_iter();
    let theirs: Vec<String> = theirs.filter(|line| !line.contains("192.0.2.7")).collect();
    let counted = host.counted();
    assert!(counted > 0);
    host.apply(&[]).expect(0);
    assert!(host.counted() >= counted, "ufw was not reloaded");
    assert_governed(&host);
    assert!(!host.table().contains("chain input"), "ufw has those");
    host.assert_does_nothing(&["apply"]);
    host.tool(&["drift"]).expect(0);

    a_run_fails_and_one_does_not(&host, &policy);
    // Somebody deletes a rule of ours, and adds one.
    host.sh("ufw delete allow proto tcp from 192.168.0.0/16 to any port 8001; ufw deny 8002");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    for said in [
        "ufw does not have it",
        "ufw has rules of others about 8002/tcp",
    ] {
        assert!(drift.contains(said), "{said}\n{drift}");
    }
    host.tool(&["drift", "--fix"]);
    assert_eq!(host.who_reaches(8001), ["lan"]);
    host.sh("ufw delete deny 8002");
    host.tool(&["drift"]).expect(0);

    host.commit(
        &[
            (&desired("watchme.toml"), Some("")),
            (&desired("etc/motd"), Some("hello\n")),
        ],
        "none",
    );
    host.apply(&["--yes"]).expect(0);
    assert_eq!(host.ufw(), theirs);
    assert_eq!(host.table(), "");
}

fn a_run_fails_and_one_does_not(host: &Host, policy: &str) {
    let before = host.ufw();
    let moved = policy.replace("8001 = [\"vpn\"]", "8001 = [\"lan\"]");
    let broken = service("/bin/false");
    host.commit(
        &[
            (&desired("watchme.toml"), Some(&moved)),
            (&desired("systemd/broken.service"), Some(&broken)),
        ],
        "broken",
    );
    let failed = host.apply(&["--yes"]).text();
    let undone = "undo: ufw delete allow proto tcp from 192.168.0.0/16 to any port 8001";
    assert!(failed.contains(undone), "{failed}");
    assert_eq!(host.ufw(), before);
    assert_governed(host);
    host.commit(&[(&desired("systemd/broken.service"), None)], "moved");
    host.apply(&["--yes"]).expect(0);
    assert_eq!(host.who_reaches(8001), ["lan"]);
}

#[test]
fn an_ufw_that_cannot_be_driven_is_refused() {
    let host = Host::boot_debian(Debian::Thirteen);
    let policy = format!("{DRIVE}{POLICY}");
    host.checkout(&[(&desired("watchme.toml"), &policy)]);
    let refused = |said: &str| {
        let text = host.apply(&["--yes"]).expect(1).text();
        assert!(text.contains(said), "{said}\n{text}");
    };
    refused("ufw is not active, and is to have the rules about ports of the host");
    host.sh("ufw default allow incoming; ufw --force enable");
    refused("ufw lets in what no rule of it names");
    host.sh("ufw default deny incoming; mv /usr/sbin/ufw /root/ufw");
    host.write("/usr/sbin/ufw", "#!/bin/sh\necho ERROR: no >&2\nexit 1\n");
    host.sh("chmod +x /usr/sbin/ufw");
    let text = host.apply(&["--yes"]).text();
    for said in [
        "ufw: could not add a rule",
        "ERROR: no",
        "hint: ufw status numbered; ufw show added",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert_eq!(host.table(), "", "{text}");
}

/// ufw asks iptables for its version before it reads its rules: a slow one makes it certain that a run is killed before the
/// rules change.
const SLOW: &str = "#!/bin/sh\n[ -e /run/slow ] && [ \"$1\" = -V ] && sleep 3\nexec /usr/sbin/xtables-nft-multi iptables \"$@\"\n";

impl Host {
    /// Rules of somebody else stand behind ours, and decide about what those let through; and a commit closes ports.
    fn about_to_close(&self) {
        self.sh("ufw --force enable");
        let policy = format!("{DRIVE}{POLICY}");
        self.commit(&[(&desired("watchme.toml"), Some(&policy))], "drive");
        self.apply(&[]).expect(0);
        self.sh(
            "ufw deny proto tcp from any to any port 8000:8009 comment theirs
             ufw route allow proto tcp from 192.0.2.7 to any port 9
             ufw allow from 2001:db8::/32; ufw reject out 25/tcp",
        );
        let closed = policy
            .replace("80 = [\"world\"]", "80 = [\"lan\"]")
            .replace("8001 = [\"vpn\"]", "8001 = [\"lan\"]");
        self.commit(&[(&desired("watchme.toml"), Some(&closed))], "closed");
    }

    /// The files of ufw, and the rules that the kernel has of them.
    fn all_of_ufw(&self) -> String {
        self.sh("cat /etc/ufw/user.rules /etc/ufw/user6.rules; iptables -S ufw-user-input; ip6tables -S ufw6-user-input")
    }
}

#[test]
fn a_rule_that_a_run_deleted_is_put_back_where_it_was() {
    let host = prepared(Host::boot_debian(Debian::Thirteen), "");
    host.about_to_close();
    let before = host.all_of_ufw();
    let broken = service("/bin/false");
    host.commit(
        &[(&desired("systemd/broken.service"), Some(&broken))],
        "broken",
    );
    let failed = host.apply(&["--yes"]).expect(3).text();
    let undone = "undo: ufw allow proto tcp from any to any port 80";
    assert!(failed.contains(undone), "{failed}");
    assert_eq!(host.all_of_ufw(), before, "{failed}");
}

/// The ufw of a run that is killed goes on to its end: only then its rules are put back.
#[test]
#[ignore = "long: tests/run --all"]
fn the_ufw_of_a_killed_run_is_waited_for() {
    let host = prepared(Host::boot_debian(Debian::Thirteen), "");
    host.about_to_close();
    host.sh("rm /usr/sbin/iptables; touch /run/slow");
    host.write("/usr/sbin/iptables", SLOW);
    host.sh("chmod +x /usr/sbin/iptables");
    let before = host.all_of_ufw();
    let kill = |doing: &str| {
        host.sh(&format!(
            "cd {CHECKOUT}; SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu setsid watchme-apply apply --yes >/run/apply 2>&1 & echo $! >/run/process"
        ));
        host.wait_for(doing, Duration::from_secs(40), || {
            host.try_sh(&format!("pgrep -f '^[^ ]*python3 /usr/sbin/ufw {doing}'"))
                .status
                == 0
        });
        host.sh("kill -9 $(cat /run/process)");
    };
    for doing in ["allow", "delete"] {
        kill(doing);
        let recovered = host.tool(&["recover"]).expect(0).text();
        assert!(recovered.contains("undo: ufw"), "{recovered}");
        host.wait_for("the end of ufw", Duration::from_secs(20), || {
            host.try_sh("pgrep -f /usr/sbin/uf[w]").status == 1
        });
        assert_eq!(host.all_of_ufw(), before, "{recovered}");
    }
    // One that does not end is named, and the next recovery tries again.
    kill("delete");
    host.sh("pkill -STOP -f '/usr/sbin/ufw delet[e]'");
    let text = host.tool(&["recover"]).expect(4).text();
    let said = "another ufw still runs: ps -fp ";
    assert!(text.contains(said), "{text}");
    host.sh("pkill -CONT -f '/usr/sbin/ufw delet[e]'; rm /run/slow");
    host.tool(&["recover"]).expect(0);
    assert_eq!(host.all_of_ufw(), before);
    host.apply(&["--yes"]).expect(0);
    assert_eq!(host.who_reaches(8001), [""; 0], "theirs comes first");
}
