//! Tags by which a file changes how it is laid over another one,
//! <https://docs.docker.com/reference/compose-file/merge/#reset-value>; compose 2.24.4 and later.

use serde_yaml::Value;

use crate::types::text;

/// A tag, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// `!reset` or `!override`.
    pub name: &'static str,
    /// The keys that lead to it.
    pub way: Vec<String>,
}

/// Takes the tags out of a file: what is reset is left out, and what overrides stays.
pub(crate) fn take(value: &mut Value) -> Vec<Tag> {
    let mut tags = Vec::new();
    below(value, &mut Vec::new(), &mut tags);
    tags
}

fn below(value: &mut Value, way: &mut Vec<String>, tags: &mut Vec<Tag>) {
    match value {
        Value::Mapping(map) => map.retain(|key, value| {
            way.push(text(key).unwrap_or_default());
            let stays = stays(value, way, tags);
            way.pop();
            stays
        }),
        Value::Sequence(list) => {
            for (at, item) in list.iter_mut().enumerate() {
                way.push(at.to_string());
                stays(item, way, tags);
                way.pop();
            }
        }
        _ => {}
    }
}

/// Takes the tag of a value; `false` if it is reset.
fn stays(value: &mut Value, way: &mut Vec<String>, tags: &mut Vec<Tag>) -> bool {
    let mut is_reset = false;
    if let Value::Tagged(tagged) = value {
        let known = ["!reset", "!override"];
        if let Some(name) = known.into_iter().find(|name| tagged.tag == *name) {
            is_reset = name == "!reset";
            tags.push(Tag {
                name,
                way: way.clone(),
            });
            *value = std::mem::take(&mut tagged.value);
        }
    }
    below(value, way, tags);
    !is_reset
}

/// Removes from a file what one that is laid over it resets or overrides.
pub fn reset(value: &mut Value, tags: &[Tag]) {
    for Tag { way, .. } in tags {
        let Some((last, way)) = way.split_last() else {
            continue;
        };
        let mut at = Some(&mut *value);
        for key in way {
            at = at.and_then(|value| value.get_mut(key.as_str()));
        }
        if let Some(Value::Mapping(map)) = at {
            map.remove(last.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_and_reset_what_is_below() {
        let read = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
        let mut over = read(
            "services:\n  a:\n    ports: !reset []\n    environment: !override\n      A: 1\n    command: !reset null\n    labels: [!reset x]\n",
        );
        let tags = take(&mut over);
        let said: Vec<String> = tags
            .iter()
            .map(|tag| format!("{} {}", tag.name, tag.way.join(".")))
            .collect();
        assert_eq!(
            said,
            [
                "!reset services.a.ports",
                "!override services.a.environment",
                "!reset services.a.command",
                "!reset services.a.labels.0",
            ]
        );
        assert_eq!(
            over,
            read("services:\n  a:\n    environment:\n      A: 1\n    labels: [x]\n")
        );
        let mut base = read("services:\n  a: {image: x, ports: ['80:80'], environment: {B: 2}}\n");
        reset(&mut base, &tags);
        assert_eq!(base, read("services:\n  a: {image: x}\n"));
    }
}
