use super::news::wants;
use super::words::*;
use super::*;
use crate::model::{Channel, Message, Project, RunRecord, not_confirmed};
use crate::state::Told;

fn notifier(on: &[Event]) -> Notifier {
    Notifier {
        channel: Channel::Command(vec!["/bin/true".into()]),
        secret: None,
        on: on.iter().copied().collect(),
    }
}

fn news(messages: &[(&str, Event, &str)]) -> News {
    let one = |(about, event, text): &(&str, Event, &str)| {
        let message = message(*event, "it".to_owned(), (*text).to_owned());
        ((*about).to_owned(), message)
    };
    News {
        prefixes: vec![RUN],
        messages: messages.iter().map(one).collect(),
        by_person: false,
        in_sync: None,
    }
}

/// What is still to be told; it is delivered.
fn pending(told: &mut BTreeMap<String, Told>) -> Vec<(String, bool)> {
    let found = told.iter().filter(|(_, one)| !one.delivered);
    let found = found.map(|(about, one)| (about.clone(), one.message.healed));
    let found = found.collect();
    told.retain(|_, one| !one.message.healed);
    for one in told.values_mut() {
        (one.delivered, one.known) = (true, true);
    }
    found
}

#[test]
fn a_thing_is_told_once_again_when_it_changes_and_once_when_it_is_over() {
    let (mut told, to) = (BTreeMap::new(), notifier(&[]));
    let plain: Prepare<'_> = &str::to_owned;
    let mut after = |news: &News| {
        note(&mut told, &to, news, plain);
        pending(&mut told)
    };
    let is = |healed| vec![(RUN.to_owned(), healed)];
    let failed = |why| news(&[(RUN, Event::Failed, why)]);
    assert_eq!(after(&news(&[])), []);
    assert_eq!(after(&failed("a")), is(false));
    assert_eq!(after(&failed("a")), []);
    assert_eq!(after(&failed("b")), is(false));
    assert_eq!(after(&news(&[])), is(true));
    assert_eq!(after(&news(&[])), []);
}

#[test]
fn what_nobody_heard_of_needs_no_end_and_what_is_not_looked_at_has_none() {
    let (mut told, to) = (BTreeMap::new(), notifier(&[]));
    let plain: Prepare<'_> = &str::to_owned;
    note(&mut told, &to, &news(&[(RUN, Event::Failed, "a")]), plain);
    note(&mut told, &to, &news(&[]), plain);
    assert!(told.is_empty(), "{told:?}");
    note(
        &mut told,
        &to,
        &news(&[("drift", Event::Drift, "a")]),
        plain,
    );
    pending(&mut told);
    note(&mut told, &to, &news(&[]), plain);
    assert_eq!(pending(&mut told), []);
}

#[test]
fn only_what_somebody_wants_is_told_and_masked() {
    let mask: Prepare<'_> = &|line| line.replace("secret", "***");
    let mut told = BTreeMap::new();
    let found = news(&[
        (RUN, Event::RolledBack, "a secret\nline"),
        ("drift", Event::Drift, ""),
    ]);
    note(&mut told, &notifier(&[Event::RolledBack]), &found, mask);
    assert_eq!(told.len(), 1);
    assert_eq!(told[RUN].message.text, "a ***\nline");
    let applied = message(Event::Applied, String::new(), String::new());
    for (on, by_person, wanted) in [
        (&[][..], false, true),
        (&[], true, false),
        (&[Event::Applied], true, true),
        (&[Event::Drift], false, false),
    ] {
        assert_eq!(wants(&notifier(on), &applied, by_person), wanted, "{on:?}");
    }
}

#[test]
fn what_nobody_confirmed_is_told_as_rolled_back() {
    let run = RunRecord {
        number: Some(3),
        back_to: Some(1),
        by: not_confirmed("ubuntu"),
        ..RunRecord::new(
            crate::model::RunKind::Rollback,
            crate::model::Origin::default(),
            Timestamp::now(),
        )
    };
    let failure = ReconcileError::from(ConfirmError::TakenBack {
        generation: 2,
        back_to: 1,
    });
    let made = |number, commit: &str| {
        let mut made = RunRecord {
            kind: crate::model::RunKind::Apply,
            number: Some(number),
            by: "ubuntu".to_owned(),
            ..run.clone()
        };
        made.origin.commit = Some(commit.to_owned());
        made
    };
    // It carries the commit that was taken back, and not the good one.
    let runs = [made(1, "good"), made(2, "bad"), run.clone()];
    let left = before(&runs, &run);
    let failed = of_failure(&failure, Some("bad".to_owned()));
    for message in [of_success(&run, left), failed] {
        assert_eq!(message.event, Some(Event::RolledBack));
        assert!(message.title.ends_with(NOT_KEPT), "{}", message.title);
        assert_eq!(message.commit.as_deref(), Some("bad"));
    }
}

#[test]
fn a_commit_gets_the_end_of_its_run_and_nothing_else() {
    let project = Project::read("https://github.com/acme/server", None).unwrap();
    let to = Notifier {
        channel: Channel::CommitStatus(project),
        ..notifier(&[])
    };
    let plain: Prepare<'_> = &str::to_owned;
    let with = |event, commit: Option<&str>| {
        let mut news = news(&[(RUN, event, "why")]);
        for message in news.messages.values_mut() {
            message.commit = commit.map(str::to_owned);
        }
        news.by_person = true;
        news
    };
    for (event, commit, wanted) in [
        (Event::Applied, Some("abc"), true),
        (Event::RolledBack, Some("abc"), true),
        (Event::Failed, None, false),
        (Event::Drift, Some("abc"), false),
    ] {
        let mut told = BTreeMap::new();
        note(&mut told, &to, &with(event, commit), plain);
        assert_eq!(!pending(&mut told).is_empty(), wanted, "{event:?}");
        // That it is over is no status.
        note(&mut told, &to, &news(&[]), plain);
        assert_eq!(pending(&mut told), [], "{event:?}");
    }
}

#[test]
fn a_commit_that_is_in_sync_gets_its_status_once() {
    let project = Project::read("https://github.com/acme/server", None).unwrap();
    let to = Notifier {
        channel: Channel::CommitStatus(project),
        ..notifier(&[])
    };
    let plain: Prepare<'_> = &str::to_owned;
    let mut news = news(&[]);
    news.in_sync = Some(of_sync("abc"));
    for (notifier, known, wanted) in [
        (&to, None, true),
        (&to, Some("other"), true),
        (&to, Some("abc"), false),
        (&notifier(&[]), None, false),
        (&notifier(&[Event::Applied]), None, false),
    ] {
        let mut told = BTreeMap::new();
        let known = known.map(str::to_owned);
        note_in_sync(&mut told, notifier, &news, known.as_ref(), plain);
        let found = told.get(APPLIED).map(|told| told.message.commit.as_deref());
        assert_eq!(found, wanted.then_some(Some("abc")), "{known:?}");
    }
}

#[test]
fn a_status_is_set_of_the_events_that_are_named() {
    let project = Project::read("https://github.com/acme/server", None).unwrap();
    let to = Notifier {
        channel: Channel::CommitStatus(project),
        ..notifier(&[Event::Failed])
    };
    for (event, wanted) in [(Event::Failed, true), (Event::Applied, false)] {
        let message = Message {
            commit: Some("abc".to_owned()),
            ..message(event, String::new(), String::new())
        };
        assert_eq!(wants(&to, &message, false), wanted, "{event:?}");
    }
}
