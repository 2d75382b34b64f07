//! What the rules look at: the parsed inputs, and the views of them that rules share. Each is built once, when a rule
//! asks for it.

use std::sync::{Arc, OnceLock};

use super::compose::view::View as Projects;
use super::compose::{addresses, mounts, shapes};
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

/// What rules share.
#[derive(Default)]
struct Views<'a> {
    projects: OnceLock<Projects<'a>>,
    nginx: OnceLock<Nginx<'a>>,
    groups: OnceLock<Groups<'a>>,
    blocks: OnceLock<Vec<Arc<Block<'a>>>>,
    units: OnceLock<Units<'a>>,
    order: OnceLock<Order>,
    published: OnceLock<Publications<'a>>,
    addresses: OnceLock<Vec<Finding>>,
    mounts: OnceLock<Vec<Finding>>,
    shapes: OnceLock<Vec<Finding>>,
    declared: OnceLock<Vec<Finding>>,
    directives: OnceLock<Vec<Finding>>,
    servers: OnceLock<Vec<Finding>>,
    keys: OnceLock<Vec<Finding>>,
    docker: OnceLock<Vec<Finding>>,
    routes: OnceLock<Vec<Finding>>,
    names: OnceLock<Vec<Finding>>,
}

/// What rules look at.
pub struct Context<'a> {
    /// What is checked.
    pub subject: &'a Subject<'a>,
    views: &'a Views<'a>,
}

impl<'a> Context<'a> {
    /// Shows the context of a subject to `look`.
    pub fn with<T>(subject: &Subject, look: impl FnOnce(&Context) -> T) -> T {
        let views = &Views::default();
        look(&Context { subject, views })
    }

    /// The revision that is checked.
    pub fn revision(&self) -> &'a Revision {
        self.subject.revision
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
        self.views.blocks.get_or_init(|| self.nginx().blocks())
    }

    /// The groups of upstream servers.
    pub fn groups(&self) -> &Groups<'a> {
        self.views
            .groups
            .get_or_init(|| target::groups(self.nginx()))
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
    pub fn addresses(&self) -> &[Finding] {
        let found = &self.views.addresses;
        found.get_or_init(|| addresses::walk(self.projects()))
    }

    /// What is wrong with the mounts of containers.
    pub fn mounts(&self) -> &[Finding] {
        let found = &self.views.mounts;
        found.get_or_init(|| mounts::walk(self.projects()))
    }

    /// What is wrong with the keys of compose files, and the types of their values.
    pub fn shapes(&self) -> &[Finding] {
        let found = &self.views.shapes;
        found.get_or_init(|| shapes::walk(self.projects()))
    }

    /// What is wrong with names that nginx's files declare and use.
    pub fn declared(&self) -> &[Finding] {
        let found = &self.views.declared;
        found.get_or_init(|| declared::walk(self.nginx()))
    }

    /// What is wrong with directives of nginx.
    pub fn directives(&self) -> &[Finding] {
        let found = &self.views.directives;
        found.get_or_init(|| directives::walk(self.nginx()))
    }

    /// What is wrong with servers of nginx that share a socket.
    pub fn servers(&self) -> &[Finding] {
        let found = &self.views.servers;
        found.get_or_init(|| servers::walk(self.nginx()))
    }

    /// What is wrong with sections and keys of units.
    pub fn keys(&self) -> &[Finding] {
        let found = &self.views.keys;
        found.get_or_init(|| keys::walk(self.units()))
    }

    /// What units that run containers do not wait for.
    pub fn docker(&self) -> &[Finding] {
        let found = &self.views.docker;
        found.get_or_init(|| docker::walk(self.units(), self.order()))
    }

    /// Which expected routes come out elsewhere.
    pub fn routes(&self) -> &[Finding] {
        let found = &self.views.routes;
        found.get_or_init(|| routes::walk(self.subject))
    }

    /// What watchme.toml names and nothing here has.
    pub fn names(&self) -> &[Finding] {
        let found = &self.views.names;
        found.get_or_init(|| names::walk(self.subject))
    }
}
