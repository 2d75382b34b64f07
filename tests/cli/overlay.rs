//! `hosts/NAME/`: the files of one host over those that all hosts share.

use crate::support::Place;

const SITE: &str =
    "server { listen 80; server_name a.example.com; location / { return 200 shared; } }\n";

fn place() -> Place {
    let own = SITE.replace("shared", "own");
    Place::git(&[
        (
            "watchme.toml",
            "soak = \"1m\"\n[etc.motd]\nmode = \"0600\"\n",
        ),
        ("sites-available/a", SITE),
        ("etc/motd", "shared\n"),
        (
            "hosts/staging/watchme.toml",
            "[etc.motd]\nowner = \"root:adm\"\n",
        ),
        ("hosts/staging/sites-available/a", &own),
        ("hosts/staging/etc/only/here", "here\n"),
        ("hosts/staging/README.md", "The test server.\n"),
        ("hosts/production/etc/motd", "production\n"),
    ])
}

#[test]
fn the_files_and_keys_of_a_host_are_over_those_of_all() {
    let place = place();
    place.run(&["apply", "--host", "staging"]).expect(0);
    assert!(
        place
            .read_host("/etc/nginx/sites-available/a")
            .contains("own")
    );
    assert_eq!(place.read_host("/etc/motd"), "shared\n");
    assert_eq!(place.read_host("/etc/only/here"), "here\n");
    place.run(&["drift", "--host", "staging"]).expect(0);
    let again = place.run(&["apply", "--host", "staging"]).expect(0);
    assert!(
        again.stdout.contains("nothing to do") || again.stdout.contains("in sync"),
        "{}",
        again.shown()
    );

    // Another host.
    let plan = place.run(&["plan", "--host", "production"]).expect(0);
    for said in [
        "hosts/production/etc/motd",
        "+production",
        "remove /etc/only/here",
        "-server { listen 80; server_name a.example.com; location / { return 200 own; } }",
    ] {
        assert!(plan.stdout.contains(said), "{said}\n{}", plan.shown());
    }
    // An offline root may be any host's: without a name, what all have.
    let plan = place.run(&["plan"]).expect(0);
    assert!(!plan.stdout.contains("+production"), "{}", plan.shown());

    let unknown = place.run(&["plan", "--host", "stagin"]).expect(1);
    for said in [
        "hosts has no folder for the host stagin",
        "the hosts are production, staging",
    ] {
        assert!(unknown.stderr.contains(said), "{said}\n{}", unknown.shown());
    }
    let wrong = place.run(&["plan", "--host", "../x"]);
    assert_eq!(wrong.status, 64, "{}", wrong.shown());
    assert!(
        wrong.stderr.contains("a name consists of letters"),
        "{}",
        wrong.shown()
    );
}

#[test]
fn an_uncommitted_change_of_a_host_stops_its_apply() {
    let place = place();
    place.write(&[("hosts/staging/etc/only/here", "there\n")]);
    let stopped = place.run(&["apply", "--host", "staging"]).expect(1);
    assert!(
        stopped.stderr.contains("hosts/staging/etc/only/here"),
        "{}",
        stopped.shown()
    );
    place.run(&["apply", "--host", "production"]).expect(0);
    let plan = place
        .run(&["plan", "--host", "staging", "--worktree"])
        .expect(0);
    assert!(plan.stdout.contains("+there"), "{}", plan.shown());
}

#[test]
fn check_validates_each_host() {
    let place = place();
    place.run(&["check"]).expect(0);
    place.write(&[
        (
            "hosts/staging/sites-available/a",
            "server { listen 80; server_name a.example.com; retrun 200; }\n",
        ),
        ("hosts/production/watchme.toml", "soack = \"1m\"\n"),
    ]);
    let check = place.run(&["check"]).expect(2);
    for said in [
        "on the host staging: nginx knows no directive retrun",
        "hosts/staging/sites-available/a:1:48",
        "on the host production: unknown key \"soack\"",
        "hosts/production/watchme.toml:1:1",
    ] {
        assert!(check.stdout.contains(said), "{said}\n{}", check.shown());
    }
    let one = place.run(&["check", "--host", "production"]).expect(2);
    assert!(!one.stdout.contains("retrun"), "{}", one.shown());
}

#[test]
fn a_merge_tells_which_hosts_it_concerns() {
    let place = place();
    place.write(&[("hosts/staging/etc/only/here", "there\n")]);
    place.commit("staging alone");
    let plan = place.run_here(&["plan", "--from", "HEAD~1"]).expect(0);
    assert!(
        plan.shown()
            .contains("affects the hosts staging; --host NAME plans for one of them"),
        "{}",
        plan.shown()
    );
    let plan = place
        .run_here(&["plan", "--from", "HEAD~1", "--host", "staging"])
        .expect(0);
    assert!(plan.stdout.contains("+there"), "{}", plan.shown());
    place.write(&[("etc/motd", "all\n")]);
    place.commit("all");
    let plan = place.run_here(&["plan", "--from", "HEAD~1"]).expect(0);
    // That of production is its own.
    assert!(
        plan.shown().contains("affects the hosts staging;"),
        "{}",
        plan.shown()
    );
}

/// The compose file that a host has in the place of another one is read once.
#[test]
fn the_stack_of_a_host_is_checked_once() {
    let compose = |port: u16| {
        format!(
            "services:\n  web:\n    image: web:1\n    restart: unless-stopped\n    mem_limit: 64m\n    ports: ['127.0.0.1:{port}:80']\n    healthcheck: {{test: ['CMD', 'true']}}\n"
        )
    };
    let place = Place::git(&[
        ("compose/app/compose.yaml", &compose(8001)),
        ("hosts/staging/compose/app/compose.yaml", &compose(8002)),
    ]);
    for args in [&["check"][..], &["check", "--host", "staging"]] {
        let said = place.run(args).expect(0).shown();
        assert!(!said.contains("twice"), "{said}");
    }
}
