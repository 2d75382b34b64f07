//! `secret list`, `edit` and `rotate` on a checkout, without a host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sealed_file::{Form, Identities, Plain, seal};

use crate::support::{Output, Place, keeps_to};

const KEY: &str = include_str!("../../crates/sealed-file/src/tests/age_key.txt");
const SSH: &str = include_str!("../../crates/sealed-file/src/tests/ssh_key.pub.txt");
const UNIT: &str = "[Service]\nEnvironmentFile=/run/watchme-apply/secrets/app.env\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n";

fn identities() -> Identities {
    let mut keys = Identities::default();
    keys.add(&KEY.as_bytes().to_vec().into()).unwrap();
    keys
}

/// A checkout with one secret that is for the age key alone, and the key beside it.
fn place() -> Place {
    let own = identities().public()[0].clone();
    let sealed = seal(
        &Plain::new(b"TOKEN=hunter2\n".to_vec()),
        &[own.parse().unwrap()],
    );
    let sealed = String::from_utf8(sealed.unwrap()).unwrap();
    let policy = format!("[secrets]\nrecipients = [\"{own}\", \"{}\"]\n", SSH.trim());
    let place = Place::git(&[
        ("watchme.toml", &policy),
        ("secrets/app.env.age", &sealed),
        ("systemd/app.service", UNIT),
    ]);
    fs::write(place.beside("key.txt"), KEY).unwrap();
    place
}

