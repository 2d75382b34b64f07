//! Stacks that update start-first, in a generation that is gone back to: what serves now may be the copy that the generation
//! had. Then the generation's comes as the other one, so that nothing that serves is changed in place.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;

use crate::model::{
    BackupOf, Desired, File, MemberName, Probe, RanImages, Recorded, Stack, StackCopy, Unit,
};
use crate::source::load::stack_units::{UPSTREAMS, upstreams};

/// A copy of a stack that becomes the other one.
struct Turn {
    stack: String,
    from: StackCopy,
    to: StackCopy,
}

/// Gives each stack of a generation the copy that it would get if it were applied now.
pub(in crate::reconcile) fn beside(desired: &mut Desired, recorded: &Recorded) {
    let Some((_, applied)) = &recorded.applied else {
        return;
    };
    let now = Timestamp::now();
    let pause = |unit: &str| recorded.pauses.get(unit);
    let copies = applied.copies(|unit| pause(unit).is_some_and(|pause| pause.holds(now)));
    let turns = desired.units.values().filter_map(|unit| {
        let (stack, from) = (unit.stack.clone()?, unit.copy.clone()?);
        // A record of an earlier version has one of its two ports alone.
        let to = copies.next(&stack, from.ports?, from.revision.clone());
        let is_other = (to.letter, to.port) != (from.letter, from.port);
        is_other.then_some(Turn { stack, from, to })
    });
    let turns: Vec<Turn> = turns.collect();
    let turned = turns.iter().filter(|turn| turn.take(desired).is_some());
    if turned.count() > 0 {
        tell_nginx(desired);
    }
}

/// The same for what ran in the generation: images are found by unit and project.
pub(in crate::reconcile) fn of_images(ran: &mut RanImages, desired: &Desired) {
    for (name, unit) in &desired.units {
        let (Some(stack), Some(copy)) = (&unit.stack, &unit.copy) else {
            continue;
        };
        let units = StackCopy::units(stack);
        for image in ran.images.iter_mut() {
            if !units.contains(&image.unit) || image.unit == *name {
                continue;
            }
            image.unit = name.clone();
            if let Some((project, _)) = &mut image.service
                && let Some(base) = base(project, copy.other())
            {
                *project = copy.project(base);
            }
        }
    }
}

/// The project of a stack without the letter of a copy.
fn base(project: &str, letter: char) -> Option<&str> {
    project.strip_suffix(letter)?.strip_suffix('-')
}

impl Turn {
    /// Turns all that a generation says of the copy. Nothing where its unit says it in another way than it is written today.
    fn take(&self, desired: &mut Desired) -> Option<()> {
        let (old, new) = (self.from.unit(&self.stack), self.to.unit(&self.stack));
        let unit = desired.units.get(&old)?;
        let projects: Vec<(String, String)> = unit
            .stacks
            .iter()
            .filter_map(|stack| {
                let base = base(&stack.project, self.from.letter)?;
                Some((stack.project.clone(), self.to.project(base)))
            })
            .collect();
        let file = self.file(unit.file.as_ref()?, &new, &projects)?;
        let mut unit = desired.units.remove(&old)?;
        unit.file = Some(file);
        unit.copy = Some(self.to.clone());
        let links = std::mem::take(&mut unit.install.links).into_iter();
        let is_own = |link: &Path| link.file_name() == Some(old.as_ref());
        let links = links.map(|link| match is_own(&link) {
            true => link.with_file_name(&new),
            false => link,
        });
        unit.install.links = links.collect();
        for stack in &mut unit.stacks {
            self.turn_stack(stack, &projects);
        }
        // Drop-ins are of one of the two units, as git has them.
        let others = desired.units.remove(&new);
        let dropins = others.map(|other| other.dropins).unwrap_or_default();
        let left = std::mem::replace(&mut unit.dropins, dropins);
        if !left.is_empty() {
            let left = Unit {
                dropins: left,
                ..Unit::default()
            };
            desired.units.insert(old.clone(), left);
        }
        desired.units.insert(new.clone(), unit);
        self.turn_others(desired, (&old, &new), &projects);
        Some(())
    }

