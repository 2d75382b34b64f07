//! Plans of Quadlets.

use std::collections::BTreeMap;

use crate::kinds::tests::{applied, file, lines, planned};
use crate::model::{Desired, Quadlet, Unit};

/// A container with its unit, and this port.
fn desired(port: u16) -> Desired {
    let text = format!("[Container]\nImage=web:1\nPublishPort={port}:80\n");
    let quadlet = Quadlet {
        file: file("containers/web.container", &text),
        unit: Some("web.service".to_owned()),
        ..Quadlet::default()
    };
    let unit = Unit {
        quadlet: Some("web.container".to_owned()),
        start: true,
        ..Unit::default()
    };
    Desired {
        quadlets: BTreeMap::from([("web.container".to_owned(), quadlet)]),
        units: BTreeMap::from([("web.service".to_owned(), unit)]),
        ..Desired::default()
    }
}

#[test]
fn a_unit_is_made_anew_before_it_restarts_and_stops_before_its_file_goes() {
    let (observed, recorded) = applied(&desired(8001));
    let plan = |desired: &Desired| lines(&planned(desired, &observed, &recorded));
    assert_eq!(plan(&desired(8001)), [""; 0]);
    assert_eq!(
        plan(&desired(8002)),
        [
            "Switch file/store",
            "Store quadlet/web.container",
            "DaemonReload unit/systemd",
            "Restart unit/web.service",
        ]
    );
    let gone = plan(&Desired::default());
    assert_eq!(
        gone,
        [
            "DaemonReload unit/systemd",
            "Stop unit/web.service",
            "Store quadlet/web.container",
            "Remove quadlet/web.container",
            "DaemonReload unit/systemd",
        ]
    );
}
