//! What this program takes from nginx's configuration, beside what [`nginx_conf`] reads there.

mod backend;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use backend::{behind_port, behind_url};
pub use nginx_conf::*;

use crate::model::Desired;

/// What is said of a site of Apache httpd.
pub const OF_APACHE: &str = "this is a site of Apache httpd, which nginx cannot read";

/// The files of a desired state that nginx reads: sites by name and files by their path below /etc, parsed.
pub fn files<'a>(
    desired: &'a Desired,
    sites: &'a BTreeMap<String, Vec<Directive>>,
    etc: &'a BTreeMap<PathBuf, Vec<Directive>>,
) -> Files<'a> {
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
    Files::new(sites.collect(), etc.collect())
}
