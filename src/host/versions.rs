//! The versions of a host's programs.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Host;
use crate::model::{ComposeCommand, Target, Version};

/// A program that prints its version does nothing else.
const ANSWER: Duration = Duration::from_secs(5);
/// Where the plug-in of version 2 is installed: Debian's and Docker's own packages, and by hand;
/// <https://docs.docker.com/compose/install/linux/>
const PLUGINS: [&str; 4] = [
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/local/libexec/docker/cli-plugins/docker-compose",
];
/// Where a docker-compose of its own is.
const COMMANDS: [&str; 2] = ["/usr/local/bin/docker-compose", "/usr/bin/docker-compose"];

impl Host {
    /// The version of compose that units call.
    pub(crate) async fn compose(&self) -> Option<Version> {
        match self.is_live() {
            true => compose().await,
            false => None,
        }
    }

    /// How units call compose there: the plug-in, if it is installed.
    pub(crate) fn compose_command(&self) -> ComposeCommand {
        let is_there =
            |paths: &[&str]| paths.iter().any(|path| self.root.is_there(Path::new(path)));
        match !is_there(&PLUGINS) && is_there(&COMMANDS) {
            true => ComposeCommand::Own,
            false => ComposeCommand::Plugin,
        }
    }

    /// The versions of its programs; those that are not installed, or that do not say it, stay unknown. An offline root
    /// has nothing that runs.
    pub(crate) async fn versions(&self) -> Target {
        if !self.is_live() {
            return Target::default();
        }
        let systemd = async { self.systemd().await.ok()?.version().await.ok() };
        let docker = async { self.docker().await.ok()?.version().await };
        let program = self.nginx().program.to_string_lossy().into_owned();
        let nginx = [program.as_str(), "-v"];
        let (nginx, systemd, docker, compose) =
            tokio::join!(printed(&nginx), systemd, docker, compose());
        let systemd = systemd.as_deref().and_then(Version::leading);
        Target {
            nginx,
            systemd,
            compose,
            docker: docker.as_deref().and_then(Version::leading),
        }
    }
}

/// The version of compose: that of `docker-compose`, else that of the plug-in. With both, units of an older server call
/// `docker-compose`.
async fn compose() -> Option<Version> {
    let first =
        |paths: &[&'static str]| paths.iter().find(|path| Path::new(path).is_file()).copied();
    let program = first(&COMMANDS).or_else(|| first(&PLUGINS))?;
    // Version 1 of distributions is a script of Python, and takes half a second to say so.
    if is_script(program) {
        return Some(Version::minor(1, 29));
    }
    printed(&[program, "version", "--short"]).await
}

fn is_script(path: &str) -> bool {
    let mut start = [0; 2];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

/// The version that a command prints, on either of its outputs.
async fn printed(command: &[&str]) -> Option<Version> {
    let (program, arguments) = command.split_first()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(ANSWER, command.output())
        .await
        .ok()?
        .ok()?;
    let said = [output.stdout, output.stderr].concat();
    Version::leading(String::from_utf8_lossy(&said).lines().next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_known_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("#!/usr/bin/python3\n", true),
            ("\x7fELF", false),
            ("", false),
        ] {
            let path = folder.path().join("docker-compose");
            std::fs::write(&path, text).unwrap();
            assert_eq!(is_script(path.to_str().unwrap()), expected, "{text:?}");
        }
        assert!(!is_script("/nonexistent"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_version_is_read_from_what_a_program_prints() {
        let version = |text| Version::read(text);
        assert_eq!(
            printed(&["sh", "-c", "echo nginx version: nginx/1.22.1 >&2"]).await,
            version("1.22.1")
        );
        assert_eq!(printed(&["echo", "v2.26.1"]).await, version("2.26.1"));
        assert_eq!(printed(&["true"]).await, None);
        assert_eq!(printed(&["/nonexistent"]).await, None);
    }
}
