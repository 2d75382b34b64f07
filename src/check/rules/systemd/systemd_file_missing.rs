//! Files of the checkout that units need and that are not there.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use source_text::word_list;

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_file_missing, Error, run);

/// Settings that let a unit do without a file, systemd.unit(5).
const CONDITIONS: [&str; 6] = word_list(
    "ConditionPathExists ConditionFileNotEmpty ConditionFileIsExecutable AssertPathExists \
    AssertFileNotEmpty AssertFileIsExecutable",
);

fn run(context: &Context, findings: &mut Findings) {
    let units = context.units();
    let parsed = &units.revision.parsed;
    if is_part(units) {
        return;
    }
    let composed: BTreeSet<(&str, &Path)> = parsed
        .stacks
        .iter()
        .filter_map(|stack| Some((stack.unit.as_deref()?, stack)))
        .flat_map(|(unit, stack)| stack.paths.iter().map(move |path| (unit, path.as_path())))
        .collect();
    for missing in &parsed.missing {
        let Some(unit) = units.get(&missing.unit).filter(|unit| unit.is_ours()) else {
            continue;
        };
        let is_compose = composed.contains(&(missing.unit.as_str(), missing.path.as_path()));
        if is_conditional(unit, &missing.path) || is_made(unit, &missing.path, is_compose) {
            continue;
        }
        let what = match is_compose {
            true => "compose file",
            false => "program",
        };
        let Some((line, part)) = place(unit, &missing.path, is_compose) else {
            continue;
        };
        let message = format!(
            "the {what} {} is not in the checkout: there is no {}",
            missing.path.display(),
            missing.relative.display()
        );
        let expected = format!("{} does not start without it", missing.unit);
        let place = match part {
            Some(part) => line.value.complain_about(part, message, expected),
            None => line.value.complain(message, expected),
        };
        let help = format!(
            "add {} to the repository, or correct the path",
            missing.relative.display()
        );
        findings.push(RULE.at(place.helped(help)));
    }
}

/// Whether this is a folder of the checkout that the units mean: none of their files is where they say, and some
/// are there below a shorter path.
fn is_part(units: &Units) -> bool {
    let (desired, parsed) = (&units.revision.desired, &units.revision.parsed);
    let is_below = |relative: &Path| {
        let mut rest = relative.components();
        rest.next();
        std::iter::from_fn(|| {
            let path = rest.as_path().to_owned();
            rest.next().map(|_| path)
        })
        .any(|path| parsed.compose.contains_key(&path))
    };
    let mut missing = parsed.missing.iter();
    desired.files.is_empty() && missing.any(|missing| is_below(&missing.relative))
}

/// Whether the unit itself says what happens without the file.
fn is_conditional(unit: &Unit, path: &Path) -> bool {
    CONDITIONS.iter().any(|key| {
        let values = unit.settings.added("Unit", key);
        values
            .iter()
            .any(|value| Path::new(value.text.trim_start_matches(['|', '!'])) == path)
    })
}

/// Whether something else that the unit runs names the file, and may make it.
fn is_made(unit: &Unit, path: &Path, is_compose: bool) -> bool {
    let path = path.to_string_lossy();
    unit.lines_of("ExecStartPre").any(|line| {
        let mut runs = line.runs();
        line.value.text.contains(&*path)
            && !runs.any(|run| match is_compose {
                true => run
                    .iter()
                    .any(|word| word == "compose" || word.ends_with("docker-compose")),
                false => run.first().is_some_and(|program| *program == path),
            })
    })
}

/// The command that needs the file, and the bytes that name it. A command that may fail needs nothing.
fn place<'u>(
    unit: &'u Unit,
    path: &Path,
    is_compose: bool,
) -> Option<(&'u Line, Option<Range<usize>>)> {
    let whole = path.to_string_lossy();
    let name = path.file_name()?.to_string_lossy();
    let starting = unit.lines.iter().filter(|line| {
        let commands = &line.commands;
        let may_fail = commands.iter().all(|command| command.prefix.contains('-'));
        line.value.key.starts_with("ExecStart") && !may_fail
    });
    if !is_compose {
        let mut starting = starting;
        return starting.find_map(|line| {
            let runs = line
                .runs()
                .any(|run| run.first().is_some_and(|program| *program == whole));
            runs.then(|| (line, part(line, &whole)))
        });
    }
    let composing: Vec<&Line> = starting
        .filter(|line| line.value.text.contains("compose"))
        .collect();
    let named = |text: &str| {
        let mut lines = composing.iter();
        lines.find_map(|line| Some((*line, Some(part(line, text)?))))
    };
    named(&whole)
        .or_else(|| named(&name))
        .or_else(|| Some((*composing.first()?, None)))
}

