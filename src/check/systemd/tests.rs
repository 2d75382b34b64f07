//! What the rules find in units as people write them, and what they leave alone.

pub(in crate::check) mod dependencies;
mod whole;

use crate::check::tests::checked;
use crate::model::Finding;

/// Findings about units, in short: the rule, the place, and what is underlined.
pub(in crate::check) fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let findings = checked(&files);
    // That some versions do not know a setting has tests of its own.
    let own = findings.iter().filter(|finding| {
        let name = finding.rule.name;
        name.starts_with("systemd-") && name != "systemd-version"
    });
    own.map(short).collect()
}

fn short(finding: &Finding) -> String {
    let place = finding.place().unwrap();
    let name = finding.rule.name.strip_prefix("systemd-").unwrap();
    format!("{name} {}", place.file.get(place.span.clone()))
}

/// A service that starts at boot, with these lines in `[Service]`.
pub(in crate::check) fn service(lines: &str) -> String {
    format!("[Service]\n{lines}\n[Install]\nWantedBy=multi-user.target\n")
}

fn in_service(lines: &str) -> Vec<String> {
    found(&[("systemd/a.service", &service(lines))])
}

#[track_caller]
fn assert_each(cases: &[(&str, &[&str])]) {
    for (lines, expected) in cases {
        assert_eq!(in_service(lines), *expected, "{lines}");
    }
}

#[test]
fn lines_and_keys() {
    for (text, expected) in [
        (
            "Description=early\n[Unit]\nRequiredBy=b.service\n[Service]\nExecStart=/bin/a\nRestart always\n[Instal]\nx\nsystemctl start\n",
            vec![
                "not-an-assignment Description=early",
                "wrong-section RequiredBy",
                "not-an-assignment Restart always",
                "unknown-section [Instal]",
            ],
        ),
        (
            "[Unit]\n\u{3000}After=docker.service\n[Service\nExecStart=/bin/a\nType=simple\\\n# inside\n  \n",
            vec!["unknown-key \u{3000}After", "not-an-assignment [Service"],
        ),
        (
            "[Service]\nExecStart=/bin/a\nexecstop=/bin/b\nRestartSteps=3\nMemoryPressureWatch=auto\nX-Mine=1\nStartLimitInterval=1\n[X-Mine]\nany thing\nkey=1\n",
            vec!["unknown-key execstop"],
        ),
        (
            "[Service]\nExecStrat=/bin/a\nRestart=always\n",
            vec!["unknown-key ExecStrat"],
        ),
        (
            "[Service]\nExecStart=/bin/a x \\\nExecStop=/bin/b\nEnvironment=A=1 \\\n  B=2\nExecStop=/usr/bin/systemd-run -p \\\n  MemoryMax=1G /bin/b\n",
            vec!["line-swallowed ExecStop=/bin/b"],
        ),
        (
            "\u{feff}[Unit]\r\nDescription = 音声 # 1\r\n[Service]\r\nExecStart=/bin/a \\\r\n# comment\r\n; another\r\n  b\r\n",
            vec![],
        ),
    ] {
        assert_eq!(found(&[("systemd/a.service", text)]), expected, "{text}");
    }
    let of = |path: &str, text: &str| found(&[(path, text)]);
    for (path, text, expected) in [
        (
            "a.timer",
            "[Timer]\nPersistent=yes\n",
            "nothing-to-wait-for [Timer]",
        ),
        (
            "a.timer",
            "[Timer]\nOnBootSec=\n",
            "nothing-to-wait-for [Timer]",
        ),
        (
            "a.path",
            "[Path]\nMakeDirectory=yes\n",
            "nothing-to-wait-for [Path]",
        ),
        (
            "a.socket",
            "[Socket]\nAccept=no\n",
            "nothing-to-wait-for [Socket]",
        ),
        (
            "a.socket",
            "[Socket]\nListenStream=*:80\n",
            "invalid-value *:80",
        ),
    ] {
        let service = ("systemd/a.service", "[Service]\nExecStart=/bin/a\n");
        let path = format!("systemd/{path}");
        assert_eq!(found(&[(&path, text), service]), [expected], "{text}");
    }
    assert_eq!(
        of(
            "systemd/a.timer",
            "[Timer]\nOnBootSec=1\nUnit=nginx.service\nExecStart=/bin/a\n[Service]\nx=1\n"
        ),
        ["wrong-section ExecStart", "unknown-section [Service]"]
    );
    assert_eq!(
        of("systemd/a.target", "[Unit]\nDescription=a\n[Target]\n"),
        [""; 0]
    );
    assert_eq!(
        of(
            "systemd/nginx.service.d/a.conf",
            "[Service]\nRestart=always\nLimitNOFILE\n"
        ),
        ["not-an-assignment LimitNOFILE"]
    );
}

