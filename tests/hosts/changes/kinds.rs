//! Units that are no plain services, and files under /etc: each changes as its kind asks for.

use super::NOBODY;
use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

/// Commits changes of the desired state and applies them.
#[track_caller]
fn change(host: &Host, files: &[(&str, Option<&str>)]) {
    let paths: Vec<_> = files
        .iter()
        .map(|(path, content)| (desired(path), *content))
        .collect();
    let files: Vec<_> = paths
        .iter()
        .map(|(path, content)| (path.as_str(), *content))
        .collect();
    host.commit(&files, "changed");
    host.apply(&[]).expect(0);
}

fn template(seconds: u32) -> String {
    service(&format!("/bin/sh -c 'echo %i; exec sleep {seconds}'"))
}

#[test]
#[ignore = "long: tests/run --all"]
fn instances_follow_their_template_and_the_list() {
    let host = Host::boot();
    let both =
        "[unit.\"worker@a.service\"]\nstart = true\n[unit.\"worker@b.service\"]\nstart = true\n";
    host.checkout(&[
        (&desired("systemd/worker@.service"), &template(1001)),
        (&desired("systemd/one.service"), &sleeper(1002)),
        (&desired("watchme.toml"), both),
    ]);
    host.apply(&[]).expect(0);
    let units = ["worker@a.service", "worker@b.service", "one.service"];
    assert!(units.iter().all(|unit| host.is_active(unit)));
    host.assert_linked(
        "/etc/systemd/system/worker@.service",
        "desired-state/systemd/worker@.service",
    );
    assert_eq!(
        host.wants_links("worker@*"),
        [
            "multi-user.target.wants/worker@a.service",
            "multi-user.target.wants/worker@b.service"
        ]
    );
    host.assert_does_nothing(&["apply"]).expect(0);

    let before = host.runs(&units);
    change(&host, &[("systemd/worker@.service", Some(&template(2001)))]);
    assert_eq!(
        host.runs(&units).restarted_since(&before),
        units[..2],
        "both instances, and nobody else"
    );

    let before = host.runs(&units);
    change(
        &host,
        &[(
            "systemd/worker@a.service.d/nice.conf",
            Some("[Service]\nNice=5\n"),
        )],
    );
    assert_eq!(
        host.runs(&units).restarted_since(&before),
        ["worker@a.service"]
    );
    assert_eq!(
        (
            host.property(units[0], "Nice"),
            host.property(units[1], "Nice")
        ),
        ("5".into(), "0".into())
    );

    let before = host.runs(&units[1..]);
    change(
        &host,
        &[
            (
                "watchme.toml",
                Some("[unit.\"worker@b.service\"]\nstart = true\n"),
            ),
            ("systemd/worker@a.service.d", None),
        ],
    );
    assert!(!host.is_active("worker@a.service"));
    assert_eq!(
        host.wants_links("worker@*"),
        ["multi-user.target.wants/worker@b.service"]
    );
    assert_eq!(host.runs(&units[1..]).restarted_since(&before), NOBODY);

    change(
        &host,
        &[("watchme.toml", None), ("systemd/worker@.service", None)],
    );
    assert!(!host.is_active("worker@b.service"));
    assert_eq!(host.sh("find /etc/systemd/system /etc/watchme-apply/live -name 'worker*'; pgrep -f '[s]leep 2001' || true"), "");
    assert!(host.is_active("one.service"));
}

const HELLO: &str = "import socket
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.sendall(b'hello\\n')
    connection.close()
";

const HELLO_SERVICE: &str = "[Service]
ExecStart=/usr/bin/python3 /home/ubuntu/watchme-server-configs/desired-state/scripts/hello.py
";

fn socket(port: u16) -> String {
    format!("[Socket]\nListenStream=127.0.0.1:{port}\n\n[Install]\nWantedBy=sockets.target\n")
}

fn says(host: &Host, port: u16) -> String {
    host.run(&[
        "timeout",
        "5",
        "bash",
        "-c",
        &format!("exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3"),
    ])
    .stdout
}

