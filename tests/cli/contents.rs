//! Contents arrive byte by byte, and a diff tells what changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, STATE, shows};

fn applied() -> Place {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    place
}

/// Removed and added lines of a plan must differ to the eye.
#[track_caller]
fn tells_apart(plan: &str) {
    let lines = |sign: char| -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut before = false;
        for line in plan.lines().map(str::trim_start) {
            // What stands below a line, such as the lack of a line end, belongs to it.
            if let (true, Some(last), true) = (line.starts_with('\\'), found.last_mut(), before) {
                last.push_str(line);
            }
            before = line.starts_with(sign) && !line.starts_with("---") && !line.starts_with("+++");
            if before {
                found.push(line[1..].to_owned());
            }
        }
        found
    };
    let (old, new) = (lines('-'), lines('+'));
    assert!(!old.is_empty() || !new.is_empty(), "no diff in\n{plan}");
    assert_ne!(old, new, "nobody sees what changed in\n{plan}");
}

#[test]
fn line_ends_that_changed_are_shown() {
    let site = STATE[1].1;
    for content in [site.trim_end().to_owned(), site.replace('\n', "\r\n")] {
        let place = applied();
        place.write(&[("sites-available/api.example.com", &content)]);
        place.commit("Another line end");
        tells_apart(&place.run(&["plan"]).expect(0).stdout);
        place.run(&["apply"]).expect(0);
        assert_eq!(
            place.read_host("/etc/nginx/sites-enabled/api.example.com"),
            content
        );
    }
}

#[test]
fn a_mode_that_changed_is_told() {
    let place = Place::git(STATE);
    let script = place.checkout().join("scripts/hello.sh");
    let unit = STATE[2]
        .1
        .replace("/usr/bin/sleep infinity", script.to_str().unwrap());
    place.write(&[
        ("scripts/hello.sh", "#!/bin/sh\nsleep 60\n"),
        ("systemd/hello.service", &unit),
    ]);
    place.commit("A script");
    place.run(&["apply"]).expect(0);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    place.commit("It can be run");
    let plan = place.run(&["plan", "--detailed-exitcode"]).expect(2);
    place.run(&["apply"]).expect(0);
    let live = place.on_host("etc/watchme-apply/live/files/scripts/hello.sh");
    assert_eq!(
        fs::metadata(live).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert!(plan.stdout.contains("executable"), "{}", plan.shown());
}

/// nginx takes any bytes in a comment; old comments are EUC-JP now and then.
#[test]
fn files_that_are_not_utf8_are_kept_byte_by_byte() {
    let place = applied();
    let path = place.checkout().join("sites-available/api.example.com");
    let mut content = b"# \xb2\xbb\xc0\xbc\n".to_vec();
    content.extend_from_slice(STATE[1].1.as_bytes());
    fs::write(&path, &content).unwrap();
    place.commit("A comment");
    place.run(&["apply"]).expect(0);
    let live = place.on_host("etc/watchme-apply/live/sites-available/api.example.com");
    assert_eq!(fs::read(live).unwrap(), content);
    place.run(&["drift"]).expect(0);
    let text = String::from_utf8_lossy(&content).replace("8001", "8002");
    let changed: Vec<u8> = [&content[..7], text.split_once('\n').unwrap().1.as_bytes()].concat();
    fs::write(&path, changed).unwrap();
    place.commit("Another port");
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("8002") || plan.stdout.contains("UTF-8"),
        "{}",
        plan.shown()
    );
}

#[test]
fn an_empty_file_is_a_file() {
    let place = applied();
    place.write(&[("etc/logrotate.d/hello", ""), ("sites-available/empty", "")]);
    place.commit("Empty");
    let apply = place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), "");
    assert_eq!(place.read_host("/etc/nginx/sites-enabled/empty"), "");
    shows!("an_empty_file", apply.shown());
}

/// Copies of editors and people beside a resource are no resources, and stay where they are.
#[test]
fn copies_beside_a_resource_are_left_alone() {
    let place = applied();
    let copies = [
        "api.example.com.backup.20250101_000000",
        "api.example.com.bak",
        "api.example.com~",
        ".api.example.com.swp",
    ];
    for copy in copies {
        place.write(&[(&format!("sites-available/{copy}"), "server {")]);
        place.write_host(&format!("etc/nginx/sites-available/{copy}"), "server {");
    }
    place.commit("Copies");
    let again = place.run(&["apply"]).expect(0);
    assert!(again.stdout.starts_with("in sync"), "{}", again.shown());
    for copy in copies {
        assert!(
            place
                .on_host(&format!("etc/nginx/sites-available/{copy}"))
                .exists(),
            "{copy}"
        );
        assert!(
            !place
                .on_host(&format!("etc/nginx/sites-enabled/{copy}"))
                .exists(),
            "{copy}"
        );
    }
}

/// What others may not read below /etc they may not read in the store or in a generation either.
#[test]
fn a_private_file_is_private_everywhere() {
    let place = Place::git(&[
        ("etc/app/secret.conf", "x\n"),
        ("etc/app/open.conf", "y\n"),
        (
            "watchme.toml",
            "[etc.\"app/secret.conf\"]\nmode = \"0600\"\n",
        ),
    ]);
    place.run(&["apply"]).expect(0);
    for folder in [
        "/etc",
        "/etc/watchme-apply/live/etc",
        "/etc/watchme-apply/generations/1/tree/etc",
    ] {
        let mode = |name: &str| {
            let path = place.on_host(&format!("{folder}/app/{name}"));
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode("secret.conf"), 0o600, "{folder}");
        assert_eq!(mode("open.conf"), 0o644, "{folder}");
    }
    let again = place.run(&["apply"]).expect(0);
    assert!(again.stdout.contains("in sync"), "{}", again.stdout);
}
