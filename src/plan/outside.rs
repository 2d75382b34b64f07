//! Code that a plan brings along, and that programs of the host would load as root: whoever applies it ought to
//! have read it.

use std::path::{Path, PathBuf};

use source_text::SourceFile;

use crate::effect::{Becomes, Plan};
use crate::model::finding::CODE_OUTSIDE_PACKAGES;
use crate::model::{Complaint, Desired, Diagnostic, File, Finding, layout};

/// Where packages put nginx's modules; a path that is relative is below the first.
const MODULES: [&str; 4] = [
    "modules/",
    "/usr/lib/nginx/modules/",
    "/usr/lib64/nginx/modules/",
    "/usr/share/nginx/modules/",
];

/// A finding for each place of a changed file that names such code.
pub fn outside_packages(plan: &Plan, desired: &Desired) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file) in changed(plan) {
        let text = String::from_utf8_lossy(&file.content);
        let shown = match file.private {
            true => text.replace(|c| c != '\n', ""),
            false => text.clone().into_owned(),
        };
        let source = SourceFile::new(&file.source, shown);
        for (number, line) in text.lines().enumerate() {
            let Some(what) = named(&path, line.trim(), desired) else {
                continue;
            };
            let diagnostic = Diagnostic::of_line(&source, number + 1, what);
            let finding = Finding {
                rule: &CODE_OUTSIDE_PACKAGES,
                severity: CODE_OUTSIDE_PACKAGES.severity,
                complaint: Complaint::Placed(Box::new(diagnostic)),
            };
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

/// Changed files, by where they lie below the live tree or the root.
fn changed(plan: &Plan) -> impl Iterator<Item = (PathBuf, &File)> {
    let files = plan.changes.iter().flat_map(|change| change.effect.files());
    files.filter_map(|file| {
        let Becomes::File { file: content, .. } = file.becomes else {
            return None;
        };
        let below = file.path.strip_prefix("/").unwrap_or(&file.path);
        Some((file.stored.unwrap_or(below).to_owned(), content))
    })
}

/// What a line makes programs load.
fn named(path: &Path, line: &str, desired: &Desired) -> Option<String> {
    if line.is_empty() || line.starts_with(['#', ';']) {
        return None;
    }
    let is_nginx = path.starts_with(layout::store::SITES) || path.starts_with("etc/nginx");
    if is_nginx {
        let rest = line.strip_prefix("load_module")?;
        let module = rest
            .trim()
            .trim_end_matches(';')
            .trim_matches(['"', '\'', ' ']);
        let of_a_package =
            MODULES.iter().any(|folder| module.starts_with(folder)) && !module.contains("..");
        return (!of_a_package).then(|| {
            format!("nginx would load {module} as root, which is in no folder of packages")
        });
    }
    if path == Path::new("etc/ld.so.preload") {
        return Some(format!("every program would load {line}"));
    }
    if path == Path::new("etc/ld.so.conf") || path.starts_with("etc/ld.so.conf.d") {
        return Some(format!("every program would look for libraries in {line}"));
    }
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    if path.starts_with("etc/ssl") {
        let loads = matches!(key, "module" | "dynamic_path" | "MODULE_PATH" | "SO_PATH");
        return loads.then(|| format!("every program that uses OpenSSL would load {value}"));
    }
    let is_unit = path.starts_with(layout::store::UNITS) || path.starts_with("etc/systemd");
    if is_unit && key.starts_with("Exec") {
        let command = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let command = Path::new(command.split_whitespace().next()?);
        let ours = desired.files.contains_key(command) || command.starts_with(layout::LIVE);
        return ours.then(|| format!("it runs {}, which comes with the commit", command.display()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_load_code() {
        let run = PathBuf::from("/home/ubuntu/c/run.sh");
        let desired = Desired {
            files: [(run, File::new("run.sh", b"x".to_vec(), true))].into(),
            ..Desired::default()
        };
        for (path, line, expected) in [
            (
                "etc/nginx/modules-enabled/x.conf",
                "load_module /etc/nginx/evil.so;",
                true,
            ),
            (
                "etc/nginx/nginx.conf",
                "load_module modules/ngx_x.so;",
                false,
            ),
            (
                "etc/nginx/nginx.conf",
                "load_module modules/../../evil.so;",
                true,
            ),
            (
                "etc/nginx/nginx.conf",
                "load_module /usr/lib/nginx/modules/x.so;",
                false,
            ),
            ("etc/nginx/nginx.conf", "# load_module /etc/x.so;", false),
            ("etc/ld.so.preload", "/etc/evil.so", true),
            ("etc/ld.so.conf.d/x.conf", "/srv/lib", true),
            ("etc/ssl/openssl.cnf", "module = /etc/ssl/evil.so", true),
            ("etc/ssl/openssl.cnf", "activate = 1", false),
            (
                "systemd/a.service",
                "ExecStart=-/home/ubuntu/c/run.sh --x",
                true,
            ),
            ("systemd/a.service", "ExecStart=/bin/sleep 1", false),
        ] {
            assert_eq!(
                named(Path::new(path), line, &desired).is_some(),
                expected,
                "{path}: {line}"
            );
        }
    }
}
