//! Files of /etc that a program reads at some later time and complains about then: who can tell before, and
//! what can be said without a program.

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::finding::Severity;
use super::{EtcLoader, ParameterLine, parameter_lines};

/// Who validates a file of /etc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    /// `dockerd --validate --config-file`, where the engine has that, and JSON's syntax.
    Docker,
    /// `visudo -cf`.
    Sudo,
    /// `sshd -t`.
    Ssh,
    /// `nft -c -f`.
    Nft,
    /// `logrotate -d`.
    Logrotate,
    /// Nobody: systemd-sysctl has no option for that, and reports a line that it does not take in its log.
    Sysctl,
    /// `systemd-sysusers --dry-run`.
    Sysusers,
    /// `systemd-tmpfiles --create --dry-run`, where it has that (systemd 256).
    Tmpfiles,
    /// Nobody: cron passes over what it does not take, and says so in its log.
    Cron,
}

/// A changed file of /etc that is to be validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcCheck {
    /// Where it is.
    pub path: PathBuf,
    /// Who knows files there.
    pub checker: Option<Checker>,
    /// A command of one's own, `{}` for the path.
    pub validate: Option<Vec<String>>,
    /// Permission bits of the installed file.
    pub mode: u32,
    /// Its owner as `user:group`.
    pub owner: String,
}

/// Something that is wrong with a file, seen without its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line, counted from 1.
    pub line: usize,
    /// Whether the file is lost, or only without an effect.
    pub severity: Severity,
    /// What.
    pub message: String,
}

impl Checker {
    /// Who knows the file at a path below /etc.
    pub fn of(relative: &Path) -> Option<Self> {
        let is = |path: &str| relative == Path::new(path);
        let within = |path: &str| relative.parent() == Some(Path::new(path));
        let ends = |end: &str| relative.extension().is_some_and(|own| own == end);
        if is("docker/daemon.json") {
            Some(Self::Docker)
        } else if is("sudoers") || within("sudoers.d") {
            Some(Self::Sudo)
        } else if is("ssh/sshd_config") || (within("ssh/sshd_config.d") && ends("conf")) {
            Some(Self::Ssh)
        } else if is("nftables.conf") || within("nftables.d") {
            Some(Self::Nft)
        } else if is("logrotate.conf") || within("logrotate.d") {
            Some(Self::Logrotate)
        } else if let Some(loader) = EtcLoader::of(relative) {
            Some(match loader {
                EtcLoader::Sysctl => Self::Sysctl,
                EtcLoader::Sysusers => Self::Sysusers,
                EtcLoader::Tmpfiles => Self::Tmpfiles,
            })
        } else if is("crontab") || CRON.iter().any(|folder| within(folder)) {
            Some(Self::Cron)
        } else {
            None
        }
    }

    /// What is wrong with a file, as far as its bytes tell.
    pub fn wrong(self, relative: &Path, content: &[u8], mode: u32, owner: &str) -> Vec<Wrong> {
        let text = String::from_utf8_lossy(content);
        match self {
            Self::Docker => json(&text),
            Self::Cron => cron(relative, &text, mode, owner),
            Self::Sudo => sudo(relative, mode, owner),
            Self::Sysctl => sysctl(&text),
            Self::Ssh | Self::Nft | Self::Logrotate | Self::Sysusers | Self::Tmpfiles => Vec::new(),
        }
    }
}

/// Folders of Debian's cron, cron(8): tables, and scripts that run-parts(8) runs.
const CRON: [&str; 5] = [
    "cron.d",
    "cron.hourly",
    "cron.daily",
    "cron.weekly",
    "cron.monthly",
];

fn error(line: usize, message: impl Into<String>) -> Wrong {
    Wrong {
        line,
        severity: Severity::Error,
        message: message.into(),
    }
}

fn warning(message: impl Into<String>) -> Wrong {
    Wrong {
        severity: Severity::Warning,
        ..error(1, message)
    }
}

