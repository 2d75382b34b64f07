//! Notifications, received by a real HTTP server and a real sendmail(8): each once, and once that it is over.

mod ways;

use std::time::Duration;

use serde_json::Value;

use crate::support::{Host, desired, site, sleeper};

/// A server that keeps each request, and answers what a file says.
const SERVER: &str = r#"
import os, socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 9900))
server.listen(8)
while True:
    peer, _ = server.accept()
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(length[0].split(b":")[1]) if length else 0
    while len(body) < length:
        body += peer.recv(65536)
    number = len(os.listdir("/srv/got"))
    open("/srv/got/%03d" % number, "wb").write(head + b"\n\n" + body)
    answer = open("/srv/answer").read().strip()
    peer.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % answer.encode())
    peer.close()
"#;

const POLICY: &str = r#"
[notify.hook]
webhook = "http://127.0.0.1:9900/{secret}"
secret_file = "/root/hook"

[notify.chat]
webhook = "http://localhost:9900/slack"
format = "slack"
secret_file = "/root/hook"
on = ["rolled-back"]

[notify.mail]
mail = ["ops@example.com"]
on = ["rolled-back", "drift"]
"#;

const SECRET: &str = "T0k3nOfTheHook";
const BAD: &str =
    "[Service]\nType=oneshot\nExecStart=/bin/false\n\n[Install]\nWantedBy=multi-user.target\n";

impl Host {
    /// What was received since the last time: head and body of each request.
    fn received(&self) -> Vec<(String, String)> {
        let names = self.sh("ls /srv/got");
        let got = names.lines().map(|name| {
            let text = self.read(&format!("/srv/got/{name}"));
            let (head, body) = text.split_once("\n\n").expect("a head");
            (head.to_owned(), body.to_owned())
        });
        let got = got.collect();
        self.sh("rm -f /srv/got/*");
        got
    }

    /// Events of the generic webhook: the event, and whether it is over.
    #[track_caller]
    fn events(&self) -> Vec<(String, bool)> {
        let got = self.received();
        let hook = got
            .iter()
            .filter(|(head, _)| head.starts_with(&format!("POST /{SECRET} ")));
        hook.map(|(_, body)| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let event = body["event"].as_str().expect("an event").to_owned();
            (event, body["healed"].as_bool().expect("healed"))
        })
        .collect()
    }

    fn mails(&self) -> String {
        self.sh("cat /srv/mails 2>/dev/null; rm -f /srv/mails")
    }
}

fn is(event: &str, healed: bool) -> (String, bool) {
    (event.to_owned(), healed)
}

