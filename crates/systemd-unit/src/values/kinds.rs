//! What kinds of values settings take, and which texts systemd reads as such.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::calendar;
use super::numbers::{integer, octal, percent, size, span, unsigned};
use crate::listen;
use crate::table;

/// What systemd takes for yes and no, systemd.syntax(7), in lower case.
const TRUTH: &[&str] = &[
    "yes", "no", "true", "false", "on", "off", "1", "0", "y", "n", "t", "f",
];
/// systemd.service(5)
const SERVICE_TYPES: &[&str] = &[
    "simple",
    "exec",
    "forking",
    "oneshot",
    "dbus",
    "notify",
    "notify-reload",
    "idle",
];
const RESTARTS: &[&str] = &[
    "no",
    "on-success",
    "on-failure",
    "on-abnormal",
    "on-watchdog",
    "on-abort",
    "always",
];
const ACCESSES: &[&str] = &["none", "main", "exec", "all"];
const TIMEOUT_MODES: &[&str] = &["terminate", "abort", "kill"];
const EXIT_TYPES: &[&str] = &["main", "cgroup"];
const OOM_POLICIES: &[&str] = &["continue", "stop", "kill"];
/// systemd.kill(5)
const KILL_MODES: &[&str] = &["control-group", "mixed", "process", "none"];
/// systemd.unit(5)
const ACTIONS: &[&str] = &[
    "none",
    "exit",
    "exit-force",
    "reboot",
    "reboot-force",
    "reboot-immediate",
    "poweroff",
    "poweroff-force",
    "poweroff-immediate",
    // systemd 254
    "soft-reboot",
    "soft-reboot-force",
    "kexec",
    "kexec-force",
    "halt",
    "halt-force",
    "halt-immediate",
];
const COLLECT_MODES: &[&str] = &["inactive", "inactive-or-failed"];
/// systemd.resource-control(5)
const DEVICE_POLICIES: &[&str] = &["auto", "closed", "strict"];
/// systemd.exec(5)
const LEVELS: &[&str] = &[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];
const PROTECT_SYSTEM: &[&str] = &["full", "strict"];
const PROTECT_HOME: &[&str] = &["read-only", "tmpfs"];
/// From systemd 257 on.
const PRIVATE_TMP: &[&str] = &["disconnected"];
const PRIVATE_USERS: &[&str] = &["self", "identity", "full"];
const PROTECT_GROUPS: &[&str] = &["private", "strict"];
const PROTECT_HOSTNAME: &[&str] = &["private"];
const PRESERVE: &[&str] = &["restart"];
const KEYRINGS: &[&str] = &["inherit", "private", "shared"];
const PROC_ACCESS: &[&str] = &["noaccess", "invisible", "ptraceable", "default"];
const PROC_SUBSETS: &[&str] = &["all", "pid"];
const INPUTS: &[&str] = &[
    "null",
    "tty",
    "tty-force",
    "tty-fail",
    "data",
    "socket",
    "fd",
];
const OUTPUTS: &[&str] = &[
    "inherit",
    "null",
    "tty",
    "journal",
    "journal+console",
    "kmsg",
    "kmsg+console",
    "syslog",
    "syslog+console",
    "socket",
    "fd",
];
/// What may stand before a path or a name.
const INPUT_STARTS: &[&str] = &["file:/", "fd:"];
const OUTPUT_STARTS: &[&str] = &["file:/", "append:/", "truncate:/", "fd:"];
/// Names of signals, signal(7).
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    Words(&'static [&'static str]),
    /// Yes, no, or one of these words.
    TruthOr(&'static [&'static str]),
    /// One of the words, or a text that begins with one of the others.
    Stream(&'static [&'static str], &'static [&'static str]),
    /// How bad a message is, as a word or a number to 7.
    Level,
    /// A span of time, systemd.time(7).
    Span,
    /// A calendar event, systemd.time(7).
    Calendar,
    /// Where a socket unit listens, systemd.socket(5).
    Socket,
    /// A number from 0.
    Unsigned,
    /// A number between two others.
    Integer(i32, i32),
    /// Permission bits.
    Octal,
    /// A signal.
    Signal,
    /// Bytes.
    Size,
    /// Bytes, a share of the memory, or `infinity`; whether 0 counts, too.
    Memory(bool),
    /// A share of one processor, over 100% too.
    Quota,
    /// A number of tasks, a share of them, or `infinity`.
    Tasks,
    /// One limit, or a soft and a hard one, of a resource of this kind.
    Limit(Resource),
}

/// What a resource limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A plain number.
    Number,
    /// Bytes.
    Bytes,
    /// Time.
    Time,
}

/// By section and key.
static KINDS: LazyLock<HashMap<&str, HashMap<&str, Kind>>> = LazyLock::new(|| {
    let of_section = |(section, keys): (&'static str, &BTreeMap<&'static str, &'static str>)| {
        let kinds = keys
            .iter()
            .filter_map(|(key, name)| Some((*key, read(section, key, name)?)));
        (section, kinds.collect())
    };
    table::keys().map(of_section).collect()
});