fn json(text: &str) -> Vec<Wrong> {
    match serde_json::from_str::<std::collections::BTreeMap<String, IgnoredAny>>(text) {
        Ok(_) => Vec::new(),
        // An empty file is no settings, for dockerd.
        Err(_) if text.trim().is_empty() => Vec::new(),
        Err(wrong) => {
            let said = wrong.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            vec![error(
                wrong.line().max(1),
                format!("dockerd would not start: it is no JSON object: {said}"),
            )]
        }
    }
}

fn sysctl(text: &str) -> Vec<Wrong> {
    let wrong = parameter_lines(text).filter(|(_, line)| *line == ParameterLine::Wrong);
    let say = |(line, _)| error(line, "systemd-sysctl does not take it: write NAME = VALUE");
    wrong.map(say).collect()
}

fn is_writable_by_others(mode: u32, owner: &str) -> bool {
    let user = owner.split(':').next().unwrap_or_default();
    mode & 0o022 != 0 || !matches!(user, "root" | "0")
}

fn sudo(relative: &Path, mode: u32, owner: &str) -> Vec<Wrong> {
    let name = relative.file_name().unwrap_or_default().to_string_lossy();
    let mut found = Vec::new();
    if relative.starts_with("sudoers.d") && (name.contains('.') || name.ends_with('~')) {
        found.push(warning(
            "sudo ignores it: names in sudoers.d that contain a dot or end in ~ are skipped",
        ));
    }
    if is_writable_by_others(mode, owner) {
        found.push(error(1, format!("sudo refuses it: it must belong to root and be writable by root only, but it is {mode:04o} {owner}")));
    }
    found
}

fn cron(relative: &Path, text: &str, mode: u32, owner: &str) -> Vec<Wrong> {
    let name = relative.file_name().unwrap_or_default().to_string_lossy();
    let mut found = Vec::new();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.chars().all(fits) {
        found.push(warning(
            "cron ignores it: names may only have letters, digits, _ and -",
        ));
        return found;
    }
    let is_table = relative.starts_with("cron.d") || relative == Path::new("crontab");
    if is_table && is_writable_by_others(mode, owner) {
        found.push(error(1, format!("cron ignores it: it must belong to root and be writable by root only, but it is {mode:04o} {owner}")));
    }
    if !is_table {
        if mode & 0o111 == 0 {
            found.push(warning("run-parts ignores it: it is not executable"));
        }
        return found;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(error(
            text.lines().count(),
            "cron ignores the file: its last line does not end",
        ));
    }
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some(first) = fields.first().filter(|first| !first.starts_with('#')) else {
            continue;
        };
        let is_variable = line.split_once('=').is_some_and(|(name, _)| {
            !name.trim().contains(char::is_whitespace) && !name.contains('*')
        });
        let times = if first.starts_with('@') { 1 } else { 5 };
        if is_variable {
            continue;
        }
        if fields.len() < times + 2 {
            found.push(error(
                number + 1,
                "cron ignores the file: a line has times, a user and a command",
            ));
        } else if let Some(wrong) = wrong_time(&fields) {
            let why = format!("cron ignores the file: {wrong}");
            found.push(error(number + 1, why));
        }
    }
    found
}

