//! `docs` keeps the marked tables of Markdown files in step with the desired state, and touches nothing else.

use std::fs;

use crate::support::Place;

const SITE: &str = "server {\n    listen 80;\n    server_name api.example.com;\n    location /api/ { proxy_pass http://localhost:8001/; }\n    location / { return 404; }\n}\n";
const COMPOSE: &str = "services:\n  web:\n    image: web:1\n    container_name: my_web\n    restart: unless-stopped\n    ports: ['127.0.0.1:8001:80']\n    networks: [shared]\nnetworks:\n  shared: {external: true}\n";
const INFRA: &str = "services:\n  holder:\n    image: busybox:1\n    networks: [shared]\nnetworks:\n  shared: {name: shared}\n";
const OWNER: &str = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n";
const TOML: &str = "[network.shared]\nowner = \"infra.service\"\n[[network.shared.member]]\ncontainer = \"my_web\"\naddress = \"192.0.2.7\"\n[[network.shared.member]]\ncontainer = \"by_hand\"\n";

fn place(files: &[(&str, &str)]) -> Place {
    let state = [
        ("watchme.toml", TOML),
        ("sites-available/api", SITE),
        ("compose/web/compose.yaml", COMPOSE),
        ("docker-compose.infra.yml", INFRA),
        ("systemd/infra.service", OWNER),
    ];
    let state: Vec<_> = state.into_iter().chain(files.iter().copied()).collect();
    Place::git(&state)
}

fn marked(name: &str) -> String {
    format!("before | {name}\n<!-- watchme-apply:{name} -->\nold\n<!-- /watchme-apply -->\nbehind")
}

#[test]
fn tables_follow_the_desired_state() {
    let names = ["endpoints", "ports", "containers", "start-order", "network"];
    let texts = names.map(|name| (format!("notes/{name}.md"), marked(name)));
    let files = texts
        .each_ref()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    let place = place(&files);
    let read =
        |name: &str| fs::read_to_string(place.checkout().join(format!("notes/{name}.md"))).unwrap();

    let stale = place.run(&["docs", "--check"]).expect(2).stdout;
    for part in ["-old", "+| http://api.example.com/api/ |", "5 files stale"] {
        assert!(stale.contains(part), "{part}: {stale}");
    }
    assert_eq!(read("ports"), marked("ports"));
    let written = place.run(&["docs"]).expect(0).stdout;
    assert!(
        written.contains("  ~ notes/ports.md\n") && written.contains("5 files written"),
        "{written}"
    );
    for (name, parts) in [
        (
            "endpoints",
            vec![
                "| http://api.example.com/api/ | http://localhost:8001/ | my\\_web | stack-web.service |\n",
            ],
        ),
        (
            "ports",
            vec![
                "| 80 | \\* | nginx, api | - |\n",
                "| 8001 | 127.0.0.1 | web/web (80) | stack-web.service |\n",
            ],
        ),
        (
            "containers",
            vec![
                "| my\\_web | 8001 to 80 | shared 192.0.2.7 | stack-web.service |\n",
                // No compose file has it.
                "| by\\_hand | - | shared | - |\n",
            ],
        ),
        (
            "start-order",
            vec![
                "| 1 | infra.service | - |\n",
                "| 2 | stack-web.service | infra.service |\n",
            ],
        ),
        (
            "network",
            vec![
                "```mermaid\nflowchart LR\n    client((clients)) --> nginx\n",
                "    subgraph n0[\"shared\"]\n        c0[\"by_hand\"]\n        c1[\"my_web<br>192.0.2.7\"]\n    end\n",
                "    nginx -->|\"/api/\"| c1\n```\n",
            ],
        ),
    ] {
        let text = read(name);
        let begin = format!("before | {name}\n<!-- watchme-apply:{name} -->\n");
        assert!(text.starts_with(&begin), "{text}");
        assert!(text.ends_with("<!-- /watchme-apply -->\nbehind"), "{text}");
        assert!(!text.contains("old"), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    let again = place.run(&["docs", "--check"]).expect(0).stdout;
    assert_eq!(again, "5 files up to date\n");
}

#[test]
fn a_marker_that_is_wrong_stops_all_of_it() {
    for (text, message, hint) in [
        (
            "\n<!-- watchme-apply:port -->\n<!-- /watchme-apply -->\n",
            "b.md:2: there is no table \"port\"",
            "did you mean ports?",
        ),
        (
            "<!-- watchme-apply:zzz -->\n<!-- /watchme-apply -->\n",
            "b.md:1: there is no table \"zzz\"",
            "there are: endpoints, ports",
        ),
        (
            "<!-- watchme-apply:ports -->\ntext\n",
            "b.md:1: the marker has no end",
            "write <!-- /watchme-apply -->",
        ),
        (
            "<!-- /watchme-apply -->\n",
            "b.md:1: this end marker has no beginning",
            "remove the line",
        ),
    ] {
        let good = marked("ports");
        let place = place(&[("a.md", &good), ("b.md", text)]);
        for arguments in [&["docs"][..], &["docs", "--check"]] {
            let refused = place.run(arguments).expect(1).stderr;
            assert!(refused.contains(message), "{message}: {refused}");
            assert!(
                refused.contains(&format!("hint: {hint}")),
                "{hint}: {refused}"
            );
        }
        let kept = fs::read_to_string(place.checkout().join("a.md")).unwrap();
        assert_eq!(kept, good);
    }
    // Nothing is read or written through a link, and without a marker there is nothing to do.
    let place = place(&[("README.md", "# Mine\n")]);
    let outside = place.beside("outside.md");
    fs::write(&outside, marked("ports")).unwrap();
    std::os::unix::fs::symlink(&outside, place.checkout().join("link.md")).unwrap();
    let said = place.run(&["docs"]).expect(0).stdout;
    assert!(said.contains("no Markdown file has a marker"), "{said}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), marked("ports"));
}

#[test]
fn a_checkout_with_too_many_files_is_not_up_to_date() {
    let place = place(&[("a.md", &marked("ports"))]);
    place.run(&["docs"]).expect(0);
    let many = place.checkout().join("zz");
    fs::create_dir(&many).unwrap();
    for number in 0..20_000 {
        fs::File::create(many.join(format!("{number:05}"))).unwrap();
    }
    let checked = place.run(&["docs", "--check"]).expect(2);
    for part in [
        "warning: the checkout has more than 20000 files and folders: zz/199",
        " and those after it were not read",
    ] {
        assert!(checked.stderr.contains(part), "{part}: {}", checked.shown());
    }
    assert_eq!(
        checked.stdout,
        "1 file up to date, of those that were looked at\n"
    );
    let written = place.run(&["docs"]).expect(0);
    assert!(written.stderr.contains("zz/199"), "{}", written.shown());
}

#[test]
fn a_folder_that_is_too_deep_is_named() {
    let deep = format!("{}/a.md", ["d"; 32].join("/"));
    let deeper = format!("{}/b.md", ["e"; 34].join("/"));
    let place = place(&[(&deep, &marked("ports")), (&deeper, &marked("ports"))]);
    let written = place.run(&["docs"]).expect(0);
    assert!(
        written.stdout.contains("1 file written"),
        "{}",
        written.shown()
    );
    let named = format!(
        "warning: {} is more than 32 folders deep, and was not read",
        ["e"; 33].join("/")
    );
    assert!(written.stderr.contains(&named), "{}", written.shown());
    place.run(&["docs", "--check"]).expect(2);
}
