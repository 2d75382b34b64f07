//! The server that gets the location of a new service, and where in its file that goes.

use std::path::PathBuf;

use source_text::suggest;

use super::NewFailure;
use super::files::Edit;
use super::texts::Texts;
use super::wanted::site_path;
use crate::model::Url;
use crate::source::Revision;
use crate::source::nginx::router::{Answer, MatchKind, Outcome, Request, Server};
use crate::source::nginx::{Directive, end_of_block};
use crate::source::routes::{Routes, base_url};

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) site: Option<&'a str>,
    pub(super) domain: Option<&'a str>,
    pub(super) path: Option<String>,
}

/// Where the location goes.
#[derive(Debug)]
pub(super) struct NewLocation {
    /// The public path.
    pub(super) path: String,
    /// Scheme and host of public URLs.
    pub(super) base: String,
    pub(super) domain: String,
    /// How sites here name this host.
    pub(super) upstream: &'static str,
    /// Whether gates of that name do without a certificate that can be verified.
    pub(super) unverified: bool,
    /// What a person should know.
    pub(super) note: Option<String>,
    file: PathBuf,
    into: Option<Into>,
}

/// A place in a file.
#[derive(Debug)]
struct Into {
    text: String,
    at: usize,
    /// Before each line of the location, and once more within it.
    indent: String,
    step: String,
}

/// A server that could have it.
struct Candidate<'r, 'a> {
    server: &'r Server<'a>,
    site: &'r str,
    domain: String,
    base: String,
    tls: bool,
    answer: Answer<'r, 'a>,
}

/// Finds the place of a location, or of a new site.
pub(super) fn place(revision: &Revision, asked: &Asked) -> Result<NewLocation, NewFailure> {
    let routes = Routes::of(revision);
    if let Some(site) = asked.site
        && !revision.desired.sites.contains_key(site)
    {
        let known = revision.desired.sites.keys().map(String::as_str);
        return Err(NewFailure::NoSite {
            name: site.to_owned(),
            near: suggest(site, known),
        });
    }
    let path = asked.path.clone();
    let usual = path.unwrap_or_else(|| format!("/{}/", asked.name));
    let mut why = "it is not enabled, or no server there has that name";
    let mut seen = None;
    let mut found = Vec::new();
    for server in routes.router.servers() {
        let Some(site) = routes.router.site_of(server.place) else {
            continue;
        };
        match candidate(revision, &routes, asked, (server, site), &usual) {
            None => {}
            Some(Ok(candidate)) => found.push(candidate),
            Some(Err(reason)) => {
                why = reason;
                seen = seen.or(Some(site));
            }
        }
    }
    // Where there is TLS, the other servers of that name are for redirects.
    if found.iter().any(|one| one.tls) {
        found.retain(|one| one.tls);
    }
    let is_told = asked.site.is_some() || asked.domain.is_some();
    match (found.as_slice(), asked.domain, asked.site.or(seen)) {
        ([one], ..) => one.place(revision, &routes, usual),
        ([], Some(domain), None) => Ok(new_site(revision, asked, domain)),
        ([], _, Some(site)) if is_told => Err(NewFailure::NoServer {
            site: site.to_owned(),
            why,
        }),
        ([], ..) => Err(NewFailure::Nowhere {
            name: asked.name.to_owned(),
        }),
        (several, ..) => {
            let servers = several.iter();
            let servers = servers.map(|one| format!("{} in {}", one.domain, one.site));
            Err(NewFailure::Ambiguous {
                servers: servers.collect(),
            })
        }
    }
}

