//! Files of /etc, validated by the programs that read them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Validation;
use super::sandbox::{Needs, Program, Sandbox, View};
use super::sources::{Sources, placed, unplaced};
use crate::host::self_signed::SelfSigned;
use crate::model::finding::ETC_INVALID;
use crate::model::{Checker, EtcCheck, Finding, Severity};
use crate::root::Root;

/// Where programs lie.
const FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];
/// Host keys that sshd looks for, sshd_config(5).
const HOST_KEYS: [&str; 3] = ["rsa", "ecdsa", "ed25519"];
const SSHD: &str = "/etc/ssh/sshd_config";
/// What programs say that cannot tell, and why.
const CANNOT_TELL: [(&str, &str); 3] = [
    (
        "unknown flag: --validate",
        "this dockerd has no --validate, only the JSON was checked",
    ),
    (
        "unrecognized option '--dry-run'",
        "systemd-tmpfiles has --dry-run from systemd 256 on",
    ),
    // A file of sysusers.d in the same commit may create them.
    (
        "Failed to resolve ",
        "a user or group of it does not exist yet",
    ),
];
/// What is shown of a program that says much.
const LINES: usize = 10;

/// What has the checkers validate, in the sandbox.
pub(super) struct Case<'a> {
    pub sandbox: &'a Sandbox,
    pub sources: &'a Sources<'a>,
    pub stand_in: &'a SelfSigned,
}

/// Validates what needs no program.
pub(super) fn validate_bytes(
    checks: &[EtcCheck],
    sources: &Sources<'_>,
    validation: &mut Validation,
) {
    for check in checks {
        let relative = check.path.strip_prefix("/etc").unwrap_or(&check.path);
        let (Some(checker), Some(file)) = (check.checker, sources.at(&check.path)) else {
            continue;
        };
        let wrong = checker.wrong(relative, &file.content, check.mode, &check.owner);
        let found = wrong.iter().map(|wrong| {
            placed(
                &ETC_INVALID,
                wrong.severity,
                file,
                wrong.line,
                &wrong.message,
            )
        });
        validation.findings.extend(found);
    }
}

/// Has each file validated by its program, and by the command that watchme.toml gives it.
pub(super) fn validate(checks: &[EtcCheck], case: &Case<'_>, validation: &mut Validation) {
    let mut ssh = false;
    for check in checks {
        let wrong = validation
            .findings
            .iter()
            .any(|finding| finding.is_error() && is_about(finding, case.sources.at(&check.path)));
        // sshd reads all of its files at once.
        let again = check.checker == Some(Checker::Ssh) && std::mem::replace(&mut ssh, true);
        if let Some(checker) = check.checker
            && !wrong
            && !again
            && let Some(call) = call(checker, check)
        {
            case.ask(check, &call, validation);
        }
        if let Some((name, arguments)) = check
            .validate
            .as_ref()
            .and_then(|words| words.split_first())
        {
            let path = check.path.to_string_lossy();
            let arguments = arguments.iter().map(|word| word.replace("{}", &path));
            let call = Call {
                program: name.clone(),
                arguments: arguments.collect(),
                needs: Needs::default(),
                speaks: Speaks::Own,
            };
            case.ask(check, &call, validation);
        }
    }
}

fn is_about(finding: &Finding, file: Option<&crate::model::File>) -> bool {
    finding
        .place()
        .is_some_and(|place| file.is_some_and(|file| place.path() == file.source))
}

/// A program that is asked.
struct Call {
    program: String,
    arguments: Vec<String>,
    needs: Needs,
    speaks: Speaks,
}

/// How a program says what is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// `PATH:LINE: text` and the like, among other lines; its status tells.
    Lines,
    /// Only lines that begin with `error: PATH:LINE` are about the file.
    Logrotate,
    /// dockerd: one without `--validate` says that it does not know it.
    Docker,
    /// A command of one's own: all that it says.
    Own,
}

