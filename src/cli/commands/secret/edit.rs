//! `secret edit`: decrypts to memory, runs the editor, encrypts again.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sealed_file::{Identities, Plain};
use tokio::signal::unix::{SignalKind, signal};

use super::SecretFailure;
use super::checkout::{Checkout, Target};
use super::memory::Memory;
use crate::cli::Failure;
use crate::cli::output::{Output, clean};
use crate::cli::session::Session;

/// No secret is larger.
const SIZE: u64 = 8 << 20;

/// Edits a secret, or makes one.
pub(super) async fn edit(
    session: &Session<'_>,
    output: &mut Output,
    name: &str,
    named: &[PathBuf],
) -> Result<(), Failure> {
    let checkout = Checkout::open(session)?;
    let target = checkout.target(name)?;
    target.demand_age("edit")?;
    let recipients = checkout.recipients()?;
    let keys = match &target.secret {
        Some(_) => checkout.identities(named)?,
        None => Identities::default(),
    };
    let before = target.open(&keys)?;
    let after = edited(&target, &before, output).await?;
    let shown = target.shown.display().to_string();
    if after.is(before.bytes()) {
        output.line(&format!("{} was not changed", clean(&shown)));
        return Ok(());
    }
    let sealed = checkout.sealed(&target, &after, &recipients)?;
    checkout.write(&target, &sealed)?;
    let count = recipients.len();
    let whom = if count == 1 {
        "recipient"
    } else {
        "recipients"
    };
    output.line(&format!(
        "wrote {}, encrypted for {count} {whom}: commit it, then apply",
        clean(&shown)
    ));
    Ok(())
}

/// Has the editor change what is in a secret.
async fn edited(
    target: &Target,
    before: &Plain,
    output: &mut Output,
) -> Result<Plain, SecretFailure> {
    let folder = Memory::new()?;
    if !folder.is_private() {
        output.aside(&format!(
            "note: the kernel does not allow a private file system for this process: if it is killed, the edited text stays in {}",
            folder.path().display()
        ));
    }
    let path = folder.path().join(&target.name);
    let failed = |doing: &str| {
        let doing = format!("{doing} {}", path.display());
        move |source| SecretFailure::Io { doing, source }
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path);
    let written = file.and_then(|mut file| file.write_all(before.bytes()));
    written.map_err(failed("write"))?;
    run_editor(&path).await?;
    let mut after = Vec::with_capacity(before.bytes().len() + 4096);
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(&path);
    let read = file.and_then(|file| file.take(SIZE).read_to_end(&mut after));
    let after = Plain::new(after);
    read.map_err(failed("read"))?;
    folder.close()?;
    Ok(after)
}

/// Runs `$VISUAL` or `$EDITOR` on a file. Words are split at blanks, and no shell sees them.
async fn run_editor(path: &Path) -> Result<(), SecretFailure> {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let command = named.into_iter().find(|text| !text.trim().is_empty());
    let command = command.unwrap_or_else(|| "editor".to_owned());
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("editor").to_owned();
    let failed = |source: io::Error| SecretFailure::Editor {
        program: program.clone(),
        source,
    };
    // What is typed for the editor must not end this program, which has to take the file away.
    let mut kept = Vec::new();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        kept.push(signal(kind).map_err(failed)?);
    }
    let status = tokio::process::Command::new(&program)
        .args(words)
        .arg(path)
        .status()
        .await
        .map_err(failed)?;
    drop(kept);
    match status.success() {
        true => Ok(()),
        false => Err(SecretFailure::EditorFailed { program, status }),
    }
}
