//! Checkouts of every layout that people have: as a host has its files, with one kind of file alone, and with files where
//! nobody looks for them.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{CLEAN, Place, shows};

const SITE: &str =
    "server {\n    listen 80;\n    server_name api.example.com;\n    return 404;\n}\n";
const UNIT: &str =
    "[Service]\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n";
const STACK: &str =
    "services:\n  web:\n    image: registry.example.com/web:1\n    restart: unless-stopped\n";

/// Rules and paths of what `check` finds.
fn found(place: &Place, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["check", "--format", "json", "--deny", "nothing"];
    all.extend(arguments);
    let json = place.run_here(&all).expect(0).json();
    let findings = json["findings"].as_array().unwrap().iter();
    let line = |finding: &serde_json::Value| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        format!(
            "{} {}",
            text(&finding["rule"]),
            text(&finding["place"]["path"])
        )
    };
    findings.map(line).collect()
}

/// Sites, units and files for /etc as a host has them, with the links that systemctl and people make.
fn like_a_host() -> Place {
    let place = Place::git(&[
        ("etc/nginx/sites-available/api", SITE),
        (
            "etc/nginx/sites-available/old",
            &SITE.replace("api.", "old."),
        ),
        (
            "etc/nginx/sites-enabled/direct",
            &SITE.replace("api.", "direct."),
        ),
        (
            "etc/nginx/conf.d/map.conf",
            "map $uri $mode { default a; }\n",
        ),
        ("etc/systemd/system/api.service", UNIT),
        (
            "etc/systemd/system/api.service.d/limits.conf",
            "[Service]\nMemoryMax=64M\n",
        ),
        (
            "etc/systemd/journald.conf",
            "[Journal]\nSystemMaxUse=200M\n",
        ),
    ]);
    let etc = place.checkout().join("etc");
    let link = |target: &str, path: &str| {
        fs::create_dir_all(etc.join(path).parent().unwrap()).unwrap();
        symlink(target, etc.join(path)).unwrap();
    };
    link("../sites-available/api", "nginx/sites-enabled/api");
    link(
        "/etc/systemd/system/api.service",
        "systemd/system/multi-user.target.wants/api.service",
    );
    link(
        "/lib/systemd/system/ssh.service",
        "systemd/system/sshd.service",
    );
    link("/dev/null", "systemd/system/snapd.service");
    place.commit("As it is");
    place
}

#[test]
fn a_checkout_that_is_shaped_like_a_host_is_read_as_it_is() {
    let place = like_a_host();
    assert_eq!(found(&place, &[]), [""; 0]);
    place.run(&["apply"]).expect(0);
    let linked = |path: &str| place.target(path).is_some();
    for path in [
        "/etc/nginx/sites-enabled/api",
        "/etc/nginx/sites-enabled/direct",
        "/etc/nginx/sites-available/old",
        "/etc/nginx/conf.d/map.conf",
        "/etc/systemd/system/api.service",
        "/etc/systemd/system/api.service.d/limits.conf",
        "/etc/systemd/system/multi-user.target.wants/api.service",
    ] {
        assert!(linked(path), "{path}");
    }
    // It is not in the folder of enabled sites.
    assert!(!linked("/etc/nginx/sites-enabled/old"));
    assert!(!place.on_host("/etc/systemd/system/snapd.service").exists());
    assert!(
        place
            .read_host("/etc/systemd/journald.conf")
            .contains("200M")
    );
    let again = place.run(&["plan"]).expect(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.shown());
    // What is wrong there is found there.
    place.write(&[("etc/nginx/sites-available/api", "server { listne 80; }\n")]);
    assert_eq!(
        found(&place, &[]),
        ["nginx-unknown-directive etc/nginx/sites-available/api"]
    );
}

#[test]
fn one_kind_of_file_is_a_desired_state() {
    let compose = Place::git(&[("compose/web/docker-compose.yml", STACK)]);
    let all = found(&compose, &[]);
    assert!(
        all.iter()
            .all(|line| line.ends_with("compose/web/docker-compose.yml")),
        "{all:?}"
    );
    compose.write(&[("compose/web/docker-compose.yml", "services:\n  web: {}\n")]);
    assert!(
        found(&compose, &[])
            .contains(&"compose-no-image compose/web/docker-compose.yml".to_owned())
    );

    let etc = Place::git(&[("etc/logrotate.d/api", "/var/log/api.log {\n    weekly\n}\n")]);
    etc.run_here(&["check"]).expect(0);
    etc.run(&["apply"]).expect(0);
    assert!(etc.read_host("/etc/logrotate.d/api").contains("weekly"));

    // Any repository that has compose files, but an apply needs what it would apply.
    let repository = Place::git(&[("deploy/docker-compose.yml", "services:\n  web: {}\n")]);
    assert!(
        found(&repository, &[]).contains(&"compose-no-image deploy/docker-compose.yml".to_owned())
    );
    let refused = repository.run(&["apply"]).expect(1);
    assert!(
        refused.stderr.contains("contains no desired state"),
        "{}",
        refused.shown()
    );
}

