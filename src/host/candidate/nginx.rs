//! `nginx -t` on a candidate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::{Ran, run};
use super::sources::{Sources, line_where, placed, unplaced};
use super::{BOUND, Judgement};
use crate::host::nginx::{Nginx, bare};
use crate::model::{Complaint, Finding, Severity, finding};

/// How many logs may turn out to be too large before nginx gets no further try.
const TRIES: usize = 16;

/// Lets nginx judge, in the namespace. `logs` are files that the running nginx has open.
pub(super) fn judge(
    nginx: &Nginx,
    logs: &[PathBuf],
    sources: &Sources<'_>,
    makes_networks: bool,
    judgement: &mut Judgement,
) {
    let mut not_judged = |why: String| {
        let text = format!("the configuration of nginx was not validated: {why}");
        judgement.not_judged.push(text);
    };
    if !nginx.program.exists() {
        return not_judged(format!("there is no {}", nginx.program.display()));
    }
    logs.iter().for_each(|log| empty(log));
    let ran = match test(nginx) {
        Ok(ran) => ran,
        Err(error) => return not_judged(format!("could not run nginx -t: {error}")),
    };
    let Some(status) = ran.status else {
        return not_judged(format!("nginx -t took longer than {} s", BOUND.as_secs()));
    };
    let said = messages(&ran.said);
    if status.success() {
        let of_ours = said.iter().filter_map(|message| message.warning(sources));
        let mut warnings: Vec<Finding> = of_ours.collect();
        warnings.dedup();
        return judgement.findings.extend(warnings);
    }
    if let Some(message) = said.iter().find(|message| message.is_of_the_namespace()) {
        return not_judged(message.text.clone());
    }
    let errors: Vec<Finding> = said
        .iter()
        .filter(|message| message.is_severe())
        .map(|message| message.finding(sources, makes_networks))
        .collect();
    if errors.is_empty() {
        let said = ran.said.trim().replace('\n', "; ");
        return not_judged(format!("nginx -t ended with {status}: {said}"));
    }
    judgement.findings.extend(errors);
}

/// Runs the test, and again without the content of a log that is too large.
fn test(nginx: &Nginx) -> io::Result<Ran> {
    let mut tries = 0;
    loop {
        let ran = run(Command::new(&nginx.program).arg("-t"), BOUND)?;
        tries += 1;
        let said = messages(&ran.said);
        match said.iter().find_map(Message::too_large) {
            Some(log) if tries < TRIES => empty(&log),
            _ => return Ok(ran),
        }
    }
}