/// systemd refuses to restart a socket while its service runs, and leaves it inactive.
#[test]
#[ignore = "long: tests/run --all"]
fn a_socket_changes_under_its_running_service() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("systemd/hello.socket"), &socket(7001)),
        (&desired("systemd/hello.service"), HELLO_SERVICE),
        (&desired("scripts/hello.py"), HELLO),
    ]);
    host.apply(&[]).expect(0);
    assert!(
        host.is_active("hello.socket") && !host.is_active("hello.service"),
        "nobody called yet"
    );
    assert_eq!(
        host.wants_links("hello.*"),
        ["sockets.target.wants/hello.socket"]
    );
    assert_eq!(says(&host, 7001), "hello\n");
    assert!(host.is_active("hello.service"));
    host.assert_does_nothing(&["apply"]).expect(0);

    change(&host, &[("systemd/hello.socket", Some(&socket(7002)))]);
    assert!(host.is_active("hello.socket"));
    assert_eq!(
        (says(&host, 7002), says(&host, 7001)),
        ("hello\n".into(), String::new())
    );
    host.assert_does_nothing(&["apply"]).expect(0);

    let before = host.runs(&["hello.socket", "hello.service"]);
    change(
        &host,
        &[(
            "scripts/hello.py",
            Some(&HELLO.replace("hello", "good day")),
        )],
    );
    assert_eq!(
        host.runs(&["hello.socket", "hello.service"])
            .restarted_since(&before),
        ["hello.service"]
    );
    assert_eq!(
        says(&host, 7002),
        "good day\n",
        "the script that the unit names"
    );

    change(
        &host,
        &[
            ("systemd/hello.socket", None),
            ("systemd/hello.service", None),
            ("systemd/one.service", Some(&sleeper(1001))),
        ],
    );
    assert_eq!(says(&host, 7002), "");
    assert_eq!(
        host.sh("systemctl list-units --all --plain --no-legend 'hello*'"),
        ""
    );
}

fn timer(at: &str) -> String {
    format!("[Timer]\nOnCalendar={at}\n\n[Install]\nWantedBy=timers.target\n")
}

fn tick(word: &str) -> String {
    format!("[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo {word} >>/run/ticks'\n")
}

