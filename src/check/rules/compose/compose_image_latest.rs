//! Images without a tag, or with the tag `latest`.

use crate::check::rules::compose::prelude::*;
use crate::source::compose::Variables;

pub(crate) static RULE: Rule = rule!(compose_image_latest, Warning, run)
    .grouped(
        "services use an image without a tag, or the tag latest",
        Some("write the tag of the build that was tested, such as app:prod-20250830"),
    )
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        findings.extend(latest(view, stack, name, service));
    }
}

fn latest(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    let image = service
        .image()
        .filter(|image| !image.contains('@') && !service.is_built())?;
    let last = image.rsplit('/').next().unwrap_or(image);
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let what = match tag {
        None => "has no tag, which means latest",
        Some("latest") => "is latest",
        Some(_) => return None,
    };
    let place = view.at(stack, name, &["image"]);
    // What a variable is on the server is not known elsewhere.
    if view.raw(&place).contains('$') && !matches!(stack.variables, Variables::File(_)) {
        return None;
    }
    let message = format!("the image of service {name} {what}");
    let bare = image.strip_suffix(":latest").unwrap_or(image);
    let help = format!("write the tag of the build that was tested, such as {bare}:prod-20250830");
    let expected =
        "the next pull brings another image, and a rollback has no earlier image to return to";
    let place = say(place, message, expected, help);
    Some(RULE.at(place))
}
