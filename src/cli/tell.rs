//! Who is told how a run ended: what is sent is cleaned and masked, and who was not told is said.

use jiff::Timestamp;

use super::ended::Ran;
use super::masks::safe;
use super::output::styled;
use super::progress::Lines;
use super::render::WARN;
use super::session::Session;
use super::{DIFFERENCES, Failure};
use crate::reconcile;

/// Tells how a run ended, once that is known for certain.
pub(super) async fn run<J>(session: &Session<'_>, began: Timestamp, ran: &Ran<J>) {
    let ended = match ran {
        Ok(ran) if ran.status == DIFFERENCES => reconcile::Ended::Skipped,
        Ok(ran) => reconcile::Ended::Well {
            began,
            in_sync: ran.in_sync.as_deref(),
        },
        Err(Failure::Reconcile(error)) => reconcile::Ended::Badly {
            began,
            failure: error,
        },
        Err(_) => return,
    };
    if let Ok(host) = session.host() {
        let mut lines = session.lines(true);
        reconcile::tell_of_run(host, ended, &safe, &mut lines).await;
        not_told(session, &lines);
    }
}

/// Says who was not told. That is no part of the result, which may be JSON.
pub(super) fn not_told(session: &Session<'_>, lines: &Lines) {
    for warning in lines.warnings() {
        let word = styled(WARN, "warning:");
        session.output().aside(&format!("{word} {}", safe(warning)));
    }
}
