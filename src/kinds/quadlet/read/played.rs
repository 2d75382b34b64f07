//! What Podman plays for a `.kube`: the images, ports and containers in its YAML; podman-kube-play(1). What Podman does not
//! read is skipped, and a YAML that is wrong says nothing here: the unit says what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::volumes::{Volume, claimed};
use super::{Read, uses};
use crate::model::{File, Image, PodmanRun, Publish, Pull};
use crate::source::compose::Published;
use crate::source::error::Result;
use crate::source::load::{Loader, text};
use crate::source::tree::Node;
use crate::source::unit::{Name, Settings};

/// Kinds of Kubernetes that have a template of pods, of which Podman makes one, `NAME-pod`.
const TEMPLATED: [&str; 3] = ["Deployment", "DaemonSet", "Job"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
}

/// The specification of a pod, or of what has a template of one.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    host_network: bool,
    template: Option<Template>,
    volumes: Vec<Volume>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Box<Spec>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: String,
    image: String,
    image_pull_policy: String,
    ports: Vec<Port>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port {
    container_port: u16,
    host_port: u16,
    #[serde(rename = "hostIP")]
    host_ip: String,
    protocol: String,
}

/// A pod with its name.
struct Pod {
    name: String,
    spec: Spec,
}

/// What the YAML files of a `.kube` make Podman run.
pub(super) struct Played {
    pods: Vec<Pod>,
    /// Folders beside the YAML that have the name of an image.
    folders: BTreeSet<String>,
}

impl Played {
    /// Reads the texts of YAML files; says of a name whether it is that of a folder beside them.
    fn read<'t>(
        texts: impl IntoIterator<Item = &'t str>,
        is_folder: impl Fn(&str) -> bool,
    ) -> Self {
        let documents = texts
            .into_iter()
            .flat_map(serde_yaml::Deserializer::from_str);
        let objects = documents.map_while(|document| Object::deserialize(document).ok());
        let mut played = Self {
            pods: objects.filter_map(Object::pod).collect(),
            folders: BTreeSet::new(),
        };
        let folders = played.containers().map(Container::folder);
        let folders = folders.filter(|name| is_folder(name)).map(str::to_owned);
        played.folders = folders.collect();
        played
    }

    fn containers(&self) -> impl Iterator<Item = &Container> {
        let specs = self.pods.iter().map(|pod| &pod.spec);
        specs.flat_map(|spec| spec.init_containers.iter().chain(&spec.containers))
    }

    /// What it runs. Podman lays ports of the Quadlet over those of the YAML for the same port of the container.
    pub(super) fn run(&self, unit: &Name, settings: &Settings) -> PodmanRun {
        let values = settings.list("Kube", "PublishPort").into_iter();
        let ports = values.filter_map(|value| Published::read(&unit.expand(&value.text)?));
        let own: Vec<Published> = ports.collect();
        let is_host = |network: &str| ["host", "none"].contains(&network);
        let networks = settings.list("Kube", "Network");
        let publishes = !networks.iter().any(|network| is_host(&network.text));
        let pods = self
            .pods
            .iter()
            .filter(|pod| publishes && !pod.spec.host_network);
        let mut published = BTreeSet::new();
        for pod in pods {
            let ports = pod
                .spec
                .containers
                .iter()
                .flat_map(|container| &container.ports);
            let ports = ports.filter(|port| !port.is_in(&own));
            published.extend(ports.filter_map(Port::on_host));
            published.extend(own.iter().flat_map(Published::on_host));
        }
        let names = self.pods.iter().flat_map(|pod| {
            let containers = pod.spec.containers.iter();
            containers.map(|container| format!("{}-{}", pod.name, container.name))
        });
        PodmanRun {
            published,
            containers: names.collect(),
            volumes: claimed(self.pods.iter().flat_map(|pod| &pod.spec.volumes)),
            unit: unit.as_str().to_owned(),
            ..PodmanRun::default()
        }
    }

    /// Images that Podman pulls as the unit starts, and whether it does so for all of them each time. It builds an image itself
    /// whose name a folder beside the YAML has.
    pub(super) fn images(
        &self,
        settings: &Settings,
        built: &BTreeSet<String>,
    ) -> (BTreeSet<Image>, Option<Pull>) {
        if uses::is_pulled_in_a_way_of_its_own("Kube", settings) {
            return (BTreeSet::new(), None);
        }
        let mut found: BTreeMap<Image, BTreeSet<Policy>> = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for container in self.containers() {
            if self.folders.contains(container.folder()) {
                continue;
            }
            let (policy, name) = (container.policy(), container.image.clone());
            if policy == Policy::Never {
                kept.extend(uses::kept(name, built));
            } else if let Some(image) = uses::of_registry(name, built) {
                found.entry(image).or_default().insert(policy);
            }
        }
        let all = || found.values().flatten();
        let lasting = all().all(|policy| matches!(policy, Policy::Always | Policy::Newer));
        let pull = (lasting && !found.is_empty()).then(|| Pull {
            optional: !all().any(|policy| *policy == Policy::Always),
            lasting: true,
        });
        (found.into_keys().chain(kept).collect(), pull)
    }
}

