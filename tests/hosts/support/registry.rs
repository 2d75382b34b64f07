//! A registry of images on a host: Debian's own, which keeps what it has in a folder.

use std::time::Duration;

use super::Host;

impl Host {
    /// Starts a registry at a port of 127.0.0.1 and returns its name; with a password (`user`, `secret`) where it asks for
    /// one.
    pub(crate) fn start_registry(&self, port: u16, asks: bool) -> String {
        let folder = format!("/etc/docker/registry/{port}");
        // `secret`, by htpasswd -B.
        self.write(
            &format!("{folder}/htpasswd"),
            "user:$2y$05$IV0PXBmJTTP2XpM821Pq5eaM8Wba/qlI91kv1zBRDBa5e/SwwDXbO\n",
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

    /// Pushes a local image under a name of a registry, and takes the name away from the host again.
    pub(crate) fn push_only(&self, image: &str, name: &str) {
        self.sh(&format!(
            "docker tag {image} {name}; docker push -q {name}; docker rmi {name}"
        ));
    }
}
