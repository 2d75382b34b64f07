//! `secret rotate`: encrypts for whoever is a recipient now.

use std::path::PathBuf;

use super::checkout::Checkout;
use crate::cli::Failure;
use crate::cli::output::{Output, clean};
use crate::cli::render::count;
use crate::cli::session::Session;
use crate::model::SecretForm;

/// Encrypts secrets anew: all of age, or those that are named. None is written before all could be.
pub(super) fn rotate(
    session: &Session<'_>,
    output: &mut Output,
    names: &[String],
    named: &[PathBuf],
) -> Result<(), Failure> {
    let checkout = Checkout::open(session)?;
    let recipients = checkout.recipients()?;
    let mut targets = Vec::new();
    for name in names {
        let target = checkout.known(name)?;
        target.demand_age("updatekeys")?;
        targets.push(target);
    }
    if names.is_empty() {
        for (name, secret) in &checkout.revision.desired.secrets {
            let path = &secret.file.source;
            match secret.form {
                SecretForm::Age => targets.push(checkout.known(name)?),
                _ => output.aside(&format!(
                    "{} was not changed: sops updatekeys {0}",
                    clean(&path.to_string_lossy())
                )),
            }
        }
    }
    if targets.is_empty() {
        output.line("no secret to re-encrypt");
        return Ok(());
    }
    let keys = checkout.identities(named)?;
    let mut sealed = Vec::new();
    for target in &targets {
        let plain = target.open(&keys)?;
        sealed.push(checkout.sealed(target, &plain, &recipients)?);
    }
    for (target, sealed) in targets.iter().zip(&sealed) {
        checkout.write(target, sealed)?;
        output.line(&format!("wrote {}", clean(&target.shown.to_string_lossy())));
    }
    output.line(&format!(
        "{} re-encrypted for {}: commit them; an apply restarts nothing because of it",
        count(targets.len(), "secret"),
        count(recipients.len(), "recipient")
    ));
    Ok(())
}