/// The bytes of a line's value that say `text`, as a part of one of its words.
fn part(line: &Line, text: &str) -> Option<Range<usize>> {
    let mut words = line.commands.iter().flat_map(|command| &command.words);
    words.find_map(|word| {
        word.text.contains(text).then_some(())?;
        let written = line.value.text.get(word.span.clone())?;
        // With escapes in it, a word is not written as it is meant.
        Some(match written.find(text) {
            Some(at) => word.span.start + at..word.span.start + at + text.len(),
            None => word.span.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::check::tests::checked;

    #[test]
    fn files_that_are_not_there() {
        let compose = "services: {s: {image: 'x:1'}}\n";
        let found = |service: &str, more: &[(&str, &str)]| {
            let unit = format!("[Service]\n{service}[Install]\nWantedBy=multi-user.target\n");
            let mut files = vec![
                (
                    "watchme.toml".to_owned(),
                    "checkout = \"/srv/c\"\n".to_owned(),
                ),
                ("docker-compose.yml".to_owned(), compose.to_owned()),
                ("systemd/a.service".to_owned(), unit),
            ];
            files.extend(more.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
            let found = checked(&files);
            let wanted = ["systemd-file-missing", "compose-no-restart"];
            let own = found.iter().filter(|finding| {
                wanted.contains(&finding.rule.name)
                    && finding.message().contains("a.service") | finding.is_error()
            });
            own.map(|finding| {
                let place = finding.place().unwrap();
                place.file.get(place.span.clone()).to_owned()
            })
            .collect::<Vec<_>>()
        };
        let up = "ExecStart=/usr/bin/docker-compose -f /srv/c/x.prod.yml up -d\nExecStop=/usr/bin/docker-compose -f /srv/c/x.prod.yml down\n";
        let pull = "ExecStartPre=/usr/bin/docker-compose -f /srv/c/docker-compose.yml pull\n";
        assert_eq!(found(up, &[]), ["/srv/c/x.prod.yml"]);
        assert_eq!(found(&format!("{pull}{up}"), &[]), ["/srv/c/x.prod.yml"]);
        let folder = "WorkingDirectory=/srv/c/sub\nExecStart=/usr/bin/docker compose -f x.yml up\n";
        assert_eq!(found(folder, &[]), ["x.yml"]);
        assert_eq!(
            found("ExecStart=/srv/c/run.sh --now\n", &[]),
            ["/srv/c/run.sh"]
        );
        let shell = "ExecStart=/bin/sh -c 'cd /srv/c && docker-compose -f /srv/c/y.yml up'\n";
        assert_eq!(found(shell, &[]), ["/srv/c/y.yml"]);
        for (service, more) in [
            (up, &[("x.prod.yml", compose)][..]),
            ("ExecStart=/srv/c/run.sh\n", &[("run.sh", "#!/bin/sh\n")]),
            ("ExecStart=/opt/run.sh /srv/c/out.yml\n", &[]),
            (
                "ExecStart=/srv/c/venv/bin/run\n",
                &[(".gitignore", "venv\n"), (".env", "A=1\n")],
            ),
            ("ExecStartPre=-/srv/c/run.sh\nExecStart=/bin/true\n", &[]),
            (
                "ExecStartPre=/usr/local/bin/render /srv/c/x.yml\nExecStart=/usr/bin/docker-compose -f /srv/c/x.yml up\n",
                &[],
            ),
            ("EnvironmentFile=/srv/c/.env\nExecStart=/bin/true\n", &[]),
        ] {
            let is_detached = service.contains("up -d");
            let expected = if is_detached { vec!["s"] } else { vec![] };
            assert_eq!(found(service, more), expected, "{service}");
        }
    }
}