    /// The file of its unit, as [`crate::source::load::stack_units`] would write it.
    fn file(&self, file: &File, unit: &str, projects: &[(String, String)]) -> Option<File> {
        let mut text = String::from_utf8(file.content.to_vec()).ok()?;
        let port = |copy: &StackCopy| format!("\nEnvironment=PORT={}\n", copy.port);
        let words = |project: &str| format!(" --project-name {project} ");
        let project = projects.iter().map(|(old, new)| (words(old), words(new)));
        let port = (port(&self.from), port(&self.to));
        for (old, new) in project.chain([port]) {
            if !text.contains(&old) {
                return None;
            }
            text = text.replace(&old, &new);
        }
        let source = file.source.with_file_name(unit);
        Some(File::new(source, text.into_bytes(), file.executable))
    }

    fn turn_stack(&self, stack: &mut Stack, projects: &[(String, String)]) {
        let Some((old, new)) = projects.iter().find(|(old, _)| *old == stack.project) else {
            return;
        };
        stack.project.clone_from(new);
        if stack.ports.remove(&self.from.port) {
            stack.ports.insert(self.to.port);
        }
        let published = std::mem::take(&mut stack.published).into_iter();
        let published = published.map(|mut publish| {
            if publish.port == self.from.port {
                publish.port = self.to.port;
            }
            publish
        });
        stack.published = published.collect();
        let networks = std::mem::take(&mut stack.networks).into_iter();
        let networks = networks.map(|(name, hash)| match name.strip_prefix(old.as_str()) {
            Some(rest) if rest.starts_with('_') => (format!("{new}{rest}"), hash),
            _ => (name, hash),
        });
        stack.networks = networks.collect();
        // They are hashes of a text with the project and the port: none is on record for this one.
        stack.definitions.clear();
        stack.kept = None;
    }

    /// What names the unit, the project or the port.
    fn turn_others(
        &self,
        desired: &mut Desired,
        (old_unit, new_unit): (&str, &str),
        projects: &[(String, String)],
    ) {
        let turn_member = |member: &mut MemberName| {
            if let MemberName::Service { project, .. } = member
                && let Some((_, new)) = projects.iter().find(|(old, _)| old == project)
            {
                project.clone_from(new);
            }
        };
        for network in desired.networks.values_mut() {
            for member in &mut network.members {
                turn_member(&mut member.name);
            }
            if network.owner.as_deref() == Some(old_unit) {
                network.owner = Some(new_unit.to_owned());
            }
        }
        for backup in desired.backups.values_mut() {
            match &mut backup.of {
                BackupOf::Service { member, .. } => turn_member(member),
                BackupOf::Volume { member, .. } => member.iter_mut().for_each(turn_member),
                BackupOf::Files(_) | BackupOf::Host(_) => {}
            }
        }
        let at = |copy: &StackCopy| SocketAddr::from((Ipv4Addr::LOCALHOST, copy.port));
        let (old, new) = (at(&self.from), at(&self.to));
        for gate in &mut desired.gates {
            if let Some(ports) = &mut gate.behind.ports
                && ports.remove(&self.from.port)
            {
                ports.insert(self.to.port);
            }
            match &mut gate.probe {
                Probe::Unit(unit) if unit == old_unit => new_unit.clone_into(unit),
                Probe::Tcp(address) if *address == old => *address = new,
                _ => {}
            }
        }
        let sites = desired.sites.values_mut().map(|site| &mut site.upstreams);
        let files = desired.etc.values_mut().map(|file| &mut file.upstreams);
        for upstreams in sites.chain(files) {
            if upstreams.remove(&old) {
                upstreams.insert(new);
            }
        }
    }
}

/// Writes anew where nginx learns which copies serve.
fn tell_nginx(desired: &mut Desired) {
    let stacks = desired.units.values();
    let stacks = stacks.filter_map(|unit| Some((unit.stack.as_deref()?, unit.copy.as_ref()?.port)));
    let file = upstreams(stacks);
    if let (Some(entry), Some(file)) = (desired.etc.get_mut(Path::new(UPSTREAMS)), file) {
        // Its path in the store stays.
        entry.file = File {
            source: entry.file.source.clone(),
            ..file
        };
    }
}

#[cfg(test)]
mod tests;
