//! What is refused, and what is written of it: nothing.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn what_cannot_be_written_is_refused_and_nothing_is() {
    let taken = (
        "compose/db/compose.yaml",
        "services:\n  postgres:\n    image: postgres:16\n    container_name: main\n    restart: unless-stopped\n    ports: ['127.0.0.1:8001:80']\n    mem_limit: 64m\n    healthcheck: {test: 'true'}\n    logging: {options: {max-size: 10m}}\n",
    );
    let limits = ("watchme.toml", "[ports]\nallowed = [\"8000-8002\"]\n");
    let two = (
        "docker-compose.infra.yml",
        "services:\n  holder:\n    image: busybox:1\n    networks: [a, b]\nnetworks:\n  a: {name: a}\n  b: {name: b}\n",
    );
    let regex = (
        "sites-available/php",
        "server {\n    listen 80;\n    server_name php.example.com;\n    location ~ ^/old { return 404; }\n    location / { root /srv; }\n}\n",
    );
    let redirect = (
        "sites-available/to",
        "server {\n    listen 80;\n    server_name to.example.com;\n    location / { return 301 https://example.com$request_uri; }\n}\n",
    );
    let place = Place::git(&[limits, STATE[1], taken, two, regex, redirect]);
    let before = files(&place);
    let api = ["--site", "api.example.com", "--network", "a"];
    for (arguments, message, hint) in [
        (
            vec!["Blog"],
            "\"Blog\" is not a valid service name",
            "lowercase letters",
        ),
        (
            vec!["../x"],
            "\"../x\" is not a valid service name",
            "begins with a letter",
        ),
        (
            vec!["1"],
            "\"1\" is not a valid service name",
            "begins with a letter",
        ),
        (
            vec!["null"],
            "\"null\" is not a valid service name",
            "not a word of YAML",
        ),
        (
            vec!["db"],
            "a service db already exists: compose/db/compose.yaml",
            "choose another name",
        ),
        (
            vec!["main"],
            "the container main in compose/db/compose.yaml",
            "choose another name",
        ),
        (
            vec!["postgres"],
            "the service postgres in compose/db/compose.yaml",
            "choose another name",
        ),
        (
            vec!["hello", "--port", "8001"],
            "port 8001 is not free: db/postgres (80) has it",
            "leave out --port",
        ),
        (
            vec!["blog", "--port", "8009"],
            "port 8009 is not in 8000-8002, which [ports] in watchme.toml allows",
            "leave out --port",
        ),
        (
            vec!["blog", "--site", "ap.example.com", "--network", "a"],
            "there is no site ap.example.com",
            "did you mean api.example.com?",
        ),
        (
            vec!["blog", "--site", "to", "--network", "a"],
            "site to has no server block that can take a location: it redirects all requests",
            "--domain NAME",
        ),
        (
            vec!["blog", "--domain", "Blog.example.com", "--network", "a"],
            "--domain \"Blog.example.com\" cannot be used",
            "in lowercase letters",
        ),
        (
            vec!["blog", "--network", "a"],
            "several servers can take the location: api.example.com in api.example.com, php.example.com in php",
            "--domain NAME",
        ),
        (
            [&["blog", "--path", "/hello"][..], &api].concat(),
            "http://api.example.com/hello/ is already routed, by location /hello/ in sites-available/api.example.com:5",
            "routes explain http://api.example.com/hello/",
        ),
        (
            vec![
                "blog",
                "--site",
                "php",
                "--path",
                "/old/x",
                "--network",
                "a",
            ],
            "is already routed, by location ~ ^/old in sites-available/php:4",
            "--path",
        ),
        (
            vec!["blog", "--path", "a b", "--network", "a"],
            "--path \"a b\" cannot be used",
            "a path such as /blog/",
        ),
        (
            vec!["blog", "--path", "/../etc", "--network", "a"],
            "--path \"/../etc\" cannot be used",
            "without spaces, //, . and ..",
        ),
        (
            [&["blog", "--internal-path", "/api//"][..], &api].concat(),
            "--internal-path \"/api//\" cannot be used",
            "a path such as",
        ),
        (
            [
                &["blog", "--health", "/x", "--internal-path", "/api/"][..],
                &api,
            ]
            .concat(),
            "/x is not below /api/: it cannot be reached from outside",
            "--health /api/health",
        ),
        (
            vec!["blog", "--image", "a b"],
            "--image \"a b\" cannot be used",
            "registry.example.com/blog:1.0",
        ),
        (
            vec!["blog", "--memory", "much"],
            "--memory \"much\" cannot be used",
            "128m, 1g",
        ),
        (
            vec!["blog", "--no-route"],
            "the desired state has several networks: a, b",
            "--network none",
        ),
        (
            vec!["blog", "--no-route", "--network", "c"],
            "there is no network c in the desired state",
            "there are: a, b",
        ),
        (
            vec!["blog", "--host", "other"],
            "a new service is written for all hosts, not for other",
            "leave out --host",
        ),
    ] {
        let refused = new(&place, &arguments).expect(1).stderr;
        assert!(refused.contains(message), "{arguments:?}: {refused}");
        assert!(
            refused.contains("hint: ") && refused.contains(hint),
            "{arguments:?}: {refused}"
        );
        assert_eq!(files(&place), before, "{arguments:?}");
    }
    // All ports of the range go.
    for name in ["one", "two"] {
        new(&place, &[&[name][..], &api].concat()).expect(0);
    }
    let refused = new(&place, &[&["three"][..], &api].concat())
        .expect(1)
        .stderr;
    assert!(
        refused.contains("no port of 8000-8002 is free"),
        "{refused}"
    );
    assert!(
        refused.contains("watchme-apply ports shows who uses which"),
        "{refused}"
    );
}

