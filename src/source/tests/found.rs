//! Compose files that no unit names and that compose finds by itself.

use super::*;
use crate::model::layout;

/// The generated drop-in of `a.service`, which runs compose in a folder with two files that it finds.
fn dropin(before: &str) -> String {
    let lab = Lab::in_git();
    let root = lab.path();
    let unit = format!(
        "[Service]\nWorkingDirectory={0}/100%% a\n{before}ExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down\n",
        root.display()
    )
    .replace("ROOT", &root.to_string_lossy());
    lab.write("desired-state/systemd/a.service", &unit)
        .write("scripts/pre.sh", "#!/bin/sh\n")
        .write("100% a/docker-compose.yml", "services: {s: {image: a}}\n")
        .write("100% a/docker-compose.override.yml", "services: {}\n");
    lab.commit();
    let checkout = Checkout::open(&root.join("desired-state"), &[]).unwrap();
    let desired = checkout.read(&Which::Head).unwrap().desired;
    let path = PathBuf::from(layout::store::UNITS)
        .join("a.service.d")
        .join(layout::BIND_DROPIN);
    let text = String::from_utf8(desired.tree()[&path].content.to_vec()).unwrap();
    text.replace(&*root.to_string_lossy(), "ROOT")
}

#[test]
fn what_compose_found_when_it_was_applied_is_named_for_it() {
    let line = "Environment=\"COMPOSE_FILE=ROOT/100%% a/docker-compose.yml:ROOT/100%% a/docker-compose.override.yml\"\n";
    let text = dropin("");
    assert!(text.contains(line), "{text}");
}

#[test]
fn nothing_is_named_where_that_may_be_wrong() {
    let script = "ExecStartPre=ROOT/scripts/pre.sh\n";
    for before in [
        script,
        "ExecStartPre=/bin/sh -c 'cd ../b && docker-compose pull'\n",
        "Environment=COMPOSE_FILE=docker-compose.yml\n",
    ] {
        let text = dropin(before);
        assert!(!text.contains("COMPOSE_FILE"), "{before}: {text}");
    }
}
