//! Plans of Quadlets.

use std::collections::BTreeMap;

use crate::kinds::tests::{applied, file, lines, planned};
use crate::model::{Desired, Image, ImageFound, ImageState, Pull, Quadlet, Unit};

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

#[test]
fn an_image_is_pulled_before_its_unit_stops() {
    let (observed, recorded) = applied(&desired(8001));
    let image = Image {
        name: "r.example.com/web:2".to_owned(),
        ..Image::default()
    };
    let mut next = desired(8002);
    let unit = next.units.get_mut("web.service").unwrap();
    unit.podman.insert(image.clone());
    let restart = [
        "Switch file/store",
        "Store quadlet/web.container",
        "DaemonReload unit/systemd",
        "Restart unit/web.service",
    ];
    let pull = ["Pull unit/web.service"]
        .into_iter()
        .chain(restart)
        .collect::<Vec<_>>();
    // Nobody looked, as without root.
    assert_eq!(lines(&planned(&next, &observed, &recorded)), restart);
    let there = ImageFound::There(ImageState {
        runs_here: true,
        ..ImageState::default()
    });
    for (found, each_start, expected) in [
        (ImageFound::Missing, false, &pull[..]),
        (there.clone(), false, &restart[..]),
        (there, true, &pull[..]),
    ] {
        let mut observed = observed.clone();
        observed.podman.insert(image.name.clone(), found);
        next.units.get_mut("web.service").unwrap().pull = each_start.then(Pull::default);
        assert_eq!(lines(&planned(&next, &observed, &recorded)), expected);
    }
}

#[test]
fn an_image_that_cannot_be_is_refused() {
    let (observed, recorded) = applied(&desired(8001));
    let mut next = desired(8002);
    let unit = next.units.get_mut("web.service").unwrap();
    let name = "r.example.com/Web:2".to_owned();
    unit.podman.insert(Image {
        name: name.clone(),
        ..Image::default()
    });
    let mut observed = observed.clone();
    observed.podman.insert(name, ImageFound::Invalid);
    let plan = planned(&next, &observed, &recorded);
    let refusal = &plan.refusals[0];
    assert_eq!(
        refusal.why,
        "\"r.example.com/Web:2\" cannot be the name of an image"
    );
    assert_eq!(
        refusal.help,
        ["write it with its registry: registry.example.com/app:1"]
    );
}
