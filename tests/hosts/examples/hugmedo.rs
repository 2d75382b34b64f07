//! `examples/hugmedo`: a gateway, a core service, two modules, and PostgreSQL, Redis and a storage behind them.

use std::time::Duration;

use super::example;
use crate::support::{CHECKOUT, Debian, Host, Program, Real, desired};

const OHR: &str = "compose/ohr/compose.yaml";
const POSTGRES: &str = "docker.io/library/postgres:16";
const REDIS: &str = "docker.io/library/redis:7";
const STORAGE: &str = "registry.example.com/hugmedo-storage:2025-03-22";
const FIRST: &str = "2025-03-22";
const SECOND: &str = "2025-03-23";
/// All passwords of the example have it.
const MARK: &str = "hugmedo-example-";
/// Where the gateway has the modules.
const API: &str = "http://localhost:3000/api/v1/modules";

/// The services, each with its tag and its version.
const SERVICES: [(&str, &str, &str); 4] = [
    ("core", FIRST, "1"),
    ("chat", FIRST, "1"),
    ("ohr", FIRST, "1"),
    ("ohr", SECOND, "2"),
];

/// A host with the images of the example, its key, and clients around it.
fn boot() -> Host {
    let host = Host::boot_debian(Debian::Thirteen);
    let code = example("hugmedo/app");
    let names = SERVICES.map(|(role, tag, version)| {
        let image = format!("registry.example.com/hugmedo-{role}:{tag}");
        (
            image,
            format!("ROLE={role}"),
            format!("APP_VERSION={version}"),
        )
    });
    let variables = names
        .each_ref()
        .map(|(_, role, version)| [role.as_str(), version.as_str()]);
    let web = names
        .iter()
        .zip(&variables)
        .map(|((image, ..), variables)| Real {
            image,
            program: Program::Web {
                code: &code,
                variables,
            },
        });
    let data = [
        (POSTGRES, Program::Postgres),
        (REDIS, Program::Redis),
        (STORAGE, Program::Storage),
    ];
    let data = data.map(|(image, program)| Real { image, program });
    let images: Vec<Real<'_>> = data.into_iter().chain(web).collect();
    host.load_real_images("docker", &images);
    let key = std::fs::read_to_string(example("hugmedo/example-key.txt")).expect("the key");
    host.write("/root/hugmedo-key.txt", &key);
    host.sh("chmod 600 /root/hugmedo-key.txt");
    host.connect_clients();
    host.checkout(&[]);
    host.copy_in(&example("hugmedo"), &format!("{CHECKOUT}/desired-state"));
    // Of the example, not of the desired state.
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state && rm -r app README.md example-key.txt"
    ));
    host.commit(&[], "HugMeDo");
    host
}

