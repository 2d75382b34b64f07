//! Sites of nginx, and what they name outside its folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::found::{Category, Found, Taken, quoted};
use super::look::{HostFile, Look, is_leftover, name_of};
use crate::host::{HostError, Origin};
use crate::model::{Entry, Kind, layout};

/// Where nginx of Debian has its sites.
const AVAILABLE: &str = "/etc/nginx/sites-available";
/// Where the links to those are that count.
const ENABLED: &str = "/etc/nginx/sites-enabled";

/// Takes sites, those that are not enabled as well.
pub(super) fn take(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    let sites = look.root().list(Path::new(ENABLED))?;
    if !sites.is_empty() && !look.host.nginx().observe()?.installed {
        found.leave(ENABLED, "nginx is not installed");
        return Ok(());
    }
    let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
    for path in sites {
        enabled(look, found, &path, &mut taken)?;
    }
    for path in look.root().list(Path::new(AVAILABLE))? {
        let name = name_of(&path);
        if taken.contains(&path) || is_leftover(&name) {
            continue;
        }
        match look.file(&path)? {
            Some(file) if look.origin(&file) == Origin::Package => {}
            Some(file) => site(look, found, &name, &file, false),
            None => found.leave(path.to_string_lossy(), "it is not a regular file"),
        }
    }
    Ok(())
}

/// Takes what an entry of `sites-enabled` leads to.
fn enabled(
    look: &Look<'_>,
    found: &mut Found,
    path: &Path,
    taken: &mut BTreeSet<PathBuf>,
) -> Result<(), HostError> {
    let name = name_of(path);
    let content = match look.root().entry(path)? {
        Entry::Link { leads_to, .. } => match leads_to {
            Some(to) => to,
            None => {
                found.leave(path.to_string_lossy(), "the link is broken");
                return Ok(());
            }
        },
        _ => path.to_owned(),
    };
    let available = layout::site_available(&name);
    taken.insert(available.clone());
    taken.insert(content.clone());
    let Some(file) = look.file(&content)? else {
        found.leave(path.to_string_lossy(), "it is not a regular file");
        return Ok(());
    };
    if look.origin(&file) == Origin::Package {
        let why = "it is as its package installed it: the package can go on updating it";
        found.leave(path.to_string_lossy(), why);
        return Ok(());
    }
    if content.parent() == Some(Path::new(AVAILABLE)) && content != available {
        let why = format!(
            "its link has another name than {}: the desired state enables a site under its own name",
            content.display()
        );
        found.leave(path.to_string_lossy(), why);
        return Ok(());
    }
    site(look, found, &name, &file, true);
    Ok(())
}

fn site(look: &Look<'_>, found: &mut Found, name: &str, file: &HostFile, enabled: bool) {
    let from = file.path.to_string_lossy().into_owned();
    let text = String::from_utf8_lossy(&file.content).into_owned();
    if let Some(why) = look.keeps_out(file, found) {
        return found.leave(from, why);
    }
    named(found, name, &text);
    let mut taken = Taken::new(Category::Sites, Kind::Site, name, from);
    taken.add(Path::new("sites-available").join(name), file, 0o644);
    if !enabled {
        taken.settings = format!("[site.{}]\nenabled = false\n", quoted(name));
    }
    found.taken.push(taken);
}

/// Says which files a site names that are not managed.
fn named(found: &mut Found, site: &str, text: &str) {
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(directive), Some(path)) = (words.next(), words.next()) else {
            continue;
        };
        let path = path.trim_end_matches(';').trim_matches(['"', '\'']);
        if !path.starts_with('/') {
            continue;
        }
        match directive {
            "ssl_certificate_key" => found.secret(path, format!("private key of the site {site}")),
            "auth_basic_user_file" => found.secret(path, format!("passwords of the site {site}")),
            "include"
                if !path.starts_with("/etc/nginx/") && !path.starts_with("/usr/share/nginx/") =>
            {
                let why = match path.starts_with("/etc/letsencrypt/") {
                    true => "certbot writes it",
                    false if path.starts_with("/etc/") => continue,
                    false => "only files below /etc are managed",
                };
                let what = format!("{path}, which the site {site} includes");
                if !found.left.iter().any(|left| left.what == what) {
                    found.leave(what, why);
                }
            }
            _ => {}
        }
    }
}
