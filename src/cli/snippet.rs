//! Findings and syntax errors with the line that they are about.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, Title};

use super::masks::{mask, safe};
use super::output::{clean, is_unsafe};
use crate::check::{self, Grouped};
use crate::model::{Diagnostic, Finding, Severity};

/// A syntax error: path, line, column, the line itself, and what was expected.
pub(super) fn syntax(diagnostic: &Diagnostic) -> String {
    let message = mask(&diagnostic.message);
    let title = Level::ERROR.primary_title(clean(&message));
    render(title, Some(diagnostic), diagnostic.help.as_deref())
}

/// A finding: what is wrong, then where, with the line itself.
pub(super) fn finding(finding: &Finding) -> String {
    render(title_of(finding), finding.place(), finding.help())
}

fn title_of(finding: &Finding) -> Title<'static> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    level
        .primary_title(safe(finding.message()))
        .id(finding.rule.name)
}

/// The findings of a file, each with the reason of its rule if the flag is set, for a terminal of `width` columns.
pub(super) fn report(findings: &[(&Grouped, bool)], width: Option<usize>) -> String {
    let groups = findings.iter();
    let groups: Vec<Group<'_>> = groups.map(|(found, why)| group(found, *why)).collect();
    let renderer = match width {
        Some(width) => Renderer::styled().term_width(width),
        None => Renderer::styled(),
    };
    renderer.render(&groups).to_string()
}

fn group(found: &Grouped, with_why: bool) -> Group<'static> {
    let finding = &found.finding;
    let title = title_of(finding);
    let mut group = match finding.place() {
        Some(place) => title.element(place_of(place)),
        None => title.elements(Vec::<Element<'_>>::new()),
    };
    if let Some(also) = found.also() {
        group = group.element(Level::NOTE.message(also));
    }
    if with_why {
        let why = check::why(finding).replace('\n', " ");
        group = group.element(Level::NOTE.message(why));
    }
    match finding.help() {
        Some(help) => group.element(Level::HELP.message(safe(help))),
        None => group,
    }
}

fn render(title: Title<'_>, place: Option<&Diagnostic>, help: Option<&str>) -> String {
    let none = Vec::<Element<'_>>::new;
    let show = |report: &[Group<'_>]| Renderer::styled().render(report).to_string();
    let help = help.map(|help| Level::HELP.secondary_title(safe(help)).elements(none()));
    match (place, help) {
        (Some(place), None) => show(&[title.element(place_of(place))]),
        (Some(place), Some(help)) => show(&[title.element(place_of(place)), help]),
        (None, None) => show(&[title.elements(none())]),
        // Rendered together, they would have an empty margin.
        (None, Some(help)) => format!("{}\n{}", show(&[title.elements(none())]), show(&[help])),
    }
}

/// The path, with the marked lines of a file that could be read.
fn place_of(place: &Diagnostic) -> Element<'static> {
    match place.file.text().is_empty() {
        true => Origin::path(path_of(place)).into(),
        false => marked(place).into(),
    }
}

fn path_of(place: &Diagnostic) -> String {
    clean(&place.path().to_string_lossy()).into_owned()
}

/// The marked lines, safe to show: without secrets and control characters. Only those lines are processed, however
/// long the file is.
fn marked(place: &Diagnostic) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let (number, lines, span) = lines_of(place);
    let shown = lines
        .split('\n')
        .map(|line| mask(line.trim_end_matches('\r')));
    let text = shown.collect::<Vec<_>>().join("\n");
    // A line with a secret is marked as a whole.
    let span = match text == lines.replace("\r\n", "\n") {
        true => span,
        false => lines.len() - lines.trim_start().len()..text.trim_end().len(),
    };
    let harmless = |c: char| match is_unsafe(c) && c != '\n' && c != '\t' {
        true => '\u{fffd}',
        false => c,
    };
    let source: String = text.chars().map(harmless).collect();
    // Replaced characters may have another length: the span is moved.
    let moved = |at: usize| {
        let before = text.get(..at).unwrap_or(&text);
        let lengths = before.chars().map(|c| harmless(c).len_utf8());
        lengths.sum::<usize>()
    };
    let annotation = AnnotationKind::Primary.span(moved(span.start)..moved(span.end));
    let label = safe(&place.expected);
    let annotation = match label.is_empty() {
        true => annotation,
        false => annotation.label(label),
    };
    Snippet::source(source)
        .line_start(number)
        .path(path_of(place))
        .annotation(annotation)
}

/// The number of the first line of a place, the whole lines, and the place's bytes within them. A place at the end of
/// the file is behind its last line.
fn lines_of(place: &Diagnostic) -> (usize, &str, Range<usize>) {
    let text = place.file.text();
    let content = text.trim_end_matches(['\n', '\r']).len();
    let start = text.floor_char_boundary(place.span.start).min(content);
    let end = text.floor_char_boundary(place.span.end.max(start));
    let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
    // A span that ends with its line includes the line end.
    let inside = text[start..end].trim_end_matches(['\n', '\r']).len() + start;
    let last = text[inside..]
        .find('\n')
        .map_or(text.len(), |at| inside + at);
    let number = place.file.line_of(first);
    (number, &text[first..last], start - first..inside - first)
}

#[cfg(test)]
mod tests {
    use source_text::SourceFile;

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
                &SourceFile::new("sites-available/a", source),
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
    fn lines_fit_the_terminal() {
        let long = format!("server_name {};\n", "日本.example.com ".repeat(30));
        let mut found = at_line(&long, 1, "wrong");
        if let Complaint::Placed(place) = &mut found.complaint {
            place.span = 400..410;
        }
        let grouped = check::grouped(vec![found]).remove(0);
        let show = |width| plain(&report(&[(&grouped, false)], width));
        let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
        assert!(widest(&show(Some(60))) < Some(80), "{}", show(Some(60)));
        assert!(show(Some(60)).contains("..."), "{}", show(Some(60)));
        assert!(show(Some(60)).contains('^'), "{}", show(Some(60)));
        assert!(widest(&show(Some(600))) > Some(400));
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
