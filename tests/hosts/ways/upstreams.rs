//! What served before serves after: ports that nginx passes requests to.

use super::{assert_answers, compose_file, compose_unit};
use crate::support::{CHECKOUT, Host, desired, service};

fn site(container: u16, program: u16) -> String {
    format!(
        "server {{
    listen 80;
    server_name api.example.com;
    location /container/ {{ proxy_pass http://localhost:{container}/; }}
    location /program/ {{ proxy_pass http://127.0.0.1:{program}/; }}
}}
"
    )
}

fn program(port: u16) -> String {
    service(&format!(
        "/bin/busybox httpd -f -p 127.0.0.1:{port} -h /srv"
    ))
}

#[track_caller]
fn assert_serves(host: &Host) {
    for path in ["container", "program"] {
        let answer = host.get(&format!("http://api.example.com/{path}/"));
        assert_eq!(answer.0, 200, "{path}");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_upstream_that_a_run_would_lose_is_refused_or_rolled_back() {
    let host = Host::with_images(&["app:1", "app:2"]);
    host.write("/srv/index.html", "program\n");
    let path = "compose/web/docker-compose.yml";
    let (site_path, web, plain) = (
        desired("sites-available/api"),
        desired("systemd/web.service"),
        desired("systemd/plain.service"),
    );
    let web_unit = compose_unit(&format!("-f {CHECKOUT}/{path}"));
    host.checkout(&[
        (&site_path, &site(8101, 8111)),
        (&web, &web_unit),
        (path, &compose_file("server", "web", "app:1", 8101)),
        (&plain, &program(8111)),
    ]);
    host.apply(&[]).expect(0);
    assert_serves(&host);
    let runs = host.runs(&["web.service", "plain.service"]);

    // What the plan can know is refused before anything stops.
    let moved = compose_file("server", "web", "app:2", 8102);
    host.commit(&[(path, Some(&moved))], "the port moves, the site does not");
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        assert!(
            refused.contains(
                "it passes requests to 127.0.0.1:8101, and this plan changes web.service, which no longer publishes it"
            ),
            "{refused}"
        );
    }
    host.commit(
        &[(&web, None), (path, None), (&plain, None)],
        "the services leave, the site does not",
    );
    let refused = host.apply(&[]).expect(1).text();
    for last in [
        "this plan removes web.service, whose container web listens there",
        "this plan removes plain.service, which listens there",
    ] {
        assert!(refused.contains(last), "{last}: {refused}");
    }
    assert_eq!(
        host.runs(&["web.service", "plain.service"])
            .restarted_since(&runs),
        [""; 0]
    );
    assert_serves(&host);

    // What only shows when it runs is rolled back: a program that listens elsewhere, and one in a container, where
    // Docker goes on to accept connections.
    let deaf = format!(
        "{}    command: ['/bin/httpd', '-f', '-p', '9999']\n",
        compose_file("server", "web", "app:2", 8101)
    );
    for (what, address, changes) in [
        (
            "a program that listens elsewhere",
            "127.0.0.1:8111",
            [
                (path, compose_file("server", "web", "app:1", 8101)),
                (plain.as_str(), program(8112)),
            ],
        ),
        (
            "a container in which nothing listens",
            "127.0.0.1:8101",
            [(path, deaf), (plain.as_str(), program(8111))],
        ),
    ] {
        let mut files: Vec<_> = changes
            .iter()
            .map(|(path, text)| (*path, Some(text.as_str())))
            .collect();
        files.push((&web, Some(&web_unit)));
        host.commit(&files, what);
        let failed = host.apply(&[]).expect(3).text();
        assert!(
            failed.contains(&format!(
                "{address} accepted connections before and accepts none now: site/api passed requests to it"
            )),
            "{what}: {failed}"
        );
        assert_serves(&host);
    }

    // Together with the site it goes, and no request is answered by nobody.
    host.commit(
        &[
            (&site_path, Some(&site(8102, 8112))),
            (path, Some(&moved)),
            (&plain, Some(&program(8112))),
        ],
        "both move, and the site too",
    );
    host.apply(&[]).expect(0);
    assert_serves(&host);
    assert_answers(&host, 8102, "app:2");
}

/// Only the site changes: nothing stops, nothing starts, and each request would be answered with 502.
#[test]
fn a_site_that_moves_to_a_port_at_which_nobody_listens_is_refused() {
    let host = Host::with_images(&[]);
    host.write("/srv/index.html", "program\n");
    let (site_path, plain) = (
        desired("sites-available/api"),
        desired("systemd/plain.service"),
    );
    let site = |port: u16| {
        format!(
            "server {{\n    listen 80;\n    server_name api.example.com;\n    location / {{ proxy_pass http://127.0.0.1:{port}; }}\n}}\n"
        )
    };
    host.checkout(&[(&site_path, &site(8111)), (&plain, &program(8111))]);
    host.apply(&[]).expect(0);
    let serves = || host.get("http://api.example.com/").0;
    assert_eq!(serves(), 200);
    host.commit(&[(&site_path, Some(&site(8055)))], "a port that nobody has");
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        assert!(
            refused.contains("it passed requests to 127.0.0.1:8111, and would pass them to 127.0.0.1:8055, where nothing listens"),
            "{refused}"
        );
    }
    assert_eq!(serves(), 200);
    // Another site has served nobody yet.
    let other = site(8056).replace("api.", "other.");
    host.commit(
        &[
            (&site_path, Some(&site(8111))),
            (&desired("sites-available/other"), Some(&other)),
        ],
        "a site for what comes later",
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("it would pass requests to 127.0.0.1:8056, where nothing listens"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    // What somebody has started serves.
    host.sh("systemd-run -q /bin/busybox httpd -f -p 127.0.0.1:8055 -h /srv");
    host.wait_for("8055", std::time::Duration::from_secs(10), || {
        host.get("http://localhost:8055/").0 == 200
    });
    host.commit(&[(&site_path, Some(&site(8055)))], "now somebody has it");
    host.apply(&[]).expect(0);
    assert_eq!(serves(), 200);
}
