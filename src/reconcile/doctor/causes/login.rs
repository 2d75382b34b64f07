//! A registry that refuses: no login, or one that is over.

use super::{Cause, What};
use crate::reconcile::doctor::facts::Facts;

/// What a line says of a registry.
pub(super) fn cause(
    facts: &Facts,
    line: &str,
    registry: Option<String>,
    place: &str,
    unit: Option<&str>,
) -> Cause {
    let unit = unit.and_then(|name| Some((name, facts.desired.units.get(name)?)));
    // Docker Hub has no host in names of images.
    let of_image = unit.and_then(|(_, unit)| {
        let mut images = unit.stacks.iter().flat_map(|stack| stack.images.values());
        images.find_map(|image| {
            let (host, _) = image.name.split_once('/')?;
            (host.contains('.') || host.contains(':')).then(|| host.to_owned())
        })
    });
    let registry = registry.or(of_image);
    let name = registry
        .clone()
        .unwrap_or_else(|| "the registry".to_owned());
    let expired = line.to_lowercase().contains("expired");
    let text = match expired {
        true => format!("the login to {name} has expired: {place} cannot pull its image"),
        false => format!(
            "{name} refuses the image of {place}: not logged in, or the login has no access"
        ),
    };
    let engine = facts.engine().command();
    let to = registry.unwrap_or_default();
    let user = unit.and_then(|(_, unit)| unit.user.clone());
    let sudo = match user.filter(|user| user != "root") {
        Some(user) => format!("sudo -u {user}"),
        None => "sudo".to_owned(),
    };
    let mut cause = Cause::new(What::RegistryLogin, place, text).shown([line.to_owned()]);
    let mut parts = to.split('.');
    // ACCOUNT.dkr.ecr.REGION.amazonaws.com, whose logins last 12 hours.
    cause = match (to.contains(".dkr.ecr."), parts.nth(3)) {
        (true, Some(region)) => cause.fixed(format!(
            "aws ecr get-login-password --region {region} | {sudo} {engine} login --username AWS --password-stdin {to}"
        )),
        _ => cause.fixed(format!("{sudo} {engine} login {to}").trim_end().to_owned()),
    };
    match unit {
        Some((name, _)) => cause.fixed(format!("sudo systemctl restart {name}")),
        None => cause,
    }
}
