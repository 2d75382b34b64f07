//! `check` and `ports`: what is found in files, and how it is shown, without a host.

use crate::support::{CLEAN, Place, STATE, shows};

pub(crate) const BROKEN_SITE: (&str, &str) = (
    "sites-available/api.example.com",
    "server {\n    listen 80;\n    # 日本語のコメント、そして\tタブ\n    server_name 例え.example.com return 404\n}\n",
);
const BROKEN_UNIT: (&str, &str) = (
    "systemd/hello.service",
    "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install\nWantedBy=multi-user.target\n",
);

#[test]
fn findings_of_a_file_are_shown_together_with_their_lines() {
    let place = Place::git(CLEAN);
    place.write(&[BROKEN_SITE, BROKEN_UNIT]);
    let before = place.host();
    let found = place.run_here(&["check"]).expect(2);
    assert_eq!(place.host(), before);
    shows!("found", found.shown());
    // What is committed is another state.
    place.run_here(&["check", "--rev", "HEAD"]).expect(0);
    place.run_here(&["check", "--deny", "nothing"]).expect(0);
}

#[test]
fn machines_get_json_sarif_and_workflow_commands() {
    let place = Place::git(CLEAN);
    place.write(&[BROKEN_SITE]);
    let json = place
        .run_here(&["check", "--format", "json"])
        .expect(2)
        .json();
    assert_eq!(json["format_version"], 1);
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "syntax");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["place"]["path"], BROKEN_SITE.0);
    assert_eq!(finding["place"]["line"], 4);
    let sarif = place
        .run_here(&["check", "--format", "sarif"])
        .expect(2)
        .json();
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    let rule = result["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(
        sarif["runs"][0]["tool"]["driver"]["rules"][rule]["id"],
        "syntax"
    );
    let place_of = &result["locations"][0]["physicalLocation"];
    assert_eq!(place_of["artifactLocation"]["uri"], BROKEN_SITE.0);
    assert_eq!(place_of["region"]["startLine"], 4);
    let github = place.run_here(&["check", "--format", "github"]).expect(2);
    let start = format!("::error title=syntax,file={},line=4,col=", BROKEN_SITE.0);
    assert!(github.stdout.starts_with(&start), "{}", github.shown());
    assert_eq!(github.stdout.lines().count(), 1);
    let gcc = place.run_here(&["check", "--format", "gcc"]).expect(2);
    let start = format!("{}:4:", BROKEN_SITE.0);
    assert!(gcc.stdout.starts_with(&start), "{}", gcc.shown());
    let (_, rest) = gcc.stdout[start.len()..].split_once(": ").unwrap();
    assert!(rest.starts_with("error: "), "{}", gcc.shown());
    assert!(rest.ends_with(" [syntax]\n"), "{}", gcc.shown());
    assert_eq!(gcc.stdout.lines().count(), 1);
    assert_eq!(
        as_an_editor_reads_it(gcc.stdout.trim_end()),
        [BROKEN_SITE.0, "4", "error", "syntax"]
    );
}

/// What the problem matcher of the example for VS Code takes from a line: file, line, severity and rule.
pub(crate) fn as_an_editor_reads_it(line: &str) -> [&str; 4] {
    let tasks = include_str!("../../examples/editors/tasks.json");
    let tasks: serde_json::Value = serde_json::from_str(tasks).unwrap();
    let pattern = &tasks["tasks"][0]["problemMatcher"]["pattern"];
    let matcher = regex_lite::Regex::new(pattern["regexp"].as_str().unwrap()).unwrap();
    let found = matcher.captures(line).unwrap();
    ["file", "line", "severity", "code"].map(|part| {
        let group = pattern[part].as_u64().unwrap() as usize;
        found.get(group).unwrap().as_str()
    })
}

#[test]
fn a_clean_state_says_so_in_every_form() {
    let place = Place::plain(CLEAN);
    let mut said = String::new();
    for format in ["text", "github"] {
        said.push_str(
            &place
                .run_here(&["check", "--format", format, "--deny", "errors"])
                .expect(0)
                .shown(),
        );
    }
    shows!("clean", said);
    assert_eq!(
        place
            .run_here(&["check", "--format", "json"])
            .expect(0)
            .json()["findings"],
        serde_json::json!([])
    );
}

#[test]
fn rules_are_explained() {
    let place = Place::git(CLEAN);
    shows!(
        "explained",
        place
            .run_here(&["check", "--explain", "allowance-invalid"])
            .expect(0)
            .shown()
    );
    let mut said = place
        .run_here(&["check", "--explain", "sintax"])
        .expect(64)
        .shown();
    said.push_str(
        &place
            .run_here(&["check", "--explain", "nothing-like-it-at-all"])
            .expect(64)
            .shown(),
    );
    said.push_str(
        &place
            .run_here(&["check", "--rev", "gone"])
            .expect(1)
            .shown(),
    );
    shows!("wrong", said);
}

