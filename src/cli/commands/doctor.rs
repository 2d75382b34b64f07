//! `doctor`: what is wrong, why, and the command that helps.

use serde::Serialize;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::masks::{hidden, safe};
use crate::cli::options::Input;
use crate::cli::output::styled;
use crate::cli::render::{BAD, DIM, GOOD, HELP, WARN, count, layout};
use crate::cli::{DIFFERENCES, Failure};
use crate::reconcile::{self, Cause, Diagnosis, Question};

/// Find what is wrong, why, and the command that helps; writes nothing
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A URL; the name of a unit, container, stack or network; or an error such as 502 or "no space left on device". Without it: the whole host
    #[arg(value_name = "WHAT")]
    about: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply doctor                                    # the whole host; exits with 2 if something is wrong
  sudo watchme-apply doctor https://api.example.com/status     # sends one request to nginx and one to the upstream
  sudo watchme-apply doctor blog                               # a unit, container, stack or network
  sudo watchme-apply doctor 502                                # only causes of this error";

    type Json = Doctor;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Doctor> {
        let question = Question::of(self.about.as_deref()).map_err(Failure::Question)?;
        let request = session.request(session.known_folder()?, &Input::default());
        let found = reconcile::doctor(session.host()?, &request, &question).await?;
        if let Some(name) = found.unknown {
            return Err(Failure::NothingNamed { name });
        }
        let is_well = found.causes.is_empty();
        let status = if is_well { 0 } else { DIFFERENCES };
        if self.json {
            return Ok(Ended::with_json(status, Doctor::new(found)));
        }
        print(output, &found);
        Ok(Ended::with_text(status))
    }
}

fn print(output: &mut Output, found: &Diagnosis) {
    let width = layout::columns_of(output);
    let mut folded = |text: &str, indent: usize, style: anstyle::Style| {
        let text = safe(text);
        let blank = " ".repeat(indent);
        let lines = layout::folded(&text, width.saturating_sub(indent), 0);
        for line in lines {
            output.line(&format!("{blank}{}", styled(style, &line)));
        }
    };
    for (number, step) in found.steps.iter().enumerate() {
        folded(step, number.min(1) * 2, DIM);
    }
    for cause in &found.causes {
        folded(&cause.text, 0, BAD);
        for line in &cause.evidence {
            folded(line, 4, DIM);
        }
        for line in &cause.fix {
            folded(line, 2, HELP);
        }
    }
    for warning in &found.warnings {
        folded(&format!("warning: {warning}"), 0, WARN);
    }
    if found.drift > 0 {
        let number = count(found.drift, "deviation");
        let text = format!("{number} from git: sudo watchme-apply drift");
        folded(&text, 0, WARN);
    }
    match found.causes.len() {
        0 => folded("nothing wrong was found", 0, GOOD),
        number => folded(&count(number, "cause"), 0, anstyle::Style::new()),
    }
}

/// `doctor --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Doctor {
    format_version: u32,
    /// The way of the URL that was asked about.
    steps: Vec<String>,
    /// What is wrong, the nearest first.
    causes: Vec<Cause>,
    /// How many deviations `drift` reports.
    drift: usize,
    warnings: Vec<String>,
}

json::document!(Doctor = "doctor");

impl Doctor {
    fn new(found: Diagnosis) -> Self {
        let all = |lines: Vec<String>| lines.iter().map(|line| hidden(line)).collect();
        let causes = found.causes.into_iter().map(|cause| Cause {
            text: hidden(&cause.text),
            place: hidden(&cause.place),
            evidence: all(cause.evidence),
            fix: all(cause.fix),
            ..cause
        });
        Self {
            format_version: FORMAT_VERSION,
            steps: all(found.steps),
            causes: causes.collect(),
            drift: found.drift,
            warnings: all(found.warnings),
        }
    }
}
