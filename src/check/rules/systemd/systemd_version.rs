//! What the server's version of systemd does not know.

use std::collections::{BTreeMap, btree_map};

use crate::check::rules::systemd::prelude::*;
use crate::model::{Lack, Program, Target, Version, Versions};
use crate::source::unit::words;

pub(crate) static RULE: Rule = rule!(systemd_version, Warning, run);

/// The prefix that has a shell run the command, systemd.service(5).
const SHELL: Versions = Versions::since(Version::major(258));

/// What took the place of settings that later versions ignore, systemd.resource-control(5).
const SUCCESSORS: [(&str, &str); 9] = [
    ("MemoryLimit", "MemoryMax"),
    ("CPUShares", "CPUWeight"),
    ("StartupCPUShares", "StartupCPUWeight"),
    ("BlockIOAccounting", "IOAccounting"),
    ("BlockIOWeight", "IOWeight"),
    ("StartupBlockIOWeight", "StartupIOWeight"),
    ("BlockIODeviceWeight", "IODeviceWeight"),
    ("BlockIOReadBandwidth", "IOReadBandwidthMax"),
    ("BlockIOWriteBandwidth", "IOWriteBandwidthMax"),
];

/// What is not known, at its places.
#[derive(Default)]
struct Unknown {
    target: Target,
    /// By what it is: its first place, and how often it is used besides.
    first: BTreeMap<String, (Lack, Diagnostic, usize)>,
    /// Where the server's version is known, every place.
    certain: Vec<Finding>,
}

fn run(context: &Context, findings: &mut Findings) {
    let units = context.units();
    let mut unknown = Unknown {
        target: context.target(),
        ..Unknown::default()
    };
    for (source, kind) in units.files() {
        let sections = table::sections_of(kind);
        for section in &source.parsed.sections {
            if sections.contains(&&*section.name) {
                for entry in &section.entries {
                    unknown.look(source, &section.name, entry);
                }
            }
        }
    }
    for line in units.all.iter().flat_map(|unit| &unit.lines) {
        let mut commands = line.commands.iter();
        if let Some(command) = commands.find(|command| command.prefix.contains('|')) {
            let place = line.value.complain("", "a shell has to run it");
            let help = "write /bin/sh -c and the command in quotes";
            let prefix = &command.prefix;
            unknown.note(
                SHELL,
                format!("the prefix {prefix} of {}", line.value.key),
                place,
                help,
            );
        }
    }
    findings.extend(unknown.certain);
    for (what, (lack, place, more)) in unknown.first {
        let others = match more {
            0 => String::new(),
            more => format!(", which is used {} times", more + 1),
        };
        findings.push(RULE.at(Diagnostic {
            message: format!("{lack} does not know {what}{others}"),
            ..place
        }));
    }
}

impl Unknown {
    fn look(&mut self, source: &Source, section: &str, entry: &Entry) {
        let key = entry.key.as_str();
        if let Some(versions) = table::versions(section, key).filter(|it| self.is_lacking(*it)) {
            let successor = SUCCESSORS.iter().find(|(old, _)| *old == key);
            let help = successor.map_or(String::new(), |(_, new)| format!("write {new}= instead"));
            let place = source.complain(entry.key_span.clone(), "", "");
            self.note(versions, format!("the setting {key}"), place, &help);
        }
        for word in words(&entry.value) {
            let versions = table::word_versions(section, key, word.trim_start_matches('~'));
            if let Some(versions) = versions.filter(|it| self.is_lacking(*it)) {
                let place = source.complain(entry.value_span.clone(), "", "");
                let what = format!("the value {word} of {key}");
                self.note(versions, what, place, "");
            }
        }
    }

    fn is_lacking(&self, versions: Versions) -> bool {
        self.target.lack(Program::Systemd, versions).is_some()
    }

    /// Notes what is not known. Where the version of the server is not known, its first place stands for all.
    fn note(&mut self, versions: Versions, what: String, place: Diagnostic, instead: &str) {
        let Some(lack) = self.target.lack(Program::Systemd, versions) else {
            return;
        };
        let help = lack.help(&what, instead);
        let is_command = versions == SHELL && what.starts_with("the prefix");
        if lack.is_certain() {
            let outcome = match is_command {
                true => "does not start the unit",
                false => "ignores it",
            };
            let found = RULE.at(Diagnostic {
                message: format!("{lack} does not know {what}, and {outcome}"),
                help: Some(help),
                ..place
            });
            self.certain
                .push(found.weighing_where(is_command, Severity::Error));
            return;
        }
        match self.first.entry(what) {
            btree_map::Entry::Occupied(mut first) => first.get_mut().2 += 1,
            btree_map::Entry::Vacant(free) => {
                free.insert((lack, place.helped(help), 0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::service;
    use crate::check::tests::checked;

    fn found(host: &str, lines: &str) -> Vec<String> {
        let text = service(&format!("ExecStart=/bin/a\n{lines}"));
        let files = [
            ("watchme.toml".to_owned(), host.to_owned()),
            ("systemd/a.service".to_owned(), text),
        ];
        let findings = checked(&files);
        let own = findings
            .iter()
            .filter(|finding| finding.rule.name == "systemd-version");
        own.map(|finding| finding.message().to_owned()).collect()
    }

    #[test]
    fn settings_and_words_of_other_versions() {
        let of = |version: &str, lines: &str| {
            found(&format!("[host]\nsystemd = \"{version}\"\n"), lines)
        };
        for (version, lines, expected) in [
            (
                "252",
                "RestartSteps=3",
                vec!["systemd 252 does not know the setting RestartSteps, and ignores it"],
            ),
            ("254", "RestartSteps=3", vec![]),
            (
                "249",
                "ExitType=cgroup",
                vec!["systemd 249 does not know the setting ExitType, and ignores it"],
            ),
            ("250", "ExitType=cgroup", vec![]),
            (
                "252",
                "PrivateTmp=disconnected",
                vec![
                    "systemd 252 does not know the value disconnected of PrivateTmp, and ignores it",
                ],
            ),
            ("257", "PrivateTmp=disconnected\nPrivateUsers=yes", vec![]),
            (
                "258",
                "MemoryLimit=1G",
                vec!["systemd 258 does not know the setting MemoryLimit, and ignores it"],
            ),
            ("257", "MemoryLimit=1G", vec![]),
            (
                "257",
                "ExecStartPre=|/bin/b",
                vec![
                    "systemd 257 does not know the prefix | of ExecStartPre, and does not start the unit",
                ],
            ),
            (
                "252",
                "Restart=always\nProtectSystem=strict\nX-Mine=1\nWrong=1",
                vec![],
            ),
        ] {
            assert_eq!(of(version, lines), expected, "{version}: {lines}");
        }
    }

    #[test]
    fn without_a_stated_version_each_is_said_once() {
        assert_eq!(
            found("", "OpenFile=/a\nOpenFile=/b\nSystemCallFilter=~@sandbox"),
            [
                "systemd before 253 does not know the setting OpenFile, which is used 2 times",
                "systemd before 254 does not know the value ~@sandbox of SystemCallFilter"
            ]
        );
        assert_eq!(
            found("", "CPUShares=5"),
            ["systemd 258 and later does not know the setting CPUShares"]
        );
        assert_eq!(
            found("", "ProtectSystem=strict\nExecStartPre=-/bin/b"),
            [""; 0]
        );
    }
}
