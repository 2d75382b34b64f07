//! Files below /etc that programs of systemd load: kernel parameters, users, files and folders.

use crate::support::{Debian, Host, desired};

const KERNEL: &str =
    "# Kept alive.\nnet.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_rmem = 4096 131072 4194304\n";
const USERS: &str = "u app - \"The service\" /var/lib/app\n";
const FOLDERS: &str = "d /var/lib/app 0750 app app\n";

fn value(host: &Host, name: &str) -> String {
    host.sh(&format!("sysctl -n {name}")).replace('\t', " ")
}

#[test]
fn parameters_users_and_folders_are_loaded_and_parameters_rolled_back() {
    let host = Host::boot();
    // The hosts of Debian 12 are containers with that mounted read-only.
    host.sh("if mountpoint -q /proc/sys; then mount -o remount,rw /proc/sys; fi");
    let before = value(&host, "net.ipv4.tcp_keepalive_time");
    let at = |name: &str| desired(&format!("etc/{name}"));
    let (kernel, users, folders) = (
        at("sysctl.d/60-app.conf"),
        at("sysusers.d/app.conf"),
        at("tmpfiles.d/app.conf"),
    );
    let unit =
        "[Service]\nUser=app\nExecStart=/bin/sleep 1000\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[
        (&kernel, KERNEL),
        (&users, USERS),
        (&folders, FOLDERS),
        (&desired("systemd/app.service"), unit),
    ]);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    for line in [
        "set net.ipv4.tcp_keepalive_time, net.ipv4.tcp_rmem  (/etc/sysctl.d/60-app.conf changed)",
        "create the users of app.conf  (/etc/sysusers.d/app.conf changed)",
        "create the files and folders of app.conf  (/etc/tmpfiles.d/app.conf changed)",
    ] {
        assert!(plan.contains(line), "{line} is not in\n{plan}");
    }
    assert!(plan.find("create the users") < plan.find("create the files"));
    host.apply(&[]).expect(0);
    assert_eq!(value(&host, "net.ipv4.tcp_keepalive_time"), "600");
    assert_eq!(value(&host, "net.ipv4.tcp_rmem"), "4096 131072 4194304");
    assert_eq!(host.sh("stat -c '%U %a' /var/lib/app"), "app 750");
    assert!(host.is_active("app.service"));
    host.assert_does_nothing(&["apply"]).expect(0);

    // Somebody sets it by hand.
    host.sh("sysctl -w net.ipv4.tcp_keepalive_time=700");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("the kernel's values differ from /etc/sysctl.d/60-app.conf"),
        "{drift}"
    );
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(value(&host, "net.ipv4.tcp_keepalive_time"), "600");

    // A later step fails: the value of before is back.
    let bad = unit.replace("/bin/sleep 1000", "/bin/false");
    host.commit(
        &[
            (&kernel, Some(&KERNEL.replace("600", "900"))),
            (&desired("systemd/app.service"), Some(&bad)),
        ],
        "a bad one",
    );
    let failed = host.apply(&[]).expect(3).text();
    let undone = "undo: set net.ipv4.tcp_keepalive_time, net.ipv4.tcp_rmem as before";
    assert!(failed.contains(undone), "{failed}");
    assert_eq!(value(&host, "net.ipv4.tcp_keepalive_time"), "600");

    // A value that the kernel does not take.
    host.commit(
        &[
            (&kernel, Some("net.ipv4.tcp_keepalive_time = many\n")),
            (&desired("systemd/app.service"), Some(unit)),
        ],
        "no number",
    );
    let failed = host.apply(&[]).expect(3).text();
    assert!(
        failed.contains("systemd-sysctl could not load /etc/sysctl.d/60-app.conf")
            && failed.contains("hint: SYSTEMD_LOG_LEVEL=debug /usr/lib/systemd/systemd-sysctl"),
        "{failed}"
    );
    assert_eq!(value(&host, "net.ipv4.tcp_keepalive_time"), "600");

    // A later file of the host wins, here as at boot.
    host.write(
        "/etc/sysctl.d/90-host.conf",
        "net.ipv4.tcp_keepalive_time = 800\n",
    );
    let changed = KERNEL.replace("600", "650");
    host.commit(&[(&kernel, Some(&changed))], "another value");
    let failed = host.apply(&[]).expect(3).text();
    assert!(
        failed.contains("net.ipv4.tcp_keepalive_time is not 650 after systemd-sysctl has loaded it: another file sets it"),
        "{failed}"
    );
    assert_eq!(value(&host, "net.ipv4.tcp_keepalive_time"), "600");
    host.sh("rm /etc/sysctl.d/90-host.conf");

    // Lines that are none are refused before.
    for (path, text, said) in [
        (
            &kernel,
            "net.ipv4.tcp_keepalive_time\n",
            "systemd-sysctl does not take it",
        ),
        (&users, "x app\n", "systemd-sysusers: "),
        (&folders, "d var/lib/app 0750\n", "systemd-tmpfiles: "),
    ] {
        host.commit(
            &[
                (&kernel, Some(KERNEL)),
                (&users, Some(USERS)),
                (&folders, Some(FOLDERS)),
            ],
            "as it was",
        );
        host.commit(&[(path, Some(text))], "a typo");
        let refused = host.tool(&["plan"]);
        // Debian 12's systemd-tmpfiles cannot look without doing.
        if path == &folders && host.debian() == Debian::Twelve {
            let said = "tmpfiles.d/app.conf was not validated: systemd-tmpfiles has --dry-run from systemd 256 on";
            assert!(refused.text().contains(said), "{}", refused.text());
            continue;
        }
        assert_eq!(refused.status, 1, "{text}: {}", refused.text());
        assert!(refused.text().contains(said), "{}", refused.text());
    }

    // What leaves: the kernel keeps its values.
    host.commit(
        &[
            (&kernel, None),
            (&users, Some(USERS)),
            (&folders, Some(FOLDERS)),
        ],
        "no parameters",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let note = "net.ipv4.tcp_keepalive_time, net.ipv4.tcp_rmem: the kernel keeps the values of /etc/sysctl.d/60-app.conf until the next boot";
    assert!(plan.contains(note), "{plan}");
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
    host.sh(&format!("sysctl -w net.ipv4.tcp_keepalive_time={before}"));
}