#[test]
fn compose_files_by_other_names_count_where_they_are() {
    let place = Place::git(&[
        (
            "traefik.docker-compose.yml",
            "services:\n  a: {image: \"a:1\", imgae: x}\n",
        ),
        (
            "compose/web.yml",
            "services:\n  b: {image: \"b:1\", imgae: x}\n",
        ),
        ("compose/values.yml", "colour: red\n"),
        (
            "compose/web.dev.yml",
            "services:\n  c: {image: \"c:1\", imgae: x}\n",
        ),
        ("other.yml", "services:\n  d: {image: \"d:1\", imgae: x}\n"),
    ]);
    let all = found(&place, &[]);
    let wrong = |path: &str| all.contains(&format!("compose-unknown-key {path}"));
    assert!(
        wrong("traefik.docker-compose.yml") && wrong("compose/web.yml"),
        "{all:?}"
    );
    assert!(
        !wrong("compose/web.dev.yml") && !wrong("other.yml"),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|line| line.contains("values.yml")),
        "{all:?}"
    );
}

#[test]
fn what_nobody_reads_is_reported_with_the_key_that_helps() {
    let nested = Place::git(&[
        ("systemd/system/a.service", UNIT),
        ("systemd/system/multi-user.target.wants/a.service", UNIT),
        ("nginx/nginx.conf", "events {}\n"),
    ]);
    assert_eq!(
        found(&nested, &[]),
        ["input-not-read nginx", "input-not-read systemd/system"]
    );
    let place = Place::git(CLEAN);
    place.write(&[
        ("site-available/b", SITE),
        ("deploy/systemd/worker.service", UNIT),
        ("deploy/systemd/worker.timer", "[Timer]\nOnCalendar=daily\n"),
        ("nginx/sites-available/a", SITE),
        ("nginx/sites-available/b", &SITE.replace("api.", "b.")),
        ("node_modules/x/systemd/a.service", UNIT),
        ("systemd/journald.conf", "[Journal]\nSystemMaxUse=200M\n"),
    ]);
    fs::rename(
        place.checkout().join("sites-available"),
        place.checkout().join("gone"),
    )
    .unwrap();
    shows!("unread", place.run_here(&["check"]).expect(0).shown());

    // Nothing at all that is read: the keys are the answer.
    let place = Place::git(&[
        ("deploy/units/worker.service", UNIT),
        ("nginx/sites-available/a", SITE),
    ]);
    let refused = place.run(&["plan"]).expect(1);
    let hint = "write a watchme.toml there that names the folders: [folders] sites = \"nginx/sites-available\", units = \"deploy/units\"";
    assert!(refused.stderr.contains(hint), "{}", refused.shown());
    place.write(&[(
        "watchme.toml",
        "[folders]\nsites = \"nginx/sites-available\"\nunits = \"deploy/units\"\n",
    )]);
    assert_eq!(found(&place, &[]), [""; 0]);
}

#[test]
fn a_site_of_apache_is_one_finding() {
    let place = Place::git(CLEAN);
    place.write(&[(
        "sites-available/000-default.conf",
        "# The default.\n<VirtualHost *:80>\n    ServerAdmin webmaster@localhost\n    DocumentRoot /var/www/html\n</VirtualHost>\n",
    )]);
    shows!("apache", place.run_here(&["check"]).expect(2).shown());
    let other = "<VirtualHost *:80>\n    ServerName b.example.com\n</VirtualHost>\n";
    place.write(&[
        ("sites-available/b.conf", other),
        ("sites-available/c.conf", other),
    ]);
    shows!(
        "apache-folder",
        place.run_here(&["check"]).expect(2).shown()
    );
    let named = place
        .run_here(&["check", "sites-available/c.conf"])
        .expect(2);
    assert!(
        named.stdout.contains("sites-available/c.conf:1:1"),
        "{}",
        named.shown()
    );
}