#[test]
fn command_lines() {
    assert_each(&[
        ("ExecStart=/bin/a | /bin/b", &["shell-syntax |"]),
        (
            "ExecStart=/bin/a >/var/log/a 2>&1",
            &["shell-syntax >/var/log/a"],
        ),
        (
            "ExecStart=/bin/a \\\n  2>>/var/log/a",
            &["shell-syntax 2>>/var/log/a"],
        ),
        ("ExecStart=/bin/a && /bin/b", &["shell-syntax &&"]),
        ("ExecStart=cd /srv && /bin/b", &["shell-syntax cd"]),
        ("ExecStart=/bin/a; /bin/b", &["shell-syntax /bin/a;"]),
        ("ExecStart=/bin/a &", &["shell-syntax &"]),
        ("ExecStart=/bin/a $(nproc)", &["shell-syntax $(nproc)"]),
        ("ExecStart=/bin/a `nproc`", &["shell-syntax `nproc`"]),
        (
            "ExecStart=/bin/a --port ${PORT:-80}",
            &["shell-syntax ${PORT:-80}"],
        ),
        ("ExecStart=PORT=80 /bin/a", &["shell-syntax PORT=80"]),
        (
            "ExecStartPre=-/bin/rm -f /tmp/a*\nExecStart=/bin/a",
            &["shell-syntax /tmp/a*"],
        ),
        ("ExecStart=/bin/a --file ~/b", &["shell-syntax ~/b"]),
        ("ExecStart=/bin/sh -c 'a | b' | c", &["shell-syntax |"]),
        ("ExecStart=~/bin/a", &["relative-command ~/bin/a"]),
        ("ExecStart=-./a b", &["relative-command ./a"]),
        (
            "ExecStart=/bin/a\nExecStop=bin/b",
            &["relative-command bin/b"],
        ),
        // What systemd and programs do without a shell.
        (
            "ExecStart=/bin/sh -c 'a | b >/dev/null 2>&1 && c; d `e` $(f) ~ ${G:-1}'",
            &[],
        ),
        ("ExecStart=/bin/bash -lc \"cd /srv && exec ./a\"", &[]),
        (
            "ExecStart=/usr/bin/mysql -e \"select `a` from b where c > 1; commit;\"",
            &[],
        ),
        ("ExecStart=/usr/bin/awk '{print $(NF-1)}' /srv/a", &[]),
        ("ExecStart=/bin/a $$(b) $$C ${D} $E %i", &[]),
        ("Type=oneshot\nExecStart=/bin/a ; /bin/b", &[]),
        (
            "Type=oneshot\nExecStart=/usr/bin/find /srv -name *.log -exec rm {} \\;",
            &[],
        ),
        ("ExecStart=/usr/bin/systemctl stop api-*", &[]),
        (
            "ExecStart=/usr/bin/rsync --exclude *.log /srv/ backup:/srv/",
            &[],
        ),
        (
            "ExecStart=/usr/bin/uvicorn app:main --forwarded-allow-ips=* --host 0.0.0.0",
            &[],
        ),
        (
            "ExecStart=/usr/bin/curl http://localhost:8000/?a=1&b=2",
            &[],
        ),
        ("ExecStart=/usr/bin/pip install a>=1 >=2", &[]),
        ("ExecStart=/usr/bin/mail --from <me@example.com>", &[]),
        ("ExecStart=/usr/bin/autossh -i ~/.ssh/key host", &[]),
        ("ExecStart=docker-proxy -x", &[]),
        ("ExecStart=@/bin/a ./a -b", &[]),
        ("ExecStart=${A}/bin/b", &[]),
        (
            "ExecStart=/bin/a\nExecSearchPath=/srv/bin\nExecPaths=+/srv",
            &[],
        ),
    ]);
}

