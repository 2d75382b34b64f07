//! Programs of systemd that load files of /etc, and the kernel parameters that one of them sets.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::HostError;
use super::program::run;
use crate::model::{EtcLoader, PARAMETERS, parameter_name, plain};

/// How long such a program may take.
const BOUND: Duration = Duration::from_secs(60);
/// How many lines of what it said are shown.
const LINES: usize = 10;

/// The values of kernel parameters, by their paths below `/proc/sys`; without those that this kernel does not have or that
/// cannot be read.
pub(crate) fn parameters(names: &BTreeSet<String>) -> BTreeMap<String, String> {
    let value = |name: &String| {
        let bytes = std::fs::read(Path::new(PARAMETERS).join(name)).ok()?;
        Some((name.clone(), plain(&String::from_utf8_lossy(&bytes))))
    };
    names.iter().filter_map(value).collect()
}

/// Gives kernel parameters these values, proc_sys(5).
pub(crate) fn set_parameters(values: &BTreeMap<String, String>) -> Result<(), HostError> {
    for (name, value) in values {
        let path = Path::new(PARAMETERS).join(name);
        std::fs::write(&path, value).map_err(|source| HostError::SetParameter {
            name: parameter_name(name),
            source,
        })?;
    }
    Ok(())
}

/// Has a program load files. Of kernel parameters it sets those with these names from all files of the host, so that a
/// later file wins here as it does at boot: systemd-sysctl.service(8), `--prefix=`.
pub(crate) fn load(
    loader: EtcLoader,
    files: &BTreeSet<PathBuf>,
    parameters: &BTreeSet<String>,
) -> Result<(), HostError> {
    let paths = files.iter().map(|path| path.display().to_string());
    let words: Vec<String> = match loader {
        EtcLoader::Sysctl if !parameters.is_empty() => {
            let prefix = |name| format!("--prefix=/{name}");
            parameters.iter().map(prefix).collect()
        }
        EtcLoader::Sysctl | EtcLoader::Sysusers => paths.collect(),
        EtcLoader::Tmpfiles => iter::once("--create".to_owned()).chain(paths).collect(),
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = run(Path::new(loader.program()), &words, "", BOUND)?;
    if ran.status.success() {
        return Ok(());
    }
    Err(HostError::Loader {
        program: loader.program(),
        said: ran.said.lines().take(LINES).map(str::to_owned).collect(),
        files: files.clone(),
    })
}

/// Whether kernel parameters have their values.
///
/// # Errors
/// Names the first one that has another one.
pub(crate) fn verify<'a>(
    wanted: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), HostError> {
    for (name, value) in wanted {
        let found = parameters(&BTreeSet::from([name.clone()]));
        if found.get(name) != Some(value) {
            return Err(HostError::ParameterDiffers {
                name: parameter_name(name),
                value: value.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_those_that_are_not_there_are_left_out() {
        let names = ["kernel/ostype", "kernel/no_such_parameter"].map(str::to_owned);
        let found = parameters(&names.into());
        let linux = BTreeMap::from([("kernel/ostype".to_owned(), "Linux".to_owned())]);
        assert_eq!(found, linux);
        assert!(verify(linux.iter()).is_ok());
        let other = BTreeMap::from([("kernel/ostype".to_owned(), "Minix".to_owned())]);
        let error = verify(other.iter()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "kernel.ostype is not Minix after systemd-sysctl has loaded it: another file sets it, or the kernel takes another value"
        );
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("systemd-analyze cat-config sysctl.d | grep kernel.ostype"),
            "{hint}"
        );
        // The kernel lets nobody write it.
        let error = set_parameters(&linux).unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not set the kernel parameter kernel.ostype"
        );
    }
}
