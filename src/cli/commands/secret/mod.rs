//! `secret`: the encrypted files of the checkout, and what is decrypted of them at boot.

mod checkout;
mod edit;
mod error;
mod list;
mod memory;
mod rotate;

use std::path::PathBuf;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::render::count;
use crate::reconcile;
pub(in crate::cli) use error::SecretFailure;
use list::Listed;

/// List, edit and re-encrypt the files in secrets/ of the checkout
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Decrypt a secret, open it in $VISUAL or $EDITOR, and encrypt the result for the recipients in watchme.toml
    #[command(after_help = "\
Examples:
  watchme-apply secret edit app.env                   # writes secrets/app.env.age; creates it if it does not exist
  watchme-apply secret edit tls.key --identity key.txt")]
    Edit {
        /// Name of the secret, such as app.env
        name: String,
        #[command(flatten)]
        keys: Keys,
    },
    /// List the secrets, for whom each is encrypted, and who uses it; needs no key
    #[command(after_help = "\
Example:
  watchme-apply secret list --json")]
    List {
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Re-encrypt secrets for the recipients in watchme.toml; all secrets unless some are named
    #[command(after_help = "\
Examples:
  watchme-apply secret rotate                         # after a change of recipients
  watchme-apply secret rotate app.env")]
    Rotate {
        /// Names of the secrets
        names: Vec<String>,
        #[command(flatten)]
        keys: Keys,
    },
    /// Decrypt the applied secrets to /run/watchme-apply/secrets; a unit runs this at boot
    #[command(after_help = "\
Example:
  watchme-apply secret load")]
    Load,
}

/// What opens secrets.
#[derive(Debug, clap::Args)]
struct Keys {
    /// An age or ssh-ed25519 private key; can be repeated [default: the host's key, ~/.config/age/keys.txt,
    /// ~/.config/sops/age/keys.txt and ~/.ssh/id_ed25519, if readable]
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply secret list
  watchme-apply secret edit app.env
  watchme-apply secret rotate";

    type Json = Listed;
    const CHANGES_THE_HOST: bool = true;

    fn changes_the_host(&self) -> bool {
        matches!(self.action, Action::Load)
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Listed> {
        match &self.action {
            Action::Edit { name, keys } => {
                edit::edit(session, output, name, &keys.identity).await?;
            }
            Action::List { json } => {
                let listed = list::list(session)?;
                if *json {
                    return Ok(Ended::with_json(0, listed));
                }
                listed.print(output);
            }
            Action::Rotate { names, keys } => {
                rotate::rotate(session, output, names, &keys.identity)?;
            }
            Action::Load => {
                let loaded = reconcile::load_secrets(session.host()?)?;
                output.line(&match loaded {
                    0 => "no secrets were applied".to_owned(),
                    1 => "1 secret is decrypted in memory".to_owned(),
                    _ => format!("{} are decrypted in memory", count(loaded, "secret")),
                });
            }
        }
        Ok(Ended::with_text(0))
    }
}
