//! An import as text.

use clap::ValueEnum as _;

use crate::cli::output::{Output, clean, styled};
use crate::cli::render::{STRONG, columns, count, plan_summary};
use crate::import::{Category, Imported};

/// Prints what was taken, where secrets are, what is left, what the first apply does, and what comes next.
pub(super) fn print(output: &mut Output, imported: &Imported, dry_run: bool) {
    let checkout = imported.checkout.to_string_lossy();
    let found = &imported.found;
    let title = match dry_run {
        true => format!("{checkout} would have, and nothing was written:"),
        false => format!("{checkout} is a new repository of one commit, with:"),
    };
    output.line(&styled(STRONG, &clean(&title)));
    let rows = found.taken.iter();
    let rows = rows.map(|taken| [taken.id.to_string(), taken.from.clone()]);
    let rows: Vec<[String; 2]> = rows.collect();
    table(output, &rows);
    let kinds = Category::value_variants().iter().filter_map(|kind| {
        let of_it = found.taken.iter().filter(|taken| taken.kind == *kind);
        let of_it = of_it.count();
        (of_it > 0).then(|| match (of_it, kind) {
            (1, _) => format!("1 {}", kind.one()),
            (_, Category::Etc) => format!("{of_it} files of /etc"),
            (_, Category::Networks) => format!("{of_it} networks and members"),
            _ => count(of_it, kind.one()),
        })
    });
    let kinds: Vec<String> = kinds.collect();
    output.line(&match kinds.is_empty() {
        true => "taken: nothing".to_owned(),
        false => format!("taken: {}", kinds.join(", ")),
    });
    if !found.secrets.is_empty() {
        output.line(&styled(STRONG, "secrets, which are not in git:"));
        let secrets = found.secrets.iter();
        let rows: Vec<[String; 2]> = secrets
            .map(|secret| [secret.path.clone(), secret.what.clone()])
            .collect();
        table(output, &rows);
    }
    if !found.left.is_empty() {
        output.line(&styled(STRONG, "not managed:"));
        for left in &found.left {
            output.line(&format!("  {}: {}", clean(&left.what), clean(&left.why)));
        }
    }
    output.line(&plan_summary(&imported.planned));
    let takes_over = found
        .taken
        .iter()
        .any(|taken| taken.kind == Category::Compose);
    let stacks = match takes_over {
        true => "; a start is that of a stack whose containers keep running",
        false => "",
    };
    output.line(&format!(
        "the first apply stops and restarts nothing, and changes no content: files become links into the store{stacks}"
    ));
    if !dry_run {
        output.line(&format!("next: cd {}, and", clean(&checkout)));
        for command in [
            "watchme-apply check          # errors and risks in the files",
            "sudo watchme-apply plan      # what the first apply does",
            "sudo watchme-apply           # takes the server over",
        ] {
            output.line(&format!("    {command}"));
        }
    }
}

fn table(output: &mut Output, rows: &[[String; 2]]) {
    for line in columns(rows) {
        output.line(&format!("  {line}"));
    }
}
