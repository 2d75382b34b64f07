//! Images: whether they are there, and how they get there. Docker's own command pulls them, so that registry credentials
//! and their helpers are Docker's own; <https://docs.docker.com/reference/cli/docker/login/#credential-stores>.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::unistd::User;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::docker::Docker;
use super::podman::podman;
use super::{Host, HostError};
use crate::effect::PullImage;
use crate::model::{Engine, ImageFound, Observed};

/// How often a pull tells how far it is.
const TELL: Duration = Duration::from_secs(5);
/// How often a pull looks whether a signal asks it to stop.
const LOOK: Duration = Duration::from_millis(200);
/// Lines of a failed pull that are kept.
const LINES: usize = 5;
/// Where the kernel lists programs that run what is made for other processors; binfmt_misc in the kernel's documentation.
const EMULATORS: &str = "/proc/sys/fs/binfmt_misc";

impl Host {
    /// Fills in which of these images are there.
    pub(crate) async fn observe_images(
        &self,
        observed: &mut Observed,
        names: BTreeSet<String>,
    ) -> Result<(), HostError> {
        let Some(docker) = &mut observed.docker else {
            return Ok(());
        };
        let mut images = BTreeMap::new();
        for name in names {
            let found = match self.docker().await?.image(&name).await {
                Ok(Some(image)) => ImageFound::There(image),
                Ok(None) => ImageFound::Missing,
                Err(error) if error.is_bad_request() => ImageFound::Invalid,
                Err(error) => return Err(error),
            };
            images.insert(name, found);
        }
        docker.images = images;
        Ok(())
    }

    /// Pulls an image with the credentials of the unit's user, and tells how far it is.
    ///
    /// # Errors
    /// When `docker pull` fails or takes too long, and when a signal asks to stop.
    pub(crate) async fn pull(
        &self,
        pull: &PullImage,
        interrupted: &AtomicBool,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), HostError> {
        let (engine, mut command) = match pull.podman {
            true => (Engine::Podman, podman()),
            false => {
                let docker = self.docker().await?;
                (docker.kind(), client(&docker, pull))
            }
        };
        let program = |source| HostError::Program {
            program: format!("{} pull {}", engine.command(), pull.image.name),
            source,
        };
        let what = || format!("pull the image {} for {}", pull.image.name, pull.unit);
        let child = complete(&mut command, pull).spawn().map_err(program)?;
        let (ended, said) = follow(child, interrupted, tell, (pull.timeout, &what)).await?;
        match ended.map_err(program)?.success() {
            true => Ok(()),
            false => Err(HostError::PullFailed {
                engine,
                image: pull.image.name.clone(),
                unit: pull.unit.clone(),
                user: pull.user.clone().unwrap_or_else(|| "root".to_owned()),
                said,
            }),
        }
    }
}

/// Waits for a program, and tells now and then the last line that it printed. Returns how it ended, and its last lines.
///
/// # Errors
/// When a signal asks to stop, and when it takes longer than the bound of `what` it does; it is killed then.
pub(super) async fn follow(
    mut child: Child,
    interrupted: &AtomicBool,
    tell: &mut dyn FnMut(&str),
    (bound, what): (Duration, &dyn Fn() -> String),
) -> Result<(io::Result<ExitStatus>, Vec<String>), HostError> {
    let mut said = VecDeque::new();
    let mut last = String::new();
    let mut output = lines(child.stdout.take());
    let mut errors = lines(child.stderr.take());
    let began = Instant::now();
    let mut told = Instant::now();
    loop {
        tokio::select! {
            line = next(&mut output) => match line {
                Some(line) => last = line,
                None => output = None,
            },
            line = next(&mut errors) => match line {
                Some(line) => {
                    said.push_back(line);
                    if said.len() > LINES {
                        said.pop_front();
                    }
                }
                None => errors = None,
            },
            () = tokio::time::sleep(LOOK) => {}
        }
        if output.is_none() && errors.is_none() {
            return Ok((child.wait().await, said.into()));
        }
        let late = began.elapsed() > bound;
        if late || interrupted.load(Ordering::Relaxed) {
            // One that has ended by itself meanwhile is ended, too.
            let _ = child.kill().await;
            return Err(match late {
                true => HostError::Timeout {
                    what: what(),
                    after: bound,
                },
                false => HostError::Interrupted,
            });
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            tell(&format!("{} s, {last}", began.elapsed().as_secs()));
        }
    }
}

/// A program as a user, with that user's home; setpriv(1) is a part of every Debian.
pub(super) fn as_user(user: Option<&str>, program: &str) -> Command {
    match other_user(user) {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={}", user.uid))
                .arg(format!("--regid={}", user.gid))
                .args(["--init-groups", "--", program])
                .env("HOME", &user.dir);
            command
        }
        None => {
            let mut command = Command::new(program);
            command.env("HOME", "/root");
            command
        }
    }
}

/// A user of this host other than root.
pub(super) fn other_user(user: Option<&str>) -> Option<User> {
    let user = user.filter(|user| *user != "root");
    user.and_then(|user| User::from_name(user).ok().flatten())
}

