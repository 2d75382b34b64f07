//! The file of a stack's unit.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Found, mounts};
use crate::model::{ComposeCommand, Engine, StackCopy, layout};

/// How compose is called.
pub(super) struct Calls {
    pub(super) compose: ComposeCommand,
    /// The engine's socket, if watchme.toml names one.
    pub(super) socket: Option<PathBuf>,
}

impl Calls {
    /// The unit that makes the engine answer.
    fn engine(&self) -> &'static str {
        match self.socket.as_deref().map(Engine::behind) {
            Some(Engine::Podman) => Engine::Podman.unit(),
            Some(Engine::Docker) | None => "docker.service",
        }
    }
}

/// A stack's unit. It stops its containers and keeps them: what they have written outside of volumes, and volumes
/// without a name, are there when it starts again.
pub(super) fn text(
    stack: &Found,
    calls: &Calls,
    before: &BTreeSet<String>,
    copy: Option<&StackCopy>,
) -> String {
    let mut files = Vec::new();
    let mut options = String::new();
    let mut option = |name: &str, value: &str| {
        options.push_str(&format!(" {name} {}", quoted(value)));
    };
    let named = stack.policy.files.iter();
    files.extend(named.map(|file| file.as_str().to_owned()));
    // Compose looks for none where it is told of one.
    if files.is_empty() && stack.laid_over.is_some() {
        let names = stack.files.iter().filter_map(|file| file.file_name());
        files.extend(names.map(|name| name.to_string_lossy().into_owned()));
    }
    let project = match copy {
        Some(copy) => Some(copy.project(&stack.parsed.project)),
        None => stack.policy.project.as_deref().cloned(),
    };
    if let Some(project) = &project {
        option("--project-name", project);
    }
    for profile in &stack.policy.profiles {
        option("--profile", profile);
    }
    let to_read = |file: &str| format!(" --file {}", quoted(file));
    let named: String = files.iter().map(|file| to_read(file)).collect();
    let laid_over = stack.laid_over.as_ref().map(mounts::path_of);
    let laid_over = laid_over.map(|file| to_read(&file.to_string_lossy()));
    let laid_over = laid_over.unwrap_or_default();
    let compose = calls.compose;
    // A stop needs no mounts, and may come when the store has them no more.
    let command = format!("{compose}{named}{options}");
    let up = format!("{compose}{named}{laid_over}{options} up --detach");
    let others: String = before.iter().map(|unit| format!(" {unit}")).collect();
    let wants: String = match others.is_empty() {
        true => String::new(),
        false => format!("Wants={}\n", others.trim_start()),
    };
    let folder = stack.folder.to_string_lossy().replace('%', "%%");
    let name = &stack.name;
    let engine = calls.engine();
    let socket = calls.socket.as_ref();
    let socket = socket.map(|path| format!("DOCKER_HOST=unix://{}", path.display()));
    let port = copy.map(|copy| format!("PORT={}", copy.port));
    let variables = socket.into_iter().chain(port);
    let environment: String = variables
        .map(|variable| format!("Environment={}\n", quoted(&variable)))
        .collect();
    let files = stack.policy.variables.iter();
    let files: String = files
        .map(|name| format!("EnvironmentFile={}/{}\n", layout::SECRETS, name.as_str()))
        .collect();
    // A shutdown stops no unit without default dependencies, and a stop of the engine none that only wants it: what was
    // stopped would stay so after a boot, systemd.unit(5).
    let (bound, enabled) = match *stack.policy.unit {
        true => (
            format!("Requires={engine}\n"),
            "\n[Install]\nWantedBy=multi-user.target\n",
        ),
        false => (
            format!(
                "# unit = false: restart policies start the containers at boot, and nothing here stops them at shutdown.\n\
                 DefaultDependencies=no\n\
                 Wants={engine}\n"
            ),
            "",
        ),
    };
    format!(
        "# Written by watchme-apply for compose/{name}: change that folder, or [stack.{name}] in watchme.toml.\n\
         [Unit]\n\
         Description=The compose project in compose/{name}\n\
         {bound}\
         Wants=network-online.target\n\
         {wants}\
         After={engine} network-online.target{others}\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         {environment}\
         {files}\
         WorkingDirectory={folder}\n\
         ExecStart={up}\n\
         ExecReload={up}\n\
         ExecStop={command} stop\n\
         {enabled}"
    )
}

/// A word of a command line, systemd.service(5) "Command lines".
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-+:@,=".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    format!("\"{escaped}\"")
}
