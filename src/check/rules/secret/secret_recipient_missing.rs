//! Secrets that are not encrypted for all whom watchme.toml names, as far as that shows without a key.

use sealed_file::{Form, Recipient};

use crate::check::rules::prelude::*;
use crate::model::SecretForm;

pub(crate) static RULE: Rule = rule!(secret_recipient_missing, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let policy = &revision.parsed.policy;
    let recipients = policy.secrets.recipients.iter();
    let all: Vec<Recipient> = recipients.map(|key| (***key).clone()).collect();
    for (name, secret) in &revision.desired.secrets {
        let Ok(about) = Form::from(secret.form).look(&secret.file.content) else {
            continue;
        };
        let lacking = policy.secrets.recipients.iter().zip(&all);
        let mut lacking = lacking.filter(|(_, key)| !key.is_among(&about.stanzas, &all));
        // One finding for a file: one command mends it.
        if let Some((key, recipient)) = lacking.next() {
            let source = secret.file.source.display();
            let help = match secret.form {
                SecretForm::Age => format!(
                    "on a machine that can decrypt it: watchme-apply secret rotate {name}; then commit it"
                ),
                _ => format!(
                    "on a machine that can decrypt it: sops updatekeys {source}; then commit it"
                ),
            };
            let message = format!("{source} is not encrypted for {recipient}");
            let expected = "whoever has this key cannot decrypt it";
            let place = policy
                .file
                .complain(key.span(), message, expected, Some(help));
            findings.push(RULE.at(Diagnostic { ..place }));
        }
    }
}
