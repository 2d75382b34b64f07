//! Routes as JSON.

use serde::Serialize;

use super::around::Around;
use super::elsewhere::{Part, fitting};
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::masks::hidden;
use crate::model::Url;
use crate::source::nginx::router::{self, Answer, Located, Target};
use crate::source::routes::{self, Row};

/// What `routes` prints as JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Json {
    Routes(Routes),
    Explained(Box<Explained>),
}

json::document!(Json: Routes = "routes", Explained = "routes-explain");

/// `routes --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Routes {
    format_version: u32,
    /// Every location of every server, in the order of the files.
    routes: Vec<Route>,
    /// Configuration of nginx that is elsewhere in the checkout, and is not applied.
    elsewhere: Vec<Elsewhere>,
}

/// Files that one nginx reads.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Elsewhere {
    /// Their paths in the checkout.
    files: Vec<String>,
    routes: Vec<Route>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route {
    /// The public URL of the location's path; for a location without one, the server's URL and the regular expression or name.
    url: String,
    server: Spot,
    /// Names of the server, as written.
    names: Vec<String>,
    location: Option<Spot>,
    /// The location that handles a request for exactly that URL, if it is another one.
    falls_to: Option<Spot>,
    /// `null` where there is no such URL.
    outcome: Option<Outcome>,
    /// The units and services that publish the upstream's ports.
    behind: Vec<Backend>,
}

/// `routes explain --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Explained {
    format_version: u32,
    /// What looks like a secret is masked, here and below.
    url: String,
    #[serde(flatten)]
    answer: Answered,
    /// Configuration of nginx that is elsewhere in the checkout, is not applied, and has a server for that URL.
    elsewhere: Vec<ExplainedElsewhere>,
}

/// What nginx does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answered {
    server: Option<Spot>,
    location: Option<Spot>,
    outcome: Outcome,
    /// The units and services that publish the upstream's ports.
    behind: Vec<Backend>,
    steps: Vec<Step>,
    notes: Vec<String>,
}

/// What the nginx does that reads these files.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExplainedElsewhere {
    /// Their paths in the checkout.
    files: Vec<String>,
    #[serde(flatten)]
    answer: Answered,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Step {
    /// The directive that decided.
    place: Option<Spot>,
    text: String,
    /// Directives that were considered and did not apply.
    lost: Vec<Lost>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Lost {
    place: Spot,
    why: String,
}

/// A directive in a file of the checkout.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Spot {
    directive: String,
    path: String,
    /// From 1.
    line: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Backend {
    /// `null` for a service that no unit runs; only behind configuration that is not applied.
    unit: Option<String>,
    /// The compose service.
    service: Option<String>,
    /// Its fixed name.
    container: Option<String>,
}

/// How a request ends.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Outcome {
    /// nginx passes it on by HTTP.
    Proxy {
        /// The URL that the upstream receives.
        upstream: String,
        /// The servers that may receive it, as `host:port`.
        servers: Vec<String>,
    },
    /// Another directive passes it on or answers it.
    Other { directive: String },
    /// The client is redirected.
    Redirect { status: u16, to: String },
    /// nginx answers itself.
    Status { status: u16 },
    /// nginx answers with a file of the host.
    Files,
    /// The connection is closed.
    Closed,
    /// No server listens there.
    NotListening,
    /// It cannot be known.
    NotKnown {
        why: Vec<String>,
        possible: Vec<Outcome>,
        /// Whether these are all possibilities.
        all: bool,
    },
}

impl Routes {
    pub(super) fn new(routes: &routes::Routes, parts: &[Part]) -> Self {
        let part = |part: &Part| Elsewhere {
            files: part.files.files(),
            routes: table(&part.routes),
        };
        Self {
            format_version: FORMAT_VERSION,
            routes: table(routes),
            elsewhere: parts.iter().map(part).collect(),
        }
    }
}

fn table(routes: &routes::Routes) -> Vec<Route> {
    let table = routes.table();
    table.iter().map(|row| Route::new(routes, row)).collect()
}

