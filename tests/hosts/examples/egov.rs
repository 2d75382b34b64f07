//! `examples/egov`: an API with PostgreSQL and Redis, all of them real.

mod with_podman;

use std::process::Command;
use std::time::Duration;

use super::example;
use crate::podman;
use crate::secrets::sealed_for;
use crate::support::{CHECKOUT, Host, Program, Real, desired};

const COMPOSE: &str = "compose/app/compose.yaml";
const FIRST: &str = "registry.example.com/egov-api:2025-11-15";
const SECOND: &str = "registry.example.com/egov-api:2025-11-16";
const POSTGRES: &str = "docker.io/pgvector/pgvector:pg16";
const REDIS: &str = "docker.io/library/redis:7-alpine";

/// All passwords of the example have it.
const MARK: &str = "egov-example-";

impl Host {
    /// A host with the images of the example, its key, clients around it, and one of its folders as the desired state.
    fn for_egov(engine: &str, folder: &str) -> Self {
        let host = match engine {
            "podman" => podman::boot(),
            _ => Self::boot(),
        };
        let code = example("egov/app");
        let web = |version| Program::Web {
            code: &code,
            variables: version,
        };
        let images = [
            (POSTGRES, Program::Postgres),
            (REDIS, Program::Redis),
            (FIRST, web(&["APP_VERSION=1"])),
            (SECOND, web(&["APP_VERSION=2"])),
        ];
        let images = images.map(|(image, program)| Real { image, program });
        host.load_real_images(engine, &images);
        host.write(
            "/root/egov-key.txt",
            &std::fs::read_to_string(example("egov/example-key.txt")).expect("the key"),
        );
        host.sh("chmod 600 /root/egov-key.txt");
        host.connect_clients();
        host.checkout(&[]);
        host.copy_in(
            &example("egov").join(folder),
            &format!("{CHECKOUT}/desired-state"),
        );
        host.commit(&[], "the e-gov API");
        host
    }

    /// Writes a row through the API, and returns its number.
    #[track_caller]
    fn add_law(&self, name: &str) -> String {
        let body = format!("{{\"law_name\": \"{name}\", \"law_type\": \"act\"}}");
        let id = self.sh(&format!(
            "curl -sf -H 'Content-Type: application/json' -d '{body}' http://localhost:8000/laws"
        ));
        id.trim_start_matches("{\"id\":")
            .trim_end_matches('}')
            .to_owned()
    }

    /// The names of the laws in the database itself.
    fn laws(&self, engine: &str) -> String {
        self.sh(&format!(
            "{engine} exec egov-postgres psql -U egov -d egov_db -Atc 'SELECT law_name FROM laws ORDER BY id' | paste -sd,"
        ))
    }

    fn healthy_version(&self, version: u32) -> bool {
        let expected = format!("{{\"status\":\"ok\",\"version\":\"{version}\"}}");
        self.get("http://localhost:8000/health") == (200, expected)
    }

    /// Asks the API all the time; what it answers is in a file.
    fn start_asking(&self) {
        self.sh(
            "setsid sh -c 'while [ ! -e /run/stop ]; do
                 curl -s -m 5 -o /dev/null -w \"%{http_code}\\n\" http://localhost:8000/laws/1 || true; sleep 0.02
             done' >/run/answers 2>&1 &",
        );
    }

    /// How often each answer came.
    fn stop_asking(&self) -> String {
        self.sh("touch /run/stop; sleep 0.3; sort /run/answers | uniq -c")
    }

    /// Nothing that lasts has a password.
    #[track_caller]
    fn assert_no_password(&self, when: &str) {
        self.sh("sync; journalctl --sync >/dev/null 2>&1 || true");
        assert_eq!(self.on_disk(MARK), [""; 0], "{when}");
        let journal = self.sh(&format!(
            "journalctl -q -a -o verbose | grep -c {MARK} || true"
        ));
        assert_eq!(journal, "0", "{when}: the journal");
    }
}

