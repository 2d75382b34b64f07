//! `secret edit`, `list` and `rotate` as the owner of the checkout runs them, and what other revisions may not do.

use std::time::Duration;

use super::{FOLDER, MARK, sealed_for, token, user_of};
use crate::support::{CHECKOUT, Host, Output, desired};

/// Writes another token, and notes what it saw of the file.
const EDITOR: &str = "#!/bin/sh
[ \"$1\" = --wait ] || exit 9
stat -c '%a %U' \"$2\" >/home/ubuntu/seen
stat -f -c %T \"$2\" >>/home/ubuntu/seen
stat -c %a \"$(dirname \"$2\")\" >>/home/ubuntu/seen
printf 'TOKEN=%s-of-secrets-EDITED\\n' hunter >\"$2\"
";

/// A host whose checkout is for the host and for a key of its owner.
fn host() -> Host {
    let host = Host::boot();
    host.sh_as(
        "ubuntu",
        "mkdir -p .ssh; ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519",
    );
    let own = host.sh("cat /home/ubuntu/.ssh/id_ed25519.pub");
    let keys = [host.public_key(), own];
    let policy = format!(
        "[secrets]\nrecipients = [\"{}\", \"{}\"]\n\n[secret.\"app.env\"]\nmode = \"0640\"\nowner = \"root:ubuntu\"\n",
        keys[0], keys[1]
    );
    host.checkout(&[
        (&desired("watchme.toml"), &policy),
        (
            &desired("secrets/app.env.age"),
            &sealed_for(&token("ONE"), &[&keys[1]]),
        ),
        (&desired("systemd/app.service"), &user_of("app.env", 1001)),
    ]);
    host.write("/home/ubuntu/editor", EDITOR);
    host.sh("chmod 755 /home/ubuntu/editor");
    host
}

fn as_owner(host: &Host, line: &str) -> Output {
    host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; {line}"))
}

/// Leaves a copy beside the file, as vim does, and goes on.
const HANGS: &str = "#!/bin/sh
printf 'TOKEN=%s-of-secrets-KILLED\\n' hunter >\"$1\"
cp \"$1\" \"$1.swp\"
echo $$ >/tmp/editor
exec sleep 1000
";

/// Nobody but the editor sees what is edited, and no end of the program leaves it behind.
#[test]
fn an_edit_that_is_killed_leaves_nothing() {
    let host = host();
    host.write("/home/ubuntu/hangs", HANGS);
    host.sh("chmod 755 /home/ubuntu/hangs");
    for user in ["ubuntu", "root"] {
        host.sh(&format!(
            "rm -f /tmp/editor; cd {CHECKOUT}; setsid runuser -u {user} -- env EDITOR=/home/ubuntu/hangs watchme-apply secret edit {user}.env >/tmp/said 2>&1 </dev/null &"
        ));
        host.wait_for("the editor", Duration::from_secs(20), || {
            host.stands("/tmp/editor")
        });
        let editor = host.sh("sleep 0.2; cat /tmp/editor");
        let inside = host.sh(&format!(
            "cat /proc/{editor}/root/dev/shm/*/*.env /proc/{editor}/root/dev/shm/*/*.swp"
        ));
        assert_eq!(inside.matches(MARK).count(), 2, "{inside}");
        let seen = "grep -rl hunter-of-secrets-KILLED /dev/shm /run /tmp || true; find /dev/shm -mindepth 2";
        assert_eq!(host.sh(seen), "", "{user}: while it is edited");
        host.sh(&format!(
            "kill -9 $(ps -o ppid= -p {editor}); sleep 0.3; ! pgrep -x watchme-apply"
        ));
        assert_eq!(host.sh(seen), "", "{user}: after the kill");
        host.sh(&format!("kill {editor}"));
        // Its file system was its own: it says so where that cannot be.
        let said = host.sh("cat /tmp/said");
        assert!(!said.contains("note:"), "{said}");
        assert!(!host.stands(&format!("{CHECKOUT}/desired-state/secrets/{user}.env.age")));
    }
}

#[test]
fn secrets_are_edited_listed_and_rotated_without_root() {
    let host = host();
    // It is not for the host yet; whoever checks needs no key to see that.
    let said = as_owner(&host, "watchme-apply check").expect(2).text();
    assert!(said.contains("secret-recipient-missing"), "{said}");
    let said = host.apply_secretly(&[], 1);
    assert!(said.contains("secret rotate app.env"), "{said}");
    let listed = as_owner(&host, "watchme-apply secret list")
        .expect(0)
        .text();
    assert!(
        listed.contains("not for ssh-ed25519 …") && listed.contains("used by app.service"),
        "{listed}"
    );

    as_owner(&host, "watchme-apply secret rotate").expect(0);
    as_owner(&host, "watchme-apply check").expect(0);
    let listed = as_owner(&host, "watchme-apply secret list")
        .expect(0)
        .text();
    assert!(!listed.contains("not for"), "{listed}");
    host.commit(&[], "rotated");
    host.apply_secretly(&[], 0);
    assert_eq!(host.token_of("app.service"), token("ONE"));
    assert_eq!(
        host.sh(&format!("stat -c '%a %U:%G' {FOLDER} {FOLDER}/app.env")),
        "711 root:root\n640 root:ubuntu"
    );
    assert_eq!(
        host.sh_as("ubuntu", &format!("cat {FOLDER}/app.env")),
        token("ONE").trim_end()
    );

    let said = as_owner(
        &host,
        "EDITOR='/home/ubuntu/editor --wait' watchme-apply secret edit app.env",
    )
    .expect(0);
    assert!(!said.text().contains(MARK), "{}", said.text());
    assert_eq!(host.sh("cat /home/ubuntu/seen"), "600 ubuntu\ntmpfs\n700");
    assert_eq!(
        host.sh(&format!("stat -c '%a %U' {CHECKOUT}/desired-state/secrets/app.env.age; ls /dev/shm /run/user/1000 2>/dev/null | grep -c watchme || true")),
        "644 ubuntu\n0"
    );
    // As root in the checkout of another user: the new file is that user's.
    host.sh(&format!(
        "cd {CHECKOUT}; EDITOR='/home/ubuntu/editor --wait' watchme-apply secret edit new.env"
    ));
    assert_eq!(
        host.sh(&format!(
            "stat -c '%a %U' {CHECKOUT}/desired-state/secrets/new.env.age"
        )),
        "644 ubuntu"
    );
    host.commit(&[], "edited");
    host.apply_secretly(&[], 0);
    assert_eq!(host.token_of("app.service"), token("EDITED"));
    host.assert_secret("after edits");

    // An editor that fails changes nothing; a link that leads out is not written through.
    let before = host.sh(&format!("sha256sum {CHECKOUT}/desired-state/secrets/*"));
    let said = as_owner(&host, "EDITOR=/bin/false watchme-apply secret edit app.env").expect(1);
    assert!(
        said.text().contains("the secret was not changed"),
        "{}",
        said.text()
    );
    assert_eq!(
        host.sh(&format!("sha256sum {CHECKOUT}/desired-state/secrets/*")),
        before
    );
    let said = as_owner(&host, "watchme-apply secret rotate app.en")
        .expect(1)
        .text();
    assert!(said.contains("did you mean app.env?"), "{said}");
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}/desired-state; mv secrets kept; ln -s /etc secrets"),
    );
    host.try_sh(&format!(
        "cd {CHECKOUT}; EDITOR='/home/ubuntu/editor --wait' watchme-apply secret edit evil.env"
    ));
    assert!(!host.stands("/etc/evil.env.age"));
}

