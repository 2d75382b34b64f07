//! The folders of `examples/`, each applied to a host of its own. That of unattended runs is in `unattended.rs`.

mod egov;
mod hugmedo;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::network::{POLICY, Server};
use crate::support::{CHECKOUT, Debian, Host};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path)
}

/// The files of the template for a service, in the places where its README puts them.
fn template(path: &str) -> String {
    let path = example("service-template/desired-state").join(path);
    let text = fs::read_to_string(path).expect("a file of the template");
    let lines = text.lines();
    let kept: Vec<&str> = lines
        .filter(|line| !line.starts_with("# watchme-apply: allow("))
        .collect();
    kept.join("\n") + "\n"
}

#[test]
fn the_smallest_desired_state_applies() {
    let host = Host::boot();
    host.checkout(&[]);
    host.copy_in(&example("minimal"), &format!("{CHECKOUT}/desired-state"));
    host.commit(&[], "the smallest");
    host.apply(&[]).expect(0);
    assert_eq!(
        host.get("http://hello.example/"),
        (200, "hello\n".to_owned())
    );
    assert!(host.is_active("hello.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
    host.reboot();
    assert_eq!(host.get("http://hello.example/").0, 200);
    assert!(host.is_active("hello.service"));
}

#[test]
#[ignore = "long: tests/run --all"]
fn the_template_of_a_service_applies() {
    let host = Host::boot();
    let compose = "compose/example-api/docker-compose.yml";
    let unit = "systemd/watchme-example-api.service";
    let site = "sites-available/api.example.com";
    let file = template(compose);
    let image = file
        .lines()
        .find_map(|line| line.trim().strip_prefix("image: "));
    let image = image.expect("the image of the template");
    host.load_service_image(image, 8020, &["/api/example/status", "/api/example/health"]);
    let policy = "[network.watchme-network]\nowner = \"watchme-infrastructure.service\"\n
[[network.watchme-network.member]]\ncontainer = \"example-api\"\n
[[route]]\nurl = \"http://api.example.com/example/status\"\nupstream = \"http://localhost:8020/api/example/status\"\n
[[gate]]\nurl = \"http://api.example.com/example/health\"\nstatus = 200\n";
    let place = |path: &str| format!("desired-state/{path}");
    Server::with_owner()
        .with(POLICY, policy)
        .with(&place(compose), file.as_str())
        .with(&place(unit), template(unit))
        .with(&place(site), template(site))
        .check_out(&host);
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("its health gate passed"), "{said}");
    let url = "http://api.example.com/example/status";
    assert_eq!(host.get(url), (200, format!("{image}\n")));
    assert_eq!(
        host.names_on_network("watchme-network"),
        ["example-api".to_owned()].into()
    );
    host.assert_does_nothing(&["apply"]).expect(0);

    // The same where people call compose as a plug-in.
    if host.debian() == Debian::Thirteen {
        let plugin = template(unit).replace("/usr/bin/docker-compose", "/usr/bin/docker compose");
        host.commit(&[(&place(unit), Some(&plugin))], "docker compose");
        host.apply(&[]).expect(0);
        assert_eq!(host.get(url), (200, format!("{image}\n")));
        host.assert_does_nothing(&["apply"]).expect(0);
    }
}
