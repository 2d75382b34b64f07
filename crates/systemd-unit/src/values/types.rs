//! What kinds of values settings take, and which texts systemd reads as such.

use std::ops::Range;

use super::calendar;
use super::names::is_descriptor;
use super::numbers::{integer, octal, percent, size, span, unsigned};
use super::paths::{is_absolute, is_local};
use super::reader::{Reader, whole};
use super::words::{LEVELS, SIGNALS, TRUTH};
use crate::listen;

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum ValueType {
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, or a number from 0 to another one.
    WordsOr(&'static [&'static str], i32),
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
    /// What a function of its own reads.
    Reader(&'static Reader),
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

impl ValueType {
    /// Whether systemd reads a text as such a value.
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.contains(&text),
            Self::WordsOr(words, most) => {
                words.contains(&text) || integer(text).is_some_and(|it| (0..=most).contains(&it))
            }
            Self::TruthOr(words) => words.contains(&text) || is_truth(text),
            Self::Stream(words, starts) => {
                let behind = |start: &&str| Some((text.strip_prefix(start)?, *start == "fd:"));
                let target = starts.iter().find_map(behind);
                words.contains(&text)
                    || target.is_some_and(|(target, is_name)| match is_name {
                        true => is_descriptor(target),
                        false => is_absolute(target),
                    })
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
            Self::Reader(reader) => reader.wrong(text).is_none(),
        }
    }

    /// The part of a text that systemd does not read as such a value.
    pub fn wrong(self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Reader(reader) => reader.wrong(text),
            _ => whole(text, self.takes(text)),
        }
    }

    /// Whether systemd ignores a wrong word and takes the others.
    pub fn goes_by_word(self) -> bool {
        matches!(self, Self::Reader(reader) if reader.by_word)
    }

    /// What would be read.
    pub fn expected(self) -> String {
        let or = |words: &[&str], end: &str| format!("expected one of {}{end}", words.join(", "));
        match self {
            Self::Words(words) => or(words, ""),
            Self::WordsOr(words, most) => or(words, &format!(", or a number to {most}")),
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
            Self::Reader(reader) => reader.expected.to_owned(),
        }
    }

    /// The words among which the one that was meant may be.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Words(words)
            | Self::WordsOr(words, _)
            | Self::TruthOr(words)
            | Self::Stream(words, _) => words.to_vec(),
            Self::Level => LEVELS.to_vec(),
            Self::Reader(reader) => (reader.words)(),
            _ => Vec::new(),
        }
    }

    /// Whether systemd resolves specifiers in such a value, so that it may become anything.
    pub fn takes_specifiers(self, key: &str) -> bool {
        match self {
            Self::Stream(..) | Self::Calendar | Self::Socket => true,
            Self::Span => key.starts_with("On"),
            Self::Reader(reader) => reader.specifiers,
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
    is_local(text)
        || text.starts_with("vsock:")
        || port.is_some_and(|port| (1..=65535).contains(&port))
}

pub(super) fn is_truth(text: &str) -> bool {
    TRUTH.contains(&&*text.to_ascii_lowercase())
}

/// `TERM`, `SIGTERM`, a number, or `RTMIN+3` and the like.
pub(super) fn signal(text: &str) -> bool {
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
    use crate::table;
    use crate::values::kind_of;

    /// Each machine takes its own, and no other.
    #[test]
    fn a_personality_is_an_architecture() {
        let kind = kind_of("Service", "Personality").unwrap();
        for (text, taken) in [
            ("x86", true),
            ("x86-64", true),
            ("arm64", true),
            ("x86_64", false),
            ("amd64", false),
            ("native", false),
            ("X86", false),
        ] {
            assert_eq!(kind.takes(text), taken, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[-+0-9.:*/,~@%a-zA-Zé \\[\\]]{0,24}") {
            for (section, key, _) in table::keys() {
                if let Some(kind) = kind_of(section, key) {
                    let _ = kind.wrong(&text).map(|part| text.get(part).expect("a part"));
                }
            }
        }
    }
}
