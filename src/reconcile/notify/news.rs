//! What is news for somebody, after what was told before.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Prepare;
use crate::model::{Channel, Event, Message, Notifier};
use crate::state::Told;

/// Things that are known to be so, by what they are about; what begins with one of `prefixes` and is not among them is over.
pub(super) struct News {
    pub(super) prefixes: Vec<&'static str>,
    pub(super) messages: BTreeMap<String, Message>,
    /// Whether a person ran what is told of.
    pub(super) by_person: bool,
    /// That the host is in sync with a commit, of a run with nothing to do: only its status is set, if it has none.
    pub(super) in_sync: Option<Message>,
}

/// Notes the status of a commit with which the host is in sync; `known` is the commit whose success was set last.
pub(super) fn note_in_sync(
    told: &mut BTreeMap<String, Told>,
    notifier: &Notifier,
    news: &News,
    known: Option<&String>,
    prepare: Prepare<'_>,
) {
    let Some(message) = &news.in_sync else {
        return;
    };
    let is_status = matches!(notifier.channel, Channel::CommitStatus(_));
    if is_status && known != message.commit.as_ref() && wants(notifier, message, false) {
        let message = Message {
            title: prepare(&message.title),
            ..message.clone()
        };
        let told_now = Told {
            message,
            delivered: false,
            known: false,
        };
        told.insert(super::APPLIED.to_owned(), told_now);
    }
}

/// Notes what somebody does not know yet.
pub(super) fn note(
    told: &mut BTreeMap<String, Told>,
    notifier: &Notifier,
    news: &News,
    prepare: Prepare<'_>,
) {
    for (about, found) in &news.messages {
        if !wants(notifier, found, news.by_person) {
            continue;
        }
        let message = Message {
            title: prepare(&found.title),
            text: found
                .text
                .lines()
                .map(prepare)
                .collect::<Vec<_>>()
                .join("\n"),
            ..found.clone()
        };
        let same = |known: &&mut Told| {
            let known = &known.message;
            !known.healed
                && (known.event, &known.title, &known.text, &known.commit)
                    == (
                        message.event,
                        &message.title,
                        &message.text,
                        &message.commit,
                    )
        };
        if told.get_mut(about).as_ref().is_some_and(same) {
            continue;
        }
        let known = told.get(about).is_some_and(|known| known.known);
        told.insert(
            about.clone(),
            Told {
                message,
                delivered: false,
                known,
            },
        );
    }
    let has_ends = !matches!(notifier.channel, Channel::CommitStatus(_));
    let over = |about: &String| {
        let is_looked_at = news.prefixes.iter().any(|prefix| about.starts_with(prefix));
        is_looked_at && !news.messages.contains_key(about)
    };
    told.retain(|about, known| !over(about) || known.known && has_ends);
    for (_, known) in told.iter_mut().filter(|(about, _)| over(about)) {
        if known.message.healed {
            continue;
        }
        let host = &known.message.host;
        let was = known.message.title.strip_prefix(&format!("{host}: "));
        let was = was.unwrap_or(&known.message.title);
        known.message = Message {
            healed: true,
            title: format!("{host}: over: {was}"),
            text: String::new(),
            time: Timestamp::now(),
            ..known.message.clone()
        };
        known.delivered = false;
    }
}

/// Whether somebody wants to know.
pub(super) fn wants(notifier: &Notifier, message: &Message, by_person: bool) -> bool {
    let Some(event) = message.event else {
        return true;
    };
    if let Channel::CommitStatus(_) = notifier.channel {
        let is_wanted = notifier.on.is_empty() || notifier.on.contains(&event);
        return event.is_of_commit() && is_wanted && message.commit.is_some();
    }
    match notifier.on.is_empty() {
        true => event != Event::Applied || !by_person,
        false => notifier.on.contains(&event),
    }
}
