//! `routes`: where public URLs come out, as text and JSON, without a host.

use crate::support::{Place, shows};

pub(crate) const UNIT: &str = "[Unit]
Description=Scheduler

[Service]
Type=oneshot
RemainAfterExit=yes
WorkingDirectory=CHECKOUT/compose/scheduler
ExecStart=/usr/bin/docker-compose up -d

[Install]
WantedBy=multi-user.target
";

const COMPOSE: &str = "services:
  api:
    image: scheduler:1
    container_name: scheduler-prod
    ports: ['127.0.0.1:8015:8015']
";

/// Two layers of routes as in the seeds, a snippet, and what only a request tells.
const SITE: &str = "server {
    listen 80;
    server_name api.example.com;
    return 301 https://$server_name$request_uri;
}

server {
    listen 443 ssl;
    server_name api.example.com;
    include snippets/health.conf;

    location / {
        return 404;
    }

    location /scheduler/ {
        proxy_pass http://localhost:8015/api/scheduler/;
    }

    location /old/ {
        rewrite ^/old/(.*)$ /scheduler/$1 last;
    }

    location /files/ {
        try_files $uri @app;
    }

    location ~ \\.php$ {
        proxy_pass http://$cookie_backend;
    }

    location @app {
        proxy_pass http://127.0.0.1:8015;
    }
}
";

pub(crate) fn place() -> Place {
    let place = Place::git(&[
        ("sites-available/api.example.com", SITE),
        (
            "etc/nginx/snippets/health.conf",
            "location = /health {\n    return 200 ok;\n}\n",
        ),
        ("compose/scheduler/docker-compose.yml", COMPOSE),
    ]);
    let unit = UNIT.replace("CHECKOUT", &place.checkout().to_string_lossy());
    place.write(&[("systemd/scheduler.service", &unit)]);
    place.commit("Scheduler");
    place
}

#[test]
fn the_table_and_the_way_of_a_url() {
    let place = place();
    let mut said = String::new();
    let before = place.host();
    for line in [
        "routes",
        "routes explain https://api.example.com/old/status?x=1",
        "routes explain https://api.example.com/scheduler",
        "routes explain https://api.example.com/health",
        "routes explain https://api.example.com/files/x",
        "routes explain https://api.example.com/x.php",
        "routes explain http://other.example.com/x?token=s",
        "routes explain https://api.example.com:8443/",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        said.push_str(&place.run_here(&words).expect(0).shown());
    }
    let secret = "https://api.example.com/scheduler/?token=hunter2";
    for words in [
        vec!["routes", "explain", secret],
        vec!["routes", "explain", "--json", secret],
    ] {
        let found = place.run_here(&words).expect(0);
        assert!(!found.stdout.contains("hunter2"), "{}", found.stdout);
    }
    assert_eq!(place.host(), before);
    shows!("table", said);
}

/// An application of one page, and a port that only this host reaches.
const PAGE: &str = "server {
    listen 80;
    listen 127.0.0.1:8081;
    server_name app.example.com;
    root /srv/app;

    location / {
        try_files $uri $uri/ /index.html;
    }
}
";

#[test]
fn a_page_for_every_path_and_a_port_for_this_host() {
    let place = Place::git(&[("sites-available/app", PAGE)]);
    let mut said = String::new();
    for url in [
        "http://app.example.com/users/1",
        "http://app.example.com:8081/",
        "http://127.0.0.1:8081/",
    ] {
        let words = ["routes", "explain", url];
        said.push_str(&place.run_here(&words).expect(0).shown());
    }
    shows!("page", said);
}

#[test]
fn secrets_in_urls_do_not_show() {
    let place = place();
    let site = "server {
    listen 80;
    server_name api.example.net;

    location /one {
        proxy_pass http://u:pa55word@localhost:8015/x;
    }

    location /two {
        return 301 https://api.example.com/?page=1&api_token=pa55word;
    }

    location /three {
        proxy_pass http://localhost:8015/?token=pa55word;
    }
}
";
    place.write(&[("sites-available/api.example.net", site)]);
    for words in [
        vec!["routes"],
        vec!["routes", "--json"],
        vec!["routes", "explain", "http://api.example.net/one"],
        vec!["routes", "explain", "--json", "http://api.example.net/one"],
        vec!["routes", "explain", "http://api.example.net/two"],
        vec![
            "routes",
            "explain",
            "--json",
            "http://api.example.net/three",
        ],
    ] {
        let found = place.run_here(&words).expect(0);
        assert!(!found.stdout.contains("pa55word"), "{}", found.stdout);
        assert!(found.stdout.contains("********"), "{}", found.stdout);
    }
    let json = place.run_here(&["routes", "--json"]).expect(0).json();
    let shown = json["routes"].to_string();
    assert!(shown.contains("\"localhost:8015\""), "{shown}");
}

#[test]
fn a_container_without_a_fixed_name_is_told_as_a_service() {
    let place = place();
    let compose = COMPOSE.replace("    container_name: scheduler-prod\n", "");
    place.write(&[("compose/scheduler/docker-compose.yml", &compose)]);
    let url = "https://api.example.com/scheduler/";
    for words in [vec!["routes"], vec!["routes", "explain", url]] {
        let found = place.run_here(&words).expect(0);
        assert!(
            found.stdout.contains("service scheduler/api"),
            "{}",
            found.stdout
        );
    }
}

