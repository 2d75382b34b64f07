//! Paths of decrypted secrets that no file in `secrets/` provides.

use source_text::suggest;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::{Diagnostic, layout};

/// The rule.
pub(crate) static RULE: Rule = rule!(secret_unknown, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let units = context.units().all.iter().flat_map(|unit| {
        let sources = unit.settings.sources().iter();
        sources.map(|source| (source.file.path(), source.text()))
    });
    let compose = revision.parsed.compose.iter();
    let compose = compose.map(|(path, document)| (path.as_path(), document.source()));
    let start = format!("{}/", layout::SECRETS);
    // Of all texts few name a secret.
    let named = units
        .chain(compose)
        .filter(|(_, text)| text.contains(&start));
    for (path, text) in named {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let is_comment = line.trim_start().starts_with(['#', ';']);
            for (begin, _) in line.match_indices(&start).filter(|_| !is_comment) {
                let begin = begin + start.len();
                let rest = line.get(begin..).unwrap_or_default();
                let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                let name: String = rest.chars().take_while(|c| is_part(*c)).collect();
                let secrets = &revision.desired.secrets;
                // What follows from a variable or a specifier is not known.
                let is_open = |c: char| "$%*".contains(c);
                if secrets.contains_key(&name)
                    || rest
                        .get(name.len()..)
                        .is_some_and(|rest| rest.starts_with(is_open))
                {
                    continue;
                }
                let known = secrets.keys().map(String::as_str);
                let help = suggest(&name, known).unwrap_or_else(|| {
                    format!("watchme-apply secret edit {name} makes it; watchme-apply secret list shows those that are there")
                });
                let span = at + begin - start.len()..at + begin + name.len();
                let place = Diagnostic::at(
                    &revision.text(path),
                    span,
                    format!("no file in secrets/ provides {start}{name}"),
                    "nothing is there when this starts",
                );
                findings.push(RULE.at(Diagnostic {
                    help: Some(help),
                    ..place
                }));
            }
            at += line.len();
        }
    }
}