#[test]
fn each_event_is_told_once_and_once_that_it_is_over() {
    let host = Host::boot();
    host.write("/srv/server.py", SERVER);
    host.write("/root/hook", &format!("{SECRET}\n"));
    host.write(
        "/usr/sbin/sendmail",
        "#!/bin/sh\n{ echo \"to $*\"; cat; } >> /srv/mails\n",
    );
    host.sh("chmod 755 /usr/sbin/sendmail; chmod 600 /root/hook; mkdir /srv/got; echo '200 OK' > /srv/answer
             systemd-run -q --unit receiver python3 /srv/server.py");
    host.wait_for("receiver", Duration::from_secs(10), || {
        host.try_sh("ss -ltn | grep -q :9900").status == 0
    });
    host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (&desired("sites-available/a"), &site("a", "first")),
        (&desired("systemd/a.service"), &sleeper(7001)),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(host.events(), [], "a person applied");

    // The test message says what the server answered.
    let said = host.tool(&["notify", "test"]).expect(0).stdout;
    for words in [
        "sent hook: the server answered 200",
        "sent mail: /usr/sbin/sendmail took it",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let got = host.received();
    assert_eq!(got.len(), 2, "{got:?}");
    let chat = got
        .iter()
        .find(|(head, _)| head.starts_with("POST /slack "));
    let (head, body) = chat.expect("the chat");
    assert!(
        head.to_lowercase()
            .contains(&format!("authorization: bearer {SECRET}").to_lowercase())
    );
    assert!(body.starts_with(r#"{"text":""#), "{body}");
    assert!(
        host.mails()
            .starts_with("to -i -- ops@example.com\nTo: ops@example.com\n")
    );
    host.sh("echo '403 No' > /srv/answer");
    let said = host.tool(&["notify", "test", "hook"]).expect(1).stdout;
    assert!(
        said.contains("failed hook: the server answered 403"),
        "{said}"
    );
    host.sh("echo '200 OK' > /srv/answer");
    let refused = host.tool(&["notify", "test", "nobody"]).expect(1).text();
    assert!(refused.contains("known are chat, hook, mail"), "{refused}");
    host.received();

    // Rolled back: no success, and once. The same again is no news.
    host.commit(&[(&desired("systemd/bad.service"), Some(BAD))], "bad");
    host.apply(&["--unattended"]).expect(3);
    assert_eq!(
        host.events(),
        [is("quarantined", false), is("rolled-back", false)]
    );
    assert_eq!(host.mails().matches("rolled back").count(), 1);
    host.apply(&[]).expect(3);
    host.apply(&["--unattended"]).expect(2);
    assert_eq!(host.events(), []);

    // Fixed: one message for each.
    host.commit(&[(&desired("systemd/bad.service"), None)], "fixed");
    host.apply(&["--unattended"]).expect(0);
    assert_eq!(
        host.events(),
        [is("quarantined", true), is("rolled-back", true)]
    );
    assert_eq!(host.mails().matches("over: ").count(), 1);
    host.apply(&["--unattended"]).expect(0);
    assert_eq!(host.events(), []);
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "second")))],
        "more",
    );
    host.apply(&["--unattended"]).expect(0);
    assert_eq!(host.events(), [is("applied", false)]);

    // Drift is told by `drift --notify`, which a timer runs; `drift` alone tells nobody.
    host.sh("systemctl stop a.service");
    host.tool(&["drift"]).expect(2);
    assert_eq!(host.events(), []);

    // A server that is down fails nothing, and is told later.
    host.sh("systemctl stop receiver");
    let said = host.tool(&["drift", "--notify"]).expect(2).text();
    assert!(
        said.contains("hook could not be notified; the next run tries again"),
        "{said}"
    );
    assert!(!said.contains(SECRET), "{said}");
    host.sh("systemd-run -q --unit receiver python3 /srv/server.py");
    host.wait_for("receiver", Duration::from_secs(10), || {
        host.try_sh("ss -ltn | grep -q :9900").status == 0
    });
    // By the unit of the package, for which nearly all files are read-only.
    let unit = include_str!("../../packaging/watchme-apply-drift.service");
    let unit = unit.replace("/usr/bin/", "/usr/local/bin/");
    host.write("/etc/systemd/system/watchme-apply-drift.service", &unit);
    host.sh("systemctl daemon-reload");
    let report = "systemctl start watchme-apply-drift.service";
    assert_ne!(host.try_sh(report).status, 0, "there is drift");
    assert_eq!(
        host.property("watchme-apply-drift.service", "ExecMainStatus"),
        "2"
    );
    host.tool(&["drift", "--notify"]).expect(2);
    assert_eq!(host.events(), [is("drift", false)]);
    host.sh("rm /etc/systemd/system/watchme-apply-drift.service; systemctl daemon-reload");
    host.apply(&[]).expect(0);
    host.tool(&["drift", "--notify"]).expect(0);
    host.tool(&["drift", "--notify"]).expect(0);
    assert_eq!(host.events(), [is("drift", true)]);
    let mails = host.mails();
    assert_eq!(mails.matches("Subject: ").count(), 2, "{mails}");

    // The secret is nowhere but in its file.
    let found = host.sh(&format!(
        "journalctl --sync; journalctl -o cat | grep -c {SECRET} || true; grep -rl {SECRET} /var/lib/watchme-apply /etc/watchme-apply /var/log 2>/dev/null || true"
    ));
    assert_eq!(found, "0");
}
