//! Whose host it is: one repository's, wherever its checkout lies and whoever owns it; and what a person is asked.

use crate::support::{CHECKOUT, Host, desired, site, sleeper};

const OTHER: &str = "/srv/other";

fn host() -> Host {
    let host = Host::boot();
    let script = format!(
        "[Service]\nEnvironmentFile=-{CHECKOUT}/.env\nExecStart={CHECKOUT}/run.sh\n[Install]\nWantedBy=multi-user.target\n"
    );
    host.checkout(&[
        (&desired("sites-available/a.example.com"), &site("a", "one")),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("systemd/script.service"), &script),
        ("run.sh", "#!/bin/sh\nexec sleep 1002\n"),
        (".gitignore", ".env\n"),
    ]);
    host.sh_as("ubuntu", &format!("echo A=b >{CHECKOUT}/.env"));
    host.apply(&[]).expect(0);
    host
}

fn pid(host: &Host, unit: &str) -> String {
    host.property(unit, "MainPID")
}

/// Another repository of root's, with one unit.
fn other(host: &Host) {
    host.write(
        &format!("{OTHER}/desired-state/systemd/other.service"),
        &sleeper(1003),
    );
    host.sh(&format!("cd {OTHER}; git init -q; git add -A; git -c user.name=H -c user.email=h@example.com commit -qm other; git remote add origin https://user:open-sesame@example.com/o/other.git"));
}

#[test]
fn another_repository_takes_nothing_apart() {
    let host = host();
    other(&host);
    let runs = (pid(&host, "one.service"), pid(&host, "script.service"));
    let apply = format!("cd {OTHER}; watchme-apply apply");
    for command in ["apply", "plan", "apply --unattended"] {
        let refused = host.try_sh(&format!("cd {OTHER}; watchme-apply {command}"));
        assert_eq!(refused.status, 1, "{}", refused.text());
        let text = refused.text();
        assert!(
            text.contains(&format!(
                "this host has the desired state of {CHECKOUT} (first commit"
            )),
            "{text}"
        );
        assert!(
            text.contains(&format!(
                "{OTHER} (https://example.com/o/other.git) is another repository"
            )),
            "{text}"
        );
    }
    assert_eq!(
        (pid(&host, "one.service"), pid(&host, "script.service")),
        runs
    );
    assert_eq!(host.get("http://a.example.com/"), (200, "one".to_owned()));
    assert!(
        host.try_sh("test -e /etc/systemd/system/other.service")
            .status
            != 0
    );

    host.sh(&format!("{apply} --take-over"));
    assert!(host.is_active("other.service") && !host.is_active("one.service"));
    assert!(!host.get("http://a.example.com/").1.contains("one"));
    assert_eq!(host.apply(&[]).status, 1);
}

/// A clone by somebody else, in another folder: no drop-in is written anew, nothing restarts.
#[test]
fn another_clone_is_in_sync() {
    let host = host();
    let runs = (pid(&host, "one.service"), pid(&host, "script.service"));
    host.sh_as(
        "ubuntu",
        &format!("git clone -q {CHECKOUT} /home/ubuntu/clone"),
    );
    host.sh("mv /home/ubuntu/clone /srv/clone; chown -R root:root /srv/clone");
    let files = || {
        host.sh("find /etc/systemd /etc/nginx /etc/watchme-apply -type f -exec sha256sum {} + | sort -k2")
    };
    let before = files();
    let apply = host.sh("cd /srv/clone; watchme-apply apply");
    assert!(apply.contains("in sync"), "{apply}");
    assert_eq!(files(), before);
    assert_eq!(
        (pid(&host, "one.service"), pid(&host, "script.service")),
        runs
    );

    // A change comes from there as from the checkout.
    host.sh("cd /srv/clone; sed -i s/1002/1004/ run.sh; git -c user.name=H -c user.email=h@example.com commit -qam changed; watchme-apply apply");
    assert_eq!(pid(&host, "one.service"), runs.0);
    let main = pid(&host, "script.service");
    assert_eq!(
        host.sh(&format!("tr '\\0' ' ' </proc/{main}/cmdline"))
            .trim(),
        "sleep 1004"
    );
    assert!(
        host.sh(&format!("tr '\\0' '\\n' </proc/{main}/environ"))
            .contains("A=b"),
        "of the recorded checkout"
    );
}

