//! docs/reading-output.md explains the reasons of changes and the common sentences, as the code has them.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;

use crate::code::{
    Token, all_in, all_texts, arguments, body, closing, files, read, statement, tokens,
};
use crate::repository;

const PAGES: [(&str, &str); 2] = [
    ("docs/reading-output.md", "\n## Reasons\n"),
    ("docs/ja/reading-output.md", "\n## 理由\n"),
];

/// What makes a change, how many arguments it has, and which of them is the reason.
const CONSTRUCTORS: [(&str, usize, usize); 3] =
    [("change", 3, 2), ("remove", 5, 4), ("follow", 4, 3)];

/// Functions that return a reason: all texts in them with more than one word are one.
const FUNCTIONS: [(&str, &[&str]); 13] = [
    ("src/plan/prune.rs", &["why", "left"]),
    (
        "src/plan/loaded.rs",
        &[
            "unread_units",
            "is_outdated",
            "changed_secret",
            "differs",
            "files_as_desired",
            "changed_names",
        ],
    ),
    ("src/plan/loaded/mounts.rs", &["outdated", "changed"]),
    ("src/model/desired.rs", &["why_no_unit"]),
    ("src/kinds/etc/load.rs", &["add"]),
    ("src/kinds/member/plan.rs", &["wrong"]),
    ("src/kinds/package/mod.rs", &["why"]),
    ("src/kinds/site/nginx.rs", &["stale", "beyond_reload"]),
    (
        "src/kinds/unit/activity.rs",
        &["failure", "stop_with_old_files"],
    ),
    ("src/kinds/unit/plan.rs", &["remove_foreign_dropins"]),
    ("src/kinds/unit/replacement.rs", &["stops_first"]),
    ("src/kinds/unit/stacks.rs", &["new", "to_be_made"]),
    ("src/kinds/unit/take_down.rs", &["why"]),
];

/// Reasons that come to their change by ways that are not followed here.
const OTHERS: [&str; 8] = [
    "units were removed",
    "it is not on this host",
    "its unit pulls it at each start",
    "{new} replaces it and cannot run beside it ({because})",
    "its service {service} has {running} containers that run, and its compose file asks for {wanted}",
    "its volumes stay: {}",
    "undoes an interrupted run at boot",
    "a drop-in that the desired state does not have",
];

/// Other sentences: each is on both pages, and in a text of the code.
const SENTENCES: [&str; 34] = [
    "needs root: running again through sudo",
    "this removes or stops:",
    "Continue? [y/N]",
    "in sync but for ",
    "plan: nothing to change; ",
    "the revision is recorded",
    "removed",
    "; verified",
    "its health gate passed",
    "waiting for confirmation: log in again in another session, and run",
    " s left to confirm",
    ": it stays",
    " was not confirmed and was rolled back: ",
    "nothing was applied yet; ",
    " in git",
    "no run was interrupted: nothing to undo",
    "the interrupted run is undone",
    " would be checked",
    "(expects ",
    ", try ",
    "not asked ",
    " waits for confirmation, and will be rolled back to ",
    " was not confirmed, and will be rolled back to ",
    "the last good one is ",
    "never rehearsed successfully",
    " decrypted in memory",
    "firewall: ",
    " days left",
    "nginx serves an older one",
    " (pinned)",
    " without a unit",
    "watchme-apply, not confirmed",
    "not captured:",
    "nothing was written",
];

/// Texts in a range that can be reasons: not what refusals and notes say or another function makes a reason of, nor what
/// other names get.
fn texts(tokens: &[Token], range: Range<usize>) -> Vec<&str> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let is_call = tokens.get(at + 1).is_some_and(|next| next.is('('));
        let elsewhere = ["refuse", "note", "note_unreadable", "failure"];
        if is_call && elsewhere.iter().any(|name| tokens[at].is_word(name)) {
            at = closing(tokens, at + 1) + 1;
            continue;
        }
        let begins = at > 0 && [';', '{', '}'].iter().any(|mark| tokens[at - 1].is(*mark));
        if tokens[at].is_word("let") && begins {
            let own = statement(tokens, at, false);
            let next = &tokens[(own.end + 1).min(tokens.len())..];
            let is_refused = next.iter().take(3).any(|token| token.is_word("refuse"));
            if !tokens[at + 1].is_word("why") || is_refused {
                at = own.end + 1;
                continue;
            }
        }
        if let Token::Text(text) = &tokens[at] {
            // A single word may be a pattern.
            let is_value = text.contains(' ')
                || tokens.get(at + 1).is_some_and(|next| next.is('.'))
                || at > 0 && tokens[at - 1].is('>');
            found.extend(Some(text.as_str()).filter(|_| is_value));
        }
        at += 1;
    }
    found
}

