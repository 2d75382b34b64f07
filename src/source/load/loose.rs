//! Configuration of nginx and systemd outside the inputs of a desired state: in a folder that a container
//! mounts, among the files of a role, beside the source of a program. A survey checks it, each part by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Inputs;
use super::inputs::{is_backup, join};
use super::shape::LINKS;
use super::unread::{OF_NO_SERVER, is_unit};
use super::unreferenced::FOREIGN;
use crate::source::alone::{Alone, Sort, sort};
use crate::source::nginx::{self, Directive, loads};
use crate::source::policy::Folders;
use crate::source::tree::{HOSTS, Node};
use source_text::word_list;

/// How deep is looked, and among how many names.
const MAX_DEPTH: usize = 6;
const MAX_NAMES: usize = 20_000;
const AVAILABLE: &str = "sites-available";
const ENABLED: &str = "sites-enabled";
/// Folders in which parts of an nginx.conf are, whatever their names.
const PARTS: [&str; 12] = word_list(
    "
    conf.d http.d stream.d conf snippets includes include maps vhosts upstreams sites-available
    sites-enabled
",
);
/// Folders whose files nginx loads together.
const TOGETHER: [&str; 4] = ["conf.d", "http.d", AVAILABLE, ENABLED];

/// Ends of names that sites have wherever they are.
const SITE_ENDS: [&str; 3] = [".conf", ".nginx", ".vhost"];
/// Ends of names that no site has.
const NO_SITES: [&str; 10] =
    word_list(".disabled .dist .example .j2 .md .off .old .sample .template .txt");

/// What was found on the way.
#[derive(Default)]
struct Found {
    /// Folders of inputs.
    known: BTreeSet<PathBuf>,
    /// The one of units: folders in it are no inputs.
    of_units: Option<PathBuf>,
    /// Files of units by the folder of the units.
    units: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// nginx.conf and its likes.
    mains: Vec<PathBuf>,
    /// Files with servers.
    sites: BTreeSet<PathBuf>,
    /// Files that may be parts of an nginx.conf.
    parts: BTreeSet<PathBuf>,
    seen: usize,
}

/// Looks for configuration that is below none of the inputs, and says what belongs together.
pub(crate) fn loose(inputs: &Inputs<'_>, folder: &Path, folders: &Folders) -> Vec<Alone> {
    let known = [&folders.sites, &folders.etc];
    let known = known.into_iter().filter_map(|name| join(folder, name));
    let mut found = Found {
        known: known.chain([folder.join(HOSTS)]).collect(),
        of_units: join(folder, &folders.units),
        ..Found::default()
    };
    walk(inputs, folder, &mut found, 0);
    let mut all = Vec::new();
    for (folder, paths) in std::mem::take(&mut found.units) {
        all.push(Alone::units(folder, paths));
    }
    let mut loaded = BTreeSet::new();
    for main in &found.mains {
        let (alone, files) = whole(inputs, &found, main);
        loaded.extend(files);
        all.push(alone);
    }
    let mut sites: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for site in found.sites.iter().filter(|site| !loaded.contains(*site)) {
        let folder = site.parent().unwrap_or(Path::new(""));
        let is_together = TOGETHER.iter().any(|name| folder.ends_with(name));
        let key = if is_together { folder } else { site };
        sites.entry(key.to_owned()).or_default().push(site.clone());
    }
    for part in found.parts.iter().filter(|part| !loaded.contains(*part)) {
        if let Some(together) = part.parent().and_then(|folder| sites.get_mut(folder)) {
            together.push(part.clone());
        }
    }
    all.extend(sites.into_values().map(Alone::sites));
    all
}

