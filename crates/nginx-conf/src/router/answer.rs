//! How a request ends: error pages, redirects, and files that only the host has.
//! src/http/ngx_http_special_response.c, src/http/modules/ngx_http_try_files_module.c.

use super::Outcome;
use super::run::{Run, shown};
use super::way::{End, Stop};
use crate::files::Located;

impl<'a> Run<'_, 'a> {
    /// What is sent, or where an `error_page` sends the request.
    pub(super) fn answer(&mut self, end: End<'a>) -> Result<End<'a>, Stop> {
        let status = match &end {
            End::Status(status) | End::Redirect { status, .. } => *status,
            End::Sent { status, text } => {
                let status = self.status.unwrap_or(*status);
                let text = Some(shown(text)).filter(|text| !text.is_empty());
                return Ok(End::Outcome(Outcome::Status { status, text }));
            }
            _ => return Ok(end),
        };
        // Those that ngx_http_finalize_request ends at once.
        if [408, 444, 499].contains(&status) {
            return Ok(End::Outcome(Outcome::Closed));
        }
        self.status = Some(status);
        if !self.in_error_page
            && self.can_change()
            && let Some(page) = self.error_page(status)?
        {
            return self.sent_to_page(page);
        }
        Ok(End::Outcome(match end {
            End::Redirect { status, to } => Outcome::Redirect {
                status,
                to: self.absolute(&to),
            },
            _ => Outcome::Status { status, text: None },
        }))
    }

    /// The error page in force for a status. With or without one, no other is asked later.
    fn error_page(&mut self, status: u16) -> Result<Option<Located<'a>>, Stop> {
        let blocks = self.confs.iter().rev();
        let pages = blocks
            .map(|conf| conf.block.named("error_page").peekable())
            .find_map(|mut pages| pages.peek().is_some().then_some(pages));
        let Some(mut pages) = pages else {
            return Ok(None);
        };
        let code = status.to_string();
        let mut looked = 0;
        let page = pages.find(|place| {
            looked += 1;
            place.words().rev().skip(1).any(|word| word == code)
        });
        self.work.spend(looked)?;
        self.in_error_page = self
            .in_force("recursive_error_pages")
            .is_none_or(|place| place.word(0) != "on");
        Ok(page)
    }

    fn sent_to_page(&mut self, page: Located<'a>) -> Result<End<'a>, Stop> {
        let words: Vec<&'a str> = page.words().collect();
        let to = words.last().copied().unwrap_or_default();
        let status = words
            .iter()
            .rev()
            .nth(1)
            .and_then(|word| word.strip_prefix('='));
        match status {
            Some("") => self.status = None,
            Some(status) => self.status = status.parse().ok(),
            None => {}
        }
        self.step(Some(page), format!("sends it on to {to}"));
        if to.starts_with('@') {
            return Ok(End::Named(to));
        }
        let value = self.value(to)?;
        if !value.starts_with(b"/") {
            let status = self
                .status
                .filter(|status| [301, 302, 303, 307, 308].contains(status));
            let status = status.filter(|_| words.iter().any(|word| word.starts_with('=')));
            let to = self.absolute(&value);
            return Ok(End::Outcome(Outcome::Redirect {
                status: status.unwrap_or(302),
                to,
            }));
        }
        let (uri, args) = split(&value);
        Ok(End::Internal { uri, args })
    }

    /// A redirect's target as it is sent: nginx puts the server before a path.
    fn absolute(&self, to: &[u8]) -> String {
        let is = |name: &str, value: &str| {
            self.in_force(name)
                .is_some_and(|place| place.word(0) == value)
        };
        if !to.starts_with(b"/") || is("absolute_redirect", "off") {
            return shown(to);
        }
        let request = &self.request;
        let scheme = if request.https { "https" } else { "http" };
        let usual = request.port == if request.https { 443 } else { 80 };
        let port = match usual || is("port_in_redirect", "off") {
            true => String::new(),
            false => format!(":{}", request.port),
        };
        let mut names = self.server.each_name();
        let host = match names.next() {
            Some(name) if is("server_name_in_redirect", "on") => {
                name.strip_prefix('.').unwrap_or(name)
            }
            _ => &request.host,
        };
        format!("{scheme}://{host}{port}{}", shown(to))
    }

    /// What `try_files` does. `None`: a file is there, and the location answers with it.
    pub(super) fn try_files(&mut self, place: Located<'a>) -> Result<Option<End<'a>>, Stop> {
        let words: Vec<&'a str> = place.words().collect();
        let Some((last, files)) = words.split_last() else {
            return Ok(None);
        };
        self.work.spend(files.len())?;
        let mut tried = Vec::new();
        for file in files {
            // One whose name is not known stays as it is written.
            let value = self.value(file).map(|value| shown(&value));
            tried.push(value.unwrap_or_else(|_| (*file).to_owned()));
        }
        // What another `try_files` falls back on is there, unless somebody forgot it.
        let is_fallback = !self.redirects.is_empty();
        let there = match tried.as_slice() {
            [] => false,
            [only] => self.ask_first(format!("whether {only} is there"), is_fallback),
            all => {
                let what = format!("whether one of {} is there", all.join(" "));
                self.ask_first(what, is_fallback)
            }
        };
        if there {
            self.step(Some(place), "finds a file".to_owned());
            return Ok(Some(End::Outcome(Outcome::Files)));
        }
        self.step(Some(place), format!("finds no file: {last}"));
        if let Some(status) = last.strip_prefix('=') {
            return Ok(Some(End::Status(status.parse().unwrap_or(500))));
        }
        if last.starts_with('@') {
            return Ok(Some(End::Named(last)));
        }
        let value = self.value(last)?;
        let (uri, args) = split(&value);
        Ok(Some(End::Internal { uri, args }))
    }

    /// nginx answers with a file of the host, with an index of a folder, or with an error page for what is not there.
    pub(super) fn serve_files(&mut self) -> Result<End<'a>, Stop> {
        self.step(None, "nginx answers with a file of the host".to_owned());
        if self.uri.ends_with(b"/") {
            let index = self
                .in_force("index")
                .filter(|place| place.words().any(|word| !word.starts_with("index.htm")));
            for name in index
                .into_iter()
                .flat_map(|place| place.words().collect::<Vec<_>>())
            {
                self.work.spend(1)?;
                if self.ask(format!("whether {name} is there")) {
                    let mut uri = if name.starts_with('/') {
                        Vec::new()
                    } else {
                        self.uri.clone()
                    };
                    uri.extend(self.value(name)?);
                    return Ok(End::Internal {
                        uri,
                        args: self.args.clone(),
                    });
                }
            }
        }
        let pages = !self.in_error_page && self.in_force("error_page").is_some();
        if pages && self.ask("whether the file is missing".to_owned()) {
            return Ok(End::Status(404));
        }
        Ok(End::Outcome(Outcome::Files))
    }
}

/// Path and query, `ngx_http_split_args`.
fn split(value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut parts = value.splitn(2, |byte| *byte == b'?');
    let mut part = || parts.next().unwrap_or_default().to_vec();
    (part(), part())
}
