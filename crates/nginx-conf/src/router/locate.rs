//! Which location a path falls to, `ngx_http_core_find_location` in src/http/ngx_http_core_module.c.

use super::Step;
use super::config::{Location, MatchKind};
use super::level::Level;
use super::run::Run;
use super::way::Stop;
use crate::files::Located;

/// Why most locations do not get a path.
pub const FAR: &str = "the path does not begin so";

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Decided.
    Done,
    /// A prefix that another location may still beat.
    Prefix,
    /// The path lacks the last slash of a location that passes requests on.
    Redirect,
    /// Nothing.
    Nothing,
}

impl<'r, 'a> Run<'r, 'a> {
    /// Looks among the locations of a level and in those that it finds; `way` gets the locations from the outermost
    /// to the one that is found.
    pub(super) fn locate(
        &mut self,
        level: &'r Level<'a>,
        way: &mut Vec<&'r Location<'a>>,
    ) -> Result<Found, Stop> {
        let outer = way.len();
        let (mut found, hit) = fixed(level, &self.uri);
        let mut last = false;
        if let Some(hit) = hit {
            way.push(hit);
            if found == Found::Prefix {
                last = hit.kind == MatchKind::Final;
                found = self.locate(&hit.level, way)?;
            }
        }
        if matches!(found, Found::Done | Found::Redirect) || last {
            return Ok(found);
        }
        let uri = self.uri.clone();
        for location in level.regexes() {
            let caseless = location.kind == MatchKind::RegexCaseless;
            if let Some(captures) = self.matches(location.name, caseless, &uri)? {
                self.captured(captures);
                way.truncate(outer);
                way.push(location);
                self.locate(&location.level, way)?;
                return Ok(Found::Done);
            }
        }
        Ok(found)
    }

    /// A step in which the other locations of a level lost.
    pub(super) fn lost(
        &mut self,
        place: Option<Located<'a>>,
        text: String,
        level: &Level<'a>,
        winner: Option<&Location<'a>>,
    ) {
        let level = if self.explains() { level.all() } else { &[] };
        let others = level
            .iter()
            .filter(|location| winner.is_none_or(|winner| winner.place != location.place));
        let lost = others.map(|location| {
            (
                location.place,
                why_not(location, winner, &self.uri).to_owned(),
            )
        });
        let lost = lost.collect();
        self.keep(Step { place, text, lost });
    }
}

/// Exact locations and prefixes, `ngx_http_core_find_static_location`.
fn fixed<'r, 'a>(level: &'r Level<'a>, uri: &[u8]) -> (Found, Option<&'r Location<'a>>) {
    let named = |path: &[u8]| (level.exact(path), level.whole(path));
    match named(uri) {
        (Some(exact), _) => return (Found::Done, Some(exact)),
        (None, Some(prefix)) => return (Found::Prefix, Some(prefix)),
        (None, None) => {}
    }
    let slash = [uri, b"/"].concat();
    let (exact, prefix) = named(&slash);
    if exact.is_some_and(Location::redirects) || prefix.is_some_and(Location::redirects) {
        return (Found::Redirect, exact.or(prefix));
    }
    match level.longest(uri) {
        Some(location) => (Found::Prefix, Some(location)),
        None => (Found::Nothing, None),
    }
}

/// Why a location of a level does not get a path, where another one does.
fn why_not(location: &Location, winner: Option<&Location>, uri: &[u8]) -> &'static str {
    use MatchKind::{Exact, Final, Named, Prefix, Regex, RegexCaseless};
    let name = location.name.as_bytes();
    let won = winner.map(|winner| winner.kind);
    match location.kind {
        Named => "is only reached by its name",
        Exact => "is not the path itself",
        Prefix | Final if !uri.starts_with(name) => FAR,
        Prefix | Final => match won {
            Some(Exact) => "an exact location goes first",
            Some(Prefix | Final) if winner.is_some_and(|one| one.name.len() > name.len()) => {
                "is a shorter prefix"
            }
            Some(Regex | RegexCaseless) => {
                "a regular expression that matches goes before a prefix without ^~"
            }
            _ => "another location goes first",
        },
        Regex | RegexCaseless => match won {
            Some(Exact) => "is not tried: an exact location goes first",
            Some(Final) => "is not tried: the longest prefix says ^~",
            Some(Regex | RegexCaseless) => "does not match, or comes after the first that does",
            _ => "does not match",
        },
    }
}

/// Why a location gets a path.
pub(super) fn how(location: &Location) -> &'static str {
    match location.kind {
        MatchKind::Exact => "it is the path itself",
        MatchKind::Prefix => "it is the longest prefix, and no regular expression matches",
        MatchKind::Final => {
            "it is the longest prefix, and its ^~ lets no regular expression go first"
        }
        MatchKind::Regex | MatchKind::RegexCaseless => {
            "it is the first regular expression that matches"
        }
        MatchKind::Named => "it is asked by its name",
    }
}
