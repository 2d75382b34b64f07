//! An engine that goes away, hangs, or loses containers between two answers.

use super::*;

#[test]
fn only_this_hosts_engine() {
    assert_eq!(socket(None), Path::new(SOCKET));
    assert_eq!(socket(Some("tcp://192.0.2.1:2375")), Path::new(SOCKET));
    assert_eq!(socket(Some("unix:///run/d.sock")), Path::new("/run/d.sock"));
}

#[tokio::test]
async fn a_missing_socket_a_dead_one_and_a_mute_one() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("docker.sock");
    let why = async || match Docker::connect_to(&path, Duration::from_millis(50)).await {
        Err(HostError::DockerAbsent { why, .. }) => Some(why),
        _ => None,
    };
    assert_eq!(why().await, Some(DockerAbsence::NoSocket));
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    assert_eq!(why().await, Some(DockerAbsence::Mute));
    drop(listener);
    assert_eq!(why().await, Some(DockerAbsence::Refused));
    Ok(())
}

/// An engine that gives each request the first of the answers whose path the request has, and
/// after the last one of a path that one again. `None` cuts the connection off; the status 0 never answers.
fn engine(path: &Path, answers: &'static [(&'static str, Option<(u16, &'static str)>)]) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        let (mut given, mut silent) = (vec![false; answers.len()], Vec::new());
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let line = String::from_utf8_lossy(&request[..length]);
            let line = line.lines().next().unwrap_or_default().to_owned();
            let of_path = |index: &usize| line.contains(answers[*index].0);
            let mut known = (0..answers.len()).filter(of_path);
            let last = (0..answers.len()).rfind(of_path);
            let index = known.find(|index| !given[*index]).or(last);
            let Some(index) = index else {
                let pong = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
                let _ = stream.write_all(pong.as_bytes()).await;
                continue;
            };
            given[index] = true;
            if let Some((0, _)) = answers[index].1 {
                silent.push(stream);
            } else if let Some((status, body)) = answers[index].1 {
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(text.as_bytes()).await;
            }
        }
    });
}

const LISTED: &str = r#"[{"Id":"one","Names":["/one"],"State":"running"},{"Id":"two","Names":["/two"],"State":"running"}]"#;

#[tokio::test]
async fn containers_and_networks_that_vanish_between_list_and_inspect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    engine(
        &path,
        &[
            ("/containers/json", Some((200, LISTED))),
            (
                "/containers/one/json",
                Some((
                    500,
                    r#"{"message":"RWLayer of container one is unexpectedly nil"}"#,
                )),
            ),
            (
                "/containers/one/json",
                Some((404, r#"{"message":"No such container: one"}"#)),
            ),
            (
                "/containers/two/json",
                Some((
                    409,
                    r#"{"message":"removal of container two is already in progress"}"#,
                )),
            ),
            (
                "/networks/n",
                Some((404, r#"{"message":"network n not found"}"#)),
            ),
            ("/networks", Some((200, r#"[{"Id":"n","Name":"net"}]"#))),
            ("/volumes", Some((200, r#"{"Volumes":[]}"#))),
        ],
    );
    let docker = Docker::connect_to(&path, Duration::from_secs(2))
        .await
        .unwrap();
    let named = BTreeSet::from(["net".to_owned()]);
    let state = docker.observe(&named, &|_| true).await.unwrap();
    assert!(state.networks.is_empty());
    // What is on its way out is what the list said of it.
    let names: Vec<&str> = state
        .containers
        .iter()
        .map(|container| &*container.name)
        .collect();
    assert_eq!(names, ["two"]);
}

#[tokio::test]
async fn a_question_that_is_cut_off_is_asked_again_once_the_engine_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    engine(
        &path,
        &[
            ("/containers/one/json", None),
            (
                "/containers/one/json",
                Some((200, r#"{"Id":"one","Name":"/one"}"#)),
            ),
        ],
    );
    let docker = Docker::connect_to(&path, Duration::from_secs(2))
        .await
        .unwrap();
    assert_eq!(docker.container("one").await.unwrap().name, "one");
}

const STOPS: &str = r#"{"Id":"one","Name":"/web","Config":{"StopTimeout":0}}"#;

/// An engine that does not answer a stop within its bound, and answers a short question, waits for the container.
#[tokio::test]
async fn a_container_that_goes_on_running_is_no_engine_that_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    engine(
        &path,
        &[
            ("/containers/one/json", Some((200, STOPS))),
            ("/containers/one/stop", Some((0, ""))),
        ],
    );
    let docker = Docker::connect_to(&path, Duration::from_secs(2))
        .await
        .unwrap();
    let container = docker.container("one").await.unwrap();
    assert_eq!(container.stop_timeout, Some(0));
    let stop = docker.stop_within(&container, Duration::from_secs(1));
    let error = stop.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Docker: container web still runs 1 s after it was told to stop"
    );
    assert!(!error.is_engine_mute());
    assert_eq!(
        error.hint().as_deref(),
        Some("docker top web; docker kill web")
    );
    // What comes next asks it all the same.
    assert_eq!(docker.container("one").await.unwrap().name, "web");
}
