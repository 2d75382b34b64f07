//! Turns the keys of watchme.toml into values, or complaints with their place.

use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use source_text::normal_path;

use super::schema::{self, Amount, Count, Install, Level, Text};
use super::{CheckPolicy, EtcPolicy, NetworkPolicy, Place, UnitPolicy, values};
use crate::model::{Budget, Diagnostic, EtcAction, Member, MemberName, Severity, layout};
use crate::source::unit;

/// Reads the values of one file.
pub(super) struct Reader<'a> {
    pub(super) place: &'a Place,
}

impl Reader<'_> {
    pub(super) fn value<T>(
        &self,
        text: &Text,
        read: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, Diagnostic> {
        read(text.get_ref()).ok_or_else(|| {
            let message = format!("{:?} cannot be used here", text.get_ref());
            self.place
                .complain(text.span(), message, format!("expected {expected}"), None)
        })
    }

    pub(super) fn checkout(&self, path: &Text) -> Result<PathBuf, Diagnostic> {
        // Links into the checkout are taken for ours: none of the system's own folders may count as it.
        let is_of_the_system = |path: &Path| {
            let whole = ["/etc", "/run", "/proc", "/sys", "/dev", "/boot"];
            let above = ["/usr", "/var", "/var/lib", "/lib", "/bin", "/sbin", "/home"];
            whole.iter().any(|folder| path.starts_with(folder))
                || above.iter().any(|folder| path == Path::new(folder))
        };
        let below_root = |path: &str| {
            normal_path(Path::new(path))
                .filter(|path| path.parent().is_some() && !is_of_the_system(path))
        };
        self.value(
            path,
            below_root,
            "the absolute path of the checkout on the server, in no folder of the system",
        )
    }

    pub(super) fn folder(&self, name: &Text) -> Result<String, Diagnostic> {
        let relative = |name: &str| {
            let usable =
                !name.is_empty() && !name.starts_with('/') && !name.contains(char::is_control);
            usable.then(|| name.trim_end_matches('/').to_owned())
        };
        self.value(
            name,
            relative,
            "a path relative to the folder of watchme.toml",
        )
    }

    pub(super) fn absent(&self, entry: &Text) -> Result<PathBuf, Diagnostic> {
        let on_host = |entry: &str| {
            let path = Path::new(entry);
            let plain = path
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            (plain && !entry.contains(char::is_control))
                .then(|| layout::absent(path))
                .flatten()
        };
        self.value(
            entry,
            on_host,
            "sites-enabled/NAME, sites-available/NAME, systemd/NAME or etc/PATH",
        )
    }

    pub(super) fn budget(&self, raw: &schema::Budget) -> Result<Budget, Diagnostic> {
        let size = |amount: &Option<Spanned<Amount>>| match amount {
            None => Ok(None),
            Some(amount) => match amount.get_ref() {
                Amount::Bytes(bytes) => Ok(Some(*bytes)),
                Amount::Text(text) => {
                    let text = Spanned::new(amount.span(), text.clone());
                    self.value(
                        &text,
                        crate::source::compose::size,
                        "a size such as \"1800M\" or \"2G\"",
                    )
                    .map(Some)
                }
            },
        };
        let cpus = match &raw.cpus {
            None => None,
            Some(count) => match *count.get_ref() {
                Count::Whole(whole) if whole > 0 => Some(f64::from(whole)),
                Count::Part(part) if part.is_finite() && part > 0.0 => Some(part),
                _ => {
                    let message = "there is no such number of processors";
                    let expected = "expected a number above 0";
                    return Err(self.place.complain(count.span(), message, expected, None));
                }
            },
        };
        Ok(Budget {
            memory: size(&raw.memory)?,
            swap: size(&raw.swap)?,
            disk: size(&raw.disk)?,
            cpus,
        })
    }

    pub(super) fn duration(&self, text: &Option<Text>) -> Result<Option<Duration>, Diagnostic> {
        let expected = "a time such as \"90s\", \"15m\" or \"1h30m\"";
        let read = |text| self.value(text, values::duration, expected);
        text.as_ref().map(read).transpose()
    }

    pub(super) fn unit(&self, raw: schema::Unit) -> Result<UnitPolicy, Diagnostic> {
        Ok(UnitPolicy {
            start: raw.start.map(Spanned::into_inner),
            required: raw.required.unwrap_or(true),
            on_change: raw.on_change.unwrap_or_default(),
            start_timeout: self.duration(&raw.start_timeout)?,
            settle: self.duration(&raw.settle)?,
            response_time: self.duration(&raw.response_time)?,
        })
    }

    pub(super) fn check(&self, raw: schema::Check) -> Result<CheckPolicy, Diagnostic> {
        let reason = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let pattern = |text: &str| {
            let is_relative = !text.is_empty() && !text.starts_with('/');
            is_relative.then(|| glob::Pattern::new(text).ok()).flatten()
        };
        let mut paths = Vec::new();
        for path in &raw.paths {
            let expected =
                "a path or pattern below the folder of watchme.toml, such as \"compose/legacy/**\"";
            paths.push((self.value(path, pattern, expected)?, path.span()));
        }
        Ok(CheckPolicy {
            level: match raw.level {
                Level::Off => None,
                Level::Warning => Some(Severity::Warning),
                Level::Error => Some(Severity::Error),
            },
            reason: self.value(&raw.reason, reason, "why the rule has this level here")?,
            paths,
        })
    }

    pub(super) fn network(&self, raw: schema::Network) -> Result<NetworkPolicy, Diagnostic> {
        let mut members: Vec<(Member, Range<usize>)> = Vec::new();
        for raw in &raw.member {
            let (member, span) = self.member(raw)?;
            if members.iter().any(|(known, _)| known.name == member.name) {
                let message = format!("the member {} is listed twice", member.name);
                return Err(self
                    .place
                    .complain(raw.span(), message, "expected it once", None));
            }
            members.push((member, span));
        }
        Ok(NetworkPolicy {
            owner: raw.owner,
            members,
        })
    }

    pub(super) fn member(
        &self,
        raw: &Spanned<schema::Member>,
    ) -> Result<(Member, Range<usize>), Diagnostic> {
        let member = raw.get_ref();
        let name = match (&member.container, &member.project, &member.service) {
            (Some(container), None, None) => MemberName::Container(container.clone()),
            (None, Some(project), Some(service)) => MemberName::Service {
                project: project.clone(),
                service: service.clone(),
            },
            _ => {
                return Err(self.place.complain(
                    raw.span(),
                    "it is not clear which container this member is",
                    "expected either container, or project and service",
                    None,
                ));
            }
        };
        let address = match &member.address {
            Some(text) => {
                let read = |text: &str| text.parse::<IpAddr>().ok();
                Some(self.value(text, read, "an IP address")?)
            }
            None if member.pin => {
                let message = "a pinned member needs an address";
                return Err(self
                    .place
                    .complain(raw.span(), message, "expected address", None));
            }
            None => None,
        };
        let span = member.address.as_ref().map_or(raw.span(), Spanned::span);
        let member = Member {
            name,
            address,
            pin: member.pin,
            aliases: member.aliases.iter().cloned().collect(),
        };
        Ok((member, span))
    }

    pub(super) fn etc(&self, raw: schema::Etc) -> Result<EtcPolicy, Diagnostic> {
        let action = match (&raw.restart, &raw.reload) {
            (Some(_), Some(reload)) => {
                let message = "a change cannot both restart and reload";
                let expected = "expected only one of restart and reload";
                return Err(self.place.complain(reload.span(), message, expected, None));
            }
            (Some(unit), None) => Some(EtcAction::Restart(self.unit_name(unit)?)),
            (None, Some(unit)) => Some(EtcAction::Reload(self.unit_name(unit)?)),
            (None, None) => None,
        };
        let mode = |text| self.value(text, values::mode, "permission bits such as \"0644\"");
        let owner = |text| self.value(text, values::owner, "\"user:group\"");
        Ok(EtcPolicy {
            mode: raw.mode.as_ref().map(mode).transpose()?,
            owner: raw.owner.as_ref().map(owner).transpose()?,
            link: raw.install.map(|install| install == Install::Link),
            validate: raw
                .validate
                .as_ref()
                .map(|words| self.command(words))
                .transpose()?,
            action,
        })
    }

    /// A command that gets a path.
    fn command(&self, words: &toml::Spanned<Vec<Text>>) -> Result<Vec<String>, Diagnostic> {
        let texts = words.get_ref().iter().map(|word| word.get_ref().clone());
        let texts: Vec<String> = texts.collect();
        let expected = "a command and its arguments, one of which has {} for the path of the file";
        let complain = |message: &str| {
            let expected = format!("expected {expected}, such as [\"visudo\", \"-cf\", \"{{}}\"]");
            self.place.complain(words.span(), message, expected, None)
        };
        match texts.split_first() {
            None => Err(complain("an empty command")),
            Some((program, _)) if program.is_empty() || program.contains("{}") => {
                Err(complain("the command itself has no name"))
            }
            Some((_, arguments)) if !arguments.iter().any(|word| word.contains("{}")) => {
                Err(complain("the command does not get the file"))
            }
            Some(_) => Ok(texts),
        }
    }

    pub(super) fn unit_name(&self, text: &Text) -> Result<String, Diagnostic> {
        let read = |text: &str| unit::Name::parse(text).ok().map(|name| name.to_string());
        self.value(text, read, "a unit name such as \"docker.service\"")
    }

    pub(super) fn url(&self, text: &Text) -> Result<String, Diagnostic> {
        let read = |text: &str| {
            let rest = text
                .strip_prefix("http://")
                .or_else(|| text.strip_prefix("https://"))?;
            let usable = !rest.is_empty()
                && !rest.starts_with('/')
                && !text.contains(|c: char| c.is_control() || c.is_whitespace());
            usable.then(|| text.to_owned())
        };
        self.value(text, read, "a URL that begins with http:// or https://")
    }
}