/// The engine's own command, as the user whose credentials count. Podman pulls into the store of the engine behind the socket, which
/// is often root's alone: so it is root who asks, with the credentials of the user; podman-remote(1), podman-login(1).
fn client(docker: &Docker, pull: &PullImage) -> Command {
    let program = docker.kind().command();
    let user = pull.user.as_deref();
    let mut command = match other_user(user) {
        Some(user) if docker.kind() == Engine::Podman => {
            let mut command = Command::new(program);
            command.env("HOME", &user.dir);
            let own = user.dir.join(".config/containers/auth.json");
            if own.is_file() {
                command.env("REGISTRY_AUTH_FILE", own);
            }
            command
        }
        _ => as_user(user, program),
    };
    if let Some(folder) = &pull.config {
        command.env("DOCKER_CONFIG", folder);
    }
    // The engine that was asked for the image, and no other one beside it.
    let url = format!("unix://{}", docker.socket().display());
    match docker.kind() {
        Engine::Docker => command.env("DOCKER_HOST", url),
        Engine::Podman => command.env("CONTAINER_HOST", url).arg("--remote"),
    };
    command
}

/// `pull IMAGE`, followed to its end.
fn complete<'c>(command: &'c mut Command, pull: &PullImage) -> &'c mut Command {
    command.arg("pull");
    if let Some(platform) = &pull.image.platform {
        command.args(["--platform", platform]);
    }
    command
        .args(["--", &pull.image.name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
}

type Lines<R> = Option<tokio::io::Lines<BufReader<R>>>;

fn lines<R: AsyncRead + Unpin>(stream: Option<R>) -> Lines<R> {
    Some(BufReader::new(stream?).lines())
}

/// The next line of a stream; never one of a stream that has ended.
async fn next<R: AsyncRead + Unpin>(lines: &mut Lines<R>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

/// This machine's architecture, in the words of images.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether a container of an image for `other` runs here.
pub(in crate::host) fn runs_here(other: &str) -> bool {
    let natively = matches!(
        (architecture(), other),
        ("amd64", "386") | ("arm64", "arm") | (_, "")
    );
    natively || other == architecture() || is_emulated()
}

/// Whether a program is registered that runs what is made for other processors.
fn is_emulated() -> bool {
    let entries = fs::read_dir(EMULATORS).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with("qemu-"))
}

/// The command that helps after a failed pull.
pub(super) fn hint(engine: Engine, image: &str, user: &str, said: &[String]) -> String {
    let program = engine.command();
    let said = said.join(" ").to_lowercase();
    let registry = match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => "",
    };
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "unauthorized",
        "denied",
        "no basic auth",
        "authentication required",
        "authorization",
    ]) {
        let login = format!("{program} login {registry}");
        return format!("as {user}: {}", login.trim_end());
    }
    if says(&["manifest unknown", "not found", "no matching manifest"]) {
        return format!(
            "does the tag exist, and for this processor ({})? {program} manifest inspect {image}",
            architecture()
        );
    }
    format!("{program} pull {image}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_pull_says_what_helps() {
        for (said, expected) in [
            (
                "Error response from daemon: pull access denied for r.example.com/app",
                "as ubuntu: docker login r.example.com",
            ),
            (
                "Error response from daemon: manifest for r.example.com/app:2 not found: manifest unknown",
                "does the tag exist, and for this processor",
            ),
            (
                "dial tcp: lookup r.example.com: no such host",
                "docker pull r.example.com/app:2",
            ),
        ] {
            let hint = hint(
                Engine::Docker,
                "r.example.com/app:2",
                "ubuntu",
                &[said.to_owned()],
            );
            assert!(hint.starts_with(expected), "{said}: {hint}");
        }
        assert_eq!(
            hint(Engine::Docker, "app", "root", &["unauthorized".to_owned()]),
            "as root: docker login"
        );
        assert_eq!(
            hint(Engine::Podman, "app", "root", &["unauthorized".to_owned()]),
            "as root: podman login"
        );
    }

    #[test]
    fn errors_of_images_name_them() {
        let error = HostError::PullFailed {
            engine: Engine::Docker,
            image: "app:2".into(),
            unit: "app.service".into(),
            user: "root".into(),
            said: vec!["manifest unknown".into()],
        };
        assert_eq!(
            error.to_string(),
            "could not pull the image app:2 for app.service: manifest unknown"
        );
        let error = HostError::ImagePlatform {
            engine: Engine::Docker,
            image: "app:2".into(),
            is_for: "s390x".into(),
        };
        assert!(
            error
                .to_string()
                .starts_with("the image app:2 is for s390x, and this host is ")
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.starts_with("docker pull --platform linux/"))
        );
        let error = HostError::ImageGone {
            engine: Engine::Docker,
            image: "app:2".into(),
        };
        assert_eq!(
            error.to_string(),
            "the image app:2 was pulled, and Docker does not have it"
        );
    }
}
