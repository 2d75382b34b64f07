//! Repositories that are no desired state: what nginx and systemd read in them is checked where it lies.

use crate::support::{Place, shows};

const SITE: &str = "server {
    listen 80;
    server_name api.example.com;
    access_log /var/log/nginx/api.log long;
    limit_req zone=slow burst=5;

    location / {
        proxy_pass http://api;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}

upstream api {
    server api:8000;
}
";
const MAIN: &str = "user nginx;
worker_processes auto;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    log_format long '$remote_addr $request';
    limit_req_zone $binary_remote_addr zone=slow:10m rate=10r/s;
    include /etc/nginx/conf.d/*.conf;
}
";
const UNIT: &str = "[Unit]
Description=The API
After=network-online.target consul.service
Wants=network-online.target

[Service]
ExecStart=/srv/api/bin/api
Restart=always

[Install]
WantedBy=multi-user.target
";
const COMPOSE: &str = "services:
  proxy:
    image: nginx:1.27
    restart: unless-stopped
    mem_limit: 64m
    logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}
    healthcheck: {test: [CMD, curl, -fsS, 'http://localhost/']}
    ports: ['80:80']
    volumes:
      - ./nginx/nginx.conf:/etc/nginx/nginx.conf:ro
      - ./nginx/conf.d:/etc/nginx/conf.d:ro
";

/// Rules and places of what `check` finds.
fn found(place: &Place, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["check", "--format", "json", "--deny", "nothing"];
    all.extend(arguments);
    let json = place.run_here(&all).expect(0).json();
    let findings = json["findings"].as_array().unwrap().iter();
    let line = |finding: &serde_json::Value| {
        let place = &finding["place"];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {}:{}",
            text(&finding["severity"]),
            text(&finding["rule"]),
            text(&place["path"]),
            place["line"]
        )
    };
    findings.map(line).collect()
}

/// A program, the compose file that runs it, and the nginx in front of it.
fn monorepo() -> Place {
    Place::git(&[
        ("docker-compose.yml", COMPOSE),
        ("nginx/nginx.conf", MAIN),
        ("nginx/conf.d/api.conf", SITE),
        (
            "nginx/templates/default.conf.template",
            "server { listen ${PORT}; }\n",
        ),
        ("deploy/api.service", UNIT),
        ("deploy/install.sh", "#!/bin/sh\n"),
        ("api/main.py", "print('api')\n"),
        ("tests/broken.service", "[Service]\nExecStrat=/bin/a\n"),
    ])
}

#[test]
fn a_monorepo_has_nothing_to_be_said_about() {
    let place = monorepo();
    assert_eq!(found(&place, &[]), [""; 0]);
    let said = place.run_here(&["check", "--deny", "warnings"]).expect(0);
    assert_eq!(said.stdout, "nothing found in 4 files\n");
    // Nothing of it is anybody's desired state.
    let refused = place.run(&["plan"]).expect(1);
    assert!(
        refused.stderr.contains("contains no desired state"),
        "{}",
        refused.shown()
    );
}

#[test]
fn what_is_wrong_in_it_is_found() {
    let place = monorepo();
    place.write(&[
        ("nginx/nginx.conf", &MAIN.replace("auto", "many")),
        (
            "nginx/conf.d/api.conf",
            &SITE.replace("zone=slow", "zone=fast"),
        ),
        ("deploy/api.service", &UNIT.replace("Restart=", "Restrat=")),
        // No nginx.conf of the checkout loads it: a file of its own.
        ("other/proxy.conf", &SITE.replace("listen", "listne")),
    ]);
    let expected = [
        "warning systemd-unknown-key deploy/api.service:8",
        "error nginx-undeclared-name nginx/conf.d/api.conf:5",
        "error nginx-wrong-arguments nginx/nginx.conf:2",
        "warning nginx-undeclared-name other/proxy.conf:4",
        "warning nginx-undeclared-name other/proxy.conf:5",
        "error nginx-unknown-directive other/proxy.conf:2",
    ];
    let mut all = found(&place, &[]);
    let mut sorted = expected.map(str::to_owned).to_vec();
    all.sort();
    sorted.sort();
    assert_eq!(all, sorted);
    // A folder and a file of it, each with all that it belongs to.
    assert_eq!(found(&place, &["nginx"]), [expected[1], expected[2]]);
    assert_eq!(found(&place, &["nginx/conf.d/api.conf"]), [expected[1]]);
    // Of a commit, too.
    assert_eq!(found(&place, &["--rev", "HEAD"]), [""; 0]);
    place.commit("Broken");
    assert_eq!(found(&place, &["--rev", "HEAD"]).len(), expected.len());

    // watchme.toml and comments count as for the inputs.
    place.write(&[
        (
            "watchme.toml",
            "[check]\nnginx = { level = \"warning\", reason = \"moves\", paths = [\"nginx/**\"] }\n\
             systemd = { level = \"off\", reason = \"old\" }\n",
        ),
        (
            "other/proxy.conf",
            &SITE
                .replace(
                    "access_log",
                    "# watchme-apply: allow(nginx-undeclared-name) elsewhere\n    access_log",
                )
                .replace(
                    "limit_req",
                    "# watchme-apply: allow(nginx-undeclared-name) elsewhere\n    limit_req",
                ),
        ),
    ]);
    assert_eq!(
        found(&place, &[]),
        [
            "warning nginx-undeclared-name nginx/conf.d/api.conf:5",
            "warning nginx-wrong-arguments nginx/nginx.conf:2",
        ]
    );
}

#[test]
fn the_stated_versions_count_there() {
    let place = monorepo();
    let newer = SITE.replace("listen 80;", "listen 80;\n    http2 on;");
    place.write(&[("nginx/conf.d/api.conf", &newer)]);
    let http2 = |level: &str| format!("{level} nginx-version nginx/conf.d/api.conf:3");
    assert_eq!(found(&place, &[]), [http2("warning")]);
    place.write(&[("watchme.toml", "[host]\nnginx = \"1.22\"\n")]);
    assert_eq!(found(&place, &[]), [http2("error")]);
    place.write(&[("watchme.toml", "[host]\nnginx = \"1.27\"\n")]);
    assert_eq!(found(&place, &[]), [""; 0]);
}

/// Roles of Ansible: files are checked, templates are not, and no folder of either is an input.
#[test]
fn files_that_are_filled_in_are_left_out() {
    let place = Place::git(&[
        ("site.yml", "- hosts: all\n  roles: [web]\n"),
        (
            "roles/web/tasks/main.yml",
            "- template: {src: site.conf, dest: /etc/nginx/conf.d/site.conf}\n",
        ),
        (
            "roles/web/templates/site.conf",
            "server {\n    listen {{ port }}\n    server_name {{ name }};\n}\n",
        ),
        (
            "roles/web/templates/api.service",
            "[Service]\nExecStart={{ program }}\n",
        ),
        (
            "roles/web/files/filled.conf",
            "server {\n  listen {{ port }};\n  server_name a;\n}\n",
        ),
        ("roles/web/files/nginx.conf", MAIN),
        ("roles/web/files/api.service", UNIT),
    ]);
    assert_eq!(
        found(&place, &[]),
        ["warning input-not-read roles/web/files:1"]
    );
    place.write(&[
        (
            "roles/web/files/nginx.conf",
            &MAIN.replace("http {", "htpp {"),
        ),
        (
            "roles/web/files/api.service",
            &UNIT.replace("always", "allways"),
        ),
    ]);
    shows!("role", place.run_here(&["check"]).expect(2).shown());
}

#[test]
fn a_file_at_the_top_and_a_folder_outside_git_are_checked() {
    let place = Place::git(&[("api.service", &UNIT.replace("Restart=", "Restrat="))]);
    let expected = ["warning systemd-unknown-key api.service:8"];
    assert_eq!(found(&place, &[]), expected);
    let plain = Place::plain(&[("api.service", &UNIT.replace("Restart=", "Restrat="))]);
    let refused = plain.run_here(&["check"]).expect(1);
    shows!("nothing_here", refused.shown());
    assert_eq!(found(&plain, &["."]), expected);
    // A file in a folder called nginx, and a whole configuration by another name.
    let broken = SITE.replace("listen", "listne");
    plain.write(&[
        ("nginx/default.conf", &broken),
        ("proxy.conf", &MAIN.replace("auto", "many")),
    ]);
    let of = |path: &str| found(&plain, &[path]).join("\n");
    assert!(
        of("nginx/default.conf").contains("error nginx-unknown-directive nginx/default.conf:2"),
        "{}",
        of("nginx/default.conf")
    );
    assert_eq!(of("proxy.conf"), "error nginx-wrong-arguments proxy.conf:2");
}

/// A collection of snippets, and the image of a container that has its own configuration.
#[test]
fn a_configuration_at_the_top_is_checked_with_its_includes() {
    let main = MAIN.replace(
        "conf.d/*.conf;",
        "conf.d/*.conf;\n    include h5bp/web/tls.conf;",
    );
    let place = Place::git(&[
        ("nginx.conf", &main),
        ("h5bp/web/tls.conf", "ssl_protocols TLSv1.2;\n"),
        ("h5bp/web/unused.conf", "ssl_protocols TLSv1.2;\n"),
        ("conf.d/api.conf", SITE),
    ]);
    assert_eq!(found(&place, &[]), ["warning input-not-read .:1"]);
    place.write(&[
        ("h5bp/web/tls.conf", "ssl_protocols TLSv1.4;\n"),
        ("image/nginx.conf", &MAIN.replace("auto", "many")),
        ("image/Dockerfile", "FROM nginx\n"),
    ]);
    assert_eq!(
        found(&place, &[]),
        [
            "warning input-not-read .:1",
            "error nginx-wrong-arguments h5bp/web/tls.conf:1",
            "error nginx-wrong-arguments image/nginx.conf:2",
        ]
    );
}

/// `routes` and `ports` show what is not applied, too, below what is.
#[test]
fn routes_and_ports_show_it() {
    let place = monorepo();
    let unit = UNIT.replace("bin/api\n", "bin/api --port 8000\n");
    place.write(&[
        ("deploy/api.service", &unit),
        ("deploy/metrics.socket", "[Socket]\nListenStream=9100\n"),
        (
            "docker-compose.yml",
            &format!("{COMPOSE}  api:\n    image: api:1\n"),
        ),
        ("other/default.conf", DEFAULT),
    ]);
    let mut said = String::new();
    for line in [
        "routes",
        "ports",
        "routes explain http://api.example.com/x",
        "routes explain http://nobody.example.com/x",
        "routes explain https://api.example.com/x",
        "ports --free 7999-8003",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        said.push_str(&place.run_here(&words).expect(0).shown());
    }
    shows!("not_applied", said);

    let json = place.run_here(&["routes", "--json"]).expect(0).json();
    assert_eq!(json["routes"].as_array().unwrap().len(), 0);
    let first = &json["elsewhere"][0];
    let files = ["nginx/nginx.conf", "nginx/conf.d/api.conf"];
    assert_eq!(first["files"], serde_json::json!(files));
    let route = &first["routes"][0];
    assert_eq!(route["url"], "http://api.example.com/");
    assert_eq!(route["location"]["path"], "nginx/conf.d/api.conf");
    assert_eq!(route["behind"][0]["service"], "api");
    assert!(route["behind"][0]["unit"].is_null());
    let url = "http://api.example.com/x";
    let explain = ["routes", "explain", "--json", url];
    let json = place.run_here(&explain).expect(0).json();
    assert_eq!(json["outcome"]["kind"], "not_listening");
    assert_eq!(json["elsewhere"][0]["files"], serde_json::json!(files));
    assert_eq!(json["elsewhere"][0]["outcome"]["kind"], "proxy");
    assert_eq!(json["elsewhere"].as_array().unwrap().len(), 1);
    let json = place.run_here(&["ports", "--json"]).expect(0).json();
    let of_units = &json["elsewhere"][0];
    assert_eq!(
        of_units["files"],
        serde_json::json!(["deploy/api.service", "deploy/metrics.socket"])
    );
    assert_eq!(of_units["ports"][0]["port"], 8000);
    assert_eq!(of_units["ports"][0]["declared"][0]["unit"], "api.service");
    // Of a commit, too: there, the unit names no port.
    let json = ["ports", "--json", "--rev", "HEAD"];
    let json = place.run_here(&json).expect(0).json();
    let parts = json["elsewhere"].as_array().unwrap();
    assert_eq!(parts.len(), 1, "{json}");
    assert_eq!(parts[0]["files"][0], "nginx/nginx.conf");
}

/// What a container's image comes with.
const DEFAULT: &str = "server {
    listen 80 default_server;
    root /usr/share/nginx/html;
}
";

/// Beside a desired state, only a name that it shares with one of its sites is said of a URL.
#[test]
fn a_desired_state_comes_first() {
    let site = SITE
        .replace("    access_log /var/log/nginx/api.log long;\n", "")
        .replace("    limit_req zone=slow burst=5;\n", "");
    let place = Place::git(&[
        ("sites-available/api.example.com", &site),
        ("images/web/default.conf", DEFAULT),
        (
            "images/api/broken.conf",
            "server {\n    location / {\n    return 204;\n",
        ),
    ]);
    let url = "http://api.example.com/x";
    let explain = ["routes", "explain", url];
    let found = place.run_here(&explain).expect(0);
    assert!(!found.stdout.contains("not applied"), "{}", found.stdout);
    let unknown = ["routes", "explain", "http://other.example.com/x"];
    let found = place.run_here(&unknown).expect(0);
    let says = "not applied: images/web/default.conf";
    assert!(found.stdout.contains(says), "{}", found.stdout);
    place.write(&[("images/api/api.conf", &site)]);
    let found = place.run_here(&explain).expect(0);
    let ours = found.stdout.find("(sites-available/api.example.com:1)");
    let theirs = found.stdout.find("not applied: images/api/api.conf");
    assert!(ours.is_some() && ours < theirs, "{}", found.stdout);
    let found = place.run_here(&["routes"]).expect(0);
    assert!(
        found.stdout.ends_with("3 routes, 2 of them not applied\n"),
        "{}",
        found.stdout
    );
    // What cannot be read is said once, and in the way of the others.
    let skipped = "warning: images/api/broken.conf:";
    assert_eq!(found.stderr.matches(skipped).count(), 1, "{}", found.stderr);
    let found = place.run_here(&["ports"]).expect(0);
    assert!(found.stdout.contains(says), "{}", found.stdout);
    assert_eq!(found.stderr.matches(skipped).count(), 1, "{}", found.stderr);
}

/// A tree of nothing of the kind says nothing of it.
#[test]
fn without_any_nothing_is_said() {
    let place = Place::git(&[("sites-available/api.example.com", DEFAULT)]);
    for words in [["routes"], ["ports"]] {
        let found = place.run_here(&words).expect(0);
        assert!(!found.shown().contains("not applied"), "{}", found.shown());
    }
}
