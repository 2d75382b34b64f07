//! `new service` writes all that a service needs into the checkout, and `check` has nothing to say of it.

mod refused;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{CLEAN, Output, Place, STATE};

const SITE: &str = "server {\r\n\tlisten 80;\r\n\tserver_name www.example.com;\r\n\tlocation / {\r\n\t\troot /srv/www;\r\n\t}\r\n\t# The end.\r\n}\r\n";

/// The files of a folder of this repository, in git.
fn copied(folder: &str, to: &str) -> Place {
    fn add(folder: &Path, to: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{to}{}", entry.file_name().to_str().unwrap());
            match entry.path().is_dir() {
                true => add(&entry.path(), &format!("{path}/"), files),
                false => files.push((path, fs::read_to_string(entry.path()).unwrap())),
            }
        }
    }
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    add(&folder, to, &mut files);
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    Place::git(&files)
}

/// The files of the work tree.
fn files(place: &Place) -> BTreeMap<String, String> {
    let repo = git2::Repository::open(place.checkout()).unwrap();
    let mut index = repo.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    let paths = index
        .iter()
        .map(|entry| String::from_utf8(entry.path).unwrap());
    let read = |path: String| {
        let text = fs::read_to_string(place.checkout().join(&path)).unwrap();
        (path, text)
    };
    paths.map(read).collect()
}

/// What differs: each path, with what was put into the file.
fn changed(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut changed = BTreeMap::new();
    for (path, text) in after {
        let old = before.get(path).map_or("", String::as_str);
        if old == text {
            continue;
        }
        // All that was there is there, byte for byte, around what is new.
        let same = |(a, b): &(u8, u8)| a == b;
        let head = old.bytes().zip(text.bytes()).take_while(same).count();
        let (_, tail) = old.split_at(head);
        assert!(text.ends_with(tail), "{path}: {text}");
        changed.insert(path.clone(), text[head..text.len() - tail.len()].to_owned());
    }
    changed
}

fn new(place: &Place, arguments: &[&str]) -> Output {
    place.run(&[&["new", "service"], arguments].concat())
}

