//! How a server that the old script set up moves over.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, Service};

const SITE: &str = "server {
    listen 80;
    server_name api.example.com;
    location / { return 200 'as committed\\n'; }
}
";
const PLAIN: &str = "[Unit]
Description=Plain

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
";
const INFRA: &str = "[Unit]
Description=Networks
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/docker-compose -p infra -f /home/ubuntu/watchme-server-configs/docker-compose.infra.yml up -d

[Install]
WantedBy=multi-user.target
";
const INFRA_COMPOSE: &str = "version: '3.8'
services:
  holder: {image: 'vault:1', command: ['true'], networks: [lan]}
networks:
  lan:
    name: lan
    driver: bridge
    ipam: {config: [{subnet: 172.27.0.0/16, gateway: 172.27.0.1}]}
";
const VAULT: &str = "[Unit]
Description=Vault
After=docker.service infra.service
Requires=docker.service infra.service

[Service]
ExecStart=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/vault/docker-compose.yml up
ExecStop=/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/vault/docker-compose.yml down

[Install]
WantedBy=multi-user.target
";
const VAULT_COMPOSE: &str = "version: '3.8'
services:
  vault:
    image: vault:1
    container_name: vault
    ports: ['127.0.0.1:8000:8000']
    networks: [lan]
networks:
  lan: {external: true}
";
const POLICY: &str = "[[network.lan.member]]\ncontainer = 'vault'\n";

/// The old script: links into the checkout for what it finds, and a list of its own for what it enables.
const OLD_SCRIPT: &str = "
    cd /home/ubuntu/watchme-server-configs
    for site in $(ls sites-available); do
        ln -sf $PWD/sites-available/$site /etc/nginx/sites-available/$site
        ln -sf /etc/nginx/sites-available/$site /etc/nginx/sites-enabled/$site
    done
    for unit in plain infra vault removed; do
        ln -sf $PWD/systemd/$unit.service /etc/systemd/system/$unit.service
    done
    systemctl daemon-reload
    systemctl enable -q plain infra vault removed
    systemctl start plain infra vault removed
    nginx -t -q && systemctl reload nginx
";

/// What must stay what it is while a server moves over: runs of units, containers, the network.
const RUNS: &str = "
    for unit in plain infra vault; do systemctl show -p InvocationID,MainPID $unit; done
    docker inspect -f '{{.Id}} {{.State.StartedAt}}' vault
    docker network inspect -f '{{.Id}}' lan
";

#[test]
fn a_server_of_the_old_script_moves_over_and_nothing_restarts() {
    let host = an_old_server();
    let before = host.sh(RUNS);

    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("adopted"), "{plan}");
    assert!(!plan.contains("restart"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(host.sh(RUNS), before, "something was restarted");

    what_was_removed_is_gone(&host);
    what_was_missing_from_the_list_runs(&host);
    nothing_leads_into_the_checkout(&host);
    what_is_not_ours_is_untouched(&host);
    for (name, body) in [
        ("api.example.com", "as committed\n"),
        ("localhost", "foreign\n"),
    ] {
        assert_eq!(host.get(&format!("http://{name}/")), (200, body.to_owned()));
    }
    host.assert_does_nothing(&["apply"]).expect(0);

    host.reboot();
    host.wait_for("answer of the service", Duration::from_secs(30), || {
        host.get("http://localhost:8000/health").0 == 200
    });
    assert_eq!(
        host.sh("systemctl is-active plain infra vault forgotten | sort -u"),
        "active"
    );
    host.tool(&["drift"]).expect(0);
}

/// A server of the old script after another `git pull`, the script not run again: a unit and a site are removed,
/// a unit is there that its list never named, and somebody else's unit and site stand beside them.
fn an_old_server() -> Host {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "vault:1",
        port: 8000,
        paths: &[],
    }]);
    host.checkout(&[
        ("sites-available/api.example.com", SITE),
        (
            "sites-available/removed.example.com",
            &SITE.replace("api.", "removed."),
        ),
        ("systemd/plain.service", PLAIN),
        ("systemd/removed.service", PLAIN),
        ("systemd/forgotten.service", PLAIN),
        ("systemd/infra.service", INFRA),
        ("systemd/vault.service", VAULT),
        ("docker-compose.infra.yml", INFRA_COMPOSE),
        ("compose/vault/docker-compose.yml", VAULT_COMPOSE),
    ]);
    host.write("/etc/systemd/system/foreign.service", PLAIN);
    host.write(
        "/etc/nginx/sites-available/foreign",
        "server { listen 80; server_name localhost; return 200 'foreign\\n'; }\n",
    );
    host.sh("ln -s /etc/nginx/sites-available/foreign /etc/nginx/sites-enabled/foreign; systemctl enable --now -q foreign");
    host.sh(OLD_SCRIPT);
    host.wait_for("container on the network", Duration::from_secs(30), || {
        host.get("http://localhost:8000/health").0 == 200
    });
    let into = host.sh("readlink /etc/systemd/system/multi-user.target.wants/removed.service");
    assert_eq!(
        into,
        format!("{CHECKOUT}/systemd/removed.service"),
        "as systemctl enable leaves it"
    );
    let removed = [
        ("sites-available/removed.example.com", None),
        ("systemd/removed.service", None),
    ];
    host.commit(
        &[&removed[..], &[("watchme.toml", Some(POLICY))]].concat(),
        "remove",
    );
    assert_eq!(
        host.try_sh("nginx -t").status,
        1,
        "the link that dangles breaks every reload"
    );
    assert_eq!(
        host.sh("systemctl is-active removed foreign | sort -u"),
        "active"
    );
    host
}