/// A server that could have the location, or why it cannot; `None` where it is not meant.
fn candidate<'r, 'a>(
    revision: &'r Revision,
    routes: &'r Routes<'a>,
    asked: &Asked,
    (server, site): (&'r Server<'a>, &'r str),
    path: &str,
) -> Option<Result<Candidate<'r, 'a>, &'static str>> {
    let known = revision.desired.sites.get(site)?;
    // A server in a file that a site includes may be one of several sites.
    let is_here = known.file.source == server.place.path;
    if !is_here || asked.site.is_some_and(|asked| asked != site) {
        return None;
    }
    let names = server.names();
    let domain = match asked.domain {
        Some(domain) => {
            let has = names.iter().any(|name| name.eq_ignore_ascii_case(domain));
            has.then(|| domain.to_owned())?
        }
        None => {
            let plain = names.iter().find(|name| is_plain(name));
            plain.map_or("localhost".to_owned(), |name| name.to_ascii_lowercase())
        }
    };
    let listens = routes.router.listens(server);
    let listen = listens.iter().max_by_key(|one| (one.public, one.tls))?;
    let base = base_url(listen, &domain);
    let url: Url = format!("{base}{path}").parse().ok()?;
    let answer = routes.router.answer(&Request::of(&url, None));
    if (answer.server).is_none_or(|taken| taken.place != server.place) {
        return Some(Err("another server takes the requests"));
    }
    let block = server.place.directive.block.as_deref().unwrap_or_default();
    if block.iter().any(|inner| inner.name == "return") {
        return Some(Err("it answers all requests itself, with return"));
    }
    if matches!(answer.outcome, Outcome::Redirect { .. }) {
        return Some(Err("it redirects all requests"));
    }
    Some(Ok(Candidate {
        server,
        site,
        domain,
        base,
        tls: listen.tls,
        answer,
    }))
}

/// Whether a `server_name` is a name that can be asked for.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    name != "_" && !name.starts_with(['.', '-']) && !name.is_empty() && name.chars().all(plain)
}

impl<'a> Candidate<'_, 'a> {
    fn place(
        &self,
        revision: &Revision,
        routes: &Routes<'a>,
        path: String,
    ) -> Result<NewLocation, NewFailure> {
        let file = self.server.place.path;
        let unreadable = |why| NewFailure::NoServer {
            site: self.site.to_owned(),
            why,
        };
        let content = revision.inputs.get(file).map(|file| &*file.content);
        let text = std::str::from_utf8(content.unwrap_or_default())
            .map_err(|_| unreadable("its file is not UTF-8"))?;
        let spot = |place: crate::source::nginx::Located| {
            format!("{}:{}", place.path.display(), routes.line(place))
        };
        let bare = |path: &str| path.trim_end_matches('/').to_owned();
        let is_regex = |kind| matches!(kind, MatchKind::Regex | MatchKind::RegexCaseless);
        let mut same = routes.router.locations(self.server).iter();
        let same = same.find(|location| {
            let is_path = !is_regex(location.kind) && location.kind != MatchKind::Named;
            is_path && bare(location.name) == bare(&path)
        });
        let handles = self.answer.location;
        let regex = handles.filter(|location| is_regex(location.kind));
        if let Some(location) = same.or(regex) {
            return Err(NewFailure::Routed {
                url: format!("{}{path}", self.base),
                location: location.place.text(),
                place: spot(location.place),
            });
        }
        let above = self.answer.location.filter(|location| location.name != "/");
        let note = above.map(|location| {
            let (text, spot) = (location.place.text(), spot(location.place));
            format!("note: {text} at {spot} answered below that path until now")
        });
        let into = into(text, self.server.place.directive)
            .ok_or_else(|| unreadable("its end was not found"))?;
        let is_unverified = revision.parsed.policy.gates.iter().any(|gate| {
            let url = gate.url.as_ref();
            gate.verify == Some(false) && url.is_some_and(|url| url.host() == self.domain)
        });
        Ok(NewLocation {
            upstream: match text.contains("http://localhost:") {
                true => "localhost",
                false => "127.0.0.1",
            },
            path,
            base: self.base.clone(),
            domain: self.domain.clone(),
            unverified: is_unverified && self.tls,
            note,
            file: file.to_owned(),
            into: Some(into),
        })
    }
}

