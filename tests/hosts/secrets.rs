//! Secrets: encrypted in the checkout, decrypted in memory, and nowhere else.

mod commands;
mod failing;

use std::process::Command;
use std::time::Duration;

use sealed_file::{Plain, Recipient, seal};

use crate::support::{CHECKOUT, Host, Service, desired, service, sleeper};

/// All secrets have it, so that one search finds any of them.
const MARK: &str = "hunter-of-secrets";
const FOLDER: &str = "/run/watchme-apply/secrets";

/// What is secret in a test.
fn token(text: &str) -> String {
    format!("TOKEN={MARK}-{text}\n")
}

/// The text of a file that is encrypted for these public keys.
pub(crate) fn sealed_for(plain: &str, keys: &[&str]) -> String {
    let recipients: Vec<Recipient> = keys.iter().map(|key| key.parse().expect("a key")).collect();
    let sealed = seal(&Plain::new(plain.as_bytes().to_vec()), &recipients).expect("encrypted");
    String::from_utf8(sealed).expect("text")
}

/// A service that has the variables of a secret.
fn user_of(secret: &str, seconds: u32) -> String {
    format!(
        "[Service]\nEnvironmentFile={FOLDER}/{secret}\nExecStart=/bin/sleep {seconds}\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

const STACK: &str = "services:
  web:
    image: web:1
    restart: unless-stopped
    network_mode: bridge
    stop_grace_period: 1s
    secrets: [web]
secrets:
  web:
    file: /run/watchme-apply/secrets/web.txt
";

impl Host {
    /// The public key of the host.
    fn public_key(&self) -> String {
        self.sh("ssh-keygen -A >/dev/null; cat /etc/ssh/ssh_host_ed25519_key.pub")
    }

    /// A text that is encrypted for the host.
    fn sealed(&self, plain: &str) -> String {
        sealed_for(plain, &[&self.public_key()])
    }

    /// The token in the environment of a service's process.
    fn token_of(&self, unit: &str) -> String {
        let process = self.property(unit, "MainPID");
        let found = self.try_sh(&format!(
            "tr '\\0' '\\n' </proc/{process}/environ | grep ^TOKEN="
        ));
        found.stdout
    }

    /// The secret that the container of the stack sees.
    fn token_of_stack(&self) -> String {
        let id = self.sh("docker ps -q --filter label=com.docker.compose.service=web");
        self.try_sh(&format!("docker exec {id} cat /run/secrets/web"))
            .stdout
    }

    /// Files of this host's disks, as this machine sees them, that hold a text.
    pub(crate) fn on_disk(&self, text: &str) -> Vec<String> {
        let inspect = |format: &str| {
            let said = Command::new("docker")
                .args(["inspect", "-f", format, self.name()])
                .output()
                .expect("docker");
            String::from_utf8_lossy(&said.stdout).into_owned()
        };
        let disks =
            inspect("{{.GraphDriver.Data.UpperDir}}\n{{range .Mounts}}{{.Source}}\n{{end}}");
        let disks: Vec<&str> = disks
            .lines()
            .filter(|path| path.starts_with('/') && !path.starts_with("/sys"))
            .collect();
        assert!(disks.len() >= 2, "{disks:?}");
        let found = Command::new("grep")
            .args(["-rlaF", "-D", "skip", "-e", text])
            .args(&disks)
            .output()
            .expect("grep");
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        found.lines().map(str::to_owned).collect()
    }

    /// Nothing that lasts, and nothing that others see, has a secret.
    #[track_caller]
    fn assert_secret(&self, when: &str) {
        self.sh("sync; journalctl --sync >/dev/null 2>&1 || true");
        assert_eq!(self.on_disk(MARK), [""; 0], "{when}");
        let journal = self.sh(&format!(
            "journalctl -q -a -o verbose | grep -c {MARK} || true"
        ));
        assert_eq!(journal, "0", "{when}: the journal");
        let arguments = self.sh(&format!(
            "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o '[h]{}' || true",
            &MARK[1..]
        ));
        assert_eq!(arguments, "", "{when}: arguments of a process");
    }

    /// Applies; the output has no secret.
    #[track_caller]
    fn apply_secretly(&self, args: &[&str], status: i32) -> String {
        let said = self.apply(args).expect(status).text();
        assert!(!said.contains(MARK), "{said}");
        said
    }
}

/// The search finds what it looks for, in each of the places.
fn the_search_finds(host: &Host) {
    host.sh("echo found-by-the-search >/root/there; echo found-by-the-search >/var/lib/docker/there; sync");
    assert_eq!(host.on_disk("found-by-the-search").len(), 2);
    host.sh("rm /root/there /var/lib/docker/there");
}

fn state_of(host: &Host, app: &str, web: &str) -> Vec<(String, String)> {
    vec![
        // They stay up or fail at once.
        (
            desired("watchme.toml"),
            ["app", "plain", "stack-web"]
                .map(|name| format!("[unit.\"{name}.service\"]\nsettle = \"500ms\"\n"))
                .concat(),
        ),
        (desired("secrets/app.env.age"), host.sealed(&token(app))),
        (desired("secrets/web.txt.age"), host.sealed(&token(web))),
        (desired("systemd/app.service"), user_of("app.env", 1001)),
        (desired("systemd/plain.service"), sleeper(1003)),
        (desired("compose/web/docker-compose.yml"), STACK.to_owned()),
    ]
}

/// A host with a unit and a stack that use secrets, and a unit that uses none.
fn host_with_a_stack() -> Host {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "web:1",
        port: 8000,
        paths: &[],
    }]);
    let files = state_of(&host, "ONE", "ONE");
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    host.checkout(&files);
    host
}

