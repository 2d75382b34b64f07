//! What holds what a plan needs: names, ports, images, data, and the ports that sites pass requests to.

use super::replacement::{running, stack};
use super::*;
use crate::effect::{Effect, Plan};

fn container(name: &str, compose: Option<(&str, &str)>, port: u16) -> Container {
    Container {
        id: format!("id-{name}"),
        name: name.into(),
        image: "app:1".into(),
        state: "running".into(),
        compose: compose.map(|(project, service)| (project.into(), service.into())),
        published: BTreeSet::from([Publish {
            port,
            protocol: "tcp".into(),
            address: None,
        }]),
        ..Container::default()
    }
}

fn docker_run(name: &str, image: Option<&str>, port: u16) -> Unit {
    let run = DockerRun {
        name: Some(name.into()),
        image: image.map(|name| Image {
            name: name.into(),
            ..Image::default()
        }),
        published: container(name, None, port).published,
        ..DockerRun::default()
    };
    Unit {
        runs: vec![run],
        ..unit("web.service", "run")
    }
}

pub(super) fn named(project: &str, name: &str, port: u16) -> Unit {
    let stack = Stack {
        containers: BTreeSet::from([name.into()]),
        ..stack(project, "server", port)
    };
    running("web.service", stack).1
}

/// What becomes of `web.service` on a host where `held` runs.
fn moved(old: Unit, new: Unit, held: Container) -> Plan {
    let of = |unit: Unit| Desired {
        units: BTreeMap::from([("web.service".into(), unit)]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&of(old));
    observed.docker.as_mut().unwrap().containers = vec![held];
    let new = Unit {
        file: Some(file("systemd/web.service", "new")),
        ..new
    };
    planned(&of(new), &observed, &recorded)
}

#[test]
fn a_container_gives_way_to_the_one_that_its_unit_runs_now() {
    let run = || docker_run("web", Some("app:1"), 8101);
    for (old, new, held, expected) in [
        // docker run -> compose, and back.
        (
            run(),
            named("p", "web", 8101),
            container("web", None, 8101),
            vec![
                "Stop unit/web.service",
                "Release unit/web.service",
                "Start unit/web.service",
            ],
        ),
        (
            named("p", "web", 8101),
            run(),
            container("web", Some(("p", "server")), 8101),
            vec![
                "Stop unit/web.service",
                "Release unit/web.service",
                "Start unit/web.service",
            ],
        ),
        // Another project.
        (
            named("p", "web", 8101),
            named("q", "web", 8101),
            container("web", Some(("p", "server")), 8101),
            vec![
                "Stop unit/web.service",
                "Release unit/web.service",
                "Start unit/web.service",
            ],
        ),
        // The same way: compose makes the container anew.
        (
            named("p", "web", 8101),
            named("p", "web", 8102),
            container("web", Some(("p", "server")), 8101),
            vec!["Restart unit/web.service"],
        ),
        (
            run(),
            docker_run("web", Some("app:2"), 8101),
            container("web", None, 8101),
            vec!["Restart unit/web.service"],
        ),
    ] {
        let plan = moved(old, new, held);
        let steps = lines(&plan);
        let steps: Vec<&str> = (steps.iter().map(String::as_str))
            .filter(|line| {
                ["Stop", "Release", "Start ", "Restart"]
                    .iter()
                    .any(|word| line.starts_with(word))
            })
            .collect();
        assert_eq!(steps, expected);
        assert_eq!(plan.refusals, []);
    }
}

/// One that the unit did not make, and so cannot make again.
#[test]
fn a_container_that_was_only_started_is_kept() {
    let plan = moved(
        docker_run("web", None, 8101),
        named("p", "web", 8101),
        container("web", None, 8101),
    );
    let kept = plan.changes.iter().find_map(|change| match &change.effect {
        Effect::Release(release) => Some((release.container.as_str(), release.keep)),
        _ => None,
    });
    assert_eq!(kept, Some(("web", true)));
}

#[test]
fn what_nobody_here_runs_stops_the_plan() {
    for (held, what) in [
        (
            container("api", None, 9),
            "the container name api is taken by a container that no unit runs (api, image app:1, running)",
        ),
        (
            container("old", Some(("shop", "web")), 8102),
            "port 8102 is taken by a container that no unit runs (old of the compose project shop, image app:1, running)",
        ),
    ] {
        let plan = moved(
            named("p", "web", 8101),
            named("p", "api", 8102),
            held.clone(),
        );
        let said: Vec<&str> = plan
            .refusals
            .iter()
            .map(|refusal| refusal.why.as_str())
            .collect();
        assert_eq!(said, [what]);
        assert!(plan.refusals[0].help[0].starts_with(&format!("docker rm -f {}", held.name)));
    }
}

/// The unit that is new wants to run a container of that name; somebody has started one by hand.
#[test]
fn a_new_unit_does_not_own_what_was_there_before_it() {
    let desired = Desired {
        units: BTreeMap::from([("web.service".into(), docker_run("web", Some("app:1"), 8101))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    observed.docker.as_mut().unwrap().containers = vec![container("web", None, 8101)];
    let plan = planned(&desired, &observed, &Recorded::default());
    assert!(
        plan.refusals[0].help[0].starts_with("docker rm -f web"),
        "{:?}",
        plan.refusals
    );
    assert!(plan.refusals[0].why.contains("that no unit runs"));
}

fn bind(source: &str, read_only: bool) -> Bind {
    Bind {
        target: "/data".into(),
        source: source.into(),
        read_only,
    }
}

#[test]
fn a_mount_that_would_change_under_a_running_container_stops_the_plan() {
    let with = |read_only| {
        let mut unit = named("p", "web", 8101);
        unit.stacks[0].binds = BTreeMap::from([(
            "server".into(),
            BTreeSet::from([bind("/new/data", read_only)]),
        )]);
        unit
    };
    let file = |text: &str| BindSource::File(Hash::of(text.as_bytes()));
    let full = |number| BindSource::Other((1, number));
    for (old, new, read_only, refused) in [
        (
            full(1),
            BindSource::Missing,
            false,
            Some("which does not exist"),
        ),
        (
            full(1),
            BindSource::Empty((1, 2)),
            false,
            Some("which is empty"),
        ),
        (full(1), full(2), false, Some("which is something else")),
        (file("a"), file("b"), false, Some("which is something else")),
        (file("a"), file("a"), false, None),
        (full(1), full(1), false, None),
        (full(1), full(2), true, None),
        (
            full(1),
            BindSource::Missing,
            true,
            Some("which does not exist"),
        ),
        (BindSource::Missing, BindSource::Missing, false, None),
        (BindSource::Empty((1, 1)), full(2), false, None),
    ] {
        let desired = |unit: Unit| Desired {
            units: BTreeMap::from([("web.service".into(), unit)]),
            ..Desired::default()
        };
        let (mut observed, recorded) = applied(&desired(named("p", "web", 8101)));
        observed.docker.as_mut().unwrap().containers = vec![Container {
            binds: BTreeSet::from([bind("/old/data", false)]),
            ..container("web", Some(("p", "server")), 8101)
        }];
        observed.binds = BTreeMap::from([
            ("/old/data".into(), old.clone()),
            ("/new/data".into(), new.clone()),
        ]);
        let unit = Unit {
            file: Some(super::file("systemd/web.service", "new")),
            ..with(read_only)
        };
        let plan = planned(&desired(unit), &observed, &recorded);
        let said: Vec<&str> = plan
            .refusals
            .iter()
            .map(|refusal| refusal.why.as_str())
            .collect();
        match refused {
            None => assert_eq!(said, [""; 0], "{old:?} {new:?}"),
            Some(words) => {
                let start =
                    "its container web has /old/data at /data, and would get /new/data instead, ";
                assert_eq!(said, [format!("{start}{words}")]);
            }
        }
    }
}

/// A site that goes on passing requests to what leaves.
#[test]
fn the_last_publisher_of_an_upstream_does_not_leave() {
    let site = |port: u16| Site {
        upstreams: BTreeSet::from([([127, 0, 0, 1], port).into()]),
        ..site("a")
    };
    let desired = |unit: Option<Unit>, port| Desired {
        sites: BTreeMap::from([("a".into(), site(port))]),
        units: unit
            .map(|unit| ("web.service".to_owned(), unit))
            .into_iter()
            .collect(),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired(Some(named("p", "web", 8101)), 8101));
    observed.docker.as_mut().unwrap().containers =
        vec![container("web", Some(("p", "server")), 8101)];
    let moved = |port| Unit {
        file: Some(file("systemd/web.service", "new")),
        ..named("p", "web", port)
    };
    let said = |desired: Desired| -> Vec<String> {
        let plan = planned(&desired, &observed, &recorded);
        plan.refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.id, refusal.why))
            .collect()
    };
    let start = "site/a it passes requests to 127.0.0.1:8101, and ";
    assert_eq!(
        said(desired(Some(moved(8102)), 8101)),
        [format!(
            "{start}this plan changes web.service, which no longer publishes it"
        )]
    );
    assert_eq!(
        said(desired(None, 8101)),
        [format!(
            "{start}this plan removes web.service, whose container web listens there"
        )]
    );
    assert_eq!(said(desired(Some(moved(8102)), 8102)), [""; 0]);
    assert_eq!(said(desired(Some(moved(8101)), 8101)), [""; 0]);
    // Another unit publishes it.
    let mut other = desired(Some(moved(8102)), 8101);
    other.units.insert(
        "other.service".into(),
        running("other.service", stack("q", "x", 8101)).1,
    );
    let plan = planned(&other, &observed, &recorded);
    assert!(
        plan.refusals
            .iter()
            .all(|refusal| !refusal.why.contains("it passes requests to"))
    );
}