fn call(checker: Checker, check: &EtcCheck) -> Option<Call> {
    let path = check.path.to_string_lossy().into_owned();
    let (program, arguments): (&str, Vec<String>) = match checker {
        Checker::Docker => (
            "dockerd",
            vec!["--validate".into(), "--config-file".into(), path],
        ),
        Checker::Sudo => ("visudo", vec!["-c".into(), "-f".into(), path]),
        Checker::Ssh => ("sshd", vec!["-t".into(), "-f".into(), SSHD.into()]),
        Checker::Nft => ("nft", vec!["-c".into(), "-f".into(), path]),
        Checker::Logrotate => (
            "logrotate",
            vec!["-d".into(), "-s".into(), "/tmp/status".into(), path],
        ),
        Checker::Sysusers => ("systemd-sysusers", vec!["--dry-run".into(), path]),
        Checker::Tmpfiles => (
            "systemd-tmpfiles",
            vec!["--create".into(), "--dry-run".into(), path],
        ),
        Checker::Cron | Checker::Sysctl => return None,
    };
    Some(Call {
        program: program.to_owned(),
        arguments,
        needs: Needs {
            looks_like_root: matches!(checker, Checker::Docker | Checker::Sudo),
            network: checker == Checker::Nft,
        },
        speaks: match checker {
            Checker::Docker => Speaks::Docker,
            Checker::Logrotate => Speaks::Logrotate,
            _ => Speaks::Lines,
        },
    })
}

/// Whether a program that ended so has answered. dockerd ends with 1 where it rejects its file; 2 is a crash of Go's runtime,
/// which may have got no thread, <https://pkg.go.dev/runtime>.
fn is_answer(speaks: Speaks, code: Option<i32>) -> bool {
    match (speaks, code) {
        (_, None) => false,
        (Speaks::Docker, Some(code)) => code == 1,
        (_, Some(_)) => true,
    }
}

