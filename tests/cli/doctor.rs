//! `doctor` on an offline root: what is typed, and that nothing is made up of what cannot be looked at.

use crate::support::{Place, STATE};

#[test]
fn what_is_asked_about_is_there_or_it_is_said() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let well = place.run(&["doctor"]).expect(0).stdout;
    assert!(well.contains("nothing wrong was found"), "{well}");
    place.run(&["doctor", "hello"]).expect(0);

    let unknown = place.run(&["doctor", "nosuch"]).expect(64);
    assert!(
        unknown
            .stderr
            .contains("nothing that was applied here, and no container, is named nosuch")
            && unknown
                .stderr
                .contains("sudo watchme-apply status lists units"),
        "{}",
        unknown.stderr
    );
    let wrong = place.run(&["doctor", "ftp://a.example.com/"]).expect(64);
    assert!(
        wrong.stderr.contains("is no http or https URL with a host")
            && wrong.stderr.contains("watchme-apply doctor --help"),
        "{}",
        wrong.stderr
    );
}