#[test]
#[ignore = "long: tests/run --all"]
fn timers_paths_and_targets_change_without_running_anything() {
    let host = Host::boot();
    let path = |file: &str| {
        format!(
            "[Path]\nPathChanged={file}\nUnit=tick.service\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let target = |word: &str| {
        format!(
            "[Unit]\nDescription={word}\nWants=one.service\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    host.checkout(&[
        (&desired("systemd/tick.timer"), &timer("*-01-01 03:00:00")),
        (&desired("systemd/tick.service"), &tick("first")),
        (&desired("systemd/tick.path"), &path("/run/first")),
        (&desired("systemd/all.target"), &target("first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
    ]);
    host.apply(&[]).expect(0);
    assert!(host.is_active("tick.timer") && host.is_active("tick.path"));
    assert!(
        !host.stands("/run/ticks"),
        "a service without [Install] is only linked"
    );
    assert_eq!(
        host.wants_links("tick.*"),
        [
            "multi-user.target.wants/tick.path",
            "timers.target.wants/tick.timer"
        ]
    );
    assert_eq!(
        host.wants_links("all.target"),
        ["multi-user.target.wants/all.target"]
    );
    host.assert_does_nothing(&["apply"]).expect(0);

    let units = ["tick.timer", "tick.service", "tick.path", "one.service"];
    for (file, content, restarted) in [
        (
            "systemd/tick.timer",
            timer("*-01-02 04:00:00"),
            &["tick.timer"][..],
        ),
        ("systemd/tick.path", path("/run/second"), &["tick.path"]),
        ("systemd/tick.service", tick("second"), &[]),
        ("systemd/all.target", target("second"), &[]),
    ] {
        let before = host.runs(&units);
        change(&host, &[(file, Some(&content))]);
        assert_eq!(
            host.runs(&units).restarted_since(&before),
            restarted,
            "{file}"
        );
        host.assert_does_nothing(&["apply"]).expect(0);
    }
    assert!(
        host.property("tick.timer", "TimersCalendar")
            .contains("01-02 04:00:00")
    );
    assert!(host.property("tick.path", "Paths").contains("/run/second"));
    assert_eq!(host.property("all.target", "Description"), "second");
    assert!(!host.stands("/run/ticks"));
    host.sh("touch /run/first");
    host.sh("touch /run/second; timeout 5 sh -c 'until test -e /run/ticks; do sleep 0.05; done'");
    assert_eq!(host.sh("sort -u /run/ticks"), "second");
    host.assert_does_nothing(&["drift"]).expect(0);

    change(
        &host,
        &[
            ("systemd/tick.timer", None),
            ("systemd/tick.path", None),
            ("systemd/tick.service", None),
        ],
    );
    assert_eq!(
        host.sh("systemctl list-units --all --plain --no-legend 'tick*'"),
        ""
    );
    host.reboot();
    assert!(host.is_active("all.target") && host.is_active("one.service"));
}

const ETC: &str = "[etc.\"app/copied.conf\"]
mode = \"0640\"
owner = \"root:www-data\"
restart = \"one.service\"
[etc.\"app/linked.conf\"]
install = \"link\"
reload = \"two.service\"
";

#[test]
fn files_under_etc_are_installed_and_followed_by_their_action() {
    let host = Host::boot();
    let reloads = "[Service]\nExecStart=/bin/sleep 1002\nExecReload=/bin/sh -c 'echo reloaded >>/run/reloads'\n\n\
        [Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[
        (&desired("watchme.toml"), ETC),
        (&desired("sites-available/a"), &site("a", "a first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("systemd/two.service"), reloads),
        (&desired("etc/app/copied.conf"), "x = 1\n"),
        (&desired("etc/app/linked.conf"), "y = 1\n"),
        (&desired("etc/app/run.sh"), "#!/bin/sh\necho run\n"),
        (
            &desired("etc/nginx/conf.d/edition.conf"),
            "add_header X-Edition first;\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    let looks = |path: &str| host.sh(&format!("stat -c '%F %a %U:%G' {path}"));
    assert_eq!(
        looks("/etc/app/copied.conf"),
        "regular file 640 root:www-data"
    );
    assert_eq!(host.read("/etc/app/copied.conf"), "x = 1\n");
    host.assert_linked("/etc/app/linked.conf", "desired-state/etc/app/linked.conf");
    assert_eq!(
        host.sh("/etc/app/run.sh"),
        "run",
        "executable in git, executable on the host"
    );
    let edition = || {
        host.sh(
            "curl -sI -H 'Host: a.example.com' http://127.0.0.1/ | grep -i x-edition | tr -d '\\r'",
        )
    };
    assert_eq!(edition(), "X-Edition: first");
    host.assert_does_nothing(&["apply"]).expect(0);

    host.sh("rm -f /run/reloads");
    let units = ["one.service", "two.service"];
    for (file, content, restarted, reloaded) in [
        (
            "etc/app/copied.conf",
            "x = 2\n",
            &["one.service"][..],
            false,
        ),
        ("etc/app/linked.conf", "y = 2\n", &[], true),
        (
            "etc/nginx/conf.d/edition.conf",
            "add_header X-Edition second;\n",
            &[],
            false,
        ),
    ] {
        let before = host.runs(&units);
        change(&host, &[(file, Some(content))]);
        assert_eq!(host.read(&format!("/{file}")), content);
        assert_eq!(
            host.runs(&units).restarted_since(&before),
            restarted,
            "{file}"
        );
        assert_eq!(
            host.try_sh("cat /run/reloads; rm -f /run/reloads").stdout,
            if reloaded { "reloaded\n" } else { "" },
            "{file}"
        );
    }
    assert_eq!(edition(), "X-Edition: second");
    assert_eq!(
        looks("/etc/app/copied.conf"),
        "regular file 640 root:www-data"
    );

    change(
        &host,
        &[("watchme.toml", Some(&ETC.replace("0640", "0600")))],
    );
    assert_eq!(
        looks("/etc/app/copied.conf"),
        "regular file 600 root:www-data"
    );
    host.sh_as(
        "ubuntu",
        &format!("rm -r {CHECKOUT}/desired-state/etc {CHECKOUT}/desired-state/watchme.toml"),
    );
    change(&host, &[]);
    assert_eq!(
        host.sh("find /etc/app /etc/watchme-apply/live/etc ! -type d 2>/dev/null || true"),
        "",
        "copies and links went"
    );
    assert!(!host.stands("/etc/nginx/conf.d/edition.conf"));
    assert_eq!(host.page("a"), "a first");
}