impl Case<'_> {
    fn ask(&self, check: &EtcCheck, call: &Call, validation: &mut Validation) {
        let root = self.sources.root();
        let not_validated = |why: String, validation: &mut Validation| {
            let text = format!("{} was not validated: {why}", check.path.display());
            validation.not_validated.push(text);
        };
        // Somebody asked for their own command: a file that it did not accept is not installed.
        let no_answer = |why: String, validation: &mut Validation| match call.speaks {
            Speaks::Own => validation.findings.push(self.refused(check, &why)),
            _ => not_validated(why, validation),
        };
        let Some(program) = which(&call.program, root) else {
            let why = match call.speaks {
                Speaks::Own => format!(
                    "there is no {} in {}, where commands of validate are looked for",
                    call.program,
                    FOLDERS.join(", ")
                ),
                _ => format!("there is no {} here", call.program),
            };
            return no_answer(why, validation);
        };
        let asked = Program {
            name: &program,
            arguments: call.arguments.iter().map(OsString::from).collect(),
            variables: Vec::new(),
            needs: call.needs,
        };
        let ran = match self.sandbox.run(&self.view(check, root), &asked) {
            Ok(ran) => ran,
            Err(error) => {
                return not_validated(
                    format!("could not run {}: {error}", call.program),
                    validation,
                );
            }
        };
        let status = match ran.ended.status() {
            Ok(status) => status,
            Err(why) => return no_answer(format!("{} {why}", call.program), validation),
        };
        let told = CANNOT_TELL.iter().find(|(said, _)| ran.said.contains(said));
        if let Some((_, why)) = told.filter(|_| call.speaks != Speaks::Own) {
            return not_validated((*why).to_owned(), validation);
        }
        if status.success() {
            return;
        }
        if !is_answer(call.speaks, status.code()) {
            return no_answer(format!("{} ended with {status}", call.program), validation);
        }
        if call.speaks != Speaks::Own
            && ["Permission denied", "Operation not permitted"]
                .iter()
                .any(|text| ran.said.contains(text))
        {
            let why = ran.said.lines().next().unwrap_or_default();
            let why = format!("{} lacks a permission in the sandbox: {why}", call.program);
            return not_validated(why, validation);
        }
        let findings = self.findings(check, call, &ran.said);
        validation.findings.extend(findings);
    }

    /// What the program gets to see: files that it reads, whoever may read them later.
    fn view(&self, check: &EtcCheck, root: &Root) -> View {
        let mut view = View::default();
        view.shown.insert(check.path.clone());
        if check.checker == Some(Checker::Ssh) {
            let folder = Path::new("/etc/ssh/sshd_config.d");
            view.shown.insert(SSHD.into());
            view.shown.extend(root.list(folder).unwrap_or_default());
            let keys = HOST_KEYS.map(|kind| PathBuf::from(format!("/etc/ssh/ssh_host_{kind}_key")));
            let key = self.stand_in.key.as_bytes();
            view.contents
                .extend(keys.into_iter().map(|path| (path, key.to_vec())));
        }
        view
    }

    fn findings(&self, check: &EtcCheck, call: &Call, said: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for line in said.lines() {
            let file = self.sources.at(&check.path);
            match position(line, &check.path) {
                Some((number, text)) => findings.extend(file.map(|file| {
                    let text = format!("{}: {text}", call.program);
                    placed(&ETC_INVALID, Severity::Error, file, number, &text)
                })),
                None if call.speaks == Speaks::Lines => {
                    // Another file of the same program.
                    let other = other_place(line);
                    let own = other.and_then(|(path, number, text)| {
                        let file = self.sources.at(&path)?;
                        let text = format!("{}: {text}", call.program);
                        Some(placed(&ETC_INVALID, Severity::Error, file, number, &text))
                    });
                    findings.extend(own);
                }
                None => {}
            }
        }
        if !findings.is_empty() || call.speaks == Speaks::Logrotate {
            findings.dedup();
            return findings;
        }
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let last = lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default();
        let text = match last.is_empty() {
            true => format!("{} refuses it without a message", call.program),
            false => format!("{}: {}", call.program, last.join("; ")),
        };
        vec![self.refused(check, &text)]
    }

    /// The finding about a file as a whole.
    fn refused(&self, check: &EtcCheck, text: &str) -> Finding {
        match self.sources.at(&check.path) {
            Some(file) => placed(&ETC_INVALID, Severity::Error, file, 1, text),
            None => unplaced(&ETC_INVALID, Severity::Error, text),
        }
    }
}

/// The line number and the text of a complaint about a file: `PATH:3:5-7: text`, `PATH line 3: text`,
/// `PATH: line 3: text`, `error: PATH:3 text`.
fn position(line: &str, path: &Path) -> Option<(usize, String)> {
    let path = path.to_string_lossy();
    let (_, rest) = line.split_once(path.as_ref())?;
    let rest = rest.trim_start_matches([':', ' ']);
    let rest = rest.strip_prefix("line ").unwrap_or(rest);
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, rest) = rest.split_at(digits);
    let text =
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '-' | ' '));
    Some((number.parse().ok()?, text.to_owned()))
}

/// [`position`] in whichever file below /etc a line names.
fn other_place(line: &str) -> Option<(PathBuf, usize, String)> {
    let start = line.find("/etc/")?;
    let rest = line.get(start..)?;
    let end = rest.find([':', ' '])?;
    let path = Path::new(rest.get(..end)?);
    let (number, text) = position(line, path)?;
    Some((path.to_owned(), number, text))
}

/// Where a program is; commands of the checkout lie in the store.
fn which(name: &str, root: &Root) -> Option<PathBuf> {
    let named = Path::new(name);
    if named.is_absolute() {
        return root.resolve(named).map(|_| named.to_owned());
    }
    let places = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    let mut places = places.filter(|place| root.resolve(place).is_some());
    places.next()
}

#[cfg(test)]
mod tests;
