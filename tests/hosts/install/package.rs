//! The Debian package on a host: installed, updated while a run is in progress, removed.

use std::path::Path;
use std::time::Duration;

use crate::support::{Debian, Host, desired, site, sleeper};

const PACKAGED: &str = "/usr/lib/systemd/system/watchme-apply-recover.service";

/// The package that `scripts/package` has built.
fn package() -> String {
    std::env::var("WATCHME_APPLY_DEB").expect(
        "WATCHME_APPLY_DEB: the path of the package, which `scripts/package x86_64` builds and tests/run names",
    )
}

#[test]
fn the_package_is_installed_updated_and_purged() {
    let host = Host::boot();
    let deb = "/root/watchme-apply.deb";
    host.copy_program(Path::new(&package()), deb);
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "page")),
        (&desired("systemd/s.service"), &sleeper(100_000)),
    ]);
    // A host that was managed by a binary in /usr/local/bin.
    host.apply(&[]).expect(0);
    assert!(host.stands("/etc/systemd/system/watchme-apply-recover.service"));
    host.sh("rm /usr/local/bin/watchme-apply");
    let installed = host.sh(&format!("dpkg -i {deb} 2>&1"));
    assert!(!installed.contains("warning"), "{installed}");
    let version = host.sh("watchme-apply --version");
    assert!(
        version.contains(env!("CARGO_PKG_VERSION")) && version.contains(" ("),
        "{version}"
    );
    host.sh("test -s /usr/share/man/man1/watchme-apply-apply.1.gz; test -s /usr/share/doc/watchme-apply/docs/doctor.md; test -s /usr/share/doc/watchme-apply/docs/ja/doctor.md; test -s /usr/share/doc/watchme-apply/docs/images/plan.svg");
    the_shells_complete(&host);
    if host.debian() == Debian::Thirteen {
        the_manual_is_read(&host);
    }

    // Its unit takes the place of the one that an apply wrote.
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("the unit of the package undoes an interrupted run at boot"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert!(!host.stands("/etc/systemd/system/watchme-apply-recover.service"));
    // Debian 12 names it by way of /lib.
    let loaded = host.property("watchme-apply-recover.service", "FragmentPath");
    assert!(PACKAGED.ends_with(&loaded), "{loaded}");
    assert_eq!(
        host.property("watchme-apply-recover.service", "UnitFileState"),
        "enabled"
    );
    assert!(
        host.assert_does_nothing(&["plan"])
            .expect(0)
            .stdout
            .contains("nothing to do")
    );
    assert!(
        host.assert_does_nothing(&["drift"])
            .expect(0)
            .stdout
            .contains("in sync")
    );

    // The report of drift runs with all files read-only, and with few rights: 2.9 of 10 on Debian 13, 3.1 on 12.
    host.sh("systemd-analyze security --no-pager --threshold=32 watchme-apply-drift.service >/root/security || { tail -1 /root/security >&2; exit 1; }");
    let report = "systemctl start watchme-apply-drift.service || { journalctl -u watchme-apply-drift.service -o cat >&2; exit 1; }";
    host.sh(report);
    host.sh("echo '# by hand' >>/etc/watchme-apply/live/sites-available/a");
    assert_ne!(host.try_sh(report).status, 0);
    let said = host.sh("journalctl -u watchme-apply-drift.service -o cat");
    assert!(said.contains("drifted"), "{said}");
    host.tool(&["drift", "--fix"]).expect(0);

    // An update ends no run.
    let runs = host.runs(&["s.service"]);
    let slow = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 6\n[Install]\nWantedBy=multi-user.target\n";
    host.commit(&[(&desired("systemd/slow.service"), Some(slow))], "slow");
    host.sh("cd /home/ubuntu/watchme-server-configs; setsid watchme-apply >/root/run.log 2>&1 &");
    host.wait_for("the run", Duration::from_secs(20), || {
        host.property("slow.service", "ActiveState") == "activating"
    });
    let refused = host.try_sh("dpkg -r watchme-apply");
    assert!(
        refused.status != 0
            && refused
                .text()
                .contains("a run is in progress, or was interrupted"),
        "{}",
        refused.text()
    );
    host.sh(&format!("dpkg -i {deb} 2>&1"));
    host.wait_for("the end of the run", Duration::from_secs(60), || {
        host.sh("cat /root/run.log").contains("applied")
    });
    assert_eq!(
        host.runs(&["s.service"]).restarted_since(&runs),
        Vec::<&str>::new()
    );

    // What was cut off is undone by the unit of the package.
    host.reboot();
    host.wait_for("the site", Duration::from_secs(30), || {
        host.page("a") == "page"
    });

    // A purge keeps what the server uses, and names it.
    let purged = host.sh("dpkg --purge watchme-apply 2>&1");
    assert!(
        purged.contains("kept /etc/watchme-apply and /var/lib/watchme-apply")
            && purged.contains("run 'watchme-apply uninstall --keep'"),
        "{purged}"
    );
    assert!(!host.stands("/usr/bin/watchme-apply"));
    assert_eq!(
        host.wants_links("watchme-apply-recover.service"),
        Vec::<String>::new()
    );
    assert_eq!(host.page("a"), "page");
    assert!(host.is_active("s.service"));
}

