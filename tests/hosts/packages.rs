//! Packages: apt installs what `[packages]` names from a repository of the host's own, and what it installed goes again.

mod nginx;

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service, sleeper};

/// Where the packages are.
const REPOSITORY: &str = "/srv/packages";

/// Makes a package of a control file and a maintainer script, and an index of all of them.
const TOOLS: &str = r#"
mkdir -p /srv/packages
make() {
    work=$(mktemp -d); mkdir "$work/DEBIAN"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Test <test@example.com>\nDescription: made by a test\n%b' "$1" "$2" "$3" >"$work/DEBIAN/control"
    if [ -n "${4:-}" ]; then printf '#!/bin/sh\n%b\n' "$4" >"$work/DEBIAN/postinst"; chmod 755 "$work/DEBIAN/postinst"; fi
    mkdir -p "$work/etc/$1"; echo "of $1" >"$work/etc/$1/conf"; echo "/etc/$1/conf" >"$work/DEBIAN/conffiles"
    chmod -R go=rX "$work"
    dpkg-deb -b "$work" "/srv/packages/$1_$2.deb" >/dev/null
    rm -r "$work"
}
index() {
    cd /srv/packages
    for file in *.deb; do
        dpkg-deb -f "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
    done >Packages
}
sources() {
    rm -f /etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list
}
"#;

fn tools(host: &Host, script: &str) -> String {
    host.sh(&format!("{TOOLS}\n{script}"))
}

/// The packages of these tests. apt does not know them yet.
fn offer(host: &Host) {
    tools(
        host,
        r"
        make app 1.0 'Depends: app-lib\nRecommends: app-doc\n'
        make app-lib 1.0 ''
        make app-doc 1.0 ''
        make there 1.0 ''
        make clash 1.0 'Conflicts: there\n'
        make plugin 1.0 'Depends: app\n'
        make lost 1.0 'Depends: nowhere\n'
        make postfix 1.0 'Provides: mta\n'
        make bad 1.0 'Depends: bad-lib\n' 'echo no such user 4711 >&2; exit 1'
        make bad-lib 1.0 ''
        make slow 1.0 '' 'sleep 6'
        index; sources",
    );
}

fn policy(packages: &str) -> String {
    format!("[packages]\ninstall = [{packages}]\n")
}

/// How dpkg has a package, as `dpkg -l` writes it; nothing where it has no record of it.
fn has(host: &Host, package: &str) -> String {
    let found = host.try_sh(&format!(
        "dpkg-query -W -f='${{db:Status-Abbrev}}${{Version}}' {package}"
    ));
    found.stdout.replace("un ", "")
}

fn change(host: &Host, packages: &str) {
    let policy = policy(packages);
    host.commit(&[(&desired("watchme.toml"), Some(&policy))], "packages");
}

