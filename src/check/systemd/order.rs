//! In which order units start, and which pull in which, systemd.unit(5).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use source_text::word_list;

use super::index::{Mention, Unit, Units};

/// Who starts after whom of the units that every Debian and Ubuntu server has.
const OF_THE_SYSTEM: [(&str, &str); 10] = [
    (
        "basic.target",
        "sysinit.target sockets.target paths.target slices.target",
    ),
    ("sysinit.target", "local-fs.target"),
    ("multi-user.target", "basic.target"),
    ("graphical.target", "multi-user.target"),
    ("network-online.target", "network.target"),
    (
        "docker.service",
        "basic.target docker.socket network-online.target containerd.service",
    ),
    ("docker.socket", "sysinit.target"),
    ("sockets.target", "docker.socket"),
    ("containerd.service", "basic.target"),
    ("nginx.service", "basic.target network-online.target"),
];

/// Targets that start after what they want, as all do that have default dependencies.
const TARGETS: [&str; 5] =
    word_list("multi-user.target graphical.target sockets.target paths.target basic.target");

/// Settings that pull another unit in.
pub(crate) const PULLS: [&str; 5] = ["Requires", "Requisite", "Wants", "BindsTo", "Upholds"];

/// An order between two units, by their numbers.
pub struct Edge {
    /// The unit that starts first.
    pub to: usize,
    /// Where it is written; `None` for what systemd adds by itself.
    pub mention: Option<Mention>,
}

/// The order of all units that are desired or named.
pub struct Order {
    names: Vec<String>,
    by_name: BTreeMap<String, usize>,
    /// Of each unit those it starts after.
    after: Vec<Vec<Edge>>,
    /// Of each unit those it pulls in.
    pulls: Vec<BTreeSet<usize>>,
}

impl Order {
    /// Reads the dependencies of all units.
    pub fn new(units: &Units) -> Self {
        let mut order = Self {
            names: Vec::new(),
            by_name: BTreeMap::new(),
            after: Vec::new(),
            pulls: Vec::new(),
        };
        for unit in units.all.iter().filter(|unit| !unit.name.is_template()) {
            order.written(unit, units);
        }
        for unit in units
            .all
            .iter()
            .filter(|unit| unit.is_ours() && !unit.name.is_template())
        {
            order.implied(unit, units);
        }
        for (after, all) in OF_THE_SYSTEM {
            all.split(' ')
                .for_each(|before| order.implies(after, before));
        }
        order
    }