fn ohr(replacements: &[(&str, &str)]) -> String {
    let path = example("hugmedo").join(OHR);
    let mut text = std::fs::read_to_string(path).expect("the compose file");
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

/// Which of these `NAME:PORT` a container reaches.
fn reached(host: &Host, container: &str, targets: &str) -> String {
    let code = "import socket, sys
for target in sys.argv[1].split():
    name, port = target.split(\":\")
    try:
        socket.create_connection((name, int(port)), 2).close()
        print(target)
    except OSError:
        pass";
    host.sh(&format!(
        "docker exec {container} python3 -c '{code}' '{targets}' | paste -sd' '"
    ))
}

/// The version of the module that the gateway leads to, where it is healthy.
fn version(host: &Host) -> String {
    match host.get(&format!("{API}/ohr/health")) {
        (200, body) => body
            .split("\"version\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned(),
        (status, body) => format!("{status} {body}"),
    }
}

/// Who answers for chat, of requests that all have to be answered.
fn replicas(host: &Host) -> String {
    let ask = format!(
        "for i in $(seq 30); do curl -sf -m 5 {API}/chat/health || echo FAILED; echo; done"
    );
    host.sh(&format!(
        "{ask} | grep -o 'chat-[0-9]\\|FAILED' | sort -u | paste -sd,"
    ))
}

/// What each segment reaches, and what it does not.
fn is_in_segments(host: &Host) {
    let data = "postgres:5432 redis:6379 storage:8000";
    let all = format!("core-service:8000 {data}");
    let module = host.sh("docker ps --format '{{.Names}}' | grep ohr | head -1");
    for container in [module.as_str(), "hugmedo-chat-1"] {
        assert_eq!(
            reached(host, container, &all),
            "core-service:8000",
            "{container}"
        );
    }
    assert_eq!(reached(host, "hugmedo-core", &all), all);
    let modules = "hugmedo-chat-1:8000 hugmedo-chat-2:8000";
    assert_eq!(reached(host, "hugmedo-storage", modules), "");
    for closed in ["hugmedo-storage", "hugmedo-postgres", "hugmedo-core"] {
        let routes = format!("docker exec {closed} cat /proc/net/route | awk '$2 == \"00000000\"'");
        assert_eq!(host.sh(&routes), "", "{closed} has a way out");
    }
    assert_eq!(host.who_reaches(3000), ["vpn", "lan"]);
    for closed in [40100, 40101, 40110, 40111, 40112, 5432, 6379, 8000] {
        assert_eq!(host.who_reaches(closed), [""; 0], "{closed}");
    }
    // The storage refuses a wrong key.
    let wrong = "import main, urllib.error
main.keys = lambda: (\"hugmedo-access\", \"wrong\")
try:
    main.stored(\"GET\", \"/health/core\")
except urllib.error.HTTPError as error:
    print(error.code)";
    let refused = host.sh(&format!("docker exec hugmedo-core python3 -c '{wrong}'"));
    assert_eq!(refused, "403");
}

/// One command takes a fresh host to healthy modules; replicas, copies, a boot, a rollback, and its end.
#[test]
#[ignore = "long: tests/run --all"]
fn hugmedo_runs_in_segments_with_replicas_and_copies() {
    let host = boot();
    let checked = host.tool(&["check"]).expect(0).text();
    assert!(!checked.contains("warning"), "{checked}");
    let said = host.apply(&[]).expect(0).text();
    assert_eq!(version(&host), "1", "{said}");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.sh(&format!("curl -sf -X POST {API}/ohr/meetings/first"));
    let meeting = |host: &Host| host.get(&format!("{API}/chat/meetings/1")).1;
    assert!(meeting(&host).contains("first"));
    is_in_segments(&host);

    // All replicas answer; nginx leaves out one that is gone, and nobody sees it.
    assert_eq!(replicas(&host), "chat-1,chat-2,chat-3");
    host.sh("docker stop -t 1 hugmedo-chat-2");
    assert_eq!(replicas(&host), "chat-1,chat-3");
    host.tool(&["drift"]).expect(2);
    host.sh("docker start hugmedo-chat-2");
    host.wait_for("the replica", Duration::from_secs(40), || {
        replicas(&host) == "chat-1,chat-2,chat-3"
    });

    // The other copy, and the soak; a bad one changes nothing.
    let update = ohr(&[(FIRST, SECOND)]);
    host.commit(&[(&desired(OHR), Some(&update))], "an update");
    let said = host.apply(&[]).expect(0).text();
    assert!(
        said.contains("wait until the gates have passed for 10 s"),
        "{said}"
    );
    assert_eq!(version(&host), "2");
    let bad = ohr(&[
        (FIRST, SECOND),
        ("core-service:8000", "nowhere:8000"),
        ("retries: 20", "retries: 2"),
    ]);
    host.commit(&[(&desired(OHR), Some(&bad))], "a bad update");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert_eq!(version(&host), "2");
    host.commit(&[(&desired(OHR), Some(&update))], "the good one again");

    // A boot in the declared order.
    host.reboot();
    host.connect_clients();
    host.wait_for("health", Duration::from_secs(90), || version(&host) == "2");
    let copy = host.sh(
        "systemctl list-units --plain --no-legend 'stack-ohr*' --state=active | awk '{print $1}'",
    );
    let order =
        ["docker", "stack-data", "stack-core", "stack-chat"].map(|name| format!("{name}.service"));
    let units = order.iter().chain([&copy]);
    let times: Vec<u64> = units
        .map(|unit| {
            let time = host.property(unit, "InactiveExitTimestampMonotonic");
            time.parse().unwrap_or_else(|_| panic!("{unit}: {time}"))
        })
        .collect();
    assert!(
        times[0] > 0 && times.is_sorted(),
        "{order:?} {copy}: {times:?}"
    );
    assert!(meeting(&host).contains("first"));
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);

    // A backup, and its rehearsal.
    host.tool(&["backup", "run", "db"]).expect(0);
    host.tool(&["restore", "db", "--into-scratch"]).expect(0);
    assert_eq!(host.on_disk(MARK), [""; 0]);

    host.tool(&["rollback", "1"]).expect(0);
    assert_eq!(version(&host), "1");
    assert!(meeting(&host).contains("first"));

    // Nothing is left but the data.
    host.commit(
        &[
            ("desired-state", None),
            (&desired("watchme.toml"), Some("")),
        ],
        "no more",
    );
    let said = host.apply(&["--allow-empty"]).expect(0).stdout;
    let volumes = "hugmedo_postgres\nhugmedo_redis\nhugmedo_storage";
    assert_eq!(
        host.sh("docker ps -aq; docker volume ls -q | sort"),
        volumes
    );
    for volume in volumes.lines() {
        assert!(said.contains(volume), "{volume} is not in\n{said}");
    }
    let left = "docker network ls -q -f type=custom; nft list tables | grep watchme || true";
    assert_eq!(host.sh(left), "");
}