fn walk(inputs: &Inputs<'_>, folder: &Path, found: &mut Found, depth: usize) {
    for name in inputs.tree.list(folder).unwrap_or_default() {
        found.seen += 1;
        let path = folder.join(&name);
        if found.seen > MAX_NAMES
            || name.starts_with('.')
            || is_backup(&name)
            || found.known.contains(&path)
        {
            continue;
        }
        // Links lead to what is found where it is, or out of the checkout.
        match inputs.node(&path) {
            Ok(Some((resolved, Node::Folder))) if resolved == path => {
                let is_left_out = FOREIGN.contains(&name.as_str())
                    || OF_NO_SERVER.contains(&&*name)
                    || LINKS.iter().any(|end| name.ends_with(end))
                    || inputs.folder_left_out(&path);
                if depth < MAX_DEPTH && !is_left_out {
                    walk(inputs, &path, found, depth + 1);
                }
            }
            Ok(Some((resolved, Node::File { .. })))
                if resolved == path && !inputs.left_out(&path) =>
            {
                take(inputs, path, &name, found);
            }
            _ => {}
        }
    }
}

/// Takes a file for what its name and its text say that it is.
fn take(inputs: &Inputs<'_>, path: PathBuf, name: &str, found: &mut Found) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let above = folder.file_name().unwrap_or_default().to_string_lossy();
    let of_dropins = above.strip_suffix(".d").is_some_and(is_unit) && name.ends_with(".conf");
    let is_part = PARTS.contains(&&*above);
    let is_named = name.ends_with(".conf") || is_part && !name.contains('.');
    // Names of sites have dots.
    let is_of_sites = [AVAILABLE, ENABLED].contains(&above.as_ref());
    let is_other = NO_SITES.iter().any(|end| name.ends_with(end));
    let is_site = is_of_sites && !is_other || SITE_ENDS.iter().any(|end| name.ends_with(end));
    if !is_unit(name) && !is_named && !is_site {
        return;
    }
    let Ok(Some((content, _))) = inputs.tree.read(&path) else {
        return;
    };
    let text = String::from_utf8_lossy(&content);
    match sort(&text) {
        Some(Sort::Unit) if of_dropins || is_unit(name) => {
            let of_units = match of_dropins {
                true => folder.parent().unwrap_or(Path::new("")),
                false => folder,
            };
            if found.of_units.as_deref() != Some(of_units) {
                let of_units = of_units.to_owned();
                found.units.entry(of_units).or_default().push(path);
            }
        }
        Some(Sort::Main) if name.ends_with(".conf") => found.mains.push(path),
        Some(Sort::Site) if is_site => {
            found.sites.insert(path);
        }
        Some(Sort::Other) if is_named => {
            found.parts.insert(path);
        }
        _ => {}
    }
}

/// An nginx.conf with what is beside it, and which of these files it loads.
fn whole(inputs: &Inputs<'_>, found: &Found, main: &Path) -> (Alone, BTreeSet<PathBuf>) {
    let folder = main.parent().unwrap_or(Path::new(""));
    // Without links or files of its own there, all sites are enabled.
    let (available, enabled) = (folder.join(AVAILABLE), folder.join(ENABLED));
    let has_enabled = found.sites.iter().any(|site| site.starts_with(&enabled));
    let below_etc = |path: &Path| match path.strip_prefix(&available) {
        Ok(site) if !has_enabled => Path::new("nginx").join(ENABLED).join(site),
        _ => Path::new("nginx").join(path.strip_prefix(folder).unwrap_or(path)),
    };
    let beside = found.sites.iter().chain(&found.parts);
    let beside = beside.filter(|path| path.starts_with(folder));
    let beside: Vec<&PathBuf> = beside.collect();
    let parse = |path: &Path| {
        let (content, _) = inputs.tree.read(path).ok().flatten()?;
        nginx::parse(path, &String::from_utf8_lossy(&content)).ok()
    };
    let mut patterns = Vec::new();
    let mut pending = parse(main).unwrap_or_default();
    let mut loaded = BTreeSet::new();
    loop {
        included(&pending, &mut patterns);
        pending.clear();
        for path in &beside {
            let place = below_etc(path);
            if patterns.iter().any(|pattern| loads(pattern, &place))
                && loaded.insert((*path).clone())
            {
                pending.extend(parse(path).unwrap_or_default());
            }
        }
        if pending.is_empty() {
            break;
        }
    }
    let files = loaded.iter().map(|path| (path.clone(), below_etc(path)));
    let main = (main.to_owned(), PathBuf::from("nginx/nginx.conf"));
    let files = std::iter::once(main).chain(files).collect();
    (Alone::nginx(folder.to_owned(), files), loaded)
}

