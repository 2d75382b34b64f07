//! What compose makes of the files of a project, as the hashes that it writes to its containers: where they are equal, it
//! leaves the container as it is (`ServiceHash` in its pkg/compose/hash.go, `config_hash` in service.py of version 1).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program;
use super::{Host, HostError};
use crate::model::ComposeCommand;

/// Version 1 takes seconds on a small server.
const BOUND: Duration = Duration::from_secs(60);

/// A compose project as it is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComposeProject<'a> {
    pub name: &'a str,
    /// Its folder, which has its `.env`.
    pub folder: &'a Path,
    /// Its files, absolute.
    pub files: &'a [PathBuf],
    /// Profiles that are switched on.
    pub profiles: &'a [String],
}

impl Host {
    /// The hash of each service of a project.
    ///
    /// # Errors
    /// When compose cannot be run; what it says where it refuses the files.
    pub(crate) fn compose_hashes(
        &self,
        project: &ComposeProject<'_>,
    ) -> Result<Result<BTreeMap<String, String>, String>, HostError> {
        const HASH: &str = "--hash=*";
        let printed = match self.compose_command() {
            ComposeCommand::Own => self.compose_config(project, None, Some(HASH))?,
            // Some versions count the names of env files there, which `up` does not: what they print of the whole project has
            // their content instead.
            ComposeCommand::Plugin => match self.compose_config(project, None, None)? {
                Ok(whole) => self.compose_config(project, Some(&whole), Some(HASH))?,
                refused => refused,
            },
        };
        Ok(printed.map(|printed| {
            let pairs = printed.lines().filter_map(|line| line.split_once(' '));
            let pairs = pairs.map(|(name, hash)| (name.to_owned(), hash.trim().to_owned()));
            pairs.collect()
        }))
    }

    /// The files of a project as compose reads them, in one; `None` where it refuses them.
    pub(crate) fn compose_whole(
        &self,
        project: &ComposeProject<'_>,
    ) -> Result<Option<String>, HostError> {
        Ok(self.compose_config(project, None, None)?.ok())
    }

    /// What `compose config` prints of a project: of its files, or of a text in their place.
    fn compose_config(
        &self,
        project: &ComposeProject<'_>,
        text: Option<&str>,
        option: Option<&str>,
    ) -> Result<Result<String, String>, HostError> {
        let (program, first) = match self.compose_command() {
            ComposeCommand::Plugin => ("docker", Some("compose")),
            ComposeCommand::Own => ("docker-compose", None),
        };
        let folder = project.folder.to_string_lossy();
        let mut arguments: Vec<&str> = first.into_iter().collect();
        arguments.extend(["--project-name", project.name]);
        arguments.extend(["--project-directory", &folder]);
        let files = project.files.iter().map(|file| file.to_string_lossy());
        let files: Vec<_> = match text {
            Some(_) => vec!["-".into()],
            None => files.collect(),
        };
        for file in &files {
            arguments.extend(["--file", file]);
        }
        for profile in project.profiles {
            arguments.extend(["--profile", profile]);
        }
        arguments.push("config");
        arguments.extend(option);
        let input = text.unwrap_or_default();
        let ran = program::run(Path::new(program), &arguments, input, BOUND)?;
        if ran.status.success() {
            return Ok(Ok(ran.printed));
        }
        let last = ran.said.lines().rfind(|line| !line.trim().is_empty());
        let said = last.unwrap_or("compose refuses its files").to_owned();
        Ok(Err(said))
    }
}
