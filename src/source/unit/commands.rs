//! What a unit's settings say about other files: the files they name and the compose projects
//! they run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use source_text::normal_path;

pub use super::compose_call::ComposeCall;
use super::docker_call::{DockerCalls, Setting};
use super::exec::{self, is_program, script_of};
use super::{Name, Settings};
use crate::model::Diagnostic;

/// A path that a unit names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Absolute, without `.` and `..`.
    pub path: PathBuf,
    /// What for.
    pub role: Role,
}

/// What a path is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The command itself.
    Command,
    Compose,
    Environment,
    /// Some word that may be a path.
    Word,
}

/// All that a unit names.
#[derive(Clone, Debug, Default)]
pub struct Mentions {
    /// Paths, each once for each role.
    pub paths: Vec<Named>,
    /// Calls of compose, each once.
    pub compose: Vec<ComposeCall>,
    /// What it does with single containers, and whether it pulls.
    pub docker: DockerCalls,
}

/// Reads the settings of a service. Other units have no files to name.
pub fn mentions(name: &Name, settings: &Settings) -> Result<Mentions, Diagnostic> {
    let mut reader = Reader {
        name,
        workdir: working_directory(name, settings),
        environment: BTreeMap::new(),
        setting: Setting::default(),
        found: Mentions::default(),
        calls: HashMap::new(),
    };
    if name.suffix() != "service" {
        return Ok(reader.found);
    }
    for value in settings.list("Service", "Environment") {
        let commands = exec::commands(&value.text)
            .map_err(|why| value.complain(why, "expected a closing quote"))?;
        for word in commands.into_iter().flatten() {
            let word = name.expand(&word).unwrap_or(word);
            if let Some((key, value)) = word.split_once('=') {
                reader.environment.insert(key.into(), value.into());
                for part in value.split(':') {
                    reader.word(part, Role::Word);
                }
            }
        }
    }
    for value in environment_files(name, settings) {
        reader.word(value.trim_start_matches('-'), Role::Environment);
    }
    for value in settings.matching("Service", |key| {
        key.starts_with("Exec") && key != "ExecPaths"
    }) {
        let commands = exec::parse(&value.text)
            .map_err(|why| value.complain(why, "expected a closing quote"))?;
        for command in commands {
            reader.setting = Setting {
                starts: matches!(value.key.as_str(), "ExecStartPre" | "ExecStart"),
                optional: command.prefix.contains('-'),
            };
            let words = command.words.iter();
            let command: Vec<_> = words.map(|word| reader.expand(&word.text)).collect();
            let workdir = reader.workdir.clone();
            reader.command(&command, workdir.as_deref(), 0);
        }
    }
    reader.found.docker.finish(&reader.environment);
    reader.found.paths.sort();
    reader.found.paths.dedup();
    Ok(reader.found)
}

/// The values of `EnvironmentFile=` with their specifiers resolved; one whose specifiers are not
/// known here stays as it is.
pub fn environment_files(name: &Name, settings: &Settings) -> Vec<String> {
    let values = settings.list("Service", "EnvironmentFile").into_iter();
    values
        .map(|value| {
            let path = value.text.trim_start_matches('-').trim_matches('"');
            let optional = if value.text.starts_with('-') { "-" } else { "" };
            let path = name.expand(path).unwrap_or_else(|| path.to_owned());
            format!("{optional}{path}")
        })
        .collect()
}

fn working_directory(name: &Name, settings: &Settings) -> Option<PathBuf> {
    let value = settings.last("Service", "WorkingDirectory")?;
    let path = name.expand(value.text.trim_start_matches('-').trim_matches('"'))?;
    match path.as_str() {
        "~" => None,
        path => normal_path(Path::new(path)),
    }
}

/// A compose project as a call has it: its files, its name and its folder.
type Project = (Vec<PathBuf>, Option<String>, Option<PathBuf>);

pub(super) struct Reader<'a> {
    name: &'a Name,
    workdir: Option<PathBuf>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) setting: Setting,
    pub(super) found: Mentions,
    /// Where in `found` a compose project is.
    pub(super) calls: HashMap<Project, usize>,
}

