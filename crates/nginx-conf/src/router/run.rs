//! A request's way through the phases of nginx, `src/http/ngx_http_core_module.c`.

use std::collections::{BTreeMap, HashMap};

use super::block::Block;
use super::config::{Config, Location, MatchKind, Server};
use super::locate::{Found, how};
use super::redirect::Redirect;
use super::regex::Captures;
use super::uri::{Escape, Uri, escape};
use super::way::{Asked, Asks, Conf, End, Options, Stop};
use super::work::Work;
use super::{Outcome, Request, Step};
use crate::files::{Files, Located};

/// How often a request may change its way, `NGX_HTTP_MAX_URI_CHANGES` and one.
const CHANGES: u32 = 11;

/// One request on its way.
pub(super) struct Run<'r, 'a> {
    pub config: &'r Config<'a>,
    pub files: &'r Files<'a>,
    pub work: Work,
    pub request: Request,
    pub server: &'r Server<'a>,
    pub uri: Vec<u8>,
    pub args: Vec<u8>,
    merges: bool,
    asks: Asks,
    /// The target as it came.
    pub unparsed: Vec<u8>,
    pub quoted: bool,
    pub plus: bool,
    pub internal: bool,
    pub valid_unparsed: bool,
    pub valid_location: bool,
    pub uri_changed: bool,
    pub changes: u32,
    /// Internal redirects so far.
    pub redirects: Vec<Redirect<'a>>,
    pub in_error_page: bool,
    /// What `error_page` makes of the status that is sent.
    pub status: Option<u16>,
    pub captures: Captures,
    pub vars: BTreeMap<&'a str, Vec<u8>>,
    /// Variables that were set to what is not known, and why that is.
    pub unknown: BTreeMap<&'a str, String>,
    pub maps: usize,
    pub confs: Vec<Conf<'a>>,
    pub location: Option<&'r Location<'a>>,
    /// Answers to what cannot be known; behind them, the more likely ones.
    pub answers: Vec<bool>,
    pub asked: Vec<Asked>,
    /// Where in it a question is.
    asked_at: HashMap<String, usize>,
    /// What was left out of what is here.
    pub missing: Vec<String>,
    pub steps: Vec<Step<'a>>,
    pub notes: Vec<String>,
}

impl<'r, 'a> Run<'r, 'a> {
    pub(super) fn new(
        (config, files): (&'r Config<'a>, &'r Files<'a>),
        work: &Work,
        request: Request,
        server: &'r Server<'a>,
        options: Options,
    ) -> Self {
        let mut run = Self {
            config,
            files,
            work: work.clone(),
            unparsed: request.target.clone().into_bytes(),
            request,
            server,
            uri: Vec::new(),
            merges: options.merges,
            asks: options.asks,
            args: Vec::new(),
            quoted: false,
            plus: false,
            internal: false,
            valid_unparsed: true,
            valid_location: true,
            uri_changed: false,
            changes: CHANGES,
            redirects: Vec::new(),
            in_error_page: false,
            status: None,
            captures: Captures::default(),
            vars: BTreeMap::new(),
            unknown: BTreeMap::new(),
            maps: 0,
            confs: Vec::new(),
            location: None,
            answers: Vec::new(),
            asked: Vec::new(),
            asked_at: HashMap::new(),
            missing: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        if let Some(captures) = options.captures {
            run.captured(captures);
        }
        run
    }

    /// Follows the request to its end.
    pub(super) fn follow(&mut self) -> Result<Outcome, Stop> {
        self.look_for_missing(&self.server.block);
        let Some(uri) = Uri::read(self.request.target.as_bytes(), self.merges) else {
            self.step(None, "the path is not valid: nginx refuses it".to_owned());
            return Ok(Outcome::Status {
                status: 400,
                text: None,
            });
        };
        if uri.path
            != self
                .request
                .target
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .as_bytes()
        {
            self.step(None, format!("the path is taken as {}", shown(&uri.path)));
        }
        (self.uri, self.args, self.quoted, self.plus) = (uri.path, uri.args, uri.quoted, uri.plus);
        let mut end = self.start_at_server()?;
        loop {
            end = match end {
                End::Outcome(outcome) => return Ok(outcome),
                End::Internal { uri, args } => self.ask_itself(uri, args)?,
                End::Named(name) => match self.may_change() {
                    true => self.start_at_named(name)?,
                    false => End::Status(500),
                },
                other => self.answer(other)?,
            };
        }
    }

    /// Whether the request may change its way once more.
    pub(super) fn may_change(&mut self) -> bool {
        self.changes = self.changes.saturating_sub(1);
        if self.changes == 0 {
            self.step(
                None,
                "the request was redirected internally too often: nginx treats it as a cycle"
                    .to_owned(),
            );
        }
        self.changes > 0
    }

    pub(super) fn can_change(&self) -> bool {
        self.changes > 0
    }

    pub(super) fn start_at_server(&mut self) -> Result<End<'a>, Stop> {
        self.valid_location = true;
        self.at_server();
        match self.script(&self.server.block, true)? {
            Some(end) => Ok(end),
            None => self.search(),
        }
    }

    fn at_server(&mut self) {
        self.location = None;
        let blocks = [self.config.http.clone(), self.server.block.clone()];
        let confs = blocks.into_iter().map(|block| Conf {
            block,
            is_if: false,
        });
        self.confs = confs.collect();
    }

