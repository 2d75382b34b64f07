//! Values: `check` finds each that systemd does not read, and no other.

use super::{Chance, Host, KEYS, Units, checked, name_of, verified};

/// Sections of units that a server has, each with the type of such a unit.
const SECTIONS: [(&str, &str); 5] = [
    ("Unit", "target"),
    ("Service", "service"),
    ("Timer", "timer"),
    ("Socket", "socket"),
    ("Path", "path"),
];
/// Types of values that are judged, in systemd's words.
const TYPES: [&str; 20] = [
    "BOOLEAN",
    "SECONDS",
    "TIMER",
    "UNSIGNED",
    "INTEGER",
    "NICE",
    "OOMSCOREADJUST",
    "MODE",
    "SIGNAL",
    "SIZE",
    "LEVEL",
    "ACTION",
    "ACCESS",
    "POLICY",
    "KILLMODE",
    "TIMEOUTMODE",
    "SERVICETYPE",
    "SERVICERESTART",
    "SERVICEEXITTYPE",
    "OUTPUT",
];
/// Keys of other types that are judged.
const OTHERS: [&str; 42] = [
    "ListenStream",
    "ListenDatagram",
    "TimeoutStopSec",
    "TimeoutAbortSec",
    "JobTimeoutSec",
    "JobRunningTimeoutSec",
    "TimeoutSec",
    "CPUQuotaPeriodSec",
    "CollectMode",
    "OOMPolicy",
    "ProtectSystem",
    "ProtectHome",
    "RuntimeDirectoryPreserve",
    "KeyringMode",
    "ProtectProc",
    "ProcSubset",
    "CPUQuota",
    "TasksMax",
    "OnCalendar",
    "MemoryMin",
    "MemoryLow",
    "MemorySwapMax",
    "MemoryHigh",
    "MemoryMax",
    "LimitCPU",
    "LimitRTTIME",
    "LimitNOFILE",
    "LimitNPROC",
    "LimitLOCKS",
    "LimitSIGPENDING",
    "LimitRTPRIO",
    "LimitFSIZE",
    "LimitDATA",
    "LimitSTACK",
    "LimitCORE",
    "LimitRSS",
    "LimitAS",
    "LimitMEMLOCK",
    "LimitMSGQUEUE",
    "StandardInput",
    "DefaultMemoryMin",
    "DefaultMemoryLow",
];
/// Keys that take more words in later versions of systemd.
const LATER: [&str; 4] = [
    "PrivateTmp",
    "PrivateUsers",
    "ProtectControlGroups",
    "ProtectHostname",
];
/// Each of them is tried with each key, a line each.
const VALUES: &str = include_str!("values.txt");

#[test]
fn values_are_read_as_systemd_does() {
    let host = Host::boot();
    let mut units = Units::new();
    for (section, kind) in SECTIONS {
        let start = format!("[{section}]\n");
        let of_section = KEYS.split(&start).nth(1).expect("a section");
        let of_section = of_section.split("\n[").next().unwrap_or_default();
        for (key, of) in of_section.lines().filter_map(|line| line.split_once('=')) {
            // For a wrong value of DynamicUser systemd refuses the unit, and tells of the first only.
            let other = key.ends_with("JobMode") || key == "DynamicUser" || LATER.contains(&key);
            if other || !(TYPES.contains(&of) || OTHERS.contains(&key)) {
                continue;
            }
            // Those that take specifiers take `%` for the beginning of one.
            let fits = |value: &&str| {
                !(key.starts_with("On")
                    || key.starts_with("Listen")
                    || of == "OUTPUT"
                    || of == "INPUT")
                    || !value.contains('%')
            };
            let lines = VALUES.lines().filter(fits);
            let lines = lines.map(|value| format!("{key}={value}\n"));
            let text = lines.fold(start.clone(), |text, line| text + &line);
            units.push((format!("v{section}{key}.{kind}"), text));
        }
    }
    let (compared, wrong) = compare(&host, &units);
    println!("compared {compared} values, of which systemd refuses {wrong}");
    assert!(wrong > 10_000, "{wrong} of {compared}");
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
    let said = verified(host, units, "[vc]*");
    let (mut compared, mut wrong, mut differences) = (0, 0, Vec::new());
    let ours = checked(units);
    for (name, text) in units {
        let of_file = |line: &str| {
            let (place, text) = line.split_once(": ")?;
            // What works and is not recommended.
            if text.contains("obsolete") || text.contains("KillMode=none") {
                return None;
            }
            let (path, number) = place.rsplit_once(':')?;
            (name_of(path) == *name).then(|| number.parse::<usize>().ok())?
        };
        let systemd: Vec<usize> = said.lines().filter_map(of_file).collect();
        let found = ours
            .iter()
            .filter(|finding| finding.rule.name == "systemd-invalid-value");
        let places = found.filter_map(|finding| finding.place());
        let of_unit = places.filter(|place| name_of(&place.path().to_string_lossy()) == *name);
        let found: Vec<usize> = of_unit.map(|place| place.position().line).collect();
        for (at, line) in text.lines().enumerate().skip(1) {
            let (theirs, ours) = (systemd.contains(&(at + 1)), found.contains(&(at + 1)));
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
