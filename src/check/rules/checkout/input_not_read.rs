//! Folders that look like inputs and that nothing reads.

use source_text::SourceFile;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::Diagnostic;
use crate::source::Unread;

/// The rule.
pub(crate) static RULE: Rule = rule!(input_not_read, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let parsed = &context.revision().parsed;
    // The name of another input, almost: that is said already.
    let misspelt = context.names();
    for Unread { folder, key, files } in &parsed.unread {
        let path = parsed.folder.join(folder);
        if misspelt.iter().any(|noted| noted.path() == path) {
            continue;
        }
        let what = match (*key, files) {
            ("sites", 1) => "a site of nginx".to_owned(),
            ("sites", count) => format!("{count} sites of nginx"),
            ("etc", _) => "the configuration of nginx".to_owned(),
            (_, 1) => "a unit of systemd".to_owned(),
            (_, count) => format!("{count} units of systemd"),
        };
        let message = format!("nothing reads this folder, which seems to have {what}");
        let help = match *key {
            "etc" => {
                "move its files to etc/nginx, from where nginx has them in /etc/nginx".to_owned()
            }
            key => format!(
                "write into watchme.toml: [folders] {key} = {:?}",
                folder.to_string_lossy()
            ),
        };
        let place = Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "");
        let help = Some(help);
        findings.push(RULE.at(Diagnostic { help, ..place }));
    }
}
