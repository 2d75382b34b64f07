use super::*;
use crate::model::EtcFile;

fn desired() -> Desired {
    let script = |name: &str, text: &str| File::new(name, text.as_bytes().to_vec(), false);
    let etc = |text: &str, mode| EtcFile {
        file: script("x", text),
        link: false,
        mode,
        owner: "root:root".into(),
        action: None,
        validate: None,
        zones: Vec::new(),
        upstreams: Default::default(),
    };
    Desired {
        files: [
            (
                PathBuf::from("/c/run.sh"),
                File::new("run.sh", b"x".to_vec(), true),
            ),
            (PathBuf::from("/c/plain"), script("plain", "x")),
            (
                PathBuf::from("/c/docker-compose.yml"),
                script("docker-compose.yml", "x"),
            ),
        ]
        .into(),
        etc: [
            (PathBuf::from("evilbin"), etc("x", 0o755)),
            (PathBuf::from("nginx/ev.so"), etc("x", 0o644)),
            (PathBuf::from("app/o.cnf"), etc("x", 0o644)),
        ]
        .into(),
        ..Desired::default()
    }
}

#[test]
fn code_that_roots_programs_load_or_run() {
    let desired = desired();
    for (path, text, expected) in [
        (
            "etc/nginx/modules-enabled/x.conf",
            "load_module /etc/nginx/evil.so;",
            1,
        ),
        (
            "etc/nginx/x.conf",
            "pcre_jit off; load_module /etc/nginx/ev.so;",
            1,
        ),
        ("etc/nginx/x.conf", "\"load_module\" /etc/nginx/ev.so;", 1),
        (
            "etc/nginx/x.conf",
            "load_module\n  '/etc/nginx/ev.so'\n;",
            1,
        ),
        ("etc/app/m.conf", "load_module /etc/nginx/ev.so;", 1),
        ("etc/nginx/nginx.conf", "load_module modules/ngx_x.so;", 0),
        (
            "etc/nginx/nginx.conf",
            "load_module modules/../../evil.so;",
            1,
        ),
        (
            "etc/nginx/nginx.conf",
            "load_module /usr/lib/nginx/modules/x.so;",
            0,
        ),
        ("etc/nginx/nginx.conf", "# load_module /etc/x.so;", 0),
        ("etc/ld.so.preload", "/etc/evil.so", 1),
        ("etc/ld.so.conf.d/x.conf", "/srv/lib", 1),
        ("etc/ssl/openssl.cnf", "module = /etc/ssl/evil.so", 1),
        ("etc/ssl/openssl.cnf", ".include /etc/app/o.cnf", 1),
        ("etc/ssl/openssl.cnf", ".include /etc/ssl/more.cnf", 0),
        ("etc/ssl/openssl.cnf", "activate = 1", 0),
        ("etc/app/o.cnf", "dynamic_path=/tmp/x.so", 1),
        (
            "etc/pam.d/sshd",
            "auth [success=1 default=ignore] /etc/x.so",
            1,
        ),
        ("etc/pam.d/sshd", "auth required pam_exec.so /bin/x", 1),
        ("etc/pam.d/sshd", "auth required pam_unix.so nullok", 0),
        ("etc/sudo.conf", "Plugin sudoers_policy /etc/nginx/ev.so", 1),
        ("etc/sudo.conf", "Plugin sudoers_policy sudoers.so", 0),
        (
            "etc/nsswitch.conf",
            "hosts: files evil [!UNAVAIL=return] dns",
            1,
        ),
        (
            "etc/nsswitch.conf",
            "hosts: files mdns4_minimal [NOTFOUND=return] dns",
            0,
        ),
        ("etc/cron.d/x", "* * * * * root /etc/evilbin", 1),
        ("etc/cron.d/x", "* * * * * root /usr/bin/true", 0),
        (
            "etc/udev/rules.d/1.rules",
            "ACTION==\"add\", RUN+=\"/etc/evilbin\"",
            1,
        ),
        ("etc/profile.d/x.sh", "true", 1),
        ("etc/environment", "LD_PRELOAD=/etc/nginx/ev.so", 1),
        ("etc/app.conf", "listen = 1", 0),
    ] {
        let found = named(Path::new(path), text, 0o644, &desired);
        assert_eq!(found.len(), expected, "{path}: {text}: {found:?}");
    }
    for (path, mode, expected) in [
        ("etc/systemd/system-generators/g", 0o755, 1),
        ("etc/systemd/system-generators/g", 0o644, 0),
        ("etc/cron.daily/x", 0o755, 1),
        ("etc/app/x.sh", 0o755, 0),
    ] {
        let found = named(Path::new(path), "#!/bin/sh\ntrue\n", mode, &desired);
        assert_eq!(found.len(), expected, "{path} {mode:o}: {found:?}");
    }
}

#[test]
fn code_that_units_run() {
    let desired = desired();
    for (text, expected) in [
        ("ExecStart=-/c/run.sh --x", 1),
        ("ExecStart=/bin/sh /c/plain", 1),
        ("ExecStart=/bin/sh -c '/c/run.sh; true'", 1),
        ("ExecStart=/usr/bin/python3 -u /c/plain", 1),
        ("ExecStart=\\\n  /c/run.sh", 1),
        ("ExecStart=/etc/evilbin", 1),
        ("WorkingDirectory=/c\nExecStart=/bin/bash ./plain", 1),
        ("Environment=A=b \"LD_PRELOAD=/etc/nginx/ev.so\"", 1),
        ("ExecStart=/bin/sleep 1", 0),
        (
            "ExecStart=/usr/bin/docker-compose -f /c/docker-compose.yml up",
            0,
        ),
        ("ExecStart=/usr/bin/cat /c/plain", 0),
        ("Environment=NOT_LD_PRELOAD=x", 0),
        // Not root's.
        ("User=app\nExecStart=/c/run.sh", 0),
        ("User=app\nExecStartPre=+/c/run.sh", 1),
    ] {
        let text = format!("[Service]\n{text}\n");
        let found = named(Path::new("systemd/a.service"), &text, 0o644, &desired);
        assert_eq!(found.len(), expected, "{text}: {found:?}");
    }
}
