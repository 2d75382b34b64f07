//! Copies of files that nginx loads like any other.

use std::path::Path;

use source_text::word_list;

use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::loads;

pub(crate) static RULE: Rule = rule!(nginx_backup_included, Error, run);

/// Endings that people, editors and packages give a file which is no more in use.
const ENDINGS: [&str; 18] = word_list(
    ".orig .save .old .bak .backup .copy .swp .tmp .rej .disabled .rpmsave .rpmnew .rpmorig \
    .dpkg-old .dpkg-dist .dpkg-new .dpkg-bak .ucf-old",
);

/// Complains about copies in the folders that nginx includes.
fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let revision = view.subject.revision;
    for site in revision.desired.sites.values().filter(|site| site.enabled) {
        let path = &site.file.source;
        if is_copy(path) {
            let message = format!(
                "{} looks like a copy, and is a site like any other",
                name(path)
            );
            findings.push(found(view, path, message, Severity::Error));
        }
    }
    let patterns = patterns(view);
    for pattern in &patterns {
        let etc = revision.desired.etc.iter();
        let loaded = etc.filter(|(path, _)| loads(pattern, path));
        for (_, entry) in loaded.filter(|(_, entry)| is_copy(&entry.file.source)) {
            let path = &entry.file.source;
            let message = format!(
                "{} looks like a copy, and include {pattern} loads it",
                name(path)
            );
            findings.push(found(view, path, message, Severity::Error));
        }
    }
    left_out(view, &patterns, findings);
}

/// Copies that are no resources here: nobody but this program knows that.
fn left_out(view: &View<'_>, patterns: &[&str], findings: &mut Findings) {
    let revision = view.subject.revision;
    let sites = sites_folder(view);
    for path in &revision.backups {
        let below = below_etc(view, path);
        let mut includes = patterns.iter();
        let include = match sites {
            Some(folder) if path.parent() == Some(folder) => Some("sites-enabled/*"),
            _ => below.and_then(|name| includes.find(|one| loads(one, name)).copied()),
        };
        let Some(include) = include else {
            continue;
        };
        let message = format!(
            "an apply skips the copy {}, but include {include} loads it if it is in that folder, or is linked there",
            name(path)
        );
        findings.push(found(view, path, message, Severity::Warning));
    }
}

/// An input's path below /etc.
fn below_etc<'p>(view: &View<'_>, path: &'p Path) -> Option<&'p Path> {
    let mut etc = view.subject.revision.desired.etc.iter();
    let root = etc.find_map(|(name, entry)| {
        let depth = name.components().count();
        entry.file.source.ancestors().nth(depth)
    })?;
    path.strip_prefix(root).ok()
}

/// Where the sites lie, as one of them tells.
fn sites_folder<'a>(view: &View<'a>) -> Option<&'a Path> {
    let site = view.subject.revision.desired.sites.values().next()?;
    site.file.source.parent()
}

/// The patterns that are included anywhere.
fn patterns<'v>(view: &'v View<'_>) -> Vec<&'v str> {
    fn collect<'v>(level: &'v [Node<'_>], found: &mut Vec<&'v str>) {
        for node in level {
            if node.name() == "include" && node.first().contains('*') {
                found.push(node.first());
            }
            collect(node.inside(), found);
        }
    }
    let mut found = vec!["conf.d/*.conf"];
    collect(&view.http, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn is_copy(path: &Path) -> bool {
    let name = name(path).to_lowercase();
    let numbered = name.split_once(".20").is_some_and(|(_, date)| {
        date.len() >= 6
            && date
                .chars()
                .all(|c| c.is_ascii_digit() || "_-.:t".contains(c))
    });
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.ends_with('~')
        || name.contains(".backup.")
        || numbered
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn found(view: &View<'_>, path: &Path, message: String, severity: Severity) -> Finding {
    let help = "remove it: git keeps what was there before".to_owned();
    let place = Diagnostic {
        help: Some(help),
        ..Diagnostic::of_line(&view.text(path), 1, message)
    };
    RULE.at(place).weighing(severity)
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    #[test]
    fn copies_that_are_loaded() {
        let server = |name: &str| format!("server {{ server_name {name}; }}");
        let found = |files: &[(&str, &str)]| said("nginx-backup-included", files);
        let (a, b) = (server("a"), server("b"));
        for name in [
            "a.orig",
            "a.old",
            "a.20250828_101500",
            "a.dpkg-old",
            "a.save",
        ] {
            let path = format!("sites-available/{name}");
            let said = found(&[("sites-available/a", &a), (&path, &b)]);
            assert!(
                said.len() == 1 && said[0].starts_with("E "),
                "{name}: {said:?}"
            );
        }
        for name in ["a.bak", "a~", "a.backup.20250828_101500"] {
            let path = format!("sites-available/{name}");
            let said = found(&[("sites-available/a", &a), (&path, "server {")]);
            assert!(
                said.len() == 1 && said[0].starts_with("W "),
                "{name}: {said:?}"
            );
        }
        for name in [
            "a.example.org",
            "api.v2",
            "README.md",
            "2025.example.org",
            "old.example.org",
        ] {
            let path = format!("sites-available/{name}");
            assert_eq!(found(&[(&path, &b)]), [""; 0], "{name}");
        }
        let main = "http { include conf.d/*; include sites-enabled/*; }";
        let copy = ("etc/nginx/conf.d/x.conf.old", "gzip on;");
        assert_eq!(found(&[copy]), [""; 0], "Debian's nginx.conf takes *.conf");
        assert_eq!(found(&[copy, ("etc/nginx/nginx.conf", main)]).len(), 1);
        let left_out = ("etc/nginx/conf.d/x.conf.bak", "gzip on;");
        let said = found(&[left_out, ("etc/nginx/nginx.conf", main)]);
        assert!(said.len() == 1 && said[0].starts_with("W "), "{said:?}");
        let debian = ("etc/nginx/conf.d/y.conf", "gzip on;");
        assert_eq!(
            found(&[left_out, debian, ("sites-available/a", &a)]),
            [""; 0]
        );
    }
}
