//! The types of values in watchme.toml. Each reads itself, so that an error names the value and what was expected.

mod commands;
mod numbers;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, RangeInclusive};
use std::path::{Component, Path, PathBuf};

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use source_text::{Version, normal_path};
use systemd_unit::values::ValueType;

use crate::model::{self, layout};
use crate::source::{compose, unit};
pub(super) use addresses::{Address, Cidr, GateUrl, Interface, RouteUrl, Socket, Source};
pub(super) use commands::{Command, NamedCommand, Program};
pub(super) use numbers::{Compose, Cpus, Status};
pub(super) use permissions::{Mode, Owner, SecretMode};

/// No start, probe or drain takes longer than a day.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// A value that is written as text.
pub(super) trait Text: Sized {
    /// What is expected where the value is wrong.
    const EXPECTED: &'static str;

    /// Reads it; `None` if the text is no such value.
    fn read(text: &str) -> Option<Self>;

    /// Reads it from a number, if it can be written as one.
    const NUMBER: Option<fn(u64) -> Self> = None;
}

/// Reads a value within serde's visitor: errors that are returned here get the value's place, also in a list.
struct Reader<T>(PhantomData<T>);

impl<T: Text> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let given = Unexpected::Signed(number);
        match (T::NUMBER, u64::try_from(number)) {
            (None, _) => Err(E::invalid_type(given, &self)),
            (Some(read), Ok(number)) => Ok(read(number)),
            (Some(_), Err(_)) => Err(E::invalid_value(given, &self)),
        }
    }
}

/// Defines a value that is written as text: its type, its name and JSON type in the schema, what is expected, and how it
/// is read. Its comment is what the reference says of it.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident($inner:ty), $title:literal, $json:expr, $expected:literal, $read:expr $(, $number:expr)?) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(title = $title, extend("type" = $json)))]
        pub struct $name(#[cfg_attr(test, schemars(with = "String"))] $inner);

        impl Text for $name {
            const EXPECTED: &'static str = $expected;

            fn read(text: &str) -> Option<Self> {
                let read: fn(&str) -> Option<$inner> = $read;
                read(text).map(Self)
            }

            $(const NUMBER: Option<fn(u64) -> Self> = Some($number);)?
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Reader(PhantomData))
            }
        }

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }
    };
}

mod addresses;
mod permissions;

text! {
    /// `"500ms"`, `"90s"`, `"15m"`, `"2h"`, `"1d"`, `"1h30m"`; at most a day
    #[derive(Copy, Default)]
    Duration(std::time::Duration), "duration", "string",
    "a time such as \"90s\", \"15m\" or \"1h30m\", at most a day",
    |text| time(text).filter(|time| *time <= LONGEST)
}

text! {
    /// `"26h"`, `"8d"`; at most a year
    #[derive(Copy)]
    Age(std::time::Duration), "age", "string",
    "a time such as \"26h\" or \"8d\", at most a year",
    |text| time(text).filter(|time| *time <= 366 * LONGEST)
}

text! {
    /// `"1800M"`, `"2G"`, or a number of bytes; 1K is 1024
    Size(u64), "size", ["integer", "string"],
    "a size such as \"1800M\" or \"2G\"",
    compose::size, Self
}

text! {
    /// `"1.22"`, `"1.25.1"`, `"252"`; `"1.22"` means any 1.22.x
    #[derive(Copy)]
    Release(Version), "version", ["integer", "string"],
    "a version in quotes such as \"1.22\"",
    |text| Version::read(text), |number| Self(Version::major(u32::try_from(number).unwrap_or(u32::MAX)))
}

text! {
    /// `"8000"`, `"8001-8099"`
    PortRange(RangeInclusive<u16>), "port range", "string",
    "a port or a range such as \"8001-8099\"",
    |text| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (from > 0 && from <= to).then_some(from..=to)
    }
}

text! {
    /// with its type: `"docker.service"`
    UnitName(String), "unit name", "string",
    "a unit name such as \"docker.service\"",
    |text| unit::Name::parse(text).ok().map(|name| name.to_string())
}

text! {
    /// as `OnCalendar=` of systemd: `"03:15"`, `"Sun 05:00"`, `"daily"`
    Schedule(String), "schedule", "string",
    "a time as OnCalendar= has it, such as \"03:15\", \"Sun 05:00\" or \"daily\"",
    |text| {
        let is_line = !text.contains(|c: char| c.is_control() || c == '%');
        (is_line && ValueType::Calendar.takes(text)).then(|| text.to_owned())
    }
}

text! {
    /// absolute: `"/srv/backups"`
    FilePath(PathBuf), "absolute path", "string",
    "an absolute path such as \"/srv/backups\"",
    |text| absolute(text).filter(|_| !text.contains(char::is_control))
}

