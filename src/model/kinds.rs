//! What follows from the table of kinds: their names, what a revision wants, and which resource a path belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gate::Gate;
use super::id::{Hash, ResourceId, Selector};
use super::notify::Notifier;
use super::resource::Resource;
use super::seconds;
use crate::kinds::table::with_kinds;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $word:literal $module:ident::$of:ident $(=> $field:ident: $resource:ident)?,)+) => {
        $(pub use crate::kinds::$module::data::*;)+

        /// What sort of thing a resource is; the words that `--only` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// The word used on the command line and in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$kind => $word,)+
                }
            }
        }

        /// Everything that one revision wants, with the bytes of its files.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Desired {
            $($(
                #[doc = concat!("What is wanted of the kind `", $word, "`.")]
                pub $field: BTreeMap<<$resource as Resource>::Key, $resource>,
            )?)+
            /// Host paths at which nothing may be.
            pub absent: BTreeSet<PathBuf>,
            /// Whether a self-signed pair is written where a site's certificate does not exist.
            pub bootstrap_certificates: bool,
            /// Longest wait for the last requests to an old unit before it is stopped; `None`: the longest
            /// `proxy_read_timeout` of the applied sites.
            pub drain_timeout: Option<Duration>,
            /// How long the gates have to pass before an old unit is stopped.
            #[serde(with = "seconds")]
            pub soak: Duration,
            /// Expectations about health that decide between commit and rollback.
            pub gates: Vec<Gate>,
            /// Memory for services, in bytes: units that replace each other run side by side only if it is enough for both.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub memory: Option<u64>,
            /// Stacks that watchme.toml says not to run.
            #[serde(skip_serializing_if = "BTreeSet::is_empty")]
            pub unstarted: BTreeSet<String>,
            /// The socket of its container engine; `None`: that of Docker.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub engine: Option<PathBuf>,
            /// Who gets notified of what happened, by name.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            pub notify: BTreeMap<String, Notifier>,
        }

        impl Desired {
            /// Whether nothing at all is wanted.
            pub fn is_empty(&self) -> bool {
                true $($(&& self.$field.is_empty())?)+
            }

            /// A hash of each resource.
            pub fn hashes(&self) -> BTreeMap<ResourceId, Hash> {
                let mut hashes = BTreeMap::new();
                $($(hashes.extend(self.$field.iter().map(|(key, one)| (one.id(key), one.hash())));)?)+
                hashes
            }

            /// Ids of all resources.
            pub fn ids(&self) -> Vec<ResourceId> {
                let mut ids = Vec::new();
                $($(ids.extend(self.$field.iter().map(|(key, one)| one.id(key)));)?)+
                ids
            }

            /// Every file of the checkout by its path in the store.
            pub fn inputs(&self) -> Vec<(PathBuf, &File)> {
                let mut files = Vec::new();
                $($(files.extend(self.$field.iter().flat_map(|(key, one)| one.files(key)));)?)+
                files
            }

            /// The same, to fill in their content.
            pub fn inputs_mut(&mut self) -> Vec<(PathBuf, &mut File)> {
                let mut files = Vec::new();
                $($(files.extend(self.$field.iter_mut().flat_map(|(key, one)| one.files_mut(key)));)?)+
                files
            }

            /// Every file of the store by its path there: those of the checkout, and those that are written beside them.
            pub fn tree(&self) -> BTreeMap<PathBuf, File> {
                let mut tree = BTreeMap::new();
                $($(
                    if <$resource>::STORE.is_some() {
                        let files = self.$field.iter().flat_map(|(key, one)| one.files(key));
                        tree.extend(files.map(|(path, file)| (path, file.clone())));
                    }
                )?)+
                $($(tree.extend(self.$field.iter().filter_map(|(key, one)| one.generated(key, self)));)?)+
                tree
            }

            /// What a host is held to of the resources.
            pub(super) fn lasting_resources(self) -> Self {
                Self {
                    $($($field: self.$field.into_iter().map(|(key, one)| (key, one.lasting())).collect(),)?)+
                    ..self
                }
            }

            /// Its resources where `only` selects them, those of `applied` elsewhere.
            pub(super) fn merged_resources(self, applied: Self, only: &[Selector]) -> Self {
                Self {
                    $($($field: merge(applied.$field, self.$field, only),)?)+
                    ..applied
                }
            }
        }

        impl ResourceId {
            /// The resource to which a path of the host belongs; `None` for those of the store and the records.
            pub fn at(path: &Path) -> Option<Self> {
                let mut found = None;
                // What is specific comes after `etc`, which takes all that is below /etc.
                $($(found = <$resource>::at(path).map(|name| Self::new(Kind::$kind, name)).or(found);)?)+
                found
            }

            /// The resource to which a path of the store belongs.
            pub fn of_stored(path: &Path) -> Option<Self> {
                let folder = path.iter().next()?.to_str()?;
                let below = path.strip_prefix(folder).ok()?;
                $($(
                    if <$resource>::STORE == Some(folder) {
                        return Some(Self::new(Kind::$kind, <$resource>::named_by(below)));
                    }
                )?)+
                None
            }
        }
    };
}

with_kinds!(kinds);

/// `new` where `only` selects, `applied` elsewhere.
fn merge<R: Resource>(
    applied: BTreeMap<R::Key, R>,
    new: BTreeMap<R::Key, R>,
    only: &[Selector],
) -> BTreeMap<R::Key, R> {
    let selected = |key: &R::Key, one: &R| R::is_selected(&one.id(key), only);
    let kept = applied.into_iter().filter(|(key, one)| !selected(key, one));
    let taken = new.into_iter().filter(|(key, one)| selected(key, one));
    kept.chain(taken).collect()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_host_belongs_to_one_resource() {
        let of = |path: &str| ResourceId::at(Path::new(path)).map(|id| id.to_string());
        for (path, id) in [
            ("/etc/systemd/system/a.service", Some("unit/a.service")),
            (
                "/etc/systemd/system/multi-user.target.wants/a.service",
                Some("unit/a.service"),
            ),
            (
                "/etc/systemd/system/a.service.d/x.conf",
                Some("unit/a.service"),
            ),
            ("/etc/nginx/sites-enabled/a", Some("site/a")),
            (
                "/etc/nginx/snippets/x.conf",
                Some("etc/nginx/snippets/x.conf"),
            ),
            ("/etc/app/x.conf", Some("etc/app/x.conf")),
            ("/etc/watchme-apply/live/etc/x", None),
            ("/var/lib/watchme-apply/loaded.json", None),
        ] {
            assert_eq!(of(path).as_deref(), id, "{path}");
        }
    }

    #[test]
    fn a_path_of_the_store_belongs_to_one_resource() {
        let of = |path: &str| ResourceId::of_stored(Path::new(path)).map(|id| id.to_string());
        for (path, id) in [
            ("sites-available/a", Some("site/a")),
            ("systemd/a.service", Some("unit/a.service")),
            ("systemd/a.service.d/x.conf", Some("unit/a.service")),
            ("etc/app/x.conf", Some("etc/app/x.conf")),
            ("files/compose/a.yml", Some("file/compose/a.yml")),
            (".leaving/a", None),
        ] {
            assert_eq!(of(path).as_deref(), id, "{path}");
        }
    }
}
