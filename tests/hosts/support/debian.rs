//! The generations of Debian that hosts boot.

use std::env;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A version of Debian; the image of each is made by `tests/hosts/image/build`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Debian {
    /// bookworm: systemd 252, nginx 1.22, Docker 20.10, docker-compose 1.29.
    Twelve,
    /// trixie: systemd 257, nginx 1.26, Docker 26.1, compose 2.26, Podman 5.4.
    Thirteen,
}

impl Debian {
    /// The one that `WATCHME_TEST_DEBIAN` names (`12` or `13`); 12 unless said.
    pub(crate) fn chosen() -> Self {
        match env::var("WATCHME_TEST_DEBIAN").as_deref() {
            Err(_) | Ok("" | "12") => Self::Twelve,
            Ok("13") => Self::Thirteen,
            Ok(other) => panic!("WATCHME_TEST_DEBIAN is 12 or 13, not {other}"),
        }
    }

    /// The image that its hosts boot from. Made on first use.
    pub(super) fn image(self) -> &'static str {
        static IMAGES: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
        let (image, version) = match self {
            Self::Twelve => (&IMAGES[0], "12"),
            Self::Thirteen => (&IMAGES[1], "13"),
        };
        image.get_or_init(|| {
            let build = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/image/build");
            let built = Command::new(build)
                .arg(version)
                .stderr(Stdio::inherit())
                .output();
            let built = built.unwrap_or_else(|error| panic!("cannot run {build}: {error}"));
            assert!(
                built.status.success(),
                "no image to boot a host from: {build} {version} failed, see above"
            );
            String::from_utf8_lossy(&built.stdout).trim().to_owned()
        })
    }
}