/// What a key takes; `None` where that is not checked.
pub fn kind_of(section: &str, key: &str) -> Option<Kind> {
    KINDS.get(section)?.get(key).copied()
}

fn read(section: &str, key: &str, name: &str) -> Option<Kind> {
    let of_key = match key {
        "TimeoutStopSec"
        | "TimeoutAbortSec"
        | "JobTimeoutSec"
        | "JobRunningTimeoutSec"
        | "CPUQuotaPeriodSec" => Kind::Span,
        "TimeoutSec" if section == "Socket" => Kind::Span,
        "CollectMode" => Kind::Words(COLLECT_MODES),
        "OOMPolicy" => Kind::Words(OOM_POLICIES),
        "ProtectSystem" => Kind::TruthOr(PROTECT_SYSTEM),
        "ProtectHome" => Kind::TruthOr(PROTECT_HOME),
        "PrivateTmp" => Kind::TruthOr(PRIVATE_TMP),
        "PrivateUsers" => Kind::TruthOr(PRIVATE_USERS),
        "ProtectControlGroups" => Kind::TruthOr(PROTECT_GROUPS),
        "ProtectHostname" => Kind::TruthOr(PROTECT_HOSTNAME),
        "RuntimeDirectoryPreserve" => Kind::TruthOr(PRESERVE),
        "KeyringMode" => Kind::Words(KEYRINGS),
        "ProtectProc" => Kind::Words(PROC_ACCESS),
        "ProcSubset" => Kind::Words(PROC_SUBSETS),
        "CPUQuota" => Kind::Quota,
        "TasksMax" => Kind::Tasks,
        "OnCalendar" => Kind::Calendar,
        "ListenStream" | "ListenDatagram" | "ListenSequentialPacket" => Kind::Socket,
        "MemoryMin" | "MemoryLow" | "DefaultMemoryMin" | "DefaultMemoryLow" | "MemorySwapMax" => {
            Kind::Memory(true)
        }
        "MemoryHigh" | "MemoryMax" | "MemoryLimit" => Kind::Memory(false),
        "LimitCPU" | "LimitRTTIME" => Kind::Limit(Resource::Time),
        "LimitNOFILE" | "LimitNPROC" | "LimitLOCKS" | "LimitSIGPENDING" | "LimitRTPRIO" => {
            Kind::Limit(Resource::Number)
        }
        "LimitFSIZE" | "LimitDATA" | "LimitSTACK" | "LimitCORE" | "LimitRSS" | "LimitAS"
        | "LimitMEMLOCK" | "LimitMSGQUEUE" => Kind::Limit(Resource::Bytes),
        "OnSuccessJobMode" | "OnFailureJobMode" => return None,
        _ => return of_type(name),
    };
    Some(of_key)
}

/// By the type that systemd itself gives, `systemd --dump-configuration-items`.
fn of_type(name: &str) -> Option<Kind> {
    Some(match name {
        "BOOLEAN" => Kind::TruthOr(&[]),
        "SECONDS" | "TIMER" => Kind::Span,
        "UNSIGNED" => Kind::Unsigned,
        "INTEGER" => Kind::Integer(i32::MIN, i32::MAX),
        "NICE" => Kind::Integer(-20, 19),
        "OOMSCOREADJUST" => Kind::Integer(-1000, 1000),
        "MODE" => Kind::Octal,
        "SIGNAL" => Kind::Signal,
        "SIZE" => Kind::Size,
        "LEVEL" => Kind::Level,
        "ACTION" => Kind::Words(ACTIONS),
        "ACCESS" => Kind::Words(ACCESSES),
        "POLICY" => Kind::Words(DEVICE_POLICIES),
        "KILLMODE" => Kind::Words(KILL_MODES),
        "TIMEOUTMODE" => Kind::Words(TIMEOUT_MODES),
        "SERVICETYPE" => Kind::Words(SERVICE_TYPES),
        "SERVICERESTART" => Kind::Words(RESTARTS),
        "SERVICEEXITTYPE" => Kind::Words(EXIT_TYPES),
        "INPUT" => Kind::Stream(INPUTS, INPUT_STARTS),
        "OUTPUT" => Kind::Stream(OUTPUTS, OUTPUT_STARTS),
        _ => return None,
    })
}

