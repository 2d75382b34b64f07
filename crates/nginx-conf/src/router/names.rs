//! Which server answers: by the address that it listens on, then by its name.
//! <https://nginx.org/en/docs/http/request_processing.html>, <https://nginx.org/en/docs/http/server_names.html>

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::config::Server;
use super::regex::{Captures, Pattern};
use super::sockets::Group;
use super::work::Work;

/// Names of the servers of one address and port.
#[derive(Debug, Default)]
pub(super) struct Names {
    exact: BTreeMap<String, usize>,
    /// `*.domain`, and with `true` `.domain`.
    head: BTreeMap<String, (usize, bool)>,
    tail: BTreeMap<String, usize>,
    regexes: Vec<Expression>,
    /// Servers with names that only the host knows.
    unknown: Vec<usize>,
    /// Hosts that were asked for.
    asked: RefCell<HashMap<String, Found>>,
}

/// A name that is a regular expression.
#[derive(Debug)]
struct Expression {
    server: usize,
    text: String,
    pattern: OnceCell<Option<Pattern>>,
}

/// The server that a name leads to.
#[derive(Debug)]
pub(super) struct Named {
    pub server: usize,
    /// Why, in a few words.
    pub why: String,
    pub captures: Option<Captures>,
}

/// What a name leads to. `Err`: a server whose regular expression cannot be decided.
pub(super) type Found = Result<Option<Rc<Named>>, usize>;

impl Group {
    /// Who answers for a host, in lower case.
    pub(super) fn named(&self, servers: &[Server<'_>], host: &str, work: &Work) -> Found {
        let names = self.names.get_or_init(|| Names::of(&self.servers, servers));
        if let Some(found) = names.asked.borrow().get(host) {
            return found.clone();
        }
        let found = names.find(host, work);
        let mut asked = names.asked.borrow_mut();
        asked.insert(host.to_owned(), found.clone());
        found
    }
}

impl Names {
    fn find(&self, host: &str, work: &Work) -> Found {
        let found = |server, why: String| {
            Ok(Some(Rc::new(Named {
                server,
                why,
                captures: None,
            })))
        };
        if let Some(server) = self.exact.get(host) {
            return found(*server, format!("its name is {host}"));
        }
        if let Some((server, true)) = self.head.get(host) {
            return found(*server, format!("its name .{host} fits"));
        }
        let dots = || host.match_indices('.').map(|(at, _)| at);
        for at in dots().filter(|at| *at > 0) {
            let domain = host.get(at + 1..).unwrap_or_default();
            if let Some((server, dot)) = self.head.get(domain) {
                let star = if *dot { "" } else { "*" };
                let why = format!("its name {star}.{domain} is the longest that fits");
                return found(*server, why);
            }
        }
        for at in dots().collect::<Vec<_>>().into_iter().rev() {
            let start = host.get(..at).unwrap_or_default();
            if let Some(server) = self.tail.get(start) {
                return found(
                    *server,
                    format!("its name {start}.* is the longest that fits"),
                );
            }
        }
        for regex in &self.regexes {
            work.spend(1).map_err(|_| regex.server)?;
            let captures = regex.captures(host.as_bytes()).map_err(|()| regex.server)?;
            if let Some(captures) = captures {
                return Ok(Some(Rc::new(Named {
                    server: regex.server,
                    why: format!("its name ~{} is the first that matches", regex.text),
                    captures: Some(captures),
                })));
            }
        }
        match self.unknown.first() {
            Some(server) => Err(*server),
            None => Ok(None),
        }
    }

    /// `ngx_http_server_names` in src/http/ngx_http.c and `ngx_hash_add_key` in src/core/ngx_hash.c: of names that
    /// conflict, the first one counts.
    fn of(indices: &[usize], servers: &[Server<'_>]) -> Self {
        let mut names = Self::default();
        let each = indices
            .iter()
            .filter_map(|index| Some((*index, servers.get(*index)?)));
        for (index, server) in each {
            for name in server.each_name() {
                names.add(index, name);
            }
        }
        names
    }

    fn add(&mut self, server: usize, name: &str) {
        if let Some(regex) = name.strip_prefix('~') {
            return self.regexes.push(Expression {
                server,
                text: regex.to_owned(),
                pattern: OnceCell::new(),
            });
        }
        if name == "$hostname" {
            return self.unknown.push(server);
        }
        let name = name.to_lowercase();
        if let Some(domain) = name.strip_prefix("*.") {
            self.head
                .entry(domain.to_owned())
                .or_insert((server, false));
        } else if let Some(domain) = name.strip_prefix('.') {
            if !self.exact.contains_key(domain) {
                self.head.entry(domain.to_owned()).or_insert((server, true));
            }
        } else if let Some(start) = name.strip_suffix(".*") {
            self.tail.entry(start.to_owned()).or_insert(server);
        } else if !matches!(self.head.get(&name), Some((_, true))) {
            self.exact.entry(name).or_insert(server);
        }
    }
}

impl Expression {
    /// What it captures; `Err` where it is not valid, or takes too many steps.
    fn captures(&self, host: &[u8]) -> Result<Option<Captures>, ()> {
        let caseless = self.text.chars().any(|c| c.is_ascii_uppercase());
        let pattern = self
            .pattern
            .get_or_init(|| Pattern::new(&self.text, caseless));
        pattern.as_ref().ok_or(())?.captures(host)
    }
}
