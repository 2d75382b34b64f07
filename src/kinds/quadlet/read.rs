//! Reads `containers/`: Quadlets, their drop-ins, and files beside them.

mod played;
mod runs;
mod uses;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::played::Played;
use self::volumes::Volumes;
use super::Quadlets;
use crate::kinds::secret::read::named_in;
use crate::model::{File, OnChange, Quadlet, Unit, UnitType};
use crate::source::error::{Result, SourceError};
use crate::source::load::{Loader, Reads, text};
use crate::source::policy::Folders;
use crate::source::tree::Node;
use crate::source::unit::settings::Source;
use crate::source::unit::{Name, Settings};

/// The folder in the desired state.
pub(crate) const FOLDER: &str = "containers";

/// A sort of Quadlet: its extension, its section, and what the name of its unit ends in; podman-systemd.unit(5).
const TYPES: [(&str, &str, &str); 7] = [
    ("container", "Container", ""),
    ("kube", "Kube", ""),
    ("network", "Network", "-network"),
    ("volume", "Volume", "-volume"),
    ("pod", "Pod", "-pod"),
    ("image", "Image", "-image"),
    ("build", "Build", "-build"),
];

/// What a folder has.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, (File, PathBuf)>,
    dropins: BTreeMap<String, BTreeMap<String, File>>,
}

/// A Quadlet that was read.
struct Read {
    name: String,
    path: PathBuf,
    file: File,
    dropins: BTreeMap<String, File>,
    settings: Settings,
    words: BTreeSet<String>,
}

/// What the Quadlets of a folder make for each other.
struct Made {
    /// Names of images that are built.
    built: BTreeSet<String>,
    volumes: Volumes,
}

impl Reads for Quadlets {
    fn input<'f>(&self, _: &'f Folders) -> Option<&'f str> {
        Some(FOLDER)
    }

    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let folder = loader.input(FOLDER)?;
        let mut found = Found::default();
        let mut seen = BTreeMap::new();
        for name in loader.names(&folder)? {
            if !name.starts_with('.') {
                let entry = loader.quadlet_entry(&folder, name, &mut seen, &mut found);
                loader.pass(entry)?;
            }
        }
        for name in found.dropins.keys() {
            if !found.files.contains_key(name) {
                let warning = format!(
                    "{} has drop-ins for {name}, which is not in the desired state: skipped",
                    folder.join(format!("{name}.d")).display()
                );
                loader.out.warnings.push(warning);
            }
        }
        let (quadlets, beside): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (found.files.into_iter()).partition(|(name, _)| sort_of(name).is_some());
        let any = !quadlets.is_empty();
        let mut read = Vec::new();
        for (name, (file, path)) in quadlets {
            let dropins = found.dropins.remove(&name).unwrap_or_default();
            let quadlet = Read::new(name, path, file, dropins);
            read.extend(loader.pass(quadlet)?);
        }
        let named = loader.quadlets(read, &beside)?;
        for (name, (file, path)) in beside {
            if named.contains(&name) {
                let quadlet = Quadlet {
                    file,
                    ..Quadlet::default()
                };
                loader.out.desired.quadlets.insert(name, quadlet);
            } else if any {
                let path = path.display();
                let warning = format!("{path} is not a Quadlet, and none names it: skipped");
                loader.out.warnings.push(warning);
            }
        }
        Ok(())
    }
}

impl Read {
    fn new(
        name: String,
        path: PathBuf,
        file: File,
        dropins: BTreeMap<String, File>,
    ) -> Result<Self> {
        let mut sources = vec![parsed(&file)?];
        for file in dropins.values() {
            sources.push(parsed(file)?);
        }
        let settings = Settings::new(sources);
        Ok(Self {
            words: uses::words(&settings),
            name,
            path,
            file,
            dropins,
            settings,
        })
    }

    fn section(&self) -> &'static str {
        sort_of(&self.name).map_or(TYPES[0].1, |(_, section, _)| section)
    }

    /// Files beside it that it names, and Quadlets that make its image.
    fn names(&self, beside: &BTreeSet<&String>, makers: &BTreeSet<&String>) -> BTreeSet<String> {
        let sources = self.settings.sources();
        let names = |file: &str| sources.iter().any(|source| source.text().contains(file));
        let beside = beside.iter().filter(|name| names(name));
        let makers = makers
            .iter()
            .filter(|name| **name != &self.name && self.words.contains(name.as_str()));
        beside.chain(makers).map(|name| (*name).clone()).collect()
    }
}

