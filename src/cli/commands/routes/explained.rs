//! The steps of a URL.

use anstyle::Style;

use super::around::Around;
use super::elsewhere::{Part, fitting};
use super::text::{behind, folded, spot, with_place};
use crate::cli::output::{Output, styled};
use crate::cli::render::{BAD, DIM, GOOD, STRONG, WARN};
use crate::model::Url;
use crate::source::nginx::router::{Answer, FAR, Outcome, Step, Target};
use crate::source::routes::Routes;

/// Up to this many locations that cannot match are listed one by one, and so many parts that are not applied.
const SHOWN: usize = 3;

/// Prints what happens to a URL, step by step.
pub(super) fn explained(
    output: &mut Output,
    routes: &Routes,
    parts: &[Part],
    url: &Url,
    around: &Around,
) {
    folded(output, &String::from(url.clone()), STRONG);
    let fitting = fitting(routes, parts, url);
    // Without sites, there is nothing to be said of them.
    if fitting.is_empty() || !routes.router.servers().is_empty() {
        let answer = routes.explain(url);
        answered(output, routes, url, &answer);
        for text in around.nobody(&answer.outcome.targets()) {
            folded(output, &format!("   {text}"), BAD);
        }
        for note in answer.notes.iter().chain(&around.uncounted(url.port())) {
            folded(output, &format!("   note: {note}"), WARN);
        }
    }
    for part in fitting.iter().take(SHOWN) {
        folded(output, &part.files.title(), WARN);
        let answer = part.routes.explain(url);
        answered(output, &part.routes, url, &answer);
        for note in &answer.notes {
            folded(output, &format!("   note: {note}"), WARN);
        }
    }
    for part in fitting.iter().skip(SHOWN) {
        let text = format!("{}: also takes this URL", part.files.title());
        folded(output, &text, WARN);
    }
}

/// The steps of an answer, how it ends, and what is behind.
fn answered(output: &mut Output, routes: &Routes, url: &Url, answer: &Answer) {
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
    let (containers, units) = behind(routes, &targets);
    let kind = match containers.starts_with("service ") {
        true => "",
        false => "container ",
    };
    let text = match (containers.as_str(), units.as_str()) {
        ("-", "-") => return,
        (_, "-") => format!("   {kind}{containers}"),
        _ => format!("   {kind}{containers}, unit {units}"),
    };
    folded(output, &text, Style::new());
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
        let (text, spot) = (place.text(), spot(routes, *place));
        let line = format!("     not {text} ({spot}): {why}");
        folded(output, &line, DIM);
    }
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
            let text = text.as_ref().map(|text| format!(": {text}"));
            let text = text.unwrap_or_default();
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
