//! Copies of stacks that update start-first, as people look at them.

use crate::support::{Host, desired};

const POLICY: &str = "[stack.app]\nupdate = \"start-first\"\nports = [8101, 8102]\n";
const SITE: &str = "server {\n    listen 80;\n    server_name app.example.com;\n    location / {\n        proxy_pass http://app;\n    }\n}\n";

fn compose(image: &str, more: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    restart: unless-stopped\n    ports: ['127.0.0.1:${{PORT}}:8000']\n{more}"
    )
}

#[test]
fn the_copy_that_serves_is_named_and_one_that_fails_says_what_it_wrote() {
    let host = Host::with_images(&["web:1", "web:2"]);
    let path = desired("compose/app/compose.yaml");
    host.checkout(&[
        (&desired("watchme.toml"), POLICY),
        (&desired("sites-available/app"), SITE),
        (&path, &compose("web:1", "")),
    ]);
    host.apply(&[]).expect(0);
    host.commit(&[(&path, Some(&compose("web:2", "")))], "web 2");
    host.apply(&[]).expect(0);
    for command in [&["ports"][..], &["routes"]] {
        let said = host.tool(command).text();
        assert!(said.contains("app-b") && !said.contains("app-a"), "{said}");
    }
    let free = host
        .tool(&["ports", "--free", "8100-8103"])
        .expect(0)
        .text();
    assert!(free.contains("8100") && !free.contains("8101"), "{free}");

    // A pause by the name of the stack.
    let paused = host
        .tool(&["pause", "app", "--reason", "memory"])
        .expect(0)
        .text();
    assert!(paused.contains("stack-app-b.service"), "{paused}");
    assert_eq!(host.sh("docker ps -q"), "");
    host.tool(&["resume", "app-b-web-1"]).expect(0);
    assert_eq!(host.sh("docker ps -q | wc -l"), "1");

    let fails = "    command: [sh, -c, 'echo no database here; exit 7']\n";
    host.commit(&[(&path, Some(&compose("web:1", fails)))], "fails");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("no database here"), "{failed}");
    let hint = "journalctl -u stack-app-a.service -n 50";
    assert!(failed.contains(hint), "{failed}");
    assert!(!failed.contains("systemctl status"), "{failed}");
    assert!(host.sh(hint).contains("stack-app-a.service"), "{failed}");
    assert_eq!(host.sh("docker ps -q | wc -l"), "1");
}

#[test]
fn a_replica_that_somebody_adds_is_drift() {
    let host = Host::with_images(&["worker:1"]);
    let file = "services:\n  worker:\n    image: worker:1\n    restart: unless-stopped\n    command: [sleep, '100000']\n";
    host.checkout(&[(&desired("compose/a/docker-compose.yml"), file)]);
    host.apply(&[]).expect(0);
    let count = || host.sh("docker ps -q | wc -l");
    host.sh(&format!(
        "cd {}/desired-state/compose/a; docker-compose up -d --scale worker=2 2>&1",
        crate::support::CHECKOUT
    ));
    assert_eq!(count(), "2");
    let said = host.tool(&["drift"]).expect(2).text();
    let what = "its service worker has 2 containers that run, and its compose file asks for 1";
    assert!(said.contains(what), "{said}");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(count(), "1");
    host.tool(&["drift"]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
}
