//! Certificates that nginx has not loaded, and those that end.

use crate::support::{Host, desired};

const SITE: &str = "server {
    listen 443 ssl;
    server_name a.example.com;
    ssl_certificate /etc/ssl/live/a.pem;
    ssl_certificate_key /etc/ssl/live/a.key;
    location / { return 200 \"a\"; }
}
";

/// Makes a pair as certbot does: a link in `live` to a new file in `archive`.
fn renew(host: &Host, number: u32, days: i32) {
    host.sh(&format!(
        "mkdir -p /etc/ssl/live /etc/ssl/archive; cd /etc/ssl/archive
         openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a.example.com -addext subjectAltName=DNS:a.example.com -days {days} \
             -keyout a{number}.key -out a{number}.pem 2>/dev/null
         ln -sfn ../archive/a{number}.pem /etc/ssl/live/a.pem; ln -sfn ../archive/a{number}.key /etc/ssl/live/a.key"
    ));
}

/// What is served, and what lies there: serial numbers.
fn serials(host: &Host) -> (String, String) {
    let served = host.sh(
        "openssl s_client -connect 127.0.0.1:443 -servername a.example.com </dev/null 2>/dev/null | openssl x509 -noout -serial",
    );
    (
        served,
        host.sh("openssl x509 -in /etc/ssl/live/a.pem -noout -serial"),
    )
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_renewed_certificate_that_nginx_does_not_serve_is_unloaded() {
    let host = Host::boot();
    renew(&host, 1, 90);
    host.checkout(&[(&desired("sites-available/a"), SITE)]);
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["drift"]).expect(0);

    host.sh("sleep 3");
    renew(&host, 2, 90);
    let (served, there) = serials(&host);
    assert_ne!(served, there);
    let drift = host.assert_does_nothing(&["drift"]).expect(2).stdout;
    let told = drift.lines().find(|line| line.starts_with("unloaded"));
    assert!(
        told.is_some_and(|line| line.contains("/etc/ssl/live/a.pem was renewed")),
        "{drift}"
    );
    let status = host.tool(&["status"]).expect(0).stdout;
    assert!(
        status.contains("89 days left, nginx serves an older one"),
        "{status}"
    );

    let workers = host.nginx_workers();
    host.tool(&["drift", "--fix"]).expect(0);
    assert_ne!(host.nginx_workers(), workers);
    let (served, there) = serials(&host);
    assert_eq!(served, there);
    host.assert_does_nothing(&["drift"]).expect(0);

    // The same file, written anew: nothing to load.
    host.sh("sleep 3; touch /etc/ssl/archive/a2.pem");
    host.assert_does_nothing(&["drift"]).expect(0);
    // By another way: a plain apply.
    renew(&host, 3, 90);
    host.apply(&[]).expect(0);
    let (served, there) = serials(&host);
    assert_eq!(served, there);
}

#[test]
fn a_certificate_that_ends_soon_is_degraded() {
    let host = Host::boot();
    for (number, days, words) in [
        (
            1,
            13,
            "its certificate /etc/ssl/live/a.pem expires in 12 days",
        ),
        (2, -1, "its certificate /etc/ssl/live/a.pem expired at "),
    ] {
        match days {
            -1 => {
                renew(&host, number, 90);
                host.sh(
                    "cd /etc/ssl/archive; openssl req -new -key a2.key -subj /CN=a.example.com -out a2.csr
                     printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=/tmp/db\\nserial=/tmp/serial\\nnew_certs_dir=/tmp\\ndefault_md=sha256\\npolicy=p\\nx509_extensions=e\\n[p]\\ncommonName=supplied\\n[e]\\nsubjectAltName=DNS:a.example.com\\n' >/tmp/ca.cnf
                     : >/tmp/db; echo 01 >/tmp/serial
                     openssl ca -batch -config /tmp/ca.cnf -selfsign -keyfile a2.key -in a2.csr -notext -out a2.pem \\
                         -startdate 20200101000000Z -enddate 20200201000000Z 2>/dev/null",
                );
            }
            days => renew(&host, number, days),
        }
        if number == 1 {
            host.checkout(&[(&desired("sites-available/a"), SITE)]);
            host.apply(&[]).expect(0);
        } else {
            host.sh("systemctl reload nginx");
        }
        let drift = host.tool(&["drift"]).expect(2).stdout;
        let told = drift.lines().find(|line| line.contains(words));
        assert!(
            told.is_some_and(|line| line.starts_with("degraded")),
            "{drift}"
        );
        assert!(drift.contains("certbot renew"), "{drift}");
    }
    // Right after a reload of somebody else, which nginx has not begun yet.
    host.sh("sleep 3");
    renew(&host, 3, 15);
    host.sh(
        "nginx=$(cat /run/nginx.pid); kill -STOP $nginx; systemctl reload nginx
         (sleep 1; kill -CONT $nginx) </dev/null >/dev/null 2>&1 &",
    );
    host.tool(&["drift"]).expect(0);
}
