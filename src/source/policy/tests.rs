mod values;

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
    let budget = crate::model::Budget::from(&policy.budget);
    assert_eq!(budget.memory, Some(1800 << 20));
    assert_eq!((budget.swap, budget.cpus), (Some(1024), Some(2.0)));
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
fn what_is_wrong_is_said_with_its_place() {
    for (source, message, expected, help) in [
        (
            "[unit.\"a.service\"]\nstat = true\n",
            "watchme.toml:2:1: unknown key \"stat\"",
            "the keys here are start, on_change, start_timeout, settle, response_time",
            Some("did you mean start?"),
        ),
        (
            "chekout = \"/x\"",
            "watchme.toml:1:1: unknown key \"chekout\"",
            "the keys here are checkout, absent, ",
            Some("did you mean checkout?"),
        ),
        (
            "[unit.a.service]\nstart = true",
            "watchme.toml:1:9: unknown key \"service\"",
            "",
            Some("names with dots need quotes: [unit.\"NAME.service\"]"),
        ),
        (
            "bootstrap_certificates = \"yes\"",
            "watchme.toml:1:26: invalid type: string \"yes\"",
            "expected true or false, without quotes",
            None,
        ),
        (
            "[ports]\nallowed = [\"9-8\"]",
            "watchme.toml:2:12: \"9-8\" cannot be used here",
            "expected a port or a range such as \"8001-8099\"",
            None,
        ),
        (
            "absent = [\"etc/../passwd\"]",
            "watchme.toml:1:11: \"etc/../passwd\" cannot be used here",
            "expected sites-enabled/NAME",
            None,
        ),
        ("a = = 1", "watchme.toml:1:5: ", "", None),
        (
            "[[network.n.member]]\ncontainer = \"a\"\nservice = \"b\"",
            "watchme.toml:1:1: it is not clear which container this member is",
            "",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\", address = \"1.2.3\"}]",
            "watchme.toml:2:39: \"1.2.3\" cannot be used here",
            "expected an IP address",
            None,
        ),
        (
            "[etc.motd]\nvalidate = [\"grep\", \"x\"]",
            "watchme.toml:2:12: the command does not get the file",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nvalidate = []",
            "watchme.toml:2:12: an empty command",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nvalidate = [\"{}\"]",
            "watchme.toml:2:12: the command itself has no name",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nrestart = \"a.service\"\nreload = \"b.service\"",
            "watchme.toml:3:10: a change cannot both restart and reload",
            "",
            None,
        ),
        (
            "[[gate]]\nurl = \"ftp://x\"",
            "watchme.toml:2:7: \"ftp://x\" cannot be used here",
            "expected a URL",
            None,
        ),
        (
            "[[gate]]\ntcp = \"db.example.org:5432\"",
            "watchme.toml:2:7: \"db.example.org:5432\" cannot be used here",
            "expected ADDRESS:PORT or localhost:PORT",
            None,
        ),
        (
            "[[gate]]\nurl = \"http://a/\"\nverify = false",
            "watchme.toml:1:1: only an https url has a certificate",
            "",
            None,
        ),
        (
            "[[gate]]\nurl = \"http://a/\"\nstatus = 99",
            "watchme.toml:3:10: 99 cannot be used here",
            "expected a status from 100 to 599",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\ntimeout = \"0s\"",
            "watchme.toml:1:1: a gate with a timeout of zero never passes",
            "",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\ncontainer = \"a\"",
            "watchme.toml:1:1: a gate needs exactly one of url, tcp, container and unit",
            "",
            None,
        ),
        (
            "[[route]]\nurl = \"http://a/\"",
            "watchme.toml:1:1: the key upstream is missing",
            "",
            None,
        ),
        (
            "soak = 5",
            "watchme.toml:1:8: invalid type: integer `5`",
            "expected a time such as \"90s\"",
            None,
        ),
        (
            "soak = \", expected \"",
            "watchme.toml:1:8: \", expected \" cannot be used here",
            "expected a time such as \"90s\"",
            None,
        ),
        (
            "[budget]\nmemory = 1.5",
            "watchme.toml:2:10: invalid type: floating point `1.5`",
            "expected a size such as \"1800M\"",
            None,
        ),
        (
            "[budget]\nswap = -1",
            "watchme.toml:2:8: -1 cannot be used here",
            "expected a size such as \"1800M\"",
            None,
        ),
        (
            "[check]\nhost = \"off\"",
            "watchme.toml:2:8: invalid type: string \"off\"",
            "expected { level = …, reason = … }",
            None,
        ),
        (
            "[budget]\ncpus = \"2\"",
            "watchme.toml:2:8: invalid type: string \"2\"",
            "expected a number without quotes",
            None,
        ),
        (
            "[gate]\nunit = \"a.service\"",
            "watchme.toml:1:1: invalid type: map",
            "expected a list of tables: write [[gate]]",
            None,
        ),
        (
            "[ports]\nallowed = 8001",
            "watchme.toml:2:11: invalid type: integer `8001`",
            "expected a list, such as [\"8001\"]",
            None,
        ),
        (
            "soak = \"2d\"",
            "watchme.toml:1:8: \"2d\" cannot be used here",
            "expected a time such as \"90s\", \"15m\" or \"1h30m\", at most a day",
            None,
        ),
        (
            "[budget]\ncpus = 0",
            "watchme.toml:2:8: 0.0 cannot be used here",
            "expected a number above 0",
            None,
        ),
        (
            "[check.host]\nlevel = \"off\"\nreason = \" \"",
            "watchme.toml:3:10: \" \" cannot be used here",
            "expected why the rule has this level here",
            None,
        ),
        (
            "[check.host]\nlevel = \"off\"\nreason = \"x\"\npaths = [\"a\", \"/b\"]",
            "watchme.toml:4:15: \"/b\" cannot be used here",
            "expected a path or pattern below the folder of watchme.toml",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\", pin = true}]",
            "watchme.toml:2:11: a pinned member needs an address",
            "",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\"}, {container = \"a\"}]",
            "watchme.toml:2:30: the member a is listed twice",
            "",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\nstatus = 200",
            "watchme.toml:1:1: only a url answers with a status",
            "",
            None,
        ),
        (
            "[unit.\"a.service\"]\non_change = 5",
            "watchme.toml:2:13: 5 cannot be used here",
            "expected text in quotes",
            None,
        ),
        (
            "[unit.\"a.service\"]\non_change = \"stop\"",
            "watchme.toml:2:13: \"stop\" cannot be used here",
            "expected one of `restart`, `reload`, `none`",
            None,
        ),
    ] {
        let error = parse(Path::new(FILE_NAME), source).unwrap_err();
        assert!(error.to_string().starts_with(message), "{source}: {error}");
        assert!(
            error.expected.starts_with(expected),
            "{source}: {:?}",
            error.expected
        );
        assert_eq!(error.help.as_deref(), help, "{source}");
    }
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
