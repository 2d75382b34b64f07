//! Values of settings that systemd does not take.

use std::ops::Range;

use source_text::word_list;

use crate::check::rules::systemd::prelude::*;
use crate::source::error::nearest;
use crate::source::unit::values::{ValueType, kind_of};
use crate::source::unit::words;

pub(crate) static RULE: Rule = rule!(systemd_invalid_value, Warning, run);

/// Settings whose wrong values make systemd refuse the whole unit: those of which `src/core/load-fragment.c` of systemd
/// returns an error.
const FATAL: [&str; 10] = word_list(
    "DynamicUser User Group SupplementaryGroups SocketUser SocketGroup RootDirectory RootImage \
    RootVerity PIDFile",
);

fn run(context: &Context, findings: &mut Findings) {
    for (source, _) in context.units().files() {
        let mut count = 0;
        for section in &source.parsed.sections {
            for entry in &section.entries {
                // To look for what was meant takes its time: the first of a file show how it is done.
                let found = value_of(source, &section.name, entry, count < MOST);
                count += usize::from(found.is_some());
                findings.extend(found);
            }
        }
    }
}

/// Whether systemd does not load a unit with a wrong value of this setting.
fn is_fatal(key: &str, text: &str) -> bool {
    // A folder that may be missing may also be wrong.
    FATAL.contains(&key) || key == "WorkingDirectory" && !text.starts_with('-')
}

fn value_of(source: &Source, section: &str, entry: &Entry, with_help: bool) -> Option<Finding> {
    let (key, text) = (entry.key.as_str(), entry.value.as_str());
    let kind = kind_of(section, key)?;
    // An empty one resets; what a comment did to it is reported elsewhere, and specifiers may become anything.
    let is_open = kind.takes_specifiers(key) && !kind.goes_by_word() && text.contains('%');
    if text.is_empty() || is_commented(text) || is_open {
        return None;
    }
    let part = kind.wrong(text)?;
    let wrong = text.get(part.clone()).unwrap_or(text);
    let is_fatal = is_fatal(key, text);
    let outcome = match (is_fatal, kind.goes_by_word() && wrong != text) {
        (true, _) => "does not start the unit",
        (false, true) => "ignores it",
        (false, false) => "ignores the line",
    };
    let message = format!("{wrong:?} is not a valid value of {key}: systemd {outcome}");
    let place = source.complain(place_of(source, entry, part), message, kind.expected());
    let found = RULE.at(Diagnostic {
        help: with_help.then(|| help(kind, key, wrong)).flatten(),
        ..place
    });
    Some(match section {
        // Without its time or address such a unit is refused, or never starts anything.
        "Timer" if key.starts_with("On") => found.weighing(Severity::Error),
        "Socket" if key.starts_with("Listen") => found.weighing(Severity::Error),
        _ if is_fatal => found.weighing(Severity::Error),
        _ => found,
    })
}

/// Whether a word of a value is meant to begin a comment.
fn is_commented(text: &str) -> bool {
    words(text).any(|word| word.starts_with('#'))
}

/// Where a part of a value is in the file; all of the value where lines were joined.
fn place_of(source: &Source, entry: &Entry, part: Range<usize>) -> Range<usize> {
    let span = entry.value_span.clone();
    match source.file.get(span.clone()) == entry.value {
        true => span.start + part.start..span.start + part.end,
        false => span,
    }
}

