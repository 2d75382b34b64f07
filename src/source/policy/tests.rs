mod notify;
mod values;
mod wrong;

use std::time::Duration;

use super::*;
use crate::model::{EtcAction, OnChange, Probe};

const FULL: &str = r#"
checkout = "/home/ubuntu/watchme-server-configs/"
absent = ["sites-enabled/default", "etc/motd"]
bootstrap_certificates = true

[folders]
sites = "nginx"

[budget]
memory = "1800M"
swap = 1024
cpus = 2

[ports]
allowed = ["8000", "8001-8099"]

[site."api.example.org"]
enabled = false

[unit."a.service"]
start = true
on_change = "none"
start_timeout = "1h30m"
response_time = "300s"

[network.net]
owner = "infra.service"
[[network.net.member]]
container = "a"
address = "172.27.0.10"
pin = true
aliases = ["x"]
[[network.net.member]]
project = "p"
service = "s"

[etc."docker/daemon.json"]
mode = "0600"
owner = "root"
install = "link"
restart = "docker.service"

[[route]]
url = "https://api.example.org/a/"
upstream = "http://localhost:8015/api/a/"

[[gate]]
url = "https://api.example.org/a/health"
timeout = "2s"
verify = false
[[gate]]
tcp = "localhost:8015"
retries = 0
"#;

#[test]
fn no_folder_of_the_system_is_the_checkout() {
    for path in [
        "/",
        "/etc",
        "/etc/nginx",
        "/run/x",
        "/usr",
        "/var/lib",
        "/home",
    ] {
        let text = format!("checkout = \"{path}\"\n");
        let error = parse(Path::new("watchme.toml"), &text).unwrap_err();
        assert!(
            error.expected.contains("in no folder of the system"),
            "{path}: {error}"
        );
    }
    for path in [
        "/home/ubuntu/configs",
        "/srv/configs",
        "/var/lib/configs",
        "/opt/x",
    ] {
        let text = format!("checkout = \"{path}\"\n");
        assert!(parse(Path::new("watchme.toml"), &text).is_ok(), "{path}");
    }
}

#[test]
fn everything_is_read() {
    let policy = parse(Path::new(FILE_NAME), FULL).unwrap();
    let checkout = policy.checkout.as_deref();
    assert_eq!(
        checkout,
        Some(&"/home/ubuntu/watchme-server-configs".into())
    );
    let absent: Vec<_> = policy
        .absent
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(absent, ["/etc/nginx/sites-enabled/default", "/etc/motd"]);
    assert_eq!(
        (policy.folders.sites.as_str(), policy.folders.units.as_str()),
        ("nginx", "systemd")
    );
    let budget = &policy.budget;
    assert_eq!(budget.memory.as_ref().map(|size| ***size), Some(1800 << 20));
    assert_eq!(budget.swap.as_deref().copied(), Some(1024));
    assert_eq!(budget.cpus.map(|cpus| cpus.0), Some(2.0));
    let ports: Vec<_> = policy
        .ports
        .allowed
        .iter()
        .map(|range| (**range).clone())
        .collect();
    assert_eq!(ports, [8000..=8000, 8001..=8099]);
    assert!(!policy.sites["api.example.org"].enabled);
    let (name, unit) = policy.units.get_key_value("a.service").unwrap();
    assert_eq!(&FULL[name.span()], "\"a.service\"");
    assert_eq!(*unit.start_timeout, Duration::from_secs(5400));
    assert_eq!(
        unit.response_time.as_deref(),
        Some(&Duration::from_secs(300))
    );
    assert_eq!(unit.on_change, Some(OnChange::None));
    let members: Vec<_> = policy.networks["net"].members().collect();
    assert_eq!(&FULL[members[0].1.clone()], "\"172.27.0.10\"");
    assert_eq!(members[1].0.name.to_string(), "p:s");
    let etc = &policy.etc["docker/daemon.json"];
    let owner = etc.owner.as_deref().map(String::as_str);
    assert_eq!(
        (etc.mode.as_deref(), owner, etc.link()),
        (Some(&0o600), Some("root:root"), Some(true))
    );
    assert_eq!(
        etc.action(),
        Some(EtcAction::Restart("docker.service".into()))
    );
    assert_eq!(policy.routes.len(), 1);
    let gates: Vec<_> = policy.gates().collect();
    assert_eq!(&FULL[gates[1].1.clone()], "\"localhost:8015\"");
    assert_eq!(gates[0].0.retries, 3);
    assert!(matches!(
        gates[0].0.probe,
        Probe::Url {
            status: 200,
            verify: false,
            ..
        }
    ));
    assert_eq!(
        gates[1].0.probe,
        Probe::Tcp("127.0.0.1:8015".parse().unwrap())
    );
}

#[test]
fn nothing_is_everything_by_default() {
    let policy = parse(Path::new(FILE_NAME), "").unwrap();
    assert_eq!(policy.folders.infra.as_str(), "docker-compose.infra.yml");
    assert!(policy.gates.is_empty());
}

proptest::proptest! {
    #[test]
    fn never_panics(source in ".*") {
        let _ = parse(Path::new(FILE_NAME), &source);
    }

    #[test]
    fn never_panics_on_what_looks_like_it(source in "(\\[+(unit|network|gate)\\.?[a\"]?\\]+\n|(start|url|owner|x) = [\"1a\\[\\]]{0,4}\n){0,6}") {
        if let Err(error) = parse(Path::new(FILE_NAME), &source) {
            let _ = error.position();
        }
    }
}
