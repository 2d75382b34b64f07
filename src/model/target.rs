//! The programs for which files are checked, and what their versions know.

use std::fmt;

use source_text::{Version, Versions};

use super::finding::Severity;

/// A program that reads files of a desired state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// nginx.
    Nginx,
    /// systemd.
    Systemd,
    /// docker-compose 1, or the compose plug-in of docker.
    Compose,
    /// The Docker engine.
    Docker,
}

impl Program {
    /// The oldest version that servers of today have: that of Debian 11 and Ubuntu 22.04, and of nginx and compose what
    /// Debian 11 has. Those before it count as if nobody had them.
    pub const fn oldest(self) -> Version {
        match self {
            Self::Nginx => Version::minor(1, 18),
            Self::Systemd => Version::major(249),
            Self::Compose => Version::minor(1, 29),
            Self::Docker => Version::minor(20, 10),
        }
    }
}

impl Program {
    /// What is wrong with a version that somebody states, and what was expected: none of the program's has that number, or
    /// only such that nobody has any more. One that is later than all that are known counts as the last of them.
    pub fn impossible(self, version: Version) -> Option<(String, String)> {
        let (beyond, known) = match self {
            Self::Nginx => (Version::major(2), "1.18 to 1.31"),
            Self::Systemd => (Version::major(1000), "249 to 258"),
            Self::Compose => (Version::major(3), "1 and 2"),
            Self::Docker => (Version::major(100), "20.10 and later"),
        };
        let what = match (version.is_before(self.oldest()), version.is_before(beyond)) {
            (false, true) => return None,
            (true, _) => format!("{self} {version} is older than all that are known here"),
            (false, false) => format!("there is no {self} {version}"),
        };
        let expected = format!("expected one of the versions that are known: {self} {known}");
        Some((what, expected))
    }

    /// How `[host]` in watchme.toml states a version of it.
    fn example(self) -> &'static str {
        match self {
            Self::Nginx => "nginx = \"1.28\"",
            Self::Systemd => "systemd = \"252\"",
            Self::Compose => "compose = 2",
            Self::Docker => "docker = \"26.1\"",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nginx => "nginx",
            Self::Systemd => "systemd",
            Self::Compose => "compose",
            Self::Docker => "Docker",
        })
    }
}

/// The command that is compose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComposeCommand {
    /// `docker compose`, the plug-in: version 2 and later.
    #[default]
    Plugin,
    /// `docker-compose`: version 1, or an installation of its own of a later one.
    Own,
}

impl fmt::Display for ComposeCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plugin => "docker compose",
            Self::Own => "docker-compose",
        })
    }
}

/// The versions of a server's programs, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// That of nginx.
    pub nginx: Option<Version>,
    /// That of systemd.
    pub systemd: Option<Version>,
    /// That of compose: 1 stands for 1.29, the last of version 1.
    pub compose: Option<Version>,
    /// That of the Docker engine.
    pub docker: Option<Version>,
}

/// That a version of a program does not know something. It is shown as `nginx 1.22` where the version is known, and else as
/// `nginx before 1.25.1` or `nginx 1.25.1 and later`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lack {
    program: Program,
    target: Option<Version>,
    versions: Versions,
}

impl Target {
    /// The version of a program.
    pub fn version(&self, program: Program) -> Option<Version> {
        match program {
            Program::Nginx => self.nginx,
            Program::Systemd => self.systemd,
            Program::Compose => self.compose,
            Program::Docker => self.docker,
        }
    }

    /// Says if something that only `versions` know is unknown here: to the server's version of the program; where that is
    /// not known, to any that servers have.
    pub fn lack(&self, program: Program, versions: Versions) -> Option<Lack> {
        let target = self.version(program);
        let is_known = match target {
            Some(version) => versions.have(version),
            None => versions.until.is_none() && versions.have(program.oldest()),
        };
        (!is_known).then_some(Lack {
            program,
            target,
            versions,
        })
    }

    /// The same; what is not known here is taken from `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            nginx: self.nginx.or(other.nginx),
            systemd: self.systemd.or(other.systemd),
            compose: self.compose.or(other.compose),
            docker: self.docker.or(other.docker),
        }
    }
}

impl Lack {
    /// Whether the server's version is known.
    pub fn is_certain(&self) -> bool {
        self.target.is_some()
    }

    /// An error where the server's version is known, else a warning.
    pub fn severity(&self) -> Severity {
        match self.target {
            Some(_) => Severity::Error,
            None => Severity::Warning,
        }
    }

    /// What helps: the versions that know `what`, what to write `instead` if there is anything, and where the version is not
    /// known, how it is stated.
    pub fn help(&self, what: &str, instead: &str) -> String {
        let mut help = format!("{what} needs {}", self.needs());
        if !instead.is_empty() {
            help = format!("{help}; {instead}");
        }
        if !self.is_certain() {
            let key = self.program.example();
            help = format!(
                "{help}. State the version of the server in watchme.toml, such as [host] {key}"
            );
        }
        help
    }

    /// Which versions know it: `nginx 1.25.1 or later`, `nginx before 1.25.1`.
    fn needs(&self) -> String {
        let program = self.program;
        match (self.versions.since, self.versions.until) {
            (Some(since), None) => format!("{program} {since} or later"),
            (None, Some(until)) => format!("{program} before {until}"),
            (Some(since), Some(until)) => format!("{program} from {since} to before {until}"),
            (None, None) => program.to_string(),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program;
        match (self.target, self.versions.until, self.versions.since) {
            (Some(version), ..) => write!(f, "{program} {version}"),
            (None, Some(until), _) => write!(f, "{program} {until} and later"),
            (None, None, Some(since)) => write!(f, "{program} before {since}"),
            (None, None, None) => write!(f, "{program}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::read(text).unwrap()
    }

    #[test]
    fn a_known_version_lacks_for_certain_and_an_unknown_one_may() {
        let added = Versions::since(version("1.25.1"));
        let removed = Versions {
            since: None,
            until: Some(version("1.25.1")),
        };
        let old = Versions::since(version("1.9.0"));
        let of = |nginx: Option<&str>, versions| {
            let target = Target {
                nginx: nginx.map(version),
                ..Target::default()
            };
            let lack = target.lack(Program::Nginx, versions)?;
            Some(format!("{lack}: {}, {:?}", lack.needs(), lack.severity()))
        };
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(Some("1.22"), added),
            said("nginx 1.22: nginx 1.25.1 or later, Error")
        );
        assert_eq!(of(Some("1.26.3"), added), None);
        assert_eq!(
            of(None, added),
            said("nginx before 1.25.1: nginx 1.25.1 or later, Warning")
        );
        assert_eq!(
            of(Some("1.26"), removed),
            said("nginx 1.26: nginx before 1.25.1, Error")
        );
        assert_eq!(of(Some("1.22"), removed), None);
        assert_eq!(
            of(None, removed),
            said("nginx 1.25.1 and later: nginx before 1.25.1, Warning")
        );
        assert_eq!(of(None, old), None);
    }
}
