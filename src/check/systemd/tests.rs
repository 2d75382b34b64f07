//! What the rules find in units as people write them, and what they leave alone.

use std::path::Path;
use std::time::Instant;

use crate::check::tests::checked;
use crate::model::Finding;

/// Findings about units, in short: the rule, the place, and what is underlined.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let findings = checked(&files);
    let own = findings
        .iter()
        .filter(|finding| finding.rule.name.starts_with("systemd-"));
    own.map(short).collect()
}

fn short(finding: &Finding) -> String {
    let place = finding.place().unwrap();
    let name = finding.rule.name.strip_prefix("systemd-").unwrap();
    format!("{name} {}", &place.source[place.span.clone()])
}

/// A service that starts at boot, with these lines in `[Service]`.
fn service(lines: &str) -> String {
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
            "\u{feff}[Unit]\r\nDescription = 音声 # 1\r\n[Service]\r\nExecStart=/bin/a \\\r\n# comment\r\n; another\r\n  b\r\n",
            vec![],
        ),
    ] {
        assert_eq!(found(&[("systemd/a.service", text)]), expected, "{text}");
    }
    let of = |path: &str, text: &str| found(&[(path, text)]);
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
        ("ExecStart=/bin/a\nExecSearchPath=bin\nExecPaths=+/srv", &[]),
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
            "Restart=Always\nExecStart=/bin/a\nRemainAfterExit=ON",
            &["invalid-value Always"],
        ),
        ("Type=notify-reload\nExecStart=/bin/a", &[]),
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

const DOCKER: &str = "[Unit]\nAfter=docker.service\nRequires=docker.service\n";

#[test]
fn commands_that_leave_containers_behind() {
    for (lines, expected) in [
        ("ExecStart=/usr/bin/docker-compose up -d", vec!["-d"]),
        (
            "ExecStart=/usr/bin/docker compose -f a.yml up --build -d --remove-orphans\nRestart=always",
            vec!["-d"],
        ),
        (
            "Type=forking\nExecStart=docker run -p 80:80 -itd nginx:1",
            vec!["-itd"],
        ),
        (
            "ExecStart=/bin/sh -c 'cd /srv && docker-compose up --detach'",
            vec!["--detach"],
        ),
        (
            "Type=oneshot\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
            vec!["-d"],
        ),
        ("Type=oneshot\nExecStart=docker-compose up -d", vec![]),
        (
            "Type=oneshot\nRemainAfterExit=yes\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
            vec![],
        ),
        (
            "RemainAfterExit=true\nExecStart=docker-compose up -d",
            vec![],
        ),
        ("ExecStart=docker-compose up", vec![]),
        (
            "ExecStart=docker run --rm --name d -v /srv:/d nginx:1 -d",
            vec![],
        ),
        ("ExecStart=docker run --unknown x -d nginx:1", vec![]),
        ("ExecStart=docker start api", vec!["api"]),
        ("ExecStart=docker start -a api", vec![]),
        (
            "ExecStart=/bin/sh -c 'docker-compose up -d && docker-compose logs -f'",
            vec![],
        ),
    ] {
        let text = format!("{DOCKER}{}", service(lines));
        let found = found(&[("systemd/a.service", &text)]);
        let expected = expected
            .iter()
            .map(|option| format!("detached-command {option}"));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{lines}");
    }
}

#[test]
fn docker_and_networks_come_first() {
    let of = |unit: &str, exec: &str| {
        let text = format!("[Unit]\n{unit}\n{}", service(exec));
        found(&[("systemd/a.service", &text)])
    };
    let up = "ExecStart=/usr/bin/docker-compose -f /srv/a.yml up";
    let both = [
        "docker-not-required /usr/bin/docker-compose",
        "not-after-docker /usr/bin/docker-compose",
    ];
    let mut found_both = of("Description=a", up);
    found_both.sort();
    assert_eq!(found_both, both);
    for unit in [
        "After=docker.service\nRequires=docker.service",
        "After=network.target docker.socket\nBindsTo=docker.socket",
        "Wants=network-online.target docker.service\nAfter=network-online.target docker.service",
    ] {
        assert_eq!(of(unit, up), [""; 0], "{unit}");
    }
    assert_eq!(of("After=docker.service", up), both[..1]);
    assert_eq!(of("Requires=docker.service", up), both[1..]);
    assert_eq!(
        of("Description=a", "ExecStart=/usr/bin/docker-proxy"),
        [""; 0]
    );
    assert_eq!(
        of("Description=a", "ExecStart=/usr/bin/podman run x:1"),
        [""; 0]
    );
    // Through another unit, and what a timer starts.
    let infra = format!("{DOCKER}[Service]\nType=oneshot\nExecStart=/usr/bin/docker network ls\n");
    let through = "[Unit]\nAfter=infra.service\nRequires=infra.service\n[Service]\nExecStart=/usr/bin/docker events\n[Install]\nWantedBy=multi-user.target\n";
    let prune = "[Service]\nType=oneshot\nExecStart=/usr/bin/docker image prune -f\n";
    let timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        found(&[
            ("systemd/infra.service", &infra),
            ("systemd/a.service", through),
            ("systemd/prune.service", prune),
            ("systemd/prune.timer", timer),
        ]),
        [""; 0]
    );
}

