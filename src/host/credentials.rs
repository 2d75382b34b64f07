//! What `docker login` left for a registry, read as Docker's own command reads it: `auths`, `credHelpers` and `credsStore` of
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>. Nothing of it is printed, logged or recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::images::{as_user, other_user};
use crate::root::Root;

/// Docker Hub's key among the logins.
const HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");
/// How a helper says that its secret is an identity token.
const TOKEN: &str = "<token>";
/// Bound of a helper.
const HELPER: Duration = Duration::from_secs(10);

/// Whose logins count.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Login {
    /// The user; `None`: root.
    pub user: Option<String>,
    /// The folder of Docker's configuration that a unit names; `None`: that of the user.
    pub config: Option<PathBuf>,
}

/// Docker's `config.json`, as far as it is about logins.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    auths: BTreeMap<String, Auth>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    identitytoken: Option<String>,
}

/// What a helper prints, docker-credential-helpers' protocol.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Secret {
    username: String,
    secret: String,
}

/// The login for a registry, if there is one.
///
/// # Errors
/// When the file or the helper cannot be read; nothing of what they say is in the error.
pub(super) async fn of(
    root: &Root,
    registry: &str,
    login: &Login,
) -> Result<Option<DockerCredentials>, String> {
    let path = folder(login).join("config.json");
    let text = root.read(&path).map_err(|error| error.to_string())?;
    let Some(text) = text else {
        return Ok(None);
    };
    let config: Config = serde_json::from_slice(&text)
        .map_err(|_| format!("{} is not what Docker writes", path.display()))?;
    let key = if registry == HUB.0 { HUB.1 } else { registry };
    let helper = config.helpers.get(key).or(config.store.as_ref());
    if let Some(helper) = helper {
        return ask(helper, key, login).await;
    }
    let auths = config.auths.iter();
    let mut own = auths.filter(|(known, _)| *known == key || host_of(known) == registry);
    Ok(own.next().and_then(|(_, auth)| decoded(auth, key)))
}

fn folder(login: &Login) -> PathBuf {
    let home = || {
        let user = other_user(login.user.as_deref());
        user.map_or_else(|| PathBuf::from("/root"), |user| user.dir)
    };
    let named = login.config.clone();
    named.unwrap_or_else(|| home().join(".docker"))
}

/// Keys may be URLs, as old versions of Docker wrote them.
fn host_of(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    key.split('/').next().unwrap_or(key)
}

/// `USER:PASSWORD` in base64.
fn decoded(auth: &Auth, server: &str) -> Option<DockerCredentials> {
    let text = STANDARD.decode(auth.auth.trim()).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(DockerCredentials {
        username: Some(user.to_owned()),
        password: Some(password.trim_end_matches('\0').to_owned()),
        identitytoken: auth.identitytoken.clone(),
        serveraddress: Some(server.to_owned()),
        ..DockerCredentials::default()
    })
}

/// Asks a helper, as the user; one that knows no login ends with a status that is not 0.
async fn ask(helper: &str, key: &str, login: &Login) -> Result<Option<DockerCredentials>, String> {
    let program = format!("docker-credential-{helper}");
    if Path::new(&program).components().count() != 1 {
        return Err(format!("{helper} is not the name of a credential helper"));
    }
    let failed = |why: String| format!("{program} get: {why}");
    let asked = async {
        let mut command = as_user(login.user.as_deref(), &program);
        command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(key.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(HELPER, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed(format!("no answer within {} s", HELPER.as_secs()))),
    };
    if !output.status.success() {
        return Ok(None);
    }
    let secret: Secret = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not that of a helper".to_owned()))?;
    let server = Some(key.to_owned());
    Ok(Some(match secret.username == TOKEN {
        true => DockerCredentials {
            identitytoken: Some(secret.secret),
            serveraddress: server,
            ..DockerCredentials::default()
        },
        false => DockerCredentials {
            username: Some(secret.username),
            password: Some(secret.secret),
            serveraddress: server,
            ..DockerCredentials::default()
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str, registry: &str) -> Result<Option<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("c")).unwrap();
        std::fs::write(folder.path().join("c/config.json"), config).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let login = Login {
            config: Some("/c".into()),
            ..Login::default()
        };
        let found = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(of(&root, registry, &login))?;
        Ok(found.map(|found| {
            (
                found.username.unwrap_or_default(),
                found.password.unwrap_or_default(),
            )
        }))
    }

    #[test]
    fn logins_are_found_by_registry() {
        let both = r#"{"auths": {"r.example.com": {"auth": "dXNlcjpzZTpjcmV0"}, "https://index.docker.io/v1/": {"auth": "aHViOng="},
            "https://old.example.com/v1/": {"auth": "b2xkOng="}}}"#;
        let login = |user: &str, password: &str| Ok(Some((user.to_owned(), password.to_owned())));
        assert_eq!(read(both, "r.example.com"), login("user", "se:cret"));
        assert_eq!(read(both, "docker.io"), login("hub", "x"));
        assert_eq!(read(both, "old.example.com"), login("old", "x"));
        assert_eq!(read(both, "other.example.com"), Ok(None));
        assert_eq!(read("{}", "r.example.com"), Ok(None));
    }

    #[test]
    fn errors_name_the_file_or_the_helper_and_no_secret() {
        let error = read(r#"{"auths": {"r": {"auth": ["c2VjcmV0"]}}}"#, "r").unwrap_err();
        assert_eq!(error, "/c/config.json is not what Docker writes");
        let error = read(r#"{"credsStore": "../x"}"#, "r").unwrap_err();
        assert_eq!(error, "../x is not the name of a credential helper");
        let error = read(r#"{"credHelpers": {"r": "missing-helper"}}"#, "r").unwrap_err();
        assert!(
            error.starts_with("docker-credential-missing-helper get: "),
            "{error}"
        );
    }
}
