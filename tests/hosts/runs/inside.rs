//! Runs inside a unit that they manage.

use std::time::Duration;

use super::{SOON, applied_host};
use crate::support::{CHECKOUT, desired, site};

const AGENT: &str = "[Service]
Environment=EDITION=first
WorkingDirectory=/home/ubuntu/watchme-server-configs
ExecStart=/bin/sh -c 'if rm /run/go; then watchme-apply apply; echo $? >/run/agent-status; fi; exec sleep infinity'
";

const DEPLOY: &str = "[Service]
Type=oneshot
Environment=EDITION=first
WorkingDirectory=/home/ubuntu/watchme-server-configs
ExecStart=/usr/local/bin/watchme-apply apply
";

#[test]
fn a_run_inside_a_managed_unit_does_not_stop_itself() {
    let host = applied_host();
    let installed = "[Install]\nWantedBy=multi-user.target\n";
    let agent = format!("{AGENT}{installed}");
    host.commit(
        &[
            (&desired("systemd/deploy.service"), Some(DEPLOY)),
            (&desired("systemd/agent.service"), Some(&agent)),
        ],
        "agents",
    );
    host.apply(&[]).expect(0);
    assert!(host.is_active("agent.service"));

    let second = |text: &str| text.replace("first", "second");
    host.commit(
        &[
            (&desired("systemd/deploy.service"), Some(&second(DEPLOY))),
            (
                &desired("sites-available/a"),
                Some(&site("a", "a by deploy")),
            ),
        ],
        "2",
    );
    host.run(&["timeout", "60", "systemctl", "start", "deploy.service"])
        .expect(0);
    assert_eq!(host.page("a"), "a by deploy");
    assert!(
        host.property("deploy.service", "Environment")
            .contains("second"),
        "loaded"
    );
    assert_eq!(host.property("deploy.service", "Result"), "success");
    host.assert_does_nothing(&["apply"]).expect(0);

    host.sh("touch /run/go; systemctl restart agent.service");
    let status = || {
        host.try_sh("cat /run/agent-status; rm /run/agent-status")
            .stdout
    };
    host.wait_for("end of the agent's run", SOON, || status() == "0\n");
    host.commit(
        &[
            (&desired("systemd/agent.service"), Some(&second(&agent))),
            (
                &desired("sites-available/a"),
                Some(&site("a", "a by agent")),
            ),
        ],
        "3",
    );
    host.sh("touch /run/go; systemctl restart agent.service");
    let begun = host.property("agent.service", "InvocationID");
    host.wait_for("end of the agent's run", Duration::from_secs(60), || {
        host.stands("/run/agent-status")
    });
    assert_eq!(
        status(),
        "0\n",
        "{}",
        host.sh("journalctl --sync; journalctl -u agent.service -o cat | tail -20")
    );
    assert_eq!(host.page("a"), "a by agent");
    assert_eq!(
        host.property("agent.service", "InvocationID"),
        begun,
        "it was not restarted"
    );
    let said = host.sh("journalctl --sync; journalctl -u agent.service -o cat | tail -20");
    assert!(
        said.contains("this run is part of agent.service") && said.contains("systemctl restart"),
        "{said}"
    );

    // From outside it is restarted.
    host.tool(&["drift"]).expect(2);
    host.apply(&[]).expect(0);
    assert_ne!(host.property("agent.service", "InvocationID"), begun);
    assert_eq!(host.sh("tr '\\0' '\\n' </proc/$(systemctl show -P MainPID agent.service)/environ | grep EDITION"), "EDITION=second");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// A oneshot that is started at boot is still starting while the run inside it lasts.
#[test]
fn a_run_at_boot_does_not_wait_for_its_own_unit() {
    let host = applied_host();
    let at_boot = format!("{DEPLOY}RemainAfterExit=yes\n\n[Install]\nWantedBy=multi-user.target\n")
        .replace(
            "ExecStart=",
            "ExecCondition=/usr/bin/test -e /etc/deploy-at-boot\nExecStart=",
        );
    host.commit(
        &[(&desired("systemd/deploy.service"), Some(&at_boot))],
        "at boot",
    );
    host.apply(&["--only", "site"]).expect(0);
    host.sh(&format!("touch /etc/deploy-at-boot; cp {CHECKOUT}/desired-state/systemd/deploy.service /etc/systemd/system/"));
    host.sh("systemctl daemon-reload");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "a at boot")))],
        "2",
    );
    let begun = host.run(&["timeout", "60", "systemctl", "start", "deploy.service"]);
    assert_eq!(
        begun.status,
        0,
        "{}\n{}",
        begun.text(),
        host.sh("journalctl --sync; journalctl -u deploy.service -o cat | tail -20")
    );
    assert_eq!(host.page("a"), "a at boot");
    assert!(host.is_active("deploy.service"));
}
