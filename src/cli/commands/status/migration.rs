//! `status --migration`: what is left to do until all services use the shared network.

use serde::Serialize;

#[cfg(test)]
use super::json::Status;
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::output::{Output, clean, styled};
use crate::cli::render::{DIM, GOOD, STRONG, WARN, columns};
use crate::reconcile::{self, Legacy, MovedTo, Moving, Reply};

/// `status --migration --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Migration {
    format_version: u32,
    #[serde(flatten)]
    migration: reconcile::Migration,
}

impl Migration {
    pub(super) fn new(migration: reconcile::Migration) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            migration,
        }
    }
}

/// What `status` prints as JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Printed {
    /// The whole host.
    Status(Box<super::json::Status>),
    /// The migration alone.
    Migration(Migration),
}

json::document!(Printed: Status = "status", Migration = "migration");

pub(super) fn print(output: &mut Output, found: &reconcile::Migration) {
    for network in &found.networks {
        network_table(output, network);
    }
    if found.networks.is_empty() {
        output.line("the desired state has no network");
    }
    if !found.legacy.is_empty() {
        output.line(&styled(
            STRONG,
            "networks that are not in the desired state:",
        ));
        found.legacy.iter().for_each(|one| legacy(output, one));
    }
    for warning in &found.warnings {
        output.line(&format!("{} {}", styled(WARN, "warning"), clean(warning)));
    }
}

fn network_table(output: &mut Output, network: &MovedTo) {
    let done = network.services.iter().filter(|one| one.is_done()).count();
    let owner = match &network.owner {
        Some(owner) => format!(", created by {owner}"),
        None => String::new(),
    };
    let (name, all) = (&network.name, network.services.len());
    let title = format!("network {name}{owner}: {done} of {all} done");
    let style = match done == all {
        true => GOOD,
        false => STRONG,
    };
    output.line(&styled(style, &clean(&title)));
    let head = ["SERVICE", "UNIT", "EXTERNAL", "CONNECTED", "ORDERED"].map(str::to_owned);
    let row = |one: &Moving| {
        [
            one.name.clone(),
            one.unit.clone().unwrap_or_else(|| "-".to_owned()),
            word(&one.external),
            word(&one.connected),
            word(&one.ordered),
        ]
    };
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(network.services.iter().map(row))
        .collect();
    let table = columns(&rows);
    let mut lines = table.iter();
    if let Some(head) = lines.next() {
        output.line(&format!("  {}", styled(DIM, head)));
    }
    for (line, service) in lines.zip(&network.services) {
        let style = match service.is_done() {
            true => anstyle::Style::new(),
            false => WARN,
        };
        output.line(&format!("  {}", styled(style, line)));
        let all = [&service.external, &service.connected, &service.ordered];
        for why in all.into_iter().filter_map(|answer| answer.why.as_ref()) {
            output.line(&format!("      {}", styled(DIM, &clean(why))));
        }
    }
}

fn legacy(output: &mut Output, network: &Legacy) {
    let project = match &network.project {
        Some(project) => format!(" of the compose project {project}"),
        None => String::new(),
    };
    let instead = match &network.instead_of {
        Some(wanted) => format!(", instead of {wanted}"),
        None => String::new(),
    };
    let users = network.users.iter().map(|user| match user.running {
        true => user.name.clone(),
        false => format!("{} (stopped)", user.name),
    });
    let name = &network.name;
    let users = match network.users.is_empty() {
        true => format!("no container is on it: watchme-apply prune --network {name}"),
        false => users.collect::<Vec<_>>().join(", "),
    };
    let text = format!("{name}{project}{instead}: {users}");
    output.line(&format!("  {}", clean(&text)));
}

fn word(answer: &Reply) -> String {
    match answer.yes {
        Some(true) => "yes",
        Some(false) => "no",
        None if answer.why.is_some() => "?",
        None => "-",
    }
    .to_owned()
}
