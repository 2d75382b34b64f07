//! Containers of stacks that ran before somebody adopted them. What is laid over the compose files would have compose make
//! them anew; they stay until what they mount of the checkout changes.

mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{anew, replacement};
use crate::model::image::listed_name;
use crate::model::{Adoption, Bind, Container, Engine, ImageFound, ResourceId, Stack, Unit};
use crate::plan::draft::Draft;

/// The services whose containers stay as they are when compose is called, but for those of `anew`.
pub(super) fn leaves(
    draft: &Draft<'_>,
    name: &str,
    unit: &Unit,
    anew: &BTreeSet<String>,
) -> BTreeSet<String> {
    let before = replacement::before(draft, name);
    let changed = |stack: &Stack, service: &str| {
        let old = before
            .as_ref()
            .and_then(|unit| unit.project(&stack.project));
        old.is_some_and(|old| anew::mounts_other(old, stack, service))
    };
    let mut leaves = BTreeSet::new();
    for stack in unit.stacks.iter().filter(|_| unit.stack.is_some()) {
        let services = stack.mounted.keys().filter(|service| {
            !anew.contains(*service)
                && !changed(stack, service)
                && is_adopted(draft, stack, service)
        });
        leaves.extend(services.cloned());
    }
    leaves
}

/// The same where a stack starts and compose makes the containers of `anew` anew. Those get what is laid over the files;
/// docker-compose 1 does not read it at all then, since a second file has it make others anew, too.
pub(super) fn leaves_at_start(
    draft: &Draft<'_>,
    name: &str,
    unit: &Unit,
    anew: &BTreeSet<String>,
) -> BTreeSet<String> {
    let none = BTreeSet::new();
    let anew = match anew::is_by_compose_1(unit) {
        true => &none,
        false => anew,
    };
    leaves(draft, name, unit, anew)
}

/// The services of a stack whose containers run without what is laid over the compose files, and that compose makes anew when the
/// stack starts, each with the reason. Compose was asked for its hashes; where it could not say them, as of files with variables
/// that are secrets, mounts, images and what those are built from decide.
pub(super) fn recreated(draft: &Draft<'_>, name: &str, unit: &Unit) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let adoption = draft.observed.adoptions.get(name);
    let by_compose_1 = anew::is_by_compose_1(unit);
    // Podman has another name for an image than the file.
    let docker = draft.observed.engine() == Engine::Docker;
    for stack in unit.stacks.iter().filter(|_| unit.stack.is_some()) {
        let own = draft.observed.containers();
        let own = own.filter(|one| stack.owns(one) && one.is_running() && !one.is_laid_over);
        let own = own.filter_map(|one| Some((&one.compose.as_ref()?.1, one)));
        let own: Vec<(&String, &Container)> = own.collect();
        let mut known = BTreeMap::new();
        for (service, container) in &own {
            let seen = differs((stack, service), container, by_compose_1, docker);
            let why = match adoption.and_then(|known| Some((known, known.hashes.get(*service)?))) {
                Some((known, hash)) => match container.config_hash.as_ref() == Some(hash) {
                    true => moved(draft, stack, service, container).filter(|_| !by_compose_1),
                    false => Some(reasons(known, service, container, seen)),
                },
                None => seen,
            };
            if let Some(why) = why {
                known.entry((*service).clone()).or_insert(why);
            }
        }
        let runs = |service: &String| own.iter().any(|(known, _)| *known == service);
        let all = anew::with_users(stack, known.keys().cloned().collect(), runs);
        for service in all {
            let why = known.remove(&service);
            let why = why.unwrap_or_else(|| "it depends on one of the others".to_owned());
            found.insert(service, why);
        }
    }
    found
}

/// Says of each of them why.
pub(super) fn note(draft: &mut Draft<'_>, id: &ResourceId, recreated: &BTreeMap<String, String>) {
    for (service, why) in recreated {
        let text = format!("compose recreates the container of {service}: {why}");
        draft.note(id.clone(), None, text);
    }
}

