//! What containers run, by digest.

use crate::cli::render::identity;
use crate::model::image::short;
use crate::reconcile::ContainerStatus;

/// The image of a container: its name with the digest by which its registry knows it, or with its id where none does, and
/// how old it is.
pub(super) fn cell(one: &ContainerStatus, old: Option<String>) -> String {
    let digest = one.image_digest.as_deref();
    let digest = digest.filter(|digest| !one.image.contains(digest));
    let known = match (&one.image_digest, one.image_id.is_empty()) {
        (None, false) => Some(identity(None, &one.image_id)),
        _ => None,
    };
    let about: Vec<String> = [known, old].into_iter().flatten().collect();
    let about = match about.is_empty() {
        true => String::new(),
        false => format!(" ({})", about.join(", ")),
    };
    let digest = digest.map_or_else(String::new, |digest| format!("@{}", short(digest)));
    format!("{}{digest}{about}", one.image)
}

/// That the name of its image leads to another image of the host by now.
pub(super) fn moved(one: &ContainerStatus) -> Option<String> {
    let newer = one.newer_image_id.as_ref()?;
    let help = match &one.unit {
        Some(unit) => format!("sudo systemctl restart {unit} runs it"),
        None => "it runs once the container is recreated".to_owned(),
    };
    let (name, image, newer) = (&one.name, &one.image, short(newer));
    Some(format!(
        "{name}: {image} is now another image on this host, {newer}: {help}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Health;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn container(image: &str, digest: Option<&str>) -> ContainerStatus {
        ContainerStatus {
            name: "web".into(),
            unit: Some("web.service".into()),
            networks: [].into(),
            state: "running".into(),
            since: None,
            restarts: 0,
            exit_code: None,
            meaning: None,
            health: Health::None,
            image: image.into(),
            image_created: None,
            image_id: "sha256:0123456789abcdef".into(),
            image_digest: digest.map(Into::into),
            newer_image_id: Some("sha256:fedcba9876543210".into()),
        }
    }

    #[test]
    fn an_image_has_a_digest_or_an_id() {
        let old = || Some("3 days old".to_owned());
        assert_eq!(
            cell(&container("app:1", Some(DIGEST)), old()),
            "app:1@sha256:aaaaaaaaaaaa (3 days old)"
        );
        assert_eq!(
            cell(&container("app:1", None), old()),
            "app:1 (id sha256:0123456789ab, made or tagged here, 3 days old)"
        );
        let pinned = format!("app@{DIGEST}");
        assert_eq!(cell(&container(&pinned, Some(DIGEST)), None), pinned);
    }

    #[test]
    fn a_name_that_moved_is_said_with_what_runs_it() {
        let mut one = container("app:1", None);
        assert_eq!(
            moved(&one).as_deref(),
            Some(
                "web: app:1 is now another image on this host, sha256:fedcba987654: sudo systemctl restart web.service runs it"
            )
        );
        one.newer_image_id = None;
        assert_eq!(moved(&one), None);
    }
}