/// What to write instead.
fn help(kind: ValueType, key: &str, wrong: &str) -> Option<String> {
    match (kind, key) {
        (ValueType::TruthOr([]), _) => return Some("write yes or no".to_owned()),
        (ValueType::Calendar, _) => {
            let text = "try it with systemd-analyze calendar: *-*-* 03:00 is every night, *:0/5 every five minutes";
            return Some(text.to_owned());
        }
        (_, "Environment") => {
            return Some("put a value with spaces in quotes: \"NAME=one two\"".to_owned());
        }
        _ => {}
    }
    if let Some(near) = nearest(wrong, kind.words()) {
        return Some(format!("did you mean {near}?"));
    }
    if !kind.expected().starts_with("expected a path") {
        return None;
    }
    Some(match wrong.starts_with('"') {
        true => "write it without quotes: spaces are part of the path".to_owned(),
        false => "write the absolute path, starting with / and without ..".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::{found, service};

    /// Values that loosen a protection, or drop a setting, without a word.
    #[test]
    fn lists_of_names_paths_and_addresses() {
        for (line, expected) in [
            ("ReadOnlyPaths=/etc srv/a", "srv/a"),
            ("InaccessiblePaths=-/srv/../etc", "-/srv/../etc"),
            ("BindPaths=/srv/a:srv/b", "/srv/a:srv/b"),
            ("IPAddressDeny=any 10.0.0.0/99", "10.0.0.0/99"),
            ("IPAddressAllow=lan", "lan"),
            ("SystemCallFilter=@system-servic", "@system-servic"),
            ("SystemCallFilter=~@mount ptrase", "ptrase"),
            ("SystemCallArchitectures=amd64", "amd64"),
            ("RestrictAddressFamilies=AF_INET AF_FOO", "AF_FOO"),
            ("RestrictNamespaces=~net mounts", "mounts"),
            ("CapabilityBoundingSet=CAP_NET_BIND", "CAP_NET_BIND"),
            ("AmbientCapabilities=~CAP_FOO", "CAP_FOO"),
            ("DeviceAllow=/dev/null rx", "/dev/null rx"),
            ("Environment=A B", "A"),
            ("Environment=JAVA_OPTS=-Xmx1g -Xms1g", "-Xms1g"),
            ("SuccessExitStatus=143 SIGTREM", "SIGTREM"),
            ("RestartPreventExitStatus=256", "256"),
            ("StateDirectory=../api", "../api"),
            ("StateDirectory=/var/lib/api", "/var/lib/api"),
            ("Slice=background", "background"),
            ("Slice=a--b.slice", "a--b.slice"),
            ("Slice=-a.slice", "-a.slice"),
            ("Slice=a-.slice", "a-.slice"),
            ("User=a:b", "a:b"),
            ("RootDirectory=srv", "srv"),
            ("SocketBindAllow=tcp:70000", "tcp:70000"),
            ("CPUAffinity=0-x", "0-x"),
            ("StandardOutput=append:log/a", "append:log/a"),
        ] {
            let text = service(&format!("ExecStart=/bin/a\n{line}"));
            let found = found(&[("systemd/a.service", &text)]);
            assert_eq!(found, [format!("invalid-value {expected}")], "{line}");
        }
        for line in [
            "ReadWritePaths=-/srv/a +/srv/b -+/srv/c %S/a",
            "BindReadOnlyPaths=/srv/a:/srv/b:norbind -/srv/c",
            "IPAddressAllow=localhost 203.0.113.0/24 2001:db8::/32",
            "SystemCallFilter=@system-service ~@privileged",
            "SystemCallFilter=~@clock:EPERM reboot:kill",
            "SystemCallArchitectures=native",
            "RestrictAddressFamilies=~AF_PACKET AF_NETLINK",
            "RestrictNamespaces=yes",
            "CapabilityBoundingSet=~cap_sys_admin CAP_NET_RAW",
            "DeviceAllow=char-usb_device rwm",
            "Environment=\"A=b c\" D=$E 'F=%n' G=#1",
            "SuccessExitStatus=143 TEMPFAIL SIGKILL RTMIN+1",
            "StateDirectory=api api/cache:link %p",
            "Slice=web-api.slice",
            "Slice=-.slice",
            "User=%i",
            "SystemCallErrorNumber=eperm",
        ] {
            let text = service(&format!("ExecStart=/bin/a\n{line}"));
            let found = found(&[("systemd/a.service", &text)]);
            let expected = match line.contains("~@privileged") {
                // The mark counts at the beginning alone.
                true => vec!["invalid-value ~@privileged"],
                false => vec![],
            };
            assert_eq!(found, expected, "{line}");
        }
    }
}
