//! `import` on a server that has no nginx, and whose engine does not answer.

use super::lived_in::{OLD_SITE, PLAIN};
use super::{import, tool};
use crate::support::Host;

/// What is not installed or does not answer is left out, and said.
#[test]
fn a_server_without_nginx_and_docker() {
    let host = Host::boot();
    host.write("/etc/nginx/sites-enabled/own", OLD_SITE);
    host.write("/etc/systemd/system/plain.service", PLAIN);
    host.write("/etc/default/plain", "PORT=8105\n");
    host.write("/etc/cron.d/nightly", "0 3 * * * root /bin/true\n");
    host.sh(
        "systemctl stop nginx docker.service; mv /usr/sbin/nginx /root/; systemctl daemon-reload
         systemctl enable -q --now plain",
    );
    let said = host.assert_untouched(|host| import(host, "server-config --dry-run"));
    let said = said.expect(0).stdout;
    for part in [
        "server-config would have, and nothing was written:",
        "unit/plain.service",
        "etc/cron.d/nightly",
        "/etc/nginx/sites-enabled: nginx is not installed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("site/own"), "{said}");
    host.write(
        "/etc/systemd/system/boxed.service",
        "[Service]\nExecStart=/usr/bin/docker run --rm --name boxed app:1\n",
    );
    host.sh("systemctl stop docker.service docker.socket");
    let said = import(&host, "server-config").expect(0).stdout;
    let boxed = "/etc/systemd/system/boxed.service: it runs containers, and the container engine does not answer: start it, and import again";
    assert!(said.contains(boxed), "{said}");
    tool(&host, "apply").expect(0);
    tool(&host, "plan --detailed-exitcode").expect(0);
}
