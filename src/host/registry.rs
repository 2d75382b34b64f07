//! What tags lead to in their registries. The engine asks them; a few at a time, and one that cannot be reached only once.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

pub(crate) use super::credentials::Login;
use super::error::server_answer;
use super::{Host, HostError, credentials, images};
use crate::model::Engine;
use crate::model::image::registry;

/// Registries that are asked at once; the images of each one after another.
const AT_ONCE: usize = 4;
/// Where a refusal is about one image: Docker Hub says the same of one that does not exist.
const HUB: &str = "docker.io";

/// What a registry said of its images, by name.
#[derive(Debug)]
pub(crate) struct Answers {
    pub registry: String,
    /// Digests, or why there is none.
    pub images: BTreeMap<String, Result<String, String>>,
    /// Why the registry was not asked any further, with what helps.
    pub unreachable: Option<String>,
    /// Images that it was not asked for.
    pub not_asked: Vec<String>,
}

/// A lookup that failed.
struct Failure {
    /// What was said, and what helps.
    why: String,
    /// Whether the registry would say the same of its other images.
    of_all: bool,
}

impl Host {
    /// Asks the registries of these images which digest each name has, with what `docker login` left for whose units run
    /// them.
    pub(crate) async fn ask_registries(&self, images: BTreeMap<String, Login>) -> Vec<Answers> {
        let mut by_registry: BTreeMap<(String, Login), Vec<String>> = BTreeMap::new();
        for (name, login) in images {
            let key = (registry(&name).to_owned(), login);
            by_registry.entry(key).or_default().push(name);
        }
        stream::iter(by_registry)
            .map(|((registry, login), names)| self.ask_registry(registry, login, names))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn ask_registry(&self, registry: String, login: Login, names: Vec<String>) -> Answers {
        let mut answers = Answers {
            images: BTreeMap::new(),
            unreachable: None,
            not_asked: Vec::new(),
            registry,
        };
        let podman = self
            .docker()
            .await
            .is_ok_and(|docker| docker.kind() == Engine::Podman);
        if podman {
            answers.unreachable = Some("the API of Podman looks up no tags".to_owned());
            answers.not_asked = names;
            return answers;
        }
        let credentials = credentials::of(&self.root, &answers.registry, &login).await;
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(why) => {
                answers.unreachable = Some(format!("could not read its login: {why}"));
                answers.not_asked = names;
                return answers;
            }
        };
        let user = login.user.as_deref().unwrap_or("root");
        let mut names = names.into_iter();
        while let Some(name) = names.next() {
            let asked = match self.docker().await {
                Ok(docker) => docker.registry_digest(&name, credentials.clone()).await,
                Err(error) => Err(error),
            };
            match asked.map_err(|error| failure(&error, &name, user)) {
                Ok(digest) => drop(answers.images.insert(name, Ok(digest))),
                Err(failure) if failure.of_all => {
                    answers.unreachable = Some(failure.why);
                    answers.not_asked = std::iter::once(name).chain(names).collect();
                    break;
                }
                Err(failure) => drop(answers.images.insert(name, Err(failure.why))),
            }
        }
        answers
    }
}

/// What a failed lookup means. Engines answer with 404 where the registry has no such name, and with 500 else, whatever the
/// registry said.
fn failure(error: &HostError, name: &str, user: &str) -> Failure {
    let HostError::Docker { source, .. } = error else {
        return Failure {
            why: error.to_string(),
            of_all: true,
        };
    };
    let (status, said) = match server_answer(source) {
        Some((status, said)) => (status, said.to_owned()),
        None => (0, source.to_string()),
    };
    let help = images::hint(Engine::Docker, name, user, std::slice::from_ref(&said));
    let asks_for_login = help.contains("docker login");
    let why = match (status, asks_for_login) {
        (404, _) => format!("{said} ({help})"),
        (_, true) => format!("it asks for a login: {said} ({help})"),
        _ => format!("it cannot be reached: {said}"),
    };
    Failure {
        why,
        of_all: status != 404 && !(asks_for_login && registry(name) == HUB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: u16, said: &str, name: &str) -> (String, bool) {
        let source = bollard::errors::Error::DockerResponseServerError {
            status_code: status,
            message: said.to_owned(),
        };
        let error = HostError::Docker {
            engine: Engine::Docker,
            doing: String::new(),
            source: Box::new(source),
        };
        let failure = failure(&error, name, "ubuntu");
        (failure.why, failure.of_all)
    }

    #[test]
    fn a_failed_lookup_is_about_an_image_or_about_its_registry() {
        let name = "r.example.com/app:1";
        let (why, of_all) = failed(404, "manifest unknown: manifest unknown", name);
        assert!(
            why.starts_with("manifest unknown: manifest unknown (does the tag exist"),
            "{why}"
        );
        assert!(!of_all);
        assert_eq!(
            failed(500, "Head: no basic auth credentials", name),
            (
                "it asks for a login: Head: no basic auth credentials (as ubuntu: docker login r.example.com)".to_owned(),
                true
            )
        );
        assert!(!failed(500, "pull access denied", "app:1").1, "Docker Hub");
        assert_eq!(
            failed(500, "dial tcp 192.0.2.1:443: connection refused", name),
            (
                "it cannot be reached: dial tcp 192.0.2.1:443: connection refused".to_owned(),
                true
            )
        );
    }
}
