//! What nginx refuses of directives: names that it does not know, places, numbers of arguments, and values.
//!
//! `ngx_conf_handler` in src/core/ngx_conf_file.c. Directives of modules that the table does not have are skipped.

use rustc_hash::FxHashMap;

use super::said::{Said, Words};
use super::view::View;
use crate::check::engine::Rule;
use crate::check::rules::nginx::rule::{
    nginx_directive_misplaced, nginx_directive_twice, nginx_missing_semicolon,
    nginx_unknown_directive, nginx_wrong_arguments,
};
use crate::model::{Finding, Severity};
use crate::source::error::Speller;
use crate::source::nginx::Node;
use crate::source::nginx::directives::{
    Context, Form, contexts_of, directives, directives_in, forms, is_related,
};
use crate::source::nginx::versions::Newer;

/// Looks at all directives of a configuration.
pub(crate) fn walk(view: &View<'_>) -> Vec<Finding> {
    let mut walk = Walk {
        view,
        findings: Vec::new(),
        speller: Speller::default(),
        fine: Said::default(),
    };
    walk.level(&view.main, Context::Main);
    walk.level(&view.http, Context::Http);
    walk.findings
}

/// The first argument, others behind it, that is the name of a directive.
fn related(node: &Node<'_>, context: Context) -> Option<usize> {
    // Options of theirs have the names of directives.
    if matches!(node.name(), "listen" | "rewrite") {
        return None;
    }
    let mut pairs = node.args().windows(2);
    pairs.position(|pair| matches!(pair, [word, _] if is_related(&word.text, context)))
}

struct Walk<'j, 'a> {
    view: &'j View<'a>,
    findings: Vec<Finding>,
    speller: Speller,
    /// Directives with which nothing is wrong, each with whether nginx takes it once in a block.
    fine: Said<'a, Context, bool>,
}

