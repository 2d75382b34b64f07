//! `systemd-analyze verify` on the units of a candidate. Its exit status says little: a unit that
//! it complains about may start, and one of somebody else may make it fail. Its lines say more:
//! what is wrong, and about what.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Validation;
use super::sandbox::{Needs, Program, Sandbox, View};
use super::sources::{Sources, line_where, placed, unplaced};
use crate::model::{File, Finding, Severity, finding, layout};
use crate::root::Root;

const PROGRAM: &str = "systemd-analyze";

/// A unit that another one requires, and that has no file.
#[derive(Debug)]
pub(super) struct Missing {
    pub unit: String,
    /// What is wrong where it is missing indeed.
    pub finding: Finding,
}

/// Lets systemd validate `units`, in the namespace. Returns what only the running manager knows.
pub(super) fn validate(
    units: &BTreeSet<String>,
    sandbox: &Sandbox,
    sources: &Sources<'_>,
    validation: &mut Validation,
) -> Vec<Missing> {
    let view = View {
        // The commit's own files, whoever may read them later.
        shown: units
            .iter()
            .flat_map(|name| sources.paths_of_unit(name))
            .collect(),
        ..View::default()
    };
    let arguments = ["verify", "--man=no", "--"].map(OsString::from);
    let paths = units.iter().map(|name| layout::unit(name).into_os_string());
    let program = Program {
        name: Path::new(PROGRAM),
        arguments: arguments.into_iter().chain(paths).collect(),
        // Without colours, and not to the journal.
        variables: vec![
            ("SYSTEMD_COLORS", "0"),
            ("SYSTEMD_LOG_COLOR", "0"),
            ("SYSTEMD_LOG_TARGET", "console"),
            ("SYSTEMD_LOG_LEVEL", "info"),
        ],
        needs: Needs::default(),
    };
    match sandbox.said(&view, &program, &format!("{PROGRAM} verify")) {
        Ok(said) => {
            let said = with_commands(&said, sources.root());
            let (findings, missing) = findings(&said, units, sources);
            validation.findings.extend(findings);
            missing
        }
        Err(why) => {
            let text = format!("units were not validated: {why}");
            validation.not_validated.push(text);
            Vec::new()
        }
    }
}

/// What was said, with lines about commands as they are on the host: a program in the sandbox does not
/// see those in /opt or /home.
fn with_commands(said: &str, root: &Root) -> String {
    let line = |line: &str| {
        let (before, rest) = line.split_once(": Command ")?;
        let (command, _) = rest.split_once(" is not executable: ")?;
        let why = why_not(command, root)
            .map(|why| format!("{before}: Command {command} is not executable: {why}\n"));
        Some(why.unwrap_or_default())
    };
    let lines = said
        .lines()
        .map(|own| line(own).unwrap_or_else(|| format!("{own}\n")));
    lines.collect()
}

/// Why a command cannot be run, looked at and not run.
fn why_not(command: &str, root: &Root) -> Option<&'static str> {
    match root.metadata(Path::new(command)) {
        None => Some("No such file or directory"),
        Some(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => None,
        Some(_) => Some("Permission denied"),
    }
}

/// A line that is about a unit of ours.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// `PATH:LINE: text`: about a line of a file.
    At(PathBuf, usize, &'a str),
    /// `UNIT: text`: about a unit.
    About(&'a str, &'a str),
    /// `Unit UNIT ...`: it does not load.
    Unloadable(&'a str, &'a str),
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("Unit ") {
            let unit = rest.split(' ').next()?;
            return is_unit(unit).then_some(Line::Unloadable(unit, line));
        }
        let (subject, text) = line.split_once(": ")?;
        if subject.starts_with('/') {
            let (path, number) = subject.rsplit_once(':')?;
            return Some(Line::At(path.into(), number.parse().ok()?, text));
        }
        is_unit(subject).then_some(Line::About(subject, text))
    }
}

fn is_unit(name: &str) -> bool {
    name.contains('.') && !name.contains(['/', ' '])
}

/// What of the output is about `units`.
fn findings(
    said: &str,
    units: &BTreeSet<String>,
    sources: &Sources<'_>,
) -> (Vec<Finding>, Vec<Missing>) {
    let (mut findings, mut missing) = (Vec::new(), Vec::new());
    let lines: Vec<Line<'_>> = said.lines().filter_map(Line::parse).collect();
    for name in units {
        let files = sources.of_unit(name);
        let mut unit = Unit::new(name, files);
        for line in &lines {
            unit.take(line, sources);
        }
        let (found, lacks) = unit.findings();
        findings.extend(found);
        missing.extend(lacks);
    }
    // A template's line is said once for each of its instances.
    let mut once: Vec<Finding> = Vec::new();
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    (once, missing)
}

/// What is said about one unit.
struct Unit<'a> {
    name: &'a str,
    files: Vec<&'a File>,
    placed: Vec<(&'a File, usize, String)>,
    about: Vec<String>,
    unloadable: Option<String>,
}

impl<'a> Unit<'a> {
    fn new(name: &'a str, files: Vec<&'a File>) -> Self {
        Self {
            name,
            files,
            placed: Vec::new(),
            about: Vec::new(),
            unloadable: None,
        }
    }

