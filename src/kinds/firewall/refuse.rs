//! What is not done: rules that lock out whoever is logged in, and two firewalls that undo each other's work.

use super::FIREWALLD;
use super::plan::applied;
use crate::model::{
    Firewall, FirewallState, ResourceId, Transport, UfwMode, UnitState, Verdict, layout,
};
use crate::plan::draft::Draft;

/// Other firewalls of this host.
pub(super) fn others(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let observed = draft.observed;
    let state = observed.firewall.as_ref();
    if state.is_some_and(|state| state.simulated) {
        return;
    }
    let setting = |path: &str, name: &str| {
        let content = observed.content(path.as_ref())?;
        setting(&String::from_utf8_lossy(content), name)
    };
    let ufw = setting(layout::UFW, "ENABLED").is_some_and(|value| value == "yes");
    if firewall.ufw == UfwMode::Drive && observed.firewall.is_some() {
        let default = setting(layout::UFW_DEFAULT, "DEFAULT_INPUT_POLICY");
        if !ufw {
            let why = "ufw is not active, and is to have the rules about ports of the host";
            let help =
                "ufw enable, once it lets SSH in; or take ufw = \"drive\" out of watchme.toml";
            draft.refuse(id.clone(), why, vec![help.to_owned()]);
        } else if default.is_none_or(|value| value == "accept") {
            let why = "ufw lets in what no rule of it names";
            let help = "ufw default deny incoming, once it lets SSH in";
            draft.refuse(id.clone(), why, vec![help.to_owned()]);
        }
    }
    if ufw && firewall.ufw == UfwMode::Refuse {
        let why = "ufw is active: a port would be open only where both let it through";
        let help = [
            "if watchme.toml is to say who may reach what: name each port of \"ufw status\" in [firewall.allow], then ufw \
             disable, and apply at once",
            "if ufw is to have the rules: write ufw = \"drive\" into [firewall]",
        ];
        draft.refuse(id.clone(), why, help.map(str::to_owned).into());
    }
    if (observed.unit_state(FIREWALLD)).is_some_and(UnitState::is_active) {
        let why = "firewalld is active: a port would be open only where both let it through";
        let help = [
            "if watchme.toml is to say who may reach what: name each port of \"firewall-cmd --list-all-zones\" in \
             [firewall.allow], then systemctl disable --now firewalld, and apply at once",
            "if firewalld is to say it: take [firewall] out of watchme.toml",
        ];
        draft.refuse(id.clone(), why, help.map(str::to_owned).into());
    }
    for (bridge, port) in state.iter().flat_map(|state| &state.bridged) {
        let why = format!(
            "everything may come from {bridge}, and {port} is a port of it that does not belong to a container"
        );
        let help = format!(
            "list the interfaces of containers in [firewall] trusted by names that {bridge} does not fit; if it is to \
             be trusted, list {bridge} itself"
        );
        draft.refuse(id.clone(), why, vec![help]);
    }
}

/// `ENABLED=yes`, `DEFAULT_INPUT_POLICY="DROP"`: the last one counts, in any case.
fn setting(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().rev();
    let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_ascii_lowercase())
}

/// Rules that nft does not take.
pub(super) fn rules(draft: &mut Draft<'_>, id: &ResourceId, said: &str) {
    let said: Vec<&str> = said.lines().take(4).collect();
    let why = format!("nft does not take the rules: {}", said.join("; "));
    let help = match said
        .iter()
        .any(|line| line.contains("proto-dst") || line.contains("dnat"))
    {
        true => {
            "this nft or kernel cannot tell which port a connection to a container asked for, so published ports cannot \
             be governed here: upgrade nftables and the kernel"
        }
        false => "lsmod | grep nf_tables; nft --version; dmesg | tail",
    };
    draft.refuse(id.clone(), why, vec![help.to_owned()]);
}

/// A new connection from where somebody is logged in has to get through, and somebody has to be able to log in at all.
pub(super) fn lock_out(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    firewall: &Firewall,
    state: &FirewallState,
) {
    for session in &state.sessions {
        let interface = session.interface.as_deref();
        if interface.is_some_and(|name| firewall.trusts(name))
            || firewall.lets_in(Transport::Tcp, session.port, session.peer)
        {
            continue;
        }
        let (port, peer) = (session.port, session.peer);
        let why = format!(
            "port {port} would be closed to {peer}, from where somebody is logged in by SSH"
        );
        let help = format!(
            "add \"{peer}\", or a source that has it, to {port} in [firewall.allow]; or log in from an address that has it, \
             and end the other session: ss -tnp 'sport = :{port}'"
        );
        draft.refuse(id.clone(), why, vec![help]);
    }
    if firewall.default == Verdict::Allow {
        return;
    }
    for port in &state.ssh {
        if firewall.opening(Transport::Tcp, *port).is_none() {
            let why =
                format!("nobody could log in: sshd listens on port {port}, which is not named");
            let help = format!(
                "name it in [firewall.allow], such as {port} = [\"192.168.0.0/16\"]; if nobody is to log in by SSH, write \
                 {port} = []"
            );
            draft.refuse(id.clone(), why, vec![help]);
        }
    }
}

/// Where ufw is driven, only a rule that is deleted closes a port. Ports that were never named are its own.
pub(super) fn deletion(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let Some(state) = &draft.observed.firewall else {
        return;
    };
    let before = applied(draft);
    let is_named = |firewall: &Firewall, port| firewall.opening(Transport::Tcp, port).is_some();
    let concerns = |port| is_named(firewall, port) || before.is_some_and(|one| is_named(one, port));
    let (sessions, ssh) = (state.sessions.iter(), state.ssh.iter());
    let state = FirewallState {
        sessions: sessions.filter(|one| concerns(one.port)).cloned().collect(),
        ssh: ssh.filter(|port| concerns(**port)).copied().collect(),
        ..FirewallState::default()
    };
    lock_out(draft, id, firewall, &state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_ufw() {
        for (text, expected) in [
            ("# ENABLED=yes\nENABLED=no\nLOGLEVEL=low\n", Some("no")),
            ("ENABLED=yes\n", Some("yes")),
            ("ENABLED=\"YES\"\n", Some("yes")),
            ("ENABLED_TOO=yes\n", None),
            ("", None),
        ] {
            assert_eq!(setting(text, "ENABLED").as_deref(), expected, "{text}");
        }
    }
}
