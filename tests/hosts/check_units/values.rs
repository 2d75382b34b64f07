//! Values: `check` finds each that systemd does not read, and no other.

use std::collections::HashSet;

use watchme_apply::source::unit::table;
use watchme_apply::source::unit::values::kind_of;

use super::{Chance, Debian, Host, KEYS, Units, checked_for, name_of, stated, verified};

/// Sections of units with the type of such a unit. The settings that sections share are compared in a service.
const SECTIONS: [(&str, &str); 8] = [
    ("Unit", "target"),
    ("Service", "service"),
    ("Timer", "timer"),
    ("Socket", "socket"),
    ("Path", "path"),
    ("Mount", "mount"),
    ("Automount", "automount"),
    ("Swap", "swap"),
];
/// Keys that take more words in later versions of systemd.
const LATER: [&str; 4] = [
    "PrivateTmp",
    "PrivateUsers",
    "ProtectControlGroups",
    "ProtectHostname",
];
/// Keys whose unknown words systemd ignores without saying so.
const SILENT: [&str; 4] = [
    "CapabilityBoundingSet",
    "AmbientCapabilities",
    "SecureBits",
    "DisableControllers",
];
/// Keys of which systemd says each time that they are old, or for whose wrong value it refuses the unit and reads no further.
const OLD: [&str; 4] = [
    "MemoryLimit",
    "CPUShares",
    "StartupCPUShares",
    "OnFailureIsolate",
];
const FATAL: [&str; 12] = [
    "DynamicUser",
    "User",
    "Group",
    "SupplementaryGroups",
    "SocketUser",
    "SocketGroup",
    "RootDirectory",
    "RootImage",
    "RootVerity",
    "PIDFile",
    "WorkingDirectory",
    // It counts once.
    "Slice",
];
/// Whether a later version takes a value that systemd 252 does not: further names of interfaces, port 0.
fn is_later(key: &str, value: &str) -> bool {
    let is_long = |word: &str| word.trim_start_matches('~').len() > 15;
    match key {
        "RestrictNetworkInterfaces" => value.split(' ').any(is_long),
        "SocketBindAllow" | "SocketBindDeny" => ["0", "tcp:0", "0x", "00"].contains(&value),
        _ => false,
    }
}

/// What cannot be compared line by line: whether a processor is known depends on the machine, and a slice with an odd dash is refused
/// when it is loaded, not when its name is read.
fn is_apart(key: &str, value: &str) -> bool {
    match key {
        "Personality" => value == "arm64",
        "Slice" => ["a--b.slice", "-a.slice", "a-.slice"].contains(&value),
        _ => false,
    }
}

/// Each of them is tried with each key, a line each.
const VALUES: &str = include_str!("values.txt");
const LISTS: &str = include_str!("lists.txt");

/// The keys of a section that `check` knows the values of, as far as they can be compared.
fn keys_of(section: &str) -> Vec<&'static str> {
    let of = |section: &str| -> Vec<(&'static str, &'static str)> {
        let start = format!("[{section}]\n");
        let of_section = KEYS.split(&start).nth(1).expect("a section");
        let of_section = of_section.split("\n[").next().unwrap_or_default();
        let keys = of_section.lines();
        keys.filter_map(|line| line.split_once('=')).collect()
    };
    let shared = match section {
        "Service" => Vec::new(),
        _ => of("Service"),
    };
    let left_out = [&LATER[..], &SILENT, &OLD].concat();
    let is_compared = |pair: &(&str, &str)| {
        kind_of(section, pair.0).is_some() && !left_out.contains(&pair.0) && !shared.contains(pair)
    };
    let keys = of(section).into_iter().filter(is_compared);
    keys.map(|(key, _)| key).collect()
}

