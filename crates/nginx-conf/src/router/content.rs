//! What answers a request in the location that it has ended in.

use source_text::word_list;

use super::config::MatchKind;
use super::run::Run;
use super::way::{End, Stop};
use super::{Outcome, pass};
use crate::files::Located;

impl<'a> Run<'_, 'a> {
    /// What answers in the end: files that are tried, what the request is passed on to, or files.
    pub(super) fn content(&mut self) -> Result<End<'a>, Stop> {
        if let Some(place) = self.denied() {
            self.step(Some(place), "denies all clients".to_owned());
            return Ok(End::Status(403));
        }
        self.note_access();
        let Some(conf) = self.confs.last().cloned() else {
            return Ok(End::Outcome(Outcome::Files));
        };
        let tried = conf.block.first_of(&["try_files"]);
        if let Some(tried) = tried
            && let Some(end) = self.try_files(tried)?
        {
            return Ok(end);
        }
        let handler = self.handler();
        match handler {
            Some((place, location)) if place.name() == "proxy_pass" => {
                let Some(upstream) = self.proxy(place, location)? else {
                    self.step(Some(place), "its variables make no URL".to_owned());
                    return Ok(End::Status(500));
                };
                self.step(Some(place), format!("the upstream receives {upstream}"));
                Ok(End::Outcome(Outcome::Proxy(upstream)))
            }
            Some((place, _)) => {
                self.step(Some(place), "answers".to_owned());
                let (directive, to) = (place.name().to_owned(), place.word(0).to_owned());
                Ok(End::Outcome(Outcome::Other { directive, to }))
            }
            None => self.serve_files(),
        }
    }

    /// What a location passes requests on to, with its path as far as that is replaced: an `if` takes it from around it.
    fn handler(&self) -> Option<(Located<'a>, Option<&'a str>)> {
        const ANSWERS: [&str; 6] = word_list("stub_status empty_gif flv mp4 perl js_content");
        let prefix = self
            .location
            .filter(|location| !location.is_regex() && location.kind != MatchKind::Named);
        let handlers = [pass::PASSES, ANSWERS].concat();
        for conf in self.confs.iter().rev() {
            if let Some(place) = conf.block.last_of(&handlers) {
                let name = prefix.filter(|_| !conf.is_if).map(|location| location.name);
                return Some((place, name));
            }
            if !conf.is_if {
                break;
            }
        }
        None
    }

    /// The `deny all` that comes before every `allow`: of the rules of the innermost block that has any, the first that
    /// fits decides, <https://nginx.org/en/docs/http/ngx_http_access_module.html>.
    fn denied(&self) -> Option<Located<'a>> {
        let is_any = |place: Located| place.word(0) == "any";
        if self.in_force("satisfy").is_some_and(is_any) {
            return None;
        }
        let mut blocks = self.confs.iter().rev();
        let first = blocks.find_map(|conf| conf.block.first_of(&["allow", "deny"]))?;
        (first.name() == "deny" && first.word(0) == "all").then_some(first)
    }

    fn note_access(&mut self) {
        for name in ["auth_basic", "auth_request", "deny"] {
            let asks = self.in_force(name).filter(|place| place.word(0) != "off");
            if let Some(place) = asks {
                self.note(format!("only for those whom {} lets in", place.text()));
            }
        }
    }
}