    fn search(&mut self) -> Result<End<'a>, Stop> {
        loop {
            self.uri_changed = false;
            self.at_server();
            let mut way = Vec::new();
            let found = self.locate(self.server.locations(self.files), &mut way)?;
            self.enter(&way, found);
            let Some(location) = self.location else {
                return self.content();
            };
            if !self.internal && self.in_force("internal").is_some() {
                self.step(
                    Some(location.place),
                    "is internal: it cannot be requested from outside".to_owned(),
                );
                return Ok(End::Status(404));
            }
            if found == Found::Redirect {
                let mut to = escape(location.name.as_bytes(), Escape::Uri);
                if !self.args.is_empty() {
                    to.push(b'?');
                    to.extend_from_slice(&self.args);
                }
                return Ok(End::Redirect { status: 301, to });
            }
            if let Some(end) = self.script(&location.block, false)? {
                return Ok(end);
            }
            if !self.uri_changed {
                return self.content();
            }
            if !self.may_change() {
                return Ok(End::Status(500));
            }
        }
    }

    fn start_at_named(&mut self, name: &str) -> Result<End<'a>, Stop> {
        let Some(location) = self.server.locations(self.files).named(name) else {
            self.step(None, format!("there is no location {name}"));
            return Ok(End::Status(500));
        };
        self.internal = true;
        self.uri_changed = false;
        self.at_server();
        self.enter(&[location], Found::Done);
        if let Some(end) = self.script(&location.block, false)? {
            return Ok(end);
        }
        if !self.uri_changed {
            return self.content();
        }
        match self.may_change() {
            true => self.search(),
            false => Ok(End::Status(500)),
        }
    }

    /// Puts locations in force, from the outermost on.
    fn enter(&mut self, way: &[&'r Location<'a>], found: Found) {
        for location in way {
            self.confs.push(Conf {
                block: location.block.clone(),
                is_if: false,
            });
            self.look_for_missing(&location.block);
        }
        self.location = way.last().copied();
        let uri = shown(&self.uri);
        let mut level = self.server.locations(self.files);
        if way.is_empty() {
            self.lost(None, format!("no location fits {uri}"), level, None);
        }
        for location in way {
            let last = self
                .location
                .is_some_and(|last| last.place == location.place);
            let text = match found {
                Found::Redirect if last => {
                    format!(
                        "redirects {uri}: only the last slash of this location is missing, and it passes requests on"
                    )
                }
                _ => format!("takes {uri}, since {}", how(location)),
            };
            match location.kind {
                MatchKind::Named => self.step(Some(location.place), text),
                _ => self.lost(Some(location.place), text, level, Some(location)),
            }
            level = &location.level;
        }
    }

    /// Asks what only the host knows.
    pub(super) fn ask(&mut self, what: String) -> bool {
        self.ask_first(what, false)
    }

    /// The same, with the answer that is more likely.
    pub(super) fn ask_first(&mut self, what: String, first: bool) -> bool {
        let known = self.asked_at.get(&what).and_then(|at| self.asked.get(*at));
        if let Some(known) = known {
            return known.answer;
        }
        self.asked_at.insert(what.clone(), self.asked.len());
        let known = self.answers.get(self.asked.len()).copied();
        let answer = known.unwrap_or(first);
        self.asked.push(Asked {
            what,
            answer,
            first,
        });
        answer
    }

    /// A directive in force, the innermost first.
    pub(super) fn in_force(&self, name: &str) -> Option<Located<'a>> {
        let mut blocks = self.confs.iter().rev();
        blocks.find_map(|conf| conf.block.last_of(&[name]))
    }

    fn look_for_missing(&mut self, block: &Block<'a>) {
        for what in block.missing() {
            if !self.missing.contains(what) {
                self.missing.push(what.clone());
            }
        }
    }

    /// Matches a regular expression.
    pub(super) fn matches(
        &mut self,
        regex: &'a str,
        caseless: bool,
        subject: &[u8],
    ) -> Result<Option<Captures>, Stop> {
        self.work.spend(1)?;
        let unknown =
            |why: &str| Stop::Unknown(format!("the regular expression {regex}, which {why}"));
        let pattern = self.config.patterns.of(regex, caseless);
        let pattern = pattern.as_ref().as_ref();
        let pattern = pattern.ok_or_else(|| unknown("is not valid"))?;
        pattern
            .captures(subject)
            .map_err(|()| unknown("takes too many steps"))
    }

    /// Keeps what a match has captured.
    pub(super) fn captured(&mut self, captures: Captures) {
        for (name, value) in &captures.named {
            if let Some(known) = self.config.declared.get(name.as_str()) {
                self.vars.insert(known, value.clone());
            }
        }
        self.captures = captures;
    }

    pub(super) fn step(&mut self, place: Option<Located<'a>>, text: String) {
        self.keep(Step {
            place,
            text,
            lost: Vec::new(),
        });
    }

    pub(super) fn keep(&mut self, step: Step<'a>) {
        if self.asks != Asks::OfMany {
            self.steps.push(step);
        }
    }

    /// Whether those that lose are kept.
    pub(super) fn explains(&self) -> bool {
        self.asks == Asks::Explains
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Bytes for people.
pub(super) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