impl Loader<'_, '_> {
    /// What the YAML of a `.kube` says that is beside it, or elsewhere in the checkout.
    pub(super) fn played(
        &self,
        read: &Read,
        beside: &BTreeMap<String, (File, PathBuf)>,
    ) -> Result<Option<Played>> {
        if read.section() != "Kube" {
            return Ok(None);
        }
        let mut texts = Vec::new();
        for yaml in read.settings.list("Kube", "Yaml") {
            let name = yaml.text.strip_prefix("./").unwrap_or(&yaml.text);
            let elsewhere = match self.in_checkout(Path::new(name)) {
                Some(path) => self.inputs.probe(&path)?,
                None => None,
            };
            let file = beside.get(name).map(|(file, _)| file);
            let file = file.or(elsewhere.as_ref());
            texts.extend(file.map(|file| text(file).into_owned()));
        }
        let folder = read.path.parent().unwrap_or(Path::new(""));
        let is_folder = |name: &str| {
            let node = self.inputs.node(&folder.join(name));
            !name.is_empty() && matches!(node, Ok(Some((_, Node::Folder))))
        };
        Ok(Some(Played::read(
            texts.iter().map(String::as_str),
            is_folder,
        )))
    }
}

/// When Podman pulls an image; containers-common's pull policies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Policy {
    Always,
    Newer,
    Missing,
    Never,
}

impl Object {
    fn pod(self) -> Option<Pod> {
        let name = self.metadata.name;
        match self.kind.as_str() {
            "Pod" => Some(Pod {
                name,
                spec: self.spec,
            }),
            kind if TEMPLATED.contains(&kind) => Some(Pod {
                name: format!("{name}-pod"),
                spec: *self.spec.template?.spec,
            }),
            _ => None,
        }
    }
}

impl Container {
    /// The folder from which Podman would build its image: the last part of the name, without a tag.
    fn folder(&self) -> &str {
        let last = self.image.rsplit('/').next().unwrap_or_default();
        last.split([':', '@']).next().unwrap_or_default()
    }

    /// Podman pulls what is `latest`, or has no tag, whenever a newer one is there; pkg/domain/infra/abi/play.go.
    fn policy(&self) -> Policy {
        let (_, name) = self.image.rsplit_once('/').unwrap_or(("", &self.image));
        match self.image_pull_policy.to_ascii_lowercase().as_str() {
            "always" => Policy::Always,
            "newer" => Policy::Newer,
            "never" => Policy::Never,
            "" if name.ends_with(":latest") || !name.contains([':', '@']) => Policy::Newer,
            _ => Policy::Missing,
        }
    }
}

impl Port {
    fn protocol(&self) -> String {
        match self.protocol.as_str() {
            "" => "tcp".to_owned(),
            protocol => protocol.to_ascii_lowercase(),
        }
    }

    fn is_in(&self, published: &[Published]) -> bool {
        let mut published = published.iter();
        published.any(|port| {
            port.container.contains(&self.container_port) && port.protocol == self.protocol()
        })
    }

