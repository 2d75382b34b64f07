//! Files read as what they seem to be, without a desired state around them.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::Checkout;
use super::error::{Result, SourceError};
use super::policy::{Folders, Input, Spanned};
use super::tree::MAX_SIZE;
use super::unit::Name;
use source_text::word_list;

/// Files that are checked alone: one, or some that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    /// Their paths below the root.
    pub paths: Vec<PathBuf>,
    /// The folder in which they are inputs.
    pub folder: PathBuf,
    /// The inputs there: those of their kind.
    pub folders: Folders,
    /// Where nginx has them, below /etc, if the folder does not say so.
    pub etc: Vec<(PathBuf, PathBuf)>,
    pub is_compose: bool,
}

/// What a file is, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A unit or drop-in of systemd.
    Unit,
    /// An nginx.conf.
    Main,
    /// What an `http` block of nginx includes, with servers.
    Site,
    Other,
}

/// What a file is; `None` for one that is filled in before it is used.
pub(crate) fn sort(text: &str) -> Option<Sort> {
    let mut braces = text.match_indices("{{");
    // `{{.Names}}` is a format of Docker.
    if text.contains("{%")
        || text.contains("<%")
        || braces.any(|(at, _)| !text[at..].starts_with("{{."))
    {
        return None;
    }
    let lines = || text.lines().map(str::trim_end);
    if lines().any(|line| OF_UNITS.contains(&line)) {
        return Some(Sort::Unit);
    }
    let opens = |line: &str, name: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with('{'))
    };
    let is_main = lines().any(|line| OF_MAIN.iter().any(|name| opens(line, name)));
    let is_site = lines().any(|line| opens(line.trim_start(), "server"))
        && OF_HTTP.iter().any(|word| text.contains(word));
    // Others have blocks, too, without these.
    if !(is_main || is_site) || !text.contains(';') {
        return Some(Sort::Other);
    }
    // nginx's own variables are not written so: envsubst(1) puts a value there.
    let behind = text.split('$').skip(1);
    let mut names = behind.map(|rest| rest.trim_start_matches('{'));
    let is_filled_in = |name: &str| {
        let begins = name.chars().take(2);
        begins.filter(char::is_ascii_uppercase).count() == 2
    };
    match names.any(is_filled_in) {
        true => None,
        false if is_main => Some(Sort::Main),
        false => Some(Sort::Site),
    }
}

const OF_UNITS: [&str; 9] = word_list(
    "
    [Unit] [Service] [Timer] [Socket] [Path] [Mount] [Automount] [Slice] [Install]
",
);
/// Blocks at the top of an nginx.conf.
const OF_MAIN: [&str; 3] = ["events", "http", "stream"];
/// Words of a server that is one of HTTP.
const OF_HTTP: [&str; 4] = ["server_name", "location", "root ", "return "];
/// No folder of anybody.
const NOWHERE: &str = "\u{1}";

impl Alone {
    fn of(folder: PathBuf, paths: Vec<PathBuf>) -> Self {
        let nowhere = || Spanned::unwritten(Input::new(NOWHERE));
        Self {
            paths,
            folder,
            folders: Folders {
                sites: nowhere(),
                units: nowhere(),
                etc: nowhere(),
                infra: nowhere(),
            },
            etc: Vec::new(),
            is_compose: false,
        }
    }

    /// Units and their drop-ins in a folder.
    pub(crate) fn units(folder: PathBuf, paths: Vec<PathBuf>) -> Self {
        let mut alone = Self::of(folder, paths);
        alone.folders.units = here();
        alone
    }

    pub(crate) fn sites(paths: Vec<PathBuf>) -> Self {
        let folder = paths.first().and_then(|path| path.parent());
        let mut alone = Self::of(folder.unwrap_or(Path::new("")).to_owned(), paths.clone());
        alone.folders.sites = here();
        alone
    }

    /// An nginx.conf in a folder and what it includes, each with its place below /etc.
    pub(crate) fn nginx(folder: PathBuf, etc: Vec<(PathBuf, PathBuf)>) -> Self {
        let paths = etc.iter().map(|(path, _)| path.clone()).collect();
        let mut alone = Self::of(folder, paths);
        alone.folders.etc = here();
        alone.etc = etc;
        alone
    }

    /// What a file is: a unit or drop-in by its name, a compose file by its ending, a file of nginx by its folder, else a
    /// site.
    fn guess(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let parent = path.parent().unwrap_or(Path::new(""));
        let is_unit = |name: &str| Name::parse(name).is_ok();
        let above = parent.file_name().unwrap_or_default().to_string_lossy();
        let is_dropin = name.ends_with(".conf") && above.strip_suffix(".d").is_some_and(is_unit);
        let is_compose = name.ends_with(".yml") || name.ends_with(".yaml");
        let mut folder = parent;
        let mut alone = Self::of(PathBuf::new(), vec![path.to_owned()]);
        let folders = &mut alone.folders;
        let is_nginx = |above: &&Path| above.file_name().is_some_and(|name| name == "nginx");
        let etc = parent.ancestors().find(is_nginx).and_then(Path::parent);
        if is_unit(&name) {
            folders.units = here();
        } else if is_dropin {
            folder = parent.parent().unwrap_or(parent);
            folders.units = here();
        } else if !is_compose {
            let is_of_sites = above.starts_with("sites-");
            match etc.filter(|_| !is_of_sites) {
                Some(etc) => {
                    folder = etc;
                    folders.etc = here();
                }
                None => folders.sites = here(),
            }
        }
        alone.folder = folder.to_owned();
        alone.is_compose = is_compose;
        alone
    }

