//! Secrets of a checkout: read without a key, and what is wrong with their files.

use super::*;

const SEALED: &str = include_str!("../../../crates/sealed-file/src/tests/by_age.txt");

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("secrets/app.env.age", SEALED);
    lab
}

#[test]
fn secrets_are_read_as_they_are_and_units_that_use_them_are_known() {
    let lab = lab();
    lab.write("watchme.toml", "[secrets]\nidentity = \"/root/age.txt\"\n[secret.\"app.env\"]\nmode = \"0440\"\nowner = \"root:app\"\n")
        .write("secrets/README.md", "who has which key")
        .write("systemd/a.service", "[Service]\nExecStart=/bin/a --key /run/watchme-apply/secrets/app.env\n")
        .write("systemd/b.service", "[Service]\n# /run/watchme-apply/secrets/app.env\nExecStart=/bin/b\n")
        .write("systemd/b.service.d/x.conf", "[Service]\nLoadCredential=x:/run/watchme-apply/secrets/app.env\n")
        .write("compose/web/docker-compose.yml", "services:\n  web:\n    image: web:1\n    volumes: ['/run/watchme-apply/secrets/app.env:/x:ro']\n")
        .write("compose/db/docker-compose.yml", "services:\n  db:\n    image: db:1\n");
    lab.write(
        "containers/pod.container",
        "[Container]\nImage=pod:1\nVolume=/run/watchme-apply/secrets/app.env:/x:ro\n",
    )
    .write(
        "systemd/w@.service",
        "[Service]\nEnvironmentFile=-/run/watchme-apply/secrets/%i.env\nExecStart=/bin/w\n[Install]\nWantedBy=x.target\nDefaultInstance=app\n",
    );
    let desired = lab.read(Which::Head).unwrap().desired;
    let secret = &desired.secrets["app.env"];
    assert_eq!(
        (secret.mode, secret.owner.as_str(), secret.identity.to_str()),
        (0o440, "root:app", Some("/root/age.txt"))
    );
    assert!(secret.file.private && secret.file.secret);
    assert_eq!(&*secret.file.content, SEALED.as_bytes());
    let users = desired
        .units
        .iter()
        .filter(|(_, unit)| unit.secrets.contains("app.env"));
    let users: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        users,
        [
            "a.service",
            "b.service",
            "pod.service",
            "stack-web.service",
            "w@app.service"
        ]
    );
}

#[test]
fn what_is_no_secret_is_told_and_never_shown() {
    let cut = &SEALED[..SEALED.len() / 2];
    for (path, text, says) in [
        (
            "secrets/x.env.age",
            "TOKEN=hunter2\n",
            "it is not encrypted: it does not begin as a file of age does",
        ),
        (
            "secrets/x.sops.env",
            "TOKEN=hunter2\n",
            "it is not encrypted: it has no sops_ variables",
        ),
        (
            "secrets/x.yaml",
            "token: hunter2\n",
            "it is not encrypted: it has no key sops:",
        ),
        ("secrets/x.age", cut, "it is damaged or cut off"),
        (
            "secrets/x.txt",
            "hunter2",
            "this is not a valid name of a secret",
        ),
        (
            "secrets/a b.age",
            SEALED,
            "this is not a valid name of a secret",
        ),
        ("secrets/in/x.age", SEALED, "this is no"),
        (
            "secrets/app.sops.env",
            "A=ENC[AES256_GCM,data:x]\nsops_version=3\n",
            "for no age key",
        ),
        ("watchme.toml", "[secret.\"ap.env\"]\n", "ap.env"),
        (
            "watchme.toml",
            "[secrets]\nrecipients = [\"ssh-rsa AAAA\"]\n",
            "cannot be used here",
        ),
        (
            "watchme.toml",
            "[secrets]\nrecipients = []\n",
            "there are no recipients",
        ),
        (
            "watchme.toml",
            "[secrets]\nidentity = \"key\"\n",
            "\"key\" cannot be used here",
        ),
    ] {
        let lab = lab();
        lab.write(path, text);
        let said = lab.fails();
        assert!(said.contains(says), "{path}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