impl Reader<'_> {
    /// Resolves specifiers and the variables that the unit itself sets, each once: what a value has is not expanded again,
    /// "Command lines" in systemd.service(5). A word with another specifier becomes empty: nothing is known of it.
    fn expand(&self, word: &str) -> String {
        let text = self.name.expand(word).unwrap_or_default();
        let whole = text.strip_prefix('$');
        if let Some(value) = whole.and_then(|key| self.environment.get(key)) {
            return value.clone();
        }
        let (mut expanded, mut rest) = (String::new(), text.as_str());
        while let Some((before, after)) = rest.split_once("${") {
            expanded.push_str(before);
            let known = after
                .split_once('}')
                .and_then(|(key, after)| Some((self.environment.get(key)?, after)));
            rest = match known {
                Some((value, after)) => {
                    expanded.push_str(value);
                    after
                }
                None => {
                    expanded.push_str("${");
                    after
                }
            };
        }
        expanded.push_str(rest);
        expanded
    }

    fn command(&mut self, command: &[String], workdir: Option<&Path>, depth: usize) {
        let Some((program, arguments)) = command.split_first() else {
            return;
        };
        let base = program.rsplit('/').next().unwrap_or(program);
        match base {
            "sudo" | "env" | "exec" | "nice" | "timeout" | "flock" if depth < 4 => {
                let inner = arguments.iter().position(|word| is_program(word));
                for word in arguments {
                    self.argument(word, workdir);
                }
                if let Some(rest) = inner.and_then(|at| arguments.get(at..)) {
                    self.command(rest, workdir, depth + 1);
                }
                return;
            }
            "sh" | "bash" | "dash" if depth < 4 => {
                if let Some(text) = script_of(arguments) {
                    self.script(text, workdir, depth);
                    return;
                }
            }
            "docker-compose" => self.compose(arguments, workdir),
            "docker" | "podman" => match arguments.iter().position(|word| word == "compose") {
                Some(at) => {
                    self.compose(arguments.get(at + 1..).unwrap_or_default(), workdir);
                }
                None => self.docker(arguments, workdir),
            },
            _ => {}
        }
        self.word_at(program, workdir, Role::Command);
        for word in arguments {
            self.argument(word, workdir);
        }
    }

    fn script(&mut self, text: &str, workdir: Option<&Path>, depth: usize) {
        let mut workdir = workdir.map(Path::to_owned);
        for command in exec::script(text) {
            let command: Vec<_> = command.iter().map(|word| self.expand(word)).collect();
            match command.as_slice() {
                [cd, folder] if cd == "cd" => workdir = absolute(folder, workdir.as_deref()),
                _ => self.command(&command, workdir.as_deref(), depth + 1),
            }
        }
    }

    /// An argument may be a path, or `--option=path`.
    fn argument(&mut self, word: &str, workdir: Option<&Path>) {
        self.word_at(word, workdir, Role::Word);
        if let Some((_, value)) = word.split_once('=') {
            self.word_at(value, workdir, Role::Word);
        }
    }

    fn word(&mut self, word: &str, role: Role) {
        self.word_at(word, None, role);
    }

    pub(super) fn word_at(&mut self, word: &str, workdir: Option<&Path>, role: Role) {
        if word.is_empty() || word.starts_with('-') || word.contains(['\0', '\n', '*', '$']) {
            return;
        }
        // A bare program name is looked up in PATH, not in the working directory.
        if role == Role::Command && !word.contains('/') {
            return;
        }
        if let Some(path) = absolute(word, workdir) {
            self.found.paths.push(Named { path, role });
        }
    }
}

