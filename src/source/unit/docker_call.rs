//! Calls of `docker`, other than `docker compose`; docker-run(1) and its likes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::commands::Reader;
use crate::model::{Bind, DockerRun, Image, Pull, VolumeMount};
use crate::source::compose::Published;
use source_text::word_list;

/// What a unit does with single containers.
#[derive(Clone, Debug, Default)]
pub struct DockerCalls {
    /// Containers that it runs where it starts.
    pub runs: Vec<DockerRun>,
    /// Whether it pulls before it starts, with `docker pull`, `compose pull`, or `--pull always`.
    pub pull: Option<Pull>,
    /// The folder of Docker's configuration that its environment names.
    pub config: Option<PathBuf>,
    /// Names that it removes before it starts.
    cleared: BTreeSet<String>,
}

/// The setting that a command is in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setting {
    /// Whether it runs when the unit starts.
    pub starts: bool,
    /// Whether it may fail: a `-` in front of it.
    pub optional: bool,
}

impl DockerCalls {
    /// Remembers that images are pulled. A pull that has to succeed counts more than one that may fail.
    pub(super) fn pulls(&mut self, setting: Setting) {
        if setting.starts {
            let before = self.pull.is_none_or(|pull| pull.optional);
            self.pull = Some(Pull {
                optional: before && setting.optional,
                lasting: false,
            });
        }
    }

    fn run(&mut self, run: DockerRun) {
        let same = |known: &&mut DockerRun| run.name.is_some() && known.name == run.name;
        let known = self.runs.iter_mut().find(same);
        match known {
            // `docker create`, then `docker start`.
            Some(_) if run.image.is_none() => {}
            Some(known) => *known = run,
            None => self.runs.push(run),
        }
    }

    /// Takes the unit's environment in, and tells each container whether what has its name goes before it starts.
    pub(super) fn finish(&mut self, environment: &BTreeMap<String, String>) {
        let home = || Some(Path::new(environment.get("HOME")?).join(".docker"));
        let named = environment.get("DOCKER_CONFIG").map(PathBuf::from);
        self.config = named.or_else(home).filter(|folder| folder.is_absolute());
        for run in &mut self.runs {
            let name = run.name.as_ref();
            run.clears = name.is_some_and(|name| self.cleared.contains(name));
        }
    }
}

impl Reader<'_> {
    /// Reads a call of `docker` with its arguments.
    pub(super) fn docker(&mut self, arguments: &[String], workdir: Option<&Path>) {
        let setting = self.setting;
        let calls = &mut self.found.docker;
        if !setting.starts {
            return;
        }
        let (command, rest) = subcommand(arguments);
        let folder = workdir.unwrap_or(Path::new("/"));
        match command {
            "run" | "create" => {
                let call = RunCall::read(rest);
                if call.pulls {
                    calls.pulls(setting);
                }
                calls.run(call.container(folder));
            }
            "start" => {
                for name in operands(rest) {
                    calls.run(DockerRun {
                        name: Some(name.clone()),
                        ..DockerRun::default()
                    });
                }
            }
            "pull" => calls.pulls(setting),
            "rm" => calls.cleared.extend(operands(rest).cloned()),
            _ => {}
        }
    }
}

/// The subcommand of `docker [OPTIONS] [container|image] COMMAND`, and what follows it.
pub(super) fn subcommand(arguments: &[String]) -> (&str, &[String]) {
    const WITH_VALUE: [&str; 8] =
        word_list("--config -c --context -H --host -l --log-level --tlscacert");
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        match word.as_str() {
            option if WITH_VALUE.contains(&option) => at += 2,
            option if option.starts_with('-') => at += 1,
            "container" | "image" => at += 1,
            command => return (command, arguments.get(at + 1..).unwrap_or_default()),
        }
    }
    ("", &[])
}

/// The words that are no options.
fn operands(words: &[String]) -> impl Iterator<Item = &String> {
    let plain = words.iter().filter(|word| !word.starts_with('-'));
    plain.filter(|word| !word.is_empty())
}

