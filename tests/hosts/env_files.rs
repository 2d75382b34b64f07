//! Environment files of a host that are missing, or lack variables: `plan` names them.

use serde_json::Value;

use crate::support::{CHECKOUT, Host, Service, desired, site};

const COMPOSE: &str = "services:
  app:
    image: api:1
    network_mode: bridge
    environment:
      TOKEN: '${TOKEN}'
      MODE: '${MODE:-live}'
      URL: '${URL}'
";

fn unit(folder: &str) -> String {
    format!(
        "[Unit]\nAfter=docker.service\n\n[Service]\nWorkingDirectory={folder}\nExecStart=/usr/bin/docker-compose up\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn found(host: &Host) -> Vec<String> {
    let said = host.assert_untouched(|host| host.tool(&["plan", "--json"]));
    assert!(!said.text().contains("hunter"), "{}", said.text());
    let json: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("findings").iter();
    let of_rule = findings.filter(|one| one["rule"] == "host-env-incomplete");
    let messages = of_rule.map(|one| one["message"].as_str().unwrap_or_default().to_owned());
    let mut messages: Vec<String> = messages.collect();
    // Those of compose files first.
    messages.sort_by_key(|text| (text.contains(".env.example"), text.clone()));
    messages
}

#[test]
fn a_plan_names_the_variables_that_no_environment_file_has() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    let plain = "[Service]\nEnvironmentFile=/srv/plain/.env\nExecStart=/bin/sleep 1001\n\n[Install]\nWantedBy=multi-user.target\n";
    host.sh("mkdir -p /opt/app /srv/plain; echo B=hunter2 >/srv/plain/.env; printf 'B=\\nC=x\\n' >/srv/plain/.env.example");
    host.write("/opt/app/docker-compose.yml", COMPOSE);
    host.checkout(&[
        (
            &desired("systemd/inside.service"),
            &unit(&format!("{CHECKOUT}/inside")),
        ),
        (&desired("systemd/outside.service"), &unit("/opt/app")),
        (&desired("systemd/plain.service"), plain),
        ("inside/docker-compose.yml", COMPOSE),
        ("inside/.env.example", "TOKEN=\nURL=\nEXTRA=\n"),
        (".gitignore", ".env\n"),
    ]);
    let inside = format!("{CHECKOUT}/inside");
    assert_eq!(
        found(&host),
        [
            format!("{inside}/.env is not there, and {inside}/docker-compose.yml uses TOKEN, URL without a default"),
            "/opt/app/.env is not there, and /opt/app/docker-compose.yml uses TOKEN, URL without a default".to_owned(),
            format!("{inside}/.env is not there; {inside}/.env.example has EXTRA, TOKEN, URL"),
            "/srv/plain/.env lacks C, which /srv/plain/.env.example has".to_owned(),
        ]
    );
    host.sh(&format!(
        "echo TOKEN=hunter2 >{inside}/.env; echo URL=hunter2 >/opt/app/.env; echo C=hunter2 >>/srv/plain/.env"
    ));
    assert_eq!(
        found(&host),
        [
            format!(
                "{inside}/.env lacks URL, which {inside}/docker-compose.yml uses without a default"
            ),
            "/opt/app/.env lacks TOKEN, which /opt/app/docker-compose.yml uses without a default"
                .to_owned(),
            format!("{inside}/.env lacks EXTRA, URL, which {inside}/.env.example has"),
        ]
    );
    // What docker-compose itself says.
    let said = host.try_sh("cd /opt/app; docker-compose config 2>&1 >/dev/null");
    assert!(
        said.text().contains("TOKEN") && !said.text().contains("URL"),
        "{}",
        said.text()
    );
    host.sh(&format!(
        "printf 'URL=hunter2\\nEXTRA=hunter2\\n' >>{inside}/.env; echo TOKEN=hunter2 >>/opt/app/.env"
    ));
    assert_eq!(found(&host), [""; 0]);

    // Of units that do not change, a plan has one line.
    host.apply(&[]).expect(0);
    host.sh("echo OTHER= >>/srv/plain/.env.example");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "a")))],
        "a site",
    );
    assert_eq!(found(&host), [""; 0]);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        !plan.contains("OTHER") && plan.contains("--all-findings"),
        "{plan}"
    );
    let all = host.tool(&["plan", "--all-findings"]).expect(0).text();
    assert!(all.contains("/srv/plain/.env lacks OTHER"), "{all}");
}