/// What the includes of a configuration name.
fn included(level: &[Directive], patterns: &mut Vec<String>) {
    for directive in level {
        if let ("include", Some(word)) = (directive.name.as_str(), directive.args.first()) {
            patterns.push(word.text.to_string());
        }
        included(directive.block.as_deref().unwrap_or_default(), patterns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::policy::Policy;
    use crate::source::tree::{FolderTree, Tree};

    /// What belongs together: the folder, and where each file is read as what it is.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tree = Tree::from(FolderTree::new(folder.path()));
        let inputs = Inputs::of_folder(&tree, None);
        let all = loose(&inputs, Path::new(""), &Policy::default().folders);
        let shown = |alone: &Alone| {
            let paths = alone.paths.iter().map(|path| {
                let place = alone.etc.iter().find(|(of, _)| of == path);
                let place = place.map(|(_, place)| format!("={}", place.display()));
                format!(" {}{}", path.display(), place.unwrap_or_default())
            });
            paths.collect::<String>().trim_start().to_owned()
        };
        all.iter().map(shown).collect()
    }

    const SITE: &str = "server {\n  listen 80;\n  location / { return 204; }\n}\n";
    const MAIN: &str = "events { }\nhttp { include conf.d/*.conf; include /etc/nginx/sites-enabled/*; include snippets/a.conf; }\n";

    #[test]
    fn what_nginx_loads_belongs_together() {
        let files = [
            ("proxy/nginx.conf", MAIN),
            ("proxy/conf.d/a.conf", SITE),
            (
                "proxy/conf.d/zones.conf",
                "limit_req_zone $uri zone=a:1m rate=1r/s;\n",
            ),
            ("proxy/conf.d/off.txt", SITE),
            ("proxy/sites-available/b", SITE),
            ("proxy/snippets/a.conf", "gzip on;\n"),
            ("proxy/snippets/b.conf", "gzip off;\n"),
            ("proxy/default.conf", SITE),
            ("conf/a.nginx", SITE),
            ("conf/a.nginx.txt", SITE),
            ("conf/b.nginx", "worker_processes 1;\n"),
            ("web/nginx/conf.d/a.conf", SITE),
            ("web/nginx/conf.d/b.conf", SITE),
            ("web/nginx/conf.d/map.conf", "map $uri $x { a b; }\n"),
        ];
        let whole = "proxy/nginx.conf=nginx/nginx.conf proxy/conf.d/a.conf=nginx/conf.d/a.conf \
             proxy/conf.d/zones.conf=nginx/conf.d/zones.conf proxy/sites-available/b=nginx/sites-enabled/b \
             proxy/snippets/a.conf=nginx/snippets/a.conf";
        let expected = [
            whole,
            "conf/a.nginx",
            "proxy/default.conf",
            "web/nginx/conf.d/a.conf web/nginx/conf.d/b.conf web/nginx/conf.d/map.conf",
        ];
        assert_eq!(found(&files), expected);
    }

    #[test]
    fn units_of_a_folder_belong_together() {
        let unit = "[Service]\nExecStart=/bin/a\n";
        let files = [
            ("deploy/a.service", unit),
            ("deploy/a.service.d/b.conf", "[Service]\nMemoryMax=1G\n"),
            ("deploy/b.timer", "[Timer]\nOnCalendar=daily\n"),
            ("deploy/install.sh", "[Service]\n"),
            ("systemd/a.service", unit),
            ("systemd/a.service.d/b.conf", unit),
            ("systemd/user/c.service", unit),
            ("systemd/multi-user.target.wants/d.service", unit),
            ("tests/e.service", unit),
            ("node_modules/x/f.service", unit),
            (
                "org.example.Bus.service",
                "[D-BUS Service]\nName=org.example.Bus\n",
            ),
        ];
        let expected = [
            "deploy/a.service deploy/a.service.d/b.conf deploy/b.timer",
            "systemd/user/c.service",
        ];
        assert_eq!(found(&files), expected);
    }
}