    /// Without `hostPort` Podman publishes nothing.
    fn on_host(&self) -> Option<Publish> {
        (self.host_port > 0).then(|| Publish {
            port: self.host_port,
            protocol: self.protocol(),
            address: self.host_ip.parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::unit::settings_of;

    const YAML: &str = "
apiVersion: v1
kind: Pod
metadata: {name: play}
spec:
  initContainers: [{name: first, image: 'docker.io/tools:1'}]
  containers:
    - name: web
      image: docker.io/web
      ports: [{containerPort: 8000, hostPort: 8071}, {containerPort: 53, hostPort: 53, protocol: UDP, hostIP: 127.0.0.1}, {containerPort: 9}]
    - {name: own, image: 'localhost/own:1'}
    - {name: kept, image: 'docker.io/kept:1', imagePullPolicy: Never}
---
kind: ConfigMap
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dep}
spec: {template: {spec: {containers: [{name: x, image: 'docker.io/x@sha256:1', ports: [{containerPort: 1, hostPort: 8072}]}]}}}
";

    fn shown(kube: &str, yaml: &str) -> String {
        let settings = settings_of(&[kube]);
        let played = Played::read([yaml], |name| name == "folder");
        let run = played.run(&Name::parse("play.service").unwrap(), &settings);
        let (images, pull) = played.images(&settings, &BTreeSet::new());
        let ports = run.published.iter();
        let ports: Vec<String> = ports
            .map(|port| format!("{}/{}", port.port, port.protocol))
            .collect();
        let containers: Vec<&str> = run.containers.iter().map(String::as_str).collect();
        let images = images.iter().map(|image| {
            let never = if image.never { "(never)" } else { "" };
            format!("{}{never}", image.name)
        });
        let images: Vec<String> = images.collect();
        let pull = match pull {
            None => "missing",
            Some(Pull { optional: true, .. }) => "newer",
            Some(_) => "always",
        };
        format!(
            "{} | {} | {} {pull}",
            ports.join(" "),
            containers.join(" "),
            images.join(" ")
        )
    }

    #[test]
    fn images_ports_and_containers_are_those_of_the_yaml() {
        let expected = "53/udp 8071/tcp 8072/tcp | dep-pod-x play-kept play-own play-web | docker.io/kept:1(never) docker.io/tools:1 docker.io/web docker.io/x@sha256:1 missing";
        assert_eq!(shown("[Kube]\nYaml=play.yml\n", YAML), expected);
    }

    #[test]
    fn ports_of_the_quadlet_come_before_those_of_the_yaml() {
        let one = YAML.split("---").next().unwrap();
        let ports = |kube| shown(kube, one).split(" | ").next().unwrap().to_owned();
        assert_eq!(ports("[Kube]\nPublishPort=9000:8000\n"), "53/udp 9000/tcp");
        assert_eq!(ports("[Kube]\nNetwork=host\n"), "");
        let host = one.replace("spec:", "spec:\n  hostNetwork: true");
        assert!(shown("[Kube]\n", &host).starts_with(" | "));
    }

    #[test]
    fn policies_of_pulls_are_podmans() {
        let yaml = |image: &str| {
            format!(
                "kind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, {image}}}]}}\n"
            )
        };
        for (image, expected) in [
            ("image: a", "a newer"),
            (
                "image: 'r.example.com:5000/a'",
                "r.example.com:5000/a newer",
            ),
            ("image: 'a:latest'", "a:latest newer"),
            ("image: 'a:1'", "a:1 missing"),
            ("image: 'a:1', imagePullPolicy: Always", "a:1 always"),
            ("image: a, imagePullPolicy: IfNotPresent", "a missing"),
            ("image: a, imagePullPolicy: Never", "a(never) missing"),
            ("image: 'r.example.com/folder:1'", " missing"),
        ] {
            let shown = shown("[Kube]\n", &yaml(image));
            assert_eq!(shown.rsplit(" | ").next(), Some(expected), "{image}");
        }
        let own_way = shown(
            "[Kube]\nPodmanArgs=--authfile=/root/a\n",
            &yaml("image: 'a:1'"),
        );
        assert!(own_way.ends_with("|  missing"), "{own_way}");
    }

    #[test]
    fn what_is_no_yaml_of_kubernetes_says_nothing() {
        for yaml in [
            "",
            "a: [",
            "kind: 3",
            "- a",
            "kind: Pod\nspec: {containers: x}",
        ] {
            assert_eq!(shown("[Kube]\n", yaml), " |  |  missing", "{yaml}");
        }
    }
}
