//! Files for /etc that their programs would not take, as far as their bytes tell.

use source_text::SourceFile;

use crate::check::rules::prelude::*;
use crate::model::Checker;
use crate::model::finding::ETC_INVALID;

/// The rule. On a host, the programs themselves are asked, too.
pub(crate) static RULE: Rule = Rule::reported(ETC_INVALID, include_str!("etc_invalid.md"))
    .run(run)
    .fixed();

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
