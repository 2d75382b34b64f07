//! Paths of decrypted secrets that no file in `secrets/` provides.

use source_text::suggest;

use crate::check::rules::prelude::*;
use crate::model::layout;

pub(crate) static RULE: Rule = rule!(secret_unknown, Error, run);

/// The command that makes a secret.
fn makes(name: &str) -> String {
    format!(
        "watchme-apply secret edit {name} creates it; watchme-apply secret list shows the existing ones"
    )
}

/// Secrets that `[notify.NAME]` names.
fn notifiers(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let secrets = &revision.desired.secrets;
    let policy = &revision.parsed.policy;
    for (notifier, written) in &policy.notify {
        let Some(name) = &written.secret_file else {
            continue;
        };
        if name.starts_with('/') || secrets.contains_key(name.as_str()) {
            continue;
        }
        let known = secrets.keys().map(String::as_str);
        let help = suggest(name, known).unwrap_or_else(|| makes(name));
        let message = format!("no file in secrets/ provides {}", name.as_str());
        let expected = format!("[notify.{}] could not send anything", notifier.as_str());
        findings.push(
            RULE.at(policy
                .file
                .complain(name.span(), message, expected, Some(help))),
        );
    }
}

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let units = context.units().all.iter().flat_map(|unit| {
        let sources = unit.settings.sources().iter();
        sources.map(|source| (source.file.path(), source.text()))
    });
    let compose = revision.parsed.compose.iter();
    let compose = compose.map(|(path, document)| (path.as_path(), document.source()));
    notifiers(context, findings);
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
                let help = suggest(&name, known).unwrap_or_else(|| makes(&name));
                let span = at + begin - start.len()..at + begin + name.len();
                let message = format!("no file in secrets/ provides {start}{name}");
                let expected = "this file does not exist when this starts";
                let place = Diagnostic::at(&revision.text(path), span, message, expected);
                findings.push(RULE.at(place.helped(help)));
            }
            at += line.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tests::checked;

    #[test]
    fn a_notifier_names_a_secret_that_is_there() {
        let found = |file: &str| {
            let policy = format!(
                "[notify.chat]\nwebhook = \"https://example.com/{{secret}}\"\nsecret_file = \"{file}\"\n"
            );
            let findings = checked(&[("watchme.toml".to_owned(), policy)]);
            let own = findings
                .iter()
                .filter(|one| one.rule.name == "secret-unknown");
            own.count()
        };
        assert_eq!(found("slack"), 1);
        assert_eq!(found("/root/slack"), 0);
    }
}