#[test]
fn missing_packages_come_first_and_only_ours_go_again() {
    let host = Host::boot();
    offer(&host);
    // Before apt has any list, and nobody loads them for a plan.
    host.checkout(&[
        (&desired("watchme.toml"), &policy("\"app\", \"there\"")),
        (&desired("etc/hello"), "hello\n"),
    ]);
    let plan = host.assert_does_nothing(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("apt-get update: load the lists of packages"),
        "{plan}"
    );
    assert!(plan.contains("install app, there"), "{plan}");
    host.sh("apt-get update -q && apt-get install -q -y there");
    let plan = host.assert_does_nothing(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("+ package/app: install app 1.0, with app-lib 1.0  (not installed)"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!(has(&host, "app"), "ii 1.0");
    assert_eq!(
        (has(&host, "app-lib"), has(&host, "app-doc")),
        ("ii 1.0".to_owned(), String::new())
    );
    host.assert_does_nothing(&["apply"]).expect(0);
    let strace = "sudo strace -f -qq -e trace=execve -o /run/calls watchme-apply apply";
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; {strace}"));
    let trace = host.read("/run/calls");
    assert!(
        !trace.contains("apt-get") && !trace.contains("dpkg"),
        "{trace}"
    );

    // Somebody removes it.
    host.sh("apt-get remove -q -y app");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        drift.contains("package/app") && drift.contains("not installed"),
        "{drift}"
    );
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(has(&host, "app"), "ii 1.0");

    // What apt refuses, or would do only at the cost of others, is an error before anything changes.
    let before = host.sh("sha256sum /var/lib/dpkg/status");
    for (packages, said) in [
        (
            "\"app\", \"there\", \"ngnix\"",
            "apt does not install ngnix: Unable to locate package ngnix",
        ),
        (
            "\"app\", \"there\", \"clash\"",
            "to install clash, apt would remove there",
        ),
        ("\"app\", \"there\", \"lost\"", "lost : Depends: nowhere"),
        (
            "\"app\", \"there\", \"mta\"",
            "mta is not a package itself: apt would install postfix",
        ),
        (
            "\"app=9.0\", \"there\"",
            "apt does not install app=9.0: Version '9.0' for 'app' was not found",
        ),
    ] {
        change(&host, packages);
        let refused = host.apply(&[]).expect(1).text();
        assert!(
            refused.contains(said) && refused.contains("nothing was changed"),
            "{packages}\n{refused}"
        );
        assert!(
            refused.contains("apt-get -s install") || refused.contains("apt-cache showpkg"),
            "{refused}"
        );
    }
    assert_eq!(host.sh("sha256sum /var/lib/dpkg/status"), before);

    // Another version is installed; an older one is not.
    tools(
        &host,
        "make app 2.0 'Depends: app-lib\\n'; index; apt-get update -q",
    );
    change(&host, "\"app=2.0\", \"there\"");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("install app 2.0  (version 1.0 is installed)"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!(has(&host, "app"), "ii 2.0");
    change(&host, "\"app=1.0\", \"there\"");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("apt would replace app 2.0 by the older 1.0"),
        "{refused}"
    );

    // What needs it keeps it; what was there before is nobody's to remove.
    host.sh("apt-get install -q -y plugin");
    change(&host, "");
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("left [packages] and stays installed: plugin would be removed with it"),
        "{applied}"
    );
    assert_eq!(
        (has(&host, "app"), has(&host, "there")),
        ("ii 2.0".to_owned(), "ii 1.0".to_owned())
    );
    host.sh("apt-get remove -q -y plugin");
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("uninstall app; its configuration stays"),
        "{applied}"
    );
    assert_eq!(
        (has(&host, "app"), has(&host, "there")),
        ("rc 2.0".to_owned(), "ii 1.0".to_owned())
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn what_a_failed_run_has_installed_goes_again() {
    let host = Host::boot();
    offer(&host);
    host.sh("apt-get update -q");
    // apt 2.6 leads to the index of a repository of files; one of the network it copies, and it may be older than that.
    host.sh("for list in $(find /var/lib/apt/lists -type l); do cp --remove-destination $(readlink -f $list) $list; done");
    host.checkout(&[(&desired("watchme.toml"), &policy("\"bad\""))]);

    // A package whose script fails.
    let failed = host.apply(&[]).expect(3).text();
    for said in [
        "no such user 4711",
        "apt-get: could not install bad",
        "hint: tail -n 50 /var/log/apt/term.log",
        "undo: uninstall bad, bad-lib",
        "rolled back",
    ] {
        assert!(failed.contains(said), "{said} is not in\n{failed}");
    }
    assert_eq!(has(&host, "bad-lib"), "rc 1.0");
    assert!(!has(&host, "bad").starts_with('i'), "{}", has(&host, "bad"));

    // A unit that fails after packages came.
    let unit = desired("systemd/app.service");
    host.commit(
        &[
            (&desired("watchme.toml"), Some(&policy("\"app\""))),
            (&unit, Some(&service("/bin/false"))),
        ],
        "a bad unit",
    );
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("undo: uninstall app, app-lib"), "{failed}");
    assert_eq!(
        (has(&host, "app"), has(&host, "app-lib")),
        ("rc 1.0".to_owned(), "rc 1.0".to_owned())
    );
    assert!(!host.stands("/etc/systemd/system/app.service"));

    // The index names a file that is gone from the archive: the lists are loaded, once.
    host.commit(
        &[
            (&desired("watchme.toml"), Some(&policy("\"app\""))),
            (&unit, Some(&sleeper(1000))),
        ],
        "a good one",
    );
    tools(
        &host,
        "rm /srv/packages/app_1.0.deb; make app 1.1 'Depends: app-lib\\n'; index",
    );
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("its package lists are loaded, and it is asked once more"),
        "{applied}"
    );
    assert_eq!(has(&host, "app"), "ii 1.1");

    // A source that does not answer is no fault of the revision.
    change(&host, "\"app\", \"app-doc\"");
    host.sh(&format!("rm {REPOSITORY}/app-doc_1.0.deb"));
    let failed = host.tool(&["apply", "--unattended"]).expect(3).text();
    assert!(
        failed.contains("hint: apt-get update says which source does not answer"),
        "{failed}"
    );
    assert!(
        !failed.contains("unattended runs skip this revision"),
        "{failed}"
    );
    assert_eq!(
        (has(&host, "app-doc"), has(&host, "app")),
        (String::new(), "ii 1.1".to_owned())
    );
    assert!(host.is_active("app.service"));

    // dpkg that was interrupted.
    change(&host, "\"app\", \"there\"");
    host.sh("touch /var/lib/dpkg/updates/0001");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("dpkg was interrupted, and installs nothing until that is completed")
            && refused.contains("dpkg --configure -a"),
        "{refused}"
    );
}

