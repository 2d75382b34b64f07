//! The versions of the host's programs, for what `check` says about them.

use crate::host::Host;
use crate::model::Program;
use crate::source::Revision;

/// What [`Target`](crate::model::Target) has, in the order in which differences are reported.
const PROGRAMS: [Program; 4] = [
    Program::Nginx,
    Program::Systemd,
    Program::Compose,
    Program::Docker,
];

/// Asks a host for the versions of its programs. Returns a warning for each of which watchme.toml states another one.
pub(crate) async fn ask_versions(host: &Host, revision: &mut Revision) -> Vec<String> {
    let stated = revision.target();
    let mut warnings = Vec::new();
    host.use_engine(revision.desired.engine.as_deref());
    revision.host = host.versions().await;
    for program in PROGRAMS {
        let (Some(stated), Some(installed)) =
            (stated.version(program), revision.host.version(program))
        else {
            continue;
        };
        if stated.is_before(installed) || installed.is_before(stated) {
            let key = program.to_string().to_lowercase();
            warnings.push(format!(
                "watchme.toml states {program} {stated}, and this host has {installed}: correct {key} in [host]"
            ));
        }
    }
    warnings
}
