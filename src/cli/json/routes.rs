//! `routes --json` and `routes explain --json`.

use serde::Serialize;

use super::FORMAT_VERSION;
use crate::cli::masks::mask;
use crate::model::Url;
use crate::source::nginx::router::{self, Place, Target};
use crate::source::routes::{self, Row};

/// `routes --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Routes {
    format_version: u32,
    /// Every location of every server, in the order of the files.
    routes: Vec<Route>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Route {
    /// The public URL of the location's path; behind a server's URL the regular expression or name of others.
    url: String,
    server: Spot,
    /// Names of the server, as written.
    names: Vec<String>,
    location: Option<Spot>,
    /// The location that a request for just that URL falls to, where it is another one.
    falls_to: Option<Spot>,
    /// `null` where there is no such URL.
    outcome: Option<Outcome>,
    /// Who publishes the ports that are asked.
    behind: Vec<Backend>,
}

/// `routes explain --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Explained {
    format_version: u32,
    /// What looks like a secret is masked, here and below.
    url: String,
    server: Option<Spot>,
    location: Option<Spot>,
    outcome: Outcome,
    /// Who publishes the ports that are asked.
    behind: Vec<Backend>,
    steps: Vec<Step>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Step {
    /// The directive that decides.
    place: Option<Spot>,
    text: String,
    /// Those that could have decided instead.
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
    unit: String,
    /// The compose service.
    service: Option<String>,
    /// Its fixed name.
    container: Option<String>,
}

/// What comes of a request.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Outcome {
    /// It is passed on by HTTP.
    Proxy {
        /// The URL that the upstream receives.
        upstream: String,
        /// The servers that may be asked, as `host:port`.
        servers: Vec<String>,
    },
    /// It is passed on or answered by another directive.
    Other { directive: String },
    /// The client is sent elsewhere.
    Redirect { status: u16, to: String },
    /// nginx answers by itself.
    Status { status: u16 },
    /// A file of the host.
    Files,
    /// The connection is closed.
    Closed,
    /// No server listens there.
    NotListening,
    /// It cannot be known.
    NotKnown {
        why: Vec<String>,
        possible: Vec<Outcome>,
        /// Whether nothing else may come of it.
        all: bool,
    },
}

impl Routes {
    pub(in crate::cli) fn new(routes: &routes::Routes) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            routes: routes
                .table()
                .iter()
                .map(|row| Route::new(routes, row))
                .collect(),
        }
    }
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
            url: masked(&row.url),
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
    pub(in crate::cli) fn new(routes: &routes::Routes, url: &Url) -> Self {
        let answer = routes.explain(url);
        let steps = answer.steps.iter().map(|step| Step {
            place: step.place.map(|place| spot(routes, place)),
            text: masked(&step.text),
            lost: step
                .lost
                .iter()
                .map(|(place, why)| Lost {
                    place: spot(routes, *place),
                    why: masked(why),
                })
                .collect(),
        });
        Self {
            format_version: FORMAT_VERSION,
            url: masked(&String::from(url.clone())),
            server: answer.server.map(|server| spot(routes, server.place)),
            location: answer.location.map(|location| spot(routes, location.place)),
            outcome: Outcome::from(&answer.outcome),
            behind: behind(routes, &answer.outcome),
            steps: steps.collect(),
            notes: answer.notes.iter().map(|note| masked(note)).collect(),
        }
    }
}

impl From<&router::Outcome> for Outcome {
    fn from(outcome: &router::Outcome) -> Self {
        match outcome {
            router::Outcome::Proxy(upstream) => Self::Proxy {
                upstream: masked(&upstream.to_string()),
                servers: upstream.targets.iter().map(Target::to_string).collect(),
            },
            router::Outcome::Other { directive, .. } => Self::Other {
                directive: directive.clone(),
            },
            router::Outcome::Redirect { status, to } => Self::Redirect {
                status: *status,
                to: masked(to),
            },
            router::Outcome::Status { status, .. } => Self::Status { status: *status },
            router::Outcome::Files => Self::Files,
            router::Outcome::Closed => Self::Closed,
            router::Outcome::NotListening => Self::NotListening,
            router::Outcome::NotKnown { why, possible, all } => Self::NotKnown {
                why: why.iter().map(|why| masked(why)).collect(),
                possible: possible.iter().map(Self::from).collect(),
                all: *all,
            },
        }
    }
}

fn behind(routes: &routes::Routes, outcome: &router::Outcome) -> Vec<Backend> {
    let found = outcome
        .targets()
        .into_iter()
        .flat_map(|target| routes.behind(target));
    let behind = found.map(|behind| {
        let (service, container) = behind.service.unzip();
        Backend {
            unit: behind.unit,
            service,
            container: container.flatten(),
        }
    });
    behind.collect()
}

fn spot(routes: &routes::Routes, place: Place<'_>) -> Spot {
    Spot {
        directive: masked(&place.text()),
        path: place.path.to_string_lossy().into_owned(),
        line: routes.line(place),
    }
}

fn masked(text: &str) -> String {
    mask(text).into_owned()
}