#[test]
fn a_run_that_is_killed_while_apt_works_is_undone_and_a_lock_is_waited_for() {
    let host = Host::boot();
    offer(&host);
    host.sh("apt-get update -q");
    host.checkout(&[(&desired("watchme.toml"), &policy("\"slow\""))]);
    let second = Duration::from_secs(1);
    let works = |host: &Host| host.try_sh("pgrep -f [s]low.postinst").status == 0;

    let apply = "echo $$ >/run/process; exec watchme-apply apply >/run/apply 2>&1";
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; sudo sh -c '{apply}' >/dev/null 2>&1 &"),
    );
    host.wait_for("the script of the package", 30 * second, || works(&host));
    let killed = host.try_sh("kill -9 $(cat /run/process)");
    assert_eq!(killed.status, 0, "{}", host.read("/run/apply"));
    assert!(works(&host), "apt is not killed with it");
    let recovered = host.tool(&["recover"]).expect(0).text();
    assert!(recovered.contains("undo: uninstall slow"), "{recovered}");
    assert_eq!(has(&host, "slow"), "rc 1.0");

    // Somebody else installs: the run waits.
    change(&host, "\"there\"");
    host.sh("apt-get install -q -y slow >/run/other 2>&1 &");
    host.wait_for("the script of the package", 30 * second, || works(&host));
    let applied = host.apply(&[]).expect(0).text();
    let waited = "another program was installing packages, and has ended";
    assert!(applied.contains(waited), "{applied}");
    assert_eq!(
        (has(&host, "slow"), has(&host, "there")),
        ("ii 1.0".to_owned(), "ii 1.0".to_owned())
    );
}

/// A source that takes the connection and says nothing: the error names the package, in time, and nothing was changed.
#[test]
fn a_source_that_does_not_answer_changes_nothing() {
    let host = Host::boot();
    offer(&host);
    host.checkout(&[(&desired("systemd/web.service"), &sleeper(1000))]);
    host.apply(&[]).expect(0);
    // Connections wait in the queue of the socket: what it starts accepts none.
    host.sh(
        "systemd-run --unit=mute --socket-property=ListenStream=127.0.0.1:8999 sleep 1000
         echo 'deb [trusted=yes] http://127.0.0.1:8999 ./' >>/etc/apt/sources.list
         echo 'Acquire::http::Timeout \"3\"; Acquire::Retries \"0\";' >/etc/apt/apt.conf.d/99-test
         rm -rf /var/lib/apt/lists/*",
    );
    let before = host.sh("sha256sum /var/lib/dpkg/status");
    change(&host, "\"elsewhere\"");
    let began = std::time::Instant::now();
    let failed = host.apply(&[]).expect(1).text();
    assert!(began.elapsed() < Duration::from_secs(90), "{failed}");
    assert!(
        failed.contains("Unable to locate package elsewhere")
            && failed.contains("nothing was changed")
            && failed.contains("apt-get update"),
        "{failed}"
    );
    assert_eq!(host.sh("sha256sum /var/lib/dpkg/status"), before);
    assert!(host.is_active("web.service"));
    // What other sources have is installed all the same.
    change(&host, "\"app\"");
    host.apply(&[]).expect(0);
    assert_eq!(has(&host, "app"), "ii 1.0");
}