#[test]
fn services_that_systemd_refuses() {
    assert_each(&[
        (
            "Type=oneshot\nRestart=always\nExecStart=/bin/a",
            &["oneshot-restart always"],
        ),
        (
            "Type=oneshot\nRestart=on-success\nExecStart=/bin/a",
            &["oneshot-restart on-success"],
        ),
        ("Type=oneshot\nRestart=on-failure\nExecStart=/bin/a", &[]),
        ("Restart=always\nExecStart=/bin/a", &[]),
        (
            "ExecStart=/bin/a\nExecStart=/bin/b c",
            &["several-commands /bin/b c"],
        ),
        ("ExecStart=/bin/a ; /bin/b", &["several-commands /bin/b"]),
        ("ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b", &[]),
        ("Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b", &[]),
        ("Type=simple", &["no-command [Service]"]),
        ("Restart=no", &["no-command [Service]"]),
        ("ExecStop=/bin/a", &["no-command [Service]"]),
        ("RemainAfterExit=yes\nExecStop=/bin/a", &[]),
        ("Type=onehsot\nExecStart=/bin/a", &["invalid-value onehsot"]),
        (
            "TimeoutStopSec=5minutes\nRestartSec=5 secs\nExecStart=/bin/a",
            &["invalid-value 5 secs"],
        ),
        (
            "MemoryMax=192MB\nMemoryHigh=50%\nCPUQuota=20\nLimitNOFILE=65536:1024\nExecStart=/bin/a",
            &[
                "invalid-value 192MB",
                "invalid-value 20",
                "invalid-value 65536:1024",
            ],
        ),
        (
            "StandardOutput=/var/log/a.log\nStandardError=append:/var/log/%n.log\nKillSignal=SIGINT\nExecStart=/bin/a",
            &["invalid-value /var/log/a.log"],
        ),
        (
            "Restart=Always\nExecStart=/bin/a\nRemainAfterExit=ON",
            &["invalid-value Always"],
        ),
        ("Type=notify-reload\nExecStart=/bin/a", &[]),
        (
            "ExecStart=/bin/a\nWorkingDirectory=compose/x\nEnvironmentFile=-a.env",
            &["invalid-value compose/x", "invalid-value -a.env"],
        ),
        (
            "ExecStart=/bin/a\nWorkingDirectory=\"/srv/my app\"\nEnvironmentFile=/etc/../a.env",
            &[
                "invalid-value \"/srv/my app\"",
                "invalid-value /etc/../a.env",
            ],
        ),
        (
            "ExecStart=/bin/a\nWorkingDirectory=-/srv\nWorkingDirectory=~\nEnvironmentFile=%E/a",
            &[],
        ),
    ]);
    let file = "[Service]\nExecStart=/bin/a\n";
    assert_eq!(
        found(&[
            ("systemd/a.service", file),
            (
                "systemd/a.service.d/b.conf",
                "[Service]\nExecStart=/bin/b\n"
            ),
        ]),
        ["several-commands /bin/b"]
    );
    // Somebody else's unit has its command elsewhere.
    let drop_in = (
        "systemd/nginx.service.d/b.conf",
        "[Service]\nRestart=always\n",
    );
    assert_eq!(found(&[drop_in]), [""; 0]);
}
