//! Folders that look like inputs and that nothing reads.

use std::path::{Path, PathBuf};

use source_text::SourceFile;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::Diagnostic;
use crate::source::{Parsed, Unread};

/// The rule.
pub(crate) static RULE: Rule = rule!(input_not_read, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let parsed = &context.revision().parsed;
    // The name of another input, almost: that is said already.
    let misspelt = context.names();
    let whole = parsed.unread.iter().filter(|unread| unread.key == "etc");
    let whole: Vec<&Path> = whole.map(|unread| unread.folder.as_path()).collect();
    // The folder of the whole configuration is said already.
    let is_of_nginx = |folder: &Path| {
        whole
            .iter()
            .any(|whole| folder != *whole && folder.starts_with(whole))
    };
    for Unread { folder, key, files } in &parsed.unread {
        let path = parsed.folder.join(folder);
        if misspelt.iter().any(|noted| noted.path() == path)
            || is_of_nginx(folder)
            || *key != "units" && is_mounted(parsed, &path)
        {
            continue;
        }
        let what = match (*key, files) {
            ("sites", 1) => "a site of nginx".to_owned(),
            ("sites", count) => format!("{count} sites of nginx"),
            ("etc", _) => "the configuration of nginx".to_owned(),
            (_, 1) => "a unit of systemd".to_owned(),
            (_, count) => format!("{count} units of systemd"),
        };
        let message = format!("an apply does not read this folder, which seems to have {what}");
        let help = match *key {
            "etc" => "to have them in /etc/nginx of the server, move them to etc/nginx".to_owned(),
            key => format!(
                "write into watchme.toml: [folders] {key} = {:?}",
                folder.to_string_lossy()
            ),
        };
        let path = match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path,
        };
        let place = Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "");
        let help = Some(help);
        findings.push(RULE.at(Diagnostic { help, ..place }));
    }
}

/// Whether a container mounts a folder, or something in it: its configuration is the container's.
fn is_mounted(parsed: &Parsed, folder: &Path) -> bool {
    let top = Path::new("/");
    let folder = top.join(folder);
    parsed.stacks.iter().any(|stack| {
        let of = stack.files.first().and_then(|file| file.parent());
        let of = top.join(of.unwrap_or(top));
        let services = stack.compose.services.values();
        let mut binds = services.flat_map(|service| service.binds(&of));
        binds.any(|bind| {
            bind.source.starts_with(&folder)
                || bind.source != top && folder.starts_with(bind.source)
        })
    })
}
