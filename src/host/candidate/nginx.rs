//! `nginx -t` on a candidate.

#[cfg(test)]
mod tests;
mod upstreams;
mod view;

use std::io;
use std::path::{Path, PathBuf};

use super::Validation;
use super::conf::Conf;
use super::programs::Ran;
use super::sandbox::{Needs, Program, Sandbox, View};
use super::sources::{Sources, line_where, placed, unplaced};
use crate::host::nginx::{Nginx, bare};
use crate::host::self_signed::SelfSigned;
use crate::model::{Complaint, Finding, Severity, finding};
use crate::root::Root;

/// How many things nginx may miss in its view before it gets no further try.
const TRIES: usize = 40;

/// What the validation of nginx needs beyond the candidate.
pub(super) struct Case<'a> {
    pub nginx: &'a Nginx,
    pub sandbox: &'a Sandbox,
    pub sources: &'a Sources<'a>,
    /// What nginx reads on the host now: the administrators' own files, which it may see.
    pub before: &'a Conf,
    /// The key and certificate that it gets for each that it names.
    pub stand_in: &'a SelfSigned,
    pub makes_networks: bool,
}

/// A name for whose address nobody was asked.
#[derive(Debug)]
pub(super) struct Name {
    pub name: String,
    /// Whether the live configuration has it already: nginx found it when it loaded that.
    pub known: bool,
    /// What is wrong if it does not resolve.
    pub finding: Finding,
}

/// Lets nginx validate, in the sandbox. Returns the names of upstreams, which only a network tells.
pub(super) fn validate(case: &Case<'_>, validation: &mut Validation) -> Vec<Name> {
    let root = case.sources.root();
    let mut not_validated = |why: String| {
        let text = format!("the configuration of nginx was not validated: {why}");
        validation.not_validated.push(text);
        Vec::new()
    };
    if !case.nginx.program.exists() {
        return not_validated(format!("there is no {}", case.nginx.program.display()));
    }
    let conf = Conf::read(root);
    let mut view = view::of(&conf, case, root);
    let mut names = upstreams::names(&conf, case.before);
    view.names
        .extend(names.iter().map(|(name, _)| name.clone()));
    let ran = match test(case, root, &mut view, &mut names) {
        Ok(ran) => ran,
        Err(error) => return not_validated(format!("could not run nginx -t: {error}")),
    };
    let status = match ran.ended.status() {
        Ok(status) => status,
        Err(why) => return not_validated(format!("nginx -t {why}")),
    };
    let said = messages(&ran.said);
    if !status.success() {
        let hidden = said
            .iter()
            .find_map(|message| message.not_shown(root, &view));
        if let Some(why) = hidden {
            return not_validated(why);
        }
        let errors: Vec<Finding> = said
            .iter()
            .filter(|message| message.is_severe())
            .map(|message| message.finding(case.sources, case.makes_networks))
            .collect();
        if errors.is_empty() {
            let said = ran.said.trim().replace('\n', "; ");
            return not_validated(format!("nginx -t ended with {status}: {said}"));
        }
        validation.findings.extend(errors);
    } else {
        let of_ours = said
            .iter()
            // About a stand-in, which nobody issued.
            .filter(|message| !message.text.contains("ssl_stapling"))
            .filter_map(|message| message.warning(case.sources));
        let mut warnings: Vec<Finding> = of_ours.collect();
        warnings.dedup();
        validation.findings.extend(warnings);
    }
    let before = upstreams::names(case.before, &Conf::default());
    let known = |name: &str| before.iter().any(|(own, _)| own == name);
    let names = names.into_iter().map(|(name, message)| Name {
        known: known(&name),
        finding: message.finding(case.sources, false),
        name,
    });
    names.collect()
}

/// Runs the test, and again with what it lacks in its view and the host has.
fn test(
    case: &Case<'_>,
    root: &Root,
    view: &mut View,
    names: &mut Vec<(String, Message)>,
) -> io::Result<Ran> {
    let program = Program {
        name: &case.nginx.program,
        arguments: vec!["-t".into()],
        variables: Vec::new(),
        needs: Needs {
            looks_like_root: true,
            network: false,
        },
    };
    let mut tries = 0;
    loop {
        let ran = case.sandbox.run(view, &program)?;
        tries += 1;
        let mut again = false;
        for message in messages(&ran.said) {
            if let Some(name) = message.unknown_name()
                && view.names.insert(name.clone())
            {
                names.push((name, message));
                again = true;
            } else if let Some(folder) = message.closed_folder(root) {
                again |= view.folders.insert(folder);
            }
        }
        if !again || tries == TRIES {
            return Ok(ran);
        }
    }
}

/// A line of nginx: src/core/ngx_log.c, and src/core/ngx_conf_file.c for the place.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    level: String,
    text: String,
    place: Option<(PathBuf, usize)>,
}

fn messages(said: &str) -> Vec<Message> {
    said.lines().filter_map(Message::parse).collect()
}

impl Message {
    /// `[emerg] text in /etc/nginx/nginx.conf:12`, with time and process before it.
    fn parse(line: &str) -> Option<Self> {
        let line = bare(line);
        let (level, text) = line.strip_prefix('[')?.split_once("] ")?;
        let place = text.rsplit_once(" in ").and_then(|(text, place)| {
            let (path, line) = place.rsplit_once(':')?;
            let line = line.parse().ok().filter(|_| path.starts_with('/'))?;
            Some((text, (PathBuf::from(path), line)))
        });
        Some(Self {
            level: level.to_owned(),
            text: place.as_ref().map_or(text, |(text, _)| text).to_owned(),
            place: place.map(|(_, place)| place),
        })
    }

