//! The firewall: clients in namespaces of their own, with addresses of a VPN, of the local network and of the internet, say
//! what they reach.

mod others;
mod podman;
mod sessions;
mod ufw;

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service};

/// A client: the name of its namespace, its address, and that of the host for it.
#[derive(Clone, Copy, Debug)]
struct Client {
    name: &'static str,
    address: &'static str,
    host: &'static str,
}

const VPN: Client = Client {
    name: "vpn",
    address: "100.64.0.5",
    host: "100.64.0.1",
};
const LAN: Client = Client {
    name: "lan",
    address: "192.168.7.5",
    host: "192.168.7.1",
};
const NET: Client = Client {
    name: "net",
    address: "203.0.113.5",
    host: "203.0.113.1",
};
const SIX: Client = Client {
    name: "vpn",
    address: "fd7a:115c:a1e0::5",
    host: "fd7a:115c:a1e0::1",
};

const POLICY: &str = "\
[firewall.sources]
vpn = [\"100.64.0.0/10\", \"fd7a:115c:a1e0::/48\"]
lan = [\"192.168.0.0/16\"]

[firewall.allow]
22 = [\"vpn\"]
80 = [\"world\"]
8001 = [\"vpn\"]
8002 = [\"vpn\", \"lan\"]
";

/// A table of somebody else.
const OTHER: &str =
    "nft 'add table inet other; add chain inet other c { type filter hook input priority 0; }'
     nft add rule inet other c tcp dport 9 drop";

impl Host {
    /// Connects the clients, each to a network of its own with the host.
    pub(crate) fn connect_clients(&self) {
        for client in [VPN, LAN, NET] {
            let Client {
                name,
                address,
                host,
            } = client;
            self.sh(&format!(
                "ip netns add {name}
                 ip link add {name}0 type veth peer name eth0 netns {name}
                 ip addr add {host}/24 dev {name}0
                 ip link set {name}0 up
                 ip -n {name} addr add {address}/24 dev eth0
                 ip -n {name} link set eth0 up
                 ip -n {name} link set lo up
                 ip -n {name} route add default via {host}"
            ));
        }
        self.sh(&format!(
            "mount -o remount,rw /proc/sys 2>/dev/null || true
             echo 0 >/proc/sys/net/ipv6/conf/vpn0/disable_ipv6
             ip netns exec vpn sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
             ip addr add {}/64 dev vpn0 nodad; ip -n vpn addr add {}/64 dev eth0 nodad",
            SIX.host, SIX.address
        ));
    }

    /// Whether a client gets a connection to a port of the host.
    fn opens(&self, client: Client, port: u16) -> bool {
        let Client { name, host, .. } = client;
        let open = format!("exec 3<>/dev/tcp/{host}/{port}");
        let netns = ["ip", "netns", "exec", name, "timeout", "0.5", "bash", "-c"];
        self.run(&[&netns[..], &[&open]].concat()).status == 0
    }

    /// Opens a connection and sends the first half of a request.
    fn hold(&self, client: Client, port: u16) {
        let Client { name, host, .. } = client;
        self.sh(&format!(
            "mkfifo /run/held; exec 3<>/run/held
             setsid ip netns exec {name} busybox nc {host} {port} <&3 >/run/answer 2>/dev/null &
             printf 'GET / HTTP/1.0\r\n' >&3"
        ));
        let established = format!("ip netns exec {name} ss -tnH state established dport = :{port}");
        self.wait_for("connection", Duration::from_secs(5), || {
            !self.sh(&established).is_empty()
        });
    }

    /// Whether the other half gets the answer.
    fn is_still_held(&self) -> bool {
        self.sh("printf '\r\n' >/run/held; sleep 0.5; cat /run/answer")
            .contains("app:1")
    }

    /// The names of the clients of IPv4 that reach a port.
    pub(crate) fn who_reaches(&self, port: u16) -> Vec<&'static str> {
        let all = [VPN, LAN, NET];
        let tries = all.map(|Client { name, host, .. }| {
            format!("(ip netns exec {name} timeout 0.5 bash -c 'exec 3<>/dev/tcp/{host}/{port}' 2>/dev/null && echo {name}) &")
        });
        let reached = self.sh(&format!("{}\nwait", tries.join("\n")));
        let all = all.into_iter().map(|client| client.name);
        all.filter(|name| reached.lines().any(|line| line == *name))
            .collect()
    }

    fn table(&self) -> String {
        self.try_sh("nft -s list table inet watchme_apply").stdout
    }
}

fn published() -> String {
    "services:\n  app:\n    image: app:1\n    mem_limit: 32m\n    ports: ['0.0.0.0:8002:8000', '0.0.0.0:8003:8000']\n"
        .to_owned()
}

/// nginx on 80, a program of the host on 8001, a container on 8002 and 8003.
fn host_with(policy: &str) -> Host {
    prepared(Host::boot(), policy)
}

fn prepared(host: Host, policy: &str) -> Host {
    host.load_service_image("app:1", 8000, &[]);
    host.connect_clients();
    let app = format!(
        "[Unit]\nAfter=docker.service\nRequires=docker.service\n\n[Service]\n\
         ExecStart=/usr/bin/docker-compose -f {CHECKOUT}/desired-state/compose/app/docker-compose.yml up\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    host.checkout(&[
        (&desired("watchme.toml"), policy),
        (
            &desired("systemd/own.service"),
            &service("/bin/busybox httpd -f -p 8001 -h /srv"),
        ),
        (&desired("systemd/app.service"), &app),
        (&desired("compose/app/docker-compose.yml"), &published()),
    ]);
    host
}

/// The same served by nobody of the desired state, which has the firewall and a file.
fn host_of_others() -> Host {
    let host = Host::with_images(&["app:1"]);
    host.connect_clients();
    host.write(
        "/etc/systemd/system/own.service",
        &service("/bin/busybox httpd -f -p 8001 -h /srv"),
    );
    host.sh("systemctl enable -q --now own
         docker run -d --restart always -p 8002:8000 -p 8003:8000 app:1 >/dev/null");
    host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (&desired("etc/motd"), "hello\n"),
    ]);
    host.apply(&[]).expect(0);
    host
}

/// What everybody is held to while the policy is applied.
#[track_caller]
fn assert_governed(host: &Host) {
    assert_eq!(host.who_reaches(80), ["vpn", "lan", "net"]);
    assert_eq!(host.who_reaches(8001), ["vpn"]);
    assert_eq!(host.who_reaches(8002), ["vpn", "lan"], "published");
    assert_eq!(host.who_reaches(8003), [""; 0], "published and not named");
    assert!(host.opens(SIX, 8001), "by IPv6");
    assert!(!host.opens(SIX, 8003), "by IPv6");
    host.wait_for_image("app:1", 8003, Duration::from_secs(20));
}

#[test]
fn ports_are_open_to_whom_they_are_named() {
    let host = host_with("");
    host.sh(OTHER);
    let other = || host.sh("nft list table inet other");
    let others = other();
    host.apply(&[]).expect(0);
    host.wait_for_image("app:1", 8003, Duration::from_secs(20));
    assert_eq!(host.who_reaches(8003), ["vpn", "lan", "net"]);
    // Without a firewall nothing of this kind is there, and nft is not called.
    assert_eq!(host.table(), "");
    let calls = host.sh(&format!(
        "cd {CHECKOUT}; SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu strace -f -qq -e trace=execve,openat -o /run/calls watchme-apply plan >/dev/null; cat /run/calls"
    ));
    for call in [
        "execve(\"/usr/sbin/nft",
        "/proc/net/tcp",
        "/sys/class/net",
        "ufw",
    ] {
        assert!(!calls.contains(call), "{call}");
    }

    host.hold(NET, 8003);
    host.commit(&[(&desired("watchme.toml"), Some(POLICY))], "firewall");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "firewall/watchme_apply: load the rules",
        "+8001/tcp vpn",
        "+80/tcp world",
        "+other published ports nobody",
        "+vpn is 100.64.0.0/10, fd7a:115c:a1e0::/48",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    host.apply(&[]).expect(0);
    assert_governed(&host);
    assert!(host.is_still_held(), "an open connection goes on");
    assert_eq!(other(), others, "tables of others");
    host.assert_does_nothing(&["apply"]);
    // Past the published port, by a route to the network of the container.
    let container = host.sh("docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $(docker ps -q)");
    let direct = Client {
        host: container.leak(),
        ..VPN
    };
    assert!(!host.opens(direct, 8000), "{direct:?}");
    // From containers to the host, and to each other by the host.
    let inside = "docker exec $(docker ps -q) wget -q -O - http://172.17.0.1";
    let inside = inside.replace(
        "172.17.0.1",
        &host.sh("ip -4 -o addr show docker0 | awk '{sub(\"/.*\",\"\",$4); print $4}'"),
    );
    assert_eq!(host.sh(&format!("{inside}:8003/")), "app:1");
    host.sh(&format!("{inside}:80/ >/dev/null"));
}

/// Docker writes its rules anew, and the host boots: at no moment after the network is up is a port open that was closed.
#[test]
#[ignore = "long: tests/run --all"]
fn the_table_outlasts_docker_and_a_reboot() {
    let host = host_of_others();
    assert_governed(&host);
    host.sh("systemctl restart docker");
    host.wait_for_image("app:1", 8003, Duration::from_secs(30));
    assert_governed(&host);
    // Its file begins with `flush ruleset`.
    host.sh("grep -q '^flush ruleset' /etc/nftables.conf; systemctl enable nftables");
    host.reboot();
    host.connect_clients();
    host.wait_for_image("app:1", 8003, Duration::from_secs(30));
    assert_governed(&host);
    let order = |unit: &str| host.property(unit, "ActiveEnterTimestampMonotonic");
    let number = |text: String| text.parse::<u64>().expect("microseconds");
    let loaded = number(order("watchme-apply-firewall.service"));
    for later in ["basic.target", "docker.service", "nginx.service"] {
        assert!(loaded < number(order(later)), "{later}");
    }
    host.assert_does_nothing(&["apply"]);
}

/// Flushed, edited, disabled: `drift` sees it, and `drift --fix` brings it back. Taken out, it leaves.
#[test]
#[ignore = "long: tests/run --all"]
fn the_table_is_kept_and_leaves_with_its_policy() {
    let host = host_of_others();
    host.sh(OTHER);
    let others = host.sh("nft list table inet other");
    for (edit, said) in [
        (
            "nft delete table inet watchme_apply",
            "is gone from the kernel",
        ),
        (
            "nft insert rule inet watchme_apply input tcp dport 8003 accept",
            "was edited on the host",
        ),
        (
            "rm /etc/systemd/system/sysinit.target.wants/watchme-apply-firewall.service",
            "is gone",
        ),
        (
            "echo >>/etc/watchme-apply/firewall.nft",
            "was edited on the host",
        ),
    ] {
        host.sh(edit);
        let drift = host.tool(&["drift"]).expect(2).stdout;
        assert!(
            drift.contains("firewall/watchme_apply") && drift.contains(said),
            "{edit}\n{drift}"
        );
        let status = host.tool(&["status"]).stdout;
        if edit.contains("nft") && edit.contains("inet") {
            assert!(status.contains("firewall: its rules "), "{edit}\n{status}");
        }
        host.tool(&["drift", "--fix"]).expect(0);
        host.tool(&["drift"]).expect(0);
    }
    assert_governed(&host);

    let closed = POLICY.replace("8002 = [\"vpn\", \"lan\"]", "8002 = []");
    host.commit(&[(&desired("watchme.toml"), Some(&closed))], "closed");
    host.apply(&["--only", "firewall"]).expect(0);
    assert_eq!(host.who_reaches(8002), [""; 0]);
    host.tool(&["rollback"]).expect(0);
    assert_governed(&host);

    host.commit(&[(&desired("watchme.toml"), Some(""))], "none");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("remove the rules: every port is open again"),
        "{plan}"
    );
    host.apply(&["--yes"]).expect(0);
    assert_eq!(host.table(), "");
    assert_eq!(host.sh("nft list table inet other"), others);
    for path in [
        "/etc/watchme-apply/firewall.nft",
        "/etc/systemd/system/watchme-apply-firewall.service",
        "/etc/systemd/system/sysinit.target.wants/watchme-apply-firewall.service",
    ] {
        assert!(!host.stands(path), "{path}");
    }
    assert_eq!(host.who_reaches(8003), ["vpn", "lan", "net"]);
    host.assert_does_nothing(&["apply"]);
}

/// A step after it fails, or the run is killed: the rules are those from before.
#[test]
#[ignore = "long: tests/run --all"]
fn a_run_that_fails_leaves_the_rules_from_before() {
    let host = host_with(POLICY);
    host.apply(&[]).expect(0);
    let before = (host.table(), host.picture());
    let wider = POLICY.replace("8001 = [\"vpn\"]", "8001 = [\"world\"]");
    let broken = service("/bin/false");
    host.commit(
        &[
            (&desired("watchme.toml"), Some(&wider)),
            (&desired("systemd/broken.service"), Some(&broken)),
        ],
        "broken",
    );
    let failed = host.apply(&[]).text();
    assert!(
        failed.contains("load the rules that the firewall had"),
        "{failed}"
    );
    assert_eq!(host.table(), before.0);
    host.assert_unchanged(&before.1, "a run that failed");
    assert_governed(&host);

    host.commit(&[(&desired("systemd/broken.service"), None)], "mended");
    let slow = "[Service]\nType=oneshot\nExecStart=/bin/sleep 60\n\n[Install]\nWantedBy=multi-user.target\n";
    host.commit(&[(&desired("systemd/slow.service"), Some(slow))], "slow");
    host.sh(&format!(
        "cd {CHECKOUT}; SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu setsid watchme-apply apply >/run/apply 2>&1 & echo $! >/run/process"
    ));
    host.wait_for("new rules", Duration::from_secs(20), || {
        host.table() != before.0
    });
    host.sh("kill -9 $(cat /run/process)");
    let recovered = host.tool(&["recover"]).text();
    assert_eq!(host.table(), before.0, "{recovered}");
    host.commit(&[(&desired("systemd/slow.service"), None)], "quick");
    host.apply(&[]).expect(0);
    assert_eq!(host.who_reaches(8001), ["vpn", "lan", "net"]);
    host.assert_does_nothing(&["apply"]);
}
