//! What an effect is to those who ask before it is done, look whether all still serves, or report drift. One table names every
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

/// Whether something that people have is gone after it.
const TAKES_AWAY: bool = true;
/// Whether an upstream of nginx may be lost by it.
const MAY_LOSE: bool = true;

impl Effect {
    /// What it is in its plan.
    pub(crate) fn role(&self) -> Role {
        self.facts().0
    }

    /// Whether something that people have is gone after it. A stop counts unless the plan starts the unit again.
    pub(crate) fn takes_away(&self) -> bool {
        self.facts().1
    }

    /// Whether an upstream of nginx may be lost by it. Files and nginx itself listen at none; packages come and go before
    /// anybody looks.
    pub(crate) fn may_lose_upstreams(&self) -> bool {
        self.facts().2
    }

    fn facts(&self) -> (Role, bool, bool) {
        match self {
            Self::DaemonReload | Self::ReloadNginx | Self::RestartNginx => {
                (Role::Follows, false, false)
            }
            Self::UpdatePackageLists
            | Self::Pull(_)
            | Self::Build(_)
            | Self::Tag(_)
            | Self::HoldPulls(_)
            | Self::Switch(_) => (Role::Serves, false, false),
            // A container that its unit makes again.
            Self::Release(_) => (Role::Serves, false, MAY_LOSE),
            Self::RemovePackages(_)
            | Self::Remove { .. }
            | Self::RemoveSecret(_)
            | Self::RemoveFirewall
            | Self::DeleteInUfw(_) => (Role::Own, TAKES_AWAY, false),
            Self::RemoveNetwork { .. } | Self::Stop(_) | Self::TakeDown(_) => {
                (Role::Own, TAKES_AWAY, MAY_LOSE)
            }
            // Containers of a project that somebody else has started so far.
            Self::Start(_) => (Role::Own, self.recreates(), MAY_LOSE),
            Self::Restart(_)
            | Self::ReloadUnit(_)
            | Self::RemoveContainer { .. }
            | Self::Connect(_)
            | Self::Load(_)
            | Self::LoadFirewall(_) => (Role::Own, false, MAY_LOSE),
            // The link to a stored file is the change that counts, and a mount point is empty.
            Self::Store { .. }
            | Self::ClearMountPoint { .. }
            | Self::InstallPackages(_)
            | Self::CreateNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::WriteCertificate(_)
            | Self::Link { .. }
            | Self::Copy { .. }
            | Self::BackUp { .. }
            | Self::PutSecret { .. }
            | Self::Soak(_)
            | Self::Drain(_)
            | Self::AllowInUfw(_)
            | Self::StartNginx => (Role::Own, false, false),
        }
    }
}