/// A revision that nobody merged learns nothing of a secret, not even whether it guessed it.
#[test]
fn a_plan_of_another_revision_decrypts_nothing() {
    let host = host();
    as_owner(&host, "watchme-apply secret rotate").expect(0);
    host.commit(&[], "rotated");
    host.apply_secretly(&[], 0);
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q -b evil"));
    let guess = |text: &str| {
        host.commit(
            &[(
                &desired("secrets/app.env.age"),
                Some(&host.sealed(&token(text))),
            )],
            text,
        );
        host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q main"));
        let plan = host.tool(&["plan", "--rev", "evil"]).expect(0).text();
        let calls = host.strace(&["-e", "trace=file"], &["plan", "--rev", "evil"]);
        assert!(!calls.contains("ssh_host_ed25519_key\""), "{calls}");
        host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q evil"));
        let from = host.tool(&["plan", "--from", "main"]).expect(0).text();
        let plain = |text: String| -> Vec<String> {
            let lines = text
                .lines()
                .filter(|line| line.contains("secret") || line.contains("restart"));
            lines.map(str::to_owned).collect()
        };
        (plain(plan), plain(from))
    };
    let (right, wrong) = (guess("ONE"), guess("TWO"));
    assert!(
        right.0.iter().any(|line| line.contains("secret/app.env")),
        "{right:?}"
    );
    assert_eq!(right, wrong);

    // Nor what variables it has, by way of a compose file.
    let unit = format!(
        "[Service]\nExecStart=/usr/bin/docker-compose --env-file {FOLDER}/app.env -f {CHECKOUT}/compose.yml up\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    let compose = "services:\n  web:\n    image: 'web:${TOKEN}'\n    command: ['${NOPE}']\n";
    let files = [
        (&*desired("systemd/look.service"), Some(&*unit)),
        ("compose.yml", Some(compose)),
    ];
    host.commit(&files, "looks");
    host.sh_as("ubuntu", &format!("cd {CHECKOUT}; git checkout -q main"));
    let plan = host.tool(&["plan", "--rev", "evil"]).text();
    assert!(
        plan.contains("look.service") && !plan.contains(MARK),
        "{plan}"
    );
    assert!(
        !plan.contains("without a default") && !plan.contains("lacks"),
        "{plan}"
    );
}