impl Kind {
    /// Whether systemd reads a text as such a value.
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.contains(&text),
            Self::TruthOr(words) => words.contains(&text) || is_truth(text),
            Self::Stream(words, starts) => {
                words.contains(&text) || starts.iter().any(|start| text.starts_with(start))
            }
            Self::Level => {
                LEVELS.contains(&text) || unsigned(text).is_some_and(|number| number <= 7)
            }
            Self::Span => span(text).is_some(),
            Self::Calendar => calendar::is_valid(text),
            Self::Socket => socket(text),
            Self::Unsigned => unsigned(text).is_some_and(|it| u32::try_from(it).is_ok()),
            Self::Integer(from, to) => integer(text).is_some_and(|it| (from..=to).contains(&it)),
            Self::Octal => octal(text),
            Self::Signal => signal(text),
            Self::Size => size(text).is_some(),
            Self::Memory(zero) => {
                text == "infinity"
                    || percent(text).is_some_and(|share| share <= 100.0 && (zero || share > 0.0))
                    || size(text).is_some_and(|bytes| zero || bytes > 0.0)
            }
            Self::Quota => percent(text).is_some_and(|share| share > 0.0),
            Self::Tasks => {
                text == "infinity"
                    || percent(text).is_some_and(|share| share <= 100.0)
                    || unsigned(text).is_some_and(|number| number > 0)
            }
            Self::Limit(resource) => resource.takes(text),
        }
    }

    /// What would be read.
    pub fn expected(self) -> String {
        let or = |words: &[&str], end: &str| format!("expected one of {}{end}", words.join(", "));
        match self {
            Self::Words(words) => or(words, ""),
            Self::TruthOr([]) => "expected yes or no".to_owned(),
            Self::TruthOr(words) => format!("expected yes, no, {}", words.join(" or ")),
            Self::Stream(words, starts) => or(words, &format!(", {}...", starts.join("..., "))),
            Self::Level => or(LEVELS, ""),
            Self::Span => "expected a time such as 90, 5min or 1h 30min".to_owned(),
            Self::Calendar => {
                "expected a time such as daily, Mon *-*-* 03:00:00 or 04:30".to_owned()
            }
            Self::Socket => {
                "expected a port, ADDRESS:PORT, or a path such as /run/api.sock".to_owned()
            }
            Self::Unsigned => "expected a number from 0".to_owned(),
            Self::Integer(from, to) => format!("expected a number from {from} to {to}"),
            Self::Octal => "expected permissions such as 0755".to_owned(),
            Self::Signal => "expected a signal such as SIGTERM".to_owned(),
            Self::Size => "expected bytes such as 512K or 64M".to_owned(),
            Self::Memory(_) => {
                "expected bytes such as 192M, a share such as 10%, or infinity".to_owned()
            }
            Self::Quota => "expected a share of one processor such as 50%".to_owned(),
            Self::Tasks => "expected a number from 1, a share such as 10%, or infinity".to_owned(),
            Self::Limit(Resource::Number) => "expected a number, soft:hard, or infinity".to_owned(),
            Self::Limit(Resource::Bytes) => {
                "expected bytes such as 64M, soft:hard, or infinity".to_owned()
            }
            Self::Limit(Resource::Time) => {
                "expected a time such as 60s, soft:hard, or infinity".to_owned()
            }
        }
    }

    /// The words among which the one that was meant may be.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Words(words) | Self::TruthOr(words) | Self::Stream(words, _) => words,
            Self::Level => LEVELS,
            _ => &[],
        }
    }

    /// Whether systemd resolves specifiers in such a value.
    pub fn takes_specifiers(self, key: &str) -> bool {
        match self {
            Self::Stream(..) | Self::Calendar | Self::Socket => true,
            Self::Span => key.starts_with("On"),
            _ => false,
        }
    }
}

impl Resource {
    /// Whether a text is a limit, or a soft one and a hard one that is not below it.
    fn takes(self, text: &str) -> bool {
        let one = |text: &str| match (text, self) {
            ("infinity", _) => Some(f64::INFINITY),
            (_, Self::Number) => unsigned(text).map(|number| number as f64),
            (_, Self::Bytes) => size(text),
            (_, Self::Time) => span(text),
        };
        match text.split_once(':') {
            Some((soft, hard)) => match (one(soft), one(hard)) {
                (Some(soft), Some(hard)) => soft <= hard,
                _ => false,
            },
            None => one(text).is_some(),
        }
    }
}

/// A path, an abstract name, `vsock:CID:PORT`, a port, or an address with one.
fn socket(text: &str) -> bool {
    let port = match text.contains(':') {
        true => listen::bound(text).map(|(_, port)| u64::from(port)),
        false => unsigned(text),
    };
    text.starts_with(['/', '@'])
        || text.starts_with("vsock:")
        || port.is_some_and(|port| (1..=65535).contains(&port))
}

fn is_truth(text: &str) -> bool {
    TRUTH.contains(&&*text.to_ascii_lowercase())
}

/// `TERM`, `SIGTERM`, a number, or `RTMIN+3` and the like.
fn signal(text: &str) -> bool {
    let name = text.strip_prefix("SIG").unwrap_or(text);
    let real_time = |start: &str, sign: char| {
        let rest = name.strip_prefix(start);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix(sign)
                    .and_then(unsigned)
                    .is_some_and(|number| number <= 30)
        })
    };
    SIGNALS.contains(&name)
        || unsigned(text).is_some_and(|number| (1..=64).contains(&number))
        || real_time("RTMIN", '+')
        || real_time("RTMAX", '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[-+0-9.:*/,~@%a-zA-Zé \\[\\]]{0,24}") {
            for kinds in KINDS.values() {
                for kind in kinds.values() {
                    let _ = kind.takes(&text);
                }
            }
        }
    }
}
