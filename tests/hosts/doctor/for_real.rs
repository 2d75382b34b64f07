//! Causes around a service: its network, its login, its memory, its certificate, and the files of its disk.

use std::time::Duration;

use super::{app, causes, conditional, says};
use crate::support::network::Server;
use crate::support::{Debian, Host, desired};

const BOUND: Duration = Duration::from_secs(30);

const SECURE: &str = "server {
    listen 443 ssl;
    server_name s.example.com;
    ssl_certificate /etc/ssl/s.pem;
    ssl_certificate_key /etc/ssl/s.key;
    location / { return 200 s; }
}
";

const APP: &str = "services:
  aside:
    image: busybox:1.36.1
    container_name: watchme-aside
    stop_grace_period: 1s
    networks: [watchme-network]
  hog:
    image: busybox:1.36.1
    container_name: hog
    stop_grace_period: 1s
    cgroup_parent: GROUP
    command: ['/bin/sh', '-c', 'while ! test -e /tmp/go; do sleep 1; done; exec busybox tail /dev/zero']
networks: {watchme-network: {external: true}}
";

/// A registry of which the logins are over once a file says so, in the words of ECR.
const REGISTRY: &str = r#"
import os, socketserver

OVER = b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}'

class Registry(socketserver.StreamRequestHandler):
    def handle(self):
        verb, path, _ = self.rfile.readline().decode().split()
        headers = {}
        while (line := self.rfile.readline().decode().strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status, more, body = "200 OK", "", b"{}"
        if "authorization" not in headers:
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n'
        elif "/manifests/" in path:
            status, body = ("403 Forbidden", OVER) if os.path.exists("/srv/over") else ("404 Not Found", b"{}")
        head = "HTTP/1.1 %s\r\nDocker-Distribution-Api-Version: registry/2.0\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        self.wfile.write((head % (status, more, len(body))).encode() + (b"" if verb == "HEAD" else body))

socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 5050), Registry).serve_forever()
"#;

