//! 404: no server, no location, a site that is not enabled, or a prefix that the service does not expect.

use super::{Cause, What};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::way::{Reached, Way};

/// Why nothing is at a URL.
pub(super) fn find(facts: &Facts, way: &Way) -> Vec<Cause> {
    let place = way.url.to_string();
    if !way.is_named {
        return vec![no_server(facts, way, place)];
    }
    let from_service = way
        .stops
        .iter()
        .any(|stop| matches!(stop.reached, Reached::Status(404, _)));
    match (from_service, &way.location) {
        (true, _) => vec![no_page(way, place)],
        (false, location) => vec![no_location(way, place, location.as_deref())],
    }
}

fn no_server(facts: &Facts, way: &Way, place: String) -> Cause {
    let host = way.url.host();
    let takes = way.server.clone().unwrap_or_default();
    if let Some(path) = way.not_enabled.first() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = format!(
            "the site of {host} is not enabled: nginx does not read {}",
            path.display()
        );
        let cause = Cause::new(What::NotFound, place, text)
            .shown([format!("{takes} handles the request instead")]);
        return match facts.desired.sites.contains_key(&*name) {
            true => cause.fixed(format!(
                "watchme-apply drift --fix, if somebody removed the link; else enable the site {name} in git, then: watchme-apply"
            )),
            false => cause.fixed(format!(
                "put {} into sites-available/ of the desired state, then: watchme-apply",
                path.display()
            )),
        };
    }
    Cause::new(
        What::NotFound,
        place,
        format!("no server block of nginx has the name {host}"),
    )
    .shown([format!("{takes} handles the request, as the first server on the port")])
    .fixed(format!(
        "add {host} to server_name of the intended site, in git; watchme-apply routes lists them; then: watchme-apply"
    ))
}

fn no_location(way: &Way, place: String, location: Option<&str>) -> Cause {
    let path = way.url.path();
    let text = match location {
        Some(location) => format!(
            "no location passes {path} on: {location} matches it, and {}",
            way.ends
        ),
        None => format!("no location has {path}, and {}", way.ends),
    };
    Cause::new(What::NotFound, place, text)
        .shown(way.server.clone())
        .fixed(format!(
            "add a location for {path} with proxy_pass to the site, in git; watchme-apply routes explain '{}' shows which ones exist; then: watchme-apply",
            way.url
        ))
}

/// The service has no such page: often because of the prefix that it gets, or does not get.
fn no_page(way: &Way, place: String) -> Cause {
    let stop = way.stops.first();
    let target = stop.map_or_else(String::new, |stop| stop.target.to_string());
    let strips = way.uri != way.url.target();
    let pass = way.pass.clone().unwrap_or_default();
    let at = way.location.clone().unwrap_or_default();
    let receives = format!("{target} receives {} and answers 404", shown(&way.uri));
    let prefix = way.prefix.as_deref().unwrap_or_default();
    match &way.otherwise {
        Some((other, status)) if *status < 500 && *status != 404 => {
            let (text, fix) = match strips {
                true => (
                    format!("proxy_pass removes {prefix} from the path, and the service expects it"),
                    format!(
                        "write proxy_pass without a path in {at}, in git: {}; then: watchme-apply",
                        without_path(&pass)
                    ),
                ),
                false => (
                    format!("the service gets {prefix} as a part of the path, and does not expect it"),
                    format!(
                        "write proxy_pass with a slash at its end in {at}, in git: {}/; then: watchme-apply",
                        pass.trim_end_matches('/')
                    ),
                ),
            };
            Cause::new(What::NotFound, place, text)
                .shown([
                    format!("{at}: {pass}"),
                    receives,
                    format!("{target} answers {status} to {}", shown(other)),
                ])
                .fixed(fix)
        }
        _ => Cause::new(
            What::NotFound,
            place,
            format!("the service itself has nothing at {}", shown(&way.uri)),
        )
        .shown([format!("{at}: {pass}"), receives])
        .fixed(format!(
            "request a path that the service has: curl -si 'http://{target}{}'; or correct proxy_pass in git",
            shown(&way.uri)
        )),
    }
}

/// Without the query, whose values may be secrets.
fn shown(uri: &str) -> String {
    uri.split('?').next().unwrap_or(uri).to_owned()
}

/// `proxy_pass http://127.0.0.1:8015/x/` without `/x/`.
fn without_path(pass: &str) -> String {
    let Some((scheme, rest)) = pass.split_once("://") else {
        return pass.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{authority}")
}
