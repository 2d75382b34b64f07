//! `setup_server.sh`: on an offline root, and as the first command on a server.

use std::path::Path;

use crate::support::{CHECKOUT, Host};

const SITE: &str = "server { listen 80; server_name api.example.com; return 200 'site\\n'; }\n";
const UNIT: &str =
    "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";
const INSTALLED: &str = "/usr/local/bin/watchme-apply";

/// A newcomer on a machine without rights: the clone's `target/` and the root are all that changes.
#[test]
fn setup_on_an_offline_root_touches_nothing_else() {
    let host = Host::boot();
    host.sh("useradd --create-home newcomer; systemctl stop docker.socket docker nginx");
    copy_repository(&host, "/home/newcomer/clone");
    host.sh(&format!("mkdir -p /home/newcomer/clone/target/release; mv {INSTALLED} /home/newcomer/clone/target/release/; touch /home/newcomer/clone/target/release/watchme-apply"));
    host.sh("chown -R newcomer:newcomer /home/newcomer");
    host.sh_as(
        "newcomer",
        "cd clone; git init -q; git add -A; git commit -qm clone; mkdir ../root ../other",
    );
    assert_eq!(
        host.try_sh_as("newcomer", "sudo -n true").status,
        1,
        "no way to become root"
    );

    let before = outside(&host);
    let built = host.sh_as("newcomer", "cd clone; ./setup_server.sh --root ../root");
    assert!(built.contains("applied"), "{built}");
    let again = host.sh_as("newcomer", "cd clone; ./setup_server.sh --root ../root");
    assert!(again.contains("in sync"), "{again}");
    let named = "cd /; clone/setup_server.sh --binary clone/target/release/watchme-apply --root other --yes";
    host.sh_as("newcomer", &named.replace("cd /; ", "cd ~; "));
    let changed: Vec<String> = outside(&host)
        .into_iter()
        .filter(|line| !before.contains(line))
        .collect();
    assert_eq!(changed, Vec::<String>::new());

    for root in ["root", "other"] {
        let at = format!("/home/newcomer/{root}/etc");
        let site = host.sh(&format!(
            "cat {at}/watchme-apply/live/sites-available/api.hey-watch.me"
        ));
        assert_eq!(
            site,
            host.sh("cat /home/newcomer/clone/desired-state/sites-available/api.hey-watch.me")
        );
        for link in [
            "nginx/sites-enabled/api.hey-watch.me",
            "systemd/system/multi-user.target.wants/watchme-web.service",
        ] {
            assert_eq!(host.sh(&format!("stat -c %F {at}/{link}")), "symbolic link");
        }
    }
}

/// What is missing is named and asked about; `--yes` installs it. The package manager is a stand-in that notes its
/// words, since a test host reaches no archive.
#[test]
fn setup_asks_before_it_installs_and_never_builds_without_memory() {
    let host = Host::boot();
    copy_repository(&host, CHECKOUT);
    host.sh("mv /usr/sbin/nginx /usr/sbin/nginx.hidden");
    host.sh("printf '#!/bin/sh\\necho \"$@\" >> /root/apt.log\\n[ \"$1\" != install ] || mv /usr/sbin/nginx.hidden /usr/sbin/nginx\\n' > /usr/local/sbin/apt-get; chmod +x /usr/local/sbin/apt-get");
    let setup = format!("cd {CHECKOUT}; ./setup_server.sh --binary {INSTALLED}");
    let asked = host.try_sh(&format!("{setup} --only etc </dev/null"));
    assert_eq!(asked.status, 1, "{}", asked.text());
    let text = asked.text();
    assert!(text.contains("would install with apt-get: nginx"), "{text}");
    assert!(text.contains("--yes"), "{text}");
    assert_eq!(
        host.try_sh("cat /root/apt.log").status,
        1,
        "nothing was run"
    );
    host.try_sh(&format!("{setup} --yes --only etc"));
    let words = host.sh("cat /root/apt.log");
    assert!(words.contains("install -y"), "{words}");
    assert!(words.contains("nginx"), "{words}");

    host.sh("sed 's/^MemAvailable:.*/MemAvailable: 400000 kB/' /proc/meminfo > /root/meminfo; mount --bind /root/meminfo /proc/meminfo");
    host.sh(&format!("rm {INSTALLED}; rm -rf {CHECKOUT}/target"));
    let small = host.try_sh(&format!("cd {CHECKOUT}; ./setup_server.sh --yes"));
    assert_eq!(small.status, 1, "{}", small.text());
    let text = small.text();
    assert!(
        text.contains("not building: 390 MiB of memory are free"),
        "{text}"
    );
    assert!(text.contains("scripts/build-release"), "{text}");
    assert!(text.contains("--binary FILE"), "{text}");
}

/// Every file of the host with its times, but for the clone's `target/`, the roots, and what the host itself writes.
fn outside(host: &Host) -> Vec<String> {
    let home = "/home/newcomer";
    let left_out = format!(
        "/proc /sys /dev /run /var/log/journal /var/lib/docker {home}/clone/target {home}/root {home}/other"
    );
    let prune: Vec<String> = left_out
        .split(' ')
        .map(|path| format!("-path {path}"))
        .collect();
    let list = format!(
        "find / -xdev '(' {} ')' -prune -o -printf '%p %y %m %U %G %s %T@ %C@ %l\\n'",
        prune.join(" -o ")
    );
    let lines: Vec<String> = host.sh(&list).lines().map(str::to_owned).collect();
    assert!(lines.len() > 5000, "a whole host: {}", lines.len());
    lines
}

