//! Compose projects of running containers. One that a unit runs stays where its files are; one that somebody started by hand
//! becomes a stack, if compose says that it would leave its containers as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::found::{Category, Found, NewFile, Taken, quoted};
use super::look::Look;
use super::passwords;
use super::recovered::{self, Made};
use super::rewrite::rewrite;
use crate::host::HostError;
use crate::model::{Container, Health, Kind};
use crate::root::RootError;
use crate::source::DEFAULT_COMPOSE_FILES;
use crate::source::compose::{Document, interpolate};

/// A compose project that runs.
#[derive(Debug, Default)]
struct Project<'a> {
    containers: Vec<&'a Container>,
}

/// The name of a stack's unit.
pub(super) fn unit_of(stack: &str) -> String {
    format!("stack-{stack}.service")
}

/// Takes projects that no unit runs.
pub(super) fn take(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    let of_units = projects_of_units(look);
    for (name, project) in projects(look) {
        let files = project.files();
        let shown = match files.first() {
            Some(file) => format!("compose project {name} ({})", file.display()),
            None => format!("compose project {name}"),
        };
        if let Some(unit) = of_units.get(name.as_str()) {
            let mut why = format!(
                "{unit} runs it from its current folder; drift reports its files that changed after a start"
            );
            if let Some(lost) = recovered::lost(look, &project.made(look), &files)? {
                why = format!("{why}; {lost}");
            }
            found.leave(shown, why);
            continue;
        }
        match stack(look, &name, &project, &files) {
            Ok((taken, secrets)) => {
                for (path, what) in secrets {
                    found.secret(path, what);
                }
                found.taken.push(taken);
            }
            Err(NoStack::For(why)) => found.leave(shown, why),
            Err(NoStack::Unread(error)) => return Err(error.into()),
        }
    }
    let docker = look.docker.iter().flat_map(|docker| &docker.containers);
    let alone = docker.filter(|container| container.compose.is_none() && container.is_running());
    for container in alone {
        let of_unit = look.installed.iter().find(|(_, unit)| {
            let mut names = unit.runs.iter().map(|run| &run.name);
            names.any(|name| name.as_ref() == Some(&container.name))
        });
        let why = match (&container.systemd_unit, of_unit) {
            (Some(_), _) => continue,
            (None, Some((unit, _))) => format!("{unit} runs it"),
            (None, None) => "it was started with docker run, and no file describes it: write a compose file for it".to_owned(),
        };
        found.leave(format!("container {}", container.name), why);
    }
    Ok(())
}

/// Projects with their containers, one-off runs left out.
fn projects<'a>(look: &'a Look<'_>) -> BTreeMap<String, Project<'a>> {
    let mut projects: BTreeMap<String, Project<'a>> = BTreeMap::new();
    let containers = look.docker.iter().flat_map(|docker| &docker.containers);
    for container in containers.filter(|container| !container.oneoff) {
        if let Some((project, _)) = &container.compose {
            let known = projects.entry(project.clone()).or_default();
            known.containers.push(container);
        }
    }
    projects.retain(|_, project| project.containers.iter().any(|found| found.is_running()));
    projects
}

/// Compose projects that units run, and which unit.
pub(super) fn projects_of_units<'a>(look: &'a Look<'_>) -> BTreeMap<&'a str, &'a str> {
    let stacks = look.installed.iter().flat_map(|(name, unit)| {
        let stacks = unit.stacks.iter();
        stacks.map(|stack| (stack.project.as_str(), name.as_str()))
    });
    stacks.collect()
}

