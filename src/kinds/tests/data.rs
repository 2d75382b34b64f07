//! Data that would be left behind: mounts and volumes of a service.

use super::replacement::{running, stack};
use super::*;

fn volume(name: &str) -> VolumeMount {
    VolumeMount {
        target: "/data".into(),
        volume: name.into(),
    }
}

fn with_volume(project: &str, volume_name: &str) -> Unit {
    let stack = Stack {
        volumes: BTreeMap::from([("server".into(), BTreeSet::from([volume(volume_name)]))]),
        ..stack(project, "server", 8101)
    };
    running("web.service", stack).1
}

fn with_bind(source: &str) -> Unit {
    let bind = Bind {
        source: source.into(),
        target: "/data".into(),
        read_only: false,
    };
    let stack = Stack {
        binds: BTreeMap::from([("server".into(), BTreeSet::from([bind]))]),
        ..stack("web", "server", 8101)
    };
    running("web.service", stack).1
}

fn container(state: &str, mounts: &Unit) -> Container {
    let stack = &mounts.stacks[0];
    Container {
        id: format!("id-{state}"),
        name: "web_server_1".into(),
        state: state.into(),
        compose: Some((stack.project.clone(), "server".into())),
        binds: stack.binds.values().flatten().cloned().collect(),
        volumes: stack.volumes.values().flatten().cloned().collect(),
        ..Container::default()
    }
}

/// What is refused when `old` becomes `new` on a host with these containers and volumes.
fn refused(old: &Unit, new: &Unit, containers: Vec<Container>, volumes: &[&str]) -> Vec<String> {
    let of = |unit: &Unit, text: &str| Desired {
        units: BTreeMap::from([(
            "web.service".into(),
            Unit {
                file: Some(file("systemd/web.service", text)),
                ..unit.clone()
            },
        )]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&of(old, "old"));
    let docker = observed.docker.as_mut().unwrap();
    docker.containers = containers;
    docker.volumes = volumes
        .iter()
        .map(|name| ((*name).to_owned(), Volume::default()))
        .collect();
    observed.binds = BTreeMap::from([
        ("/old/data".into(), BindSource::Other((1, 1))),
        ("/new/data".into(), BindSource::Empty((1, 2))),
    ]);
    let plan = planned(&of(new, "new"), &observed, &recorded);
    plan.refusals
        .iter()
        .map(|refusal| format!("{}: {}", refusal.why, refusal.help.join("; ")))
        .collect()
}

#[test]
fn mounts_of_a_container_that_is_stopped_count() {
    let (old, new) = (with_bind("/old/data"), with_bind("/new/data"));
    for (states, expected) in [
        (&["running"][..], 1),
        (&["exited"], 1),
        (&["dead"], 1),
        (&["restarting"], 1),
        // Never ran.
        (&["created"], 0),
        (&[], 0),
    ] {
        let containers = states.iter().map(|state| container(state, &old)).collect();
        let said = refused(&old, &new, containers, &[]);
        assert_eq!(said.len(), expected, "{states:?}: {said:?}");
    }
    let said = refused(&old, &new, vec![container("exited", &old)], &[]);
    assert!(
        said[0].starts_with(
            "its container web_server_1, which is stopped, has /old/data at /data, and would get /new/data instead, which is empty"
        ) && said[0].contains("docker rm -f web_server_1; cp -aT /old/data /new/data"),
        "{said:?}"
    );
    // One that was left from before says nothing of where the data is.
    let both = vec![container("exited", &old), container("running", &new)];
    assert_eq!(refused(&old, &new, both, &[]), [""; 0]);
}

#[test]
fn a_project_with_another_name_does_not_leave_its_volumes_behind() {
    let (old, new) = (
        with_volume("web", "web_data"),
        with_volume("shop", "shop_data"),
    );
    let all = ["web_data", "shop_data"];
    for (container, volumes, expected) in [
        (Some("running"), &all[..1], Some("which does not exist")),
        (Some("exited"), &all[..1], Some("which does not exist")),
        (Some("running"), &all, Some("which is another one")),
        (Some("running"), &all[1..], None),
        // Nothing but the record knows.
        (None, &all[..1], Some("which does not exist")),
        (None, &all, None),
        (None, &[], None),
    ] {
        let containers = container.map(|state| self::container(state, &old));
        let said = refused(&old, &new, containers.into_iter().collect(), volumes);
        let Some(words) = expected else {
            assert_eq!(said, [""; 0], "{container:?} {volumes:?}");
            continue;
        };
        assert_eq!(said.len(), 1, "{said:?}");
        for part in [
            "the volume web_data at /data, and would get the volume shop_data instead, ",
            words,
            "\"name: web_data\" and \"external: true\"",
        ] {
            assert!(said[0].contains(part), "{part}: {said:?}");
        }
    }
    // A name of its own does not follow the project's.
    let (old, new) = (with_volume("web", "data"), with_volume("shop", "data"));
    let held = vec![container("running", &old)];
    assert_eq!(refused(&old, &new, held, &["data"]), [""; 0]);
}

#[test]
fn a_volume_that_becomes_a_folder_and_back() {
    let (volume, old) = (with_volume("web", "web_data"), with_bind("/old/data"));
    let said = refused(
        &volume,
        &old,
        vec![container("running", &volume)],
        &["web_data"],
    );
    assert!(
        said[0].contains("has the volume web_data at /data, and would get /old/data instead"),
        "{said:?}"
    );
    let said = refused(&old, &volume, vec![container("running", &old)], &[]);
    assert!(
        said[0].contains("has /old/data at /data, and would get the volume web_data instead"),
        "{said:?}"
    );
    let empty = with_bind("/new/data");
    let held = vec![container("running", &empty)];
    assert_eq!(refused(&empty, &volume, held, &[]), [""; 0]);
}