impl<'a> Walk<'_, 'a> {
    fn note(&mut self, rule: &'static Rule, node: &Node<'_>, message: String, help: String) {
        self.findings
            .push(self.view.find(rule, node, message, help));
    }

    fn level(&mut self, level: &[Node<'a>], context: Context) {
        let mut once: FxHashMap<&str, &Node<'_>> = FxHashMap::default();
        for node in level {
            let words = || Words::of(node.directive, context);
            let is_single = match self.fine.get(&words()).copied() {
                Some(known) => known,
                None => {
                    let before = self.findings.len();
                    let Some(is_single) = self.alone(node, context) else {
                        continue;
                    };
                    let is_fine = !node.again && self.findings.len() == before;
                    if is_fine && related(node, context).is_none() {
                        self.fine.insert(words(), is_single);
                    }
                    is_single
                }
            };
            // `ngx_http_core_root` in src/http/ngx_http_core_module.c sets the same for both.
            let name = match node.name() {
                "alias" => "root",
                name => name,
            };
            if is_single && let Some(first) = once.insert(name, node) {
                self.twice(node, first);
            }
            let inner = context.inside(node.name());
            if let Some(inner) = inner.filter(|_| !node.again) {
                self.level(node.inside(), inner);
            }
        }
    }

    /// Looks at a directive, whatever is beside it. Whether nginx takes it once in a block; `None` where it takes none.
    fn alone(&mut self, node: &Node<'_>, context: Context) -> Option<bool> {
        let forms = forms(node.name());
        if forms.is_empty() {
            if !node.again {
                self.unknown(node, context);
            }
            return None;
        }
        if !node.again && self.runs_on(node, context) {
            return None;
        }
        let here: Vec<&Form> = forms.iter().filter(|form| form.is_for(context)).collect();
        if here.is_empty() {
            if !node.again {
                self.misplaced(node, context);
            }
            return None;
        }
        if !node.again {
            self.arguments(node, &here);
        }
        Some(here.iter().all(|form| form.is_single()))
    }

    fn unknown(&mut self, node: &Node<'_>, context: Context) {
        let name = node.name();
        // Some version knows it, or knew it.
        if Newer::of(context.area(), name).is_some_and(|newer| newer.directive().is_some()) {
            return;
        }
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let (message, help) = if name.contains(|character: char| !is_word(character)) {
            let message = format!("{} is not a directive", name.escape_debug());
            let help = match name.chars().find(|character| !character.is_ascii()) {
                Some(other) if other.is_whitespace() => {
                    format!(
                        "write a plain space: U+{:04X} is a part of the word",
                        u32::from(other)
                    )
                }
                _ if name.starts_with("if(") => "write a space after if".to_owned(),
                _ => "remove it".to_owned(),
            };
            (message, help)
        } else {
            // One of a module that is not in the table looks like none of those.
            let Some(near) = self.near(name, context) else {
                return;
            };
            (
                format!("nginx knows no directive {name}"),
                format!("did you mean {near}?"),
            )
        };
        self.note(&nginx_unknown_directive::RULE, node, message, help);
    }

    /// Tells where a directive has swallowed the one of the next line. nginx may even take it.
    fn runs_on(&mut self, node: &Node<'_>, context: Context) -> bool {
        let args = node.args();
        let Some(at) = related(node, context) else {
            return false;
        };
        let (Some(word), Some(next)) = (args.get(at), args.get(at + 1)) else {
            return false;
        };
        let before = match at.checked_sub(1).and_then(|at| args.get(at)) {
            Some(before) => before.span.clone(),
            None => node.directive.span.start..node.directive.span.start + node.name().len(),
        };
        let file = self.view.text(node.path);
        let breaks = |from: usize, to: usize| file.get(from..to).contains('\n');
        if !breaks(before.end, word.span.start) || breaks(word.span.end, next.span.start) {
            return false;
        }
        let message = format!(
            "the ; is missing here: nginx reads {} of the next line as an argument of {}",
            word.text,
            node.name()
        );
        let mut forms = forms(node.name()).iter();
        let is_taken = forms.any(|form| form.takes(args.len()));
        let rule = &nginx_missing_semicolon::RULE;
        let found = self
            .view
            .find_at(rule, node, &before, message, "add ; after it");
        self.findings
            .push(found.weighing_where(is_taken, Severity::Warning));
        true
    }

    /// The directive of a context that a name is a misspelling of.
    fn near(&self, name: &str, context: Context) -> Option<&'static str> {
        let here = self.speller.misspelt(name, directives_in(context));
        // It may be at the wrong place, too.
        here.or_else(|| self.speller.misspelt(name, directives()))
    }

    fn misplaced(&mut self, node: &Node<'_>, context: Context) {
        let known = contexts_of(node.name());
        let known: Vec<String> = known.iter().map(Context::to_string).collect();
        let message = format!("{} is not allowed in {context}", node.name());
        let help = format!("move it to {}", known.join(", "));
        self.note(&nginx_directive_misplaced::RULE, node, message, help);
    }

    fn arguments(&mut self, node: &Node<'_>, here: &[&Form]) {
        let (name, args) = (node.name(), node.args());
        let has_block = node.block.is_some();
        let mut forms = here.iter().filter(|form| form.has_block == has_block);
        let (message, help) = if forms.clone().next().is_none() {
            match has_block {
                true => (
                    format!("{name} has no block"),
                    format!("write ; after {name}"),
                ),
                false => (
                    format!("{name} needs a block"),
                    format!("write {name} … {{ … }}"),
                ),
            }
        } else if !forms.clone().any(|form| form.takes(args.len())) {
            let count = match args.len() {
                1 => "one argument".to_owned(),
                count => format!("{count} arguments"),
            };
            let wanted: Vec<&str> = forms.map(|form| form.arguments).collect();
            let wanted = wanted
                .join(",")
                .replace('+', " or more")
                .replace(',', " or ");
            (
                format!("{name} has {count}"),
                format!("nginx takes {wanted}; one with spaces needs quotes"),
            )
        } else {
            let words = || args.iter().map(|word| word.text.as_str());
            match forms.find_map(|form| form.wrong_value(words())) {
                Some((value, expected)) => (
                    format!("{value:?} is not a valid value of {name}"),
                    format!("write {expected}"),
                ),
                None => return,
            }
        };
        self.note(&nginx_wrong_arguments::RULE, node, message, help);
    }

    fn twice(&mut self, node: &Node<'_>, first: &Node<'_>) {
        let message = match first.name() == node.name() {
            true => format!("{} appears here for the second time", node.name()),
            false => format!(
                "{} is set beside {}, but nginx allows only one of them",
                node.name(),
                first.name()
            ),
        };
        let help = format!(
            "remove one of them: the first is in {}",
            self.view.place(first)
        );
        self.note(&nginx_directive_twice::RULE, node, message, help);
    }
}