#[test]
fn what_check_would_find_is_said_or_refused() {
    // git ignores what would be written.
    let place = Place::git(&[
        CLEAN[0],
        ("sites-available/www", SITE),
        (".gitignore", "compose/\n"),
    ]);
    let refused = new(&place, &["blog"]).expect(1).stderr;
    assert!(
        refused.contains("git ignores compose/blog/compose.yaml"),
        "{refused}"
    );
    assert!(
        refused.contains("hint: git check-ignore -v 'compose/blog/compose.yaml'"),
        "{refused}"
    );
    assert!(!place.checkout().join("compose").exists());
    // The memory is spent: check says what helps.
    let place = Place::git(&[
        ("watchme.toml", "[budget]\nmemory = \"64M\"\n"),
        ("sites-available/www", SITE),
    ]);
    let before = files(&place);
    let refused = new(&place, &["blog"]).expect(1).stderr;
    for part in [
        "the desired state would have errors with blog",
        "128 MiB",
        "[compose-memory-over-budget]",
        "hint: ",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert_eq!(files(&place), before);
    // A warning is said, and stops nothing.
    let said = new(
        &place,
        &[
            "blog",
            "--memory",
            "32m",
            "--image",
            "example.com/blog:latest",
        ],
    )
    .expect(0)
    .stdout;
    assert!(
        said.contains("warning: ") && said.contains("[compose-image-latest]"),
        "{said}"
    );
    // A folder that git does not know.
    fs::create_dir_all(place.checkout().join("compose/feed")).unwrap();
    fs::write(place.checkout().join("compose/feed/compose.yaml"), "").unwrap();
    let refused = new(&place, &["feed"]).expect(1).stderr;
    assert!(
        refused.contains("a service feed already exists: compose/feed/compose.yaml"),
        "{refused}"
    );
}

#[test]
fn nothing_is_written_through_a_link_among_the_folders() {
    let place = Place::git(&[CLEAN[0], CLEAN[1], ("sites-available/www", SITE)]);
    let outside = place.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir_all(place.checkout().join("compose")).unwrap();
    symlink(&outside, place.checkout().join("compose/blog")).unwrap();
    for arguments in [&["blog"][..], &["blog", "--dry-run"]] {
        let refused = new(&place, arguments).expect(1);
        for part in [
            "compose/blog is a link to ",
            "nothing is written through a link",
            "put a folder in its place",
        ] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.shown());
        }
        assert_eq!(refused.stdout, "");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let site = fs::read_to_string(place.checkout().join("sites-available/www")).unwrap();
    assert_eq!(site, SITE);
}
