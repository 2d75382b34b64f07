//! Names of units that nobody has.

use std::collections::BTreeSet;

use crate::check::rules::systemd::prelude::*;
use crate::source::error::Speller;
use crate::source::unit::Name;
use crate::source::unit::name::TYPES;

pub(crate) static RULE: Rule = rule!(systemd_unknown_unit, Warning, run);

/// Settings that name units. Not `Conflicts`: a unit that is not there is what that is for.
const LISTS: [(&str, &str); 5] = [
    (
        "Unit",
        "Requires Requisite BindsTo Wants Upholds PartOf After Before OnFailure OnSuccess \
        PropagatesReloadTo PropagatesStopTo",
    ),
    ("Timer", "Unit"),
    ("Path", "Unit"),
    ("Socket", "Service"),
    ("Install", "WantedBy RequiredBy"),
];

fn run(context: &Context, findings: &mut Findings) {
    // One that could not be read may be there.
    if !context.subject.is_whole() {
        return;
    }
    let units = context.units();
    let desired: BTreeSet<&str> = units.all.iter().map(|unit| unit.name.as_str()).collect();
    let speller = Speller::default();
    for unit in &units.all {
        let mut seen = BTreeSet::new();
        let lists = LISTS.iter().flat_map(|(section, keys)| {
            let keys = keys.split(' ');
            keys.map(move |key| (*section, key))
        });
        for (section, key) in lists {
            for (name, mention) in unit.listed(section, key) {
                // Order and requirement name the same unit: one of them is enough.
                if seen.contains(&name) {
                    continue;
                }
                findings.extend(named(&name, &mention, (units, &desired, &speller)));
                seen.insert(name);
            }
        }
        findings.extend(triggered(unit, units));
    }
}

fn named(
    name: &str,
    mention: &Mention,
    (units, desired, speller): (&Units, &BTreeSet<&str>, &Speller),
) -> Option<Finding> {
    let place = |message: String, expected: &str| {
        mention
            .value
            .complain_about(mention.part.clone(), message, expected)
    };
    let parsed = match Name::parse(name) {
        Ok(parsed) => parsed,
        Err(_) => {
            let message = format!("{name:?} is not a unit name: systemd ignores it");
            let is_bare = !TYPES.iter().any(|kind| name.ends_with(&format!(".{kind}")))
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_@.".contains(c));
            let help = match is_bare {
                true => format!("write {name}.service"),
                false => "write names of units, separated by spaces".to_owned(),
            };
            let place = place(message, "expected a unit name");
            return Some(RULE.at(place.helped(help)));
        }
    };
    if units.get(name).is_some() || table::is_known_unit(&parsed) {
        return None;
    }
    let same_kind = |other: &&str| other.rsplit('.').next() == Some(parsed.suffix());
    let near = close(speller, name, desired.iter().copied().filter(same_kind));
    let near = near.or_else(|| close(speller, name, table::known_units().filter(same_kind)));
    let message = format!("{name} is neither a desired unit nor one that servers usually have");
    let help = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("put {name} beside this unit, or allow this if the server has it"),
    };
    // What the server has cannot be known here: a name one letter away may be that of another unit.
    Some(RULE.at(Diagnostic {
        help: Some(help),
        ..place(message, "")
    }))
}

/// A name that differs in a letter or two. Names of one family have much in common, and are no slips.
fn close<'a>(
    speller: &Speller,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = speller.nearest(
        name,
        known.filter(|other| other.len().abs_diff(name.len()) <= 2),
    )?;
    (strsim::damerau_levenshtein(name, near) <= 2 && !ends_in_digits(name, near)).then_some(near)
}

/// Whether two names differ only in a number.
fn ends_in_digits(one: &str, other: &str) -> bool {
    let without = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    without(one) == without(other)
}

/// What a timer, path or socket starts without naming it.
fn triggered(unit: &Unit, units: &Units) -> Option<Finding> {
    let (section, key) = unit.trigger()?;
    if !unit.is_ours() || unit.settings.last(section, key).is_some() {
        return None;
    }
    let template = if unit.settings.yes("Socket", "Accept") {
        "@"
    } else {
        ""
    };
    let name = format!("{}{template}.service", unit.name.stem());
    let known = Name::parse(&name).is_ok_and(|name| table::is_known_unit(&name));
    if known || units.get(&name).is_some() {
        return None;
    }
    let source = unit.settings.sources().first()?;
    let mut sections = source.parsed.sections.iter();
    let header = sections.find(|found| found.name == section)?;
    let message = format!("{} starts {name}, which is not desired", unit.name);
    let expected = format!("expected {key}= below");
    let place = source.complain(header.span.clone(), message, expected);
    let help = format!("put {name} beside it, or write {key}= for another one");
    Some(RULE.at(place.helped(help)))
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::{found, service};

    #[test]
    fn names_of_units() {
        let of = |unit: &str| {
            let text = format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
            found(&[
                ("systemd/a.service", &text),
                ("systemd/w@.service", "[Service]\nExecStart=/bin/w %i\n"),
            ])
        };
        for (unit, expected) in [
            (
                "After=watchme-infra.service",
                vec!["unknown-unit watchme-infra.service"],
            ),
            (
                "Requires=postgres.service\nAfter=postgres.service",
                vec!["unknown-unit postgres.service"],
            ),
            ("After=docker", vec!["unknown-unit docker"]),
            (
                "After=netwrok-online.target",
                vec!["unknown-unit netwrok-online.target"],
            ),
            (
                "After=network.target network-online.target docker.service nginx.service postgresql@15-main.service",
                vec![],
            ),
            (
                "After=w@1.service w@%p.service\nOnFailure=w@%n.service",
                vec![],
            ),
            (
                "After=srv.mount dev-sda1.device a.slice\nRequiresMountsFor=/srv",
                vec![],
            ),
            ("Conflicts=other.service", vec![]),
            ("After=%H.service", vec![]),
        ] {
            assert_eq!(of(unit), expected, "{unit}");
        }
        let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
        assert_eq!(
            found(&[("systemd/b.timer", timer)]),
            ["unknown-unit [Timer]"]
        );
        assert_eq!(found(&[("systemd/certbot.timer", timer)]), [""; 0]);
        // What cannot be read may define it.
        let broken = ("watchme.toml", "nonsense");
        let text = "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/a\n";
        assert_eq!(found(&[broken, ("systemd/a.service", text)]), [""; 0]);
    }

    /// U+3000 of the Japanese input method is no blank to systemd: the two are one name, and nothing is ordered.
    #[test]
    fn a_blank_of_another_alphabet_joins_two_names() {
        let unit = format!(
            "[Unit]\nAfter=docker.service\u{3000}b.service\n{}",
            service("ExecStart=/bin/a")
        );
        let other = service("ExecStart=/bin/b");
        let found = found(&[("systemd/a.service", &unit), ("systemd/b.service", &other)]);
        assert_eq!(found, ["unknown-unit docker.service\u{3000}b.service"]);
    }
}