impl Project<'_> {
    /// The files that its containers were made from: those of the one that was made from most.
    fn files(&self) -> Vec<PathBuf> {
        let files = self.containers.iter().map(|one| &one.config_files);
        let most = files.max_by_key(|files| files.len());
        most.cloned().unwrap_or_default()
    }

    /// The folder of its files, if an apply would leave its containers as they are.
    fn folder<'f>(&self, files: &'f [PathBuf]) -> Result<&'f Path, String> {
        let Some(folder) = files.first().and_then(|file| file.parent()) else {
            return Err("its containers do not say from which files they were created".to_owned());
        };
        if files.iter().any(|file| file.parent() != Some(folder)) {
            return Err("its files are in several folders: a stack has one".to_owned());
        }
        let mut containers = self.containers.iter();
        if let Some(stopped) = containers.find(|container| !container.is_running()) {
            let name = &stopped.name;
            return Err(format!(
                "its container {name} does not run, and an apply would start it"
            ));
        }
        let mut containers = self.containers.iter();
        if let Some(ill) = containers.find(|container| container.health == Health::Unhealthy) {
            let name = &ill.name;
            return Err(format!(
                "its container {name} is unhealthy, and an apply of it would fail: fix it first"
            ));
        }
        Ok(folder)
    }

    /// What its containers were made with.
    fn made<'m>(&'m self, look: &'m Look<'_>) -> Vec<Made<'m>> {
        let made = self.containers.iter().filter_map(|container| {
            Some(Made {
                service: &container.compose.as_ref()?.1,
                image: &container.image,
                variables: look.environments.get(&container.id)?,
            })
        });
        made.collect()
    }

    fn services(&self) -> BTreeSet<&str> {
        let containers = self.containers.iter();
        let composed = containers.filter_map(|container| container.compose.as_ref());
        composed.map(|(_, service)| service.as_str()).collect()
    }
}

/// Why a project is no stack.
enum NoStack {
    For(String),
    Unread(RootError),
}

impl From<String> for NoStack {
    fn from(why: String) -> NoStack {
        NoStack::For(why)
    }
}

impl From<RootError> for NoStack {
    fn from(error: RootError) -> NoStack {
        NoStack::Unread(error)
    }
}

