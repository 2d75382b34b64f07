//! What goes wrong with secrets: it is said before anything changes, or undone.

use std::time::Duration;

use super::{FOLDER, MARK, sealed_for, token, user_of};
use crate::support::{CHECKOUT, Host, desired, service, sleeper};

/// A key that the host does not have.
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBI1+Q+ntzANebtnicCiAY29uqLGWOaOGLEa8bUqOVmS";

fn host() -> Host {
    let host = Host::boot();
    host.checkout(&[
        (&desired("secrets/app.env.age"), &host.sealed(&token("ONE"))),
        (&desired("systemd/app.service"), &user_of("app.env", 1001)),
        (&desired("systemd/plain.service"), &sleeper(1003)),
    ]);
    host.apply_secretly(&[], 0);
    host
}

#[test]
fn what_cannot_be_decrypted_changes_nothing() {
    let host = host();
    let whole = host.sealed(&token("TWO"));
    let cut: String = whole.chars().take(whole.len() / 2).collect();
    let other = sealed_for(&token("TWO"), &[OTHER]);
    for (text, why, help) in [
        (
            other.as_str(),
            "it is not encrypted for this key",
            "add this host to recipients below [secrets] in watchme.toml: \"ssh-ed25519 AAAA",
        ),
        (
            cut.as_str(),
            "it is damaged or cut off",
            "secret edit app.env",
        ),
        (
            &*token("TWO"),
            "it is not encrypted: it does not begin as a file of age does",
            "git rm desired-state/secrets/app.env.age",
        ),
    ] {
        host.commit(&[(&desired("secrets/app.env.age"), Some(text))], "bad");
        let before = host.picture();
        let said = host.apply_secretly(&[], 1);
        assert!(said.contains(why) && said.contains(help), "{why}: {said}");
        host.assert_unchanged(&before, why);
        assert_eq!(host.token_of("app.service"), token("ONE"));
    }

    // No key at all.
    host.commit(&[(&desired("secrets/app.env.age"), Some(&whole))], "good");
    host.sh("mv /etc/ssh/ssh_host_ed25519_key /root/key");
    let before = host.picture();
    let said = host.apply_secretly(&[], 1);
    assert!(
        said.contains("there is no private key /etc/ssh/ssh_host_ed25519_key")
            && said.contains("ssh-keygen -A"),
        "{said}"
    );
    host.assert_unchanged(&before, "no key");
    host.sh("mv /root/key /etc/ssh/ssh_host_ed25519_key");
    host.apply_secretly(&[], 0);
    assert_eq!(host.token_of("app.service"), token("TWO"));
}

#[test]
fn a_failed_and_a_killed_run_bring_the_old_secret_back() {
    let host = host();
    let two = host.sealed(&token("TWO"));
    host.commit(
        &[
            (&desired("secrets/app.env.age"), Some(&two)),
            (&desired("secrets/more.env.age"), Some(&two)),
            (
                &desired("systemd/more.service"),
                Some(&service("/bin/false")),
            ),
        ],
        "fails",
    );
    let said = host.apply_secretly(&[], 3);
    assert!(
        said.contains("undo: decrypt the previous secrets"),
        "{said}"
    );
    assert_eq!(host.token_of("app.service"), token("ONE"));
    assert_eq!(host.sh(&format!("cat {FOLDER}/*")), token("ONE").trim_end());
    host.assert_secret("after a failed apply");

    // Killed while a unit starts, with the new secret in place.
    let slow = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 30\n\n[Install]\nWantedBy=multi-user.target\n";
    host.commit(&[(&desired("systemd/more.service"), Some(slow))], "slow");
    host.sh(&format!(
        "cd {CHECKOUT}; setsid watchme-apply apply >/dev/null 2>&1 </dev/null &"
    ));
    host.wait_for("the new secret", Duration::from_secs(20), || {
        host.try_sh(&format!("cat {FOLDER}/app.env")).stdout == token("TWO")
            && host.property("more.service", "ActiveState") == "activating"
    });
    host.sh("kill -9 $(pgrep -x watchme-apply); systemctl stop more.service || true");
    host.assert_secret("after a killed apply");
    let said = host.tool(&["recover"]).expect(0).text();
    assert!(!said.contains(MARK), "{said}");
    assert_eq!(host.sh(&format!("cat {FOLDER}/*")), token("ONE").trim_end());
    assert_eq!(host.token_of("app.service"), token("ONE"));
    let journal = host.sh("cat /var/lib/watchme-apply/history.json");
    assert!(!journal.contains(MARK), "{journal}");
}

