//! Calls of compose, by either of its names.

use std::path::{Path, PathBuf};

use super::commands::{Named, Reader, Role, absolute};

/// A call of compose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeCall {
    /// `-f`, absolute, in their order. Empty: the default names in `folder`.
    pub files: Vec<PathBuf>,
    /// `-p`, or `COMPOSE_PROJECT_NAME`.
    pub project: Option<String>,
    /// `--project-directory`, or the working directory, when it is known.
    pub folder: Option<PathBuf>,
}

/// Options of `docker-compose` and `docker compose` that stand before the subcommand and take
/// a value.
const TAKE_A_VALUE: [&str; 16] = [
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--project-directory",
    "--env-file",
    "--profile",
    "-H",
    "--host",
    "-c",
    "--context",
    "--ansi",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];

impl Reader<'_> {
    /// Reads compose's own options, those before its subcommand.
    pub(super) fn compose(&mut self, arguments: &[String], workdir: Option<&Path>) {
        let mut call = ComposeCall {
            files: Vec::new(),
            project: self.environment.get("COMPOSE_PROJECT_NAME").cloned(),
            folder: workdir.map(Path::to_owned),
        };
        let mut files: Vec<String> = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (option, attached) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value)),
                _ => match word.get(..2) {
                    Some(short @ ("-f" | "-p")) if word.len() > 2 => (short, word.get(2..)),
                    _ => (word.as_str(), None),
                },
            };
            if !option.starts_with('-') {
                break;
            }
            if !TAKE_A_VALUE.contains(&option) {
                continue;
            }
            let Some(value) = attached.or_else(|| words.next().map(String::as_str)) else {
                break;
            };
            match option {
                "-f" | "--file" => files.push(value.into()),
                "-p" | "--project-name" => call.project = Some(value.into()),
                "--project-directory" => call.folder = absolute(value, workdir),
                "--env-file" => self.word_at(value, workdir, Role::Environment),
                _ => {}
            }
        }
        if files.is_empty() {
            let variable = self.environment.get("COMPOSE_FILE");
            files.extend(
                variable
                    .iter()
                    .flat_map(|list| list.split(':'))
                    .map(str::to_owned),
            );
        }
        for file in &files {
            if let Some(path) = absolute(file, workdir) {
                self.found.paths.push(Named {
                    path: path.clone(),
                    role: Role::Compose,
                });
                call.files.push(path);
            }
        }
        let known = !call.files.is_empty() || (files.is_empty() && call.folder.is_some());
        if known && !self.found.compose.contains(&call) {
            self.found.compose.push(call);
        }
    }
}