/// On a terminal, what goes is asked about once.
#[test]
fn a_person_is_asked_before_something_goes() {
    let host = host();
    host.commit(&[(&desired("systemd/one.service"), None)], "without one");
    let on_a_terminal = |answer: &str, arguments: &str| {
        host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; printf '{answer}' | script -qec 'sudo watchme-apply apply {arguments}' /dev/null"))
    };
    let main = pid(&host, "one.service");
    for answer in ["n\\n", "\\n"] {
        let no = on_a_terminal(answer, "");
        let text = no.text();
        assert_eq!(no.status, 1, "{text}");
        assert!(
            text.contains("this removes or stops:")
                && text.contains("one.service")
                && text.contains("Continue? [y/N]"),
            "{text}"
        );
        assert!(
            text.contains("not confirmed; nothing was changed"),
            "{text}"
        );
        assert_eq!(pid(&host, "one.service"), main);
    }
    // Nobody holds the lock while a person thinks.
    let yes = on_a_terminal("y\\n", "");
    assert_eq!(yes.status, 0, "{}", yes.text());
    assert_eq!(yes.text().matches("Continue?").count(), 1, "{}", yes.text());
    assert!(!host.is_active("one.service"));

    host.commit(
        &[(&desired("systemd/one.service"), Some(&sleeper(1001)))],
        "with one",
    );
    let new = on_a_terminal("", "");
    assert!(
        new.status == 0 && !new.text().contains("Continue?"),
        "{}",
        new.text()
    );
    host.commit(&[(&desired("systemd/one.service"), None)], "without one");
    let answered = on_a_terminal("", "--yes");
    assert!(
        answered.status == 0 && !answered.text().contains("Continue?"),
        "{}",
        answered.text()
    );
    assert!(!host.is_active("one.service"));
    // Without a terminal nothing asks.
    host.commit(
        &[(&desired("systemd/script.service"), None)],
        "without both",
    );
    let text = host.apply(&[]).expect(0).text();
    assert!(!text.contains("Continue?"), "{text}");
    // Going back asks, too.
    host.commit(
        &[(&desired("systemd/one.service"), Some(&sleeper(1001)))],
        "one again",
    );
    host.apply(&[]).expect(0);
    let back = host.try_sh_as(
        "ubuntu",
        &format!(
            "cd {CHECKOUT}; printf 'n\\n' | script -qec 'sudo watchme-apply rollback' /dev/null"
        ),
    );
    assert!(
        back.status == 1 && back.text().contains("Continue?"),
        "{}",
        back.text()
    );
    assert!(host.is_active("one.service"));
}

/// What git may do as root, the tool may: by root's own settings and the system's, not by the repository's.
#[test]
fn root_goes_where_git_may_go() {
    let host = Host::boot();
    host.checkout(&[(&desired("systemd/one.service"), &sleeper(1001))]);
    let apply = || host.try_sh(&format!("cd {CHECKOUT}; watchme-apply apply"));
    let refused = apply();
    assert_eq!(refused.status, 1, "{}", refused.text());
    let hint = format!("git config --global --add safe.directory {CHECKOUT}");
    assert!(refused.text().contains(&hint), "{}", refused.text());
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git config safe.directory '*'"),
    );
    assert_eq!(
        apply().status,
        1,
        "the repository's own settings say nothing"
    );
    host.sh_as("ubuntu", "git config --global safe.directory '*'");
    let with_home = host.try_sh(&format!(
        "cd {CHECKOUT}; HOME=/home/ubuntu watchme-apply apply"
    ));
    assert_eq!(with_home.status, 1, "nor do another user's");

    host.sh(&format!("HOME=/root {hint}"));
    host.sh(&format!("cd {CHECKOUT}; HOME=/root git log -1 >/dev/null"));
    let applied = apply();
    assert_eq!(applied.status, 0, "{}", applied.text());
    assert!(host.is_active("one.service"));

    // A file of root's in it, as `sudo git pull` leaves it; and the system's settings.
    host.sh("rm /root/.gitconfig; rm -rf /etc/watchme-apply /var/lib/watchme-apply");
    host.sh(&format!("cd {CHECKOUT}; chown root:root .git/HEAD"));
    assert_eq!(apply().status, 1);
    host.sh("git config --system safe.directory /home/ubuntu/elsewhere");
    assert_eq!(apply().status, 1);
    host.sh(&format!(
        "git config --system --add safe.directory {CHECKOUT}"
    ));
    assert_eq!(apply().status, 0, "{}", apply().text());
    // Everybody's is nobody's.
    host.sh(&format!("chmod o+w {CHECKOUT}"));
    assert_eq!(apply().status, 1);
}