#[test]
fn lines_end_without_blanks() {
    let place = place();
    let site = "server {
    listen 80;
    server_name api.example.net;

    if ($request_method = OPTIONS ) {
        return 204;
    }
}
";
    place.write(&[("sites-available/api.example.net", site)]);
    let url = "http://api.example.net/a//x";
    let found = place.run_here(&["routes", "explain", url]).expect(0);
    let says = "if ($request_method = OPTIONS) is false";
    assert!(found.stdout.contains(says), "{}", found.stdout);
    assert!(found.stdout.lines().all(|line| line == line.trim_end()));
    let found = place
        .run_here(&["routes", "explain", "api.example.com/x"])
        .expect(64);
    assert!(
        found.stderr.contains("write https://api.example.com/x"),
        "{}",
        found.stderr
    );
}

#[test]
fn machines_get_one_object() {
    let place = place();
    let json = place.run_here(&["routes", "--json"]).expect(0).json();
    assert_eq!(json["format_version"], 1);
    let routes = json["routes"].as_array().unwrap();
    let scheduler = routes
        .iter()
        .find(|route| route["url"] == "https://api.example.com/scheduler/")
        .unwrap();
    assert_eq!(
        scheduler["outcome"]["upstream"],
        "http://localhost:8015/api/scheduler/"
    );
    assert_eq!(scheduler["behind"][0]["unit"], "scheduler.service");
    assert_eq!(scheduler["behind"][0]["container"], "scheduler-prod");
    assert_eq!(scheduler["location"]["line"], 16);
    let url = "https://api.example.com/old/x";
    let json = place
        .run_here(&["routes", "explain", "--json", url])
        .expect(0)
        .json();
    assert_eq!(json["outcome"]["kind"], "proxy");
    assert_eq!(
        json["outcome"]["upstream"],
        "http://localhost:8015/api/scheduler/x"
    );
    assert!(json["steps"].as_array().unwrap().len() > 3);
}

#[test]
fn what_is_wrong_is_an_error() {
    let place = place();
    place.run_here(&["routes", "explain"]).expect(64);
    place
        .run_here(&["routes", "explain", "api.example.com/x"])
        .expect(64);
    place.run_here(&["routes", "--rev", "gone"]).expect(1);
}

#[test]
fn what_cannot_be_read_is_left_out_and_told() {
    let place = place();
    place.write(&[
        ("sites-available/api.example.org", "server {"),
        ("watchme.toml", "[network]\nsubnet = \"nonsense\"\n"),
    ]);
    for words in [vec!["routes"], vec!["routes", "--json"]] {
        let found = place.run_here(&words).expect(0);
        assert!(found.stdout.contains("api.example.com/scheduler/"));
        for path in [
            "sites-available/api.example.org:1 is skipped: ",
            "watchme.toml:",
        ] {
            let told = format!("warning: {path}");
            assert!(found.stderr.contains(&told), "{}", found.stderr);
        }
    }
    let found = place.run_here(&["routes", "--rev", "HEAD"]).expect(0);
    assert_eq!(found.stderr, "");
}

#[test]
fn the_lost_prefix_fails_before_the_merge() {
    let place = place();
    let route = "[[route]]\nurl = \"https://api.example.com/scheduler/status/whisper\"\nupstream = \"http://localhost:8015/api/scheduler/status/whisper\"\n";
    place.write(&[("watchme.toml", route)]);
    let ours = |said: &str| said.contains("route-elsewhere");
    assert!(!ours(
        &place
            .run_here(&["check", "--deny", "nothing"])
            .expect(0)
            .shown()
    ));
    let accident = SITE.replace("8015/api/scheduler/", "8015/");
    place.write(&[("sites-available/api.example.com", &accident)]);
    let found = place.run_here(&["check"]).expect(2).stdout;
    let from = found.find("error[route-elsewhere]").unwrap();
    let shown: Vec<&str> = found[from..].lines().take(10).collect();
    shows!("accident", shown.join("\n"));
}

#[test]
fn nobody_listens_where_nobody_does() {
    let place = place();
    let site = "server {
    listen 80;
    server_name late.example.com;

    location / {
        proxy_pass http://localhost:8020;
    }
}
";
    place.write(&[("sites-available/late.example.com", site)]);
    let url = "http://late.example.com/x";
    let found = place.run_here(&["routes", "explain", url]).expect(0);
    let says = "nothing listens on 8020";
    assert!(found.stdout.contains(says), "{}", found.stdout);
    let json = ["routes", "explain", "--json", url];
    let json = place.run_here(&json).expect(0).json();
    assert!(json["notes"].to_string().contains(says), "{json}");
    let url = "https://api.example.com/scheduler/";
    let found = place.run_here(&["routes", "explain", url]).expect(0);
    assert!(!found.stdout.contains("nobody"), "{}", found.stdout);
}

#[test]
fn sites_of_the_host_that_are_not_counted_are_said() {
    let place = place();
    place.write_host(
        "/etc/nginx/sites-enabled/default",
        "server {\n    listen 8020 default_server;\n    root /var/www/html;\n}\n",
    );
    place.write_host("/etc/nginx/sites-enabled/api.example.com", SITE);
    place.write_host("/etc/nginx/conf.d/not-read.bak", "server { listen 8020; }");
    let asked = |port: u16| {
        let url = format!("http://late.example.com:{port}/");
        let words = ["routes", "explain", url.as_str()];
        (place.run(&words).expect(0).stdout, place.run_here(&words))
    };
    let (on_host, without) = asked(8020);
    let not_counted = "not counted: /etc/nginx/sites-enabled/default";
    assert!(
        on_host.contains("no enabled site listens on port 8020"),
        "{on_host}"
    );
    assert_eq!(on_host.matches("not counted").count(), 1, "{on_host}");
    assert!(on_host.contains(not_counted), "{on_host}");
    assert!(!without.stdout.contains("not counted"));
    assert!(!asked(80).0.contains("not counted"));
    // What the desired state removes is no surprise.
    place.write(&[("watchme.toml", "absent = [\"sites-enabled/default\"]\n")]);
    assert!(!asked(8020).0.contains("not counted"));
}