fn update_of(replacements: &[(&str, &str)]) -> String {
    let path = example("egov/docker").join(COMPOSE);
    let mut text = std::fs::read_to_string(path).expect("the compose file");
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

/// One command takes a fresh host to a healthy API; it is updated under requests, and a bad update changes nothing.
#[test]
fn egov_runs_with_docker() {
    let host = Host::for_egov("docker", "docker");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let restart = "etc/docker/daemon.json: restart, interrupts only docker.service";
    assert!(plan.contains(restart), "{plan}");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(host.healthy_version(1), "{said}");
    host.assert_does_nothing(&["apply"]).expect(0);
    is_as_the_documents_say(&host);

    // An update, and one that never gets healthy: it does not find the file with the address of the database.
    let data =
        host.sh("docker ps -q --no-trunc --filter label=com.docker.compose.project=egov-data");
    host.start_asking();
    let good = update_of(&[(FIRST, SECOND)]);
    host.commit(&[(&desired(COMPOSE), Some(&good))], "an update");
    host.apply(&[]).expect(0);
    assert!(host.healthy_version(2));
    let bad = update_of(&[
        (FIRST, SECOND),
        (
            "DATABASE_URL_FILE: /run/secrets/",
            "DATABASE_URL_FILE: /none/",
        ),
        ("retries: 20", "retries: 2"),
    ]);
    host.commit(&[(&desired(COMPOSE), Some(&bad))], "a bad update");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert!(host.healthy_version(2), "{said}");
    let answers = host.stop_asking();
    assert!(
        answers.ends_with(" 200") && !answers.contains('\n'),
        "{answers}"
    );
    assert_eq!(
        host.sh("docker ps -q --no-trunc --filter label=com.docker.compose.project=egov-data"),
        data,
        "what keeps data runs on"
    );
    assert_eq!(host.laws("docker"), "Civil Code");
    host.assert_no_password("after a bad update");
}

/// Rows, cache, limits, log rotation, and who gets in.
fn is_as_the_documents_say(host: &Host) {
    let id = host.add_law("Civil Code");
    assert_eq!(host.laws("docker"), "Civil Code");
    let law = format!("http://localhost:8000/laws/{id}");
    assert!(host.get(&law).1.contains("\"cached\":false"));
    assert!(host.get(&law).1.contains("\"cached\":true"));
    let redis = "docker exec egov-redis sh -c 'export REDISCLI_AUTH=$(sed \"s/requirepass //\" /run/secrets/redis.conf) && exec redis-cli";
    assert_eq!(
        host.sh(&format!("{redis} config get maxmemory' | tail -1; {redis} config get maxmemory-policy' | tail -1; {redis} ttl law:{id}' | cut -c1-2")),
        "536870912\nallkeys-lru\n86"
    );
    assert_eq!(host.who_reaches(8000), ["vpn", "lan"]);
    for closed in [5432, 6379, 8101, 8102] {
        assert_eq!(host.who_reaches(closed), [""; 0], "{closed}");
    }
    let logs = host.sh("docker inspect -f '{{json .HostConfig.LogConfig}}' egov-postgres");
    assert!(
        logs.contains("\"max-size\":\"10m\"") && logs.contains("\"max-file\":\"3\""),
        "{logs}"
    );
    host.assert_no_password("after the first apply");
    host.wait_for("answer", Duration::from_secs(5), || host.healthy_version(1));
}

/// A boot brings everything back in the declared order, a rollback the first generation; what is removed leaves its data.
#[test]
#[ignore = "long: tests/run --all"]
fn egov_reboots_rolls_back_and_goes_with_docker() {
    let host = Host::for_egov("docker", "docker");
    host.apply(&[]).expect(0);
    host.add_law("Civil Code");
    let update = update_of(&[(FIRST, SECOND)]);
    host.commit(&[(&desired(COMPOSE), Some(&update))], "an update");
    host.apply(&[]).expect(0);

    host.reboot();
    host.connect_clients();
    host.wait_for("health", Duration::from_secs(60), || {
        host.healthy_version(2)
    });
    assert_eq!(host.who_reaches(8000), ["vpn", "lan"]);
    let began = |unit: &str| -> u64 {
        let time = host.property(unit, "InactiveExitTimestampMonotonic");
        time.parse().expect("a time")
    };
    let order = [
        "watchme-apply-firewall.service",
        "watchme-apply-secrets.service",
        "docker.service",
        "stack-data.service",
        "stack-app-b.service",
    ];
    let times = order.map(began);
    assert!(
        times[0] > 0 && times[1..].is_sorted(),
        "{order:?}: {times:?}"
    );
    assert!(times[0] < times[2], "{order:?}: {times:?}");
    assert_eq!(host.laws("docker"), "Civil Code");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.assert_no_password("after a reboot");

    host.tool(&["rollback", "1"]).expect(0);
    assert!(host.healthy_version(1));
    assert_eq!(host.laws("docker"), "Civil Code");
    host.assert_no_password("after a rollback");

    // Nothing is left but the data.
    host.commit(
        &[
            ("desired-state", None),
            (&desired("watchme.toml"), Some("")),
        ],
        "no more",
    );
    let said = host.apply(&["--allow-empty"]).expect(0).stdout;
    assert!(said.contains("egov_postgres_data"), "{said}");
    assert_eq!(
        host.sh("docker ps -aq; docker volume ls -q"),
        "egov_postgres_data"
    );
    assert_eq!(
        host.sh("docker network ls -q -f type=custom; nft list tables | grep watchme || true"),
        ""
    );
    assert_eq!(
        host.sh("ls -A /run/watchme-apply/secrets 2>/dev/null || true"),
        ""
    );
    let left = "find /etc/systemd/system /etc/nginx /etc/docker -name '*egov*' -o -name '*watchme*' -o -name 'stack-*' -o -name daemon.json";
    assert_eq!(host.sh(left), "");
    host.assert_no_password("after its end");
}

/// A backup, its rehearsal, and a fresh host that gets the rows from it.
#[test]
#[ignore = "long: tests/run --all"]
fn egov_backups_bring_the_rows_back_with_docker() {
    const FOLDER: &str = "/srv/backups/egov";
    let host = Host::for_egov("docker", "docker");
    host.apply(&[]).expect(0);
    host.add_law("Civil Code");
    host.tool(&["backup", "run", "db"]).expect(0);
    let said = host.tool(&["restore", "db", "--into-scratch"]).expect(0);
    assert_eq!(host.sh("docker ps -q | wc -l"), "3", "{}", said.text());
    host.assert_no_password("after a backup");
    let local = tempfile::tempdir().expect("a temporary folder");
    let name = host.sh(&format!("ls {FOLDER}"));
    let backup = format!("{}:{FOLDER}/{name}", host.name());
    let copied = Command::new("docker")
        .args(["cp", &backup])
        .arg(local.path())
        .status();
    assert!(copied.expect("docker").success());
    drop(host);

    let fresh = Host::for_egov("docker", "docker");
    fresh.copy_in(local.path(), FOLDER);
    fresh.apply(&[]).expect(0);
    assert_eq!(fresh.laws("docker"), "");
    fresh
        .tool(&["restore", "db", "--backup", &name, "--yes"])
        .expect(0);
    assert_eq!(fresh.laws("docker"), "Civil Code");
    assert!(
        fresh
            .get("http://localhost:8000/laws/1")
            .1
            .contains("Civil Code")
    );
}

/// The host of another name: published by compose, on the port that its encrypted file says, for the VPN alone.
#[test]
#[ignore = "long: tests/run --all"]
fn egov_staging_is_laid_over() {
    let host = Host::for_egov("docker", "docker");
    host.sh("hostname egov-staging");
    let of_staging = |path: &str| desired(&format!("hosts/egov-staging/{path}"));
    let key = host.read("/root/egov-key.txt");
    let key = key
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    let settings = sealed_for("API_PORT=8010\nUVICORN_WORKERS=1\n", &[key.expect("a key")]);
    let policy = host.read(&format!("{CHECKOUT}/{}", of_staging("watchme.toml")));
    let policy = policy
        + "8010 = [\"vpn\"]\n\n[[gate]]\nurl = \"http://localhost:8010/health\"\nretries = 20\n";
    host.commit(
        &[
            (&of_staging("secrets/egov.env.age"), Some(&settings)),
            (&of_staging("watchme.toml"), Some(&policy)),
        ],
        "another port",
    );
    let said = host.apply(&[]).expect(0).stdout;
    assert_eq!(host.get("http://localhost:8010/health").0, 200, "{said}");
    assert_eq!(host.who_reaches(8010), ["vpn"]);
    assert_eq!(host.who_reaches(8000), [""; 0]);
    assert!(!host.stands("/etc/nginx/sites-enabled/api.egov.example"));
    host.assert_does_nothing(&["apply"]).expect(0);
    host.assert_no_password("on staging");
}