    fn id(&mut self, name: &str) -> usize {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.names.len();
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), id);
        self.after.push(Vec::new());
        self.pulls.push(BTreeSet::new());
        id
    }

    fn edge(&mut self, after: usize, to: usize, mention: Option<Mention>) {
        if let Some(edges) = self.after.get_mut(after) {
            edges.push(Edge { to, mention });
        }
    }

    fn pull(&mut self, from: usize, to: usize) {
        if let Some(pulls) = self.pulls.get_mut(from) {
            pulls.insert(to);
        }
    }

    /// The id of a name, where it is an alias that of the unit.
    fn resolved(&mut self, name: &str, units: &Units) -> usize {
        match units.get(name).filter(|unit| !unit.name.is_template()) {
            Some(unit) => self.id(unit.name.as_str()),
            None => self.id(name),
        }
    }

    fn written(&mut self, unit: &Unit, units: &Units) {
        let own = self.id(unit.name.as_str());
        for (name, mention) in unit.listed("Unit", "After") {
            let other = self.resolved(&name, units);
            self.edge(own, other, Some(mention));
        }
        for (name, mention) in unit.listed("Unit", "Before") {
            let other = self.resolved(&name, units);
            self.edge(other, own, Some(mention));
        }
        for key in PULLS {
            for (name, _) in unit.listed("Unit", key) {
                let other = self.resolved(&name, units);
                self.pull(own, other);
            }
        }
        for key in ["WantedBy", "RequiredBy", "UpheldBy"] {
            for (name, _) in unit.listed("Install", key) {
                let other = self.resolved(&name, units);
                self.pull(other, own);
            }
        }
    }

    /// What systemd adds, "Implicit Dependencies" and "Default Dependencies" in systemd.service(5),
    /// systemd.socket(5), systemd.target(5).
    fn implied(&mut self, unit: &Unit, units: &Units) {
        let name = unit.name.as_str();
        let kind = unit.name.suffix();
        if let Some((section, key)) = unit.trigger() {
            let named = unit.settings.last(section, key).map(|value| value.text);
            let triggered = named.unwrap_or_else(|| format!("{}.service", unit.name.stem()));
            self.implies(&triggered, name);
        }
        if !has_defaults(unit) {
            return;
        }
        match kind {
            "service" => self.implies(name, "basic.target"),
            "socket" => self.implies("sockets.target", name),
            "path" => self.implies("paths.target", name),
            _ => {}
        }
        if kind == "service" || kind == "target" {
            self.by_targets(unit, units);
        }
    }

    /// A target starts after what it wants, unless that is ordered after the target.
    fn by_targets(&mut self, unit: &Unit, units: &Units) {
        let own = self.id(unit.name.as_str());
        let wanting = ["WantedBy", "RequiredBy"].into_iter();
        for (target, _) in wanting.flat_map(|key| unit.listed("Install", key)) {
            let orders = match units.get(&target) {
                Some(target) => has_defaults(target),
                None => TARGETS.contains(&target.as_str()),
            };
            if orders && target.ends_with(".target") {
                let target = self.id(&target);
                self.unless_reversed(target, own);
            }
        }
        if unit.name.suffix() == "target" {
            for key in ["Wants", "Requires"] {
                for (name, _) in unit.listed("Unit", key) {
                    let other = self.resolved(&name, units);
                    if units.get(&name).is_none_or(has_defaults) {
                        self.unless_reversed(own, other);
                    }
                }
            }
        }
    }

    fn unless_reversed(&mut self, after: usize, to: usize) {
        let reversed = self.edges(to).iter().any(|edge| edge.to == after);
        if !reversed {
            self.edge(after, to, None);
        }
    }

    fn implies(&mut self, after: &str, before: &str) {
        let (after, before) = (self.id(after), self.id(before));
        self.edge(after, before, None);
    }

    /// The units that start after one of `wanted`, as far as it is written: also through units that they pull in.
    pub fn after(&self, wanted: &[&str]) -> BTreeSet<&str> {
        self.closure(wanted, |from, to| {
            let edges = self.after.get(from).into_iter().flatten();
            let mut written = edges.filter(|edge| edge.mention.is_some());
            let is_pulled = || {
                self.pulls
                    .get(from)
                    .is_some_and(|pulls| pulls.contains(&to))
            };
            let is_wanted = || {
                self.names
                    .get(to)
                    .is_some_and(|name| wanted.contains(&&**name))
            };
            written.any(|edge| edge.to == to) && (is_wanted() || is_pulled())
        })
    }

    /// The units that pull one of `wanted` in, also through others.
    pub fn pulling(&self, wanted: &[&str]) -> BTreeSet<&str> {
        self.closure(wanted, |from, to| {
            self.pulls
                .get(from)
                .is_some_and(|pulls| pulls.contains(&to))
        })
    }

    /// All from which `holds` leads, step by step, to one of `wanted`.
    fn closure(&self, wanted: &[&str], holds: impl Fn(usize, usize) -> bool) -> BTreeSet<&str> {
        let mut incoming: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.names.len()];
        for (from, (edges, pulls)) in self.after.iter().zip(&self.pulls).enumerate() {
            for to in edges
                .iter()
                .map(|edge| edge.to)
                .chain(pulls.iter().copied())
            {
                if let Some(known) = incoming.get_mut(to) {
                    known.insert(from);
                }
            }
        }
        let mut todo: VecDeque<usize> = wanted
            .iter()
            .filter_map(|name| self.by_name.get(*name).copied())
            .collect();
        let mut found = BTreeSet::new();
        while let Some(to) = todo.pop_front() {
            for from in incoming.get(to).into_iter().flatten() {
                if !found.contains(from) && holds(*from, to) {
                    found.insert(*from);
                    todo.push_back(*from);
                }
            }
        }
        found
            .into_iter()
            .filter_map(|id| self.names.get(id).map(String::as_str))
            .collect()
    }

    /// The name of a unit.
    pub fn name(&self, id: usize) -> &str {
        self.names.get(id).map_or("", String::as_str)
    }

    /// The units that one starts after.
    pub fn edges(&self, id: usize) -> &[Edge] {
        self.after.get(id).map_or(&[], Vec::as_slice)
    }

    /// A shortest way from one unit to another, along "starts after".
    pub fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut todo = VecDeque::from([from]);
        while let Some(at) = todo.pop_front() {
            if at == to {
                let mut way = vec![at];
                let mut step = at;
                while let Some(before) = came_from.get(&step).filter(|_| step != from) {
                    way.push(*before);
                    step = *before;
                }
                way.reverse();
                return Some(way);
            }
            for edge in self.after.get(at).into_iter().flatten() {
                if edge.to != from && !came_from.contains_key(&edge.to) {
                    came_from.insert(edge.to, at);
                    todo.push_back(edge.to);
                }
            }
        }
        None
    }

    /// Units that no order is left for: those that remain when units are taken away which nothing starts
    /// before, or nothing starts after.
    pub fn knotted(&self) -> BTreeSet<usize> {
        let mut left: BTreeSet<usize> = (0..self.names.len()).collect();
        let outgoing: Vec<Vec<usize>> = self
            .after
            .iter()
            .map(|edges| edges.iter().map(|edge| edge.to).collect())
            .collect();
        let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); self.names.len()];
        for (from, edges) in outgoing.iter().enumerate() {
            for to in edges {
                if let Some(known) = incoming.get_mut(*to) {
                    known.push(from);
                }
            }
        }
        for (ends, others) in [(&outgoing, &incoming), (&incoming, &outgoing)] {
            let mut degrees: Vec<usize> = ends
                .iter()
                .map(|ends| ends.iter().filter(|end| left.contains(end)).count())
                .collect();
            let mut todo: Vec<usize> = left
                .iter()
                .copied()
                .filter(|id| degrees.get(*id) == Some(&0))
                .collect();
            while let Some(id) = todo.pop() {
                left.remove(&id);
                for other in others.get(id).into_iter().flatten() {
                    if let Some(degree) = degrees.get_mut(*other).filter(|_| left.contains(other)) {
                        *degree -= 1;
                        if *degree == 0 {
                            todo.push(*other);
                        }
                    }
                }
            }
        }
        left
    }
}

fn has_defaults(unit: &Unit) -> bool {
    let value = unit.settings.last("Unit", "DefaultDependencies");
    value.is_none_or(|value| {
        !["no", "false", "off", "0", "n", "f"].contains(&&*value.text.to_lowercase())
    })
}
