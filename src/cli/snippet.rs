//! Complaints with the line that they are about.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet, Title};

use super::masks::mask;
use super::output::{clean, is_unsafe};
use crate::model::{Diagnostic, Finding, Severity};

/// A syntax error: path, line, column, the line itself, and what was expected.
pub(super) fn syntax(diagnostic: &Diagnostic) -> String {
    let message = mask(&diagnostic.message);
    let title = Level::ERROR.primary_title(clean(&message));
    render(title, Some(diagnostic), diagnostic.help.as_deref())
}

/// What a rule found: what is wrong, then where, with the line itself.
pub(super) fn finding(finding: &Finding) -> String {
    let message = mask(finding.message());
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(&message)).id(finding.rule.name);
    render(title, finding.place(), finding.help())
}

/// What rules found in a file, each with why its rule matters where that is asked for, in a terminal of `width` columns.
pub(super) fn report(findings: &[(&Finding, bool)], width: Option<usize>) -> String {
    let groups: Vec<Group<'_>> = findings
        .iter()
        .map(|(finding, with_why)| group(finding, *with_why))
        .collect();
    let renderer = match width {
        Some(width) => Renderer::styled().term_width(width),
        None => Renderer::styled(),
    };
    renderer.render(&groups).to_string()
}

fn group(finding: &Finding, with_why: bool) -> Group<'static> {
    let message = clean(&mask(finding.message())).into_owned();
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(message).id(finding.rule.name);
    let mut group = match finding.place() {
        Some(place) => title.element(marked(place)),
        None => title.elements(Vec::<Element<'_>>::new()),
    };
    if with_why {
        let why = finding.rule.why().replace('\n', " ");
        group = group.element(Level::NOTE.message(why));
    }
    match finding.help() {
        Some(help) => group.element(Level::HELP.message(clean(help).into_owned())),
        None => group,
    }
}

fn render(title: Title<'_>, place: Option<&Diagnostic>, help: Option<&str>) -> String {
    let none = Vec::<Element<'_>>::new;
    let show = |report: &[Group<'_>]| Renderer::styled().render(report).to_string();
    let help = help.map(|help| Level::HELP.secondary_title(clean(help)).elements(none()));
    match (place, help) {
        (Some(place), None) => show(&[title.element(marked(place))]),
        (Some(place), Some(help)) => show(&[title.element(marked(place)), help]),
        (None, None) => show(&[title.elements(none())]),
        // Together they would have a margin that nothing stands behind.
        (None, Some(help)) => format!("{}\n{}", show(&[title.elements(none())]), show(&[help])),
    }
}

/// The marked line as it may be shown: no secrets, and nothing that a terminal would do.
fn marked(place: &Diagnostic) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let place = masked(place);
    let harmless = |c: char| match is_unsafe(c) && c != '\n' && c != '\t' {
        true => '\u{fffd}',
        false => c,
    };
    let source: String = place.source.chars().map(harmless).collect();
    // Replaced characters may have another length: the span moves with them.
    let moved = |at: usize| {
        let before = place.source.get(..at).unwrap_or(&place.source);
        before
            .chars()
            .map(|c| harmless(c).len_utf8())
            .sum::<usize>()
    };
    let annotation = AnnotationKind::Primary.span(moved(place.span.start)..moved(place.span.end));
    let label = clean(&mask(&place.expected)).into_owned();
    let annotation = match label.is_empty() {
        true => annotation,
        false => annotation.label(label),
    };
    Snippet::source(source)
        .path(clean(&place.path.to_string_lossy()).into_owned())
        .annotation(annotation)
}

/// The same place with what looks like secrets replaced in its line, which is then marked whole.
fn masked(place: &Diagnostic) -> Diagnostic {
    let line = place.line_text();
    let shown = mask(line);
    if shown == line {
        return place.clone();
    }
    let number = place.position().0;
    let mut lines: Vec<&str> = place.source.split('\n').collect();
    if let Some(line) = lines.get_mut(number.saturating_sub(1)) {
        *line = &shown;
    }
    let source = lines.join("\n");
    let whole = Diagnostic::of_line(&place.path, source, number, &place.message);
    Diagnostic {
        expected: place.expected.clone(),
        ..whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Complaint, finding as rules};

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn at_line(source: &str, line: usize, message: &str) -> Finding {
        Finding {
            rule: &rules::NGINX_TEST,
            severity: Severity::Error,
            complaint: Complaint::Placed(Box::new(Diagnostic::of_line(
                "sites-available/a",
                source,
                line,
                message,
            ))),
        }
    }

    #[test]
    fn message_first_then_the_place_and_its_line() {
        let shown = plain(&finding(&at_line(
            "one;\n    two;\n",
            2,
            "unknown directive \"two\"",
        )));
        assert_eq!(
            shown,
            "error[nginx-test]: unknown directive \"two\"\n --> sites-available/a:2:5\n  |\n2 |     two;\n  |     ^^^^"
        );
    }

    #[test]
    fn secrets_of_the_line_and_of_the_message_do_not_show() {
        let line = "proxy_set_header Authorization \"Bearer hunter2\";";
        let shown = plain(&finding(&at_line(line, 1, "what is API_KEY=hunter2 here")));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("proxy_set_header Authorization"), "{shown}");
    }

    #[test]
    fn about_no_place() {
        let shown = plain(&finding(&Finding {
            rule: &rules::SYSTEMD_VERIFY,
            severity: Severity::Warning,
            complaint: Complaint::Unplaced {
                message: "odd\u{1b}[31m".to_owned(),
                help: Some("try this".to_owned()),
            },
        }));
        assert_eq!(
            shown,
            "warning[systemd-verify]: odd\\u{1b}[31m\nhelp: try this"
        );
    }
}