#[test]
fn networks_of_compose_files() {
    let infra = "networks:\n  shared:\n    name: shared\n";
    let owner = format!(
        "{DOCKER}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -f /srv/host/docker-compose.infra.yml up -d\n[Install]\nWantedBy=multi-user.target\n"
    );
    let policy = "checkout = \"/srv/host\"\n";
    let stack = |network: &str| format!("services:\n  a:\n    image: a:1\n{network}");
    let joins = stack("    networks: [shared]\nnetworks:\n  shared:\n    external: true\n");
    let default = stack("networks:\n  default:\n    name: shared\n    external: true\n");
    let of = |unit: &str, compose: &str| {
        let text = format!(
            "[Unit]\n{unit}\n{}",
            service(
                "ExecStart=/usr/bin/docker-compose -f /srv/host/compose/a/docker-compose.yml up"
            )
        );
        found(&[
            ("watchme.toml", policy),
            ("docker-compose.infra.yml", infra),
            ("systemd/infra.service", &owner),
            ("systemd/a.service", &text),
            ("compose/a/docker-compose.yml", compose),
        ])
    };
    let docker = "After=docker.service\nRequires=docker.service";
    let names = |found: Vec<String>| -> Vec<String> {
        let mut names: Vec<String> = found
            .iter()
            .map(|one| one.split(' ').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(of(docker, &joins)),
        ["network-not-required", "not-after-network"]
    );
    assert_eq!(
        names(of(docker, &default)),
        ["network-not-required", "not-after-network"]
    );
    assert_eq!(
        names(of(&format!("{docker}\nRequires=infra.service"), &stack(""))),
        ["not-after-network"]
    );
    for unit in [
        format!("{docker}\nAfter=infra.service\nRequires=infra.service"),
        "After=infra.service\nWants=infra.service".to_owned(),
    ] {
        assert_eq!(of(&unit, &joins), [""; 0], "{unit}");
    }
    // A stack of its own network.
    assert_eq!(of(docker, &stack("")), [""; 0]);
}

#[test]
fn circles() {
    let unit = |unit: &str| format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
    let of = |units: &[(&str, &str)]| {
        let files: Vec<(String, String)> = units
            .iter()
            .map(|(name, text)| (format!("systemd/{name}"), text.to_string()))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found(&files)
    };
    let (after_b, before_a, after_all) = (
        unit("After=b.service"),
        unit("Before=c.service\nAfter=a.service"),
        unit("After=multi-user.target"),
    );
    assert_eq!(
        of(&[
            ("a.service", &after_b),
            ("b.service", &unit("After=c.service")),
            ("c.service", &unit("After=a.service"))
        ])
        .len(),
        1
    );
    assert_eq!(
        of(&[
            ("a.service", &unit("After=c.service")),
            ("b.service", &before_a),
            ("c.service", &unit("Description=c"))
        ]),
        ["order-cycle c.service"]
    );
    assert_eq!(
        of(&[("a.service", &after_b), ("b.service", &after_all)]).len(),
        1,
        "multi-user.target wants both"
    );
    assert_eq!(of(&[("a.service", &after_all)]), [""; 0]);
    assert_eq!(
        of(&[("a.service", &unit("After=a.service"))]),
        ["order-cycle a.service"]
    );
    let socket = "[Unit]\nAfter=docker.service\n[Socket]\nListenStream=/run/a\n[Install]\nWantedBy=sockets.target\n";
    assert_eq!(
        of(&[("a.socket", socket), ("a.service", &unit("Description=a"))]),
        ["order-cycle docker.service"]
    );
    // None of these is one.
    let timer =
        "[Unit]\nAfter=docker.service\n[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        of(&[
            ("a.timer", timer),
            ("a.service", &unit("After=a.timer docker.service"))
        ]),
        [""; 0]
    );
    assert_eq!(
        of(&[
            ("a.service", &unit("Requires=b.service\nAfter=b.service")),
            ("b.service", &unit("Requires=a.service"))
        ]),
        [""; 0]
    );
    assert_eq!(
        of(&[
            (
                "a.target",
                "[Unit]\nWants=b.service\n[Install]\nWantedBy=multi-user.target\n"
            ),
            ("b.service", &unit("After=a.target\nPartOf=a.target"))
        ]),
        [""; 0]
    );
}

