//! A registry of images on a host: Debian's own, which keeps what it has in a folder.

use std::time::Duration;

use super::Host;

/// The password of a registry that asks for one. In the base64 of what is sent there is a `+` or a `/`, wherever it
/// begins, in the standard alphabet: the engine takes the other one, for URLs.
pub(crate) const REGISTRY_PASSWORD: &str = "secret~~~";

impl Host {
    /// Starts a registry at a port of 127.0.0.1 and returns its name; with a login (`user`, [`REGISTRY_PASSWORD`]) where it
    /// asks for one.
    pub(crate) fn start_registry(&self, port: u16, asks: bool) -> String {
        let folder = format!("/etc/docker/registry/{port}");
        // [`REGISTRY_PASSWORD`], by htpasswd -B.
        self.write(
            &format!("{folder}/htpasswd"),
            "user:$2y$05$ZS18lcgddgfF1e0m/LrAjOprI9WOIioj9081A5PtjyY3.LA5/RpD.\n",
        );
        let auth = match asks {
            true => format!("auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"),
            false => String::new(),
        };
        self.write(
            &format!("{folder}/config.yml"),
            &format!(
                "version: 0.1\nstorage: {{filesystem: {{rootdirectory: /var/lib/registry-{port}}}}}\n\
                 http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
            ),
        );
        self.sh(&format!(
            "systemd-run -q --unit registry-{port} docker-registry serve {folder}/config.yml"
        ));
        self.wait_for("the registry", Duration::from_secs(20), || {
            let knock = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
            self.run(&["bash", "-c", &knock]).status == 0
        });
        format!("127.0.0.1:{port}")
    }

    /// Logs a user of the host in to a registry that asks.
    pub(crate) fn log_in(&self, user: &str, registry: &str) {
        self.sh_as(
            user,
            &format!(
                "printf %s '{REGISTRY_PASSWORD}' | docker login -u user --password-stdin {registry} 2>/dev/null"
            ),
        );
    }

    /// Pushes a local image under a name of a registry, and takes the name away from the host again.
    pub(crate) fn push_only(&self, image: &str, name: &str) {
        self.sh(&format!(
            "docker tag {image} {name}; docker push -q {name}; docker rmi {name}"
        ));
    }
}
