//! What is not done: rules that lock out whoever is logged in, and two firewalls that undo each other's work.

use super::FIREWALLD;
use crate::model::{Firewall, FirewallState, ResourceId, Transport, UfwMode, Verdict, layout};
use crate::plan::draft::Draft;

/// Other firewalls of this host.
pub(super) fn others(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let observed = draft.observed;
    let ufw = observed.content(layout::UFW.as_ref());
    let ufw = ufw.is_some_and(|content| is_enabled(&String::from_utf8_lossy(content)));
    if ufw && firewall.ufw == UfwMode::Refuse {
        let why = "ufw is active: a port would be open only where both let it through";
        let help = [
            "if watchme.toml is to say who may reach what: name each port of \"ufw status\" in [firewall.allow], then ufw \
             disable, and apply at once",
            "if ufw is to say it: take [firewall] out of watchme.toml",
        ];
        draft.refuse(id.clone(), why, help.map(str::to_owned).into());
    }
    let systemd = observed.systemd.as_ref();
    let firewalld = systemd.and_then(|systemd| systemd.units.get(FIREWALLD));
    if firewalld.is_some_and(|unit| unit.is_active()) {
        let why = "firewalld is active: a port would be open only where both let it through";
        let help = [
            "if watchme.toml is to say who may reach what: name each port of \"firewall-cmd --list-all-zones\" in \
             [firewall.allow], then systemctl disable --now firewalld, and apply at once",
            "if firewalld is to say it: take [firewall] out of watchme.toml",
        ];
        draft.refuse(id.clone(), why, help.map(str::to_owned).into());
    }
    let state = observed.firewall.as_ref();
    for (bridge, port) in state.iter().flat_map(|state| &state.bridged) {
        let why = format!(
            "everything may come from {bridge}, and {port} is a port of it, which is no container's"
        );
        let help = format!(
            "list the interfaces of containers in [firewall] trusted by names that {bridge} does not fit; if it is to \
             be trusted, list {bridge} itself"
        );
        draft.refuse(id.clone(), why, vec![help]);
    }
}

/// `ENABLED=yes`, as ufw itself reads it.
fn is_enabled(text: &str) -> bool {
    let mut lines = text.lines().rev();
    let value = lines.find_map(|line| line.trim().strip_prefix("ENABLED="));
    value.is_some_and(|value| value.trim_matches('"').eq_ignore_ascii_case("yes"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_ufw_is_active() {
        for (text, expected) in [
            ("# ENABLED=yes\nENABLED=no\nLOGLEVEL=low\n", false),
            ("ENABLED=yes\n", true),
            ("ENABLED=\"YES\"\n", true),
            ("", false),
        ] {
            assert_eq!(is_enabled(text), expected, "{text}");
        }
    }
}
