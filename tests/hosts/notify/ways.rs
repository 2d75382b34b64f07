//! Every way to tell somebody, to real servers: SMTP with TLS, with STARTTLS and on this host, HTTPS, a program.

use std::time::Duration;

use crate::support::{Host, desired, site, sleeper};

const SERVERS: &str = include_str!("servers.py");
const PASSWORD: &str = "S3cretOfTheMail";

fn mail(name: &str, smtp: &str, more: &str) -> String {
    format!(
        "[notify.{name}]\nmail = [\"ops@example.com\", \"more@example.com\"]\nsmtp = \"{smtp}\"\nfrom = \"web@example.com\"\n{more}\n"
    )
}

fn policy() -> String {
    let login = "user = \"robot\"\nsecret_file = \"/srv/password\"\n";
    let wrong = "user = \"robot\"\nsecret_file = \"/srv/wrong\"\n";
    [
        mail("tls", "smtps://mail.example.com", login),
        mail("starttls", "smtp://mail.example.com", login),
        mail("here", "smtp://localhost:25", ""),
        mail("wrong", "smtps://mail.example.com:465", wrong),
        mail("stranger", "smtps://other.example.com", login),
        mail("plain", "smtp://mail.example.com:25", ""),
        "[notify.ntfy]\nwebhook = \"https://mail.example.com:9443/topic\"\nformat = \"ntfy\"\n\n[notify.page]\ncommand = [\"/usr/local/bin/page\", \"two words\"]\n\n".to_owned(),
        "[notify.moved]\nwebhook = \"https://mail.example.com:9443/moved\"\nsecret_file = \"/srv/password\"\n".to_owned(),
        mail("empty", "smtps://mail.example.com", "secret_file = \"/srv/empty\""),
        "[notify.forge]\ncommit_status = \"https://mail.example.com:9443/acme/server.git\"\nforge = \"gitea\"\nsecret_file = \"/srv/password\"\n".to_owned(),
    ]
    .join("")
}

impl Host {
    /// The content of what was received of a kind since the last time.
    fn got(&self, kind: &str) -> Vec<String> {
        let names = self.sh(&format!("ls /srv/got | grep -e '-{kind}$' || true"));
        let got: Vec<String> = names
            .lines()
            .map(|name| self.read(&format!("/srv/got/{name}")))
            .collect();
        self.sh(&format!("rm -f /srv/got/*-{kind}"));
        got
    }