/// Options of `docker run` that take no value; of the short ones, those that may stand together.
const FLAGS: [&str; 12] = word_list(
    "
    --detach --disable-content-trust --help --init --interactive --no-healthcheck --oom-kill-disable
    --privileged --publish-all --quiet --read-only --rm
",
);

/// What `docker run` or `docker create` is told, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunCall {
    name: Option<String>,
    image: Option<String>,
    platform: Option<String>,
    pulls: bool,
    never: bool,
    published: Vec<Published>,
    mounts: Vec<String>,
    volumes: Vec<String>,
}

impl RunCall {
    /// Reads the words behind `run`: its options end at the image.
    pub fn read(words: &[String]) -> Self {
        let mut call = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if !word.starts_with('-') {
                call.image = Some(word.to_owned()).filter(|image| !image.is_empty());
                break;
            }
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None if is_flag(word) => continue,
                None => (word, words.next()),
            };
            let Some(value) = value else {
                break;
            };
            match option {
                "--name" => call.name = Some(value.to_owned()).filter(|name| !name.is_empty()),
                "--platform" => call.platform = Some(value.to_owned()),
                "--pull" => (call.pulls, call.never) = (value == "always", value == "never"),
                "--mount" => call.mounts.push(value.to_owned()),
                "--publish" => call.published.extend(Published::read(value)),
                "--volume" => call.volumes.push(value.to_owned()),
                // `-dp` is `-d -p`.
                short if !short.starts_with("--") && short.ends_with('p') => {
                    call.published.extend(Published::read(value));
                }
                short if !short.starts_with("--") && short.ends_with('v') => {
                    call.volumes.push(value.to_owned());
                }
                _ => {}
            }
        }
        call
    }

    /// What it publishes.
    pub fn published(&self) -> &[Published] {
        &self.published
    }

    /// Names of the volumes that it mounts.
    pub fn volumes(&self) -> BTreeSet<String> {
        self.named().map(|mount| mount.volume).collect()
    }

    fn named(&self) -> impl Iterator<Item = VolumeMount> {
        let volumes = self.volumes.iter().filter_map(|volume| {
            let mut parts = volume.splitn(3, ':');
            VolumeMount::at(parts.next()?, parts.next()?)
        });
        volumes.chain(self.mounts.iter().filter_map(|mount| named_volume(mount)))
    }

    /// The container that it makes, relative paths taken from `folder`.
    fn container(self, folder: &Path) -> DockerRun {
        let volumes = self.volumes.iter().filter_map(|volume| {
            let mut parts = volume.splitn(3, ':');
            let (source, target) = (parts.next()?, parts.next()?);
            let read_only = (parts.next().unwrap_or_default().split(',')).any(|mode| mode == "ro");
            Bind::at(source, target, read_only, folder)
        });
        let mounts = self.mounts.iter().filter_map(|mount| bound(mount, folder));
        let named = self.named().collect();
        let image = self.image.map(|name| Image {
            name,
            platform: self.platform,
            never: self.never,
        });
        DockerRun {
            name: self.name,
            // Where a specifier or variable hides the image, it is not known, but it is made here.
            image: Some(image.unwrap_or_default()),
            published: self.published.iter().flat_map(Published::on_host).collect(),
            binds: volumes.chain(mounts).collect(),
            volumes: named,
            clears: false,
        }
    }
}

const SOURCE: [&str; 2] = ["source", "src"];
const TARGET: [&str; 3] = ["target", "dst", "destination"];

/// The value of `KEY=VALUE` among the fields of `--mount`.
fn field<'m>(mount: &'m str, names: &[&str]) -> Option<&'m str> {
    let mut fields = mount.split(',').filter_map(|field| field.split_once('='));
    fields.find_map(|(key, value)| names.contains(&key).then_some(value))
}

/// `type=bind,source=PATH,target=PATH[,readonly]`.
fn bound(mount: &str, folder: &Path) -> Option<Bind> {
    let is_read_only =
        |field: &str| matches!(field, "readonly" | "ro" | "readonly=true" | "ro=true");
    (field(mount, &["type"]) == Some("bind")).then_some(())?;
    Bind::at(
        field(mount, &SOURCE)?,
        field(mount, &TARGET)?,
        mount.split(',').any(is_read_only),
        folder,
    )
}

