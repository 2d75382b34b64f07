//! What the rules look at: the parsed inputs, and the views of them that rules share. Each is built once, when a rule
//! asks for it.

use std::sync::{Arc, OnceLock};

use super::compose::view::View as Projects;
use super::compose::{addresses, mounts, shapes};
use super::engine::{Noted, Rule};
use super::nginx::published::Publications;
use super::nginx::target::{self, Groups};
use super::nginx::view::{Block, View as Nginx};
use super::nginx::{declared, directives, servers};
use super::systemd::index::Units;
use super::systemd::order::Order;
use super::systemd::{docker, keys};
use super::{Subject, names, routes};
use crate::model::{Finding, Target};
use crate::source::Revision;

/// Views that borrow nothing but the inputs.
#[derive(Default)]
struct Views<'a> {
    projects: OnceLock<Projects<'a>>,
    nginx: OnceLock<Nginx<'a>>,
    units: OnceLock<Units<'a>>,
    order: OnceLock<Order>,
    published: OnceLock<Publications<'a>>,
}

/// What rules look at.
pub struct Context<'a> {
    /// What is checked.
    pub subject: &'a Subject<'a>,
    views: &'a Views<'a>,
    groups: OnceLock<Groups<'a>>,
    blocks: OnceLock<Vec<Arc<Block<'a>>>>,
    addresses: OnceLock<Vec<Noted<addresses::Problem>>>,
    mounts: OnceLock<Vec<Noted<mounts::Problem>>>,
    shapes: OnceLock<Vec<Noted<shapes::Problem>>>,
    declared: OnceLock<Vec<Noted<declared::Problem>>>,
    directives: OnceLock<Vec<Noted<directives::Problem>>>,
    servers: OnceLock<Vec<Noted<servers::Problem>>>,
    keys: OnceLock<Vec<Noted<keys::Problem>>>,
    docker: OnceLock<Vec<Noted<docker::Problem>>>,
    routes: OnceLock<Vec<Noted<routes::Problem>>>,
    names: OnceLock<Vec<Noted<names::Problem>>>,
}

impl<'a> Context<'a> {
    /// Shows the context of a subject to `look`.
    pub fn with<T>(subject: &Subject, look: impl FnOnce(&Context) -> T) -> T {
        let views = Views::default();
        look(&Context {
            subject,
            views: &views,
            groups: OnceLock::new(),
            blocks: OnceLock::new(),
            addresses: OnceLock::new(),
            mounts: OnceLock::new(),
            shapes: OnceLock::new(),
            declared: OnceLock::new(),
            directives: OnceLock::new(),
            servers: OnceLock::new(),
            keys: OnceLock::new(),
            docker: OnceLock::new(),
            routes: OnceLock::new(),
            names: OnceLock::new(),
        })
    }

    /// The revision that is checked.
    pub fn revision(&self) -> &'a Revision {
        self.subject.revision
    }

    /// What an apply refuses, of a rule that reports it.
    pub fn refused(&self, rule: &'static Rule) -> impl Iterator<Item = Finding> {
        let refused = &self.revision().parsed.refused;
        let own = refused.iter().filter(|(name, _)| *name == rule.name);
        own.map(|(_, place)| rule.at(place.clone()))
    }

    /// The versions of the server's programs, as far as they are known.
    pub fn target(&self) -> Target {
        self.revision().target()
    }

    /// The compose projects.
    pub fn projects(&self) -> &'a Projects<'a> {
        let subject = self.subject;
        self.views.projects.get_or_init(|| Projects::new(subject))
    }

    /// The configuration of nginx.
    pub fn nginx(&self) -> &'a Nginx<'a> {
        let subject = self.subject;
        self.views.nginx.get_or_init(|| Nginx::new(subject))
    }

    /// All blocks of nginx in which requests are handled, `http` included, the outer ones first.
    pub fn blocks(&self) -> &[Arc<Block<'a>>] {
        self.blocks.get_or_init(|| self.nginx().blocks())
    }

    /// The groups of upstream servers.
    pub fn groups(&self) -> &Groups<'a> {
        self.groups.get_or_init(|| target::groups(self.nginx()))
    }

    /// The ports that containers publish.
    pub fn published(&self) -> &Publications<'a> {
        let revision = self.revision();
        let published = &self.views.published;
        published.get_or_init(|| Publications::of(revision))
    }

    /// The units.
    pub fn units(&self) -> &'a Units<'a> {
        let revision = self.revision();
        self.views.units.get_or_init(|| Units::new(revision))
    }

    /// In which order units start.
    pub fn order(&self) -> &'a Order {
        self.views.order.get_or_init(|| Order::new(self.units()))
    }

    /// What is wrong with the fixed addresses of containers.
    pub fn addresses(&self) -> &[Noted<addresses::Problem>] {
        self.addresses
            .get_or_init(|| addresses::walk(self.projects()))
    }

    /// What is wrong with the mounts of containers.
    pub fn mounts(&self) -> &[Noted<mounts::Problem>] {
        self.mounts.get_or_init(|| mounts::walk(self.projects()))
    }

    /// What is wrong with the keys of compose files, and the types of their values.
    pub fn shapes(&self) -> &[Noted<shapes::Problem>] {
        self.shapes.get_or_init(|| shapes::walk(self.projects()))
    }

    /// What is wrong with names that nginx's files declare and use.
    pub fn declared(&self) -> &[Noted<declared::Problem>] {
        self.declared.get_or_init(|| declared::walk(self.nginx()))
    }

    /// What is wrong with directives of nginx.
    pub fn directives(&self) -> &[Noted<directives::Problem>] {
        self.directives
            .get_or_init(|| directives::walk(self.nginx()))
    }

    /// What is wrong with servers of nginx that share a socket.
    pub fn servers(&self) -> &[Noted<servers::Problem>] {
        self.servers.get_or_init(|| servers::walk(self.nginx()))
    }

    /// What is wrong with sections and keys of units.
    pub fn keys(&self) -> &[Noted<keys::Problem>] {
        self.keys.get_or_init(|| keys::walk(self.units()))
    }

    /// What units that run containers do not wait for.
    pub fn docker(&self) -> &[Noted<docker::Problem>] {
        self.docker
            .get_or_init(|| docker::walk(self.units(), self.order()))
    }

    /// Which expected routes come out elsewhere.
    pub fn routes(&self) -> &[Noted<routes::Problem>] {
        self.routes.get_or_init(|| routes::walk(self.subject))
    }

    /// What watchme.toml names and nothing here has.
    pub fn names(&self) -> &[Noted<names::Problem>] {
        self.names.get_or_init(|| names::walk(self.subject))
    }
}
