use super::*;

fn refused(message: &str) -> HostError {
    HostError::Docker {
        engine: Engine::Docker,
        doing: "create network n".to_owned(),
        source: Box::new(bollard::errors::Error::DockerResponseServerError {
            status_code: 403,
            message: message.to_owned(),
        }),
    }
}

#[test]
fn overlap_says_how_to_list_subnets() {
    let error = refused("Pool overlaps with other one on this address space");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("docker network inspect"))
    );
    assert_eq!(error.to_string(), "Docker: could not create network n");
}

#[test]
fn podmans_words() {
    let error = |status_code, message: &str| HostError::Docker {
        engine: Engine::Podman,
        doing: "connect container api to network n".to_owned(),
        source: Box::new(bollard::errors::Error::DockerResponseServerError {
            status_code,
            message: message.to_owned(),
        }),
    };
    let connected = error(
        403,
        "container 1 is already connected to network n: network is already connected",
    );
    assert!(connected.is_already_connected());
    assert_eq!(
        connected.to_string(),
        "Podman: could not connect container api to network n"
    );
    assert!(error(500, "container api is not connected to network n").is_not_connected());
    let invalid = error(
        500,
        "normalizing image: parsing reference \"A::1\": invalid reference format",
    );
    assert!(invalid.is_bad_request());
    for (message, hint) in [
        (
            "subnet 10.1.0.0/24 is already used on the host or by another config",
            "podman network inspect",
        ),
        (
            "\"n\" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used",
            "podman network disconnect -f NETWORK CONTAINER",
        ),
        (
            "IPAM error: requested ip address 10.1.0.5 is already allocated to container ID 1",
            "podman network inspect shows which container holds the address",
        ),
    ] {
        let said = error(500, message).hint();
        assert!(said.is_some_and(|said| said.contains(hint)), "{message}");
    }
    let absent = HostError::DockerAbsent {
        socket: "/run/podman/podman.sock".into(),
        why: DockerAbsence::NoSocket,
        source: None,
    };
    assert_eq!(
        absent.to_string(),
        "cannot reach the Podman engine at /run/podman/podman.sock: there is no socket"
    );
    let hint = absent.hint();
    assert!(hint.is_some_and(|hint| hint.starts_with("systemctl start podman.socket")));
}

#[test]
fn lines_follow_the_message() {
    let error = HostError::NginxInvalid {
        reason: vec!["unknown directive \"x\"".to_owned()],
    };
    assert_eq!(
        error.to_string(),
        "nginx rejects the configuration\n    unknown directive \"x\""
    );
}
