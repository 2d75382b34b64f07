//! What effects make of files: the one answer for whoever previews, simulates, validates or applies them.

use std::borrow::Cow;
use std::path::Path;

use super::Effect;
use crate::model::{File, layout};

/// What becomes of one path of a host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileEffect<'a> {
    /// The path on the host, absolute.
    pub path: Cow<'a, Path>,
    /// The same below the live tree, for a file of the store: all of them change in one exchange.
    pub stored: Option<&'a Path>,
    /// What is there afterwards.
    pub becomes: Becomes<'a>,
    /// Whether what is there now is kept in the backups.
    pub keep: bool,
}

/// What is at a path afterwards.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Becomes<'a> {
    File {
        file: &'a File,
        /// Permission bits.
        mode: u32,
        /// `user:group`; `None`: root's.
        owner: Option<&'a str>,
    },
    Link {
        /// What it points to, as written.
        target: &'a Path,
        /// Where it leads in the end.
        leads_to: &'a Path,
    },
    /// A certificate or a key, made on the host.
    Made,
    Nothing,
}

impl Effect {
    /// The files that it changes; none of effects on services and containers.
    pub(crate) fn files(&self) -> Vec<FileEffect<'_>> {
        let at = |path, becomes, keep| FileEffect {
            path: Cow::Borrowed(path),
            stored: None,
            becomes,
            keep,
        };
        match self {
            Effect::Store { path, file, keep } => vec![FileEffect {
                path: Cow::Owned(layout::live(path)),
                stored: Some(path),
                becomes: file.as_ref().map_or(Becomes::Nothing, |file| Becomes::File {
                    file,
                    mode: file.mode(),
                    owner: None,
                }),
                keep: *keep,
            }],
            Effect::Link {
                path,
                target,
                leads_to,
                keep,
            } => vec![at(path.as_path(), Becomes::Link { target, leads_to }, *keep)],
            Effect::Copy {
                path,
                file,
                mode,
                owner,
                keep,
            } => {
                let owner = Some(owner.as_str());
                let mode = *mode;
                vec![at(path, Becomes::File { file, mode, owner }, *keep)]
            }
            Effect::Remove { path, keep } => vec![at(path, Becomes::Nothing, *keep)],
            Effect::WriteCertificate(pair) => vec![
                at(&pair.certificate, Becomes::Made, false),
                at(&pair.key, Becomes::Made, false),
            ],
            // The files that packages bring are theirs.
            Effect::UpdatePackageLists
            | Effect::InstallPackages(_)
            | Effect::RemovePackages(_)
            | Effect::CreateNetwork { .. }
            | Effect::RemoveNetwork { .. }
            | Effect::CreateVolume { .. }
            // The checkout is not ours: an empty file of systemd's goes there, and nothing else.
            | Effect::ClearMountPoint { .. }
            // The files that it brings are those of the steps after it.
            | Effect::Switch(_)
            // In memory, and no plan has its content.
            | Effect::PutSecret { .. }
            | Effect::RemoveSecret(_)
            // Nothing that a plan wants is there.
            | Effect::BackUp { .. }
            | Effect::DaemonReload
            | Effect::Start(_)
            | Effect::Restart(_)
            | Effect::ReloadUnit(_)
            | Effect::Stop(_)
            | Effect::Pull(_)
            | Effect::Build(_)
            | Effect::Tag(_)
            // Below /run, and gone before the run ends.
            | Effect::HoldPulls(_)
            | Effect::Release(_)
            | Effect::RemoveContainer { .. }
            | Effect::TakeDown(_)
            | Effect::Soak(_)
            | Effect::Drain(_)
            | Effect::Connect(_)
            // What the program makes of the files is its own.
            | Effect::Load(_)
            // In the kernel; its file is a step of its own.
            | Effect::LoadFirewall(_)
            | Effect::RemoveFirewall
            // Its files are its own.
            | Effect::AllowInUfw(_)
            | Effect::DeleteInUfw(_)
            | Effect::ReloadNginx
            | Effect::RestartNginx
            | Effect::StartNginx => Vec::new(),
        }
    }
}