/// The findings of `check`, without their lines.
fn findings(place: &Place) -> Vec<String> {
    let checked = place.run(&["check", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    findings
        .map(|one| format!("{} {}", one["rule"], one["message"]))
        .collect()
}

#[test]
fn the_shipped_state_gets_a_service_at_a_free_port() {
    let place = copied("desired-state", "desired-state/");
    let (before, found) = (files(&place), findings(&place));
    let dry = new(
        &place,
        &["media", "--internal-path", "/api/media", "--dry-run"],
    )
    .expect(0)
    .stdout;
    for part in [
        "+    location /media/ {",
        "+++ desired-state/compose/media/docker-compose.yml",
        "nothing is written",
    ] {
        assert!(dry.contains(part), "{part}: {dry}");
    }
    assert_eq!(files(&place), before);

    let said = new(&place, &["media", "--internal-path", "/api/media"])
        .expect(0)
        .stdout;
    for part in [
        "https://api.hey-watch.me/media/ reaches http://localhost:8005/api/media/ of the container media",
        "docker build -t media:1 .",
        "it answers GET /api/media/health on port 8005",
        "sudo watchme-apply plan --worktree",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(findings(&place), found);
    let new_text = changed(&before, &files(&place));
    let paths: Vec<&String> = new_text.keys().collect();
    let [compose, settings, site] = paths.as_slice() else {
        panic!("{paths:?}");
    };
    let compose = &new_text[*compose];
    for part in [
        "\"127.0.0.1:8005:8005\"",
        "restart: unless-stopped",
        "mem_limit: 128m",
        "max-size: 10m",
        "\"watchme-network\":\n    # ",
        "external: true",
        "http://127.0.0.1:8005/api/media/health",
    ] {
        assert!(compose.contains(part), "{part}: {compose}");
    }
    assert_eq!(*site, "desired-state/sites-available/api.hey-watch.me");
    assert_eq!(
        *settings,
        "desired-state/compose/media/watchme-service.toml"
    );
    assert!(
        new_text[*site]
            .contains("location /media/ {\n        proxy_pass http://localhost:8005/api/media/;")
    );
    assert!(new_text[*settings].contains("url = \"https://api.hey-watch.me/media/health\"\nupstream = \"http://localhost:8005/api/media/health\""), "{}", new_text[*settings]);

    // nginx follows the way, and the next service gets the next port.
    let route = place
        .run(&["routes", "explain", "https://api.hey-watch.me/media/x"])
        .expect(0)
        .stdout;
    assert!(
        route.contains("http://localhost:8005/api/media/x"),
        "{route}"
    );
    let said = new(
        &place,
        &[
            "next",
            "--container-port",
            "80",
            "--image",
            "registry.example.com/next:1.2",
        ],
    )
    .expect(0)
    .stdout;
    assert!(said.contains("http://localhost:8006/"), "{said}");
    let text = files(&place)["desired-state/compose/next/docker-compose.yml"].clone();
    for part in [
        "\"127.0.0.1:8006:80\"",
        "PORT: \"80\"",
        "http://127.0.0.1:80/health",
        "image: registry.example.com/next:1.2",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(findings(&place), found);
    // A worker that no site asks.
    new(&place, &["worker", "--no-route"]).expect(0);
    let text = files(&place)["desired-state/compose/worker/docker-compose.yml"].clone();
    assert!(!text.contains("ports:"), "{text}");
    assert_eq!(findings(&place), found);
}

#[test]
fn a_new_state_gets_a_site_with_the_service() {
    let place = Place::plain(&[]);
    let folder = place.checkout();
    place.run(&["init", folder.to_str().unwrap()]).expect(0);
    let before = files(&place);
    let refused = new(&place, &["blog"]).expect(1).stderr;
    for part in [
        "no site here can take a location for blog",
        "--domain blog.example.com",
        "--no-route",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert_eq!(files(&place), before);
    let said = new(&place, &["blog", "--domain", "blog.example.com"])
        .expect(0)
        .stdout;
    assert!(
        said.contains("sudo certbot --nginx -d blog.example.com"),
        "{said}"
    );
    let new_text = changed(&before, &files(&place));
    let site = &new_text["desired-state/sites-available/blog.example.com"];
    assert!(
        site.contains("location / {\n        proxy_pass http://127.0.0.1:8001/;"),
        "{site}"
    );
    assert_eq!(findings(&place), [""; 0]);
    // The server of that name gets the next one.
    let said = new(&place, &["feed", "--domain", "blog.example.com"])
        .expect(0)
        .stdout;
    assert!(
        said.contains("http://blog.example.com/feed/ reaches http://127.0.0.1:8002/"),
        "{said}"
    );
    assert_eq!(findings(&place), [""; 0]);
    // It can be applied.
    place.commit("blog");
    let plan = place.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("unit/stack-blog.service"), "{plan}");
}

#[test]
fn the_example_gets_a_service_in_its_site() {
    let place = copied("examples/minimal", "");
    let before = files(&place);
    new(&place, &["blog"]).expect(0);
    let new_text = changed(&before, &files(&place));
    let site = &new_text["sites-available/hello.example"];
    assert!(
        site.contains("\n    location /blog/ {\n        proxy_pass http://127.0.0.1:8001/;\n"),
        "{site}"
    );
    assert_eq!(findings(&place), [""; 0]);
}

#[test]
fn a_file_keeps_its_indentation_and_its_line_ends() {
    let place = Place::git(&[CLEAN[0], CLEAN[1], ("sites-available/www", SITE)]);
    let before = files(&place);
    new(&place, &["blog"]).expect(0);
    let site = changed(&before, &files(&place))["sites-available/www"].clone();
    assert!(
        site.contains("\tlocation /blog/ {\r\n\t\tproxy_pass http://127.0.0.1:8001/;\r\n"),
        "{site:?}"
    );
    assert!(!site.replace("\r\n", "").contains('\n'), "{site:?}");
}

#[test]
fn what_a_service_says_beside_its_compose_file_counts_like_watchme_toml() {
    let place = Place::git(&[CLEAN[0], ("sites-available/www", SITE)]);
    new(&place, &["blog"]).expect(0);
    assert_eq!(findings(&place), [""; 0]);
    let file = "compose/blog/watchme-service.toml";
    let text = files(&place)[file].clone();
    // What is wrong is said at its place.
    let wrong = text.replace("8001/health", "8009/health");
    place.write(&[(file, &wrong)]);
    let checked = place.run(&["check"]).expect(2).stdout;
    assert!(
        checked.contains("compose/blog/watchme-service.toml:3"),
        "{checked}"
    );
    place.write(&[(file, &format!("{text}soak = \"1m\"\n"))]);
    let checked = place.run(&["check"]).expect(2).stdout;
    assert!(
        checked.contains("unknown key \"soak\"") && checked.contains(file),
        "{checked}"
    );
    // The same in two files names both.
    place.write(&[
        (file, &text),
        ("watchme.toml", &format!("{}\n{text}", CLEAN[0].1)),
    ]);
    let refused = place.run(&["plan", "--worktree"]).expect(1).stderr;
    for part in [
        "the route of http://www.example.com/blog/health is in two files",
        "watchme.toml:4 also has it",
        file,
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    place.write(&[CLEAN[0]]);
    place.commit("blog");
    place.run(&["plan"]).expect(0);
    // A host has a file of its own in its place.
    let own = "hosts/staging/compose/blog/watchme-service.toml";
    place.write(&[(own, "gate = 1\n")]);
    place.commit("staging");
    let refused = place.run(&["plan", "--host", "staging"]).expect(1).stderr;
    assert!(
        refused.contains(&format!("{own}:1:8")) && refused.contains("expected a list"),
        "{refused}"
    );
    place.run(&["plan"]).expect(0);
    place.write(&[(own, "[[gate]]\ncontainer = \"blog\"\n")]);
    place.commit("staging has a gate");
    place.run(&["plan", "--host", "staging"]).expect(0);
}

/// A list in watchme.toml of a host replaces the one of all hosts, and leaves what the files beside the compose files say.
#[test]
fn a_list_of_a_host_leaves_those_of_services() {
    let route = |path: &str| {
        format!(
            "[[route]]\nurl = \"http://www.example.com/{path}/\"\nupstream = \"http://localhost:8001/{path}/\"\n"
        )
    };
    let (shared, own, service) = (route("shared"), route("own"), route("service"));
    let place = Place::git(&[
        CLEAN[0],
        CLEAN[1],
        ("watchme.toml", &shared),
        ("hosts/staging/watchme.toml", &own),
        (
            "compose/blog/compose.yaml",
            "services: {blog: {image: 'blog:1'}}\n",
        ),
        ("compose/blog/watchme-service.toml", &service),
        ("sites-available/www", SITE),
    ]);
    // Without a name, all hosts are checked.
    for (host, parts, not) in [
        (
            &[][..],
            ["/shared/", "/service/"],
            "on the host staging: http://www.example.com/shared/",
        ),
        (
            &["--host", "staging"],
            ["/own/", "/service/"],
            "http://www.example.com/shared/",
        ),
    ] {
        let checked = place.run(&[&["check"], host].concat()).shown();
        for part in parts {
            let part = format!("http://www.example.com{part} reaches no upstream");
            assert!(checked.contains(&part), "{part}: {checked}");
        }
        assert!(!checked.contains(not), "{not}: {checked}");
    }
}
