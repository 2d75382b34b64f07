//! `routes`: where public URLs come out, and why.

use super::args::{Args, RoutesArgs, RoutesCommand};
use super::output::{Output, clean};
use super::{Failure, check, json, render};
use crate::reconcile::ReconcileError;
use crate::source::routes::Routes;

/// Runs `routes`, and returns its exit status.
pub(super) fn run(args: &Args, routes: &RoutesArgs, output: &mut Output) -> Result<u8, Failure> {
    let checkout = check::open(args)?;
    let revision = checkout
        .read(&routes.which())
        .map_err(ReconcileError::from)?;
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
