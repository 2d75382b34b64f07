//! How long `check` takes for a checkout that is larger than any real one, and for one in which more is wrong.

mod shapes;

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::support::{PROGRAM, Place};

const CHECKOUT: &str = "/home/ubuntu/watchme-server-configs";
/// Routes of each site beside `/` and the one for certificates.
const ROUTES: usize = 12;

/// So many sites, units and compose files, of which no rule has anything to say. With `KEEP_CHECKOUT=FOLDER` they are
/// written there too, to measure another build of the program with.
fn checkout(count: usize) -> Place {
    let mut files = vec![
        ("watchme.toml".to_owned(), policy()),
        ("docker-compose.infra.yml".to_owned(), infra()),
        (
            "systemd/infrastructure.service".to_owned(),
            unit(
                "docker-compose.infra.yml",
                "up -d",
                "Type=oneshot\nRemainAfterExit=yes",
                "",
            ),
        ),
    ];
    for number in 0..count {
        files.push((
            format!("sites-available/s{number}.example.com"),
            site(number, count),
        ));
        let path = format!("compose/service-{number}/docker-compose.yml");
        files.push((
            format!("systemd/service-{number}.service"),
            unit(
                &path,
                "up",
                "Restart=always\nRestartSec=10",
                "infrastructure.service",
            ),
        ));
        files.push((path, compose(number)));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    if let Some(folder) = std::env::var_os("KEEP_CHECKOUT") {
        for (path, text) in &files {
            let path = std::path::Path::new(&folder)
                .join(count.to_string())
                .join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    Place::git(&files)
}

fn policy() -> String {
    let ports = "[ports]\nallowed = [\"10000-19999\"]\n";
    format!(
        "checkout = \"{CHECKOUT}\"\n{ports}\n[network.shared]\nowner = \"infrastructure.service\"\n"
    )
}

fn infra() -> String {
    "services:
  network-holder:
    image: busybox:1.36.1
    command: [\"true\"]
    restart: \"no\"
    mem_limit: 16m
    logging: {driver: json-file, options: {max-size: 1m, max-file: \"1\"}}
    networks: [shared]

networks:
  shared:
    name: shared
    driver: bridge
    ipam:
      config:
        - subnet: 172.27.0.0/16
          gateway: 172.27.0.1
"
    .to_owned()
}

fn unit(file: &str, up: &str, service: &str, infra: &str) -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/{file}");
    let stop = match infra {
        "" => String::new(),
        _ => format!("ExecStop={compose} down\n"),
    };
    format!(
        "[Unit]\nDescription=Runs {file}\nAfter=docker.service {infra}\nRequires=docker.service {infra}\n\n\
         [Service]\nTimeoutStartSec=0\nExecStartPre=-{compose} pull -q\nExecStart={compose} {up}\n{stop}{service}\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

fn compose(number: usize) -> String {
    let port = 10_000 + number;
    format!(
        "# Service {number}. Settings come from .env in this folder.
services:
  api:
    image: registry.example.com/service-{number}:1.{number}.0
    container_name: service-{number}
    environment:
      PORT: \"8000\"
      DATABASE_URL: ${{DATABASE_URL:-}}
      STORAGE_BUCKET: ${{STORAGE_BUCKET:-bucket}}
    ports:
      - \"127.0.0.1:{port}:8000\"
    mem_limit: 192m
    healthcheck:
      test: [\"CMD\", \"wget\", \"-q\", \"-O\", \"/dev/null\", \"http://127.0.0.1:8000/health\"]
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 30s
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: \"3\"
    networks:
      - shared

networks:
  shared:
    external: true
"
    )
}

fn site(number: usize, count: usize) -> String {
    let name = format!("s{number}.example.com");
    let mut text = format!(
        "# Site {number}
server {{
    listen 80;
    server_name {name};

    location ^~ /.well-known/acme-challenge/ {{
        root /var/www/html;
        default_type text/plain;
    }}

    location / {{
        return 301 https://$server_name$request_uri;
    }}
}}

server {{
    listen 443 ssl;
    server_name {name};

    ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;
    ssl_protocols TLSv1.2 TLSv1.3;

    location / {{
        return 404;
    }}
"
    );
    for route in 0..ROUTES {
        let port = 10_000 + (number + route) % count;
        text.push_str(&format!(
            "
    # Service behind {port}
    location /service-{route}/ {{
        proxy_pass http://localhost:{port}/;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 300s;
    }}
"
        ));
    }
    text.push_str("}\n");
    text
}

/// The processor time of a `check` that exits with 0. What else the machine does counts little in it.
fn time(place: &Place, arguments: &[&str]) -> Duration {
    time_of(place, "check", arguments)
}

/// The same of another command.
fn time_of(place: &Place, command: &str, arguments: &[&str]) -> Duration {
    let mut check = Command::new(PROGRAM)
        .arg(command)
        .args(arguments)
        .current_dir(place.checkout())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(check.id().try_into().unwrap());
    // It stays for its times to be read.
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(check.wait().unwrap().success(), "{command} failed");
    // proc(5): utime and stime are fields 14 and 15, of which the second, the name, may have blanks.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|time| time.parse::<u64>().unwrap())
        .sum();
    let second = sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
    Duration::from_millis(ticks * 1000 / u64::try_from(second).unwrap())
}

/// The promise is 300 ms of the release binary, which docs/decisions/measures.md has measured. What holds of any build on any machine:
/// ten times the files take about ten times as long, and not the hundred times of something that compares all with all.
#[test]
fn a_check_of_a_thousand_sites_and_units_is_quick() {
    let time = |count| time(&checkout(count), &["--deny", "warnings"]);
    let (few, many) = (time(100), time(1000));
    assert!(many < few * 25, "100: {few:?}, 1000: {many:?}");
    assert!(many < Duration::from_secs(30), "{many:?}");
}

/// One site in which so many locations pass requests on without the headers that a service needs.
fn site_with_findings(count: usize) -> String {
    let location = |number| {
        format!("    location /service-{number:04}/ {{ proxy_pass http://127.0.0.1:8001/; }}\n")
    };
    let locations: String = (0..count).map(location).collect();
    format!("server {{\n    listen 80;\n    server_name a.example.com;\n{locations}}}\n")
}

/// One compose file of so many services, each with something to say about.
fn services_with_findings(count: usize) -> String {
    let service = |number| {
        let port = 10_000 + number;
        format!("  s{number}:\n    image: a{number}:latest\n    ports: ['127.0.0.1:{port}:80']\n")
    };
    let services: String = (0..count).map(service).collect();
    format!("services:\n{services}")
}

/// A unit with so many variables, and as many commands that use one.
fn unit_of_variables(count: usize) -> String {
    let line =
        |number| format!("Environment=V{number}={number}\nExecStartPre=/bin/echo ${{V{number}}}\n");
    let lines: String = (0..count).map(line).collect();
    format!("[Service]\n{lines}ExecStart=/bin/sleep 1\n")
}

/// The release binary takes less than 0.3 s for 4,000 findings in a file of 0.3 MiB, docs/decisions/measures.md. Of any build, ten
/// times as many findings take about ten times as long.
#[test]
fn time_is_linear_in_findings() {
    for (path, text, count) in [
        (
            "sites-available/a.example.com",
            site_with_findings as fn(usize) -> String,
            4000,
        ),
        ("docker-compose.infra.yml", services_with_findings, 1500),
        ("systemd/a.service", unit_of_variables, 4000),
    ] {
        for format in ["text", "json"] {
            let time = |count| {
                let place = Place::git(&[(path, &text(count))]);
                time(&place, &["--deny", "nothing", "--format", format])
            };
            let (few, many) = (time(count / 10), time(count));
            let most = few.max(Duration::from_millis(50)) * 25;
            assert!(many < most, "{path} {format}: {few:?}, ten times: {many:?}");
        }
    }
}

/// One server with so many locations.
fn server_of_locations(count: usize) -> String {
    let location = |number| {
        format!("    location /p{number} {{ proxy_pass http://127.0.0.1:8001; add_header X a; }}\n")
    };
    let locations: String = (0..count).map(location).collect();
    format!("server {{\n    listen 80;\n    server_name a.example.com;\n{locations}}}\n")
}

/// So many servers, each with a name of its own.
fn servers(count: usize) -> String {
    let server = |number| {
        let name = match number % 3 {
            0 => format!("h{number}.example.com"),
            1 => format!("*.h{number}.example.com"),
            _ => format!("h{number}.*"),
        };
        format!(
            "server {{ listen 80; server_name {name}; location / {{ proxy_pass http://127.0.0.1:8001; }} }}\n"
        )
    };
    (0..count).map(server).collect()
}

/// What is asked of the release binary is 1 s for the worst file of 1 MiB. Here: ten times as many routes take about
/// ten times as long.
#[test]
fn time_is_linear_in_routes() {
    for text in [server_of_locations as fn(usize) -> String, servers] {
        for arguments in [&[][..], &["--json"]] {
            let time = |count| {
                let place = Place::git(&[("sites-available/a.example.com", &text(count))]);
                time_of(&place, "routes", arguments)
            };
            let (few, many) = (time(600), time(6000));
            let most = few.max(Duration::from_millis(50)) * 25;
            assert!(many < most, "{arguments:?}: {few:?}, ten times: {many:?}");
        }
    }
}
