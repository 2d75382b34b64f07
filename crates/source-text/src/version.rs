//! Versions of the programs that read the texts.

use std::cmp::Ordering;
use std::fmt;

/// A version of a program, such as `1.22`, `1.25.1` or `252`. It compares as far as both sides say: `1.22` stands for
/// every `1.22.x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    numbers: [u32; 3],
    count: usize,
}

impl Version {
    /// One with a single number, such as systemd's.
    pub const fn major(number: u32) -> Self {
        Self {
            numbers: [number, 0, 0],
            count: 1,
        }
    }

    /// One with two numbers.
    pub const fn minor(major: u32, minor: u32) -> Self {
        Self {
            numbers: [major, minor, 0],
            count: 2,
        }
    }

    /// Reads one to three numbers with dots between them; `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        let mut version = Self {
            numbers: [0; 3],
            count: 0,
        };
        for number in text.split('.') {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let place = version.numbers.get_mut(version.count)?;
            *place = is_number.then(|| number.parse().ok()).flatten()?;
            version.count += 1;
        }
        Some(version)
    }

    /// Reads the version that a text begins with, as programs print theirs: `252.39-1~deb12u1`, `1.22.1 (Ubuntu)`.
    pub fn leading(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let numbers = text.get(..end.unwrap_or(text.len()))?;
        let numbers: Vec<&str> = numbers
            .split('.')
            .take_while(|number| !number.is_empty())
            .take(3)
            .collect();
        Self::read(&numbers.join("."))
    }

    /// Compares the numbers that both have.
    fn compared(self, other: Self) -> Ordering {
        let count = self.count.min(other.count);
        let own = self.numbers.iter().take(count);
        own.cmp(other.numbers.iter().take(count))
    }

    /// Whether it is older than `other` for certain: `1.22` is older than `1.25.1`, and `1.25` is not.
    pub fn is_before(self, other: Self) -> bool {
        self.compared(other) == Ordering::Less
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        match self.count {
            1 => write!(f, "{major}"),
            2 => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

/// The versions of a program that know something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The first that knows it; `None`: all before `until`.
    pub since: Option<Version>,
    /// The first that knows it no more; `None`: all from `since` on.
    pub until: Option<Version>,
}

impl Versions {
    /// Those from a version on.
    pub const fn since(version: Version) -> Self {
        Self {
            since: Some(version),
            until: None,
        }
    }

    /// Whether a version is one of them. What an incomplete version leaves open speaks for it.
    pub fn have(self, version: Version) -> bool {
        let is_too_old = self.since.is_some_and(|since| version.is_before(since));
        let is_too_new = self
            .until
            .is_some_and(|until| match until.compared(version) {
                Ordering::Less => true,
                Ordering::Equal => version.count >= until.count,
                Ordering::Greater => false,
            });
        !is_too_old && !is_too_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Version {
        Version::read(text).unwrap()
    }

    #[test]
    fn versions_are_read() {
        for text in ["252", "1.22", "1.25.1", "0.0.0"] {
            assert_eq!(read(text).to_string(), text);
        }
        for text in [
            "",
            "1.",
            ".1",
            "1.2.3.4",
            "v1",
            "1.2-3",
            "-1",
            "99999999999",
            "+1",
        ] {
            assert_eq!(Version::read(text), None, "{text}");
        }
        for (text, expected) in [
            ("252.39-1~deb12u1", "252.39"),
            ("nginx version: nginx/1.22.1", "1.22.1"),
            ("1.18.0 (Ubuntu)", "1.18.0"),
            ("v2.26.1-4", "2.26.1"),
            ("20.10.24+dfsg1", "20.10.24"),
            ("1.2.3.4", "1.2.3"),
            ("257~rc1", "257"),
        ] {
            let read = Version::leading(text).unwrap();
            assert_eq!(read.to_string(), expected, "{text}");
        }
        assert_eq!(Version::leading("unknown"), None);
    }

    #[test]
    fn versions_compare_as_far_as_both_say() {
        for (one, other, is_before) in [
            ("1.22", "1.25.1", true),
            ("1.25", "1.25.1", false),
            ("1.25.0", "1.25.1", true),
            ("1.26", "1.25.1", false),
            ("1.9.9", "1.10", true),
            ("252", "252.1", false),
            ("2", "1.29", false),
        ] {
            assert_eq!(read(one).is_before(read(other)), is_before, "{one} {other}");
        }
    }

    #[test]
    fn ranges_have_their_versions() {
        let removed = Versions {
            since: None,
            until: Some(read("1.25.1")),
        };
        for (version, has) in [
            ("1.18", true),
            ("1.25.0", true),
            ("1.25", true),
            ("1.25.1", false),
            ("1.26", false),
        ] {
            assert_eq!(removed.have(read(version)), has, "{version}");
        }
        let added = Versions::since(read("1.25.1"));
        for (version, has) in [
            ("1.18", false),
            ("1.25.0", false),
            ("1.25", true),
            ("1.25.1", true),
            ("1.31.5", true),
        ] {
            assert_eq!(added.have(read(version)), has, "{version}");
        }
        assert!(Versions::default().have(Version::major(1)));
    }
}
