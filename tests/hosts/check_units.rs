//! `check` says of units what systemd says: the real `systemd-analyze verify` is asked about the same files.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use watchme_apply::check::{Subject, check};
use watchme_apply::model::Finding;
use watchme_apply::source::{Checkout, Which};

use crate::support::{Debian, Host};
use generator::{Chance, TYPES, unit};

mod generator;
mod refused;
mod values;
mod versions;

const KEYS: &str = include_str!("../../crates/systemd-unit/src/tables/keys.txt");
/// Where the units lie on the host.
const FOLDER: &str = "/root/units";

/// Units by file name.
type Units = Vec<(String, String)>;

/// A complaint: file, line from 1, and what it is about.
type Complaint = (String, usize, &'static str);

/// Findings about units, as they lie in a checkout.
fn checked(units: &Units) -> Vec<Finding> {
    checked_for("", units)
}

/// The same with a watchme.toml.
fn checked_for(policy: &str, units: &Units) -> Vec<Finding> {
    let folder = tempfile::tempdir().expect("a folder");
    if !policy.is_empty() {
        std::fs::write(folder.path().join("watchme.toml"), policy).expect("a policy");
    }
    let systemd = folder.path().join("systemd");
    std::fs::create_dir(&systemd).expect("a folder");
    for (name, text) in units {
        std::fs::write(systemd.join(name), text).expect("a unit");
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder.path(), &[owner]).expect("a checkout");
    let (revision, wrong) = checkout.survey(&Which::Worktree).expect("a revision");
    check(&Subject {
        revision: &revision,
        wrong: &wrong,
    })
}

/// A watchme.toml that states the host's version of systemd.
fn stated(host: &Host) -> String {
    let version = host.sh("systemctl --version | head -1 | cut -d' ' -f2");
    format!("[host]\nsystemd = \"{}\"\n", version.trim())
}

/// What systemd says about units, in its words.
fn verified(host: &Host, units: &Units, of: &str) -> String {
    host.sh(&format!("rm -rf {FOLDER}; mkdir {FOLDER}"));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in units {
        std::fs::write(folder.path().join(name), text).expect("a unit");
    }
    host.copy_in(folder.path(), FOLDER);
    let verify = format!(
        "cd $(dirname $(find {FOLDER} -type f | head -1)); LC_ALL=C SYSTEMD_COLORS=0 SYSTEMD_LOG_TARGET=console systemd-analyze verify --man=no $(find $PWD -name '{of}')"
    );
    host.try_sh(&verify).text()
}

fn name_of(path: &str) -> String {
    Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// What systemd says about lines, sections and keys.
fn complaints(said: &str) -> BTreeSet<Complaint> {
    let complaint = |line: &str| {
        let (place, text) = line.split_once(": ")?;
        let (path, number) = place.rsplit_once(':')?;
        let kinds = [
            ("Missing '='", "line"),
            ("Missing key name", "line"),
            ("Assignment outside of section", "line"),
            ("Invalid section header", "line"),
            ("Unknown section ''", "line"),
            ("Unknown section", "section"),
            ("Unknown key", "key"),
        ];
        let (_, kind) = kinds.iter().find(|(start, _)| text.starts_with(start))?;
        Some((name_of(path), number.parse().ok()?, *kind))
    };
    said.lines().filter_map(complaint).collect()
}

/// The same from `check`. systemd names the last line of an assignment, and reads nothing behind a header
/// that is not closed.
fn our_complaints(policy: &str, units: &Units) -> BTreeSet<Complaint> {
    let mut found = BTreeSet::new();
    for finding in checked_for(policy, units) {
        let kind = match finding.rule.name {
            "systemd-not-an-assignment" => "line",
            "systemd-unknown-section" => "section",
            "systemd-unknown-key" | "systemd-wrong-section" => "key",
            _ => continue,
        };
        let place = finding.place().expect("a place");
        let lines: Vec<&str> = place.file.text().lines().collect();
        let mut line = place.position().line;
        let open = lines.iter().position(|text| {
            let text = text.trim_matches(['\u{feff}', ' ', '\t']);
            text.starts_with('[') && !text.ends_with(']')
        });
        if open.is_some_and(|open| line > open + 1) {
            continue;
        }
        let goes_on = |text: &str| {
            let comment = text.trim_start_matches([' ', '\t']).starts_with(['#', ';']);
            comment || (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
        };
        // One that the file ends in the middle of counts for one more.
        while line <= lines.len() && goes_on(lines[line - 1]) {
            line += 1;
        }
        found.insert((name_of(&place.path().to_string_lossy()), line, kind));
    }
    found
}

/// The units that rules find something in.
fn of_rules(units: &Units, rules: &[&str]) -> BTreeSet<String> {
    checked(units)
        .iter()
        .filter(|finding| rules.contains(&finding.rule.name))
        .filter_map(|finding| Some(name_of(&finding.place()?.path().to_string_lossy())))
        .collect()
}

#[test]
fn lines_sections_and_keys_are_judged_as_systemd_does() {
    let host = Host::boot();
    let policy = stated(&host);
    // The list is that of systemd 252: `versions` compares what later ones know.
    if host.debian() == Debian::Twelve {
        let listed: String = KEYS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(
            host.sh("/lib/systemd/systemd --dump-configuration-items")
                .trim(),
            listed.trim(),
            "the list of keys"
        );
    }

    let mut chance = Chance(0x5eed_0004);
    let mut told = 0;
    for round in 0..4 {
        let units: Units = (0..250)
            .map(|at| {
                let kind = TYPES[at % TYPES.len()];
                (format!("u{round}x{at}.{kind}"), unit(&mut chance, kind))
            })
            .collect();
        let said = verified(&host, &units, "u*");
        let (systemd, ours) = (complaints(&said), our_complaints(&policy, &units));
        for (name, text) in &units {
            let of = |all: &BTreeSet<Complaint>| -> Vec<Complaint> {
                all.iter()
                    .filter(|(file, ..)| file == name)
                    .cloned()
                    .collect()
            };
            assert_eq!(of(&ours), of(&systemd), "{name}\n{text:?}");
        }
        assert_eq!(ours, systemd);
        told += systemd.len();
    }
    assert!(told > 1000, "only {told} complaints were compared");
}

#[test]
fn services_are_refused_as_systemd_does() {
    let host = Host::boot();
    let commands = [
        "ExecStart=/bin/true\n",
        "ExecStart=/bin/true\nExecStart=/bin/true\n",
        "ExecStart=true\n",
        "ExecStart=bin/true\n",
        "ExecStop=/bin/true\n",
        "ExecStart=/bin/true ; /bin/true\n",
        "ExecStart=/bin/true \\; x\n",
        "",
    ];
    let mut units = Units::new();
    for kind in [
        "",
        "Type=simple\n",
        "Type=oneshot\n",
        "Type=exec\n",
        "Type=forking\n",
        "Type=idle\n",
        "Type=dbus\n",
        "Type=dbus\nBusName=org.example.A\n",
    ] {
        for restart in [
            "",
            "Restart=always\n",
            "Restart=on-success\n",
            "Restart=on-failure\n",
        ] {
            for command in commands {
                for remains in ["", "RemainAfterExit=yes\n", "RemainAfterExit=no\n"] {
                    // Two services cannot have one name on the bus.
                    let kind =
                        kind.replace("org.example.A", &format!("org.example.A{}", units.len()));
                    let text = format!("[Service]\n{kind}{restart}{remains}{command}");
                    units.push((format!("s{}.service", units.len()), text));
                }
            }
        }
    }
    let said = verified(&host, &units, "s*.service");
    let refused: BTreeSet<String> = said
        .lines()
        .filter_map(|line| match line.strip_suffix("Refusing.") {
            Some(about) => Some(about.split(": ").next()?.to_owned()),
            None => {
                let (place, text) = line.split_once(": ")?;
                let is_path = text.starts_with("Neither a valid executable name");
                is_path.then(|| name_of(place.rsplit_once(':').map_or(place, |(path, _)| path)))
            }
        })
        .collect();
    let rules = [
        "systemd-oneshot-restart",
        "systemd-several-commands",
        "systemd-no-command",
        "systemd-relative-command",
        "systemd-refused",
    ];
    let ours = of_rules(&units, &rules);
    for (name, text) in &units {
        assert_eq!(
            ours.contains(name),
            refused.contains(name),
            "{name}\n{text}"
        );
    }
    assert!(refused.len() > 100 && refused.len() < units.len() - 100);
}

#[test]
fn specifiers_are_those_of_systemd() {
    let host = Host::boot();
    let letters = ('!'..='~').filter(|letter| !"\\\"'%".contains(*letter));
    let units: Units = letters
        .map(|letter| {
            let text = format!("[Service]\nExecStart=/bin/echo a%{letter}b 100%\n");
            (format!("p{}.service", u32::from(letter)), text)
        })
        .collect();
    let said = verified(&host, &units, "p*");
    let refused: BTreeSet<String> = said
        .lines()
        .filter(|line| line.contains("Failed to resolve unit specifiers"))
        .filter_map(|line| Some(name_of(line.split(':').next()?)))
        .collect();
    let ours = of_rules(&units, &["systemd-unescaped-percent"]);
    for (name, text) in &units {
        // Later versions know this one.
        if !text.contains("%D") {
            assert_eq!(
                ours.contains(name),
                refused.contains(name),
                "{text}\n{said}"
            );
        }
    }
    assert!(refused.len() > 10, "{said}");
}

#[test]
fn circles_are_those_of_systemd() {
    let host = Host::boot();
    let mut chance = Chance(0x5eed_0005);
    let (mut circles, mut none) = (0, 0);
    for round in 0..40 {
        let name = |at: usize| format!("c{round}x{at}.service");
        let mut units: Units = (0..6)
            .map(|at| {
                let mut text = "[Unit]\n".to_owned();
                for _ in 0..chance.below(3) {
                    let other = name(chance.below(6));
                    let key = chance.of(&["After", "Before", "Requires"]);
                    if other != name(at) {
                        let _ = writeln!(text, "{key}={other}");
                    }
                }
                if chance.below(8) == 0 {
                    let _ = writeln!(
                        text,
                        "{}",
                        chance.of(&[
                            "After=multi-user.target",
                            "Before=basic.target",
                            "After=docker.service",
                            "Before=docker.socket"
                        ])
                    );
                }
                let _ = writeln!(text, "[Service]\nExecStart=/bin/true");
                (name(at), text)
            })
            .collect();
        let all: Vec<String> = (0..6).map(name).collect();
        let target = format!("c{round}.target");
        units.push((
            target.clone(),
            format!(
                "[Unit]\nWants=docker.service multi-user.target {}\n",
                all.join(" ")
            ),
        ));
        let said = verified(&host, &units, &target);
        let systemd = said.contains("Found ordering cycle");
        let ours = checked(&units)
            .iter()
            .any(|finding| finding.rule.name == "systemd-order-cycle" && finding.is_error());
        assert_eq!(ours, systemd, "{units:#?}\n{said}");
        if systemd { circles += 1 } else { none += 1 }
    }
    assert!(circles > 5 && none > 5, "{circles} with, {none} without");
}

#[test]
fn the_units_of_a_server_are_known() {
    let host = Host::boot();
    let names = host.sh("ls /lib/systemd/system /etc/systemd/system | grep -E '^[^/]*\\.(service|socket|timer|target|path)$' | sort -u");
    // The registry is there for tests alone.
    let names = names
        .lines()
        .map(str::trim)
        .filter(|name| *name != "docker-registry.service");
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 100);
    let text = format!(
        "[Unit]\nAfter={}\n[Service]\nExecStart=/bin/true\n",
        names.join(" ")
    );
    let findings = checked(&vec![("a.service".to_owned(), text)]);
    let unknown: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.rule.name == "systemd-unknown-unit")
        .map(|finding| finding.message())
        .collect();
    assert_eq!(unknown, [""; 0]);
}