#[test]
fn names_of_units() {
    let of = |unit: &str| {
        let text = format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
        found(&[
            ("systemd/a.service", &text),
            ("systemd/w@.service", "[Service]\nExecStart=/bin/w %i\n"),
        ])
    };
    for (unit, expected) in [
        (
            "After=watchme-infra.service",
            vec!["unknown-unit watchme-infra.service"],
        ),
        (
            "Requires=postgres.service\nAfter=postgres.service",
            vec!["unknown-unit postgres.service"],
        ),
        ("After=docker", vec!["unknown-unit docker"]),
        (
            "After=netwrok-online.target",
            vec!["unknown-unit netwrok-online.target"],
        ),
        (
            "After=network.target network-online.target docker.service nginx.service postgresql@15-main.service",
            vec![],
        ),
        (
            "After=w@1.service w@%p.service\nOnFailure=w@%n.service",
            vec![],
        ),
        (
            "After=srv.mount dev-sda1.device a.slice\nRequiresMountsFor=/srv",
            vec![],
        ),
        ("Conflicts=other.service", vec![]),
        ("After=%H.service", vec![]),
    ] {
        assert_eq!(of(unit), expected, "{unit}");
    }
    let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        found(&[("systemd/b.timer", timer)]),
        ["unknown-unit [Timer]"]
    );
    assert_eq!(found(&[("systemd/certbot.timer", timer)]), [""; 0]);
    // What cannot be read may define it.
    let broken = ("watchme.toml", "nonsense");
    let text = "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/a\n";
    assert_eq!(found(&[broken, ("systemd/a.service", text)]), [""; 0]);
}

#[test]
fn units_that_are_not_enabled() {
    let policy = ("watchme.toml", "[unit.\"a.service\"]\nstart = true\n");
    let plain = ("systemd/a.service", "[Service]\nExecStart=/bin/a\n");
    assert_eq!(found(&[policy, plain]), ["not-enabled \"a.service\""]);
    let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(found(&[policy, plain, ("systemd/a.timer", timer)]), [""; 0]);
    let wants =
        service("ExecStart=/bin/b").replace("[Service]", "[Unit]\nWants=a.service\n[Service]");
    assert_eq!(
        found(&[policy, plain, ("systemd/b.service", &wants)]),
        [""; 0]
    );
    let drop_in = "[Install]\nWantedBy=multi-user.target\n";
    assert_eq!(
        found(&[policy, plain, ("systemd/a.service.d/i.conf", drop_in)]),
        [""; 0]
    );
}

/// The template of the users' documents, filled in: its comment behind a value is the only error.
#[test]
fn the_template_of_a_service() {
    let text = "[Unit]\nDescription=音声文字起こし\nAfter=docker.service watchme-infrastructure.service  # インフラの後に起動\nRequires=docker.service watchme-infrastructure.service\n\n[Service]\nTimeoutStartSec=0\n\n# 常にECRから最新のイメージを取得\nExecStartPre=-/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml pull -q\n\n# Docker Composeでコンテナを起動\nExecStart=/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml up\n\n# サービス停止時にコンテナを停止\nExecStop=/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml down\n\nRestart=always\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n";
    let infra = format!(
        "{DOCKER}{}",
        service("Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker network ls")
    );
    let files = [
        ("systemd/api.service", text),
        ("systemd/watchme-infrastructure.service", &infra),
    ];
    assert_eq!(found(&files), ["comment-behind-value # インフラの後に起動"]);
}

fn files_below(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder.join(below)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = [below, &name].join("/").trim_start_matches('/').to_owned();
        match folder.join(&path).is_dir() {
            true => files_below(folder, &path, files),
            false => files.push((
                path.clone(),
                std::fs::read_to_string(folder.join(&path)).unwrap(),
            )),
        }
    }
}

/// The example of a new service is laid over the state that it is for.
#[test]
fn the_shipped_state_and_the_examples_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folders in [
        vec!["desired-state"],
        vec!["examples/minimal"],
        vec!["examples/unattended/desired-state"],
        vec!["desired-state", "examples/service-template/desired-state"],
    ] {
        let mut files = Vec::new();
        for folder in &folders {
            files_below(&root.join(folder), "", &mut files);
        }
        let findings = checked(&files);
        let own = findings
            .iter()
            .filter(|finding| finding.rule.name.starts_with("systemd-"));
        let own: Vec<String> = own.map(|finding| finding.to_string()).collect();
        assert_eq!(own, [""; 0], "{folders:?}");
    }
}

#[test]
fn many_units_take_no_time() {
    let mut files: Vec<(String, String)> = Vec::new();
    for at in 0..1000 {
        let unit = format!(
            "[Unit]\nAfter=docker.service u{}.service\nRequires=docker.service u{0}.service\nWrong=1\n{}",
            at / 2,
            service(
                "ExecStartPre=-/usr/bin/docker-compose -f /srv/a.yml pull -q\nExecStart=/usr/bin/docker-compose -f /srv/a.yml up\nRestart=always"
            )
        );
        files.push((format!("systemd/u{}.service", at + 1), unit));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("systemd")).unwrap();
    for (path, text) in &files {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = crate::source::Checkout::open(folder.path(), &[owner]).unwrap();
    let (revision, wrong) = checkout.survey(&crate::source::Which::Worktree).unwrap();
    let subject = super::Subject {
        revision: &revision,
        wrong: &wrong,
    };
    let begun = Instant::now();
    let findings = super::check(&subject);
    let took = begun.elapsed();
    eprintln!("{took:?} for {} findings", findings.len());
    // Unoptimised, on a busy machine; the program itself is timed elsewhere.
    assert!(took.as_millis() < 3000, "{took:?}");
    assert!(findings.len() >= 1000);
}
