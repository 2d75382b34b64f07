//! Findings as tables: a case each.

use source_text::SourceFile;

use super::*;
use crate::effect::{Change, Effect, Plan, UnitStep};
use crate::model::{DockerState, DriftKind, Engine, Kind, ResourceId, Unit};

fn start(ports: &[u16], memory: u64) -> Plan {
    starting(ports, memory, Effect::Start)
}

fn starting(ports: &[u16], memory: u64, action: fn(UnitStep) -> Effect) -> Plan {
    let stack = Stack {
        ports: ports.iter().copied().collect(),
        memory,
        ..Stack::default()
    };
    let step = UnitStep {
        unit: "a.service".into(),
        stacks: vec![stack],
        ..UnitStep::default()
    };
    Plan {
        changes: vec![Change {
            id: ResourceId::new(Kind::Unit, "a.service"),
            effect: action(step),
            why: String::new(),
            diff: None,
            interrupts: BTreeSet::new(),
            drift: DriftKind::Drifted,
            after_gates: false,
        }],
        ..Plan::default()
    }
}

fn found(plan: &Plan, needs: &[Need], preflight: &Preflight) -> Vec<String> {
    on(plan, needs, preflight, &Observed::default())
}

fn on(plan: &Plan, needs: &[Need], preflight: &Preflight, observed: &Observed) -> Vec<String> {
    let findings = findings(&Case {
        plan,
        desired: &Desired::default(),
        observed,
        needs,
        external: &[],
        preflight,
    });
    findings
        .iter()
        .map(|one| format!("{} {one}", one.rule.name))
        .collect()
}

#[test]
fn what_is_not_there_matters_to_what_starts() {
    let need = |unit: &str| Need {
        unit: unit.into(),
        path: "/srv/app".into(),
        instead: Vec::new(),
        what: "working directory",
        place: Diagnostic::of_line(
            &SourceFile::new(
                "systemd/a.service",
                "[Service]\nWorkingDirectory=/srv/app\n",
            ),
            2,
            "",
        ),
    };
    let gone = Preflight {
        missing: BTreeSet::from(["/srv/app".into()]),
        ..Preflight::default()
    };
    assert_eq!(
        found(
            &start(&[], 0),
            &[need("a.service"), need("b.service")],
            &gone
        ),
        [
            "host-path-missing systemd/a.service:2:1: the working directory /srv/app of a.service does not exist on this host"
        ]
    );
    assert_eq!(
        found(&start(&[], 0), &[need("a.service")], &Preflight::default()),
        [""; 0]
    );
    assert_eq!(
        found(&Plan::default(), &[need("a.service")], &gone),
        [""; 0]
    );
}

#[test]
fn ports_that_others_have() {
    let listener = |program: Option<&str>, address: &str, unit: Option<&str>| Listener {
        port: 8001,
        protocol: "tcp",
        address: address.parse().unwrap(),
        program: program.map(str::to_owned),
        unit: unit.map(str::to_owned),
    };
    let said = |plan: &Plan, listener: Listener| {
        let observed = Observed {
            listeners: vec![listener],
            docker: Some(DockerState::default()),
            ..Observed::default()
        };
        on(plan, &[], &Preflight::default(), &observed)
    };
    let anywhere = |program| listener(program, "0.0.0.0", None);
    for plan in [start(&[8001], 0), starting(&[8001], 0, Effect::Restart)] {
        assert_eq!(
            said(&plan, anywhere(Some("python3"))),
            ["host-port-taken a.service publishes port 8001, and python3 listens there"]
        );
    }
    assert_eq!(
        said(&start(&[8001], 0), anywhere(None)),
        ["host-port-taken a.service publishes port 8001, and another program listens there"]
    );
    assert_eq!(
        said(
            &start(&[8001], 0),
            listener(Some("python3"), "::", Some("old.service"))
        ),
        ["host-port-taken a.service publishes port 8001, and python3 (old.service) listens there"]
    );
    for (plan, listener) in [
        (start(&[8001], 0), anywhere(Some("docker-proxy"))),
        (start(&[8002], 0), anywhere(Some("python3"))),
        // Its own program, which stops before its container starts.
        (
            starting(&[8001], 0, Effect::Restart),
            listener(Some("python3"), "0.0.0.0", Some("a.service")),
        ),
    ] {
        assert_eq!(said(&plan, listener), [""; 0]);
    }
    // Each engine's own programs listen for its containers, and the other one's are in the way.
    let of_user = |engine, of_user, program| {
        let docker = DockerState {
            engine,
            of_user,
            ..DockerState::default()
        };
        let observed = Observed {
            docker: Some(docker),
            listeners: vec![anywhere(Some(program))],
            ..Observed::default()
        };
        on(&start(&[8001], 0), &[], &Preflight::default(), &observed).len()
    };
    let on_podman = |program| of_user(Engine::Podman, false, program);
    assert_eq!((on_podman("conmon"), on_podman("docker-proxy")), (0, 1));
    for (engine, program) in [
        (Engine::Docker, "rootlesskit"),
        (Engine::Docker, "slirp4netns"),
        (Engine::Podman, "rootlessport"),
        (Engine::Podman, "pasta"),
    ] {
        let found = [true, false].map(|is| of_user(engine, is, program));
        assert_eq!(found, [0, 1], "{engine} {program}");
    }
    assert_eq!(of_user(Engine::Docker, true, "docker-proxy"), 1);
}