    fn take(&mut self, line: &Line<'_>, sources: &Sources<'a>) {
        match line {
            Line::At(path, number, text) => {
                let file = sources.at(path);
                let own = self
                    .files
                    .iter()
                    .find(|own| file.is_some_and(|file| file.source == own.source));
                let entry = own.map(|file| (*file, *number, (*text).to_owned()));
                self.placed
                    .extend(entry.filter(|entry| !self.placed.contains(entry)));
            }
            // A template without instances is validated as one with a made-up name.
            Line::About(name, text) if self.is_me(name) => {
                let text = (*text).to_owned();
                if !self.about.contains(&text) {
                    self.about.push(text);
                }
            }
            Line::Unloadable(name, text) if self.is_me(name) => {
                self.unloadable = Some((*text).to_owned());
            }
            Line::About(..) | Line::Unloadable(..) => {}
        }
    }

    fn is_me(&self, name: &str) -> bool {
        let (prefix, suffix) = self.name.split_once('@').unwrap_or((self.name, ""));
        name == self.name
            || (suffix.starts_with('.')
                && name.starts_with(&format!("{prefix}@"))
                && name.ends_with(suffix))
    }

    fn findings(self) -> (Vec<Finding>, Vec<Missing>) {
        let (mut findings, mut missing) = (Vec::new(), Vec::new());
        let fatal = self.about.iter().any(|text| is_fatal(text)) || self.unloadable.is_some();
        let refused = self.about.iter().any(|text| is_refusal(text));
        let mut explained = refused;
        for (file, line, text) in &self.placed {
            // Where a unit does not load and nothing else says why, the line that is wrong is why.
            let why = fatal && !refused && !is_harmless(text);
            explained |= why;
            let severity = if why {
                Severity::Error
            } else {
                Severity::Warning
            };
            findings.push(placed(
                &finding::SYSTEMD_VERIFY,
                severity,
                file,
                *line,
                text,
            ));
        }
        for text in self.about.iter().filter(|text| !is_fatal(text)) {
            let finding = self.at_its_line(severity(text), text);
            explained |= finding.is_error();
            match required(text) {
                Some(unit) => missing.push(Missing {
                    unit: unit.to_owned(),
                    finding,
                }),
                None => findings.push(finding),
            }
        }
        if fatal && !explained {
            let text = self.unloadable.as_deref().unwrap_or("it does not load");
            findings.push(self.at_its_line(Severity::Error, text));
        }
        (findings, missing)
    }

    /// At the line of the unit's files that the text is about, if one can be found.
    fn at_its_line(&self, severity: Severity, text: &str) -> Finding {
        let found = self
            .files
            .iter()
            .find_map(|file| Some((*file, line_of(file, text)?)));
        let found = found.or_else(|| Some((*self.files.first()?, 1)));
        let message = format!("{}: {text}", self.name);
        match found {
            Some((file, line)) => placed(&finding::SYSTEMD_VERIFY, severity, file, line, &message),
            None => unplaced(&finding::SYSTEMD_VERIFY, severity, &message),
        }
    }
}

/// The line of a unit's file that a text without a place is about: the command that it names, a
/// unit that it names, or the setting.
fn line_of(file: &File, text: &str) -> Option<usize> {
    if let Some(command) = text
        .strip_prefix("Command ")
        .and_then(|rest| rest.split(" is not").next())
    {
        return line_where(file, |line| {
            line.split_once('=')
                .filter(|(key, _)| key.trim_end().starts_with("Exec"))
                .is_some_and(|(_, value)| {
                    let value = value
                        .trim_start()
                        .trim_start_matches(['@', '-', ':', '+', '!', '|']);
                    value.split_whitespace().next() == Some(command)
                })
        });
    }
    if let Some(unit) = required(text) {
        return line_where(file, |line| line.split(['=', ' ']).any(|word| word == unit));
    }
    let settings = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '=');
    settings
        .filter_map(|word| word.strip_suffix('='))
        .find_map(|key| {
            line_where(file, |line| {
                line.split_once('=')
                    .is_some_and(|(own, _)| own.trim() == key)
            })
        })
}

/// The unit of which systemd says that another one needs it and it is not there.
fn required(text: &str) -> Option<&str> {
    text.strip_prefix("Failed to create ")?
        .split_once(": Unit ")?
        .1
        .strip_suffix(" not found.")
}

fn severity(text: &str) -> Severity {
    let error = is_refusal(text)
        || (text.contains(" is not executable: ") && !is_about_this_program(text))
        || text.starts_with("Failed to create ")
        || text.ends_with("socket cannot be started.");
    if error {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// Whoever looks before installing this program has not put it where its own units call it.
fn is_about_this_program(text: &str) -> bool {
    let command = text
        .strip_prefix("Command ")
        .and_then(|rest| rest.split(' ').next());
    command.is_some_and(|path| path.ends_with(concat!("/bin/", env!("CARGO_PKG_NAME"))))
}

/// A combination of settings that systemd does not take.
fn is_refusal(text: &str) -> bool {
    text.ends_with("Refusing.")
}

/// Says that a unit does not load, without a reason.
fn is_fatal(text: &str) -> bool {
    text.starts_with("Unit configuration has fatal error")
}

/// What systemd passes over, whatever else is wrong.
fn is_harmless(text: &str) -> bool {
    [
        "Unknown ",
        "Missing '='",
        "Assignment outside",
        "Unit uses ",
        "Standard output type ",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}
#[cfg(test)]
mod tests;
