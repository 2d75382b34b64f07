//! `routes`: where public URLs come out, and why.

use super::args::{Args, RoutesArgs, RoutesCommand};
use super::masks::mask;
use super::output::{Output, clean};
use super::{Failure, check, json, render};
use crate::reconcile::ReconcileError;
use crate::source::routes::Routes;

/// Runs `routes`, and returns its exit status.
pub(super) fn run(args: &Args, routes: &RoutesArgs, output: &mut Output) -> Result<u8, Failure> {
    let checkout = check::open(args)?;
    let (revision, wrong) = checkout
        .survey(&routes.which())
        .map_err(ReconcileError::from)?;
    for place in &wrong {
        let line = place.position().line;
        let path = place.path().display();
        let text = format!("{path}:{line} is left out: {}", place.message);
        output.aside(&format!("warning: {}", clean(&mask(&text))));
    }
    if !routes.json {
        for warning in &revision.warnings {
            output.aside(&format!("warning: {}", clean(warning)));
        }
    }
    let found = Routes::of(&revision);
    match (&routes.command, routes.json) {
        (None, false) => render::routes(output, &found),
        (None, true) => output.json(&json::Routes::new(&found)),
        (Some(RoutesCommand::Explain { url }), false) => render::explained(output, &found, url),
        (Some(RoutesCommand::Explain { url }), true) => {
            output.json(&json::Explained::new(&found, url));
        }
    }
    Ok(0)
}