/// What listens on one address only leaves the others free.
#[test]
fn addresses_decide_whether_a_port_is_taken() {
    let mut plan = start(&[8001], 0);
    let Effect::Start(step) = &mut plan.changes[0].effect else {
        panic!("a start");
    };
    step.stacks[0].published = BTreeSet::from([Publish {
        port: 8001,
        protocol: "tcp".into(),
        address: Some("127.0.0.1".parse().unwrap()),
    }]);
    let observed = |address: &str| Observed {
        listeners: vec![Listener {
            port: 8001,
            protocol: "tcp",
            address: address.parse().unwrap(),
            program: Some("python3".into()),
            unit: None,
        }],
        ..Observed::default()
    };
    let found = |address| on(&plan, &[], &Preflight::default(), &observed(address)).len();
    assert_eq!(
        (found("10.0.0.5"), found("127.0.0.1"), found("0.0.0.0")),
        (0, 1, 1)
    );
}

#[test]
fn room_that_is_short() {
    let host = |memory: u64, disk: u64| Preflight {
        memory: Some(memory << 20),
        swap: Some(2048 << 20),
        disk: Some(disk << 20),
        ..Preflight::default()
    };
    assert_eq!(
        found(&start(&[], 500 << 20), &[], &host(380, 4000)),
        [
            "host-memory-short what would start may take 500 MiB of memory; 380 MiB are left, and 2048 MiB of swap"
        ]
    );
    assert_eq!(
        found(&start(&[], 0), &[], &host(380, 400)),
        ["host-disk-short 400 MiB are left on the disk for images and containers"]
    );
    assert_eq!(
        found(&start(&[], 300 << 20), &[], &host(380, 4000)),
        [""; 0]
    );
    assert_eq!(found(&Plan::default(), &[], &host(1, 1)), [""; 0]);
}

#[test]
fn settings_that_others_may_read() {
    let path = std::path::PathBuf::from("/srv/.env");
    let unit = Unit {
        watched: BTreeSet::from([path.clone()]),
        ..Unit::default()
    };
    let desired = Desired {
        units: [("a.service".to_owned(), unit)].into(),
        ..Desired::default()
    };
    let look = |mode| {
        let entry = Entry::File {
            content: std::sync::Arc::from(&b""[..]),
            mode,
            owner: (0, 0),
            modified: jiff::Timestamp::UNIX_EPOCH,
        };
        let observed = Observed {
            files: [(path.clone(), entry)].into(),
            ..Observed::default()
        };
        findings(&Case {
            plan: &Plan::default(),
            desired: &desired,
            observed: &observed,
            needs: &[],
            external: &[],
            preflight: &Preflight::default(),
        })
        .len()
    };
    assert_eq!(
        (look(0o600), look(0o400), look(0o640), look(0o644)),
        (0, 0, 1, 1)
    );
}