/// Types the beginning of a command and of an option in each shell of the host.
fn the_shells_complete(host: &Host) {
    // bash calls the function with the command, the word that is typed, and the word before it: bash(1), Programmable Completion.
    let bash = ". /usr/share/bash-completion/completions/watchme-apply
        completed() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            $(complete -p watchme-apply | sed 's/.*-F \\([^ ]*\\) .*/\\1/') watchme-apply \"${!#}\" \"${COMP_WORDS[$(($# - 2))]}\"
            echo ${COMPREPLY[@]}; }
        completed watchme-apply rollb; completed watchme-apply plan --detailed";
    host.write("/root/completed.bash", bash);
    assert_eq!(
        host.sh("bash /root/completed.bash"),
        "rollback\n--detailed-exitcode"
    );
    if host.debian() == Debian::Twelve {
        return;
    }
    // With the description behind a tab.
    let fish = host.sh("fish -c 'complete -C \"watchme-apply rollb\"; complete -C \"watchme-apply plan --detailed\"'");
    assert!(
        fish.starts_with("rollback\t") && fish.contains("\n--detailed-exitcode\t"),
        "{fish}"
    );
    // zsh completes only for somebody who types: zshmodules(1), zpty.
    let zsh = "zmodload zsh/zpty
        zpty typed zsh -f -i
        zpty -w typed 'autoload -Uz compinit && compinit -u; unsetopt zle_bracketed_paste; PS1=; clear; echo now-ready'
        zpty -r -m typed line '*now-ready*now-ready*'
        zpty -w -n typed $'watchme-apply rollb\\t'
        zpty -r -m typed line '*rollback*' && print -r -- ${line[-200,-1]}
        zpty -w -n typed $'\\x15watchme-apply plan --detailed\\t'
        zpty -r -m typed line '*--detailed-exitcode*' && print -r -- ${line[-200,-1]}
        zpty -d typed";
    host.write("/root/completed.zsh", zsh);
    let zsh = host.sh("TERM=xterm timeout 20 zsh -f /root/completed.zsh");
    assert!(
        zsh.contains("watchme-apply rollback") && zsh.contains("--detailed-exitcode"),
        "{zsh}"
    );
}

/// Each page of the manual is found and set without a warning of groff.
fn the_manual_is_read(host: &Host) {
    let page = host.sh("man watchme-apply-rollback | cat");
    assert!(
        page.contains("NAME") && page.contains("--lock-timeout"),
        "{page}"
    );
    let warnings = host.sh("for page in /usr/share/man/man1/watchme-apply*.gz; do LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z \"$page\" 2>&1 >/dev/null; done");
    assert_eq!(warnings, "");
}
