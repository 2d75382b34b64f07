//! What only some versions of nginx know: directives, their parameters, and variables.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use source_text::{Version, Versions};

/// A line of the table: a parameter of a directive, or the directive or variable itself.
struct Entry {
    area: &'static str,
    parameter: Option<&'static str>,
    versions: Versions,
}

/// Entries by the name of a directive, or of a variable without its `$`.
struct Table {
    directives: FxHashMap<&'static str, Vec<Entry>>,
    variables: FxHashMap<&'static str, Vec<Entry>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        directives: FxHashMap::default(),
        variables: FxHashMap::default(),
    };
    for (name, entry) in lines() {
        let entries = match name.strip_prefix('$') {
            Some(variable) => table.variables.entry(variable),
            None => table.directives.entry(name),
        };
        entries.or_default().push(entry);
    }
    table
});

/// The lines of the table: a name, and what is said of it.
fn lines() -> impl Iterator<Item = (&'static str, Entry)> {
    let lines = include_str!("tables/versions.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split(' ');
        let mut word = || words.next().filter(|word| *word != "-");
        let (area, name) = (word().unwrap_or_default(), word().unwrap_or_default());
        let parameter = word();
        let versions = Versions {
            since: word().and_then(Version::read),
            until: word().and_then(Version::read),
        };
        let entry = Entry {
            area,
            parameter,
            versions,
        };
        (name, entry)
    })
}

/// A part of a configuration whose directives have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// `http`.
    Http,
    /// `upstream` in `http`.
    Upstream,
    /// `stream`.
    Stream,
    /// `upstream` in `stream`.
    StreamUpstream,
    /// `mail`.
    Mail,
    /// The top of nginx.conf, and `events`.
    Main,
}

impl Area {
    /// The area in the block of a directive that is here.
    pub fn inside(self, name: &str) -> Self {
        match (self, name) {
            (Self::Main, "stream") => Self::Stream,
            (Self::Main, "mail") => Self::Mail,
            (Self::Http, "upstream") => Self::Upstream,
            (Self::Stream, "upstream") => Self::StreamUpstream,
            _ => self,
        }
    }

    /// Its word in the table.
    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Upstream => "upstream",
            Self::Stream => "stream",
            Self::StreamUpstream => "stream.upstream",
            Self::Mail => "mail",
            Self::Main => "main",
        }
    }
}

/// A directive or parameters of it that not all versions know.
#[derive(Clone, Copy)]
pub struct Newer {
    area: &'static str,
    entries: &'static [Entry],
}

impl Newer {
    /// What the table has of a directive.
    pub fn of(area: Area, name: &str) -> Option<Self> {
        let (area, entries) = (area.word(), TABLE.directives.get(name)?);
        let is_here = entries.iter().any(|entry| entry.area == area);
        is_here.then_some(Self { area, entries })
    }

    /// The versions that know the directive, if not all do.
    pub fn directive(self) -> Option<Versions> {
        self.find(|parameter| parameter.is_none())
    }

    /// The versions that know a parameter of it, if not all do.
    pub fn parameter(self, parameter: &str) -> Option<Versions> {
        self.find(|known| match known {
            Some(start) if start.ends_with('=') => parameter.starts_with(start),
            known => known == Some(parameter),
        })
    }

    fn find(self, is: impl Fn(Option<&str>) -> bool) -> Option<Versions> {
        let mut here = self.entries.iter().filter(|entry| entry.area == self.area);
        Some(here.find(|entry| is(entry.parameter))?.versions)
    }

    /// The versions that know a variable, by its name in lower case without the `$`, if not all do.
    pub fn variable(area: Area, name: &str) -> Option<Versions> {
        let area = match area {
            Area::Upstream => Area::Http,
            Area::StreamUpstream => Area::Stream,
            area => area,
        };
        let name = match name.starts_with("proxy_protocol_tlv_") {
            true => "proxy_protocol_tlv_*",
            false => name,
        };
        let mut entries = TABLE.variables.get(name)?.iter();
        let here = entries.find(|entry| entry.area == area.word())?;
        Some(here.versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        let areas = [
            "http",
            "upstream",
            "stream",
            "stream.upstream",
            "mail",
            "main",
        ];
        assert!(lines().count() > 120);
        for (name, entry) in lines() {
            let Entry { area, versions, .. } = entry;
            assert!(areas.contains(&area) && !name.is_empty(), "{area} {name}");
            let is_one = versions.since.is_some() || versions.until.is_some();
            assert!(is_one, "{area} {name}");
        }
    }

    #[test]
    fn versions_of_what_is_newer_are_known() {
        let since = |versions: Option<Versions>| versions?.since.map(|since| since.to_string());
        let said = |text: &str| Some(text.to_owned());
        let directive = |area, name| Newer::of(area, name)?.directive();
        let parameter = |area, name, parameter| Newer::of(area, name)?.parameter(parameter);
        assert_eq!(since(directive(Area::Http, "http2")), said("1.25.1"));
        assert_eq!(directive(Area::Http, "server_name"), None);
        assert_eq!(
            since(directive(Area::Stream, "server_name")),
            said("1.25.5")
        );
        assert_eq!(directive(Area::Http, "resolver"), None);
        assert_eq!(since(directive(Area::Upstream, "resolver")), said("1.27.3"));
        assert_eq!(
            since(parameter(Area::Http, "listen", "quic")),
            said("1.25.0")
        );
        assert_eq!(
            since(parameter(Area::Upstream, "server", "service=http")),
            said("1.27.3")
        );
        assert_eq!(since(directive(Area::Main, "quic_bpf")), said("1.25.0"));
        assert_eq!(parameter(Area::Http, "listen", "ssl"), None);
        assert_eq!(
            since(Newer::variable(Area::Http, "ssl_curve")),
            said("1.21.5")
        );
        assert_eq!(
            since(Newer::variable(Area::Upstream, "proxy_protocol_tlv_alpn")),
            said("1.23.2")
        );
        let ssl = directive(Area::Http, "ssl").and_then(|versions| versions.until);
        assert_eq!(ssl.map(|until| until.to_string()), said("1.25.1"));
    }
}
