//! Sites that `nginx -t` refuses, and one that it does not.

use super::{Before, proxy};
use crate::support::desired;

const SITE: &str = "sites-available/web";

#[test]
fn a_site_that_nginx_cannot_load_leaves_the_old_ones() {
    let before = Before::boot();
    let web = desired(SITE);
    let unresolved = proxy("no-such-backend:8101");
    before.assert_refused(
        "an upstream that does not resolve",
        &[(&web, Some(&unresolved))],
        &[],
        &["host not found in upstream \"no-such-backend\"", "web:5"],
    );

    let tls = "listen 80;\n    listen 443 ssl;\n    ssl_certificate /etc/ssl/none.pem;\n    ssl_certificate_key /etc/ssl/none.key;";
    let without = proxy("127.0.0.1:8101").replace("listen 80;", tls);
    before.assert_refused(
        "a certificate that is missing",
        &[(&web, Some(&without))],
        &[],
        &["/etc/ssl/none.pem"],
    );

    a_port_that_is_held(&before, &web);
    before.assert_goes_on();
}

/// `nginx -t` passes and the reload exits with 0: only the workers tell.
fn a_port_that_is_held(before: &Before, web: &str) {
    let host = &before.host;
    host.sh("systemd-run -q --unit holder busybox nc -ll -p 8099 -e /bin/cat");
    host.wait_for(
        "holder of the port",
        std::time::Duration::from_secs(5),
        || host.sh("ss -ltnH 'sport = :8099'").contains("8099"),
    );
    let held = proxy("127.0.0.1:8101").replace("listen 80;", "listen 80;\n    listen 8099;");
    host.write("/etc/nginx/conf.d/held.conf", &held);
    host.sh("nginx -t; rm /etc/nginx/conf.d/held.conf");
    let holder = host.runs(&["holder.service"]);
    before.assert_refused(
        "a port that another process holds",
        &[(web, Some(&held))],
        &[],
        &["8099", "Address already in use"],
    );
    assert_eq!(host.runs(&["holder.service"]), holder);
    host.sh("systemctl stop holder");
}