fn editor(place: &Place, script: &str) -> String {
    let path = place.beside("editor");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(place: &Place, arguments: &[&str], editor: &str) -> Output {
    let key = place.beside("key.txt");
    let with_key = ["--identity", key.to_str().unwrap()];
    let output = place.run_with(&[arguments, &with_key].concat(), |command| {
        command.env("EDITOR", editor);
    });
    assert!(!output.shown().contains("hunter"), "{}", output.shown());
    output
}

fn opened(place: &Place, name: &str) -> String {
    let sealed = fs::read(place.checkout().join(name)).unwrap();
    let plain = Form::Age.open(&sealed, &identities()).unwrap();
    String::from_utf8(plain.bytes().to_vec()).unwrap()
}

#[test]
fn a_secret_is_listed_without_a_key() {
    let place = place();
    let text = place.run(&["secret", "list"]).expect(0).stdout;
    for part in [
        "app.env",
        "secrets/app.env.age",
        "not for ssh-ed25519 …",
        "used by app.service",
        "1 secret\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = keeps_to("secrets", place.run(&["secret", "list", "--json"]));
    let one = &json["secrets"][0];
    assert_eq!(
        (one["form"].as_str(), one["path"].as_str()),
        (Some("age"), Some("/run/watchme-apply/secrets/app.env"))
    );
    assert_eq!(
        one["lacks"][0].as_str().map(|key| SSH.starts_with(key)),
        Some(true)
    );
    let check = place.run_here(&["check"]);
    assert!(
        check.stdout.contains("error[secret-recipient-missing]"),
        "{}",
        check.shown()
    );
}

#[test]
fn a_secret_is_edited_and_rotated() {
    let place = place();
    let writes = editor(&place, "echo TOKEN=hunter3 >\"$1\"");
    let said = run(&place, &["secret", "edit", "app.env"], &writes).expect(0);
    assert!(
        said.stdout.contains("encrypted for 2 recipients"),
        "{}",
        said.shown()
    );
    assert_eq!(opened(&place, "secrets/app.env.age"), "TOKEN=hunter3\n");
    let same = editor(&place, "true");
    let said = run(&place, &["secret", "edit", "app.env"], &same).expect(0);
    assert!(said.stdout.contains("was not changed"), "{}", said.shown());
    let writes = editor(&place, "[ ! -s \"$1\" ] && echo X=hunter4 >\"$1\"");
    run(&place, &["secret", "edit", "new.env"], &writes).expect(0);
    assert_eq!(opened(&place, "secrets/new.env.age"), "X=hunter4\n");
    let before = fs::read(place.checkout().join("secrets/new.env.age")).unwrap();
    let said = run(&place, &["secret", "rotate"], &same).expect(0);
    assert!(
        said.stdout
            .contains("2 secrets re-encrypted for 2 recipients"),
        "{}",
        said.shown()
    );
    assert_ne!(
        fs::read(place.checkout().join("secrets/new.env.age")).unwrap(),
        before
    );
    assert_eq!(opened(&place, "secrets/new.env.age"), "X=hunter4\n");
    place.run_here(&["check"]).expect(0);
    // An offline root has nothing in memory, and its generations have what is encrypted.
    place.commit("secrets");
    let applied = place.run(&["apply"]).expect(0);
    assert!(
        applied
            .stdout
            .contains("secrets/app.env.age is decrypted by an apply on the host when it runs"),
        "{}",
        applied.shown()
    );
    // What decrypts it at boot is there; `--root` has the program where it will be installed.
    let unit = place.read_host("/etc/systemd/system/watchme-apply-secrets.service");
    assert!(
        unit.contains("\nExecStart=/usr/local/bin/watchme-apply secret load\n"),
        "{unit}"
    );
    let link =
        place.on_host("/etc/systemd/system/sysinit.target.wants/watchme-apply-secrets.service");
    assert_eq!(
        fs::read_link(link).unwrap(),
        Path::new("/etc/systemd/system/watchme-apply-secrets.service")
    );
    let again = place.run(&["apply"]).expect(0);
    assert!(again.stdout.contains("in sync"), "{}", again.shown());
    let kept = place.read_host("/etc/watchme-apply/generations/1/tree/secrets/app.env.age");
    assert!(kept.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    assert!(!place.on_host("/run").exists());
}

#[test]
fn what_goes_wrong_leaves_the_files_as_they_are() {
    let place = place();
    let before = fs::read(place.checkout().join("secrets/app.env.age")).unwrap();
    let fails = editor(&place, "echo X >\"$1\"; exit 3");
    for (arguments, with, says) in [
        (
            &["secret", "edit", "app.env"][..],
            fails.as_str(),
            "the secret was not changed",
        ),
        (
            &["secret", "edit", "app.env"],
            "/nonexistent/editor",
            "could not run the editor /nonexistent/editor",
        ),
        (
            &["secret", "edit", "../x"],
            &fails,
            "is not a valid name of a secret",
        ),
        (
            &["secret", "rotate", "ap.env"],
            &fails,
            "did you mean app.env?",
        ),
    ] {
        let said = run(&place, arguments, with).expect(1).shown();
        assert!(said.contains(says), "{said}");
    }
    let said = place.run(&["secret", "rotate"]).expect(1).shown();
    assert!(
        said.contains("private key") || said.contains("not encrypted for this key"),
        "{said}"
    );
    let said = place
        .run(&["secret", "rotate", "--identity", "/nonexistent/key"])
        .expect(1)
        .shown();
    assert!(
        said.contains("there is no private key /nonexistent/key"),
        "{said}"
    );
    assert_eq!(
        fs::read(place.checkout().join("secrets/app.env.age")).unwrap(),
        before
    );
    place.write(&[("watchme.toml", "")]);
    let said = run(&place, &["secret", "rotate"], &fails).expect(1).shown();
    assert!(said.contains("watchme.toml names no recipients"), "{said}");
}

/// Units start the program that the root has, by its path. What leaves takes them along.
#[test]
fn units_of_an_offline_root_start_what_is_installed_there() {
    let place = place();
    let backup =
        "\n[backup.conf]\nfiles = [\"/etc/app\"]\nto = \"/srv/backups\"\nschedule = \"daily\"\n";
    let policy = fs::read_to_string(place.checkout().join("watchme.toml")).unwrap();
    place.write(&[("watchme.toml", &format!("{policy}{backup}"))]);
    place.commit("backup");
    let installed = place.on_host("/usr/bin/watchme-apply");
    fs::create_dir_all(installed.parent().unwrap()).unwrap();
    fs::write(&installed, "").unwrap();
    place.run(&["apply"]).expect(0);
    let unit =
        |name: &str| place.read_host(&format!("/etc/systemd/system/watchme-apply-{name}.service"));
    for (name, command) in [
        ("backup-conf", "backup run conf --lock-timeout 3600"),
        ("secrets", "secret load"),
    ] {
        let line = format!("\nExecStart=/usr/bin/watchme-apply {command}\n");
        assert!(unit(name).contains(&line), "{}", unit(name));
    }
    fs::remove_dir_all(place.checkout().join("secrets")).unwrap();
    let without = UNIT.replace("EnvironmentFile", "#");
    place.write(&[("watchme.toml", ""), ("systemd/app.service", &without)]);
    place.commit("nothing of it");
    place.run(&["apply", "--yes"]).expect(0);
    for name in ["backup-conf", "secrets"] {
        let path = format!("/etc/systemd/system/watchme-apply-{name}.service");
        assert!(!place.on_host(&path).exists());
    }
}
