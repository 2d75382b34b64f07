//! Sets the status of a commit at a forge.

use crate::model::{Event, Forge, Message, Project};

/// The longest text that GitHub takes: <https://docs.github.com/rest/commits/statuses>
const LONGEST: usize = 140;

/// The header that says who asks.
pub(super) fn authorization(forge: Forge, token: &str) -> (&'static str, String) {
    match forge {
        Forge::Github => ("authorization", format!("Bearer {token}")),
        Forge::Gitea => ("authorization", format!("token {token}")),
        Forge::Gitlab => ("private-token", token.to_owned()),
    }
}

/// What sets the status. Each host has a status of its own, and so has a test.
pub(super) fn status(project: &Project, message: &Message) -> String {
    let well = matches!(message.event, None | Some(Event::Applied));
    let state = match (project.forge, well) {
        (_, true) => "success",
        (Forge::Gitlab, false) => "failed",
        (Forge::Github | Forge::Gitea, false) => "failure",
    };
    let name = match message.event {
        None => format!("watchme-apply/{} test", message.host),
        Some(_) => format!("watchme-apply/{}", message.host),
    };
    let key = match project.forge {
        Forge::Gitlab => "name",
        Forge::Github | Forge::Gitea => "context",
    };
    let text: String = message.title.chars().take(LONGEST).collect();
    serde_json::json!({ "state": state, key: name, "description": text }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forge_gets_its_words() {
        let message = |event| Message {
            event,
            healed: false,
            host: "web-1".into(),
            title: "é".repeat(200),
            text: String::new(),
            commit: Some("abc".into()),
            time: jiff::Timestamp::UNIX_EPOCH,
        };
        let of = |forge, event| {
            let project = Project {
                origin: "https://git.example.com".into(),
                path: "acme/server".into(),
                forge,
            };
            let body = status(&project, &message(event));
            serde_json::from_str::<serde_json::Value>(&body).unwrap()
        };
        let github = of(Forge::Github, Some(Event::RolledBack));
        assert_eq!(github["state"], "failure");
        assert_eq!(github["context"], "watchme-apply/web-1");
        let text = github["description"].as_str().unwrap();
        assert_eq!(text.chars().count(), LONGEST);
        let gitlab = of(Forge::Gitlab, Some(Event::Quarantined));
        assert_eq!(gitlab["state"], "failed");
        assert_eq!(gitlab["name"], "watchme-apply/web-1");
        assert_eq!(of(Forge::Gitea, Some(Event::Applied))["state"], "success");
        assert_eq!(
            of(Forge::Gitea, None)["context"],
            "watchme-apply/web-1 test"
        );
        let gitlab = authorization(Forge::Gitlab, "t");
        assert_eq!(gitlab, ("private-token", "t".to_owned()));
    }
}