/// What `name` was bound to, seen from `at`: in the blocks around it.
fn bound(tokens: &[Token], at: usize, name: &str) -> Option<Range<usize>> {
    let mut depth = 0;
    for place in (0..at).rev() {
        if tokens[place].is('}') {
            depth += 1;
        } else if tokens[place].is('{') {
            depth = (depth - 1).max(0);
        } else if depth == 0 && tokens[place].is_word("fn") {
            return None;
        } else if depth == 0 && tokens[place].is_word("let") {
            let equals = (place..at).find(|place| tokens[*place].is('='))?;
            if tokens[place..equals]
                .iter()
                .any(|token| token.is_word(name))
            {
                let is_condition =
                    place > 0 && (tokens[place - 1].is_word("if") || tokens[place - 1].is('&'));
                return Some(statement(tokens, equals + 1, is_condition));
            }
        }
    }
    None
}

/// The reasons that are passed to constructors of changes.
fn passed(tokens: &[Token]) -> Vec<&str> {
    let mut found = Vec::new();
    for at in 1..tokens.len().saturating_sub(1) {
        let (before, call, open) = (&tokens[at - 1], &tokens[at], &tokens[at + 1]);
        let is_method = before.is('.') && !(at > 1 && tokens[at - 2].is('.'));
        if !open.is('(') || before.is_word("fn") || is_method {
            continue;
        }
        let known = CONSTRUCTORS.iter().find(|(name, ..)| call.is_word(name));
        let arguments = known.map(|known| (known, arguments(tokens, at + 1)));
        let Some((&(.., reason), arguments)) =
            arguments.filter(|(known, all)| all.len() == known.1)
        else {
            continue;
        };
        let reason = arguments[reason].clone();
        let own = all_in(&tokens[reason.clone()]);
        if !own.is_empty() {
            found.extend(own);
        } else if let [.., Token::Word(name)] = &tokens[reason]
            && let Some(value) = bound(tokens, at, name)
        {
            found.extend(texts(tokens, value));
        }
    }
    found
}

fn reasons() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = OTHERS.map(str::to_owned).into();
    for path in ["src/kinds", "src/plan"].into_iter().flat_map(files) {
        found.extend(passed(&read(&path)).into_iter().map(str::to_owned));
    }
    for (path, names) in FUNCTIONS {
        let tokens = read(&repository().join(path));
        for name in names {
            let body = body(&tokens, name).unwrap_or_else(|| panic!("{path} has no fn {name}"));
            let texts = all_in(&tokens[body]).into_iter();
            found.extend(texts.filter(|text| text.contains(' ')).map(str::to_owned));
        }
    }
    // Such as `", "`, between names.
    found.retain(|text| letters(&pattern(text)) > 0);
    found
}

/// A text with one mark for each placeholder.
fn pattern(text: &str) -> Vec<char> {
    let mut pattern = Vec::new();
    let mut depth = 0;
    for c in text.chars() {
        depth += i32::from(c == '{');
        if depth == 0 {
            pattern.push(c);
        }
        if c == '}' {
            depth -= 1;
            pattern.push('\0');
        }
    }
    pattern
}

fn letters(pattern: &[char]) -> usize {
    pattern.iter().filter(|c| c.is_ascii_lowercase()).count()
}

/// Whether a sentence is one that the pattern makes; `…` at its end stands for the rest.
fn fits(pattern: &[char], sentence: &[char]) -> bool {
    match (pattern, sentence) {
        ([], []) | (_, ['…']) => true,
        (['\0', rest @ ..], []) => fits(rest, sentence),
        (['\0', rest @ ..], [_, after @ ..]) => fits(pattern, after) || fits(rest, sentence),
        ([one, rest @ ..], [other, after @ ..]) => one == other && fits(rest, after),
        ([], _) | (_, []) => false,
    }
}