/// The fields of a time, crontab(5): their names, bounds, and names of values from the lower bound on.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &MONTHS),
    ("day of the week", 0, 7, &DAYS),
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Times that have a name.
const NAMED: [&str; 8] = [
    "@reboot",
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// What is wrong with the time of a line.
fn wrong_time(fields: &[&str]) -> Option<String> {
    let first = fields.first()?;
    if first.starts_with('@') {
        let is_known = NAMED.contains(first);
        return (!is_known).then(|| format!("there is no {first}"));
    }
    let wrong = |(field, (name, low, high, names)): (&&str, &(&str, u32, u32, &[&str]))| {
        let value = |text: &str| {
            let number = text.parse().ok().or_else(|| {
                let at = names
                    .iter()
                    .position(|name| name.eq_ignore_ascii_case(text))?;
                Some(low + u32::try_from(at).ok()?)
            });
            number.filter(|number| (low..=high).contains(&number))
        };
        let is_right = |part: &str| {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, step.parse::<u32>().is_ok_and(|step| step > 0)),
                None => (part, true),
            };
            step && match range.split_once('-') {
                Some((from, to)) => {
                    matches!((value(from), value(to)), (Some(from), Some(to)) if from <= to)
                }
                None => range == "*" || value(range).is_some(),
            }
        };
        let is_wrong = !field.split(',').all(is_right);
        is_wrong.then(|| format!("{field} is no {name}"))
    };
    fields.iter().zip(&FIELDS).find_map(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(path: &str, text: &str, mode: u32) -> Vec<(usize, Severity)> {
        let path = Path::new(path);
        let checker = Checker::of(path).unwrap();
        let found = checker.wrong(path, text.as_bytes(), mode, "root:root");
        found
            .iter()
            .map(|wrong| (wrong.line, wrong.severity))
            .collect()
    }

    #[test]
    fn who_knows_what() {
        for (path, expected) in [
            ("docker/daemon.json", Some(Checker::Docker)),
            ("sudoers.d/x", Some(Checker::Sudo)),
            ("ssh/sshd_config.d/x.conf", Some(Checker::Ssh)),
            ("ssh/sshd_config.d/x", None),
            ("ssh/ssh_config", None),
            ("logrotate.d/x", Some(Checker::Logrotate)),
            ("cron.daily/x", Some(Checker::Cron)),
            ("sysctl.d/x.conf", Some(Checker::Sysctl)),
            ("sysctl.d/README", None),
            ("sysusers.d/x.conf", Some(Checker::Sysusers)),
            ("tmpfiles.d/x.conf", Some(Checker::Tmpfiles)),
            ("app/x.conf", None),
        ] {
            assert_eq!(Checker::of(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn what_bytes_and_names_tell() {
        use Severity::{Error, Warning};
        let table = "PATH=/bin\n# x\n0 4 * * * root /bin/true\n@daily root /bin/true\n";
        for (path, text, mode, expected) in [
            (
                "docker/daemon.json",
                "{\n  \"debug\": true,\n}\n",
                0o644,
                vec![(3, Error)],
            ),
            ("docker/daemon.json", "[]", 0o644, vec![(1, Error)]),
            ("docker/daemon.json", "{\"debug\": true}", 0o644, vec![]),
            ("docker/daemon.json", "", 0o644, vec![]),
            ("cron.d/app", table, 0o644, vec![]),
            ("cron.d/app.cron", table, 0o644, vec![(1, Warning)]),
            ("cron.d/app", table.trim_end(), 0o644, vec![(4, Error)]),
            (
                "cron.d/app",
                "0 4 * * * /bin/true\n",
                0o644,
                vec![(1, Error)],
            ),
            ("cron.d/app", "61 4 * * * root x\n", 0o644, vec![(1, Error)]),
            ("cron.d/app", "0 4 * * 8 root x\n", 0o644, vec![(1, Error)]),
            (
                "cron.d/app",
                "*/0 4 * * * root x\n",
                0o644,
                vec![(1, Error)],
            ),
            (
                "cron.d/app",
                "0 5-3 * * * root x\n",
                0o644,
                vec![(1, Error)],
            ),
            ("cron.d/app", "@dayly root x\n", 0o644, vec![(1, Error)]),
            (
                "cron.d/app",
                "*/5,7 0-6/2 1,15 Jan-mar sun,7 root x\n@reboot root x\n",
                0o644,
                vec![],
            ),
            (
                "sysctl.d/app.conf",
                "vm.swappiness\n",
                0o644,
                vec![(1, Error)],
            ),
            ("sysctl.d/app.conf", "vm.swappiness = 1\n", 0o644, vec![]),
            ("cron.d/app", table, 0o664, vec![(1, Error)]),
            (
                "cron.daily/app.sh",
                "#!/bin/sh\n",
                0o755,
                vec![(1, Warning)],
            ),
            ("cron.daily/app", "#!/bin/sh\n", 0o644, vec![(1, Warning)]),
            ("sudoers.d/app.conf", "x", 0o440, vec![(1, Warning)]),
            ("sudoers.d/app", "x", 0o660, vec![(1, Error)]),
        ] {
            assert_eq!(wrong(path, text, mode), expected, "{path} {text}");
        }
    }
}
