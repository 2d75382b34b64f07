//! How the program comes to a host and leaves it again.

mod package;

use std::time::Duration;

use crate::support::network::Server;
use crate::support::{CHECKOUT, Host, Service, desired, service, site, sleeper};

const BOUND: Duration = Duration::from_secs(60);

const UNITS: [&str; 3] = ["plain.service", "web.service", "stack-own.service"];

/// A unit that runs compose with a file of the checkout, and one that runs a script of it.
fn state() -> Vec<(String, String)> {
    let web = format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nWorkingDirectory={CHECKOUT}/run\n\
         ExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    let project = |port: u16, volumes: &str| {
        format!(
            "services:\n  web:\n    image: web:1\n    ports: ['127.0.0.1:{port}:8000']\n{volumes}"
        )
    };
    let mounts = "    volumes: ['./page:/www/page:ro']\n";
    let daily = "[Service]\nType=oneshot\nExecStart=/usr/local/bin/watchme-apply drift\n";
    [
        (desired("sites-available/a"), site("a", "page")),
        (
            desired("systemd/plain.service"),
            service(&format!("{CHECKOUT}/run/plain.sh")),
        ),
        (
            desired("systemd/plain.service.d/nice.conf"),
            "[Service]\nNice=5\n".to_owned(),
        ),
        (
            "run/plain.sh".to_owned(),
            "#!/bin/sh\nexec sleep 100000\n".to_owned(),
        ),
        (desired("systemd/web.service"), web),
        ("run/docker-compose.yml".to_owned(), project(8101, "")),
        (
            desired("compose/own/docker-compose.yml"),
            project(8102, mounts),
        ),
        (desired("compose/own/page"), "mounted\n".to_owned()),
        (desired("systemd/report.service"), daily.to_owned()),
        (
            desired("systemd/report.timer"),
            "[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n".to_owned(),
        ),
        (desired("etc/app/app.conf"), "of git\n".to_owned()),
    ]
    .into_iter()
    .collect()
}

fn applied() -> Host {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "web:1",
        port: 8000,
        paths: &["page"],
    }]);
    let state = state();
    let files = state
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    host.checkout(&files.collect::<Vec<_>>());
    host.apply(&[]).expect(0);
    served(&host);
    host
}

#[track_caller]
fn served(host: &Host) {
    assert_eq!(host.page("a"), "page");
    host.wait_for_image("web:1", 8101, BOUND);
    let mounted = || host.get("http://localhost:8102/page") == (200, "mounted\n".to_owned());
    host.wait_for("the stack", BOUND, mounted);
    for unit in UNITS {
        assert!(host.is_active(unit), "{unit}");
    }
}

/// Links below /etc that lead into the store.
fn links(host: &Host) -> String {
    host.sh("find /etc -lname '/etc/watchme-apply/*' -not -path '/etc/watchme-apply/*'")
}

