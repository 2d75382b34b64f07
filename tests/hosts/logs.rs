//! `logs` puts the journal, containers and nginx in the order of time; `show` has what a generation changed.

use std::time::Duration;

use serde_json::Value;

use crate::support::schema::json;
use crate::support::{CHECKOUT, Host, desired};

/// `stay` keeps compose attached when `api` was killed.
const COMPOSE: &str = "services:
  api:
    image: api:1
    container_name: api-prod
    ports: ['127.0.0.1:8010:8000']
    command: ['/bin/sh', '-c', 'echo api begins; echo DB_PASSWORD=hunter2hunter2 >&2; exec /bin/httpd -f -p 8000 -h /www']
  mute:
    image: api:1
    container_name: mute-prod
    logging: {driver: none}
    command: ['/bin/sleep', '7000']
  stay:
    image: api:1
    command: ['/bin/sleep', '7000']
";

const SITE: &str = "server {
    listen 80;
    server_name a.example.com;
    location /shop/ { proxy_pass http://127.0.0.1:8010/; }
    location /gone/ { proxy_pass http://127.0.0.1:8099/; }
}
";

/// As people write it: compose stays in the unit, and repeats what containers write.
fn unit(more: &str) -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/shop/docker-compose.yml");
    format!(
        "[Unit]\nAfter=docker.service\n\n[Service]\n{more}ExecStartPre=/bin/echo the unit begins\nExecStart={compose} up\n\
         ExecStop={compose} down\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn told(host: &Host, args: &[&str]) -> Value {
    let said = host.tool(&[&["logs", "--json"], args].concat());
    json("logs", &said.expect(0).stdout)
}

/// Places of texts among the lines, each with where it comes from.
fn place(told: &Value, source: &str, text: &str) -> usize {
    let lines = told["lines"].as_array().expect("lines");
    let is_it = |line: &Value| {
        let has =
            |key: &str, part: &str| line[key].as_str().is_some_and(|value| value.contains(part));
        has("source", source) && has("text", text)
    };
    let found = lines.iter().position(is_it);
    found.unwrap_or_else(|| panic!("no {text} of {source} in {told:#}"))
}

#[test]
fn what_belongs_to_a_service_in_the_order_of_time() {
    let host = Host::with_images(&["api:1"]);
    host.checkout(&[
        (&desired("systemd/shop.service"), &unit("")),
        (&desired("sites-available/a"), SITE),
        ("shop/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);
    host.wait_for_image("api:1", 8010, Duration::from_secs(20));
    host.sh("sleep 1.1");
    host.get("http://a.example.com/shop/?id=7");
    host.get("http://a.example.com/gone/x");
    host.get("http://b.example.com/elsewhere");
    host.sh("sleep 1.1; docker kill -s KILL api-prod; sleep 0.2");
    host.get("http://a.example.com/shop/late");

    let all = host.assert_untouched(|host| told(host, &["shop"]));
    let order = [
        place(&all, "shop.service", "the unit begins"),
        place(&all, "api-prod", "api begins"),
        place(&all, "/var/log/nginx/access.log", "GET /shop/?id=7"),
        place(&all, "/var/log/nginx/error.log", "GET /shop/late"),
    ];
    assert!(order.is_sorted(), "{order:?} {all:#}");
    let text = all.to_string();
    for not in ["/gone/x", "/elsewhere", "hunter2"] {
        assert!(!text.contains(not), "{not} {all:#}");
    }
    // Compose repeats in the journal what the container wrote.
    assert_eq!(text.matches("api begins").count(), 1, "{all:#}");
    let mute = all["sources"].as_array().expect("sources").iter();
    let mute = mute.filter(|one| one["source"] == "mute-prod");
    let why = mute.map(|one| one["why"].to_string()).collect::<String>();
    assert!(why.contains("does not support reading"), "{why} {all:#}");

    // By the name of a container, of a site, and of a unit that nobody manages.
    let one = told(&host, &["api-prod", "-n", "3"]);
    assert_eq!(one["lines"].as_array().map(Vec::len), Some(3), "{one:#}");
    place(&told(&host, &["site/a"]), "access.log", "/gone/x");
    let docker = told(&host, &["docker", "-n", "5"]);
    assert_eq!(
        docker["notes"][0],
        "docker.service is not in the desired state"
    );

    follows(&host);
    shows(&host);
}

/// With `-f`, what is written from now on comes once, also of a container that is made anew and of a log that is rotated.
fn follows(host: &Host) {
    host.sh("systemctl restart shop.service");
    host.wait_for_image("api:1", 8010, Duration::from_secs(20));
    host.sh(&format!(
        "systemd-run -q --collect sh -c 'cd {CHECKOUT}; timeout --preserve-status -s INT 60 \
         watchme-apply logs shop -n 0 -f >/tmp/followed 2>/tmp/said; echo $? >/tmp/status'; sleep 4"
    ));
    let has = |text: &str| {
        host.try_sh(&format!("grep -c '{text}' /tmp/followed"))
            .stdout
    };
    host.get("http://a.example.com/shop/one");
    host.sh("mv /var/log/nginx/access.log /var/log/nginx/access.log.1; nginx -s reopen; sleep 1");
    host.get("http://a.example.com/shop/two");
    host.sh("systemctl restart shop.service");
    host.wait_for("lines of all", Duration::from_secs(20), || {
        [
            "GET /shop/one",
            "GET /shop/two",
            "api begins",
            "the unit begins",
        ]
        .iter()
        .all(|text| has(text).trim() == "1")
    });
    host.sh("sleep 1; pkill -INT -x watchme-apply");
    host.wait_for("the end", Duration::from_secs(10), || {
        host.stands("/tmp/status")
    });
    assert_eq!(
        host.read("/tmp/status").trim(),
        "0",
        "{}",
        host.read("/tmp/said")
    );
    for text in [
        "GET /shop/one",
        "GET /shop/two",
        "api begins",
        "the unit begins",
    ] {
        assert_eq!(
            has(text).trim(),
            "1",
            "{text}\n{}",
            host.read("/tmp/followed")
        );
    }
    assert_eq!(
        host.try_sh("pgrep -fc '[j]ournalctl.*shop.service'")
            .stdout
            .trim(),
        "0"
    );
}

fn shows(host: &Host) {
    let other = unit("Environment=API_TOKEN=abcdefabcdef\nMemoryMax=64M\n");
    host.commit(
        &[(&desired("systemd/shop.service"), Some(&other))],
        "Less memory",
    );
    host.apply(&[]).expect(0);
    let shown = host
        .assert_untouched(|host| host.tool(&["show"]))
        .expect(0)
        .stdout;
    for said in [
        "generation 2, current: ",
        "(Less memory)",
        "by ubuntu, took ",
        "before   generation 1: ",
        "+MemoryMax=64M",
        "unit/shop.service: restart",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    assert!(!shown.contains("abcdefabcdef"), "{shown}");
}
