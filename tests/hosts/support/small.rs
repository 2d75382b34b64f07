//! Small desired states made of strings, and what systemd, nginx and the disk say about them.

use std::collections::BTreeSet;

use super::{CHECKOUT, Host};

/// An nginx site that answers every request for `NAME.example.com` with a text.
pub(crate) fn site(name: &str, text: &str) -> String {
    format!(
        "server {{
    listen 80;
    server_name {name}.example.com;
    location / {{
        return 200 \"{text}\";
    }}
}}
"
    )
}

/// A service that runs a command and is started at boot.
pub(crate) fn service(exec: &str) -> String {
    format!("[Service]\nExecStart={exec}\n\n[Install]\nWantedBy=multi-user.target\n")
}

/// A service that does nothing for as long as it is let; two with other seconds differ.
pub(crate) fn sleeper(seconds: u32) -> String {
    service(&format!("/bin/sleep {seconds}"))
}

/// A path inside the desired state's folder.
pub(crate) fn desired(path: &str) -> String {
    format!("desired-state/{path}")
}

/// What must not change when nobody asked for it: one line per nginx master and per unit, with what identifies
/// this run of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Runs(Vec<(String, String)>);

impl Runs {
    /// Names whose run is another one than before.
    pub(crate) fn restarted_since<'a>(&'a self, before: &Self) -> Vec<&'a str> {
        let anew = self
            .0
            .iter()
            .zip(&before.0)
            .filter(|(now, then)| now != then);
        anew.map(|((name, _), _)| name.as_str()).collect()
    }
}

impl Host {
    /// A property of a unit, as systemd has it loaded.
    #[track_caller]
    pub(crate) fn property(&self, unit: &str, name: &str) -> String {
        self.run(&["systemctl", "show", "-P", name, "--", unit])
            .expect(0)
            .stdout
            .trim_end()
            .to_owned()
    }

    /// Whether a unit is active.
    pub(crate) fn is_active(&self, unit: &str) -> bool {
        self.property(unit, "ActiveState") == "active"
    }

    /// How nginx's master and each unit run now.
    #[track_caller]
    pub(crate) fn runs(&self, units: &[&str]) -> Runs {
        let masters = self.fingerprint().nginx;
        let master = masters
            .into_iter()
            .find(|line| line.contains("master process"));
        let mut runs = vec![("nginx master".to_owned(), master.unwrap_or_default())];
        for unit in units {
            runs.push(((*unit).to_owned(), self.property(unit, "InvocationID")));
        }
        Runs(runs)
    }

    /// Body of the page that a site of [`site`] answers.
    pub(crate) fn page(&self, name: &str) -> String {
        match self.get(&format!("http://{name}.example.com/")) {
            (200, body) => body,
            (status, body) => format!("{status} {body}"),
        }
    }

    /// Proves that `path` is a link whose bytes are those of a file of the commit, and that they do not lie in
    /// the checkout.
    #[track_caller]
    pub(crate) fn assert_linked(&self, path: &str, in_checkout: &str) {
        self.sh(&format!(
            "test -L {path}; case $(readlink -f {path}) in {CHECKOUT}*) echo into the checkout; exit 1;; esac
             git -c safe.directory='*' -C {CHECKOUT} show HEAD:{in_checkout} | cmp - {path}"
        ));
    }

    /// Whether anything stands at a path, a dangling link included.
    pub(crate) fn stands(&self, path: &str) -> bool {
        self.try_sh(&format!("test -e '{path}' || test -L '{path}'"))
            .status
            == 0
    }

    /// Links that enable a unit, sorted: what `[Install]` asks for.
    #[track_caller]
    pub(crate) fn wants_links(&self, unit: &str) -> Vec<String> {
        let find = format!("cd /etc/systemd/system; find . -mindepth 2 -name '{unit}' | sort");
        self.sh(&find)
            .lines()
            .map(|line| line.trim_start_matches("./").to_owned())
            .collect()
    }

    /// Everything that a run may change on the disk: type, mode, owner, place, target and content, but not when it
    /// was written, nor which run did. Two hosts with the same picture are configured the same.
    #[track_caller]
    pub(crate) fn picture(&self) -> Picture {
        let script = "folders=$(ls -d /etc/nginx /etc/systemd/system /etc/watchme-apply/live \
                 /etc/watchme-apply/generations /etc/app 2>/dev/null || true)
             find $folders ! -name .run -printf '%y %m %U:%G %p -> %l\\n' | sort
             find $folders -type f ! -name .run -exec sha256sum {} + | sort -k 2";
        Picture(self.sh(script).lines().map(str::to_owned).collect())
    }

    /// Proves that the host is configured as it was.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, before: &Picture, what: &str) {
        let now = self.picture();
        let gone = before.0.difference(&now.0).map(|line| format!("- {line}"));
        let came = now.0.difference(&before.0).map(|line| format!("+ {line}"));
        let changed: Vec<String> = gone.chain(came).collect();
        assert!(changed.is_empty(), "{what}:\n{}", changed.join("\n"));
    }
}

/// See [`Host::picture`].
pub(crate) struct Picture(BTreeSet<String>);