#[test]
fn secrets_of_a_line_do_not_show() {
    let place = Place::git(CLEAN);
    place.write(&[(
        "sites-available/api.example.com",
        "server {\n    proxy_set_header Authorization \"Bearer hunter2\" }\n",
    )]);
    for format in ["text", "json", "sarif", "github", "gcc"] {
        let found = place.run_here(&["check", "--format", format]).expect(2);
        assert!(!found.shown().contains("hunter2"), "{}", found.shown());
    }
}

const WITH_PORTS: &[(&str, &str)] = &[
    STATE[1],
    (
        "systemd/hello.service",
        "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/state/compose/hello/docker-compose.yml up\n\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "compose/hello/docker-compose.yml",
        "services:\n  hello:\n    image: hello:1\n    container_name: hello\n    ports: ['127.0.0.1:8001:80', '8003-8004:9003-9004/udp']\n  aside:\n    image: aside:1\n    ports: ['127.0.0.1:8002:80']\n",
    ),
    (
        "systemd/late.socket",
        "[Socket]\nListenStream=127.0.0.1:8006\nListenDatagram=8007\n\n[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "systemd/late.service",
        "[Service]\nExecStart=/usr/bin/late --port 8008\n",
    ),
    ("watchme.toml", "checkout = \"/srv/state\"\n"),
];

#[test]
fn ports_tell_who_has_them_and_which_are_free() {
    let place = Place::git(WITH_PORTS);
    let mut said = place.run_here(&["ports"]).expect(0).shown();
    said.push_str(
        &place
            .run_here(&["ports", "--free", "8001-8010"])
            .expect(0)
            .shown(),
    );
    said.push_str(
        &place
            .run_here(&["ports", "--free", "8001-8002"])
            .expect(0)
            .shown(),
    );
    said.push_str(
        &place
            .run_here(&["ports", "--free", "9-8"])
            .expect(64)
            .shown(),
    );
    place.write(&[BROKEN_SITE]);
    said.push_str(&place.run_here(&["ports"]).expect(0).shown());
    shows!("ports", said);
    let json = place
        .run_here(&["ports", "--json", "--rev", "HEAD", "--free", "8001-8003"])
        .expect(0)
        .json();
    assert_eq!(json["ports"][0]["declared"][0]["site"], "api.example.com");
    assert_eq!(json["ports"][1]["proxied"][0]["line"], 6);
    assert_eq!(json["free"], serde_json::json!([]));
}

