//! What goes with a stack that leaves.

use crate::effect::{Effect, TakeDown};
use crate::model::{Attachment, Container, DockerState, NetworkState, PROJECT_LABEL};

use super::replacement::{running, stack};
use super::*;

fn on_backend(project: &str) -> Container {
    Container {
        name: format!("{project}-one"),
        compose: Some((project.into(), "one".into())),
        state: "running".into(),
        attachments: BTreeMap::from([("backend".into(), Attachment::default())]),
        ..Container::default()
    }
}

/// Networks that go when the stack `db` leaves, whose project has made the network `backend`.
fn gone(others: &[&str], stays: &[&str]) -> Vec<String> {
    let of = |project: &str, port| {
        let (name, unit) = running(
            &format!("stack-{project}.service"),
            stack(project, "one", port),
        );
        let stack = Some(project.to_owned());
        (name, Unit { stack, ..unit })
    };
    let all = ["db", "web"].iter().zip([8101, 8102]);
    let mut desired = Desired {
        units: all.map(|(project, port)| of(project, port)).collect(),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let labels = BTreeMap::from([(PROJECT_LABEL.to_owned(), "db".to_owned())]);
    let backend = NetworkState {
        labels,
        ..NetworkState::default()
    };
    let containers = ["db"].iter().chain(others);
    observed.docker = Some(DockerState {
        networks: BTreeMap::from([("backend".into(), vec![backend])]),
        containers: containers.map(|project| on_backend(project)).collect(),
        ..DockerState::default()
    });
    let stays: Vec<String> = stays
        .iter()
        .map(|name| format!("stack-{name}.service"))
        .collect();
    desired.units.retain(|name, _| stays.contains(name));
    let plan = planned(&desired, &observed, &recorded);
    let networks = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::TakeDown(TakeDown { networks, .. }) => Some(networks.clone()),
            _ => None,
        });
    networks.flatten().collect()
}

#[test]
fn a_network_goes_with_its_stack_unless_containers_of_others_are_on_it() {
    assert_eq!(gone(&[], &["web"]), ["backend"]);
    assert_eq!(gone(&["web"], &["web"]), [""; 0]);
    assert_eq!(gone(&["by-hand"], &["web"]), [""; 0]);
    // They leave together.
    assert_eq!(gone(&["web"], &[]), ["backend"]);
}

/// Whoever removes a stack reads which data is left.
#[test]
fn volumes_that_stay_are_named() {
    let (name, mut unit) = running("stack-db.service", stack("db", "one", 8101));
    unit.stack = Some("db".to_owned());
    let mount = compose_file::VolumeMount::at("db_data", "/data").unwrap();
    unit.stacks[0]
        .volumes
        .entry("one".to_owned())
        .or_default()
        .insert(mount);
    let mut desired = Desired {
        units: [(name, unit)].into(),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    observed.docker = Some(DockerState {
        containers: vec![on_backend("db")],
        ..DockerState::default()
    });
    desired.units.clear();
    let plan = planned(&desired, &observed, &recorded);
    let mut whys = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::TakeDown(_) => Some(change.why.as_str()),
            _ => None,
        });
    let why = whys.next().unwrap();
    assert!(why.ends_with("; its volumes stay: db_data"), "{why}");
}
