//! Gates over TLS: each certificate was made by openssl on the host, and each is wrong in one way only.

use std::time::Duration;

use super::gate;
use crate::support::{Host, desired};

/// `openssl ca` needs to be told where its files are, and to take the names from the request.
const CONFIG: &str = "[ca]
default_ca = own
[own]
database = index
serial = serial
policy = any
copy_extensions = copy
[any]
commonName = supplied
";

/// Two authorities, one of which the host trusts, and their certificates, all below /srv/tls.
fn make_certificates(host: &Host) {
    host.write("/srv/tls/ca.cnf", CONFIG);
    host.sh(
        "cd /srv/tls; : >index; echo 1000 >serial
         new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \"$@\" 2>/dev/null; }
         for ca in known unknown; do new -x509 -days 30 -subj \"/CN=The $ca CA\" -keyout $ca.key -out $ca.crt; done
         sign() { # NAME, HOST, CA, END
             new -subj /CN=$1 -addext subjectAltName=DNS:$2 -keyout $1.key -out $1.csr
             openssl ca -batch -notext -md sha256 -config ca.cnf -cert $3.crt -keyfile $3.key -outdir . \\
                 -startdate 20200101000000Z -enddate $4 -in $1.csr -out $1.crt 2>/dev/null
         }
         sign good good.example.com known 20991231000000Z
         sign expired expired.example.com known 20210203000000Z
         sign wrong elsewhere.example.com known 20991231000000Z
         sign stranger stranger.example.com unknown 20991231000000Z
         new -x509 -days 30 -subj /CN=own.example.com -addext subjectAltName=DNS:own.example.com -keyout own.key -out own.crt
         cp known.crt /usr/local/share/ca-certificates/known.crt; update-ca-certificates >/dev/null 2>&1",
    );
}

/// A site that serves a certificate of [`make_certificates`], and logs the names in SNI and Host.
fn serving(name: &str) -> String {
    format!(
        "server {{
    listen 443 ssl;
    server_name {name}.example.com;
    ssl_certificate /srv/tls/{name}.crt;
    ssl_certificate_key /srv/tls/{name}.key;
    access_log /var/log/nginx/{name}.log names;
    location / {{ return 204; }}
}}
"
    )
}

#[test]
fn certificates_are_checked_as_from_outside() {
    let host = Host::boot();
    make_certificates(&host);
    let format = "log_format names '$remote_addr $ssl_server_name $http_host $request';\n";
    let cases = [
        ("good", None),
        ("expired", Some("its certificate expired on 2021-02-03")),
        (
            "wrong",
            Some("its certificate is for elsewhere.example.com, not for wrong.example.com"),
        ),
        (
            "stranger",
            Some("its certificate was issued by The unknown CA, which this host does not trust"),
        ),
        ("own", Some("its certificate is self-signed")),
    ];
    let only = |name: &str, more: &str| {
        gate(
            &format!("url = \"https://{name}.example.com/health?x=1\"\nstatus = 204"),
            more,
        )
    };
    let mut files = vec![
        (desired("etc/nginx/conf.d/log.conf"), format.to_owned()),
        (desired("watchme.toml"), only("good", "")),
    ];
    for (name, _) in cases {
        files.push((desired(&format!("sites-available/{name}")), serving(name)));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&files);
    // The name that nginx serves where none is asked for is another one: "expired" comes first.
    host.apply(&[]).expect(0);
    let line = "127.0.0.1 good.example.com good.example.com GET /health?x=1 HTTP/1.1";
    assert_eq!(host.sh("cat /var/log/nginx/good.log"), line);

    for (name, reason) in cases {
        let Some(reason) = reason else { continue };
        host.commit(&[(&desired("watchme.toml"), Some(&only(name, "")))], name);
        let picture = host.picture();
        let failed = host.apply(&["--verify-all"]).expect(1);
        let said = format!("https://{name}.example.com/health?x=***: {reason} after 1 try");
        assert!(failed.stderr.contains(&said), "{}", failed.text());
        assert!(failed.stderr.contains("hint: "), "{}", failed.text());
        host.assert_unchanged(&picture, name);
        assert_eq!(
            host.sh(&format!("cat /var/log/nginx/{name}.log")),
            "",
            "nothing was asked over a connection that is not trusted"
        );

        let unchecked = only(name, "verify = false");
        host.commit(&[(&desired("watchme.toml"), Some(&unchecked))], name);
        host.apply(&["--verify-all"]).expect(0);
        assert!(
            host.sh(&format!("cat /var/log/nginx/{name}.log"))
                .contains(name)
        );
    }
}

