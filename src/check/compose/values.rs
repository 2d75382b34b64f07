//! What the keys of a compose file take as their values.
//! <https://docs.docker.com/reference/compose-file/services/>

use crate::source::compose::size;
use crate::source::error::misspelt;

/// What a key takes.
#[derive(Clone, Copy)]
pub(crate) enum ValueType {
    /// Bytes, such as `192m`.
    Size,
    /// Bytes, or -1 for as many as there are.
    SizeOrAll,
    /// The most memory: the engine gives no container less than 6 MiB.
    Memory,
    /// A number, maybe with decimals.
    Decimal,
    /// A whole number.
    Whole,
    /// A span of time.
    Span,
    /// When a container is started again.
    Restart,
}

/// Bytes of the least memory, `linuxMinMemory` in daemon/daemon_unix.go of Docker.
const LEAST_MEMORY: u64 = 6 << 20;

const RESTARTS: [&str; 4] = ["no", "always", "unless-stopped", "on-failure"];

impl ValueType {
    /// What helps where `said` is no such value; `None`: it is one.
    pub(crate) fn refuses(self, said: &str) -> Option<String> {
        let (takes, help) = match self {
            Self::Size => (size(said).is_some(), size_help()),
            Self::SizeOrAll => (said == "-1" || size(said).is_some(), size_help()),
            Self::Memory => match size(said) {
                Some(bytes) if bytes > 0 && bytes < LEAST_MEMORY => {
                    let help = match said.parse::<u64>() {
                        Ok(number) => format!("write {number}m if MiB are meant"),
                        Err(_) => "write at least 6m: the engine accepts no less".to_owned(),
                    };
                    (false, help)
                }
                bytes => (bytes.is_some(), size_help()),
            },
            Self::Decimal => (
                said.parse::<f64>().is_ok_and(|number| number >= 0.0),
                "write a number such as 0.5".to_owned(),
            ),
            Self::Whole => (
                said.parse::<i64>().is_ok(),
                "write a whole number".to_owned(),
            ),
            Self::Span => (span(said), "write a time such as 30s or 1m30s".to_owned()),
            Self::Restart => {
                // A bare `no` is a boolean in YAML 1.1.
                (said == "false" || restart(said), restart_help(said))
            }
        };
        (!takes).then_some(help)
    }
}

fn size_help() -> String {
    "write bytes such as 192m or 1g".to_owned()
}

/// What helps where one of some words is meant.
pub(crate) fn one_of(said: &str, known: &[&str]) -> String {
    match misspelt(said, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

fn restart_help(said: &str) -> String {
    let (policy, tries) = said.split_once(':').unwrap_or((said, ""));
    match RESTARTS.contains(&policy) && !tries.is_empty() {
        true => "only on-failure takes a number of tries: on-failure:3".to_owned(),
        false => one_of(policy, &RESTARTS),
    }
}

/// A restart policy: a word, and for `on-failure` maybe how often it is tried.
fn restart(said: &str) -> bool {
    match said.split_once(':') {
        Some(("on-failure", tries)) => tries.parse::<u32>().is_ok(),
        Some(_) => false,
        None => RESTARTS.contains(&said),
    }
}

/// A span of time, <https://docs.docker.com/reference/compose-file/extension/#specifying-durations>: numbers, each with
/// its unit. A bare 0 needs none.
fn span(said: &str) -> bool {
    let units = ["ns", "us", "\u{b5}s", "ms", "s", "m", "h", "d", "w"];
    let mut rest = said.trim();
    if rest == "0" {
        return true;
    }
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let number = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        let (unit, next) = behind.split_at_checked(end).unwrap_or((behind, ""));
        if number.parse::<f64>().is_err() || !units.contains(&unit) {
            return false;
        }
        rest = next;
    }
    !said.is_empty()
}
