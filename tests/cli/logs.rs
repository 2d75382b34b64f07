//! `logs` and `show` on an offline root: nginx's files are there, and nothing that runs.

use crate::support::{Place, STATE, keeps_to};

const NGINX: &str = "http {
    log_format with_host '$host [$time_local] \"$request\" $status';
    access_log /var/log/nginx/access.log;
    include /etc/nginx/sites-enabled/*;
}
";

const SITES: [(&str, &str); 2] = [
    (
        "sites-available/api.example.com",
        "server {
    listen 80;
    server_name api.example.com;
    location /hello/ { proxy_pass http://localhost:8001/; }
    location /other/ { proxy_pass http://localhost:8002/; }
    location /own/ { access_log /var/log/nginx/own.log with_host; proxy_pass http://localhost:8001/; }
    location /mute/ { access_log off; proxy_pass http://localhost:8001/; }
}
",
    ),
    (
        "systemd/hello.service",
        "[Service]\nExecStart=/usr/bin/hello --port 8001\n\n[Install]\nWantedBy=multi-user.target\n",
    ),
];

fn line(time: &str, target: &str) -> String {
    format!(
        "192.0.2.1 - - [30/Nov/2026:{time} +0000] \"GET {target} HTTP/1.1\" 200 5 \"-\" \"curl\"\n"
    )
}

fn place() -> Place {
    let place = Place::git(&[STATE[0]]);
    place.write(&SITES);
    place.commit("Hello");
    place.run(&["apply"]).expect(0);
    place.write_host("/etc/nginx/nginx.conf", NGINX);
    let access = [
        line("06:00:00", "/hello/a?token=abcdef123456"),
        line("06:00:01", "/other/b"),
        line("06:00:04", "/hello/\u{1b}[31mc"),
        "garbage\n".to_owned(),
    ];
    place.write_host("/var/log/nginx/access.log", &access.concat());
    place.write_host(
        "/var/log/nginx/access.log.1",
        &line("05:00:00", "/hello/old"),
    );
    let own = "api.example.com [30/Nov/2026:06:00:03 +0000] \"GET /own/x HTTP/1.1\" 502\n\
               other.example.com [30/Nov/2026:06:00:03 +0000] \"GET /own/y HTTP/1.1\" 502\n";
    place.write_host("/var/log/nginx/own.log", own);
    let error = "2026/11/30 06:00:02 [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: api.example.com, request: \"GET /hello/z HTTP/1.1\", upstream: \"http://127.0.0.1:8001/z\", host: \"api.example.com\"
2026/11/30 06:00:02 [error] 1#1: *2 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: api.example.com, request: \"GET /other/z HTTP/1.1\", upstream: \"http://127.0.0.1:8002/z\", host: \"api.example.com\"
2026/11/30 06:00:02 [notice] 1#1: signal process started
";
    place.write_host("/var/log/nginx/error.log", error);
    place
}

#[test]
fn lines_of_nginx_are_those_whose_request_leads_to_the_service() {
    let place = place();
    let before = place.host();
    let told = place.run(&["logs", "hello"]).expect(0);
    let texts: Vec<&str> = told.stdout.lines().collect();
    let expected = [
        "2026-11-30 05:00:00.000  access.log  192.0.2.1 - - [30/Nov/2026:05:00:00 +0000] \"GET /hello/old",
        "2026-11-30 06:00:00.000  access.log  192.0.2.1 - - [30/Nov/2026:06:00:00 +0000] \"GET /hello/a?token=***",
        "2026-11-30 06:00:02.000  error.log   2026/11/30 06:00:02 [error] 1#1: *1 connect() failed",
        "2026-11-30 06:00:03.000  own.log     api.example.com [30/Nov/2026:06:00:03 +0000] \"GET /own/x",
        // The only server takes the requests for hosts that nobody has, too.
        "2026-11-30 06:00:03.000  own.log     other.example.com [30/Nov/2026:06:00:03 +0000] \"GET /own/y",
        "2026-11-30 06:00:04.000  access.log  192.0.2.1 - - [30/Nov/2026:06:00:04 +0000] \"GET /hello/\\u{1b}[31mc",
    ];
    assert_eq!(texts.len(), expected.len(), "{}", told.shown());
    for (text, start) in texts.iter().zip(expected) {
        let start = start.replace("***", "");
        assert!(text.starts_with(&start), "{text}\n{start}");
    }
    assert!(!told.stdout.contains("abcdef123456"), "{}", told.stdout);
    assert!(
        told.stderr
            .contains("the host is not running: there is no journal")
            && told.stderr.contains("access_log off writes no log"),
        "{}",
        told.stderr
    );
    let last = place.run(&["logs", "hello.service", "-n", "1"]).expect(0);
    assert!(last.stdout.contains("/hello/\\u{1b}"), "{}", last.stdout);
    assert!(
        last.stderr.contains("these are the last 1; more: -n 10000"),
        "{}",
        last.stderr
    );

    // A site has all of its requests.
    let site = place
        .run(&["logs", "api.example.com", "--since", "2026-11-30 06:00:01"])
        .expect(0);
    assert_eq!(site.stdout.lines().count(), 6, "{}", site.shown());
    let json = keeps_to(
        "logs",
        place
            .run(&["logs", "site/api.example.com", "--json"])
            .expect(0),
    );
    assert_eq!(json["lines"].as_array().map(Vec::len), Some(8), "{json:#}");
    assert!(!json.to_string().contains("abcdef123456"), "{json:#}");
    assert!(place.host() == before, "logs writes nothing");
}

#[test]
fn a_name_without_logs_says_why() {
    let place = place();
    std::fs::remove_dir_all(place.on_host("/var/log/nginx")).unwrap();
    let none = place.run(&["logs", "hello", "--since", "1h"]).expect(0);
    assert_eq!(none.stdout, "");
    for said in [
        "hello has no lines since 2",
        "nginx /var/log/nginx/access.log: it cannot be read: No such file or directory",
    ] {
        assert!(none.stderr.contains(said), "{said}\n{}", none.stderr);
    }
    let unknown = place.run(&["logs", "nosuch"]).expect(64);
    assert!(
        unknown
            .stderr
            .contains("no enabled site and no unit is named nosuch")
            && unknown
                .stderr
                .contains("sudo watchme-apply status lists units and containers"),
        "{}",
        unknown.stderr
    );
    let wrong = place.run(&["logs", "hello", "--since", "yore"]).expect(64);
    assert!(
        wrong.stderr.contains("expected a time such as 1h"),
        "{}",
        wrong.stderr
    );
    let wrong = place.run(&["logs", "hello", "-n", "10001"]).expect(64);
    assert!(
        wrong.stderr.contains("a number up to 10000"),
        "{}",
        wrong.stderr
    );
    place.run(&["logs", "hello", "-f", "--json"]).expect(64);
}

#[test]
fn show_tells_what_a_generation_changed() {
    let place = Place::git(STATE);
    let none = place.run(&["show"]).expect(1);
    assert!(
        none.stderr.contains("watchme-apply apply"),
        "{}",
        none.stderr
    );
    place.run(&["apply"]).expect(0);
    let hello = "etc/logrotate.d/hello";
    place.write(&[(
        hello,
        "/var/log/hello.log {\n    daily\n}\npassword = hunter2hunter2\n",
    )]);
    place.commit("Daily");
    place.run(&["apply"]).expect(0);
    let before = place.host();
    let told = place.run(&["show"]).expect(0).stdout;
    for said in [
        "generation 2, current: ",
        "(Daily)",
        "  author   ",
        "  commit   ",
        "took 0 s (apply)",
        "  outcome  applied",
        "  before   generation 1: ",
        "    --- /etc/logrotate.d/hello",
        "    -    weekly",
        "    +    daily",
        "steps of the run:",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    assert!(
        !told.contains("hunter2") && !told.contains("hello.service:"),
        "{told}"
    );
    let secrets = place.run(&["show", "2", "--show-secrets"]).expect(0).stdout;
    assert!(secrets.contains("hunter2hunter2"), "{secrets}");
    let first = place.run(&["show", "1"]).expect(0).stdout;
    assert!(
        first.contains("before   nothing: it is the first one") && first.contains("+    weekly"),
        "{first}"
    );
    let json = keeps_to("show", place.run(&["show", "2", "--json"]).expect(0));
    assert_eq!(
        (&json["generation"], &json["before"]),
        (&2.into(), &1.into())
    );
    let changes = json["changes"].as_array().expect("changes").iter();
    let unified: String = changes
        .map(|one| one["diff"]["unified"].to_string())
        .collect();
    assert!(unified.contains("+    daily"), "{json:#}");
    assert!(place.host() == before, "show writes nothing");

    std::fs::remove_dir_all(place.on_host("/etc/watchme-apply/generations/1")).unwrap();
    let gone = place.run(&["show", "1"]).expect(1).stderr;
    assert!(
        gone.contains("generation 1 is not kept any more; kept are: 2")
            && gone.contains("watchme-apply history 1 shows its run and its commits"),
        "{gone}"
    );
    let without = place.run(&["show", "2"]).expect(0).stdout;
    assert!(
        without.contains(
            "no diffs: generation 1, with which it would be compared, is not kept any more"
        ),
        "{without}"
    );
    let never = place.run(&["show", "9"]).expect(1).stderr;
    assert!(
        never.contains("there is no generation 9; there are: 2"),
        "{never}"
    );
}
