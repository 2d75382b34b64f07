//! What only some versions of nginx know: directives, their parameters, and variables.

use std::collections::HashMap;
use std::sync::LazyLock;

use source_text::{Version, Versions};

/// A line of the table: a parameter of a directive, or the directive or variable itself.
struct Entry {
    parameter: Option<&'static str>,
    versions: Versions,
}

/// By area and name.
static TABLE: LazyLock<HashMap<(&str, &str), Vec<Entry>>> = LazyLock::new(|| {
    let mut table: HashMap<_, Vec<Entry>> = HashMap::new();
    let lines = include_str!("tables/versions.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let mut word = || words.next().filter(|word| *word != "-");
        let (area, name) = (word().unwrap_or_default(), word().unwrap_or_default());
        let parameter = word();
        let versions = Versions {
            since: word().and_then(Version::read),
            until: word().and_then(Version::read),
        };
        let entry = Entry {
            parameter,
            versions,
        };
        table.entry((area, name)).or_default().push(entry);
    }
    table
});

/// A part of a configuration whose directives have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The versions that know a directive, if not all do.
pub fn of_directive(area: Area, name: &str) -> Option<Versions> {
    let entries = TABLE.get(&(area.word(), name))?;
    let own = entries.iter().find(|entry| entry.parameter.is_none())?;
    Some(own.versions)
}

/// The versions that know a parameter of a directive, if not all do.
pub fn of_parameter(area: Area, name: &str, parameter: &str) -> Option<Versions> {
    let entries = TABLE.get(&(area.word(), name))?;
    let is = |entry: &&Entry| match entry.parameter {
        Some(start) if start.ends_with('=') => parameter.starts_with(start),
        known => known == Some(parameter),
    };
    Some(entries.iter().find(is)?.versions)
}

/// The versions that know a variable, by its name in lower case without the `$`, if not all do.
pub fn of_variable(area: Area, name: &str) -> Option<Versions> {
    let area = match area {
        Area::Upstream => Area::Http,
        Area::StreamUpstream => Area::Stream,
        area => area,
    };
    let name = match name.starts_with("proxy_protocol_tlv_") {
        true => "$proxy_protocol_tlv_*".to_owned(),
        false => format!("${name}"),
    };
    let entries = TABLE.get(&(area.word(), name.as_str()))?;
    Some(entries.first()?.versions)
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
        assert!(TABLE.len() > 120, "{}", TABLE.len());
        for ((area, name), entries) in TABLE.iter() {
            assert!(areas.contains(area) && !name.is_empty(), "{area} {name}");
            for Entry { versions, .. } in entries {
                let is_one = versions.since.is_some() || versions.until.is_some();
                assert!(is_one, "{area} {name}");
            }
        }
    }

    #[test]
    fn versions_of_what_is_newer_are_known() {
        let since = |versions: Option<Versions>| versions?.since.map(|since| since.to_string());
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(since(of_directive(Area::Http, "http2")), said("1.25.1"));
        assert_eq!(of_directive(Area::Http, "server_name"), None);
        assert_eq!(
            since(of_directive(Area::Stream, "server_name")),
            said("1.25.5")
        );
        assert_eq!(of_directive(Area::Http, "resolver"), None);
        assert_eq!(
            since(of_directive(Area::Upstream, "resolver")),
            said("1.27.3")
        );
        assert_eq!(
            since(of_parameter(Area::Http, "listen", "quic")),
            said("1.25.0")
        );
        assert_eq!(
            since(of_parameter(Area::Upstream, "server", "service=http")),
            said("1.27.3")
        );
        assert_eq!(since(of_directive(Area::Main, "quic_bpf")), said("1.25.0"));
        assert_eq!(of_parameter(Area::Http, "listen", "ssl"), None);
        assert_eq!(since(of_variable(Area::Http, "ssl_curve")), said("1.21.5"));
        assert_eq!(
            since(of_variable(Area::Upstream, "proxy_protocol_tlv_alpn")),
            said("1.23.2")
        );
        let ssl = of_directive(Area::Http, "ssl").and_then(|versions| versions.until);
        assert_eq!(ssl.map(|until| until.to_string()), said("1.25.1"));
    }
}
