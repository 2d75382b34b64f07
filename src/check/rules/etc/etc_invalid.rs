//! Files for /etc that their programs would not take, as far as their bytes tell.

use source_text::SourceFile;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::finding::ETC_INVALID;
use crate::model::{Checker, Diagnostic};

/// The rule. On a host, the programs themselves are asked, too.
pub(crate) static RULE: Rule = Rule::new(
    ETC_INVALID.name,
    ETC_INVALID.severity,
    include_str!("etc_invalid.md"),
    run,
)
.fixed();

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    for (path, etc) in &context.revision().desired.etc {
        let Some(checker) = Checker::of(path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&etc.file.content);
        let file = SourceFile::new(&etc.file.source, text);
        let wrong = checker.wrong(path, &etc.file.content, etc.mode, &etc.owner);
        findings.extend(wrong.into_iter().map(|wrong| {
            let place = Diagnostic::of_line(&file, wrong.line, wrong.message);
            RULE.at(place).weighing(wrong.severity)
        }));
    }
}
