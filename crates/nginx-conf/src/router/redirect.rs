//! Internal redirects: nginx asks itself for another URI, `ngx_http_internal_redirect` in src/http/ngx_http_core_module.c.

use std::collections::BTreeMap;

use super::regex::Captures;
use super::run::{Run, shown};
use super::way::{End, Stop};

/// An internal redirect, and all that decides what comes of it.
#[derive(PartialEq)]
pub(super) struct Redirect<'a> {
    uri: Vec<u8>,
    args: Vec<u8>,
    vars: BTreeMap<&'a str, Vec<u8>>,
    captures: Captures,
    in_error_page: bool,
}

impl<'a> Run<'_, 'a> {
    /// An internal redirect. One that comes again with everything as before would come until nginx gives up.
    pub(super) fn ask_itself(&mut self, uri: Vec<u8>, args: Vec<u8>) -> Result<End<'a>, Stop> {
        let now = Redirect {
            uri,
            args,
            vars: self.vars.clone(),
            captures: self.captures.clone(),
            in_error_page: self.in_error_page,
        };
        if self.redirects.contains(&now) {
            let text = "which it did before: nginx takes it for a cycle";
            self.step(
                None,
                format!("nginx asks itself for {}, {text}", shown(&now.uri)),
            );
            self.changes = 0;
            return Ok(End::Status(500));
        }
        if !self.may_change() {
            return Ok(End::Status(500));
        }
        self.step(None, format!("nginx asks itself for {}", shown(&now.uri)));
        (self.uri, self.args) = (now.uri.clone(), now.args.clone());
        self.redirects.push(now);
        (self.internal, self.valid_unparsed) = (true, false);
        self.start_at_server()
    }
}
