//! Calls of compose, by either of its names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::commands::{Named, Reader, Role, absolute};
use source_text::word_list;

/// A call of compose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeCall {
    /// `-f`, absolute, in their order. Empty: the default names in `folder`.
    pub files: Vec<PathBuf>,
    /// `-p`, or `COMPOSE_PROJECT_NAME`.
    pub project: Option<String>,
    /// `--project-directory`, or the working directory, when it is known.
    pub folder: Option<PathBuf>,
    /// Services that `up` names. Empty: all.
    pub services: BTreeSet<String>,
    /// Profiles that it names.
    pub profiles: BTreeSet<String>,
    /// Whether it stays with what it starts: an `up` without `-d`.
    pub attached: bool,
    /// Whether it is an `up`.
    pub up: bool,
    /// What the unit's `Environment=` sets.
    pub environment: BTreeMap<String, String>,
    /// `--env-file`, which compose reads instead of `.env`.
    pub env_file: Option<PathBuf>,
}

/// Options of `docker-compose` and `docker compose` that stand before the subcommand and take
/// a value.
pub(super) const TAKE_A_VALUE: [&str; 18] = word_list("
    -f --file -p --project-name --project-directory --env-file --profile --parallel --progress -H --host
    -c --context --ansi --log-level --tlscacert --tlscert --tlskey
");

impl Reader<'_> {
    /// Reads compose's own options, those before its subcommand.
    pub(super) fn compose(&mut self, arguments: &[String], workdir: Option<&Path>) {
        let mut call = ComposeCall {
            project: self.environment.get("COMPOSE_PROJECT_NAME").cloned(),
            folder: workdir.map(Path::to_owned),
            environment: self.environment.clone(),
            ..ComposeCall::default()
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
                let always = |pair: &[String]| pair == ["--pull", "always"];
                let pulls = words.as_slice().windows(2).any(always)
                    || words.as_slice().iter().any(|word| word == "--pull=always");
                if option == "pull" || (option == "up" && pulls) {
                    self.found.docker.pulls(self.setting);
                }
                if option == "up" {
                    call.up = true;
                    call.services = named_services(words.as_slice());
                    let mut options = words.as_slice().iter();
                    call.attached = !options.any(|word| is_detached(word));
                }
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
                "--profile" => {
                    call.profiles.insert(value.to_owned());
                }
                "--project-directory" => call.folder = absolute(value, workdir),
                "--env-file" => {
                    self.word_at(value, workdir, Role::Environment);
                    call.env_file = absolute(value, workdir);
                }
                _ => {}
            }
        }
        if files.is_empty() {
            let variable = self.environment.get("COMPOSE_FILE").into_iter();
            files.extend(variable.flat_map(|list| list.split(':')).map(str::to_owned));
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
        if !known {
            return;
        }
        // `pull`, `up` and `down` of the same project are one project; `up` says what runs.
        let key = (
            call.files.clone(),
            call.project.clone(),
            call.folder.clone(),
        );
        let compose = &mut self.found.compose;
        let at = *self.calls.entry(key).or_insert(compose.len());
        match compose.get_mut(at) {
            Some(known) => {
                known.services.extend(call.services);
                known.profiles.extend(call.profiles);
                known.attached |= call.attached;
                known.up |= call.up;
            }
            None => compose.push(call),
        }
    }
}

/// `-d`, alone or among other short options, or in its long forms.
fn is_detached(word: &str) -> bool {
    let short = word.starts_with('-') && !word.starts_with("--") && word.contains('d');
    short || word == "--detach" || word == "--wait"
}

/// Options of `up` that take a value.
const UP_TAKES_A_VALUE: [&str; 8] = word_list(
    "
    -t --timeout --scale --exit-code-from --pull --attach --no-attach --wait-timeout
",
);

/// The words behind `up` that are no options.
fn named_services(words: &[String]) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if UP_TAKES_A_VALUE.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with('-') {
            services.insert(word.clone());
        }
    }
    services
}