#[test]
fn the_certificate_of_the_first_day_passes_and_is_said() {
    let host = Host::boot();
    let pair = |name: &str| format!("/etc/letsencrypt/live/{name}.example.com/{name}");
    let site = |name: &str, pair: &str| {
        format!(
            "server {{
    listen 443 ssl;
    server_name {name}.example.com;
    ssl_certificate {pair}.pem;
    ssl_certificate_key {pair}.key;
    return 200;
}}
"
        )
    };
    let toml = format!(
        "bootstrap_certificates = true\n{}",
        gate("url = \"https://a.example.com/\"", "")
    );
    host.checkout(&[
        (&desired("watchme.toml"), &toml),
        (&desired("sites-available/a"), &site("a", &pair("a"))),
    ]);
    let note = "served with the self-signed bootstrap certificate";
    let first = host.apply(&[]).expect(0);
    assert!(first.stdout.contains(note), "{}", first.text());
    let json = host.apply(&["--verify-all", "--json"]).expect(0);
    let json = crate::support::schema::json("apply", &json.stdout);
    assert_eq!(json["outcome"], "in-sync");
    assert_eq!(json["gates"][0]["gate"], "https://a.example.com/");
    assert_eq!(json["gates"][0]["note"], note);

    // Another one that claims to be it, served while the one of the first day lies on the disk.
    let forge = |days: &str, out: &str| {
        format!(
            "cd /srv; openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {out}.key \\
                 -subj '/O=watchme-apply bootstrap/CN=a.example.com' -out {out}.csr 2>/dev/null
             printf 'subjectAltName=DNS:a.example.com' >names
             openssl x509 -req -in {out}.csr -signkey {out}.key -days {days} -extfile names -out {out}.pem 2>/dev/null"
        )
    };
    host.sh(&forge("30", "forged"));
    let refused = |what: &str, reason: &str| {
        let failed = host.apply(&["--verify-all"]).expect(1);
        let said = format!("https://a.example.com/: {reason}");
        assert!(failed.stderr.contains(&said), "{what}: {}", failed.text());
    };
    let own = pair("a");
    let serve = |name: &str| serve(&host, &format!("/srv/{name}"), &own);
    host.sh(&format!("cp -a {own}.pem /root/first.pem"));
    serve("forged");
    host.sh(&format!("cp /root/first.pem {own}.pem"));
    refused("not the one on the disk", "its certificate is self-signed");

    // One that somebody put there without the mark, and one of ours that nobody replaced in time.
    host.sh(
        "cd /srv; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key \
             -subj /CN=a.example.com -addext subjectAltName=DNS:a.example.com -out other.pem 2>/dev/null",
    );
    serve("other");
    refused("without the mark", "its certificate is self-signed");
    host.sh(&forge("0", "late"));
    host.sh("sleep 1.1");
    serve("late");
    refused("too old", "its certificate expired on");
    serve("forged");
    let again = host.apply(&["--verify-all"]).expect(0);
    assert!(
        again.stdout.contains(note),
        "served and on the disk, with the mark"
    );
}

/// Puts a pair in the place of what a site names, and waits until it is what nginx serves: a reload only asks.
fn serve(host: &Host, pair: &str, named: &str) {
    host.sh(&format!(
        "cp {pair}.pem {named}.pem; cp {pair}.key {named}.key; systemctl reload nginx"
    ));
    let print = "openssl x509 -noout -fingerprint -sha256";
    let wanted = host.sh(&format!("{print} -in {pair}.pem"));
    let served = format!(
        "openssl s_client -connect 127.0.0.1:443 -servername a.example.com </dev/null 2>/dev/null | {print}"
    );
    host.wait_for("the pair", Duration::from_secs(20), || {
        host.try_sh(&served).stdout.trim() == wanted
    });
}
