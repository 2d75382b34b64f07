//! What `[Install]` asks for, systemd.unit(5).

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use source_text::Diagnostic;

use super::{Name, Settings, words};

/// Links that enable a unit, relative to the unit folder, systemd.unit(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Install {
    /// Links by their path relative to the unit folder (/etc/systemd/system), such as
    /// `multi-user.target.wants/x.service`; all point to the unit's file.
    pub links: BTreeSet<PathBuf>,
}

/// `[Install]` of one unit.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Links that enable it.
    pub install: Install,
    /// Further names, each with a complaint in case that another unit bears it.
    pub aliases: Vec<(String, Diagnostic)>,
    /// Units that are enabled together with it.
    pub also: Vec<String>,
    /// Whether anything pulls it in.
    pub pulled_in: bool,
}

/// Reads `[Install]` for the unit or instance `name`.
pub fn wanted(name: &Name, settings: &Settings) -> Result<Wanted, Diagnostic> {
    let mut wanted = Wanted::default();
    for (key, folder) in [
        ("WantedBy", "wants"),
        ("RequiredBy", "requires"),
        ("UpheldBy", "upholds"),
    ] {
        for target in names(name, settings, key)? {
            wanted.pulled_in = true;
            let link = PathBuf::from(format!("{}.{folder}", target.0)).join(name.as_str());
            wanted.install.links.insert(link);
        }
    }
    for (alias, complaint) in names(name, settings, "Alias")? {
        if alias == name.as_str() {
            continue;
        }
        let same_type = Name::parse(&alias).is_ok_and(|alias| alias.suffix() == name.suffix());
        if !same_type {
            return Err(Diagnostic {
                message: format!("{alias} cannot be another name of {name}"),
                expected: format!("expected a name that ends in .{}", name.suffix()),
                ..complaint
            });
        }
        wanted.install.links.insert(PathBuf::from(&alias));
        wanted.aliases.push((alias, complaint));
    }
    wanted.also = names(name, settings, "Also")?
        .into_iter()
        .map(|(also, _)| also)
        .collect();
    Ok(wanted)
}

/// `DefaultInstance=` of a template.
pub fn default_instance(name: &Name, settings: &Settings) -> Result<Option<Name>, Diagnostic> {
    let Some(value) = settings.last("Install", "DefaultInstance") else {
        return Ok(None);
    };
    let instance = name.with_instance(value.text.trim());
    match Name::parse(&instance) {
        Ok(instance) if !instance.is_template() => Ok(Some(instance)),
        _ => Err(value.complain(
            format!("{:?} cannot be the name of an instance", value.text),
            "expected letters, digits and :-_.\\",
        )),
    }
}

/// Unit names that a key lists. They become parts of paths, so they have to be names.
fn names(
    name: &Name,
    settings: &Settings,
    key: &str,
) -> Result<Vec<(String, Diagnostic)>, Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for value in settings.list("Install", key) {
        for word in words(&value.text) {
            let complaint = value.complain(format!("{word:?} is no unit name"), "");
            let Some(expanded) = name.expand(word) else {
                return Err(Diagnostic {
                    message: format!("the specifiers of {word:?} have no value here"),
                    expected: "expected %n, %N, %p, %i, %j or %%".into(),
                    ..complaint
                });
            };
            if let Err(why) = Name::parse(&expanded) {
                return Err(Diagnostic {
                    expected: format!("expected unit names: {why}"),
                    ..complaint
                });
            }
            if seen.insert(expanded.clone()) {
                found.push((expanded, complaint));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::of;

    fn links(name: &str, text: &str) -> Result<Vec<String>, String> {
        let name = Name::parse(name).unwrap();
        let wanted = wanted(&name, &of(&[text])).map_err(|error| error.to_string())?;
        let text = |link: &PathBuf| link.display().to_string();
        Ok(wanted.install.links.iter().map(text).collect())
    }

    #[test]
    fn install_becomes_links() {
        for (name, text, expected) in [
            (
                "a.service",
                "WantedBy=multi-user.target",
                vec!["multi-user.target.wants/a.service"],
            ),
            (
                "a.service",
                "WantedBy=x.target y.target\nRequiredBy=z.service\nAlias=b.service",
                vec![
                    "b.service",
                    "x.target.wants/a.service",
                    "y.target.wants/a.service",
                    "z.service.requires/a.service",
                ],
            ),
            (
                "w@1.service",
                "WantedBy=pool-%i.target",
                vec!["pool-1.target.wants/w@1.service"],
            ),
            ("a.service", "Alias=a.service", vec![]),
        ] {
            let text = format!("[Install]\n{text}");
            assert_eq!(
                links(name, &text),
                Ok(expected.iter().map(|s| s.to_string()).collect())
            );
        }
    }

    #[test]
    fn install_cannot_leave_the_unit_folder() {
        for (text, expected) in [
            (
                "WantedBy=../../x.target",
                "u.service:2:10: \"../../x.target\" is no unit name",
            ),
            (
                "Alias=b.timer",
                "u.service:2:7: b.timer cannot be another name of a.service",
            ),
            (
                "WantedBy=%H.target",
                "u.service:2:10: the specifiers of \"%H.target\" have no value here",
            ),
        ] {
            let text = format!("[Install]\n{text}");
            assert_eq!(links("a.service", &text), Err(expected.into()));
        }
    }

    #[test]
    fn templates_have_a_default_instance() {
        let name = Name::parse("w@.service").unwrap();
        let settings = of(&["[Install]\nDefaultInstance=one"]);
        let instance = default_instance(&name, &settings).unwrap().unwrap();
        assert_eq!(instance.as_str(), "w@one.service");
        assert!(default_instance(&name, &of(&["[Install]\nDefaultInstance=a/b"])).is_err());
    }
}
