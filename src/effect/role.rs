//! What an effect is to those who ask before it is done, look whether all still serves, or report drift. Each answer names every
//! effect: a new one does not compile without it.

use super::Effect;

/// What a change is in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It makes a resource as desired.
    Own,
    /// It loads what others changed.
    Follows,
    /// It is only done for others.
    Serves,
}

impl Effect {
    /// What it is in its plan.
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::DaemonReload | Self::ReloadNginx | Self::RestartNginx => Role::Follows,
            Self::UpdatePackageLists
            | Self::Pull(_)
            | Self::Build(_)
            | Self::Tag(_)
            | Self::HoldPulls(_)
            | Self::Release(_)
            | Self::Switch(_) => Role::Serves,
            Self::InstallPackages(_)
            | Self::RemovePackages(_)
            | Self::CreateNetwork { .. }
            | Self::RemoveNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::WriteCertificate(_)
            | Self::Store { .. }
            | Self::Link { .. }
            | Self::Copy { .. }
            | Self::Remove { .. }
            | Self::ClearMountPoint { .. }
            | Self::BackUp { .. }
            | Self::PutSecret { .. }
            | Self::RemoveSecret(_)
            | Self::Start(_)
            | Self::Restart(_)
            | Self::ReloadUnit(_)
            | Self::Stop(_)
            | Self::RemoveContainer { .. }
            | Self::TakeDown(_)
            | Self::Soak(_)
            | Self::Drain(_)
            | Self::Load(_)
            | Self::Connect(_)
            | Self::LoadFirewall(_)
            | Self::RemoveFirewall
            | Self::AllowInUfw(_)
            | Self::DeleteInUfw(_)
            | Self::StartNginx => Role::Own,
        }
    }

    /// Whether something that people have is gone after it. A stop counts unless the plan starts the unit again.
    pub(crate) fn takes_away(&self) -> bool {
        match self {
            Self::RemovePackages(_)
            | Self::RemoveNetwork { .. }
            | Self::Remove { .. }
            | Self::RemoveSecret(_)
            | Self::Stop(_)
            | Self::TakeDown(_)
            | Self::RemoveFirewall
            | Self::DeleteInUfw(_) => true,
            // Containers of a project that somebody else has started so far.
            Self::Start(_) => self.recreates(),
            // The link to a stored file is the change that counts; a mount point is empty; a container is made again.
            Self::Store { .. }
            | Self::ClearMountPoint { .. }
            | Self::Release(_)
            | Self::RemoveContainer { .. } => false,
            Self::UpdatePackageLists
            | Self::InstallPackages(_)
            | Self::CreateNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::WriteCertificate(_)
            | Self::Switch(_)
            | Self::Link { .. }
            | Self::Copy { .. }
            | Self::BackUp { .. }
            | Self::PutSecret { .. }
            | Self::DaemonReload
            | Self::Restart(_)
            | Self::ReloadUnit(_)
            | Self::Pull(_)
            | Self::Build(_)
            | Self::Tag(_)
            | Self::HoldPulls(_)
            | Self::Soak(_)
            | Self::Drain(_)
            | Self::Load(_)
            | Self::Connect(_)
            | Self::LoadFirewall(_)
            | Self::AllowInUfw(_)
            | Self::ReloadNginx
            | Self::RestartNginx
            | Self::StartNginx => false,
        }
    }

    /// Whether an upstream of nginx may be lost by it. Files and nginx itself listen at none; packages come and go before
    /// anybody looks.
    pub(crate) fn may_lose_upstreams(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::Restart(_)
            | Self::ReloadUnit(_)
            | Self::Stop(_)
            | Self::Release(_)
            | Self::RemoveContainer { .. }
            | Self::TakeDown(_)
            | Self::RemoveNetwork { .. }
            | Self::Connect(_)
            | Self::Load(_)
            | Self::LoadFirewall(_) => true,
            Self::UpdatePackageLists
            | Self::InstallPackages(_)
            | Self::RemovePackages(_)
            | Self::CreateNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::WriteCertificate(_)
            | Self::Switch(_)
            | Self::Store { .. }
            | Self::Link { .. }
            | Self::Copy { .. }
            | Self::Remove { .. }
            | Self::ClearMountPoint { .. }
            | Self::BackUp { .. }
            | Self::PutSecret { .. }
            | Self::RemoveSecret(_)
            | Self::DaemonReload
            | Self::Pull(_)
            | Self::Build(_)
            | Self::Tag(_)
            | Self::HoldPulls(_)
            | Self::Soak(_)
            | Self::Drain(_)
            | Self::RemoveFirewall
            | Self::AllowInUfw(_)
            | Self::DeleteInUfw(_)
            | Self::ReloadNginx
            | Self::RestartNginx
            | Self::StartNginx => false,
        }
    }
}
