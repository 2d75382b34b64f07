//! `status` is the page to open: every part of a host, whatever of it is down.

use serde_json::Value;

use crate::support::schema::json;
use crate::support::{CHECKOUT, Host, Service, desired, site, sleeper};

const COMPOSE: &str = "services:
  api:
    image: api:1
    container_name: api-prod
    network_mode: bridge
  worker:
    image: api:1
    container_name: worker-prod
    network_mode: bridge
    command: ['/bin/sleep', '7000']
";

fn unit() -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/app/docker-compose.yml");
    format!(
        "[Unit]\nAfter=docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={compose} up -d\n\
         ExecStop={compose} down\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn secure(name: &str) -> String {
    format!(
        "server {{
    listen 443 ssl;
    server_name {name}.example.com;
    ssl_certificate /etc/ssl/{name}.pem;
    ssl_certificate_key /etc/ssl/{name}.key;
    location / {{ return 200 \"{name}\"; }}
}}
"
    )
}

fn part<'a>(status: &'a Value, list: &str, name: &str) -> &'a Value {
    let all = status[list].as_array().expect(list).iter();
    let mut found = all.filter(|one| one["name"] == name || one["path"] == name);
    found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

fn status(host: &Host) -> Value {
    json("status", &host.tool(&["status", "--json"]).expect(0).stdout)
}

#[test]
fn each_unit_container_certificate_and_what_is_foreign() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    host.sh(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a.example.com -days 40 -keyout /etc/ssl/a.key -out /etc/ssl/a.pem 2>/dev/null",
    );
    host.checkout(&[
        (&desired("systemd/app.service"), &unit()),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("systemd/two.service"), &sleeper(1002)),
        (&desired("sites-available/a"), &secure("a")),
        ("app/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);
    host.sh("docker kill -s KILL worker-prod >/dev/null; systemctl kill -s SEGV one.service");
    host.wait_for(
        "the end of one.service",
        std::time::Duration::from_secs(10),
        || !host.is_active("one.service"),
    );
    host.sh(
        "docker run -d --name stray api:1 >/dev/null
         printf '[Service]\\nExecStart=/bin/sleep 9\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/hand.service
         systemctl -q enable hand.service
         printf 'server { listen 8099; }\\n' >/etc/nginx/sites-enabled/by-hand",
    );

    let said = host.assert_does_nothing(&["status"]).expect(0).stdout;
    for words in [
        "3 units, 1 OK",
        "failed: signal 11 (SIGSEGV)",
        "exited 137 (killed by SIGKILL, not for lack of memory)",
        "/etc/ssl/a.pem",
        "39 days left",
        "units: hand.service",
        "containers: stray",
        "by-hand",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    let found = status(&host);
    let one = part(&found, "units", "one.service");
    assert_eq!(
        (&one["exit_status"], &one["well"]),
        (&11.into(), &false.into())
    );
    let changed = host.sh(
        "date -u -d \"$(systemctl show -P StateChangeTimestamp one.service)\" +%Y-%m-%dT%H:%M:%S",
    );
    assert!(
        one["since"]
            .as_str()
            .is_some_and(|since| since.starts_with(&changed)),
        "{one} {changed}"
    );
    let api = part(&found, "containers", "api-prod");
    assert_eq!(
        (&api["unit"], &api["state"]),
        (&"app.service".into(), &"running".into())
    );
    let inspect = |what: &str| host.sh(&format!("docker inspect -f '{{{{{what}}}}}' api-prod"));
    let since = |value: &Value| {
        value
            .as_str()
            .unwrap_or_default()
            .get(..19)
            .map(str::to_owned)
    };
    assert_eq!(
        since(&api["since"]).as_deref(),
        inspect(".State.StartedAt").get(..19)
    );
    assert_eq!(api["image_created"], "2024-01-01T00:00:00Z");
    let worker = part(&found, "containers", "worker-prod");
    assert_eq!(
        (&worker["exit_code"], &worker["unit"]),
        (&137.into(), &"app.service".into())
    );
    let end = host.sh("date -u -d \"$(openssl x509 -in /etc/ssl/a.pem -noout -enddate | cut -d= -f2)\" +%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(
        part(&found, "certificates", "/etc/ssl/a.pem")["not_after"],
        end.as_str()
    );
    assert_eq!(found["last"]["kind"], "apply");

    let narrow = host.sh("cd /home/ubuntu/configs 2>/dev/null || cd /; script -qec 'stty cols 60 rows 50; watchme-apply status --color never' /dev/null </dev/null");
    let text: Vec<&str> = narrow.lines().map(str::trim_end).collect();
    assert!(
        text.iter()
            .any(|line| line.starts_with("  one.service: failed: signal 11")),
        "{narrow}"
    );
    let longest = text.iter().map(|line| line.chars().count()).max();
    assert!(longest <= Some(60), "{narrow}");
}

#[test]
fn a_daemon_that_is_down_is_a_line_and_not_the_end() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    host.checkout(&[
        (&desired("systemd/app.service"), &unit()),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("sites-available/b"), &site("b", "b")),
        ("app/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);

    let as_ubuntu = host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply status"));
    let said = as_ubuntu.text();
    assert!(
        said.contains("needs root: sudo watchme-apply status"),
        "{said}"
    );

    host.sh("systemctl stop docker.socket docker.service");
    let said = host.tool(&["status"]).expect(0).stdout;
    for words in [
        "Docker does not answer: ",
        "one.service",
        "running",
        "networks and members not checked",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    let found = status(&host);
    assert_eq!(part(&found, "daemons", "Docker")["up"], false);
    assert_eq!(part(&found, "units", "one.service")["state"], "running");
    assert_eq!(found["in_sync"], false);

    host.sh("mv /run/dbus/system_bus_socket /run/dbus/away; systemctl start docker.service || true; nginx -s stop");
    let said = host.tool(&["status"]).expect(0).stdout;
    for words in [
        "systemd does not answer: ",
        "nginx is down: it does not run",
        "units not checked",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    assert_eq!(part(&status(&host), "daemons", "systemd")["up"], false);
    host.sh("mv /run/dbus/away /run/dbus/system_bus_socket");
}
