//! Images are there before what needs them is interrupted.

use super::holders::named;
use super::*;

#[test]
fn images_come_before_everything_else() {
    let image = |name: &str| Image {
        name: name.into(),
        ..Image::default()
    };
    let with = |tag: &str, pull: Option<Pull>| {
        let mut unit = named("p", "web", 8101);
        unit.stacks[0].images = BTreeMap::from([("server".into(), image(tag))]);
        Unit { pull, ..unit }
    };
    let there = |architecture: &str, runs_here| {
        ImageFound::There(ImageState {
            id: "1".into(),
            architecture: architecture.into(),
            runs_here,
        })
    };
    let missing = || ImageFound::Missing;
    let plan = |new: Unit, found: ImageFound| {
        let mut desired = Desired {
            units: BTreeMap::from([("web.service".into(), with("app:1", None))]),
            ..Desired::default()
        };
        let (mut observed, recorded) = applied(&desired);
        let docker = observed.docker.as_mut().unwrap();
        docker.images = BTreeMap::from([("app:2".to_owned(), found)]);
        let new = Unit {
            file: Some(file("systemd/web.service", "new")),
            ..new
        };
        desired.units.insert("web.service".into(), new);
        planned(&desired, &observed, &recorded)
    };
    let first = |plan: &Plan| match &plan.changes[0].effect {
        Effect::Pull(pull) => format!("{} {}", pull.image.name, pull.optional),
        other => format!("{other:?}")
            .split('(')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    assert_eq!(first(&plan(with("app:2", None), missing())), "app:2 false");
    let pulls = |optional| {
        Some(Pull {
            optional,
            ..Pull::default()
        })
    };
    assert_eq!(
        first(&plan(with("app:2", pulls(true)), there("amd64", true))),
        "app:2 true"
    );
    assert_eq!(
        first(&plan(with("app:2", pulls(true)), missing())),
        "app:2 false"
    );
    assert!(first(&plan(with("app:2", None), there("amd64", true))).starts_with("Switch"));
    let refused = plan(with("app:2", None), there("s390x", false));
    assert_eq!(
        refused.refusals[0].why,
        "its image app:2 is for s390x, which this host does not run"
    );
    let invalid = plan(with("app:2", None), ImageFound::Invalid);
    assert_eq!(
        invalid.refusals[0].why,
        "\"app:2\" cannot be the name of an image"
    );
    let never = |pull| {
        let mut unit = with("app:2", pull);
        for image in unit.stacks[0].images.values_mut() {
            image.never = true;
        }
        unit
    };
    assert_eq!(
        plan(never(None), missing()).refusals[0].why,
        "its image app:2 is not on this host, and its pull policy is never"
    );
    let kept = plan(never(pulls(false)), there("amd64", true));
    assert!(first(&kept).starts_with("Switch"), "{:?}", kept.changes);
    let mut built = with("app:2", None);
    built.stacks[0].built = BTreeSet::from(["server".to_owned()]);
    let noted = plan(built, there("amd64", true));
    assert!(
        noted.notes.iter().any(|note| note
            .text
            .starts_with("server: an image that is missing is built when the unit starts")),
        "{:?}",
        noted.notes
    );
}
