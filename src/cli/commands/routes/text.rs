//! The table of routes, and the steps of a URL.

use anstyle::Style;

use super::around::Around;
use crate::cli::masks::mask;
use crate::cli::output::{Output, clean, styled};
use crate::cli::render::{BAD, DIM, GOOD, STRONG, WARN, count, layout};
use crate::model::Url;
use crate::source::nginx::router::{FAR, Located, Outcome, Step, Target};
use crate::source::routes::{Routes, Row};

/// Up to this many locations that cannot match are listed one by one.
const SHOWN: usize = 3;

/// Prints every location of every server.
pub(super) fn routes(output: &mut Output, routes: &Routes) {
    let table = routes.table();
    let head = ["URL", "LOCATION", "UPSTREAM", "CONTAINER", "UNIT"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(table.iter().map(|row| cells(routes, row)))
        .collect();
    let labels = ["", "location", "upstream", "container", "unit"];
    let width = layout::columns_of(output);
    let lines = layout::fitted(&rows, &labels, width);
    let mut lines = lines.iter();
    for head in lines.next().into_iter().flatten() {
        output.line(&styled(DIM, head));
    }
    let mut server = None;
    for (row, lines) in table.iter().zip(lines) {
        if server != Some(row.server.place) {
            server = Some(row.server.place);
            let names = row.server.names().join(" ");
            let title = format!("server {names}");
            let place = spot(routes, row.server.place);
            with_place(output, title.trim_end(), &place, STRONG);
        }
        lines.iter().for_each(|line| output.line(line));
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

/// Containers and units behind the upstream's servers.
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

/// Prints what happens to a URL, step by step.
pub(super) fn explained(output: &mut Output, routes: &Routes, url: &Url, around: &Around) {
    let answer = routes.explain(url);
    output.line(&styled(STRONG, &safe(&String::from(url.clone()))));
    for (number, step) in answer.steps.iter().enumerate() {
        let what = match step.place {
            Some(place) if place.name() == "proxy_pass" => {
                format!("{}: {}", place.text(), step.text)
            }
            Some(place) => format!("{} {}", place.text(), step.text),
            None => step.text.clone(),
        };
        let text = format!("{:>3}. {what}", number + 1);
        match step.place {
            Some(place) => {
                let place = format!("({})", spot(routes, place));
                with_place(output, &text, &place, Style::new());
            }
            None => folded(output, &text, Style::new()),
        }
        lost(output, routes, step);
    }
    let (style, text) = match &answer.outcome {
        Outcome::NotListening => (BAD, nobody_listens(routes, url)),
        outcome => end(outcome),
    };
    folded(output, &format!("=> {text}"), style);
    if let Outcome::NotKnown { why, possible, all } = &answer.outcome {
        let why = why.iter().map(|why| format!("   depends on {why}"));
        let possible = possible
            .iter()
            .map(|one| format!("   may be: {}", end(one).1));
        let other = (!all).then(|| "   may be: something else".to_owned());
        for line in why.chain(possible).chain(other) {
            folded(output, &line, Style::new());
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
        let text = format!("   {kind}{containers}, unit {units}");
        folded(output, &text, Style::new());
    }
    for text in around.nobody(&targets) {
        folded(output, &format!("   {text}"), BAD);
    }
    for note in answer.notes.iter().chain(&around.uncounted(url.port())) {
        folded(output, &format!("   note: {note}"), WARN);
    }
}

/// Directives that were considered and did not apply; many that cannot match are only counted.
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
        folded(output, &line, DIM);
    }
}

/// Prints a text in lines that fit.
fn folded(output: &mut Output, text: &str, style: Style) {
    for line in lines(output, text) {
        output.line(&styled(style, &line));
    }
}

/// The same with a place behind the text.
fn with_place(output: &mut Output, text: &str, place: &str, style: Style) {
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

/// Safe for a terminal, and without what looks like a secret.
fn safe(text: &str) -> String {
    clean(&mask(text)).into_owned()
}

fn nobody_listens(routes: &Routes, url: &Url) -> String {
    let port = url.port();
    match routes.router.listening(port).is_empty() {
        true => format!("no enabled site listens on port {port}"),
        false => format!(
            "no enabled site listens on port {port} at the address of this URL, only at others such as 127.0.0.1"
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
        Outcome::NotListening => (BAD, "nothing listens".to_owned()),
        Outcome::NotKnown { .. } => (WARN, "the result is not known".to_owned()),
    }
}

fn spot(routes: &Routes, place: Located<'_>) -> String {
    format!("{}:{}", place.path.display(), routes.line(place))
}
