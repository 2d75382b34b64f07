//! The table of routes, and the way of a URL.

use super::{BAD, DIM, GOOD, STRONG, WARN, columns, count};
use crate::cli::masks::mask;
use crate::cli::output::{Output, clean, styled};
use crate::model::Url;
use crate::source::nginx::router::{FAR, Outcome, Place, Step, Target};
use crate::source::routes::{Routes, Row};

/// So many locations that are out of the question are told one by one.
const SHOWN: usize = 3;

/// Prints every location of every server.
pub(in crate::cli) fn routes(output: &mut Output, routes: &Routes) {
    let table = routes.table();
    let head = ["URL", "LOCATION", "UPSTREAM", "CONTAINER", "UNIT"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(table.iter().map(|row| cells(routes, row)))
        .collect();
    let lines = columns(&rows);
    let mut lines = lines.iter();
    if let Some(head) = lines.next() {
        output.line(&styled(DIM, head));
    }
    let mut server = None;
    for (row, line) in table.iter().zip(lines) {
        if server != Some(row.server.place) {
            server = Some(row.server.place);
            let names = row.server.names().join(" ");
            let title = format!("server {names}");
            let place = spot(routes, row.server.place);
            output.line(&format!(
                "{} {}",
                styled(STRONG, &clean(title.trim_end())),
                styled(DIM, &clean(&place))
            ));
        }
        output.line(line);
    }
    output.line(&count(table.len(), "route"));
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
    [row.url.clone(), location, upstream, containers, units].map(|cell| mask(&cell).into_owned())
}

/// Containers and units behind the servers that are asked.
fn behind(routes: &Routes, targets: &[&Target]) -> (String, String) {
    let found = targets.iter().flat_map(|target| routes.behind(target));
    let (mut containers, mut units) = (Vec::new(), Vec::new());
    for behind in found {
        // How compose calls a container without a fixed name depends on its version.
        let project = behind.project;
        let container = behind.service.map(|(service, container)| {
            container.unwrap_or_else(|| format!("service {project}/{service}"))
        });
        for (names, name) in [
            (&mut containers, container),
            (&mut units, Some(behind.unit)),
        ] {
            names.extend(name.filter(|name| !names.contains(name)));
        }
    }
    let shown = |names: Vec<String>| match names.is_empty() {
        true => "-".to_owned(),
        false => names.join(","),
    };
    (shown(containers), shown(units))
}

/// What comes of a request, for a cell.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proxy(upstream) => upstream.to_string(),
        Outcome::Other { directive, to } => format!("{directive} {to}").trim_end().to_owned(),
        Outcome::Redirect { status, to } => format!("{status} {to}"),
        Outcome::Status { status, .. } => status.to_string(),
        Outcome::Files => "files".to_owned(),
        Outcome::Closed => "closed".to_owned(),
        Outcome::NotListening => "nobody listens".to_owned(),
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

/// Prints the way of a URL, step by step.
pub(in crate::cli) fn explained(output: &mut Output, routes: &Routes, url: &Url) {
    let answer = routes.explain(url);
    output.line(&styled(STRONG, &safe(&String::from(url.clone()))));
    for (number, step) in answer.steps.iter().enumerate() {
        let what = match step.place {
            Some(place) => format!("{} {}", place.text(), step.text),
            None => step.text.clone(),
        };
        let place = step.place.map(|place| {
            let place = format!("({})", spot(routes, place));
            format!(" {}", styled(DIM, &clean(&place)))
        });
        let place = place.unwrap_or_default();
        output.line(&format!("{:>3}. {}{place}", number + 1, safe(&what)));
        lost(output, routes, step);
    }
    let (style, text) = match &answer.outcome {
        Outcome::NotListening => (BAD, nobody_listens(routes, url)),
        outcome => end(outcome),
    };
    output.line(&format!("=> {}", styled(style, &safe(&text))));
    if let Outcome::NotKnown { why, possible, all } = &answer.outcome {
        why.iter()
            .for_each(|why| output.line(&format!("   depends on {}", safe(why))));
        for one in possible {
            output.line(&format!("   may be: {}", safe(&end(one).1)));
        }
        if !all {
            output.line("   may be: something else");
        }
    }
    let targets = answer.outcome.targets();
    if let (containers, units) = behind(routes, &targets)
        && units != "-"
    {
        let kind = match containers.starts_with("service ") {
            true => "",
            false => "container ",
        };
        output.line(&format!(
            "   {kind}{}, unit {}",
            clean(&containers),
            clean(&units)
        ));
    }
    for note in &answer.notes {
        output.line(&format!("   {} {}", styled(WARN, "note"), safe(note)));
    }
}

/// Those that could have decided instead; the many that are out of the question as a number.
fn lost(output: &mut Output, routes: &Routes, step: &Step) {
    let (far, near): (Vec<_>, Vec<_>) = step.lost.iter().partition(|(_, why)| why == FAR);
    let far = match far.len() > SHOWN {
        true => {
            let text = format!("     not {} others: {FAR}", far.len());
            output.line(&styled(DIM, &text));
            Vec::new()
        }
        false => far,
    };
    for (place, why) in near.into_iter().chain(far) {
        let line = format!(
            "     not {} ({}): {why}",
            place.text(),
            spot(routes, *place)
        );
        output.line(&styled(DIM, &safe(&line)));
    }
}

/// Safe for a terminal, and without what looks like a secret.
fn safe(text: &str) -> String {
    clean(&mask(text)).into_owned()
}

fn nobody_listens(routes: &Routes, url: &Url) -> String {
    let port = url.port();
    match routes.router.listening(port).is_empty() {
        true => format!("no enabled site listens on port {port}"),
        false => format!(
            "no enabled site listens on port {port} where this URL leads: they do at other addresses, such as 127.0.0.1"
        ),
    }
}

fn end(outcome: &Outcome) -> (anstyle::Style, String) {
    match outcome {
        Outcome::Proxy(upstream) => {
            let targets: Vec<String> = upstream.targets.iter().map(Target::to_string).collect();
            let of = match targets.as_slice() {
                [only]
                    if upstream.authority.starts_with(only.as_str())
                        || only.starts_with(&upstream.authority) =>
                {
                    String::new()
                }
                targets => format!(", {},", targets.join(" or ")),
            };
            (GOOD, format!("the upstream{of} receives {upstream}"))
        }
        Outcome::Redirect { status, to } => (
            STRONG,
            format!("the client is redirected ({status}) to {to}"),
        ),
        Outcome::Status { status, text } => {
            let text = text
                .as_ref()
                .map(|text| format!(": {text}"))
                .unwrap_or_default();
            (STRONG, format!("nginx answers {status}{text}"))
        }
        Outcome::Files => (
            STRONG,
            "nginx answers with a file of the host, if it is there".to_owned(),
        ),
        Outcome::Other { directive, to } => {
            (STRONG, format!("{directive} {to}").trim_end().to_owned())
        }
        Outcome::Closed => (BAD, "the connection is closed without an answer".to_owned()),
        Outcome::NotListening => (BAD, "nobody listens".to_owned()),
        Outcome::NotKnown { .. } => (WARN, "it cannot be known".to_owned()),
    }
}

fn spot(routes: &Routes, place: Place<'_>) -> String {
    format!("{}:{}", place.path.display(), routes.line(place))
}
