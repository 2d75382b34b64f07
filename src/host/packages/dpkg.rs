//! dpkg's own record of what is installed; dpkg(1) and deb-control(5).

use std::collections::BTreeMap;
use std::path::Path;

use crate::host::HostError;
use crate::model::{PackageFound, PackageState};
use crate::root::Root;

/// Its record: a stanza for each package that is, or was, installed.
pub(super) const STATUS: &str = "/var/lib/dpkg/status";
/// What was not yet taken into the record when it was interrupted.
const UPDATES: &str = "/var/lib/dpkg/updates";
/// Architectures of the host, its own first; only there where it has others.
const ARCHITECTURES: &str = "/var/lib/dpkg/arch";

/// What dpkg has on record.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Packages that are there in any way, by name.
    pub there: BTreeMap<String, PackageFound>,
    /// Names that installed packages provide.
    pub provided: BTreeMap<String, String>,
    /// Whether it was interrupted in the middle.
    pub interrupted: bool,
}

impl Record {
    /// Reads it; `None`: the host has no dpkg.
    pub(super) fn read(root: &Root) -> Result<Option<Self>, HostError> {
        let Some(text) = root.read(Path::new(STATUS))? else {
            return Ok(None);
        };
        let own = root.read(Path::new(ARCHITECTURES))?;
        let own = own.map(|text| String::from_utf8_lossy(&text).into_owned());
        let own = own.as_deref().and_then(|text| text.lines().next());
        let mut record = Self::of(&String::from_utf8_lossy(&text), own.map(str::trim));
        let updates = root.list(Path::new(UPDATES))?;
        let is_number = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.bytes().all(|byte| byte.is_ascii_digit())
        };
        record.interrupted |= updates.iter().any(is_number);
        Ok(Some(record))
    }

    /// Reads its text. Packages of other architectures than the host's own are left out.
    fn of(text: &str, own: Option<&str>) -> Self {
        let mut record = Self::default();
        for stanza in text.split("\n\n") {
            let field = |name: &str| {
                let mut lines = stanza.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
            };
            let (Some(name), Some(status)) = (field("Package"), field("Status")) else {
                continue;
            };
            let architecture = field("Architecture").unwrap_or("all");
            if own.is_some_and(|own| architecture != own && architecture != "all") {
                continue;
            }
            let state = match status.split_whitespace().last() {
                Some("installed" | "triggers-pending" | "triggers-awaited") => {
                    PackageState::Installed
                }
                Some("not-installed" | "config-files") | None => continue,
                Some(how) => PackageState::Broken(how.to_owned()),
            };
            record.interrupted |= matches!(state, PackageState::Broken(_));
            if state == PackageState::Installed {
                for provided in field("Provides").unwrap_or_default().split(',') {
                    let name_only = provided.split_whitespace().next().unwrap_or_default();
                    let bare = name_only.split(':').next().unwrap_or_default();
                    if !bare.is_empty() {
                        record.provided.insert(bare.to_owned(), name.to_owned());
                    }
                }
            }
            let is = |name: &str| field(name) == Some("yes");
            let found = PackageFound {
                version: field("Version").unwrap_or_default().to_owned(),
                state,
                essential: is("Essential") || is("Protected"),
            };
            record.there.insert(name.to_owned(), found);
        }
        record
    }

    /// A package by its name, or one that provides it.
    pub(super) fn find(&self, name: &str) -> Option<PackageFound> {
        let provided = || {
            self.provided.contains_key(name).then(|| PackageFound {
                state: PackageState::Provided,
                ..PackageFound::default()
            })
        };
        self.there.get(name).cloned().or_else(provided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Package: nginx
Status: hold ok installed
Architecture: amd64
Version: 1.22.1-9
Provides: httpd, httpd-cgi (= 1.22.1-9)
Description: web server
 Package: not a field

Package: redis
Status: deinstall ok config-files
Architecture: amd64
Version: 5:7.0.15-1

Package: bad
Status: install ok half-configured
Architecture: all
Version: 1.0

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9

Package: init
Essential: yes
Status: install ok triggers-awaited
Architecture: amd64
Version: 1.65
";

    #[test]
    fn what_dpkg_has_on_record() {
        let record = Record::of(TEXT, Some("amd64"));
        let found = |name: &str| record.find(name).map(|found| (found.version, found.state));
        let installed = |version: &str| Some((version.to_owned(), PackageState::Installed));
        assert_eq!(found("nginx"), installed("1.22.1-9"));
        assert_eq!(found("init"), installed("1.65"));
        assert!(record.there["init"].essential && !record.there["nginx"].essential);
        for provided in ["httpd", "httpd-cgi"] {
            assert_eq!(
                found(provided),
                Some((String::new(), PackageState::Provided))
            );
        }
        for absent in ["redis", "libc6", "not a field"] {
            assert_eq!(found(absent), None, "{absent}");
        }
        let broken = PackageState::Broken("half-configured".to_owned());
        assert_eq!(found("bad"), Some(("1.0".to_owned(), broken)));
        assert!(record.interrupted);
        // Without other architectures there is no list of them.
        assert!(Record::of(TEXT, None).find("libc6").is_some());
        assert!(!Record::of("", None).interrupted);
    }
}