impl Route {
    fn new(routes: &routes::Routes, row: &Row) -> Self {
        let place = row.location.map(|location| location.place);
        let falls_to = row.answer.as_ref().and_then(|answer| answer.location);
        let falls_to = falls_to
            .map(|location| location.place)
            .filter(|other| Some(*other) != place);
        let outcome = row.answer.as_ref().map(|answer| &answer.outcome);
        Self {
            url: hidden(&row.url),
            server: spot(routes, row.server.place),
            names: row.server.names().into_iter().map(str::to_owned).collect(),
            location: place.map(|place| spot(routes, place)),
            falls_to: falls_to.map(|place| spot(routes, place)),
            behind: outcome
                .map(|outcome| behind(routes, outcome))
                .unwrap_or_default(),
            outcome: outcome.map(Outcome::from),
        }
    }
}

impl Explained {
    pub(super) fn new(routes: &routes::Routes, parts: &[Part], url: &Url, around: &Around) -> Self {
        let answer = routes.explain(url);
        let before = around.nobody(&answer.outcome.targets());
        let after = around.uncounted(url.port());
        let notes = before.iter().chain(&answer.notes).chain(&after);
        let notes = notes.map(|note| hidden(note)).collect();
        let part = |part: &&Part| ExplainedElsewhere {
            files: part.files.files(),
            answer: Answered::new(&part.routes, &part.routes.explain(url)),
        };
        Self {
            format_version: FORMAT_VERSION,
            url: hidden(&String::from(url.clone())),
            answer: Answered {
                notes,
                ..Answered::new(routes, &answer)
            },
            elsewhere: fitting(routes, parts, url).iter().map(part).collect(),
        }
    }
}

impl Answered {
    fn new(routes: &routes::Routes, answer: &Answer) -> Self {
        let steps = answer.steps.iter().map(|step| Step {
            place: step.place.map(|place| spot(routes, place)),
            text: hidden(&step.text),
            lost: step
                .lost
                .iter()
                .map(|(place, why)| Lost {
                    place: spot(routes, *place),
                    why: hidden(why),
                })
                .collect(),
        });
        Self {
            server: answer.server.map(|server| spot(routes, server.place)),
            location: answer.location.map(|location| spot(routes, location.place)),
            outcome: Outcome::from(&answer.outcome),
            behind: behind(routes, &answer.outcome),
            steps: steps.collect(),
            notes: answer.notes.iter().map(|note| hidden(note)).collect(),
        }
    }
}

impl From<&router::Outcome> for Outcome {
    fn from(outcome: &router::Outcome) -> Self {
        match outcome {
            router::Outcome::Proxy(upstream) => Self::Proxy {
                upstream: hidden(&upstream.to_string()),
                servers: upstream.targets.iter().map(Target::to_string).collect(),
            },
            router::Outcome::Other { directive, .. } => Self::Other {
                directive: directive.clone(),
            },
            router::Outcome::Redirect { status, to } => Self::Redirect {
                status: *status,
                to: hidden(to),
            },
            router::Outcome::Status { status, .. } => Self::Status { status: *status },
            router::Outcome::Files => Self::Files,
            router::Outcome::Closed => Self::Closed,
            router::Outcome::NotListening => Self::NotListening,
            router::Outcome::NotKnown { why, possible, all } => Self::NotKnown {
                why: why.iter().map(|why| hidden(why)).collect(),
                possible: possible.iter().map(Self::from).collect(),
                all: *all,
            },
        }
    }
}

fn behind(routes: &routes::Routes, outcome: &router::Outcome) -> Vec<Backend> {
    let targets = outcome.targets().into_iter();
    let found = targets.flat_map(|target| routes.behind(target));
    let behind = found.map(|behind| Backend {
        unit: behind.unit,
        service: behind.service.map(|(_, service)| service),
        container: behind.container,
    });
    behind.collect()
}

fn spot(routes: &routes::Routes, place: Located<'_>) -> Spot {
    Spot {
        directive: hidden(&place.text()),
        path: place.path.to_string_lossy().into_owned(),
        line: routes.line(place),
    }
}