text! {
    /// any text that is not empty
    Name(String), "name", "string",
    "a name",
    |text| (!text.is_empty()).then(|| text.to_owned())
}

text! {
    /// lowercase letters, digits, `-` and `_`
    Project(String), "project name", "string",
    "a name of lowercase letters, digits, - and _ that begins with a letter or digit",
    |text| {
        let is_usable = compose::project_name(text) == text && !text.is_empty();
        is_usable.then(|| text.to_owned())
    }
}

text! {
    /// any text that is not blank
    Reason(String), "text", "string",
    "why the rule has this level here",
    |text| Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

text! {
    /// a path below the folder of watchme.toml; `*` stays in a folder, `**` is any number of folders
    Pattern(glob::Pattern), "pattern", "string",
    "a path or pattern below the folder of watchme.toml, such as \"compose/legacy/**\"",
    |text| {
        let is_relative = !text.is_empty() && !text.starts_with('/');
        is_relative.then(|| glob::Pattern::new(text).ok()).flatten()
    }
}

text! {
    /// relative to the folder of watchme.toml
    #[cfg_attr(test, derive(serde::Serialize))]
    Input(String), "path", "string",
    "a path relative to the folder of watchme.toml",
    |text| {
        let is_usable = !text.is_empty() && !text.starts_with('/') && !text.contains(char::is_control);
        is_usable.then(|| text.trim_end_matches('/').to_owned())
    }
}

text! {
    /// absolute, and not in a system folder
    Checkout(PathBuf), "absolute path", "string",
    "the absolute path of the checkout on the server, in no folder of the system",
    |text| absolute(text).filter(|path| !is_of_the_system(path))
}

text! {
    /// absolute: `"/run/podman/podman.sock"`
    SocketPath(PathBuf), "path of a socket", "string",
    "the absolute path of a socket such as \"/run/podman/podman.sock\"",
    absolute
}

text! {
    /// absolute: `"/root/age.txt"`
    KeyPath(PathBuf), "path of a key", "string",
    "the absolute path of a private key such as \"/etc/ssh/ssh_host_ed25519_key\"",
    absolute
}

text! {
    /// `"age1…"`, or `"ssh-ed25519 …"` as in a file that ends in `.pub`
    PublicKey(sealed_file::Recipient), "public key", "string",
    "a public key: \"age1…\" or \"ssh-ed25519 …\"",
    |text| text.parse().ok()
}

text! {
    /// `sites-enabled/NAME`, `sites-available/NAME`, `systemd/NAME` or `etc/PATH`
    Absent(PathBuf), "host path", "string",
    "sites-enabled/NAME, sites-available/NAME, systemd/NAME or etc/PATH",
    |text| {
        let path = Path::new(text);
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        (is_plain && !text.contains(char::is_control)).then(|| layout::absent(path)).flatten()
    }
}

text! {
    /// `"nginx"`, or with the required version, `"nginx=1.22.1-9"`
    PackageName(String), "package", "string",
    "the name of a package in lower case such as \"nginx\", or NAME=VERSION",
    |text| model::is_package(text).then(|| text.to_owned())
}

text! {
    /// `"applied"`, `"failed"`, `"rolled-back"`, `"quarantined"`, `"drift"`, `"certificate"`, `"backup"`
    #[derive(Copy)]
    EventName(model::Event), "event", "string",
    "applied, failed, rolled-back, quarantined, drift, certificate or backup",
    |text| model::Event::read(text)
}

fn time(text: &str) -> Option<std::time::Duration> {
    let span = SpanParser::new().parse_span(text.trim()).ok()?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours());
    std::time::Duration::try_from(time.ok()?).ok()
}

/// A path of the host, other than its root.
fn absolute(text: &str) -> Option<PathBuf> {
    normal_path(Path::new(text)).filter(|path| path.parent().is_some())
}

/// Links into the checkout count as the program's own, so none of the system's folders may be the checkout.
fn is_of_the_system(path: &Path) -> bool {
    let whole = ["/etc", "/run", "/proc", "/sys", "/dev", "/boot"];
    let above = ["/usr", "/var", "/var/lib", "/lib", "/bin", "/sbin", "/home"];
    whole.iter().any(|folder| path.starts_with(folder))
        || above.iter().any(|folder| path == Path::new(folder))
}

impl Duration {
    /// So many seconds, for defaults.
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }
}

impl Input {
    /// A path that is right: a default, or one that was found.
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl Size {
    /// So many bytes, for defaults.
    pub(super) const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }
}

/// Defaults are written into the schema.
#[cfg(test)]
impl serde::Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}M", self.0 / (1024 * 1024)))
    }
}

/// Defaults are written into the schema.
#[cfg(test)]
impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = jiff::SignedDuration::try_from(self.0).unwrap();
        serializer.collect_str(&format_args!("{time:#}"))
    }
}
