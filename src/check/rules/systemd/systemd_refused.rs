//! Settings that are right one by one, and with which systemd refuses the unit.

use source_text::word_list;

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_refused, Error, run);

/// Sockets that cannot accept connections, `socket_verify` in src/core/socket.c.
const NOT_ACCEPTING: [&str; 5] =
    word_list("ListenDatagram ListenFIFO ListenSpecial ListenNetlink ListenMessageQueue");

fn run(context: &Context, findings: &mut Findings) {
    for unit in context.units().all.iter().filter(|unit| unit.is_ours()) {
        let found = match unit.name.suffix() {
            "service" => no_bus_name(unit),
            "socket" => accepts_nothing(unit),
            "mount" => mounted_elsewhere(unit),
            _ => None,
        };
        findings.extend(found);
    }
}

/// `service_verify` in src/core/service.c.
fn no_bus_name(unit: &Unit) -> Option<Finding> {
    let kind = unit.service("Type").filter(|kind| kind.text == "dbus")?;
    let name = unit.service("BusName").filter(|name| !name.text.is_empty());
    let message = "a service of Type=dbus has no BusName: systemd refuses it";
    let place = kind.complain(message, "expected BusName beside it");
    name.is_none()
        .then(|| RULE.at(place.helped("write BusName= with its name on the bus")))
}

fn accepts_nothing(unit: &Unit) -> Option<Finding> {
    let accept = unit.settings.last("Socket", "Accept");
    let accept = accept.filter(|_| unit.settings.yes("Socket", "Accept"))?;
    let listens = NOT_ACCEPTING
        .iter()
        .find_map(|key| unit.settings.last("Socket", key))
        .filter(|listens| !listens.text.is_empty())?;
    let message = format!(
        "a socket with Accept=yes has {}, which accepts no connections: systemd refuses it",
        listens.key
    );
    let place = accept.complain(message, "expected no");
    Some(RULE.at(place.helped("remove the line, or write ListenStream=")))
}

/// `mount_verify` in src/core/mount.c.
fn mounted_elsewhere(unit: &Unit) -> Option<Finding> {
    let place = unit.settings.last("Mount", "Where")?;
    let own = unit
        .name
        .expand("/%P")
        .filter(|_| !place.text.contains('%'))?;
    let written = place.text.trim_end_matches('/');
    if unit.name.prefix() != "-" && written != own {
        let message = format!(
            "{} mounts {}, but its name says {own}: systemd refuses it",
            unit.name, place.text
        );
        let complaint = place.complain(message, format!("expected {own}"));
        let help = format!(
            "write Where={own}, or give the file the name that systemd-escape --path --suffix=mount prints"
        );
        return Some(RULE.at(complaint.helped(help)));
    }
    let what = unit.settings.last("Mount", "What");
    if what.is_some_and(|what| !what.text.is_empty()) {
        return None;
    }
    let message = "a mount has no What: systemd refuses it";
    let complaint = place.complain(message, "expected What beside it");
    Some(RULE.at(complaint.helped("write What= with the device or other source to mount")))
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::{found, service};

    #[test]
    fn together_they_are_refused() {
        let said = |path: &str, text: &str| {
            let all = found(&[(path, text)]);
            let own = all.into_iter().filter(|one| one.starts_with("refused "));
            own.collect::<Vec<_>>()
        };
        let a = "systemd/a.service";
        let dbus = "ExecStart=/bin/sleep 1\nType=dbus\n";
        assert_eq!(said(a, &service(dbus)), ["refused dbus"]);
        let named = format!("{dbus}BusName=org.example.A\n");
        assert_eq!(said(a, &service(&named)), [""; 0]);
        let socket = "[Socket]\nListenDatagram=80\nAccept=yes\n";
        assert_eq!(said("systemd/a.socket", socket), ["refused yes"]);
        let stream = "[Socket]\nListenStream=80\nAccept=yes\n";
        assert_eq!(said("systemd/a@.socket", stream), [""; 0]);
        let path = "systemd/srv-my\\x2ddata.mount";
        for (text, expected) in [
            ("[Mount]\nWhat=/dev/vdb\nWhere=/srv/my-data\n", ""),
            ("[Mount]\nWhat=/dev/vdb\nWhere=/srv/my-data/\n", ""),
            (
                "[Mount]\nWhat=/dev/vdb\nWhere=/srv/data\n",
                "refused /srv/data",
            ),
            ("[Mount]\nWhere=/srv/my-data\n", "refused /srv/my-data"),
        ] {
            let all = said(path, text);
            assert_eq!(all.concat(), expected, "{text}");
        }
    }
}