/// Of which sort a file is by its name.
fn sort_of(name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let (_, extension) = name.rsplit_once('.')?;
    TYPES.iter().find(|(known, ..)| *known == extension)
}

impl Loader<'_, '_> {
    fn quadlet_entry(
        &mut self,
        folder: &Path,
        name: String,
        seen: &mut BTreeMap<PathBuf, PathBuf>,
        found: &mut Found,
    ) -> Result<()> {
        let path = folder.join(&name);
        if self.is_file(&path, seen, ("quadlet", &name))? {
            if let Some(file) = self.inputs.file(&path)? {
                found.files.insert(name, (file, path));
            }
            return Ok(());
        }
        let Some(quadlet) = name
            .strip_suffix(".d")
            .filter(|name| sort_of(name).is_some())
        else {
            let warning = format!("{} is a folder, not a Quadlet: skipped", path.display());
            self.out.warnings.push(warning);
            return Ok(());
        };
        let mut dropins = BTreeMap::new();
        for name in self.names(&path)? {
            let path = path.join(&name);
            if name.starts_with('.') {
                continue;
            }
            if !name.ends_with(".conf") {
                let warning = format!(
                    "{} does not end in .conf: Podman ignores it",
                    path.display()
                );
                self.out.warnings.push(warning);
                continue;
            }
            if let Some((_, Node::Special(what))) = self.inputs.node(&path)? {
                return Err(SourceError::Special { path, what });
            }
            if let Some(file) = self.inputs.file(&path)? {
                dropins.insert(name, file);
            }
        }
        found.dropins.insert(quadlet.to_owned(), dropins);
        Ok(())
    }

    /// Takes Quadlets with their units into the desired state. Returns what they name beside them.
    fn quadlets(
        &mut self,
        read: Vec<Read>,
        beside: &BTreeMap<String, (File, PathBuf)>,
    ) -> Result<BTreeSet<String>> {
        let names_beside: BTreeSet<&String> = beside.keys().collect();
        let makes = |name: &str| [".build", ".image"].iter().any(|end| name.ends_with(end));
        let makers = read.iter().map(|quadlet| &quadlet.name);
        let makers = makers.filter(|name| makes(name)).collect();
        let named = read.iter().map(|quadlet| {
            let names = quadlet.names(&names_beside, &makers);
            (quadlet.name.clone(), names)
        });
        let named: BTreeMap<String, BTreeSet<String>> = named.collect();
        let built = read
            .iter()
            .flat_map(|quadlet| uses::tags(&quadlet.settings));
        let built: BTreeSet<String> = built.collect();
        let pods = read.iter().filter(|quadlet| {
            let with_pod = quadlet.settings.last("Container", "StartWithPod");
            with_pod.is_none() || quadlet.settings.yes("Container", "StartWithPod")
        });
        let pods = pods.filter_map(|quadlet| {
            let pod = quadlet.settings.last("Container", "Pod")?;
            Some((quadlet.name.clone(), pod.text))
        });
        let pods: Vec<(String, String)> = pods.collect();
        let made = Made {
            volumes: Volumes::new(&read),
            built,
        };
        for quadlet in read {
            let names = uses::closed(&quadlet.name, &named);
            let played = self.played(&quadlet, beside)?;
            let quadlet = self.quadlet(quadlet, names, &made, played);
            self.pass(quadlet)?;
        }
        for (container, pod) in &pods {
            self.starts_with(container, pod);
        }
        for (quadlet, names) in &named {
            for maker in names.iter().filter(|name| makes(name)) {
                self.starts_with(maker, quadlet);
            }
        }
        Ok(named.into_values().flatten().collect())
    }

    /// The unit of one Quadlet is started where that of another one is, which starts it.
    fn starts_with(&mut self, quadlet: &str, other: &str) {
        let quadlets = &self.out.desired.quadlets;
        let unit = |name: &str| quadlets.get(name)?.unit.clone();
        let (Some(unit), Some(other)) = (unit(quadlet), unit(other)) else {
            return;
        };
        let said = self.policy().units.get(unit.as_str());
        let is_said = said.is_some_and(|policy| policy.start.is_some());
        let units = &mut self.out.desired.units;
        let is_started = units.get(&other).is_some_and(|other| other.start);
        let is_template = unit.contains("@.");
        if let Some(unit) = units.get_mut(&unit)
            && is_started
            && !is_said
            && !is_template
        {
            unit.start = true;
        }
    }