/// An authority that the host trusts; `issue NAME FROM UNTIL` makes the certificate of the site, with these dates.
const AUTHORITY: &str = r"#!/bin/sh
set -e
cd /srv/ca
if ! [ -f ca.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=CA -keyout ca.key -out ca.crt
    cp ca.crt /usr/local/share/ca-certificates/test.crt
    update-ca-certificates
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=/srv/ca/index\nserial=/srv/ca/serial\nnew_certs_dir=/srv/ca\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n' >ca.cnf
    : >index
    echo 01 >serial
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=s -keyout /etc/ssl/s.key -out /dev/null
fi
openssl req -new -key /etc/ssl/s.key -subj /CN=s -addext subjectAltName=DNS:$1 -out s.csr
openssl ca -batch -notext -config ca.cnf -cert ca.crt -keyfile ca.key -in s.csr -out /etc/ssl/s.pem \
    -startdate $(date -u -d $2 +%Y%m%d%H%M%SZ) -enddate $(date -u -d $3 +%Y%m%d%H%M%SZ)
";

fn issue(host: &Host, name: &str, from: &str, until: &str) {
    host.sh(&format!(
        "sh /srv/ca/issue {name} {from} {until} >/srv/ca/log 2>&1 || {{ cat /srv/ca/log >&2; exit 1; }}"
    ));
}

#[test]
#[ignore = "long: containers that are made and killed, registries that are asked"]
fn networks_logins_memory_certificates_and_inodes() {
    let host = Host::boot();
    host.write("/srv/registry.py", REGISTRY);
    host.write("/srv/ca/issue", AUTHORITY);
    issue(&host, "s.example.com", "yesterday", "20days");
    host.sh("touch /run/pull; systemd-run -q --unit registry python3 /srv/registry.py");
    host.wait_for("the registry", BOUND, || {
        host.try_sh("ss -ltn | grep -q :5050").status == 0
    });
    let group = format!("/doctor-{}", host.name());
    host.sh(&format!(
        "if [ -d /sys/fs/cgroup/memory ]; then
             cd /sys/fs/cgroup/memory; mkdir .{group}; echo 48M >.{group}/memory.limit_in_bytes
             [ ! -f .{group}/memory.memsw.limit_in_bytes ] || echo 48M >.{group}/memory.memsw.limit_in_bytes
         else
             cd /sys/fs/cgroup; mkdir .{group}; echo 48M >.{group}/memory.max; echo 0 >.{group}/memory.swap.max
         fi"
    ));
    let pull = conditional("pull", "docker pull 127.0.0.1:5050/app:1", "");
    Server::with_owner()
        .with("app/docker-compose.yml", APP.replace("GROUP", &group))
        .with(&desired("systemd/app.service"), app())
        .with(&desired("systemd/pull.service"), pull)
        .with(&desired("sites-available/s"), SECURE)
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.wait_for("the container", BOUND, || {
        host.names_on_network("watchme-network")
            .contains("watchme-aside")
    });
    let well = host.tool(&["doctor"]).text();
    assert!(well.contains("nothing wrong was found"), "{well}");

    networks(&host);
    login(&host);
    certificates(&host);
    inodes(&host);
    memory(&host, &group);
}

/// Somebody removed the network: of a container that runs, and of one that does not start any more.
fn networks(host: &Host) {
    let is_on = || {
        host.names_on_network("watchme-network")
            .contains("watchme-aside")
    };
    let remove = "docker network disconnect -f watchme-network watchme-aside; docker network rm watchme-network";
    host.sh(remove);
    let told = causes(host, &["watchme-network"], 2);
    for told in [&told, &causes(host, &[], 2)] {
        let missing = [
            "network-missing watchme-network: the network watchme-network is missing",
            "its members: watchme-aside",
            "watchme-apply drift --fix",
        ];
        says(told, &missing);
    }
    // What is advised helps. Compose 2 makes containers on the id of a network, which the engine does not forget.
    let fixed = host.tool(&["drift", "--fix"]).text();
    if host.debian() == Debian::Thirteen {
        let why = "the engine connects them to no other: watchme-aside";
        says(&told, &[why, "sudo systemctl restart app.service"]);
        let left = "the engine connects it to no other until it is recreated: systemctl restart app.service";
        says(&fixed, &[left]);
        host.sh("systemctl restart app.service");
    }
    host.wait_for("the container", BOUND, is_on);
    let well = host.tool(&["doctor", "watchme-network"]).expect(0).text();
    says(&well, &["nothing wrong was found"]);

    host.sh("systemctl stop app; docker network rm watchme-network; systemctl start app || true");
    let told = causes(host, &["app.service"], 2);
    says(
        &told,
        &[
            "network-missing app.service: app.service does not start: the network watchme-network is missing",
            "watchme-apply drift --fix",
            "sudo systemctl restart app.service",
        ],
    );
    host.tool(&["drift", "--fix"]);
    host.sh("systemctl restart app.service");
    host.wait_for("the container", BOUND, is_on);
}

/// A login that was good once.
fn login(host: &Host) {
    host.sh(
        "echo x | docker login -u AWS --password-stdin 127.0.0.1:5050 2>/dev/null; touch /srv/over
             rm /run/pull; systemctl restart pull.service",
    );
    host.wait_for("its failure", BOUND, || {
        host.property("pull.service", "ActiveState") == "failed"
    });
    says(
        &causes(host, &["pull"], 2),
        &[
            "registry-login pull.service: the login to 127.0.0.1:5050 has expired: pull.service cannot pull its image",
            "Your authorization token has expired",
            "sudo docker login 127.0.0.1:5050",
            "sudo systemctl restart pull.service",
        ],
    );
    host.sh("touch /run/pull; systemctl restart pull.service");
}

/// One that is over since an hour, and one for another name; each as its file and as nginx serves it.
fn certificates(host: &Host) {
    let url = "https://s.example.com/";
    host.tool(&["doctor", url]).expect(0);
    let exchange = |name: &str, until: &str| {
        issue(host, name, "2days-ago", until);
        host.sh("systemctl reload nginx");
        std::thread::sleep(Duration::from_secs(1));
    };
    exchange("s.example.com", "1hour-ago");
    says(
        &causes(host, &[url], 2),
        &[
            "certificate https://s.example.com/: s.example.com: its certificate expired on ",
            "certbot renew",
        ],
    );
    says(
        &causes(host, &[], 2),
        &[
            "certificate /etc/ssl/s.pem: the certificate /etc/ssl/s.pem expired ",
            "of the sites s",
            "sudo certbot renew && sudo systemctl reload nginx",
        ],
    );
    exchange("other.example.com", "20days");
    says(
        &causes(host, &[url], 2),
        &[
            "its certificate is for other.example.com, not for s.example.com",
            "certbot",
        ],
    );
    exchange("s.example.com", "20days");
    host.tool(&["doctor", url]).expect(0);
}

/// A disk with room and without inodes.
fn inodes(host: &Host) {
    host.sh("mount -t tmpfs -o size=16m,nr_inodes=200 tmpfs /tmp; mkdir /tmp/many; cd /tmp/many; for i in $(seq 300); do touch $i || break; done 2>/dev/null");
    let told = causes(host, &[], 2);
    says(
        &told,
        &[
            "no-space /tmp: the disk of /tmp has no inodes: 0 of 200 are left, so no file can be created",
            "sudo du --inodes -x -d 3 /tmp | sort -n | tail",
        ],
    );
    let most = host.sh("du --inodes -x -d 3 /tmp | sort -n | tail");
    assert!(most.contains("/tmp/many"), "{most}");
    host.sh("umount -l /tmp");
}

/// The control group above a container has too little for it: as a slice, or a host that is a container itself.
fn memory(host: &Host, group: &str) {
    host.sh(
        "mknod /dev/kmsg c 1 11; systemctl restart systemd-journald; docker exec hog sh -c 'echo >/tmp/go'",
    );
    let state = "docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' hog";
    host.wait_for("the end of hog", BOUND, || host.sh(state) == "exited 137");
    let told = causes(host, &["hog"], 2);
    // Not every machine lets a host in a container read what its kernel says.
    let kernel = host.try_sh("journalctl -k -q | grep oom_memcg").stdout;
    let oom_killed = host.sh("docker inspect -f '{{.State.OOMKilled}}' hog");
    let above = format!("the control group {group}, which it is in, reached its memory limit");
    let words: &[&str] = match (kernel.is_empty(), oom_killed.as_str()) {
        (false, _) => &[&above, "systemd-cgtop -m", "raise the limit of"],
        (true, "true") => &["was killed by the kernel, out of memory", "free -m"],
        (true, _) => &["was killed by SIGKILL (exit code 137)"],
    };
    assert!(!told.contains("it reached its memory limit"), "{told}");
    says(&told, words);
    host.sh(&format!(
        "systemctl stop app; for at in /sys/fs/cgroup /sys/fs/cgroup/*; do rmdir $at{group} 2>/dev/null || true; done"
    ));
}
