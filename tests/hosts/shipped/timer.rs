//! What watches the network of the shipped server: the timer, and the old scripts under their old names.

use serde_json::Value;

use super::{connected, inspect_network};
use crate::support::{CHECKOUT, Host};

const LOG: &str = "/var/log/watchme-infrastructure.log";

pub(super) fn the_timer_reports_to_the_journal_and_to_a_rotated_log(host: &Host) {
    let next = host.sh("systemctl show -p NextElapseUSecMonotonic --value watchme-drift.timer");
    assert!(
        !matches!(next.as_str(), "" | "0" | "infinity"),
        "the timer never fires: {next}"
    );
    let since = host.now();
    host.sh("systemctl start watchme-drift.service");
    let result =
        host.sh("systemctl show -p Result,ExecMainStatus --value watchme-drift.service | sort");
    assert_eq!(result, "0\nsuccess");
    let journal = host.sh(&format!(
        "journalctl --sync; journalctl -u watchme-drift.service --since @{since} -o cat --no-pager"
    ));
    assert!(journal.contains("in sync"), "{journal}");
    let logged = host.read(LOG);
    assert!(
        logged.lines().count() >= 2 && logged.contains("in sync"),
        "{logged}"
    );

    host.sh("logrotate -f /etc/logrotate.d/watchme-infrastructure");
    assert_eq!(host.read(&format!("{LOG}.1")), logged);
    assert_eq!(
        host.sh(&format!("stat -c '%s %a %U:%G' {LOG}")),
        "0 640 root:adm"
    );
    host.sh("systemctl start watchme-drift.service");
    assert!(host.read(LOG).contains("in sync"));
}

/// What the timer starts mends networks; other drift and a revision that nobody applied it only reports.
pub(super) fn the_timer_mends_networks_and_nothing_else(host: &Host) {
    let (site, committed) = (
        "/etc/nginx/sites-available/api.hey-watch.me",
        "desired-state/sites-available/api.hey-watch.me",
    );
    let applied = host.read(site);
    let edited = format!("{applied}# by hand\n");
    host.commit(
        &[(committed, Some(&format!("{applied}# pulled\n")))],
        "pulled and not applied",
    );
    host.write(site, &edited);
    host.sh("docker network disconnect watchme-network watchme-vault-api; systemctl start watchme-drift.service");
    let result =
        host.sh("systemctl show -p Result,ExecMainStatus --value watchme-drift.service | sort");
    assert_eq!(
        result, "2\nsuccess",
        "differences are no failure of the unit"
    );
    assert!(connected(&inspect_network(host)).contains(&"watchme-vault-api".to_owned()));
    assert_eq!(host.read(site), edited);
    let logged = host.read(LOG);
    for (what, kind) in [
        ("watchme-vault-api", "fixed"),
        ("api.hey-watch.me", "drifted"),
        ("api.hey-watch.me", "pending"),
    ] {
        let told = |line: &str| line.contains(what) && line.contains(kind);
        assert!(
            logged.lines().any(told),
            "{what} is not {kind} in\n{logged}"
        );
    }
    host.commit(&[(committed, Some(&applied))], "as before");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(host.read(site), applied);
}

/// `network_monitor.py` reports and mends, `check-infrastructure.sh` mends, as cron called them.
pub(super) fn the_old_scripts_work_under_their_old_names(host: &Host) {
    let monitor = |options: &str| {
        host.try_sh_as(
            "ubuntu",
            &format!("sudo {CHECKOUT}/desired-state/scripts/network_monitor.py {options}"),
        )
    };
    let check = || {
        host.try_sh_as(
            "ubuntu",
            &format!("{CHECKOUT}/desired-state/scripts/check-infrastructure.sh"),
        )
    };
    let report = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    assert_eq!(report(&monitor("--json").expect(0).stdout)["in_sync"], true);
    check().expect(0);

    for mend in ["monitor", "check"] {
        host.sh("docker network disconnect watchme-network watchme-vault-api");
        let found = report(&monitor("--json").expect(2).stdout);
        assert_eq!(found["in_sync"], false);
        assert!(
            found["items"].to_string().contains("watchme-vault-api"),
            "{found}"
        );
        match mend {
            "monitor" => assert_eq!(
                report(&monitor("--fix --json").expect(0).stdout)["in_sync"],
                true
            ),
            _ => drop(check().expect(0)),
        }
        assert!(
            connected(&inspect_network(host)).contains(&"watchme-vault-api".to_owned()),
            "{mend}"
        );
    }
    monitor("--unknown").expect(64);
}