/// Empties a log in the namespace: a layer copies a file that is opened for writing, and a log
/// may be larger than the memory.
fn empty(log: &Path) {
    let is_file = fs::symlink_metadata(log).is_ok_and(|metadata| metadata.is_file());
    // "/dev" is among what a layer covers; what the kernel makes is no regular file there.
    if is_file && !log.starts_with("/proc") && !log.starts_with("/sys") {
        let _ = fs::File::create(log);
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

    /// The file that did not fit into the layer: `open() "/x.log" failed (28: …)`.
    fn too_large(&self) -> Option<PathBuf> {
        let is_open = self.text.starts_with("open() ") && self.text.contains("(28: ");
        let path = named(&self.text).into_iter().next().filter(|_| is_open);
        path.map(PathBuf::from)
    }

    /// Whether the namespace is the reason: its memory is full, or it holds something read-only.
    fn is_of_the_namespace(&self) -> bool {
        self.text.contains("(28: No space left") || self.text.contains("(30: Read-only file")
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

    /// The finding at the place that nginx names, or where something stands that it quotes.
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

/// What a line of the configuration that is meant may hold: what stands in quotes, and the
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
            "nginx asks for it when it loads its configuration: getent hosts {name}"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candidate, File};
    use crate::root::Root;

    const SITE: &str = "# api.example.com\nserver {\n    listen 443 ssl;\n    server_name api.example.com;\n    ssl_certificate /etc/ssl/api.pem;\n    rewrite_all on;\n}\n";

    /// A root in which a site is linked as on a host.
    fn host(test: impl FnOnce(&Sources<'_>)) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let live = Path::new("/etc/watchme-apply/live/sites-available/api");
        let enabled = Path::new("/etc/nginx/sites-enabled/api");
        for path in [live, enabled] {
            root.make_folder(path.parent().unwrap()).unwrap();
        }
        root.write(live, SITE.as_bytes(), 0o644).unwrap();
        root.link(enabled, live).unwrap();
        let file = File::new("desired-state/sites-available/api", SITE.as_bytes(), false);
        let candidate = Candidate {
            sources: [(live.to_owned(), file)].into(),
            ..Candidate::default()
        };
        test(&Sources::new(&root, &candidate));
    }

    fn found(line: &str, sources: &Sources<'_>) -> String {
        Message::parse(line)
            .unwrap()
            .finding(sources, false)
            .to_string()
    }

    #[test]
    fn a_place_in_the_store_is_one_in_the_checkout() {
        host(|sources| {
            let line = "2026/11/22 06:24:59 [emerg] 833#833: unknown directive \"rewrite_all\" in /etc/nginx/sites-enabled/api:6";
            assert_eq!(
                found(line, sources),
                "desired-state/sites-available/api:6:5: unknown directive \"rewrite_all\""
            );
            let upstream = "nginx: [emerg] host not found in upstream \"nosuch.example.com\" in /etc/nginx/sites-enabled/api:4";
            let finding = Message::parse(upstream).unwrap().finding(sources, false);
            assert_eq!(finding.place().map(|place| place.position().0), Some(4));
            assert!(
                finding
                    .help()
                    .is_some_and(|help| help.ends_with("getent hosts nosuch.example.com"))
            );
        });
    }

    #[test]
    fn what_nginx_quotes_is_looked_for() {
        host(|sources| {
            let line = "2026/11/22 06:24:59 [emerg] 832#832: cannot load certificate \"/etc/ssl/api.pem\": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/etc/ssl/api.pem, r) error:10000080:BIO routines::no such file)";
            let finding = Message::parse(line).unwrap().finding(sources, false);
            let place = finding.place().unwrap();
            assert_eq!(place.line_text(), "    ssl_certificate /etc/ssl/api.pem;");
            assert!(
                finding
                    .help()
                    .is_some_and(|help| help.contains("bootstrap_certificates"))
            );
            let warning = "2026/11/22 06:24:59 [warn] 836#836: conflicting server name \"api.example.com\" on 0.0.0.0:80, ignored";
            let warning = Message::parse(warning).unwrap();
            let finding = warning.warning(sources).unwrap();
            assert_eq!(
                finding.place().map(|place| place.position().0),
                Some(4),
                "not the comment"
            );
            assert_eq!(finding.severity, Severity::Warning);
        });
    }

    #[test]
    fn what_is_not_ours_is_shown_as_nginx_says_it() {
        host(|sources| {
            let line = "nginx: [emerg] unknown directive \"x\" in /etc/nginx/nginx.conf:3";
            assert_eq!(
                found(line, sources),
                "unknown directive \"x\" in /etc/nginx/nginx.conf:3"
            );
            let warning = "nginx: [warn] conflicting server name \"other\" on 0.0.0.0:80, ignored";
            assert_eq!(Message::parse(warning).unwrap().warning(sources), None);
        });
    }

    #[test]
    fn an_address_of_a_planned_network() {
        host(|sources| {
            let line =
                "[emerg] bind() to 172.27.0.1:80 failed (99: Cannot assign requested address)";
            let message = Message::parse(line).unwrap();
            assert!(message.finding(sources, false).is_error());
            assert!(!message.finding(sources, true).is_error());
            let line = "[emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)";
            assert!(
                found(line, sources).starts_with("desired-state/sites-available/api:3:5: bind()")
            );
        });
    }

    #[test]
    fn lines_that_judge_nothing() {
        let said = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n";
        assert_eq!(messages(said), []);
        let full = "2026/11/22 06:24:59 [emerg] 1#1: open() \"/srv/x.log\" failed (28: No space left on device)";
        assert!(messages(full)[0].is_of_the_namespace());
        assert_eq!(messages(full)[0].too_large(), Some("/srv/x.log".into()));
    }
}
