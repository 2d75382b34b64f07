//! `drift`: how the host differs from what was last applied.

use serde::Serialize;

use super::{Command, Ended, Output, Ran, Session, refuse_if};
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::masks::safe;
use crate::cli::options::{Input, seconds};
use crate::cli::output::{clean, styled};
use crate::cli::render::plan::origin;
use crate::cli::render::{BAD, DIM, GOOD, WARN, count, diff, in_sync_but, records};
use crate::cli::{DIFFERENCES, logging, tell};
use crate::effect::Refusal;
use crate::model::{AskedImage, DriftItem, DriftKind, Selector};
use crate::reconcile;

/// Compare the host with what was last applied, and what was last applied with git
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Return the host to what was last applied; never applies a new commit
    #[arg(long)]
    fix: bool,
    /// Also ask the registries of all images: a tag that moved there is drift
    #[arg(long, conflicts_with = "fix")]
    images: bool,
    /// Send each finding once to the receivers in [notify]; for timers
    #[arg(long)]
    notify: bool,
    /// Compare only these resources; network includes its members; can be repeated
    #[arg(long, value_name = "KIND[/NAME]")]
    only: Vec<Selector>,
    /// Seconds to wait for another run to finish [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    lock_timeout: Option<u64>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Do not mask values in diffs that look like secrets
    #[arg(long)]
    show_secrets: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply drift                            # report; exits with 2 if there is drift
  sudo watchme-apply drift --images                   # also ask the registries whether a tag moved
  watchme-apply drift --fix                           # undo edits by hand
  watchme-apply drift --fix --only network            # only networks and their members";

    type Json = Drift;
    const CHANGES_THE_HOST: bool = true;

    fn changes_the_host(&self) -> bool {
        self.fix
    }

    fn tells(&self) -> bool {
        self.fix
    }

    fn validate(&self, offline: bool) -> Result<(), clap::Error> {
        let text = "--notify: an offline root (--root) notifies nobody\n";
        refuse_if(offline && self.notify, text)
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Drift> {
        let input = Input {
            only: self.only.clone(),
            ..Input::waiting(self.lock_timeout)
        };
        let request = session.request(session.known_folder()?, &input);
        let drift = if self.fix {
            let mut lines = session.lines(self.json);
            let fixed = reconcile::fix(session.host()?, &request, &mut lines).await?;
            lines.end();
            fixed
        } else {
            let mut found = reconcile::drift(session.host()?, &request).await?;
            if self.images {
                reconcile::ask_registries(session.host()?, &request, &mut found).await?;
            }
            found
        };
        logging::drift(&drift);
        // With --only, what is not found may be there all the same.
        if self.notify && self.only.is_empty() {
            let mut lines = session.lines(true);
            reconcile::tell_of_drift(session.host()?, &drift, &safe, &mut lines).await;
            tell::not_told(session, &lines);
        }
        let status = if drift.is_none() { 0 } else { DIFFERENCES };
        if self.json {
            return Ok(Ended::with_json(status, Drift::new(drift)));
        }
        print(output, &drift, self.show_secrets);
        Ok(Ended::with_text(status))
    }
}

/// Prints how the host deviates.
fn print(output: &mut Output, drift: &reconcile::Drift, show_secrets: bool) {
    for item in &drift.fixed {
        output.line(&format!("{}     {}", styled(GOOD, "fixed"), describe(item)));
    }
    for item in &drift.items {
        let kind = styled(colour(item.kind), &format!("{:<9}", item.kind.as_str()));
        output.line(&format!("{kind} {}", describe(item)));
        let refusals = drift.plan.refusals.iter();
        let same = |refusal: &&Refusal| refusal.id == item.resource && refusal.why == item.what;
        for line in refusals.filter(same).flat_map(|refusal| &refusal.help) {
            output.line(&format!("    {}", clean(line)));
        }
    }
    let changes = drift.plan.changes.iter();
    for change in changes.filter_map(|change| change.diff.as_ref()) {
        diff::print(output, change, show_secrets);
    }
    for image in &drift.images {
        // What could not be found out is a warning.
        if let (Some(why), None) = (&image.unknown, &image.local) {
            let text = format!("not asked {}: {why}", image.name);
            output.line(&styled(DIM, &clean(&text)));
        }
    }
    for warning in &drift.warnings {
        output.line(&format!("{}   {}", styled(WARN, "warning"), clean(warning)));
    }
    for note in &drift.notes {
        output.line(&format!("{}   {}", styled(DIM, "note"), clean(note)));
    }
    let applied = match &drift.applied {
        Some(record) => {
            let (number, origin) = (records::generation(record), origin(&record.origin));
            format!("{number}, {origin}")
        }
        None if drift.head.is_none() => {
            return output
                .line("nothing was applied yet, and there is no checkout to compare with");
        }
        None => {
            let number = count(drift.items.len(), "resource");
            return output.line(&format!("nothing was applied yet; {number} in git"));
        }
    };
    match drift.items.len() {
        0 if drift.incomplete => {
            let but = styled(WARN, &in_sync_but(&drift.warnings));
            output.line(&format!("{but}: {applied}"));
        }
        0 => output.line(&format!("{}: {applied}", styled(GOOD, "in sync"))),
        number => {
            let fixable = drift.items.iter().filter(|item| item.fixable).count();
            let help = match fixable {
                0 => String::new(),
                fixable => format!("; `watchme-apply drift --fix` fixes {fixable}"),
            };
            let number = count(number, "deviation");
            output.line(&format!("drift: {number} from {applied}{help}"));
        }
    }
}

fn describe(item: &DriftItem) -> String {
    clean(&format!("{}: {}", item.resource, item.what)).into_owned()
}

fn colour(kind: DriftKind) -> anstyle::Style {
    match kind {
        DriftKind::Degraded => BAD,
        _ => WARN,
    }
}

/// `drift --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Drift {
    format_version: u32,
    /// Also false when something was not compared.
    in_sync: bool,
    /// Whether something was not compared, because this user may not read it.
    incomplete: bool,
    /// Number of the generation that the host is compared with.
    generation: Option<u64>,
    items: Vec<DriftItem>,
    fixed: Vec<DriftItem>,
    warnings: Vec<String>,
    /// What runs on the host and is not managed: engines of users.
    notes: Vec<String>,
    /// With `--images`: each image that units name by a tag, with its digests here and in its registry.
    images: Vec<AskedImage>,
}

json::document!(Drift = "drift");

impl Drift {
    pub(super) fn new(drift: reconcile::Drift) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            in_sync: drift.is_none() && !drift.incomplete,
            incomplete: drift.incomplete,
            generation: drift.applied.as_ref().and_then(|record| record.number),
            items: drift.items,
            fixed: drift.fixed,
            warnings: drift.warnings,
            notes: drift.notes,
            images: drift.images,
        }
    }
}
