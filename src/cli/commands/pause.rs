//! `pause`: stops a unit and keeps it stopped.

use jiff::SignedDuration;

use super::{Command, Ended, NoJson, Output, Ran, Session};
use crate::cli::options::Input;
use crate::cli::output::{clean, styled};
use crate::cli::render::{WARN, records};
use crate::reconcile;

/// Stop a unit and keep it stopped, also after a reboot
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The unit, with or without `.service`, or its stack, its compose project or its container
    unit: String,
    /// For how long, such as 2h or 90m; after that, the next apply or `drift --fix` starts the unit [default: until resume]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<SignedDuration>,
    /// Why; shown by `status`
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply pause blog --reason \"database moves\"
  watchme-apply pause blog --for 2h --reason \"free memory\"";

    type Json = NoJson;
    const CHANGES_THE_HOST: bool = true;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<NoJson> {
        let request = session.request(session.known_folder()?, &Input::default());
        let mut lines = session.lines(false);
        let pause = reconcile::pause(
            session.host()?,
            &request,
            &self.unit,
            self.duration,
            &self.reason,
            &mut lines,
        );
        let (unit, pause) = pause.await?;
        lines.end();
        let text = records::pause(&unit, &pause);
        output.line(&format!("{} {}", styled(WARN, "paused"), clean(&text)));
        Ok(Ended::with_text(0))
    }
}

/// A longer pause has no end: leave `--for` out.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    parsed
        .filter(|time| time.is_positive() && *time < LONGEST)
        .ok_or_else(|| "expected a time such as 2h or 90m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_the_usual_ones() {
        assert_eq!(duration("2h"), Ok(SignedDuration::from_hours(2)));
        assert_eq!(duration("90m"), Ok(SignedDuration::from_mins(90)));
        for wrong in ["", "soon", "-2h", "0s", "8784h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