/// Behind the last location of a server, or before its end.
fn into(text: &str, server: &Directive) -> Option<Into> {
    let block = server.block.as_deref()?;
    let blanks = |at: usize| {
        let before = text.get(..at)?;
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.get(begin..)?;
        let is_blank = line.chars().all(|c| c == ' ' || c == '\t');
        is_blank.then(|| line.to_owned())
    };
    let outer = blanks(server.span.start).unwrap_or_default();
    let inner = block.iter().find_map(|inner| blanks(inner.span.start));
    let inner = inner.filter(|inner| inner.len() > outer.len());
    let inner = inner.unwrap_or_else(|| format!("{outer}    "));
    let step = inner.strip_prefix(outer.as_str()).unwrap_or("    ");
    let step = step.to_owned();
    let last = block.iter().rev().find(|inner| inner.name == "location");
    let behind = last.and_then(|last| {
        let end = end_of_block(text, last)? + 1;
        let rest = text.get(end..)?;
        let line = rest.find('\n')?;
        let is_blank = rest.get(..line)?.trim().is_empty();
        is_blank.then_some(end + line + 1)
    });
    let before = || {
        let end = end_of_block(text, server)?;
        let line = blanks(end)?;
        Some(end - line.len())
    };
    let end = || end_of_block(text, server);
    Some(Into {
        text: text.to_owned(),
        at: behind.or_else(before).or_else(end)?,
        indent: inner,
        step,
    })
}

fn new_site(revision: &Revision, asked: &Asked, domain: &str) -> NewLocation {
    NewLocation {
        path: asked.path.clone().unwrap_or_else(|| "/".to_owned()),
        base: format!("http://{domain}"),
        domain: domain.to_owned(),
        upstream: "127.0.0.1",
        unverified: false,
        note: None,
        file: site_path(revision, domain),
        into: None,
    }
}

impl NewLocation {
    /// Whether it is a site of its own.
    pub(super) fn is_new(&self) -> bool {
        self.into.is_none()
    }

    /// The file with the location in it. All else in it stays as it is, byte for byte.
    pub(super) fn edit(&self, texts: &Texts) -> Edit {
        let path = self.file.clone();
        let Some(into) = &self.into else {
            let location = texts.location(self, "    ", "    ");
            let head = format!("    listen 80;\n    server_name {};\n", self.domain);
            let new = format!("server {{\n{head}\n{location}}}\n");
            return Edit {
                path,
                old: None,
                new,
            };
        };
        let (before, after) = into.text.split_at(into.at);
        let mut location = texts.location(self, &into.indent, &into.step);
        // At the end of a line, or within one.
        let begins = before.is_empty() || before.ends_with('\n');
        location.insert_str(0, if begins { "\n" } else { "\n\n" });
        if into.text.contains("\r\n") {
            location = location.replace('\n', "\r\n");
        }
        Edit {
            path,
            new: format!("{before}{location}{after}"),
            old: Some(into.text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::source::nginx::parse;

    use super::*;

    #[test]
    fn a_location_goes_behind_the_last_one_or_before_the_end() {
        for (text, expected) in [
            (
                "server {\n    location / { a; }\n    b;\n}\n",
                "server {\n    location / { a; }\n@    b;\n}\n",
            ),
            (
                "server {\n\tlisten 80;\n}\n",
                "server {\n\tlisten 80;\n@}\n",
            ),
            ("server { listen 80; }", "server { listen 80; @}"),
            (
                "server {\n  location / { a; } b;\n}\n",
                "server {\n  location / { a; } b;\n@}\n",
            ),
            (
                "server {\n  location / { a \"}\"; # }\n  }\n}\n",
                "server {\n  location / { a \"}\"; # }\n  }\n@}\n",
            ),
        ] {
            let parsed = parse(Path::new("s"), text).unwrap();
            let into = into(text, &parsed[0]).unwrap();
            let (before, after) = text.split_at(into.at);
            assert_eq!(format!("{before}@{after}"), expected);
        }
    }

    #[test]
    fn the_indentation_is_that_of_the_file() {
        for (text, indent, step) in [
            ("server {\n\tlisten 80;\n}\n", "\t", "\t"),
            ("  server {\n    listen 80;\n  }\n", "    ", "  "),
            ("server { listen 80; }", "    ", "    "),
        ] {
            let parsed = parse(Path::new("s"), text).unwrap();
            let into = into(text, &parsed[0]).unwrap();
            assert_eq!((into.indent.as_str(), into.step.as_str()), (indent, step));
        }
    }
}
