//! What no reload of nginx loads: planned as a restart, really loaded, and undone when the restart fails.

use crate::support::{Host, desired};

/// A site that answers one request a minute for each key.
fn limited(key: &str, listen: &str) -> String {
    format!(
        "limit_req_zone {key} zone=api:1m rate=1r/m;
server {{
    listen {listen};
    server_name a.example.com;
    root /var/www/html;
    limit_req zone=api;
}}
"
    )
}

/// The status that a client at an address of the loopback network gets.
fn status(host: &Host, address: &str) -> String {
    host.sh(&format!(
        "curl -s -o /dev/null -w '%{{http_code}}' --interface {address} -H 'Host: a.example.com' \
         http://127.0.0.1/index.nginx-debian.html"
    ))
}

fn master(host: &Host) -> String {
    host.sh("cat /run/nginx.pid")
}

#[test]
fn a_zone_with_another_key_is_loaded_by_a_restart() {
    let host = Host::boot();
    let path = desired("sites-available/a");
    host.checkout(&[(&path, &limited("$binary_remote_addr", "80"))]);
    host.apply(&[]).expect(0);
    assert_eq!(status(&host, "127.0.0.1"), "200");
    assert_eq!(status(&host, "127.0.0.1"), "503");
    assert_eq!(
        status(&host, "127.0.0.2"),
        "200",
        "another address, another count"
    );

    let before = master(&host);
    host.commit(&[(&path, Some(&limited("$server_name", "80")))], "by name");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("restart nginx, interrupts every site") && plan.contains("another key"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_ne!(master(&host), before);
    assert_eq!(status(&host, "127.0.0.1"), "200");
    assert_eq!(status(&host, "127.0.0.2"), "503", "all share one count");
    host.assert_does_nothing(&["apply"]).expect(0);

    // A port that another process holds passes `nginx -t`, and the restart fails.
    host.sh("setsid busybox httpd -f -p 127.0.0.1:8999 >/dev/null 2>&1 </dev/null &");
    host.wait_for(
        "holder of the port",
        std::time::Duration::from_secs(5),
        || host.try_sh("ss -ltn | grep -q 127.0.0.1:8999").status == 0,
    );
    let taken = limited("$binary_remote_addr", "127.0.0.1:8999").replace(
        "listen 127.0.0.1:8999;",
        "listen 80; listen 127.0.0.1:8999;",
    );
    host.commit(&[(&path, Some(&taken))], "a port that is taken");
    let failed = host.apply(&[]).expect(3);
    assert!(failed.text().contains("rolled back"), "{}", failed.text());
    assert!(host.is_active("nginx.service"));
    assert_eq!(status(&host, "127.0.0.1"), "200", "nginx started anew");
    assert_eq!(status(&host, "127.0.0.2"), "503", "with the old key");
}