/// A word as an absolute path; `None` for a relative one when nothing is known to start from.
pub(super) fn absolute(word: &str, workdir: Option<&Path>) -> Option<PathBuf> {
    match (word.starts_with('/'), workdir) {
        (true, _) => normal_path(Path::new(word)),
        (false, Some(folder)) => normal_path(&folder.join(word)),
        (false, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::unit::settings_of as of;

    fn read(text: &str) -> Mentions {
        let name = Name::parse("w@one.service").unwrap();
        mentions(&name, &of(&[&format!("[Service]\n{text}")])).unwrap()
    }

    fn paths(text: &str) -> Vec<String> {
        let found = read(text).paths;
        found
            .iter()
            .map(|named| format!("{:?} {}", named.role, named.path.display()))
            .collect()
    }

    fn calls(text: &str) -> Vec<String> {
        let shown = |call: &ComposeCall| {
            let files: Vec<_> = call
                .files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            let folder = call
                .folder
                .as_ref()
                .map(|folder| folder.display().to_string());
            format!("{} {:?} {:?}", files.join("+"), call.project, folder)
        };
        read(text).compose.iter().map(shown).collect()
    }

    /// As systemd does: once, and only what the unit itself sets.
    #[test]
    fn variables_are_expanded_once() {
        let name = Name::parse("a.service").unwrap();
        let mut reader = Reader {
            name: &name,
            workdir: None,
            environment: BTreeMap::new(),
            setting: Setting::default(),
            found: Mentions::default(),
            calls: HashMap::new(),
        };
        for (key, value) in [("A", "${B}"), ("B", "b"), ("DIR", "/srv")] {
            reader.environment.insert(key.into(), value.into());
        }
        for (word, expected) in [
            ("$B", "b"),
            ("${B}", "b"),
            ("${A}", "${B}"),
            ("${DIR}/${B}.yml", "/srv/b.yml"),
            ("${NONE}/${B}", "${NONE}/b"),
            ("$B/x", "$B/x"),
            ("${B", "${B"),
        ] {
            assert_eq!(reader.expand(word), expected, "{word}");
        }
    }

    #[test]
    fn paths_are_found_with_their_role() {
        for (text, expected) in [
            (
                "ExecStart=-/c/run.sh --conf=/c/%i.yml x",
                vec!["Word /c/one.yml", "Command /c/run.sh"],
            ),
            ("EnvironmentFile=-/c/../c/.env", vec!["Environment /c/.env"]),
            (
                "Environment=\"A=/c/a:/c/b\"",
                vec!["Word /c/a", "Word /c/b"],
            ),
            (
                "WorkingDirectory=/c\nExecStart=/usr/bin/python3 s/x.py",
                vec!["Word /c/s/x.py", "Command /usr/bin/python3"],
            ),
            (
                "ExecStart=/bin/sh -c \"cd /c && ./a.sh >/dev/null\"",
                vec!["Command /c/a.sh", "Word /dev/null"],
            ),
            ("ExecStart=/bin/a /c/%H/x", vec!["Command /bin/a"]),
        ] {
            assert_eq!(paths(text), expected, "{text}");
        }
    }

    #[test]
    fn compose_calls_are_found() {
        for (text, expected) in [
            (
                "ExecStart=/usr/bin/docker-compose -f /c/a.yml up\nExecStop=/usr/bin/docker-compose -f /c/a.yml down",
                vec!["/c/a.yml None None"],
            ),
            (
                "WorkingDirectory=/w\nExecStart=/usr/bin/docker compose -p x --file=a.yml -fb.yml up -d",
                vec!["/w/a.yml+/w/b.yml Some(\"x\") Some(\"/w\")"],
            ),
            (
                "WorkingDirectory=/w\nExecStart=docker-compose up -f no",
                vec![" None Some(\"/w\")"],
            ),
            (
                "ExecStart=/bin/bash -ec 'cd /w; docker-compose up'",
                vec![" None Some(\"/w\")"],
            ),
            (
                "Environment=COMPOSE_FILE=/c/a.yml COMPOSE_PROJECT_NAME=q\nExecStart=/usr/bin/env docker-compose up",
                vec!["/c/a.yml Some(\"q\") None"],
            ),
            (
                "Environment=F=/c/a.yml\nExecStart=docker-compose -f ${F} up",
                vec!["/c/a.yml None None"],
            ),
            (
                "ExecStart=/usr/bin/docker compose --progress plain --parallel 2 -f /c/a.yml up",
                vec!["/c/a.yml None None"],
            ),
            ("ExecStart=docker-compose up", vec![]),
        ] {
            assert_eq!(calls(text), expected, "{text}");
        }
    }

    #[test]
    fn an_open_quote_is_an_error() {
        let name = Name::parse("a.service").unwrap();
        let error = mentions(&name, &of(&["[Service]\nExecStart=/a \"b"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "u.service:2:11: the quote \" is not closed"
        );
    }
}
