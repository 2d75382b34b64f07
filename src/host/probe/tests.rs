//! Which address a gate asks, and what is said of answers.

use super::*;

#[test]
fn an_address_of_ipv6_is_asked_over_ipv6() {
    let of = |url: &str| this_host(&url.parse().unwrap()).to_string();
    assert_eq!(of("http://[::1]:8080/"), "::1");
    assert_eq!(of("https://[2001:db8::1]/"), "::1");
    assert_eq!(of("https://api.example.org/"), "127.0.0.1");
    assert_eq!(of("http://203.0.113.5/"), "127.0.0.1");
    let url = Probe::Url {
        url: "http://[::1]:8080/".parse().unwrap(),
        status: 200,
        verify: true,
    };
    let hint = ProbeError::Timeout(Duration::from_secs(1)).hint(&url);
    assert_eq!(
        hint.as_deref(),
        Some(
            "curl -ski --connect-to '::[::1]:8080' 'http://[::1]:8080/'; ss -ltnp 'sport = :8080'"
        )
    );
}

#[test]
fn each_failure_is_one_line_with_what_helps() {
    let url = Probe::Url {
        url: "https://api.example.org:8443/health".parse().unwrap(),
        status: 200,
        verify: true,
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8443));
    for (error, probe, text, hint) in [
        (
            ProbeError::Timeout(Duration::from_millis(2500)),
            &url,
            "no answer within 2.5 s",
            "curl -ski --resolve api.example.org:8443:127.0.0.1 'https://api.example.org:8443/health'; ss -ltnp 'sport = :8443'",
        ),
        (
            ProbeError::Connect {
                address,
                why: std::io::ErrorKind::ConnectionRefused.into(),
            },
            &Probe::Tcp(address),
            "could not connect to 127.0.0.1:8443: connection refused",
            "ss -ltnp 'sport = :8443' shows who listens",
        ),
        (
            ProbeError::NoIssuers {
                path: "/etc/ssl/certs/ca-certificates.crt".into(),
            },
            &url,
            "certificates cannot be verified: /etc/ssl/certs/ca-certificates.crt has no certificates of issuers",
            "apt-get install ca-certificates",
        ),
        (
            ProbeError::Container(Engine::Docker, "unhealthy".into()),
            &Probe::Container("api".into()),
            "expected it running and healthy, got unhealthy",
            "docker inspect --format '{{json .State}}' api; docker logs --tail 50 api",
        ),
        (
            ProbeError::Unit("failed (failed)".into()),
            &Probe::Unit("a.service".into()),
            "expected active, got failed (failed)",
            "systemctl status a.service; journalctl -u a.service -n 50",
        ),
        (
            ProbeError::Certificate {
                host: "api.example.org".into(),
                why: Untrusted::Expired(Some("2021-02-03".into())),
            },
            &url,
            "its certificate expired on 2021-02-03",
            "certbot renew && systemctl reload nginx; certbot certificates shows what there is",
        ),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.hint(probe).as_deref(), Some(hint));
    }
}

#[test]
fn a_container_is_well_when_it_runs_and_says_nothing_else() {
    let container = |state: &str, health| Container {
        state: state.to_owned(),
        health,
        ..Container::default()
    };
    let of = |state, health| {
        well(Engine::Docker, &container(state, health))
            .map_err(|error| error.to_string())
            .is_ok()
    };
    assert!(of("running", Health::Healthy) && of("running", Health::None));
    assert!(!of("running", Health::Starting) && !of("running", Health::Unhealthy));
    assert!(!of("paused", Health::Healthy) && !of("exited", Health::None));
}

#[tokio::test]
async fn a_port_that_nobody_serves_is_said() {
    let host = Host::live().unwrap();
    // Bound, and gone again.
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let gate = |timeout| Gate {
        probe: Probe::Tcp(address),
        timeout,
        retries: 0,
        behind: crate::model::Backend::default(),
    };
    let patient = gate(Duration::from_secs(5));
    assert_eq!(host.probe(&patient).await.unwrap(), Passed::Well);
    drop(listener);
    let error = host.probe(&patient).await.unwrap_err().to_string();
    assert!(
        error.starts_with("could not connect to 127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    for scheme in ["http", "https"] {
        let gate = Gate {
            probe: Probe::Url {
                url: format!("{scheme}://localhost:{port}/").parse().unwrap(),
                status: 200,
                verify: false,
            },
            timeout: Duration::from_millis(50),
            retries: 0,
            behind: crate::model::Backend::default(),
        };
        let error = Host::live()
            .unwrap()
            .probe(&gate)
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(error, "no answer within 0.05 s");
    }
}