    /// A Quadlet, with the unit that is made of it.
    fn quadlet(
        &mut self,
        read: Read,
        names: BTreeSet<String>,
        made: &Made,
        played: Option<Played>,
    ) -> Result<()> {
        let (_, section, suffix) = sort_of(&read.name).unwrap_or(&TYPES[0]);
        let Read {
            name,
            path,
            settings,
            ..
        } = &read;
        let stem = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem);
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, format!("@{instance}")),
            None => (stem, String::new()),
        };
        let unit = match settings.last(section, "ServiceName") {
            Some(name) => format!("{}.service", name.text),
            None => format!("{prefix}{suffix}{instance}.service"),
        };
        let wrong = |why: String| SourceError::Name {
            path: path.to_owned(),
            why,
        };
        let parsed = Name::parse(&unit)
            .map_err(|why| wrong(format!("the unit {unit} is made of it: {why}")))?;
        if let Some(other) = self.out.desired.units.get(&unit) {
            let other = other.quadlet.as_deref().unwrap_or_default();
            return Err(wrong(format!("the unit {unit} is made of {other} already")));
        }
        let in_checkout = self.named_in_checkout(settings, &read.words)?;
        self.quadlet_unit(&read, &parsed, made, played.as_ref());
        let quadlet = Quadlet {
            file: read.file,
            dropins: read.dropins,
            unit: Some(unit),
            names,
            in_checkout,
        };
        self.out.desired.quadlets.insert(read.name, quadlet);
        Ok(())
    }

    /// The unit that Podman's generator makes. What it runs is the generator's to say.
    fn quadlet_unit(&mut self, read: &Read, unit: &Name, made: &Made, played: Option<&Played>) {
        let name = unit.as_str();
        let (quadlet, settings) = (read.name.as_str(), &read.settings);
        let image = uses::image(read.section(), settings, &made.built);
        let pull = image.as_ref().and_then(|(_, pull)| *pull);
        let image = image.map(|(image, _)| image).into_iter().collect();
        let (podman, pull) = match played {
            Some(played) => played.images(settings, &made.built),
            None => (image, pull),
        };
        let policy = self.policy().units.get(name).cloned().unwrap_or_default();
        let enabling = ["WantedBy", "RequiredBy", "UpheldBy"];
        let is_enabled = enabling
            .iter()
            .any(|key| !settings.list("Install", key).is_empty());
        let runs = quadlet.ends_with(".container") || quadlet.ends_with(".kube");
        let lasts = runs || quadlet.ends_with(".pod");
        let kind = settings.last("Service", "Type");
        let is_oneshot = kind.map_or(!lasts, |kind| kind.text == "oneshot");
        let on_change = match quadlet.ends_with(".network") || quadlet.ends_with(".volume") {
            // A restart would take along what uses it, for nothing.
            true => OnChange::None,
            false => policy.on_change.unwrap_or_default(),
        };
        let written = Unit {
            quadlet: Some(quadlet.to_owned()),
            start: policy.start.unwrap_or(is_enabled) && !name.contains("@."),
            on_change,
            may_fail: !policy.required,
            start_timeout: *policy.start_timeout,
            settle: *policy.settle,
            service_type: match is_oneshot {
                true => UnitType::Oneshot,
                false => UnitType::Lasting,
            },
            secrets: (settings.sources().iter())
                .flat_map(|source| named_in(source.text()))
                .collect(),
            remain_after_exit: !lasts && !quadlet.ends_with(".build")
                || settings.yes("Service", "RemainAfterExit"),
            pull,
            podman,
            by_podman: match played {
                Some(played) => Some(played.run(unit, settings)),
                None => runs::of(quadlet, unit, settings, &made.volumes),
            },
            ..Unit::default()
        };
        self.out.desired.units.insert(name.to_owned(), written);
    }
}

/// A file's settings. Podman's generator reads no file of which a line is wrong.
fn parsed(file: &File) -> Result<Arc<Source>> {
    let source = Source::new(&file.source, text(file));
    match source.parsed.strays.first() {
        Some(stray) => Err(stray.complain(&source.file).into()),
        None => Ok(Arc::new(source)),
    }
}
