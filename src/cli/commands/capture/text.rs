//! A capture as text.

use std::path::Path;

use crate::capture::{Captured, Edit};
use crate::cli::output::{Output, clean, styled};
use crate::cli::render::{DIM, GOOD, STRONG, WARN, count, diff};
use crate::effect::Diff;
use crate::model::shell::word;

/// Prints what would be written, as a diff, and what is left.
pub(super) fn print(output: &mut Output, captured: &Captured, show_secrets: bool) {
    for (path, edit) in &captured.edits {
        let how = match (&edit.old, edit.merged) {
            (None, _) => "new: ",
            (_, true) => "merged with what changed in the checkout: ",
            (_, false) => "",
        };
        let line = format!("{}  ({how}{})", edit.id, edit.from);
        output.line(&styled(STRONG, &clean(&line)));
        diff::print(output, &shown(path, edit), show_secrets);
    }
    for path in &captured.already {
        let text = format!("{} already has the edit of the host", path.display());
        output.line(&styled(DIM, &clean(&text)));
    }
    if !captured.left.is_empty() {
        output.line(&styled(WARN, "not captured:"));
    }
    for left in &captured.left {
        let what = format!("  {}: {}", left.what, left.why);
        output.line(&clean(&what));
        output.line(&format!("    {}", clean(&left.help)));
    }
    warn(output, &captured.warnings);
}

pub(super) fn warn(output: &mut Output, warnings: &[String]) {
    for warning in warnings {
        output.line(&format!("{}   {}", styled(WARN, "warning"), clean(warning)));
    }
}

/// An edit as a diff of the file in the checkout.
pub(super) fn shown(path: &Path, edit: &Edit) -> Diff {
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    Diff {
        old_path: path.to_owned(),
        new_path: path.to_owned(),
        old: edit.old.as_deref().map(text),
        new: Some(text(&edit.new)),
    }
}

/// What is asked on a terminal.
pub(super) fn question(captured: &Captured) -> String {
    let files = count(captured.edits.len(), "file");
    format!("this writes {files} in {}", captured.checkout.display())
}

/// Prints how it ended, and what comes next; `named` is what was asked for.
pub(super) fn end(output: &mut Output, captured: &Captured, named: &[String], written: bool) {
    let checkout = captured.checkout.display().to_string();
    let checkout = clean(&checkout);
    if captured.is_empty() {
        let nothing = styled(GOOD, "nothing to capture");
        return output.line(&format!(
            "{nothing}: the files of the host are as they were applied"
        ));
    }
    let files = count(captured.edits.len(), "file");
    match (captured.edits.is_empty(), written) {
        (true, _) if captured.already.is_empty() => output.line("nothing was written"),
        (true, _) if captured.left.is_empty() => {
            output.line("nothing to write: commit what the checkout has, and apply");
        }
        (true, _) => output.line("nothing was written"),
        (false, true) => {
            let wrote = styled(GOOD, "wrote");
            output.line(&format!("{wrote} {files} in {checkout}; next:"));
            output.line(&format!("    cd {checkout} && git add -A && git commit"));
            output.line("    sudo watchme-apply plan      # takes over what the host has");
        }
        (false, false) => {
            let (nothing, command) = (styled(WARN, "nothing was written"), command(named));
            let command = clean(&command);
            output.line(&format!(
                "{nothing}: {command} writes {files} in {checkout}"
            ));
        }
    }
}

/// The same again, as a shell takes it, that writes.
fn command(named: &[String]) -> String {
    let words = named.iter().map(|name| format!("{} ", word(name)));
    let words: String = words.collect();
    format!("sudo watchme-apply capture {words}--yes")
}
