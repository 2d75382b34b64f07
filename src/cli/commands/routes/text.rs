//! The table of routes, and lines that fit the terminal.

use anstyle::Style;

use super::elsewhere::Part;
use crate::cli::masks::{hidden, safe};
use crate::cli::output::{Output, styled};
use crate::cli::render::{DIM, STRONG, WARN, count, layout};
use crate::source::nginx::router::{Located, Outcome, Target};
use crate::source::routes::{Routes, Row};

/// Prints every location of every server, and below those that are not applied.
pub(super) fn routes<'a>(output: &mut Output, routes: &Routes<'a>, parts: &[Part<'a>]) {
    let all = std::iter::once((None, routes)).chain(
        parts
            .iter()
            .map(|part| (Some(part.files.title()), &part.routes)),
    );
    let tables: Vec<_> = all
        .map(|(title, routes)| (title, routes, routes.table()))
        .collect();
    let head = ["URL", "LOCATION", "UPSTREAM", "CONTAINER", "UNIT"].map(str::to_owned);
    let cells = tables
        .iter()
        .flat_map(|(_, routes, table)| table.iter().map(|row| cells(routes, row)));
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(cells).collect();
    let labels = ["", "location", "upstream", "container", "unit"];
    let width = layout::columns_of(output);
    let lines = layout::fitted(&rows, &labels, width);
    let mut lines = lines.iter();
    for head in lines.next().into_iter().flatten() {
        output.line(&styled(DIM, head));
    }
    for (title, routes, table) in &tables {
        if let Some(title) = title {
            folded(output, title, WARN);
        }
        let mut server = None;
        for row in table {
            if server != Some(row.server.place) {
                server = Some(row.server.place);
                let names = row.server.names().join(" ");
                let title = format!("server {names}");
                let place = spot(routes, row.server.place);
                with_place(output, title.trim_end(), &place, STRONG);
            }
            let lines = lines.next().into_iter().flatten();
            lines.for_each(|line| output.line(line));
        }
    }
    let mut counts = tables.iter().map(|(_, _, table)| table.len());
    let total = count(counts.clone().sum(), "route");
    let applied = counts.next().unwrap_or_default();
    output.line(&match counts.sum() {
        0 => total,
        _ if applied == 0 => format!("{total}, not applied"),
        others => format!("{total}, {others} of them not applied"),
    });
}

fn cells(routes: &Routes, row: &Row) -> [String; 5] {
    let own = row.location.map(|location| location.head());
    let mut location = own.unwrap_or_else(|| "-".to_owned());
    let (upstream, targets) = match &row.answer {
        Some(answer) => {
            let end = answer
                .location
                .filter(|end| row.location.is_none_or(|own| own.place != end.place));
            if let Some(end) = end {
                location = format!("{location} -> {}", end.head());
            }
            (short(&answer.outcome), answer.outcome.targets())
        }
        None => {
            let says = row.says.map(|place| place.text());
            (says.unwrap_or_else(|| "-".to_owned()), Vec::new())
        }
    };
    let (containers, units) = behind(routes, &targets);
    [row.url.clone(), location, upstream, containers, units].map(|cell| hidden(&cell))
}

/// Containers and units behind the upstream's servers.
pub(super) fn behind(routes: &Routes, targets: &[&Target]) -> (String, String) {
    let found = targets.iter().flat_map(|target| routes.behind(target));
    let (mut containers, mut units) = (Vec::new(), Vec::new());
    for behind in found {
        // How compose calls a container without a fixed name depends on its version.
        let service = behind.service;
        let service = service.map(|(project, service)| format!("service {project}/{service}"));
        let container = behind.container.or(service);
        for (names, name) in [(&mut containers, container), (&mut units, behind.unit)] {
            names.extend(name.filter(|name| !names.contains(name)));
        }
    }
    let shown = |names: Vec<String>| match names.is_empty() {
        true => "-".to_owned(),
        false => names.join(","),
    };
    (shown(containers), shown(units))
}

/// How a request ends, for a cell.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proxy(upstream) => upstream.to_string(),
        Outcome::Other { directive, to } => format!("{directive} {to}").trim_end().to_owned(),
        Outcome::Redirect { status, to } => format!("{status} {to}"),
        Outcome::Status { status, .. } => status.to_string(),
        Outcome::Files => "files".to_owned(),
        Outcome::Closed => "closed".to_owned(),
        Outcome::NotListening => "nothing listens".to_owned(),
        Outcome::NotKnown { why, possible, .. } if possible.is_empty() => {
            format!("not known: {}", why.join(", "))
        }
        Outcome::NotKnown { possible, all, .. } => {
            let mut words: Vec<String> = possible.iter().map(short).collect();
            if !all {
                words.push("something else".to_owned());
            }
            words.join(" or ")
        }
    }
}

/// Prints a text in lines that fit.
pub(super) fn folded(output: &mut Output, text: &str, style: Style) {
    for line in lines(output, text) {
        output.line(&styled(style, &line));
    }
}

/// The same with a place behind the text.
pub(super) fn with_place(output: &mut Output, text: &str, place: &str, style: Style) {
    let place = safe(place);
    for line in lines(output, &format!("{text} {place}")) {
        output.line(&match line.strip_suffix(&place) {
            Some(text) => format!("{}{}", styled(style, text), styled(DIM, &place)),
            None => styled(style, &line),
        });
    }
}

/// A text in lines that fit; the others are indented further than the first.
fn lines(output: &Output, text: &str) -> Vec<String> {
    let text = safe(text);
    let inside = text.trim_start();
    let blank = text.strip_suffix(inside).unwrap_or_default();
    let width = layout::columns_of(output).saturating_sub(blank.len());
    let lines = layout::folded(inside, width, 0).into_iter();
    lines.map(|line| format!("{blank}{line}")).collect()
}

pub(super) fn spot(routes: &Routes, place: Located<'_>) -> String {
    format!("{}:{}", place.path.display(), routes.line(place))
}
