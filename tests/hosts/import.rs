//! `import` writes the repository of a server that nobody prepared. Its first apply restarts nothing, and nothing is left to do
//! after it.

mod lived_in;
mod without;

use serde_json::Value;

use crate::support::Host;
use crate::support::schema::json;
use lived_in::{SHOP, lived_in};

/// Where the import goes.
const NEW: &str = "/home/ubuntu/server-config";
/// What is secret on this server.
const SECRETS: [&str; 7] = [
    "hunter2-in-env",
    "x7zpq-lost",
    "x7zpq-inline",
    "unit-s3cret-1",
    "mode-s3cret-2",
    "htpasswd-s3cret",
    "PRIVATE KEY",
];

/// What identifies a run of each thing that serves.
fn runs(host: &Host) -> String {
    host.sh(
        "systemctl show -p Id -p MainPID -p InvocationID alpha plain report.timer keyed linked docker nginx
         systemctl is-active unused down || true; docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sort
         docker network ls --no-trunc --format '{{.ID}} {{.Name}}' | sort",
    )
}

fn import(host: &Host, arguments: &str) -> crate::support::Output {
    host.try_sh_as(
        "ubuntu",
        &format!("cd /home/ubuntu; sudo watchme-apply import {arguments}"),
    )
}

/// Runs the program in the new checkout as the person to whom it belongs.
fn tool(host: &Host, arguments: &str) -> crate::support::Output {
    host.try_sh_as(
        "ubuntu",
        &format!("cd {NEW}; sudo watchme-apply {arguments}"),
    )
}

fn texts<'a>(object: &'a Value, key: &str, of: &str) -> Vec<&'a str> {
    let items = object[key].as_array().expect("a list").iter();
    items
        .map(|item| item[of].as_str().unwrap_or_default())
        .collect()
}