/// `[type=volume,]source=NAME,target=PATH`: a volume is what `--mount` takes without a type.
fn named_volume(mount: &str) -> Option<VolumeMount> {
    let kind = field(mount, &["type"]);
    kind.is_none_or(|kind| kind == "volume").then_some(())?;
    VolumeMount::at(field(mount, &SOURCE)?, field(mount, &TARGET)?)
}

fn is_flag(option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(_) => FLAGS.contains(&option),
        None => option.chars().skip(1).all(|c| "ditqP".contains(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::unit::Name;
    use crate::source::unit::commands::mentions;
    use crate::source::unit::settings_of as of;

    fn read(text: &str) -> DockerCalls {
        let name = Name::parse("web.service").unwrap();
        mentions(&name, &of(&[&format!("[Service]\n{text}")]))
            .unwrap()
            .docker
    }

    fn said(text: &str) -> String {
        let calls = read(text);
        let runs = calls.runs.iter().map(|run| {
            let name = run.name.as_deref().unwrap_or("?");
            let image = run.image.as_ref().map_or("-", |image| image.name.as_str());
            let ports: Vec<String> = run
                .published
                .iter()
                .map(|port| port.port.to_string())
                .collect();
            let binds: Vec<String> = run
                .binds
                .iter()
                .map(|bind| {
                    format!(
                        "{}:{}:{}",
                        bind.source.display(),
                        bind.target.display(),
                        bind.read_only
                    )
                })
                .collect();
            let clears = if run.clears { " clears" } else { "" };
            format!(
                "{name} {image} [{}] [{}]{clears}",
                ports.join(" "),
                binds.join(" ")
            )
        });
        let runs: Vec<String> = runs.collect();
        let pull = match calls.pull {
            None => "",
            Some(Pull { optional: true, .. }) => " may pull",
            Some(Pull {
                optional: false, ..
            }) => " pulls",
        };
        format!("{}{pull}", runs.join("; "))
    }

    #[test]
    fn volumes_by_name() {
        let calls = read(
            "ExecStart=/usr/bin/docker run -v data:/d:ro -v /srv:/s --mount src=logs,dst=/l --mount type=bind,src=/a,dst=/b app",
        );
        let volumes: Vec<&str> = (calls.runs[0].volumes.iter())
            .map(|mount| mount.volume.as_str())
            .collect();
        assert_eq!(volumes, ["data", "logs"]);
    }

    #[test]
    fn containers_that_a_unit_runs() {
        for (text, expected) in [
            (
                "ExecStartPre=-/usr/bin/docker rm -f web\nExecStartPre=/usr/bin/docker pull app:2\nExecStart=/usr/bin/docker run --rm --name web -p 127.0.0.1:8010:80 -v /srv/d:/d:ro app:2 serve -p 9",
                "web app:2 [8010] [/srv/d:/d:true] clears pulls",
            ),
            (
                "ExecStartPre=-/usr/bin/docker pull app:2\nExecStart=/usr/bin/docker container run -d --name=web --mount type=bind,src=/a,dst=/b app:2",
                "web app:2 [] [/a:/b:false] may pull",
            ),
            ("ExecStart=/usr/bin/docker start -a web", "web - [] []"),
            (
                "ExecStartPre=/usr/bin/docker create --name web app:2\nExecStart=/usr/bin/docker start -a web",
                "web app:2 [] []",
            ),
            (
                "ExecStop=/usr/bin/docker run --name no app\nExecStart=/bin/true",
                "",
            ),
            (
                "Environment=IMAGE=app:3\nExecStart=/bin/sh -c 'docker rm -f web; exec docker run --name web $IMAGE'",
                "web app:3 [] [] clears",
            ),
            (
                "ExecStart=/usr/bin/docker run --pull=always --name %p app",
                "web app [] [] pulls",
            ),
            (
                "WorkingDirectory=/c\nExecStartPre=docker-compose pull -q\nExecStart=docker-compose up",
                " pulls",
            ),
            (
                "WorkingDirectory=/c\nExecStart=docker-compose up --pull always",
                " pulls",
            ),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
