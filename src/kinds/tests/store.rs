//! Files of the store and links: what is adopted, kept, pruned and exchanged.

use super::*;

#[test]
fn links_into_the_checkout_are_adopted_and_the_others_pruned() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {}"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let checkout = Path::new("/home/ubuntu/configs");
    let mut link = |path: PathBuf, target: PathBuf| {
        observed.files.insert(
            path,
            Entry::Link {
                target,
                leads_to: None,
            },
        );
    };
    link(
        layout::site_available("x"),
        checkout.join("sites-available/x"),
    );
    link(
        layout::site_enabled("gone"),
        checkout.join("sites-available/gone"),
    );
    link(
        layout::unit("gone.service"),
        checkout.join("systemd/gone.service"),
    );
    link(layout::site_enabled("foreign"), "/opt/site".into());
    let plan = planned(&desired, &observed, &Recorded::default());
    let removed: Vec<String> = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::Remove { path, keep: false } => Some(path.display().to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        removed,
        [
            "/etc/nginx/sites-enabled/gone",
            "/etc/systemd/system/gone.service"
        ]
    );
}

#[test]
fn what_certbot_wrote_is_not_lost() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("server {\n}\n"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    let content = "server {\n    listen 443 ssl; # managed by Certbot\n}\n";
    observed
        .files
        .insert(layout::site_available("x"), regular(content));
    let plan = planned(&desired, &observed, &Recorded::default());
    assert_eq!(plan.refusals.len(), 1);
    let [refusal] = plan.refusals.as_slice() else {
        panic!("{:?}", plan.refusals)
    };
    let told = "    sudo cat /etc/nginx/sites-available/x > /home/ubuntu/configs/";
    assert!(refusal.help[1].starts_with(told), "{:?}", refusal.help);
    let lost = refusal.diff.as_ref().and_then(|diff| diff.old.clone());
    assert_eq!(lost.as_deref(), Some(content));
    assert!(!lines(&plan).iter().any(|line| line.contains("site/x")));
}

#[test]
fn a_regular_file_is_adopted_with_a_backup_and_its_diff() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("new\n"))]),
        ..Desired::default()
    };
    let mut observed = empty_host();
    observed
        .files
        .insert(layout::site_available("x"), regular("by hand\n"));
    let plan = planned(&desired, &observed, &Recorded::default());
    let diff = plan.changes[1].diff.as_ref().unwrap();
    assert_eq!(diff.old.as_deref(), Some("by hand\n"));
    assert!(matches!(
        &plan.changes[2].effect,
        Effect::Link { keep: true, .. }
    ));
}

#[test]
fn an_edit_of_a_file_that_leaves_is_kept() {
    let desired = Desired {
        sites: BTreeMap::from([("x".into(), site("old")), ("y".into(), site("old"))]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&desired);
    let edited = layout::live("sites-available/x");
    observed
        .files
        .insert(edited, regular("old, edited by hand"));
    let plan = planned(&Desired::default(), &observed, &recorded);
    let kept = plan
        .changes
        .iter()
        .filter_map(|change| match &change.effect {
            Effect::Store {
                path,
                file: None,
                keep,
            } => Some((path.as_path(), *keep)),
            _ => None,
        });
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [
            (Path::new("sites-available/x"), true),
            (Path::new("sites-available/y"), false)
        ]
    );
}

#[test]
fn what_is_left_alone_does_not_come_with_the_exchange() {
    let sites = ["x", "y"].map(|name| (name.to_owned(), site("new")));
    let desired = Desired {
        sites: BTreeMap::from(sites),
        ..Desired::default()
    };
    let left_alone = BTreeSet::from([ResourceId::new(Kind::Site, "x")]);
    let plan = plan(Inputs {
        desired: &desired,
        observed: &empty_host(),
        recorded: &Recorded::default(),
        only: &[],
        left_alone: Some(&left_alone),
        checkouts: &[],
        allow_empty: false,
        gates: Gates::Touched,
        ran: None,
        now: Timestamp::UNIX_EPOCH,
    });
    let switches = plan.changes.iter().find_map(|change| match &change.effect {
        Effect::Switch(switch) => Some(switch.files.keys().cloned().collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(switches, Some(vec![PathBuf::from("sites-available/y")]));
    let touches = |change: &crate::effect::Change| left_alone.contains(&change.id);
    assert!(!plan.changes.iter().any(touches));
}
