//! The pictures of `docs/images/`: what a terminal shows on a real host, as SVG. `UPDATE_PICTURES=1 tests/run pictures` takes them
//! anew; without it, the test compares what the commands print now with what the pictures show.

use std::fs;
use std::path::Path;

use anstyle_svg::Term;

use crate::support::{CHECKOUT, Host, Service, desired};

const SITE: &str = "server {
    listen 80;
    server_name shop.example.com;

    location / {
        proxy_pass http://127.0.0.1:8001;
    }
}
";
const COMPOSE: &str = "services:
  shop:
    image: shop:1
    restart: unless-stopped
    mem_limit: 128m
    ports: ['127.0.0.1:8001:8000']
    logging: {driver: local}
";
const TOML: &str = "absent = [\"sites-enabled/default\"]

[[gate]]
url = \"http://shop.example.com/\"
";
/// Columns of the terminal.
const COLUMNS: u16 = 110;

/// What a terminal shows of a command that a person types in the checkout, with its colours.
fn shown(host: &Host, command: &str) -> String {
    // script(1) makes the terminal; it says nothing about its own start and end with -q.
    let typed = format!(
        "cd {CHECKOUT}; export TERM=xterm-256color; script -qc 'stty -echo cols {COLUMNS} rows 50; {command}' /dev/null </dev/null || true"
    );
    let printed = host.sh_as("ubuntu", &typed);
    let lines: Vec<_> = printed.lines().map(left_of_a_line).collect();
    let shown = lines.join("\n");
    format!("\u{1b}[1m$ {command}\u{1b}[0m\n{}\n", shown.trim_end())
}

/// What is left on the terminal of a line whose progress was overwritten: what follows the last return of the carriage.
fn left_of_a_line(printed: &str) -> String {
    let ended = printed.trim_end_matches('\r');
    let left = ended.rsplit('\r').next().unwrap_or_default();
    left.replace("\u{1b}[K", "").replace("\u{1b}[2K", "")
}

/// Without what differs from run to run: ids of commits, durations, ids of processes, and the time of day.
fn constant(picture: &str) -> String {
    let changing = regex_lite::Regex::new(
        r"\b([0-9a-f]{12}|\d{8}_\d{6}|\d+\.\d+ ?s|\d+ ?ms|\d\d:\d\d:\d\d)\b",
    )
    .expect("an expression");
    changing.replace_all(picture, "…").into_owned()
}

struct Album<'a> {
    host: &'a Host,
    stale: Vec<&'static str>,
}

impl Album<'_> {
    fn take(&mut self, name: &'static str, commands: &[&str]) -> String {
        let shown: Vec<_> = commands.iter().map(|one| shown(self.host, one)).collect();
        let shown = shown.join("\n");
        let svg = Term::new().render_svg(&shown);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/images/{name}.svg"));
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("docs/images");
            fs::write(&path, &svg).expect("a picture");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if constant(&kept) != constant(&svg) {
            self.stale.push(name);
        }
        shown
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn the_pictures_of_the_documents_are_what_a_terminal_shows() {
    let host = Host::boot_debian(crate::support::Debian::Thirteen);
    host.load_service_images(&["shop:1", "shop:2"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    }));
    host.checkout(&[
        (&desired("watchme.toml"), TOML),
        (&desired("sites-available/shop.example.com"), SITE),
        (&desired("compose/shop/compose.yaml"), COMPOSE),
    ]);
    // The legend is shown once.
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; sudo watchme-apply --yes"),
    );
    shown(&host, "sudo watchme-apply plan");
    let mut album = Album {
        host: &host,
        stale: Vec::new(),
    };

    let larger = SITE.replace(
        "    location",
        "    client_max_body_size 20M;\n\n    location",
    );
    let second = COMPOSE.replace("shop:1", "shop:2");
    let site = desired("sites-available/shop.example.com");
    let compose = desired("compose/shop/compose.yaml");
    host.commit(
        &[(&site, Some(&larger)), (&compose, Some(&second))],
        "Shop 2, uploads up to 20 MB",
    );
    let plan = album.take("plan", &["sudo watchme-apply plan"]);
    assert!(plan.contains("client_max_body_size 20M"), "{plan}");
    host.apply(&["--yes"]).expect(0);

    let hanging = second.replace("shop:2", "shop:2\n    command: [sleep, '100000']");
    host.commit(&[(&compose, Some(&hanging))], "Shop 3");
    let curl = "curl -s -H \"Host: shop.example.com\" localhost";
    let rolled_back = album.take("rolled-back", &["sudo watchme-apply", curl]);
    assert!(rolled_back.contains("rolled back"), "{rolled_back}");
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git reset -q --hard HEAD^"),
    );

    let misspelled = larger.replace("proxy_pass", "proxy_pas");
    host.commit(&[(&site, Some(&misspelled))], "A typing mistake");
    let checked = album.take("check", &["watchme-apply check"]);
    assert!(checked.contains("proxy_pass"), "{checked}");
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; git reset -q --hard HEAD^"),
    );

    host.sh("echo '# a change by hand' >>/etc/watchme-apply/live/sites-available/shop.example.com");
    let drift = album.take(
        "drift",
        &["sudo watchme-apply drift", "sudo watchme-apply drift --fix"],
    );
    assert!(drift.contains("a change by hand"), "{drift}");

    host.sh("docker stop -t 0 $(docker ps -q)");
    let doctor = album.take(
        "doctor",
        &["sudo watchme-apply doctor http://shop.example.com/"],
    );
    assert!(doctor.contains("exited (137)"), "{doctor}");
    assert!(
        album.stale.is_empty(),
        "UPDATE_PICTURES=1 tests/run pictures: {:?} do not show what is printed now",
        album.stale
    );
}
