//! `ports`: who has which port, and which are free.

mod json;
mod text;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::{Command, Ended, Output, Ran, Session};
use crate::check::Subject;
use crate::check::ports::{Ports, ports as of_subject};
use crate::cli::Failure;
use crate::cli::elsewhere::Elsewhere;
use crate::host::Host;
use crate::host::sockets::listeners;
use crate::model::{Listener, StoppedPort};
use crate::source::Revision;
use crate::source::policy::StackPolicy;
use crate::state::State;

/// Show who declares, proxies and listens on each port
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// List the free ports of a range, such as 8001-8099
    #[arg(long, value_name = "FROM-TO", value_parser = range)]
    free: Option<(u16, u16)>,
    /// Read this revision instead of the work tree: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let range = from.trim().parse().ok().zip(to.trim().parse().ok());
    range
        .filter(|(from, to)| from <= to && *from > 0)
        .ok_or_else(|| "expected a range such as 8001-8099".to_owned())
}

/// The ports of a desired state beside those of this host.
pub(super) struct Table {
    /// Those of the desired state.
    ports: Ports,
    /// What listens here; `None` if the desired state is not this host's.
    listeners: Option<Vec<Listener>>,
    /// Those of configuration that is not applied, if it has any.
    elsewhere: Vec<(Elsewhere, Ports)>,
    /// Those that the next copies of stacks come on: none has them now.
    kept: BTreeSet<u16>,
}

impl Table {
    /// The ports of a revision, or of the work tree, and that revision.
    pub(super) async fn look(
        session: &Session<'_>,
        rev: Option<&str>,
        output: &mut Output,
    ) -> Result<(Revision, Self), Failure> {
        let host = session.host()?;
        let (revision, wrong) = session.survey_the_rest(rev, output)?;
        let ports = of_subject(&Subject {
            revision: &revision,
            wrong: &wrong,
        });
        let elsewhere = session.survey_elsewhere(rev, &revision, output)?;
        let elsewhere = elsewhere.into_iter().map(|part| {
            let ports = of_subject(&part.subject());
            (part, ports)
        });
        let elsewhere = elsewhere.filter(|(_, ports)| !ports.is_empty()).collect();
        let listeners = match is_managed(host) {
            true => Some(with_stopped(listeners(), host.stopped_ports().await)),
            false => None,
        };
        let stacks = revision.parsed.policy.stacks.values();
        let kept = stacks.filter_map(StackPolicy::copies).flatten().collect();
        let table = Self {
            ports,
            listeners,
            elsewhere,
            kept,
        };
        Ok((revision, table))
    }

    /// The ports that are not free.
    pub(super) fn taken(&self) -> BTreeSet<u16> {
        // Whoever has not applied a file may start what it says in another way.
        let all = self.elsewhere.iter().map(|(_, ports)| ports);
        let all = std::iter::once(&self.ports).chain(all);
        let declared = all.flat_map(|ports| ports.keys().map(|(number, _)| *number));
        declared
            .chain(self.listeners.iter().flatten().map(|one| one.port))
            .chain(self.kept.iter().copied())
            .collect()
    }
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  watchme-apply ports
  watchme-apply ports --free 8001-8099";

    type Json = json::Ports;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<json::Ports> {
        let (_, table) = Table::look(session, self.rev.as_deref(), output).await?;
        let free: Option<Vec<u16>> = self.free.map(|(from, to)| {
            let taken = table.taken();
            (from..=to).filter(|port| !taken.contains(port)).collect()
        });
        if self.json {
            return Ok(Ended::with_json(0, json::Ports::new(&table, free)));
        }
        match free {
            Some(free) => text::free(output, &free, table.listeners.is_some()),
            None => text::table(output, &table),
        }
        Ok(Ended::with_text(0))
    }
}

/// Who listens, and the containers that will once they start.
fn with_stopped(mut listeners: Vec<Listener>, stopped: Vec<StoppedPort>) -> Vec<Listener> {
    let stopped = stopped.into_iter().filter_map(|one| {
        let protocol = match one.port.protocol.as_str() {
            "tcp" => "tcp",
            "udp" => "udp",
            _ => return None,
        };
        Some(Listener {
            port: one.port.port,
            protocol,
            address: one.port.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            program: Some(format!("{} (stopped)", one.container)),
            unit: None,
        })
    });
    listeners.extend(stopped);
    listeners.sort();
    listeners
}

/// Whether something was applied to this host: only then it matters what listens.
fn is_managed(host: &Host) -> bool {
    let recorded = State::new(host.root().clone()).recorded();
    host.is_live() && recorded.is_ok_and(|recorded| !recorded.inventory.is_empty())
}