#[test]
fn a_host_that_is_left_goes_on_as_it_runs() {
    let host = applied();
    let runs = host.runs(&UNITS);
    let containers = host.sh("docker ps -q --no-trunc | sort");
    assert_ne!(links(&host), "");
    // Neither of the two is chosen.
    let usage = host.tool(&["uninstall"]).expect(64);
    assert!(
        usage.stderr.contains("<--keep|--remove>"),
        "{}",
        usage.stderr
    );

    host.tool(&["pause", "plain", "--reason", "test"]).expect(0);
    let before = host.picture();
    let paused = host.tool(&["uninstall", "--keep"]).expect(1);
    host.assert_unchanged(&before, "refused");
    assert!(
        paused
            .stderr
            .contains("paused: plain.service; nothing was changed")
            && paused.stderr.contains("watchme-apply resume plain.service"),
        "{}",
        paused.stderr
    );
    host.tool(&["resume", "plain"]).expect(0);

    let runs = match host.runs(&UNITS).restarted_since(&runs)[..] {
        ["plain.service"] => host.runs(&UNITS),
        ref other => panic!("{other:?}"),
    };
    // The times are those of the files that links led to: nothing that looks at them sees a change.
    let times = || {
        host.sh("stat -L -c '%y %n' /etc/systemd/system/plain.service /etc/nginx/sites-available/a /etc/app/app.conf")
    };
    let of_links = times();
    host.sh("sleep 1.1");
    let left = host
        .tool(&["uninstall", "--keep", "--yes"])
        .expect(0)
        .stdout;
    assert_eq!(times(), of_links);
    for line in [
        "/etc/systemd/system/plain.service: becomes a file",
        "/etc/systemd/system/multi-user.target.wants/plain.service: leads to /etc/systemd/system/plain.service",
        "report.timer: starts watchme-apply; it will no longer start",
        "/etc/watchme-apply/live/files: stays, since it is read by",
        "done: services keep running from plain files",
    ] {
        assert!(left.contains(line), "{line}: {left}");
    }
    assert_eq!(links(&host), "");
    assert_eq!(host.runs(&UNITS).restarted_since(&runs), Vec::<&str>::new());
    assert_eq!(host.sh("docker ps -q --no-trunc | sort"), containers);
    assert_eq!(
        host.sh("ls /etc/watchme-apply /etc/watchme-apply/live"),
        host.sh("printf '%s\\n' /etc/watchme-apply: live '' /etc/watchme-apply/live: files")
    );
    assert!(!host.stands("/var/lib/watchme-apply/inventory.json"));
    assert!(!host.is_active("report.timer"));
    assert_eq!(host.wants_links("report.timer"), Vec::<String>::new());
    assert_eq!(
        host.wants_links("watchme-apply-recover.service"),
        Vec::<String>::new()
    );
    let again = host.tool(&["status"]);
    assert!(
        again.text().contains("nothing was applied yet"),
        "{}",
        again.text()
    );

    // Without the program and without the checkout, everything starts at boot.
    host.sh(&format!(
        "mv /usr/local/bin/watchme-apply /root/; mv {CHECKOUT} /root/checkout"
    ));
    host.sh("nginx -t 2>&1");
    host.sh("systemctl restart plain.service");
    // Its process makes the places of its mounts, and that is not waited for.
    host.wait_for("the script", BOUND, || {
        let name = "cat /proc/$(systemctl show -P MainPID plain.service)/comm";
        host.try_sh(name).stdout.trim() == "sleep"
    });
    host.sh(&format!(
        "rm -rf {CHECKOUT}; mv /root/checkout {CHECKOUT}; mv /root/watchme-apply /usr/local/bin/"
    ));
    host.reboot();
    host.wait_for("units", BOUND, || {
        UNITS.iter().all(|unit| host.is_active(unit))
    });
    served(&host);

    // It can be managed again, and nothing restarts for that.
    let runs = host.runs(&UNITS);
    host.apply(&[]).expect(0);
    assert_eq!(host.runs(&UNITS).restarted_since(&runs), Vec::<&str>::new());
    served(&host);
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_host_that_is_cleared_has_only_what_was_there_before() {
    let host = applied();
    host.sh("useradd -m other; echo mine >/etc/app/mine");
    let asked = host.tool(&["uninstall", "--remove"]).expect(1);
    assert!(
        asked.stderr.contains("not confirmed; nothing was changed"),
        "{}",
        asked.stderr
    );
    let container = host.sh("docker ps --format '{{.Names}}' | head -n 1");
    let cleared = host
        .tool(&["uninstall", "--remove", "--yes"])
        .expect(0)
        .stdout;
    let said = format!("with its containers: {container})");
    assert!(cleared.contains(&said), "{said}: {cleared}");
    assert!(
        cleared.contains("sudo apt-get purge watchme-apply"),
        "{cleared}"
    );
    assert_eq!(links(&host), "");
    for path in [
        "/etc/watchme-apply",
        "/var/lib/watchme-apply/inventory.json",
        "/etc/nginx/sites-enabled/a",
        "/etc/systemd/system/plain.service",
        "/etc/systemd/system/watchme-apply-recover.service",
    ] {
        assert!(!host.stands(path), "{path}");
    }
    assert_eq!(host.sh("docker ps -q"), "");
    assert_eq!(host.read("/etc/app/mine"), "mine\n");
    // A file under /etc may be the one that lets a person in.
    assert_eq!(host.read("/etc/app/app.conf"), "of git\n");
    let nothing = host.tool(&["uninstall", "--remove", "--yes"]).expect(1);
    assert!(
        nothing.stderr.contains("nothing is managed on this host")
            && nothing.stderr.contains("apt-get purge watchme-apply"),
        "{}",
        nothing.stderr
    );
    // From nothing again.
    host.apply(&[]).expect(0);
    served(&host);
}

/// A kill at any write leaves a host that serves, and the next call ends what was begun.
#[test]
#[ignore = "applies and is killed eight times: half a minute"]
fn a_host_that_is_left_halfway_serves_and_is_left_by_the_next_call() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "page")),
        (&desired("systemd/s.service"), &sleeper(100_000)),
        (&desired("etc/app/app.conf"), "of git\n"),
    ]);
    let calls = ["renameat", "renameat2", "unlinkat", "symlinkat"];
    for call in calls {
        for nth in [1, 3] {
            host.apply(&[]).expect(0);
            host.sh(&format!(
                "strace -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={nth} watchme-apply uninstall --keep --yes >/dev/null 2>&1 || true"
            ));
            host.sh("nginx -t 2>&1; systemctl daemon-reload");
            assert_eq!(host.page("a"), "page");
            assert!(host.is_active("s.service"));
            let left = host.tool(&["uninstall", "--keep", "--yes"]);
            assert!(
                left.status == 0 || left.stderr.contains("nothing is managed"),
                "{}",
                left.text()
            );
            assert_eq!(links(&host), "");
            assert!(
                !host.stands("/var/lib/watchme-apply/inventory.json"),
                "{call} {nth}"
            );
            assert_eq!(host.read("/etc/app/app.conf"), "of git\n");
        }
    }
}

/// The unit that owns a network takes it along when it goes, and one with a container of somebody else on it stays.
#[test]
#[ignore = "long: tests/run --all"]
fn a_host_with_a_network_is_cleared() {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "stop"))
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.run_container("foreign", "--network watchme-network", "");
    let cleared = host
        .tool(&["uninstall", "--remove", "--yes"])
        .expect(0)
        .stdout;
    assert!(
        cleared.contains("kept the network watchme-network: docker network rm watchme-network"),
        "{cleared}"
    );
    assert_eq!(host.container("foreign", "{{.State.Running}}"), "true");
    assert_eq!(host.on_network("watchme-network").len(), 1);
    assert!(!host.stands("/etc/watchme-apply"));
}