fn what_was_removed_is_gone(host: &Host) {
    let left = host.sh("find /etc/nginx /etc/systemd/system -name '*removed*'; find /etc/nginx /etc/systemd/system -xtype l");
    assert_eq!(left, "");
    let state = host.sh("systemctl show -p ActiveState,LoadState --value removed");
    assert_eq!(state, "not-found\ninactive");
    assert_ne!(host.get("http://removed.example.com/").1, "as committed\n");
}

fn what_was_missing_from_the_list_runs(host: &Host) {
    assert_eq!(
        host.sh("systemctl is-active forgotten; systemctl is-enabled forgotten"),
        "active\nenabled"
    );
    let enabled =
        host.sh("readlink -f /etc/systemd/system/multi-user.target.wants/forgotten.service");
    assert!(enabled.starts_with("/etc/watchme-apply/live/"), "{enabled}");
}

fn nothing_leads_into_the_checkout(host: &Host) {
    let links = "find /etc/nginx /etc/systemd/system -type l -exec sh -c 'echo $0 $(readlink -f $0)' {} ';'";
    let into = host.sh(&format!("{links} | grep ' /home/' || true"));
    assert_eq!(into, "");
    for unit in ["plain", "infra", "vault"] {
        let link = format!("/etc/systemd/system/{unit}.service");
        assert_eq!(
            host.read(&link),
            host.read(&format!("{CHECKOUT}/systemd/{unit}.service"))
        );
    }
}

fn what_is_not_ours_is_untouched(host: &Host) {
    assert_eq!(host.read("/etc/systemd/system/foreign.service"), PLAIN);
    assert_eq!(
        host.sh("systemctl is-active foreign; systemctl is-enabled foreign"),
        "active\nenabled"
    );
    assert_eq!(
        host.sh("readlink /etc/nginx/sites-enabled/foreign"),
        "/etc/nginx/sites-available/foreign"
    );
    assert_eq!(
        host.sh("readlink /etc/nginx/sites-enabled/default"),
        "/etc/nginx/sites-available/default"
    );
}

/// The shipped layout has everything in `desired-state/`: the pull that brings it leaves every old link dangling.
#[test]
fn a_pull_that_moves_the_files_leaves_no_old_link_behind() {
    let host = Host::boot();
    host.checkout(&[
        ("sites-available/api.example.com", SITE),
        (
            "sites-available/removed.example.com",
            &SITE.replace("api.", "removed."),
        ),
        ("systemd/plain.service", PLAIN),
        ("systemd/removed.service", PLAIN),
        ("systemd/infra.service", PLAIN),
        ("systemd/vault.service", PLAIN),
    ]);
    host.sh(OLD_SCRIPT);
    host.sh_as(
        "ubuntu",
        &format!(
            "cd {CHECKOUT}; mkdir desired-state; git mv sites-available systemd desired-state"
        ),
    );
    let removed = [
        ("desired-state/sites-available/removed.example.com", None),
        ("desired-state/systemd/removed.service", None),
    ];
    host.commit(&removed, "everything into desired-state");
    host.apply(&[]).expect(0);
    what_was_removed_is_gone(&host);
    assert_eq!(
        host.sh("systemctl is-active plain infra vault | sort -u"),
        "active"
    );
    assert_eq!(
        host.sh("systemctl is-enabled plain infra vault | sort -u"),
        "enabled"
    );
    assert_eq!(
        host.get("http://api.example.com/"),
        (200, "as committed\n".to_owned())
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}
