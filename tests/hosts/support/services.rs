//! Service images. A host can pull nothing, so its images are made from a static busybox.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::Host;
use super::debian::Debian;
use super::images::{Image, Layer};

/// What busybox can be called as in a service image; health checks and start scripts use them.
const APPLETS: [&str; 12] = [
    "sh", "httpd", "wget", "nc", "ping", "sleep", "cat", "echo", "test", "true", "false", "env",
];

/// An image whose container answers HTTP, as the services of the servers do.
pub(crate) struct Service<'a> {
    /// Name and tag, such as `vault:1`.
    pub image: &'a str,
    /// The port that it listens on in the container.
    pub port: u16,
    /// URL paths that answer 200 beside `/` and `/health`. The body is the image's name, so that a test sees which
    /// one answered.
    pub paths: &'a [&'a str],
}

impl Host {
    /// Loads one service image; see [`Host::load_service_images`].
    pub(crate) fn load_service_image(&self, image: &str, port: u16, paths: &[&str]) {
        self.load_service_images(&[Service { image, port, paths }]);
    }

    /// Loads service images into the host's Docker engine, all in one archive over one shared busybox layer.
    #[track_caller]
    pub(crate) fn load_service_images(&self, services: &[Service<'_>]) {
        self.load_images_with("docker", services);
    }

    /// A host with these images, each of a service that answers its name on port 8000.
    pub(crate) fn with_images(images: &[&str]) -> Self {
        let host = Self::boot();
        let services = images.iter().map(|image| Service {
            image,
            port: 8000,
            paths: &[],
        });
        host.load_service_images(&services.collect::<Vec<_>>());
        host
    }

    /// Waits until the container of such an image answers at a port of the host.
    #[track_caller]
    pub(crate) fn wait_for_image(&self, image: &str, port: u16, bound: Duration) {
        let url = format!("http://localhost:{port}/");
        self.wait_for(&format!("{image} at {url}"), bound, || {
            self.get(&url) == (200, format!("{image}\n"))
        });
    }

    /// The same with the command of another engine.
    #[track_caller]
    pub(crate) fn load_images_with(&self, command: &str, services: &[Service<'_>]) {
        let images = services.iter().map(|service| Image {
            name: service.image,
            layers: vec![base_layer().clone(), www_layer(service)],
            config: config(service),
        });
        self.load(command, &images.collect::<Vec<_>>());
    }
}

/// What its containers run.
fn config(service: &Service<'_>) -> Value {
    json!({
        "Env": ["PATH=/bin"],
        "Cmd": ["/bin/httpd", "-f", "-p", service.port.to_string(), "-h", "/www"],
        // httpd has no handler for SIGTERM and, being PID 1, ignores it: each stop would take 10 seconds.
        "StopSignal": "SIGKILL",
    })
}

/// busybox and its links, from the image of the hosts. The same for all services, and made once.
fn base_layer() -> &'static Layer {
    static LAYER: OnceLock<Layer> = OnceLock::new();
    LAYER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bin = folder.path().join("bin");
        fs::create_dir_all(&bin).expect("the folder of busybox");
        fs::create_dir(folder.path().join("tmp")).expect("a folder for temporary files");
        let busybox = Command::new("docker")
            .args([
                "run",
                "--rm",
                "--network",
                "none",
                "--entrypoint",
                "cat",
                Debian::chosen().image(),
                "/bin/busybox",
            ])
            .output()
            .expect("docker runs");
        assert!(
            busybox.status.success(),
            "no busybox: {}",
            String::from_utf8_lossy(&busybox.stderr)
        );
        fs::write(bin.join("busybox"), busybox.stdout).expect("busybox");
        fs::set_permissions(bin.join("busybox"), fs::Permissions::from_mode(0o755))
            .expect("its mode");
        for applet in APPLETS {
            symlink("busybox", bin.join(applet)).expect("a link to busybox");
        }
        Layer::of_folder(folder.path())
    })
}

/// The pages of a service. A path is a folder with an index if it ends in a slash or another path is below it.
fn www_layer(service: &Service<'_>) -> Layer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths: BTreeSet<&str> = service
        .paths
        .iter()
        .copied()
        .chain(["/", "/health"])
        .collect();
    for path in &paths {
        let relative = path.trim_matches('/');
        let below = format!("/{relative}/");
        let is_folder = path.ends_with('/') || paths.iter().any(|other| other.starts_with(&below));
        let mut page = folder.path().join("www").join(relative);
        if is_folder {
            page.push("index.html");
        }
        fs::create_dir_all(page.parent().expect("a page is in a folder"))
            .expect("folders for a page");
        fs::write(page, format!("{}\n", service.image)).expect("a page");
    }
    Layer::of_folder(folder.path())
}