    fn with_servers() -> Self {
        let host = Self::boot();
        host.write("/srv/servers.py", SERVERS);
        host.write("/srv/password", PASSWORD);
        host.write("/srv/wrong", "NotThePassw0rd");
        host.write("/srv/empty", "\n");
        host.write(
            "/usr/local/bin/page",
            "#!/bin/sh\n{ echo \"$#:$1\"; cat; echo; } >>/srv/paged\n",
        );
        host.sh("chmod 755 /usr/local/bin/page; chmod 600 /srv/password /srv/wrong; mkdir /srv/got
             echo '127.0.0.1 mail.example.com other.example.com' >>/etc/hosts
             cd /srv; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=CA' -keyout ca.key -out ca.crt 2>/dev/null
             openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=mail -keyout tls.key -out tls.csr 2>/dev/null
             echo subjectAltName=DNS:mail.example.com >ext
             openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 20 -extfile ext -out tls.crt 2>/dev/null
             cp ca.crt /usr/local/share/ca-certificates/test.crt; update-ca-certificates >/dev/null 2>&1
             systemd-run -q --unit servers python3 /srv/servers.py");
        host.wait_for("the servers", Duration::from_secs(10), || {
            host.try_sh("ss -ltn | grep -q :9443").status == 0
        });
        host
    }
}

#[test]
fn mails_requests_and_programs_are_told_by_real_servers() {
    let host = Host::with_servers();
    host.checkout(&[
        (&desired("watchme.toml"), &policy()),
        (&desired("systemd/a.service"), &sleeper(7001)),
    ]);
    host.apply(&[]).expect(0);

    let said = host.tool(&["notify", "test"]).expect(1).stdout;
    for words in [
        "sent tls: mail.example.com answered 250",
        "sent starttls: mail.example.com answered 250",
        "sent here: localhost answered 250",
        "sent ntfy: the server answered 200",
        "sent page: /usr/local/bin/page took it",
        "sent forge: the server answered 200",
        "failed wrong: mail.example.com:465: permanent error (535): 5.7.8 not with these credentials",
        "failed moved: the server answered 302",
        "failed empty: its secret /srv/empty is empty",
        "failed stranger: other.example.com:465: ",
        "not valid for name \"other.example.com\"",
        "failed plain: mail.example.com:25: ",
        "STARTTLS",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        !said.contains(PASSWORD) && !said.contains("NotThe"),
        "{said}"
    );
    for (kind, count) in [("mail-465", 1), ("mail-587", 1), ("mail-25", 1)] {
        let got = host.got(kind);
        assert_eq!(got.len(), count, "{kind}: {got:?}");
        let start = "MAIL FROM:<web@example.com>\nRCPT TO:<ops@example.com>\nRCPT TO:<more@example.com>\n\nFrom: web@example.com\r\nMessage-ID: <";
        assert!(got[0].starts_with(start), "{got:?}");
        assert!(
            got[0].contains("\r\nTo: ops@example.com, more@example.com\r\nSubject: "),
            "{got:?}"
        );
    }
    let requests = host.got("request");
    let has = |start: &str| requests.iter().any(|request| request.starts_with(start));
    assert!(has("POST /topic HTTP/1.1\r\n"), "{requests:?}");
    assert!(
        !requests
            .iter()
            .any(|request| request.contains("/elsewhere")),
        "{requests:?}"
    );
    // The first is that of the apply, which a person ran.
    let first = host.sh(HEAD);
    let (set, test) = (statuses(&requests), "watchme-apply/host test");
    assert_eq!(
        set[0],
        (
            first.clone(),
            "watchme-apply/host".to_owned(),
            "success".to_owned()
        )
    );
    assert_eq!(set[1], (first, test.to_owned(), "success".to_owned()));
    assert!(host.read("/srv/paged").starts_with("1:two words\n{"));

    // A unit that fails before anything is changed is told as that, once for each, and so is its end.
    host.sh("rm /srv/paged");
    let broken = "server {\n    listen 80;\n    nonsense on;\n}\n";
    host.commit(&[(&desired("sites-available/bad"), Some(broken))], "broken");
    for _ in 0..2 {
        host.apply(&["--unattended"]);
    }
    let set = statuses(&host.got("request"));
    let broken = host.sh(HEAD);
    let failed =
        |(commit, _, state): &(String, String, String)| *commit == broken && state == "failure";
    assert!(!set.is_empty() && set.iter().all(failed), "{set:?}");
    let paged = host.read("/srv/paged");
    assert_eq!(paged.matches("\"event\":\"failed\"").count(), 1, "{paged}");
    let mails = host.got("mail-465");
    let subject = |what: &str| {
        let line = format!("\r\nSubject: host: {what}");
        mails.iter().filter(|mail| mail.contains(&line)).count()
    };
    assert_eq!(
        (subject("a run failed"), subject("this revision failed")),
        (1, 1),
        "{mails:?}"
    );
    host.commit(
        &[(&desired("sites-available/bad"), Some(&site("bad", "whole")))],
        "whole",
    );
    host.apply(&["--unattended"]).expect(0);
    let set = statuses(&host.got("request"));
    let whole = (
        host.sh(HEAD),
        "watchme-apply/host".to_owned(),
        "success".to_owned(),
    );
    assert_eq!(set, [whole]);
    let paged = host.read("/srv/paged");
    assert_eq!(
        paged.matches("\"healed\":true").count(),
        paged.matches("\"healed\":false").count() - applied(&paged),
        "{paged}"
    );

    in_sync_with_a_new_commit(&host);
    a_certificate_that_ends(&host);
    a_backup_that_fails(&host);

    let found = host.sh(&format!(
        "journalctl --sync; journalctl -o cat | grep -c {PASSWORD} || true; grep -rl {PASSWORD} /var/lib/watchme-apply /etc/watchme-apply /var/log 2>/dev/null || true"
    ));
    assert_eq!(found, "0");
}

/// A commit with which the host is in sync gets its status once, though nothing is applied.
fn in_sync_with_a_new_commit(host: &Host) {
    host.commit(&[("README", Some("words\n"))], "words");
    let success = (
        host.sh(HEAD),
        "watchme-apply/host".to_owned(),
        "success".to_owned(),
    );
    host.apply(&["--unattended"]).expect(0);
    assert_eq!(statuses(&host.got("request")), [success]);
    host.assert_does_nothing(&["apply"]).expect(0);
    assert_eq!(statuses(&host.got("request")), []);
}

/// What is told of an event by the mail, the request and the program: how often, and whether it is over.
fn told(host: &Host, event: &str, subject: &str) -> [usize; 4] {
    for _ in 0..2 {
        host.tool(&["drift", "--notify"]);
    }
    let paged = host.try_sh("cat /srv/paged; rm -f /srv/paged").stdout;
    let count = |healed: bool| {
        let lines = paged.lines();
        let of_event = lines.filter(|line| line.contains(&format!("\"event\":\"{event}\"")));
        of_event
            .filter(|line| line.contains(&format!("\"healed\":{healed}")))
            .count()
    };
    let mails = host.got("mail-465");
    let mail = format!("\r\nSubject: {subject}");
    let mails = mails.iter().filter(|one| one.contains(&mail)).count();
    let requests = host.got("request").into_iter();
    let requests = requests.filter(|one| one.starts_with("POST /topic ") && one.contains(subject));
    [count(false), count(true), mails, requests.count()]
}

/// A certificate that ends soon: once, and once that it is renewed.
fn a_certificate_that_ends(host: &Host) {
    let secure = "server {\n    listen 8443 ssl;\n    server_name mail.example.com;\n    ssl_certificate /srv/soon.crt;\n    ssl_certificate_key /srv/tls.key;\n    return 204;\n}\n";
    host.sh("cd /srv; openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -days 5 -extfile ext -out soon.crt 2>/dev/null");
    host.commit(
        &[(&desired("sites-available/secure"), Some(secure))],
        "secure",
    );
    host.apply(&[]).expect(0);
    host.sh("rm -f /srv/got/* /srv/paged");
    let begins = "host: the certificate /srv/soon.crt expires on ";
    assert_eq!(told(host, "certificate", begins), [1, 0, 1, 1]);
    host.sh("cp /srv/tls.crt /srv/soon.crt; systemctl reload nginx");
    let over = "host: over: the certificate /srv/soon.crt expires on ";
    assert_eq!(told(host, "certificate", over), [0, 1, 1, 1]);
}

/// A backup that fails: once, and once that one was made.
fn a_backup_that_fails(host: &Host) {
    let policy = format!(
        "{}\n[backup.small]\ncommand = [\"cat\", \"/srv/rows\"]\nto = \"/srv/backups\"\n",
        policy()
    );
    host.commit(&[(&desired("watchme.toml"), Some(&policy))], "a backup");
    host.apply(&[]).expect(0);
    host.tool(&["backup", "run", "small"]).expect(1);
    host.sh("rm -f /srv/got/* /srv/paged");
    let begins = "host: the backup small has a problem";
    assert_eq!(told(host, "backup", begins), [1, 0, 1, 1]);
    host.sh("echo 1 >/srv/rows");
    host.tool(&["backup", "run", "small"]).expect(0);
    let over = "host: over: the backup small has a problem";
    assert_eq!(told(host, "backup", over), [0, 1, 1, 1]);
}

/// A name server that takes questions and answers none: nobody waits for it longer than for any other server.
#[test]
#[ignore = "long: what hangs is waited for"]
fn a_name_that_is_looked_up_for_ever_holds_nothing_up() {
    let host = Host::boot();
    host.write(
        "/srv/silent.py",
        "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind((\"127.0.0.1\", 53))\ntime.sleep(600)\n",
    );
    host.checkout(&[
        (
            &desired("watchme.toml"),
            "[notify.slow]\nwebhook = \"https://slow.example.net/\"\n",
        ),
        (&desired("systemd/a.service"), &sleeper(7001)),
    ]);
    host.apply(&[]).expect(0);
    host.sh("systemd-run -q --unit silent python3 /srv/silent.py
             printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:2\n' >/etc/resolv.conf");
    host.wait_for("the silent server", Duration::from_secs(20), || {
        host.try_sh("ss -Hlun 'sport = :53' | grep -q 127.0.0.1:53")
            .status
            == 0
    });
    let began = std::time::Instant::now();
    let said = host.tool(&["notify", "test"]).expect(1).text();
    assert!(
        said.contains("failed slow: no answer within 10 s"),
        "{said}"
    );
    let took = began.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}");
}

const HEAD: &str =
    "git -c safe.directory='*' -C /home/ubuntu/watchme-server-configs rev-parse HEAD";

/// What was set at the forge: commit, context, state.
fn statuses(requests: &[String]) -> Vec<(String, String, String)> {
    let ours = requests.iter().filter_map(|request| {
        let rest = request.strip_prefix("POST /api/v1/repos/acme/server/statuses/")?;
        assert!(
            request.contains(&format!("authorization: token {PASSWORD}\r\n")),
            "{request}"
        );
        let (commit, _) = rest.split_once(' ')?;
        let (_, body) = request.split_once("\r\n\n")?;
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let word = |key: &str| body[key].as_str().expect(key).to_owned();
        Some((commit.to_owned(), word("context"), word("state")))
    });
    ours.collect()
}

/// How often an apply was told: that ends with nothing.
fn applied(paged: &str) -> usize {
    paged.matches("\"event\":\"applied\"").count()
}