#[test]
fn a_secret_reaches_who_uses_it_and_nothing_else() {
    let host = host_with_a_stack();
    the_search_finds(&host);
    let said = host.apply_secretly(&[], 0);
    assert!(
        said.contains("secret/app.env: decrypt to /run/watchme-apply/secrets/app.env (0600 root:root)  (new: desired-state/secrets/app.env.age)"),
        "{said}"
    );
    assert_eq!(host.token_of("app.service"), token("ONE"));
    assert_eq!(host.token_of_stack(), token("ONE"));
    assert_eq!(
        host.sh(&format!(
            "stat -c '%a %U:%G' {FOLDER} {FOLDER}/app.env; stat -f -c %T {FOLDER}"
        )),
        "700 root:root\n600 root:root\ntmpfs"
    );
    host.assert_secret("after the first apply");
    host.assert_does_nothing(&["apply"]);

    // A changed secret is one line, and restarts whom it concerns.
    let units = ["app.service", "plain.service", "docker.service"];
    let (before, stack) = (host.runs(&units), host.sh("docker ps -q"));
    host.commit(
        &[(
            &desired("secrets/app.env.age"),
            Some(&host.sealed(&token("TWO"))),
        )],
        "two",
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_eq!(plan.matches("secret/app.env").count(), 1, "{plan}");
    assert!(
        !plan.contains(MARK) && !plan.contains("AGE ENCRYPTED"),
        "{plan}"
    );
    assert!(
        plan.contains("it uses the secret app.env, which changed"),
        "{plan}"
    );
    host.apply_secretly(&[], 0);
    assert_eq!(host.runs(&units).restarted_since(&before), ["app.service"]);
    assert_eq!(host.sh("docker ps -q"), stack);
    assert_eq!(host.token_of("app.service"), token("TWO"));

    let before = host.runs(&units);
    host.commit(
        &[(
            &desired("secrets/web.txt.age"),
            Some(&host.sealed(&token("TWO"))),
        )],
        "web",
    );
    host.apply_secretly(&[], 0);
    assert_eq!(host.runs(&units).restarted_since(&before), [""; 0]);
    assert_eq!(host.token_of_stack(), token("TWO"));

    // Encrypted anew, with the same content.
    let (before, stack) = (host.runs(&units), host.sh("docker ps -q"));
    host.commit(
        &[(
            &desired("secrets/app.env.age"),
            Some(&host.sealed(&token("TWO"))),
        )],
        "again",
    );
    let said = host.tool(&["plan"]).expect(0).text();
    assert!(
        said.contains("was re-encrypted; its content is the same"),
        "{said}"
    );
    host.apply_secretly(&[], 0);
    assert_eq!(host.runs(&units).restarted_since(&before), [""; 0]);
    assert_eq!(host.sh("docker ps -q"), stack);
    host.assert_does_nothing(&["apply"]);
}

#[test]
fn secrets_come_back_at_boot_and_with_an_older_generation() {
    let host = host_with_a_stack();
    host.apply_secretly(&[], 0);
    let two = host.sealed(&token("TWO"));
    let path = desired("secrets/app.env.age");
    host.commit(
        &[
            (&path, Some(&two)),
            (&desired("secrets/web.txt.age"), Some(&two)),
        ],
        "two",
    );
    host.apply_secretly(&["--only", "secret"], 0);
    assert_eq!(host.token_of("app.service"), token("TWO"));
    host.reboot();
    assert_eq!(host.token_of("app.service"), token("TWO"));
    host.wait_for("the stack", Duration::from_secs(30), || {
        host.token_of_stack() == token("TWO")
    });
    let since = |unit: &str| -> u64 {
        let time = host.property(unit, "ActiveEnterTimestampMonotonic");
        time.parse().expect("a time")
    };
    let began = |unit: &str| -> u64 {
        let time = host.property(unit, "InactiveExitTimestampMonotonic");
        time.parse().expect("a time")
    };
    let secrets = since("watchme-apply-secrets.service");
    assert!(secrets > 0 && secrets < began("docker.service") && secrets < began("app.service"));
    host.assert_secret("after a reboot");
    host.assert_does_nothing(&["apply"]);

    // Back to the first generation: the secrets that it had.
    let back = host.tool(&["rollback", "1"]).expect(0).text();
    assert!(!back.contains(MARK), "{back}");
    assert_eq!(host.token_of("app.service"), token("ONE"));
    assert_eq!(host.token_of_stack(), token("ONE"));
    host.assert_secret("after a rollback");
}

/// Files of SOPS, with a key of age that watchme.toml names.
#[test]
fn files_of_sops_are_read() {
    let host = Host::boot();
    host.write(
        "/root/age.txt",
        include_str!("../../crates/sealed-file/src/tests/age_key.txt"),
    );
    host.checkout(&[
        (
            &desired("watchme.toml"),
            "[secrets]\nidentity = \"/root/age.txt\"\n",
        ),
        (
            &desired("secrets/app.sops.env"),
            include_str!("../../crates/sealed-file/src/tests/variables.sops.env"),
        ),
        (
            &desired("secrets/settings.yaml"),
            include_str!("../../crates/sealed-file/src/tests/settings.sops.yaml"),
        ),
        (&desired("systemd/app.service"), &user_of("app.env", 1001)),
    ]);
    host.apply_secretly(&[], 0);
    assert_eq!(host.token_of("app.service"), token("SOPS"));
    assert_eq!(
        host.sh(&format!("cat {FOLDER}/settings.yaml")),
        format!("db:\n  password: {MARK}-SOPS\n  port: 5432")
    );
    host.assert_secret("files of SOPS");
    host.assert_does_nothing(&["apply"]);

    // With the last secret goes what decrypts them at boot.
    host.commit(
        &[
            (&desired("secrets"), None),
            (&desired("systemd/app.service"), None),
            (&desired("systemd/plain.service"), Some(&sleeper(1003))),
        ],
        "none",
    );
    host.apply_secretly(&[], 0);
    assert_eq!(host.sh(&format!("ls -A {FOLDER}")), "");
    let left = host.sh("find /etc/systemd/system -name 'watchme-apply-secrets*'");
    assert_eq!(left, "");
    host.assert_does_nothing(&["apply"]);
}

/// Nothing of this is done where there are no secrets.
#[test]
fn a_state_without_secrets_pays_nothing() {
    let host = Host::boot();
    host.checkout(&[(&desired("systemd/a.service"), &service("/bin/sleep 1000"))]);
    host.apply(&[]).expect(0);
    assert!(
        !host.stands("/run/watchme-apply")
            && !host.stands("/etc/systemd/system/watchme-apply-secrets.service")
    );
    let calls = host.strace(&["-e", "trace=file"], &["apply"]);
    assert!(
        !calls.contains("ssh_host") && !calls.contains("secrets"),
        "{calls}"
    );
    assert!(calls.contains(CHECKOUT), "{calls}");
}