#[test]
fn drift_sees_what_became_of_a_secret_and_fixes_it() {
    let host = host();
    for (act, said) in [
        (format!("rm {FOLDER}/app.env"), "is gone"),
        (
            format!("echo X=1 >>{FOLDER}/app.env"),
            "was edited on the host",
        ),
        (
            format!("chmod 644 {FOLDER}/app.env"),
            "mode 0644 instead of 0600",
        ),
        (
            format!("rm {FOLDER}/app.env; mkdir {FOLDER}/app.env"),
            "was edited on the host",
        ),
        (format!("touch {FOLDER}/foreign"), "left the desired state"),
    ] {
        host.sh(&act);
        let drift = host.tool(&["drift"]).expect(2).text();
        assert!(
            drift.contains(said) && !drift.contains(MARK),
            "{act}: {drift}"
        );
        let status = host.tool(&["status"]).text();
        assert!(!status.contains(MARK), "{status}");
        host.tool(&["drift", "--fix"]).expect(0);
        assert_eq!(
            host.sh(&format!("cat {FOLDER}/*")),
            token("ONE").trim_end(),
            "{act}"
        );
        assert_eq!(host.token_of("app.service"), token("ONE"), "{act}");
    }
    // Whose files these are, a person has to say.
    host.sh(&format!(
        "rm {FOLDER}/app.env; mkdir {FOLDER}/app.env; touch {FOLDER}/app.env/x"
    ));
    for (command, status) in [(&["drift", "--fix"][..], 2), (&["apply"], 1)] {
        let refused = host.tool(command).expect(status).text();
        for part in [
            format!("{FOLDER}/app.env is a folder with files in it"),
            format!("rm -r {FOLDER}/app.env"),
        ] {
            assert!(refused.contains(&part), "{part}: {refused}");
        }
    }
    host.sh(&format!("rm -r {FOLDER}/app.env"));
    host.tool(&["drift", "--fix"]).expect(0);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(status.contains("1 secret decrypted in memory"), "{status}");
    host.sh(&format!("rm {FOLDER}/app.env"));
    let status = host.tool(&["status", "--json"]).expect(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(
        (
            &status["secrets"][0]["why_not"],
            &status["secrets"][0]["used_by"][0]
        ),
        (&"is gone".into(), &"app.service".into())
    );
    let loaded = host.tool(&["secret", "load"]).expect(0).text();
    assert!(
        loaded.contains("1 secret is decrypted in memory"),
        "{loaded}"
    );
    // A folder that is no memory gets nothing.
    host.sh("rm -rf /run/watchme-apply; mkdir /root/disk; ln -s /root/disk /run/watchme-apply");
    let said = host.tool(&["drift", "--fix"]);
    assert_ne!(said.status, 0);
    assert!(
        said.text().contains("is not a file system in memory"),
        "{}",
        said.text()
    );
    assert_eq!(host.sh("find /root/disk -type f"), "");
    host.assert_secret("on a disk");
}

/// The unit that decrypts at boot goes with the last secret, and comes back where that fails.
#[test]
fn a_failed_removal_of_all_secrets_is_rolled_back_as_a_whole() {
    let host = host();
    host.sh("systemctl start watchme-apply-secrets.service");
    let before = host.picture();
    host.commit(
        &[
            (&desired("secrets/app.env.age"), None),
            (&desired("systemd/app.service"), None),
            (
                &desired("watchme.toml"),
                Some("[[gate]]\nurl = \"http://127.0.0.1:9/\"\n"),
            ),
        ],
        "no secrets",
    );
    let said = host.apply_secretly(&[], 3);
    assert!(said.contains("rolled back"), "{said}");
    assert!(host.is_active("watchme-apply-secrets.service"));
    host.assert_unchanged(&before, "after a failed removal");
    assert_eq!(host.token_of("app.service"), token("ONE"));
}