fn copy_repository(host: &Host, to: &str) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "desired-state"] {
        host.copy_in(&repository.join(folder), &format!("{to}/{folder}"));
    }
    for file in ["setup_server.sh", "Cargo.toml", "Cargo.lock"] {
        let text =
            std::fs::read_to_string(repository.join(file)).expect("a file of the repository");
        host.write(&format!("{to}/{file}"), &text);
    }
    host.sh(&format!(
        "chmod +x {to}/setup_server.sh; echo /target >{to}/.gitignore"
    ));
}

#[test]
fn setup_installs_the_binary_and_hands_its_arguments_to_apply() {
    let host = Host::boot();
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/setup_server.sh"))
        .expect("the script");
    assert!(script.starts_with("#!"));
    host.checkout(&[
        ("setup_server.sh", &script),
        ("desired-state/sites-available/api.example.com", SITE),
        ("desired-state/systemd/plain.service", UNIT),
    ]);
    host.sh(&format!(
        "install -o ubuntu {INSTALLED} /home/ubuntu/the-binary; rm {INSTALLED}"
    ));
    host.write(
        "/etc/cron.d/watchme",
        "*/5 * * * * root /srv/scripts/check-infrastructure.sh\n",
    );
    let setup = |arguments: &str| {
        host.try_sh_as(
            "ubuntu",
            &format!("watchme-server-configs/setup_server.sh {arguments}"),
        )
    };

    setup("--binary no-such-file --yes").expect(1);
    setup("--binary").expect(64);
    assert_eq!(host.try_sh(&format!("test -e {INSTALLED}")).status, 1);

    let first = setup("--binary the-binary --yes --only site/api.example.com").expect(0);
    assert!(
        first.text().contains("/etc/cron.d/watchme"),
        "{}",
        first.text()
    );
    assert_eq!(
        host.sh(&format!(
            "cmp {INSTALLED} /home/ubuntu/the-binary; stat -c '%a %U' {INSTALLED}"
        )),
        "755 root"
    );
    assert_eq!(
        host.get("http://api.example.com/"),
        (200, "site\n".to_owned())
    );
    assert_eq!(
        host.sh("systemctl show -p LoadState --value plain"),
        "not-found",
        "--only was not handed on"
    );

    let nothing = host.fingerprint();
    setup("--binary the-binary --yes --rev no-such-revision").expect(1);
    setup("--binary the-binary --yes --no-such-option").expect(64);
    assert_eq!(host.fingerprint(), nothing);

    host.sh_as(
        "ubuntu",
        &format!("cp -r {CHECKOUT}/desired-state '/home/ubuntu/another state'"),
    );
    host.write(
        "/home/ubuntu/another state/sites-available/api.example.com",
        &SITE.replace("site", "another"),
    );
    // A folder outside git is not the repository that the host has: that is not applied by the way.
    setup("--binary the-binary --yes --desired-state '/home/ubuntu/another state'").expect(0);
    assert_eq!(
        host.get("http://api.example.com/"),
        (200, "site\n".to_owned())
    );
    setup("--binary the-binary --yes --take-over --desired-state '/home/ubuntu/another state'")
        .expect(0);
    assert_eq!(
        host.get("http://api.example.com/"),
        (200, "another\n".to_owned())
    );

    let last = setup("--binary ./the-binary --yes --take-over")
        .expect(0)
        .text();
    assert!(
        last.contains("up to date") && last.contains("applied"),
        "{last}"
    );
    assert_eq!(host.sh("systemctl is-active plain"), "active");
    assert_eq!(
        host.get("http://api.example.com/"),
        (200, "site\n".to_owned())
    );
    assert!(
        setup("--yes --binary the-binary")
            .expect(0)
            .stdout
            .contains("in sync")
    );
}

/// The script brings a desired state of its own along: a server that has another one keeps it.
#[test]
fn setup_leaves_a_server_to_the_repository_that_it_has() {
    let host = Host::boot();
    host.checkout(&[("desired-state/systemd/one.service", UNIT)]);
    host.apply(&[]).expect(0);
    copy_repository(&host, "/srv/tool");
    host.sh("cd /srv/tool; git init -q; git add -A; git -c user.name=H -c user.email=h@example.com commit -qm tool");
    let setup = format!("cd /srv/tool; ./setup_server.sh --binary {INSTALLED}");
    let text = host.try_sh(&setup).expect(0).text();
    assert!(text.contains("is another repository"), "{text}");
    assert!(
        text.contains("apply --take-over --desired-state /srv/tool/desired-state"),
        "{text}"
    );
    assert_eq!(host.property("one.service", "ActiveState"), "active");
    assert_eq!(
        host.try_sh("ls /etc/nginx/sites-available/api.hey-watch.me")
            .status,
        2
    );
}
