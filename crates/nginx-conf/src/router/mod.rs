//! What nginx 1.22 does with a URL, from its configuration alone: which server and location it falls to, how it is
//! rewritten, and what URL the upstream receives.
//!
//! Each step does what the named function of nginx's source does. What only the host or the request tells (files,
//! headers, includes that are not in the desired state) is not guessed: both ways are followed.

mod answer;
mod block;
mod choice;
mod config;
mod content;
mod inner;
mod level;
mod locate;
mod names;
mod outcome;
mod pass;
mod redirect;
mod regex;
mod rewrite;
mod run;
mod sockets;
mod uri;
mod values;
mod way;
mod whys;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub use crate::files::{Files, Located, Text};
pub use config::{Location, MatchKind, Server};
pub use locate::FAR;
pub use outcome::{Answer, Listens, Outcome, Request, Step};
pub(crate) use pass::PASSES;
pub use pass::{Target, Upstream, uri_part};
pub use regex::{compiles, names};
pub use rewrite::condition;
pub use values::{Piece, pieces, variables};
pub use work::Work;

use block::Block;
use config::Config;
use run::Run;
use sockets::Port;
use way::{Asks, Options, Stop};
use whys::Whys;

/// How many ways are followed where something is not known.
const MAX_WAYS: usize = 32;

/// All that nginx reads of a desired state, ready to be asked.
pub struct Router<'a> {
    files: Files<'a>,
    config: Config<'a>,
    ports: BTreeMap<u16, Port>,
    /// Names of sites and files by their path in the checkout.
    sites: HashMap<&'a Path, &'a str>,
    /// Where each server listens.
    listens: Vec<Vec<Listens>>,
}

impl<'a> Router<'a> {
    /// Reads the files that nginx reads.
    pub fn new(files: Files<'a>) -> Self {
        let config = Config::new(&files);
        let ports = sockets::ports(&config.servers);
        let sites = files.sites.iter().rev();
        Self {
            listens: sockets::listens(&ports, config.servers.len()),
            sites: sites.map(|(name, text)| (text.path, *name)).collect(),
            files,
            config,
            ports,
        }
    }

    /// All servers, in the order in which nginx reads them.
    pub fn servers(&self) -> &[Server<'a>] {
        &self.config.servers
    }