    /// The same, where its text says more than its name.
    fn known(self, path: &Path, text: &str) -> Self {
        let is_etc = self.folders.etc.as_str() != NOWHERE;
        let is_site = self.folders.sites.as_str() != NOWHERE;
        // Where nginx looks for such files itself.
        let parent = path.parent().unwrap_or(Path::new(""));
        match sort(text) {
            Some(Sort::Main) if is_site || is_etc => {
                let etc = vec![(path.to_owned(), PathBuf::from("nginx/nginx.conf"))];
                Self::nginx(parent.to_owned(), etc)
            }
            Some(Sort::Site) if is_etc && parent.ends_with("nginx") => {
                Self::sites(vec![path.to_owned()])
            }
            _ => self,
        }
    }
}

fn here() -> Spanned<Input> {
    Spanned::unwritten(Input::new("."))
}

impl Checkout {
    /// A single file. It is read as what its name and its folder say that it is, and nothing beside it.
    pub fn of_file(path: &Path) -> Result<Self> {
        let failed = |source| SourceError::Read {
            path: path.into(),
            source,
        };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let is_plain =
            |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let (root, below) = match path.components().all(is_plain) && !is_link {
            true => (PathBuf::from("."), path.to_owned()),
            false => (PathBuf::from("/"), path.canonicalize().map_err(failed)?),
        };
        let is_name = |part: &Component| matches!(part, Component::Normal(_));
        let below: PathBuf = below.components().filter(is_name).collect();
        // What is no file, or too large for one, is an error later.
        let content = match metadata.is_file() && metadata.len() <= MAX_SIZE {
            true => std::fs::read(path).map_err(failed)?,
            false => Vec::new(),
        };
        let text = String::from_utf8_lossy(&content);
        let alone = Alone::guess(&below).known(&below, &text);
        let root = root.canonicalize().map_err(failed)?;
        let mut checkout = Self::at(root, alone.folder.clone(), Some(metadata.uid()));
        checkout.places.alone = Some(alone);
        Ok(checkout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name_and_folder() {
        for (path, folder, kind) in [
            (
                "etc/systemd/system/api.service",
                "etc/systemd/system",
                "units",
            ),
            ("systemd/api.service.d/a.conf", "systemd", "units"),
            ("srv/app/stack.yml", "srv/app", "compose"),
            (
                "etc/nginx/sites-enabled/default",
                "etc/nginx/sites-enabled",
                "sites",
            ),
            ("etc/nginx/conf.d/a.conf", "etc", "etc"),
            ("etc/nginx/nginx.conf", "etc", "etc"),
            ("example.com.conf", "", "sites"),
        ] {
            let alone = Alone::guess(Path::new(path));
            let Folders {
                sites, units, etc, ..
            } = &alone.folders;
            let named = [("sites", sites), ("units", units), ("etc", etc)];
            let mut kinds = named
                .into_iter()
                .filter(|(_, folder)| folder.as_str() == ".");
            let known = kinds.next().map_or("compose", |(kind, _)| kind);
            assert_eq!(
                (alone.folder.to_str(), known),
                (Some(folder), kind),
                "{path}"
            );
            assert_eq!(alone.is_compose, kind == "compose", "{path}");
        }
    }

    #[test]
    fn files_are_known_by_their_text() {
        for (text, expected) in [
            ("[Unit]\nDescription=x\n", Some(Sort::Unit)),
            (
                "[Service]\nExecStart=/usr/bin/docker ps --format '{{.Names}}'\n",
                Some(Sort::Unit),
            ),
            ("[Service]\nExecStart={{ program }}\n", None),
            ("[D-BUS Service]\nName=a\n", Some(Sort::Other)),
            ("user www;\nevents{}\nhttp {\n}\n", Some(Sort::Main)),
            (
                "stream {\n  server { listen 1; proxy_pass a:1; }\n}\n",
                Some(Sort::Main),
            ),
            ("server { listen 80; server_name a; }\n", Some(Sort::Site)),
            (
                "upstream a { server b:1; }\nserver {\n  location / { }\n listen 80; }\n",
                Some(Sort::Site),
            ),
            (
                "server { listen 5432; proxy_pass db:5432; }\n",
                Some(Sort::Other),
            ),
            (
                "# server {\nlocation / { return 204; }\n",
                Some(Sort::Other),
            ),
            (
                "http {\n  port = 80\n}\nevents {\n  a = b\n}\n",
                Some(Sort::Other),
            ),
            ("server { listen 80; server_name ${DOMAIN}; }\n", None),
            ("server { listen 80; server_name $HOST; }\n", None),
            (
                "server { listen 80; return 301 https://${host}$request_uri; }\n",
                Some(Sort::Site),
            ),
            ("server { listen {{ port }}; server_name a; }\n", None),
            (
                "{% if tls %}\nserver { listen 443 ssl; server_name a; }\n{% endif %}\n",
                None,
            ),
        ] {
            assert_eq!(sort(text), expected, "{text}");
        }
    }
}