    fn is_severe(&self) -> bool {
        matches!(self.level.as_str(), "emerg" | "alert" | "crit" | "error")
    }

    /// The name that has no address: `host not found in upstream "NAME:80"`.
    fn unknown_name(&self) -> Option<String> {
        let quoted = self
            .text
            .strip_prefix("host not found in ")?
            .split('"')
            .nth(1)?;
        upstreams::host(quoted)
    }

    /// The folder that the host has and in which nginx could not write.
    fn closed_folder(&self, root: &Root) -> Option<PathBuf> {
        let writes = self.place.is_none()
            && ["open() ", "mkdir() ", "bind() to unix:"]
                .iter()
                .any(|call| self.text.starts_with(call))
            && ["(13: ", "(2: ", "(30: "]
                .iter()
                .any(|code| self.text.contains(code));
        let quoted = match self.text.strip_prefix("bind() to unix:") {
            Some(rest) => rest.split(' ').next(),
            None => self.text.split('"').nth(1),
        };
        let folder = Path::new(quoted.filter(|_| writes)?).parent()?;
        root.is_folder(folder).then(|| folder.to_owned())
    }

    /// Why nginx could not tell, where the reason is what it is shown or what it may do.
    fn not_shown(&self, root: &Root, view: &View) -> Option<String> {
        let bounds = ["(28: ", "(30: ", "(12: ", "(24: ", "(27: "];
        let denied = ["(13: ", "(1: ", "Permission denied"];
        let of_sandbox = bounds.iter().any(|code| self.text.contains(code))
            || (denied.iter().any(|code| self.text.contains(code))
                && !self.text.starts_with("bind() to "));
        if of_sandbox && self.is_severe() {
            return Some(self.with_place());
        }
        if let Some(user) = self
            .text
            .strip_prefix("getpwnam(\"")
            .and_then(|rest| rest.split('"').next())
        {
            let is_there = nix::unistd::User::from_name(user).is_ok_and(|user| user.is_some());
            return is_there.then(|| format!("the user {user} is in no file"));
        }
        let words = named(&self.text).into_iter().map(PathBuf::from);
        let mut paths = words.filter(|path| path.is_absolute() && self.is_severe());
        paths
            .find(|path| {
                !view.shows(path) && root.metadata(path).is_some_and(|found| !found.is_dir())
            })
            .map(|path| {
                format!(
                    "it needs {}, which is hidden during validation",
                    path.display()
                )
            })
    }

    /// An address that a network of the same plan brings cannot be bound before.
    fn may_be_mended(&self, makes_networks: bool) -> bool {
        makes_networks && self.text.contains("(99: Cannot assign requested address)")
    }

    fn finding(&self, sources: &Sources<'_>, makes_networks: bool) -> Finding {
        let severity = match self.may_be_mended(makes_networks) {
            true => Severity::Warning,
            false => Severity::Error,
        };
        let mut finding = self
            .placed(sources, severity)
            .unwrap_or_else(|| unplaced(&finding::NGINX_TEST, severity, &self.with_place()));
        let help = help(&self.text);
        match &mut finding.complaint {
            Complaint::Placed(diagnostic) => diagnostic.help = help,
            Complaint::Unplaced { help: none, .. } => *none = help,
        }
        finding
    }

    /// What is not about a file of the checkout is no news, and no warning.
    fn warning(&self, sources: &Sources<'_>) -> Option<Finding> {
        self.placed(sources, Severity::Warning)
    }

    /// The finding at the place that nginx names, or at what it quotes.
    fn placed(&self, sources: &Sources<'_>, severity: Severity) -> Option<Finding> {
        let (file, line) = match &self.place {
            Some((path, line)) => (sources.at(path)?, *line),
            None => named(&self.text).iter().find_map(|word| {
                sources.of_nginx().find_map(|file| {
                    let line = line_where(file, |line| line.contains(word))?;
                    Some((file, line))
                })
            })?,
        };
        Some(placed(
            &finding::NGINX_TEST,
            severity,
            file,
            line,
            &self.text,
        ))
    }

    /// As nginx said it.
    fn with_place(&self) -> String {
        match &self.place {
            Some((path, line)) => format!("{} in {}:{line}", self.text, path.display()),
            None => self.text.clone(),
        }
    }
}

/// What a line of the configuration that is meant may hold: what is in quotes, and the
/// address of `bind() to 198.51.100.1:80 failed`.
fn named(text: &str) -> Vec<String> {
    if let Some(rest) = text.strip_prefix("bind() to ") {
        let address = rest.split(' ').next().unwrap_or_default();
        let port = address.strip_prefix("0.0.0.0:");
        let any = port.map(|port| format!("listen {port}"));
        return [Some(address.to_owned()), any]
            .into_iter()
            .flatten()
            .collect();
    }
    let quoted = text.split('"').skip(1).step_by(2);
    quoted
        .filter(|word| word.len() > 1)
        .map(str::to_owned)
        .collect()
}

/// What usually helps.
fn help(text: &str) -> Option<String> {
    if text.contains("(99: Cannot assign requested address)") {
        return Some("the host's addresses: ip -brief address".to_owned());
    }
    if text.starts_with("host not found") {
        let name = text.split('"').nth(1).unwrap_or("NAME");
        return Some(format!(
            "nginx resolves it when it loads its configuration: getent hosts {name}"
        ));
    }
    if text.starts_with("cannot load certificate") && text.contains("No such file") {
        return Some(
            "`bootstrap_certificates = true` in watchme.toml writes a self-signed pair until a real one is issued"
                .to_owned(),
        );
    }
    None
}