#[test]
fn single_files_are_checked() {
    let place = Place::git(CLEAN);
    let broken = "server {\n    listne 80;\n}\n";
    place.write(&[
        ("sites-available/broken", broken),
        ("sites-available/other", broken),
        ("elsewhere/broken.conf", broken),
        ("elsewhere/a.service", "[Service]\nExecStrat=/bin/true\n"),
        ("elsewhere/stack.yml", "services:\n  web: {}\n"),
        ("elsewhere/nginx/conf.d/a.conf", broken),
    ]);
    let of = |paths: &[&str]| found(&place, paths);
    assert_eq!(
        of(&["sites-available/broken"]),
        ["nginx-unknown-directive sites-available/broken"]
    );
    assert_eq!(of(&["systemd/hello.service"]), [""; 0]);
    let of_folder = of(&["sites-available"]);
    let unknown = of_folder
        .iter()
        .filter(|line| line.contains("unknown-directive"));
    assert_eq!(unknown.count(), 2, "{of_folder:?}");
    // Outside the desired state, alone.
    assert_eq!(
        of(&["elsewhere/broken.conf"]),
        ["nginx-unknown-directive elsewhere/broken.conf"]
    );
    assert!(
        of(&["elsewhere/a.service"])
            .iter()
            .any(|line| line == "systemd-unknown-key elsewhere/a.service")
    );
    assert!(
        of(&["elsewhere/stack.yml"])
            .iter()
            .any(|line| line == "compose-no-image elsewhere/stack.yml")
    );
    assert_eq!(
        of(&["elsewhere/nginx/conf.d/a.conf"]),
        ["nginx-unknown-directive elsewhere/nginx/conf.d/a.conf"]
    );
    let outside = place.beside("outside.service");
    fs::write(&outside, "[Service]\nExecStart=/bin/true\nRestrat=always\n").unwrap();
    let of_outside = of(&[outside.to_str().unwrap()]);
    assert!(
        of_outside[0].starts_with("systemd-unknown-key "),
        "{of_outside:?}"
    );
    place
        .run_here(&["check", "sites-available/broken"])
        .expect(2);
    // In a repository that has none, too.
    let bare = Place::git(&[("nginx/conf.d/a.conf", broken), ("a.service", UNIT)]);
    let of_bare = found(&bare, &["nginx/conf.d/a.conf", "a.service"]);
    assert_eq!(of_bare, ["nginx-unknown-directive nginx/conf.d/a.conf"]);
    // Another folder is a desired state of its own.
    let other = like_a_host();
    let folder = other.checkout();
    let folder = folder.to_str().unwrap();
    assert_eq!(of(&[folder]), [""; 0]);
    other.write(&[("etc/nginx/sites-available/api", broken)]);
    assert_eq!(
        of(&[folder]),
        ["nginx-unknown-directive etc/nginx/sites-available/api"]
    );
    let gone = place
        .run_here(&["check", "sites-available/gone"])
        .expect(64);
    assert!(
        gone.stderr.contains("cannot check sites-available/gone"),
        "{}",
        gone.shown()
    );
    assert!(gone.stderr.contains("No such file"), "{}", gone.shown());
}

#[test]
fn the_root_folder_of_a_host_is_no_desired_state() {
    let place = Place::git(CLEAN);
    let said = place.run_with(&["plan"], |command| {
        command.current_dir("/");
    });
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("no desired state here"),
        "{}",
        said.shown()
    );
}

#[test]
fn compose_files_include_others() {
    let main = "include:
  - ../database/base.yml
  - path: [cache.yml]
    project_directory: ../cache
    env_file: cache.env
services:
  web:
    image: registry.example.com/web:1
    depends_on: [db, cache]
";
    let place = Place::git(&[
        ("apps/web/compose.yml", main),
        (
            "apps/database/base.yml",
            "services:\n  db: {image: 'postgres:16', imgae: x}\n",
        ),
        (
            "apps/web/cache.yml",
            "services:\n  cache: {image: 'redis:${TAG}'}\n",
        ),
        ("apps/web/cache.env", "TAG=7\n"),
    ]);
    let all = found(&place, &[]);
    // What depends on a service of another file is right, and that file is checked, whatever its name is.
    assert!(
        !all.iter()
            .any(|line| line.starts_with("compose-service-unknown")),
        "{all:?}"
    );
    assert!(
        all.contains(&"compose-unknown-key apps/database/base.yml".to_owned()),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|line| line.starts_with("syntax")),
        "{all:?}"
    );

    place.write(&[(
        "apps/database/base.yml",
        "include: [../web/compose.yml]\nservices:\n  db: {image: 'postgres:16'}\n",
    )]);
    let said = place.run_here(&["check", "apps/web/compose.yml"]).shown();
    let whole = place.run_here(&["check"]).expect(2).shown();
    let circle = "these files include each other: compose.yml → base.yml → compose.yml";
    assert!(whole.contains(circle), "{whole}\n{said}");
    assert!(whole.contains("apps/database/base.yml:1:11"), "{whole}");
    // One that leads out of the checkout is not read.
    place.write(&[(
        "apps/database/base.yml",
        "include: [/etc/passwd, ../../../../etc/passwd]\n",
    )]);
    let outside = place
        .run_here(&["check", "--deny", "nothing"])
        .expect(0)
        .shown();
    assert!(!outside.contains("root:"), "{outside}");
}
