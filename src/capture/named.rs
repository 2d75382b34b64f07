//! What is asked for by name: `site/api.example.com`, `api.example.com`, `web` for `web.service`, or a path.

use std::path::{Path, PathBuf};

use crate::model::{Kind, ResourceId, layout};

/// The names that were asked for.
pub(super) struct Names<'a> {
    names: &'a [String],
    /// Which of them something is called.
    known: Vec<bool>,
}

impl<'a> Names<'a> {
    pub(super) fn new(names: &'a [String]) -> Self {
        Self {
            names,
            known: vec![false; names.len()],
        }
    }

    /// Whether a resource, or something at one of these paths, is asked for.
    pub(super) fn has(&mut self, id: &ResourceId, paths: &[&Path]) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let whole = id.to_string();
        // A site lies in one folder, and nginx reads it from the other.
        let of_site = ["sites-available", "sites-enabled"]
            .map(|folder| Path::new(layout::NGINX).join(folder).join(&id.name));
        let mut paths = paths.to_vec();
        if id.kind == Kind::Site {
            paths.extend(of_site.iter().map(PathBuf::as_path));
        }
        let mut wanted = false;
        for (name, known) in self.names.iter().zip(&mut self.known) {
            let path = Path::new(name);
            let is_it = *name == whole
                || *name == id.name
                || id.name.strip_suffix(".service") == Some(name)
                // As `drift` has a member: `NETWORK/CONTAINER`, `NETWORK/PROJECT/SERVICE`.
                || id.kind == Kind::Member && id.name.split('/').skip(1).any(|part| part == name)
                || paths.contains(&path)
                || path.is_relative() && paths.iter().any(|known| known.ends_with(path));
            *known |= is_it;
            wanted |= is_it;
        }
        wanted
    }

    /// Those that nothing is called so far.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'a str> {
        let names = self.names.iter().zip(&self.known);
        names
            .filter(|(_, known)| !**known)
            .map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_several_names() {
        let id = ResourceId::new(Kind::Unit, "web.service");
        let path = Path::new("/etc/systemd/system/web.service");
        for (name, expected) in [
            ("web", true),
            ("web.service", true),
            ("unit/web.service", true),
            ("/etc/systemd/system/web.service", true),
            ("systemd/system/web.service", true),
            ("eb.service", false),
            ("site/web.service", false),
        ] {
            let asked = [name.to_owned()];
            let mut names = Names::new(&asked);
            assert_eq!(names.has(&id, &[path]), expected, "{name}");
            assert_eq!(names.rest().count(), usize::from(!expected));
        }
        assert!(Names::new(&[]).has(&id, &[]));
    }

    #[test]
    fn names_are_those_that_drift_prints_and_people_type() {
        let site = ResourceId::new(Kind::Site, "api.example.com");
        let member = ResourceId::new(Kind::Member, "net/app/adminer");
        for (id, name, expected) in [
            (&site, "sites-enabled/api.example.com", true),
            (&site, "/etc/nginx/sites-enabled/api.example.com", true),
            (&site, "sites-available/api.example.com", true),
            (&site, "sites-enabled/b", false),
            (&member, "member/net/app/adminer", true),
            (&member, "net/app/adminer", true),
            (&member, "adminer", true),
            (&member, "net", false),
        ] {
            let asked = [name.to_owned()];
            assert_eq!(Names::new(&asked).has(id, &[]), expected, "{name}");
        }
    }
}