    /// The locations of a server.
    pub fn locations<'r>(&'r self, server: &'r Server<'a>) -> &'r [Location<'a>] {
        server.locations(&self.files).all()
    }

    /// Name of the site or file in which a place is.
    pub fn site_of(&self, place: Located<'_>) -> Option<&'a str> {
        self.sites.get(place.path).copied()
    }

    /// Where a server listens.
    pub fn listens(&self, server: &Server<'a>) -> &[Listens] {
        let own = self.listens.get(server.index);
        own.map(Vec::as_slice).unwrap_or_default()
    }

    /// Servers that listen on a port at any address.
    pub fn listening(&self, port: u16) -> Vec<&Server<'a>> {
        let groups = self.ports.get(&port).into_iter().flat_map(Port::groups);
        let mut indices: Vec<usize> = groups
            .flat_map(|group| group.servers.iter().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        indices
            .iter()
            .filter_map(|index| self.config.servers.get(*index))
            .collect()
    }

    /// What nginx does with a request.
    pub fn answer<'r>(&'r self, request: &Request) -> Answer<'r, 'a> {
        self.ask(request, Asks::Once, &Work::of(1))
    }

    /// The same of one of many requests. Steps are not kept.
    pub fn answer_of_many<'r>(&'r self, request: &Request, work: &Work) -> Answer<'r, 'a> {
        self.ask(request, Asks::OfMany, work)
    }

    /// The same, with those that could have decided instead in each step.
    pub fn explain<'r>(&'r self, request: &Request) -> Answer<'r, 'a> {
        self.ask(request, Asks::Explains, &Work::of(1))
    }

    fn ask<'r>(&'r self, request: &Request, asks: Asks, work: &Work) -> Answer<'r, 'a> {
        work.begin();
        let mut answer = Answer {
            server: None,
            certain: true,
            named: false,
            location: None,
            outcome: Outcome::NotListening,
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let Some(port) = self.ports.get(&request.port) else {
            return answer;
        };
        let Some(agreed) = self.agreed(port, request, work) else {
            return answer;
        };
        let choice = match agreed {
            Ok(choice) => choice,
            Err(why) => {
                answer.outcome = Outcome::NotKnown {
                    why: vec![why],
                    possible: Vec::new(),
                    all: false,
                };
                return answer;
            }
        };
        self.note_other_family((port, work), request, choice.index, &mut answer.notes);
        let Some(server) = self.config.servers.get(choice.index) else {
            return answer;
        };
        answer.server = Some(server);
        answer.certain = choice.certain;
        answer.named = choice.named;
        answer
            .steps
            .push(self.server_step(server, &choice, asks == Asks::Explains));
        if request.https != choice.group.ssl {
            let text = match request.https {
                true => format!("port {} speaks no TLS", request.port),
                false => format!(
                    "port {} speaks TLS only: a plain request is refused",
                    request.port
                ),
            };
            answer.steps.push(Step {
                place: Some(server.place),
                text,
                lost: Vec::new(),
            });
            answer.outcome = match request.https {
                true => Outcome::Closed,
                false => Outcome::Status {
                    status: 400,
                    text: None,
                },
            };
            return answer;
        }
        let reads = match request.https {
            true => choice.index,
            false => choice.group.default.0,
        };
        let merges = self.merges(reads);
        let options = Options {
            captures: choice.captures,
            merges,
            asks,
        };
        self.follow((request, work), server, options, answer)
    }

    /// Whether a server merges slashes.
    fn merges(&self, index: usize) -> bool {
        let own = self.config.servers.get(index).map(|server| &server.block);
        let said = |block: &Block| {
            let said = block.first_of(&["merge_slashes"]);
            said.map(|place| place.word(0) != "off")
        };
        own.and_then(|block| said(block))
            .or_else(|| said(&self.config.http))
            .unwrap_or(true)
    }

    /// Follows every way that a request may take.
    fn follow<'r>(
        &'r self,
        (request, work): (&Request, &Work),
        server: &'r Server<'a>,
        options: Options,
        mut answer: Answer<'r, 'a>,
    ) -> Answer<'r, 'a> {
        let (mut whys, mut possible, mut all) = (Whys::default(), Vec::new(), true);
        let mut answers = Vec::new();
        for way in 0..MAX_WAYS {
            let read = (&self.config, &self.files);
            let mut run = Run::new(read, work, request.clone(), server, options.clone());
            run.answers = std::mem::take(&mut answers);
            let unknown = match run.follow() {
                Ok(outcome) => {
                    add(&mut possible, outcome);
                    None
                }
                Err(Stop::Unknown(unknown)) => Some(unknown),
            };
            all &= unknown.is_none() && run.missing.is_empty();
            let asked = run.asked.iter().map(|asked| asked.what.as_str());
            let missing = run.missing.iter().chain(&unknown).map(String::as_str);
            asked.chain(missing).for_each(|what| whys.add(what));
            if way == 0 {
                answer.location = run.location;
                answer.steps.append(&mut run.steps);
            }
            run.notes
                .into_iter()
                .for_each(|note| add(&mut answer.notes, note));
            let mut asked = run.asked;
            while asked.last().is_some_and(|last| last.answer != last.first) {
                asked.pop();
            }
            match asked.last_mut() {
                Some(last) => last.answer = !last.first,
                None => break,
            }
            answers = asked.iter().map(|asked| asked.answer).collect();
            let is_last = way + 1 == MAX_WAYS || work.is_beyond_its_share();
            all &= !is_last;
            if is_last {
                break;
            }
        }
        answer.outcome = match (possible.pop(), all) {
            (Some(only), true) if possible.is_empty() => only,
            (last, all) => {
                possible.extend(last);
                Outcome::NotKnown {
                    why: whys.named(),
                    possible,
                    all,
                }
            }
        };
        answer
    }
}

fn add<T: PartialEq>(to: &mut Vec<T>, item: T) {
    if !to.contains(&item) {
        to.push(item);
    }
}

#[cfg(test)]
mod tests;