/// What systemd 257 says otherwise than 252, whose tables these are: it refuses paths of other file systems than those of disks, and has
/// flags behind directories; of the device of a swap it says nothing in a container.
fn differs(section: &str, key: &str, value: &str) -> bool {
    match key {
        "PIDFile" | "ListenFIFO" | "ListenMessageQueue" | "ListenUSBFunction" => {
            value.starts_with("/dev")
        }
        "ConfigurationDirectory" => value.starts_with(':'),
        "RuntimeDirectory" | "StateDirectory" | "CacheDirectory" | "LogsDirectory" => {
            value.contains(':')
        }
        "What" => section == "Swap",
        _ => false,
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn values_are_read_as_systemd_does() {
    let host = Host::boot();
    let values: Vec<&str> = VALUES.lines().chain(LISTS.lines()).collect();
    let mut units = Units::new();
    let mut count = 0;
    for (section, kind) in SECTIONS {
        for key in keys_of(section) {
            count += 1;
            // Those that take specifiers take `%` for the beginning of one.
            let taken = kind_of(section, key).expect("a kind").takes_specifiers(key);
            let is_other =
                |value: &str| host.debian() == Debian::Thirteen && differs(section, key, value);
            let fits = |value: &&&str| {
                !(taken && value.contains('%')
                    || is_later(key, value)
                    || is_apart(key, value)
                    || is_other(value))
            };
            // A unit for each value takes its time.
            let is_fatal = FATAL.contains(&key);
            let skipped = if is_fatal { VALUES.lines().count() } else { 0 };
            let lines = values.iter().skip(skipped).filter(fits);
            let lines = lines.map(|value| format!("{key}={value}\n"));
            let start = format!("[{section}]\n");
            match is_fatal {
                true => units.extend(lines.enumerate().map(|(at, line)| {
                    (format!("v{section}{key}{at}.{kind}"), start.clone() + &line)
                })),
                false => {
                    let text = lines.fold(start, |text, line| text + &line);
                    units.push((format!("v{section}{key}.{kind}"), text));
                }
            }
        }
    }
    let (compared, wrong) = compare(&host, &units);
    println!("compared {compared} values of {count} keys, of which systemd refuses {wrong}");
    assert!(
        count > 270 && wrong > 100_000,
        "{count} keys, {wrong} of {compared}"
    );
}

/// What systemd knows and says nothing about: capabilities, and the names of system calls.
#[test]
fn names_are_those_of_systemd() {
    let host = Host::boot();
    let capabilities = host.sh("systemd-analyze capability | tail -n +2 | cut -d' ' -f1");
    let mut listed: Vec<String> = table::names("capabilities")
        .map(str::to_lowercase)
        .collect();
    listed.sort();
    let mut known: Vec<&str> = capabilities.lines().map(str::trim).collect();
    known.sort_unstable();
    assert_eq!(listed, known);
    let said = host.sh("systemd-analyze syscall-filter");
    // One group has the calls of all processors, also those that libseccomp does not know.
    let said = said.replace('\r', "");
    let groups = said
        .split("\n\n")
        .filter(|group| !group.starts_with("@known"));
    let words = groups.flat_map(str::lines).map(str::trim);
    let is_name = |word: &&str| {
        let letters = word.strip_prefix('@').unwrap_or(word);
        !letters.is_empty()
            && letters
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    let known: Vec<&str> = words.filter(is_name).collect();
    let known_here = |name: &&&str| {
        let list = if name.starts_with('@') {
            "call groups"
        } else {
            "calls"
        };
        table::has(list, name)
    };
    let unknown: Vec<&&str> = known.iter().filter(|name| !known_here(name)).collect();
    assert!(
        known.len() > 400 && unknown.is_empty(),
        "{unknown:?} of {}",
        known.len()
    );
    // Of those listed here it knows all but what came later.
    let text = table::names("calls").fold("[Service]\n".to_owned(), |text, name| {
        text + &format!("SystemCallFilter={name}\n")
    });
    let refused = verified(&host, &vec![("vcalls.service".to_owned(), text)], "v*");
    let refused = refused
        .lines()
        .filter(|line| line.contains("Failed to parse system call"));
    let refused = refused.count();
    assert!(refused < 40, "{refused} calls are unknown");
}

/// Calendar events of parts that fit and parts that do not.
#[test]
fn calendar_events_are_read_as_systemd_does() {
    let host = Host::boot();
    let days = [
        "",
        "",
        "",
        "Mon ",
        "Mon,Wed ",
        "Mon..Fri ",
        "Fri..Mon ",
        "sunday ",
        "Sun,Mon..Tue ",
        "Mon,, ",
        "Tues ",
        "Mon.. ",
        "Mon-Wed, ",
        "MonTue ",
        "Mon..Wed..Fri ",
    ];
    let parts = [
        "*",
        "*",
        "1",
        "01",
        "5",
        "12",
        "13",
        "28",
        "29",
        "31",
        "32",
        "0",
        "00",
        "59",
        "60",
        "1,2",
        "1..5",
        "5..1",
        "1..5/2",
        "*/2",
        "0/15",
        "2/0",
        "1,",
        "1970",
        "2199",
        "2200",
        "70",
        "1/100",
        "7..7",
        "1..",
        "5x",
        "1.5",
        "-1",
        "2000..2010/3",
    ];
    let marks = ["-", "-", "-", "-", "~", "/", ":"];
    let times = [
        "",
        "",
        " 03:00",
        " 3:0:0",
        " 24:00",
        " 0/2:30",
        " *:*:*",
        " 1:2:3.25",
        " 1:2:3.25/0.5",
        " 1:2:0..30",
        " 1:2:0..0.5",
        " 1:60",
        " 03:00 UTC",
        " 03:00 Asia/Tokyo",
        " 3",
        " 03:00:00:00",
        "03:00",
        " 8..17:00/15",
        " 1:2:60",
        " 1:2:59.9999999",
    ];
    let mut chance = Chance(0x5eed_0007);
    let units: Units = (0..40)
        .map(|at| {
            let lines = (0..100).map(|_| {
                let (day, time) = (chance.of(&days), chance.of(&times));
                let count = chance.below(4);
                let mut date = String::new();
                for number in 0..count {
                    if number > 0 {
                        date.push_str(chance.of(&marks));
                    }
                    date.push_str(chance.of(&parts));
                }
                format!("OnCalendar={day}{date}{time}\n")
            });
            let text = lines.fold("[Timer]\n".to_owned(), |text, line| text + &line);
            (format!("c{at}.timer"), text)
        })
        .collect();
    let (compared, wrong) = compare(&host, &units);
    println!("compared {compared} events, of which systemd refuses {wrong}");
    assert!(
        wrong > 400 && compared - wrong > 400,
        "{wrong} of {compared}"
    );
}

/// How many values were compared, and how many of them systemd does not read.
fn compare(host: &Host, units: &Units) -> (usize, usize) {
    let of_line = |line: &str| {
        let (place, text) = line.split_once(": ")?;
        // What works and is not recommended.
        let harmless = [
            "obsolete",
            "KillMode=none",
            "legacy directory",
            "Special user",
            "Accepting user",
        ];
        if harmless.iter().any(|words| text.contains(words)) {
            return None;
        }
        let (path, number) = place.rsplit_once(':')?;
        Some((name_of(path), number.parse::<usize>().ok()?))
    };
    let said = verified(host, units, "[vc]*");
    let theirs: HashSet<(String, usize)> = said.lines().filter_map(of_line).collect();
    let found = checked_for(&stated(host), units);
    let found = found
        .iter()
        .filter(|finding| finding.rule.name == "systemd-invalid-value");
    let ours: HashSet<(String, usize)> = found
        .filter_map(|finding| finding.place())
        .map(|place| {
            (
                name_of(&place.path().to_string_lossy()),
                place.position().line,
            )
        })
        .collect();
    let (mut compared, mut wrong, mut differences) = (0, 0, Vec::new());
    for (name, text) in units {
        for (at, line) in text.lines().enumerate().skip(1) {
            let place = (name.clone(), at + 1);
            let (theirs, ours) = (theirs.contains(&place), ours.contains(&place));
            compared += 1;
            wrong += usize::from(theirs);
            if theirs != ours {
                differences.push(format!(
                    "{line}: systemd refuses it: {theirs}, check: {ours}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    (compared, wrong)
}
