//! `show`: what a generation changed.

use serde::Serialize;

use super::history;
use super::{Command, Ended, Output, Ran, Session};
use crate::cli::json::{self, Change, FORMAT_VERSION};
use crate::cli::masks::safe;
use crate::cli::options::{Input, Show};
use crate::cli::output::{clean, styled};
use crate::cli::render::plan::{self, origin};
use crate::cli::render::{DIM, STRONG, WARN, identity, records, when};
use crate::model::{RanImage, RunRecord};
use crate::reconcile::{self, Lines, OtherImage, Shown};

/// Show what a generation changed compared with the previous one, with diffs
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Number of the generation, as shown by `history` [default: the newest one]
    #[arg(value_name = "N")]
    generation: Option<u64>,
    #[command(flatten)]
    show: Show,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply show                             # what the last apply changed
  sudo watchme-apply show 7                           # what generation 7 changed
  sudo watchme-apply plan --to-generation 6           # what `rollback 6` would do";

    type Json = Json;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Json> {
        let request = session.request(session.known_folder()?, &Input::default());
        let shown = reconcile::show(session.host()?, &request, self.generation)?;
        let show_secrets = self.show.show_secrets;
        if self.show.json {
            return Ok(Ended::with_json(0, Json::new(shown, show_secrets)));
        }
        print(output, &shown, show_secrets);
        Ok(Ended::with_text(0))
    }
}

fn print(output: &mut Output, shown: &Shown, show_secrets: bool) {
    let run = &shown.entry.run;
    let current = if shown.entry.current { ", current" } else { "" };
    let (number, from) = (shown.number, origin(&run.origin));
    let title = format!("generation {number}{current}: {from}");
    output.line(&styled(STRONG, &title));
    if let Some(author) = &run.origin.author {
        output.line(&format!("  author   {}", clean(author)));
    }
    let lines = shown.entry.lines.iter();
    let committed = lines.flat_map(|lines| &lines.log.commits);
    let mut committed = committed.filter(|line| Some(&line.commit) == run.origin.commit.as_ref());
    if let Some(line) = committed.next() {
        output.line(&format!("  commit   {} {}", line.commit, when(line.time)));
    }
    output.line(&format!("  applied  {}", clean(&applied(run))));
    let outcome = styled(records::tone(run.outcome), run.outcome.as_str());
    output.line(&format!("  outcome  {outcome}"));
    for reason in run.reason.iter().chain(&run.degraded) {
        output.line(&format!("           {}", safe(reason)));
    }
    let before = match (shown.before, &shown.before_origin) {
        (Some(number), Some(from)) => format!("generation {number}: {}", origin(from)),
        (Some(number), None) => format!("generation {number}"),
        (None, _) => "nothing: it is the first one".to_owned(),
    };
    output.line(&format!("  before   {before}"));
    if let Some(lines) = &shown.entry.lines {
        history::lines(output, lines, "    ");
    }
    changes(output, shown, show_secrets);
    for image in &shown.images {
        output.line(&format!("  {}", clean(&other(image))));
    }
    if !run.changes.is_empty() {
        output.line(&styled(DIM, "steps of the run:"));
        let steps = run.changes.iter();
        steps.for_each(|step| output.line(&format!("  {}", safe(step))));
    }
}

fn changes(output: &mut Output, shown: &Shown, show_secrets: bool) {
    if let Some(why) = &shown.unknown {
        let text = format!("no diffs: {}", safe(why));
        return output.line(&styled(WARN, &text));
    }
    if shown.changes.is_empty() {
        return output.line("nothing of the desired state changed");
    }
    output.line(&styled(DIM, "changes of the desired state:"));
    plan::changes(output, &shown.changes, show_secrets);
}

/// When, how long, by whom and how.
fn applied(run: &RunRecord) -> String {
    let seconds = run
        .began
        .map(|began| run.time.duration_since(began).as_secs());
    let took = seconds.map_or_else(String::new, |seconds| format!(", took {seconds} s"));
    let unattended = if run.unattended { ", unattended" } else { "" };
    let (when, by, what) = (when(run.time), &run.by, records::what(run));
    format!("{when} by {by}{unattended}{took} ({what})")
}

fn other(image: &OtherImage) -> String {
    let known =
        |ran: &RanImage| format!("{} {}", ran.image, identity(ran.digest.as_deref(), &ran.id));
    match (&image.before, &image.after) {
        (before, Some(after)) => {
            let before = before
                .as_ref()
                .map(|before| format!(" instead of {}", known(before)));
            let (name, before) = (&after.container, before.unwrap_or_default());
            format!("image of {name}: {}{before}", known(after))
        }
        (Some(before), None) => {
            let name = &before.container;
            format!("container {name} is gone, which ran {}", known(before))
        }
        (None, None) => String::new(),
    }
}

/// `show --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Json {
    format_version: u32,
    generation: u64,
    /// Whether it is what is applied now.
    current: bool,
    /// The generation that it is compared with; `null`: it is the first one.
    before: Option<u64>,
    run: RunRecord,
    /// The commits that it brought.
    git: Option<Lines>,
    /// What of the desired state changed; nothing where that is not known.
    changes: Vec<Change>,
    /// Why it is not known what changed.
    unknown: Option<String>,
    /// Containers that ran another image than in the generation before.
    images: Vec<OtherImage>,
}

json::document!(Json = "show");

impl Json {
    fn new(shown: Shown, show_secrets: bool) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            generation: shown.number,
            current: shown.entry.current,
            before: shown.before,
            changes: json::changes(&shown.changes, show_secrets),
            run: shown.entry.run,
            git: shown.entry.lines,
            unknown: shown.unknown,
            images: shown.images,
        }
    }
}