/// What is in backquotes in the first column, after a heading.
fn sentences(page: &str, heading: &str) -> Vec<String> {
    let (_, section) = page
        .split_once(heading)
        .unwrap_or_else(|| panic!("no {heading:?}"));
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter(|line| line.starts_with('|'));
    let cells = cells.filter_map(|line| line.split(" | ").next());
    let code = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    code.map(str::to_owned).collect()
}

fn characters(sentence: &str) -> Vec<char> {
    sentence.trim_start_matches("…; ").chars().collect()
}

#[test]
fn each_reason_of_a_change_is_explained() {
    let reasons = reasons();
    // The collection works: by each of its ways.
    for known in [
        "no unit names it",
        "all or none",
        "the pause is over",
        "nginx does not run",
        "is not on the network",
    ] {
        assert!(reasons.contains(known), "{known} is not found in src");
    }
    for (path, heading) in PAGES {
        let page = fs::read_to_string(repository().join(path)).unwrap();
        let explained: Vec<Vec<char>> = sentences(&page, heading)
            .iter()
            .map(|text| characters(text))
            .collect();
        let missing: Vec<&String> = (reasons.iter())
            .filter(|reason| {
                !explained
                    .iter()
                    .any(|sentence| fits(&pattern(reason), sentence))
            })
            .collect();
        assert!(
            missing.is_empty(),
            "{path} lacks, or has in other words: {missing:#?}"
        );
    }
}

#[test]
fn each_explained_reason_is_one_of_the_program() {
    let patterns: Vec<Vec<char>> = all_texts().iter().map(|text| pattern(text)).collect();
    for (path, heading) in PAGES {
        let page = fs::read_to_string(repository().join(path)).unwrap();
        let sentences = sentences(&page, heading);
        assert!(sentences.len() > 50, "{sentences:?}");
        let is_said = |sentence: &&String| {
            let sentence = characters(sentence);
            // One that consists of placeholders would fit anything.
            let mut fitting = patterns
                .iter()
                .filter(|pattern| letters(pattern) * 4 >= letters(&sentence));
            fitting.any(|pattern| fits(pattern, &sentence))
        };
        let gone: Vec<&String> = sentences
            .iter()
            .filter(|sentence| !is_said(sentence))
            .collect();
        assert!(
            gone.is_empty(),
            "nothing in src says what {path} explains: {gone:#?}"
        );
    }
}

#[test]
fn common_sentences_are_in_the_code_and_on_the_pages() {
    let said = all_texts();
    for reason in OTHERS {
        assert!(said.contains(reason), "nothing in src says {reason:?}");
    }
    for sentence in SENTENCES {
        let is_said = said.iter().any(|text| text.contains(sentence));
        assert!(
            is_said,
            "nothing in src says {sentence:?}: change docs/reading-output.md with it"
        );
        for (path, _) in PAGES {
            let page = fs::read_to_string(repository().join(path)).unwrap();
            let mut code = page.split('`').skip(1).step_by(2);
            assert!(
                code.any(|code| code.contains(sentence)),
                "{path} lacks {sentence:?}"
            );
        }
    }
}

#[test]
fn reasons_are_found_in_code() {
    let code = r#"
        fn plan(draft: &mut Draft<'_>) {
            // "a comment"
            let why = match found {
                ("failed", '"') => format!("is {} \
                    gone", 1),
                Some(_) => "new",
                None => {
                    let why = "refused for this".to_owned();
                    draft.refuse(id, why, vec!["a help".to_owned()]);
                    return;
                }
            };
            draft.change(stage, change(id, Effect::Other("a thing"), why));
            draft.change(stage, change(id, effect, "as it is"));
        }
    "#;
    assert_eq!(passed(&tokens(code)), ["is {} gone", "new", "as it is"]);
    let fits = |text: &str, sentence: &str| fits(&pattern(text), &characters(sentence));
    assert!(fits(
        "it names {}, which changed",
        "it names PATH, which changed"
    ));
    assert!(fits("to run {name}; they pull", "to run NAME; …"));
    assert!(!fits("it names {}, which changed", "it names PATH"));
    assert!(!fits("is gone", "is gone from the store"));
}
