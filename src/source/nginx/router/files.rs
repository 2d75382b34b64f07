//! The files that nginx reads, with their includes resolved.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::model::Desired;
use crate::source::nginx::Directive;

/// Files that packages and certbot bring along, and that decide no route.
const HARMLESS: [&str; 7] = [
    "proxy_params",
    "mime.types",
    "fastcgi_params",
    "fastcgi.conf",
    "uwsgi_params",
    "scgi_params",
    "options-ssl-nginx.conf",
];
/// Includes in includes: bounds what includes itself.
const MAX_DEPTH: usize = 16;
/// Included files in all: bounds locations that include themselves twice.
const MAX_INCLUDES: usize = 200_000;
/// Where Debian's nginx.conf lies, which a relative include is relative to.
const PREFIX: &str = "nginx";

/// A directive, and the file of the checkout in which it stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file's path in the checkout.
    pub path: &'a Path,
    /// The directive.
    pub directive: &'a Directive,
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.directive, other.directive)
    }
}

impl Eq for Place<'_> {}

impl<'a> Place<'a> {
    pub(super) fn name(&self) -> &'a str {
        &self.directive.name
    }

    /// The words behind its name.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = &'a str> + use<'a> {
        self.directive.args.iter().map(|word| word.text.as_str())
    }

    pub(super) fn word(&self, index: usize) -> &'a str {
        self.directive.args.get(index).map_or("", |word| &word.text)
    }

    /// Its first words, as they would be written.
    pub fn text(&self) -> String {
        let words: Vec<&str> = std::iter::once(self.name()).chain(self.words()).collect();
        words.join(" ")
    }
}

/// A parsed file.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its path in the checkout.
    pub path: &'a Path,
    /// What it says.
    pub directives: &'a [Directive],
}

/// The files of a desired state that nginx reads.
#[derive(Clone, Debug, Default)]
pub struct Files<'a> {
    /// Enabled sites by name.
    pub sites: BTreeMap<&'a str, Text<'a>>,
    /// Files by their path below /etc.
    pub etc: BTreeMap<&'a Path, Text<'a>>,
    /// How many includes were read so far.
    read: Cell<usize>,
}

impl<'a> Files<'a> {
    /// Enabled sites by name, and other files by their path below /etc.
    pub fn new(sites: BTreeMap<&'a str, Text<'a>>, etc: BTreeMap<&'a Path, Text<'a>>) -> Self {
        Self {
            sites,
            etc,
            read: Cell::new(0),
        }
    }

    /// Those of a desired state: sites by name and files by their path below /etc, parsed.
    pub fn of(
        desired: &'a Desired,
        sites: &'a BTreeMap<String, Vec<Directive>>,
        etc: &'a BTreeMap<PathBuf, Vec<Directive>>,
    ) -> Self {
        let enabled = desired.sites.iter().filter(|(_, site)| site.enabled);
        let sites = enabled.filter_map(|(name, site)| {
            let directives = sites.get(name)?;
            let path = site.file.source.as_path();
            Some((name.as_str(), Text { path, directives }))
        });
        let etc = desired.etc.iter().filter_map(|(path, entry)| {
            let directives = etc.get(path)?;
            let source = entry.file.source.as_path();
            Some((
                path.as_path(),
                Text {
                    path: source,
                    directives,
                },
            ))
        });
        Self::new(sites.collect(), etc.collect())
    }

    /// The files of an include. `None`: none of them is here.
    fn included(&self, pattern: &str) -> Option<Vec<Text<'a>>> {
        let path = match Path::new(pattern).strip_prefix("/etc") {
            Ok(below) => below.to_owned(),
            Err(_) if pattern.starts_with('/') => return None,
            Err(_) => Path::new(PREFIX).join(pattern),
        };
        let plain: PathBuf = path
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        let name = plain.file_name()?.to_str()?;
        let folder = plain.parent()?;
        let mut found: Vec<Text<'a>> = Vec::new();
        if folder == Path::new("nginx/sites-enabled") {
            let sites = self.sites.iter().filter(|(site, _)| glob(name, site));
            found.extend(sites.map(|(_, text)| *text));
        }
        let files = self.etc.iter().filter(|(path, _)| {
            let fits = path.file_name().and_then(|file| file.to_str());
            path.parent() == Some(folder) && fits.is_some_and(|file| glob(name, file))
        });
        found.extend(files.map(|(_, text)| *text));
        (!found.is_empty()).then_some(found)
    }

    /// A block with its includes resolved; those that are not here are left in it.
    pub(super) fn block(&self, text: Text<'a>) -> Vec<Place<'a>> {
        let mut out = Vec::new();
        self.expand(text, &mut out, 0);
        out
    }

    fn expand(&self, text: Text<'a>, out: &mut Vec<Place<'a>>, depth: usize) {
        for directive in text.directives {
            let place = Place {
                path: text.path,
                directive,
            };
            if place.name() != "include" {
                out.push(place);
                continue;
            }
            match self.included(place.word(0)) {
                Some(texts) if depth < MAX_DEPTH && self.read.get() < MAX_INCLUDES => {
                    self.read.set(self.read.get() + texts.len());
                    for text in texts {
                        self.expand(text, out, depth + 1);
                    }
                }
                _ => {
                    let file = Path::new(place.word(0)).file_name();
                    let file = file.and_then(|file| file.to_str()).unwrap_or_default();
                    if !HARMLESS.contains(&file) {
                        out.push(place);
                    }
                }
            }
        }
    }

    /// What stands in the `http` block: that of nginx.conf if it is here, else what Debian's includes.
    pub(super) fn http(&self) -> Vec<Place<'a>> {
        if let Some(main) = self.etc.get(Path::new("nginx/nginx.conf")) {
            let blocks = self
                .block(*main)
                .into_iter()
                .filter(|place| place.name() == "http");
            return blocks.flat_map(|http| self.inside(http)).collect();
        }
        let conf = self.etc.iter().filter(|(path, _)| {
            path.parent() == Some(Path::new("nginx/conf.d"))
                && path.extension().is_some_and(|end| end == "conf")
                && !hidden(path)
        });
        let texts = conf.map(|(_, text)| text).chain(self.sites.values());
        texts.flat_map(|text| self.block(*text)).collect()
    }

    /// What stands in a directive's block.
    pub(super) fn inside(&self, place: Place<'a>) -> Vec<Place<'a>> {
        let directives = place.directive.block.as_deref().unwrap_or_default();
        self.block(Text {
            path: place.path,
            directives,
        })
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// glob(7) for one name, without brackets.
fn glob(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return pattern == name;
    }
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    // Where the last star stood, and how much of the name it has taken so far.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(byte) if *byte == b'?' || name.get(read) == Some(byte) => {
                (at, read) = (at + 1, read + 1);
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, read) = (place + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}
