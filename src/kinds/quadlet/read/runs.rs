//! What Podman runs for a Quadlet: its name, its volumes, and the ports that it publishes; podman-systemd.unit(5).

use super::volumes::Volumes;
use crate::model::PodmanRun;
use crate::source::compose::Published;
use crate::source::unit::docker_call::RunCall;
use crate::source::unit::{Name, Settings};

/// The container or the pod of a Quadlet. `None` for the others: what a `.kube` runs, its YAML says ([`super::played`]).
pub(super) fn of(
    quadlet: &str,
    unit: &Name,
    settings: &Settings,
    volumes: &Volumes,
) -> Option<PodmanRun> {
    let (stem, extension) = quadlet.rsplit_once('.')?;
    let (section, name) = match extension {
        "container" => ("Container", container(stem, unit, settings)),
        "pod" => ("Pod", pod(stem, unit, settings)),
        _ => return None,
    };
    let in_pod = extension == "container" && settings.last(section, "Pod").is_some();
    let networks = settings.list(section, "Network");
    // Podman publishes nothing for what has the network of the host or of another container.
    let has_own = !in_pod && !networks.iter().any(|network| is_shared(&network.text));
    let values = |key: &str| settings.list(section, key).into_iter();
    let ports = values("PublishPort").filter_map(|value| unit.expand(&value.text));
    let ports = ports.filter_map(|port| Published::read(&port));
    let arguments = values("PodmanArgs").filter_map(|value| unit.expand(&value.text));
    let arguments = arguments.map(|text| {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        RunCall::read(&words)
    });
    let arguments: Vec<RunCall> = arguments.collect();
    let more = arguments.iter().flat_map(RunCall::published).cloned();
    let published = ports.chain(more).filter(|_| has_own);
    Some(PodmanRun {
        name,
        published: published.flat_map(|port| port.on_host()).collect(),
        in_pod,
        volumes: volumes.of(quadlet, unit, settings),
        ..PodmanRun::default()
    })
}

fn is_shared(network: &str) -> bool {
    ["host", "none"].contains(&network)
        || ["container:", "ns:"]
            .iter()
            .any(|start| network.starts_with(start))
        || network.ends_with(".container")
}

/// `systemd-%N` where the Quadlet names none; for an instance `systemd-%p_%i`.
fn container(stem: &str, unit: &Name, settings: &Settings) -> Option<String> {
    match settings.last("Container", "ContainerName") {
        Some(name) => unit.expand(&name.text),
        None if stem.contains('@') => unit.expand("systemd-%p_%i"),
        None => unit.expand("systemd-%N"),
    }
}

/// The container that holds the network of a pod has its name from the pod.
fn pod(stem: &str, unit: &Name, settings: &Settings) -> Option<String> {
    let pod = match settings.last("Pod", "PodName") {
        Some(name) => unit.expand(&name.text)?,
        None => format!("systemd-{stem}"),
    };
    Some(format!("{pod}-infra"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::unit::settings_of;

    #[test]
    fn names_and_ports_of_what_podman_runs() {
        for (quadlet, unit, text, expected) in [
            (
                "web.container",
                "web.service",
                "[Container]\nPublishPort=127.0.0.1:8201:8000\nPublishPort=53:53/udp\nPublishPort=80\n",
                "systemd-web 53/udp 8201/tcp",
            ),
            (
                "web.container",
                "site.service",
                "[Container]\nPublishPort=[::1]:8201-8202:80-81\n",
                "systemd-site 8201/tcp 8202/tcp",
            ),
            (
                "web.container",
                "web.service",
                "[Container]\nContainerName=my-%p\nPodmanArgs=-p 8203:80 --cpus=1\n",
                "my-web 8203/tcp",
            ),
            (
                "web@.container",
                "web@.service",
                "[Container]\nPublishPort=80%i:80\n",
                "?",
            ),
            (
                "web@1.container",
                "web@1.service",
                "[Container]\nPublishPort=800%i:80\n",
                "systemd-web_1 8001/tcp",
            ),
            (
                "web.container",
                "web.service",
                "[Container]\nPublishPort=80:80\nNetwork=host\n",
                "systemd-web",
            ),
            (
                "web.container",
                "web.service",
                "[Container]\nPod=shop.pod\n",
                "systemd-web in a pod",
            ),
            (
                "shop.pod",
                "shop-pod.service",
                "[Pod]\nPublishPort=8051:8000\n",
                "systemd-shop-infra 8051/tcp",
            ),
            (
                "shop.pod",
                "shop-pod.service",
                "[Pod]\nPodName=shop\n",
                "shop-infra",
            ),
        ] {
            let settings = settings_of(&[text]);
            let unit = Name::parse(unit).unwrap();
            let run = of(quadlet, &unit, &settings, &Volumes::new(&[])).unwrap();
            let ports = run.published.iter();
            let mut ports: Vec<String> = ports
                .map(|port| format!(" {}/{}", port.port, port.protocol))
                .collect();
            ports.sort();
            let pod = if run.in_pod { " in a pod" } else { "" };
            let name = run.name.as_deref().unwrap_or("?");
            assert_eq!(format!("{name}{}{pod}", ports.concat()), expected, "{text}");
        }
        assert_eq!(
            of(
                "play.kube",
                &Name::parse("play.service").unwrap(),
                &settings_of(&["[Kube]\nYaml=play.yml\n"]),
                &Volumes::new(&[])
            ),
            None
        );
    }
}