/// The users' templates for a service with all three parts, in the state that they are for: the comment behind a value
/// is the only error.
#[test]
fn the_users_templates_have_one_error() {
    const COMPOSE: &str = "version: '3.8'\n\nservices:\n  your-service:\n    image: registry.example.com/your-service:1\n    container_name: your-service\n    ports:\n      - \"127.0.0.1:8050:8050\"\n    networks:\n      - watchme-network  # 必須！\n\nnetworks:\n  watchme-network:\n    external: true  # 必ず external: true を使用\n";
    const LOCATION: &str = r#"
# あたらしい API
location /your-service/ {
    # 注意: パスの最後にスラッシュを付けること

    # 内部のAPIがリッスンしているポートとパスを指定
    # パスがない場合は http://localhost:8050/ でOK
    proxy_pass http://localhost:8050/api/;

    # --- 以下は定型句 ---
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    
    # CORS設定（必要に応じて）
    add_header "Access-Control-Allow-Origin" "*";
    add_header "Access-Control-Allow-Methods" "GET, POST, OPTIONS";
    add_header "Access-Control-Allow-Headers" "Content-Type, Authorization";
    
    # OPTIONSリクエストの処理（必要に応じて）
    if ($request_method = "OPTIONS") {
        return 204;
    }
}
"#;
    const UNIT: &str = "[Unit]\nDescription=あたらしいサービス\nAfter=docker.service watchme-infrastructure.service  # インフラの後に起動\nRequires=docker.service watchme-infrastructure.service\n\n[Service]\nTimeoutStartSec=0\n\n# 常にECRから最新のイメージを取得\nExecStartPre=-/usr/bin/docker-compose -f PATH pull -q\n\n# Docker Composeでコンテナを起動\nExecStart=/usr/bin/docker-compose -f PATH up\n\n# サービス停止時にコンテナを停止\nExecStop=/usr/bin/docker-compose -f PATH down\n\nRestart=always\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n";
    let shipped = |path: &str| {
        let path = format!("{}/desired-state/{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let compose = "compose/your-service/docker-compose.prod.yml";
    let unit = UNIT.replace(
        "PATH",
        &format!("/home/ubuntu/watchme-server-configs/{compose}"),
    );
    let site = format!(
        "server {{\n    listen 443 ssl;\n    server_name api.hey-watch.me;\n    ssl_certificate /etc/letsencrypt/live/api.hey-watch.me/fullchain.pem;\n    ssl_certificate_key /etc/letsencrypt/live/api.hey-watch.me/privkey.pem;\n{LOCATION}}}\n"
    );
    let infra = shipped("systemd/watchme-infrastructure.service").replace("/desired-state/", "/");
    let place = Place::git(&[
        (
            "watchme.toml",
            "checkout = \"/home/ubuntu/watchme-server-configs\"\n",
        ),
        (
            "docker-compose.infra.yml",
            &shipped("docker-compose.infra.yml"),
        ),
        ("systemd/watchme-infrastructure.service", &infra),
        ("systemd/your-service.service", &unit),
        ("sites-available/api.hey-watch.me", &site),
        (compose, COMPOSE),
    ]);
    let json = place
        .run_here(&["check", "--format", "json"])
        .expect(2)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let errors: Vec<&serde_json::Value> = findings
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(errors[0]["rule"], "systemd-comment-behind-value");
    assert_eq!(errors[0]["place"]["path"], "systemd/your-service.service");
    assert_eq!(errors[0]["place"]["line"], 3);
}

/// What lies there and cannot be read is a finding among the others, not the end of the check.
#[test]
fn files_that_cannot_be_read_are_findings() {
    let place = Place::git(CLEAN);
    place.write(&[BROKEN_SITE, ("systemd/my unit.service", "[Service]\n")]);
    let checkout = place.checkout();
    let link = |target: &str, path: &str| {
        std::os::unix::fs::symlink(target, checkout.join(path)).unwrap();
    };
    link("/etc/passwd", "sites-available/outside");
    link("nothing", "systemd/dangling.service");
    link("api.example.com", "sites-available/again");
    std::fs::write(checkout.join("sites-available/large"), vec![b'#'; 1 << 21]).unwrap();
    let pipe = checkout.join("sites-available/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let found = place.run_here(&["check"]).expect(2);
    shows!("unreadable", found.shown());
    let json = place.run_here(&["check", "--format", "json"]).expect(2);
    let json = json.json();
    let findings = json["findings"].as_array().unwrap();
    let syntax = findings.iter().filter(|one| one["rule"] == "syntax");
    assert_eq!(syntax.count(), 7);
}

/// Lines with Windows' ends, and a span over several lines.
#[test]
fn odd_lines_are_shown_as_lines() {
    let place = Place::git(CLEAN);
    place.write(&[(
        "sites-available/api.example.com",
        "server {\r\n    listen 80\r\n    server_name x;\r\n",
    )]);
    let found = place.run_here(&["check"]).expect(2);
    assert!(!found.stdout.contains('\u{fffd}'), "{}", found.shown());
    assert!(found.stdout.contains("1 | server {\n"), "{}", found.shown());
}

/// Each finding looks at its own lines only.
#[test]
fn a_thousand_findings_of_one_file_take_no_time() {
    let place = Place::git(CLEAN);
    let location = |number: usize| {
        format!(
            "    location /p{number}/ {{ proxy_pass http://localhost:{}/x; }}\n",
            10_000 + number
        )
    };
    let locations: String = (0..1000).map(location).collect();
    let site =
        format!("server {{\n    listen 80;\n    server_name api.example.com;\n{locations}}}\n");
    place.write(&[("sites-available/api.example.com", &site)]);
    let began = std::time::Instant::now();
    let found = place.run_here(&["check"]).expect(2);
    assert!(
        found.stdout.contains("1000 errors and 1 warning"),
        "{}",
        &found.stdout[found.stdout.len() - 200..]
    );
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn all_rules_are_listed() {
    let place = Place::git(STATE);
    let said = place.run_here(&["check", "--explain"]).expect(0).stdout;
    assert!(said.lines().count() > 90, "{said}");
    let line = said.lines().find(|line| line.starts_with("port-taken "));
    assert!(
        line.is_some_and(|line| line.contains("Only one program can listen on a port")),
        "{said}"
    );
}

/// YAML and TOML are UTF-8: docker-compose ends in a traceback.
#[test]
fn files_that_are_no_utf_8() {
    let place = Place::git(WITH_PORTS);
    let latin = b"services:\n  a:\n    image: a:1 # caf\xe9\n";
    std::fs::write(
        place.checkout().join("compose/hello/docker-compose.yml"),
        latin,
    )
    .unwrap();
    std::fs::write(place.checkout().join("watchme.toml"), b"# \xe9\n").unwrap();
    std::fs::create_dir(place.checkout().join("x")).unwrap();
    let said = place.run_here(&["check"]).expect(2).shown();
    shows!("no_utf_8", said);
    std::fs::remove_file(place.checkout().join("watchme.toml")).unwrap();
    std::fs::create_dir(place.checkout().join("watchme.toml")).unwrap();
    std::fs::write(place.checkout().join("watchme.toml/x"), "").unwrap();
    let said = place.run_here(&["check"]).expect(2).shown();
    assert!(
        said.contains("watchme.toml is a folder, and has to be a file"),
        "{said}"
    );
}

/// What people copy has nothing to be said about, for each of its hosts.
#[test]
fn nothing_is_found_in_the_examples_of_whole_servers() {
    for example in ["egov/docker", "egov/podman", "hugmedo"] {
        let folder = format!("{}/examples/{example}", env!("CARGO_MANIFEST_DIR"));
        let mut check = assert_cmd::Command::new(crate::support::PROGRAM);
        let said = check
            .args(["check", "--desired-state", &folder])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.starts_with("nothing found in "), "{example}: {said}");
    }
}