#[test]
fn a_server_with_a_history_becomes_a_repository_and_nothing_restarts() {
    let host = lived_in();
    let before = runs(&host);

    // First without writing anything, as JSON.
    let dry = host.assert_untouched(|host| import(host, "server-config --dry-run --json"));
    let json = json("import", &dry.expect(0).stdout);
    let taken = texts(&json, "taken", "resource");
    for resource in [
        "site/alpha",
        "site/old",
        "unit/alpha.service",
        "unit/nginx.service",
        "unit/plain.service",
        "unit/report.timer",
        "unit/report.service",
        "unit/unused.service",
        "unit/stack-shop.service",
        "unit/stack-tools.service",
        "unit/linked.service",
        "site/linked",
        "network/app-net",
        "member/app-net/byhand",
        "etc/nginx/conf.d/maps.conf",
        "etc/nginx/snippets/headers.conf",
        "etc/nginx/nginx.conf",
        "etc/cron.d/nightly",
        "etc/docker/daemon.json",
        "etc/default/plain",
    ] {
        assert!(taken.contains(&resource), "{resource}: {json:#}");
    }
    let unmanaged = json["unmanaged"].as_array().unwrap();
    for (what, why) in [
        (
            "/etc/systemd/system/keyed.service",
            "line 2 looks like a password or a key",
        ),
        (
            "/etc/systemd/system/down.service",
            "an apply would change it: start",
        ),
        (
            "compose project alpha",
            "alpha.service runs it from its current folder",
        ),
        (
            "compose project stale",
            "compose would recreate its container",
        ),
        (
            "compose project ill",
            "is unhealthy, and an apply of it would fail",
        ),
        ("container byhand", "it was started with docker run"),
        ("/etc/default/private", "others may not read it (mode 0600)"),
        ("/etc/strange", "no package owns it"),
        ("/etc/nginx/.htpasswd", "its name suggests"),
        (
            "/var/spool/cron/crontabs/ubuntu",
            "crontabs of users are not managed",
        ),
        ("/etc/systemd/system/masked.service", "it is masked"),
        ("/etc/default/huge", "it has 9 MiB"),
        ("/etc/default/pipe", "it is a pipe"),
        ("/etc/default/socket", "it is a socket"),
        (
            "compose project alpha",
            "only its containers have the values of KEPT: /opt/alpha/.env does not",
        ),
    ] {
        let is = |left: &&Value| {
            left["what"].as_str().unwrap().starts_with(what)
                && left["why"].as_str().unwrap().contains(why)
        };
        assert!(
            unmanaged.iter().any(|left| is(&left)),
            "{what}: {why}: {json:#}"
        );
    }
    let of_units = import(
        &host,
        "server-config --dry-run --json --only units --with-secrets",
    );
    let of_units: Value = serde_json::from_str(&of_units.expect(0).stdout).expect("JSON");
    let taken = of_units["taken"].as_array().unwrap();
    assert!(
        taken.iter().all(|taken| taken["kind"] == "units"),
        "{of_units:#}"
    );
    assert!(
        texts(&of_units, "taken", "resource").contains(&"unit/keyed.service"),
        "{of_units:#}"
    );
    assert!(!host.stands(NEW));

    // The same for real.
    let said = import(&host, "server-config").expect(0).stdout;
    eprintln!("{said}");
    for part in [
        "is a new repository of one commit",
        "secrets, which are not in git:",
        "/opt/shop/shop.env",
        "/etc/letsencrypt/live/alpha.example.com/privkey.pem",
        "not managed:",
        "the first apply stops and restarts nothing",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(runs(&host), before, "an import changes nothing");

    // Nothing that is secret is in git or in what was said, and git has nothing more to commit.
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret}: {said}");
        let found = host.sh_as(
            "ubuntu",
            &format!("cd {NEW}; git grep -l -e '{secret}' $(git rev-list --all) || true"),
        );
        assert_eq!(found, "", "{secret}");
    }
    assert_eq!(
        host.sh_as("ubuntu", &format!("cd {NEW}; git status --short")),
        ""
    );
    // What only a container had, and what was the default of a variable.
    let env = format!("{NEW}/desired-state/compose/shop/.env");
    for line in [
        "DB_PASS=x7zpq-inline\n",
        "ADMIN_TOKEN=x7zpq-inline\n",
        "LOST_SECRET=x7zpq-lost\n",
    ] {
        assert!(
            host.read(&env).contains(line),
            "{line}: {}",
            host.read(&env)
        );
    }
    assert_eq!(host.sh(&format!("stat -c '%a %U' {env}")), "600 root");
    assert!(host.read(&env).contains("DB_PASSWORD=x7zpq-inline\n"));
    let compose = host.read(&format!(
        "{NEW}/desired-state/compose/shop/docker-compose.yml"
    ));
    assert_eq!(
        compose,
        SHOP.replace("[shop.env]", "[\"/opt/shop/shop.env\"]")
            .replace(
                "DB_PASSWORD: x7zpq-inline",
                "DB_PASSWORD: \"${DB_PASSWORD}\""
            )
            .replace("DB_PASS: x7zpq-inline", "DB_PASS: \"${DB_PASS}\"")
            .replace(
                "ADMIN_TOKEN: ${ADMIN_TOKEN:-x7zpq-inline}",
                "ADMIN_TOKEN: \"${ADMIN_TOKEN}\""
            )
            .replace("'./data:/data'", "\"/opt/shop/data:/data\"")
            .replace(
                "'./shop.conf:/etc/shop.conf:ro'",
                "\"/opt/shop/shop.conf:/etc/shop.conf:ro\""
            )
    );

    // What it does not do.
    let without_root = host.try_sh_as("ubuntu", "cd /home/ubuntu; watchme-apply import other");
    let errors = [
        without_root,
        host.try_sh_as(
            "ubuntu",
            "cd /home/ubuntu; mkdir full; touch full/a; sudo watchme-apply import full",
        ),
        import(&host, "server-config/new"),
    ];
    for (failed, error, hint) in [
        (
            &errors[0],
            "only root can read what is to be imported",
            "sudo watchme-apply import DIR",
        ),
        (
            &errors[1],
            "/home/ubuntu/full is not empty: nothing was written",
            "name a folder that is not there yet",
        ),
        (
            &errors[2],
            "is in a git repository: an import creates its own repository",
            "name a folder",
        ),
    ] {
        assert_eq!(failed.status, 1, "{}", failed.text());
        let said = &failed.stderr;
        assert!(
            said.contains(error) && said.contains(&format!("hint: {hint}")),
            "{said}"
        );
    }

    // The first apply takes over what is there.
    let checked = tool(&host, "check").text();
    assert!(!checked.contains("error["), "{checked}");
    let plan = tool(&host, "plan").expect(0).stdout;
    for interruption in [": restart", ": stop", "interrupts only"] {
        assert!(!plan.contains(interruption), "{interruption}: {plan}");
    }
    tool(&host, "apply").expect(0);
    assert_eq!(runs(&host), before, "an apply restarts nothing");
    let in_sync = tool(&host, "plan --detailed-exitcode").expect(0).stdout;
    assert!(in_sync.contains("plan: nothing to do"), "{in_sync}");
    tool(&host, "drift").expect(0);

    // The host belongs to it now.
    let failed = import(&host, "other").expect(1).stderr;
    assert!(
        failed.contains("error: this host has the desired state of /home/ubuntu/server-config")
            && failed.contains("hint: sudo watchme-apply drift"),
        "{failed}"
    );
    let failed = import(&host, "server-config").expect(1).stderr;
    assert!(
        failed.contains("this host has the desired state"),
        "{failed}"
    );
}