/// A stack and where its secrets are.
fn stack(
    look: &Look<'_>,
    name: &str,
    project: &Project<'_>,
    files: &[PathBuf],
) -> Result<(Taken, Vec<(String, String)>), NoStack> {
    let folder = project.folder(files)?;
    let env = folder.join(".env");
    let env_text = look.root().read(&env)?;
    let env_text = env_text.map(|text| String::from_utf8_lossy(&text).into_owned());
    let parsed = env_text.as_deref().map(interpolate::env_file);
    let mut environment = parsed.unwrap_or_default();
    let mut texts = Vec::new();
    let mut variables = BTreeMap::new();
    for path in files {
        let Some(text) = look.root().read(path)? else {
            return Err(format!("{} is gone", path.display()).into());
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        variables.extend(recovered::variables(
            &text,
            &environment,
            &project.made(look),
        ));
        texts.push((path, text));
    }
    let mut recovered = variables.iter();
    if let Some((name, _)) = recovered.find(|(_, value)| !passwords::is_plain(value)) {
        return Err(format!(
            "its variable {name} has a value only in its container, and that has characters that versions of compose read differently from .env: write it to {} by hand",
            env.display()
        ).into());
    }
    environment.extend(variables.clone());
    let base = Path::new("compose").join(name);
    let mut taken = Taken::new(
        Category::Compose,
        Kind::Unit,
        &unit_of(name),
        folder.to_string_lossy(),
    );
    taken.from = format!("compose project {name} ({})", folder.display());
    let mut profiles = BTreeSet::new();
    let mut is_variable = false;
    let mut named = BTreeSet::new();
    for (path, text) in texts {
        let shown = path.display();
        let document = Document::parse(path, &text, &environment)
            .map_err(|wrong| format!("{shown}: {}", wrong.message))?;
        let (services, uses) = of_document(&document, folder);
        is_variable |= text.replace("$$", "").contains('$');
        taken.lacks.extend(recovered::lacking(&text, &environment));
        for (service, of_it) in services {
            if project.services().contains(service.as_str()) {
                profiles.extend(of_it);
            } else if of_it.is_empty() {
                return Err(format!(
                    "its service {service} does not run, and an apply would start it"
                )
                .into());
            }
        }
        let mut known = environment.clone();
        known.extend(variables.clone());
        let written =
            rewrite(&document, folder, &known).map_err(|why| format!("{shown}: {why}"))?;
        if !look.with_secrets
            && let Some(line) = look.secret_line(&written.text)
        {
            return Err(format!(
                "it stays out of git: {shown}: line {line} looks like a password or a key; move the value to .env, or import with --with-secrets"
            ).into());
        }
        variables.extend(written.variables);
        named.extend(uses);
        taken.files.push(NewFile {
            path: base.join(path.file_name().unwrap_or_default()),
            content: written.text.into_bytes(),
            executable: false,
            private: false,
        });
    }
    let stays = format!("variables of the compose project {name}: it stays where it is");
    let secrets = named.into_iter().map(|path| (path, stays.clone()));
    let mut secrets: Vec<_> = secrets.collect();
    let needs_env = is_variable || environment.keys().any(|key| key.starts_with("COMPOSE_"));
    let old = env_text.filter(|_| needs_env);
    if old.is_some() || !variables.is_empty() {
        let place = base.join(".env");
        let what = match &old {
            Some(_) => {
                let env = env.display();
                format!("a copy of {env}, from which compose takes the variables of its files")
            }
            None => {
                "passwords that were in its compose files, and variables that only its containers had".to_owned()
            }
        };
        secrets.push((format!("desired-state/{}", place.display()), what));
        taken.files.push(NewFile {
            path: place,
            content: with_variables(old.unwrap_or_default(), &variables).into_bytes(),
            executable: false,
            private: true,
        });
    }
    taken.settings = settings(name, files, &profiles);
    Ok((taken, secrets))
}

/// The services of a file with their profiles, and its env files.
fn of_document(
    document: &Document,
    folder: &Path,
) -> (Vec<(String, Vec<String>)>, BTreeSet<String>) {
    let mut services = Vec::new();
    let mut env_files = BTreeSet::new();
    for (name, service) in &document.compose.services {
        let profiles = service.profiles.iter();
        let profiles = profiles.filter_map(|profile| profile.as_str());
        services.push((name.clone(), profiles.map(str::to_owned).collect()));
        let files = service.env_files().into_iter();
        env_files.extend(files.map(|file| folder.join(file).to_string_lossy().into_owned()));
    }
    (services, env_files)
}

/// An env file with further lines.
fn with_variables(mut text: String, variables: &BTreeMap<String, String>) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, value) in variables {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}

fn settings(name: &str, files: &[PathBuf], profiles: &BTreeSet<String>) -> String {
    let mut text = format!("[stack.{}]\nproject = {}\n", quoted(name), quoted(name));
    let names = files.iter().filter_map(|file| file.file_name());
    let names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let is_found =
        matches!(names.as_slice(), [only] if DEFAULT_COMPOSE_FILES.contains(&only.as_str()));
    if !is_found {
        text.push_str(&format!("files = {}\n", list(&names)));
    }
    if !profiles.is_empty() {
        let profiles: Vec<String> = profiles.iter().cloned().collect();
        text.push_str(&format!("profiles = {}\n", list(&profiles)));
    }
    text
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_says_only_what_compose_would_not_find() {
        let paths = |names: &[&str]| -> Vec<PathBuf> {
            names
                .iter()
                .map(|name| Path::new("/opt/shop").join(name))
                .collect()
        };
        assert_eq!(
            settings("shop", &paths(&["docker-compose.yml"]), &BTreeSet::new()),
            "[stack.\"shop\"]\nproject = \"shop\"\n"
        );
        assert_eq!(
            settings(
                "shop",
                &paths(&["docker-compose.prod.yml"]),
                &["worker".to_owned()].into()
            ),
            "[stack.\"shop\"]\nproject = \"shop\"\nfiles = [\"docker-compose.prod.yml\"]\nprofiles = [\"worker\"]\n"
        );
        let variables = [("B".to_owned(), "2".to_owned())].into();
        assert_eq!(with_variables("A=1".to_owned(), &variables), "A=1\nB=2\n");
    }
}