/// Why compose makes a container anew, if its mounts, its image or what that is built from say it.
fn differs(
    (stack, service): (&Stack, &str),
    container: &Container,
    by_compose_1: bool,
    docker: bool,
) -> Option<String> {
    let of = |binds: &'_ BTreeMap<String, BTreeSet<Bind>>| binds.get(service).cloned();
    let wanted = [of(&stack.binds), of(&stack.stored_binds)];
    let wanted: Vec<Bind> = wanted.into_iter().flatten().flatten().collect();
    let moved = container.binds.iter().find_map(|now| {
        let new = wanted.iter().find(|bind| bind.target == now.target);
        let new = new.map(|bind| &bind.source);
        let new = new.or_else(|| secret(stack, service, now).filter(|_| by_compose_1))?;
        (*new != now.source).then_some((now, new))
    });
    if let Some((now, new)) = moved {
        let (old, new, target) = (now.source.display(), new.display(), now.target.display());
        return Some(format!(
            "it has {old} at {target}, and gets {new}; write {old} in the compose file to keep it"
        ));
    }
    let files = &container.config_files;
    let is_elsewhere = !files.is_empty() && !files.iter().any(|file| stack.files.contains(file));
    if by_compose_1 && is_elsewhere && stack.built.contains(service) {
        return Some("the folder that its image is built from is another".to_owned());
    }
    let image = &stack.images.get(service)?.name;
    let (old, new) = (listed_name(&container.image)?, listed_name(image)?);
    (docker && old != new).then(|| format!("it runs {old}, and gets {new}"))
}

/// Whether the name of its image leads to another one by now: compose 2 looks at that as well (`mustRecreate` in its
/// pkg/compose/convergence.go).
fn moved(draft: &Draft<'_>, stack: &Stack, service: &str, container: &Container) -> Option<String> {
    let name = &stack.images.get(service)?.name;
    let ImageFound::There(image) = draft.observed.docker.as_ref()?.images.get(name)? else {
        return None;
    };
    let is_other = !container.image_id.is_empty() && image.id != container.image_id;
    is_other.then(|| format!("{name} is another image now than the one that it runs"))
}

/// Why compose has another hash of a service than its container.
fn reasons(known: &Adoption, service: &str, container: &Container, seen: Option<String>) -> String {
    let pair = known.has.get(&container.id).zip(known.wanted.get(service));
    let differences = pair.map(|(has, wanted)| shapes::differences(has, wanted));
    let reasons = seen.into_iter().chain(differences.into_iter().flatten());
    let reasons: Vec<String> = reasons.collect();
    if !reasons.is_empty() {
        return reasons.join("; ");
    }
    let made_by = pair.and_then(|(has, _)| has.made_by.as_deref());
    match made_by {
        Some(version) => format!(
            "compose {version} created it from another configuration, or compose compares configurations differently now"
        ),
        None => "it was created from another configuration".to_owned(),
    }
}

/// The file of a secret of a container: docker-compose 1 mounts it there, and its path counts.
fn secret<'s>(stack: &'s Stack, service: &str, now: &Bind) -> Option<&'s PathBuf> {
    now.target.starts_with("/run/secrets").then_some(())?;
    let mut stored = stack.stored.get(service)?.iter();
    stored.find(|path| path.file_name() == now.source.file_name())
}

/// Whether a service that mounts something of the checkout has such containers.
pub(super) fn any(draft: &Draft<'_>, stack: &Stack) -> bool {
    let mut services = stack.mounted.keys();
    services.any(|service| is_adopted(draft, stack, service))
}

/// Whether a service has containers, and all of them were made without what is laid over the compose files.
fn is_adopted(draft: &Draft<'_>, stack: &Stack, service: &str) -> bool {
    let is_of = |one: &&Container| stack.owns(one) && one.service() == Some(service);
    let mut own = draft.observed.containers().filter(is_of).peekable();
    own.peek().is_some() && own.all(|container| !container.is_laid_over)
}
