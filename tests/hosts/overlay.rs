//! The files of one host over those of all hosts.

use crate::support::{Host, desired};

#[test]
fn a_host_uses_the_files_of_its_name() {
    let host = Host::boot();
    let name = host.sh("hostname -s");
    let own = |path: &str| desired(&format!("hosts/{name}/{path}"));
    let unit = "[Service]\nExecStart=/bin/sleep 1000\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[
        (&desired("etc/motd"), "all\n"),
        (&own("etc/motd"), "own\n"),
        (&desired("systemd/app.service"), unit),
        (
            &own("systemd/app.service.d/more.conf"),
            "[Service]\nEnvironment=MORE=1\n",
        ),
        (
            &own("watchme.toml"),
            "[unit.\"app.service\"]\nsettle = \"1s\"\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(host.read("/etc/motd"), "own\n");
    assert_eq!(host.property("app.service", "Environment"), "MORE=1");
    host.tool(&["drift"]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);

    host.commit(&[(&own("etc/motd"), None)], "as on all hosts");
    host.apply(&[]).expect(0);
    assert_eq!(host.read("/etc/motd"), "all\n");

    // By another name it is another host.
    host.sh("hostname other");
    let plan = host.tool(&["plan"]).expect(0).text();
    let warning = "hosts has no folder for this host, other: only the files of all hosts are used";
    assert!(plan.contains(warning), "{plan}");
    assert!(plan.contains("more.conf"), "{plan}");
    host.tool(&["drift", "--host", &name]).expect(0);
}
