//! nginx's files, read as nginx reads them.

use std::path::Path;

use nginx_conf::{Directive, parse};

use super::Named;

/// Where packages put nginx's modules; a path that is relative is below the first.
const MODULES: [&str; 4] = [
    "modules/",
    "/usr/lib/nginx/modules/",
    "/usr/lib64/nginx/modules/",
    "/usr/share/nginx/modules/",
];
/// Directives whose argument is code that the master loads.
const LOADS: [&str; 3] = ["load_module", "perl_modules", "perl_require"];

pub(super) fn named(path: &Path, text: &str) -> Vec<Named> {
    match parse(path, text) {
        Ok(directives) => {
            let mut found = Vec::new();
            visit(&directives, text, &mut found);
            found
        }
        // nginx says what is wrong; until then it may have loaded what was there before.
        Err(_) => {
            let lines = text.lines().enumerate();
            let lines = lines.filter(|(_, line)| LOADS.iter().any(|name| line.contains(name)));
            lines
                .map(|(number, line)| {
                    (
                        number + 1,
                        format!("nginx would load what {} names", line.trim()),
                    )
                })
                .collect()
        }
    }
}

fn visit(directives: &[Directive], text: &str, found: &mut Vec<Named>) {
    for directive in directives {
        if let Some(module) = directive.args.first().map(|word| word.text.as_str())
            && LOADS.contains(&directive.name.as_str())
            && !is_of_a_package(module)
        {
            let before = text.get(..directive.span.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let what =
                format!("nginx would load {module} as root, which is in no folder of packages");
            found.push((line, what));
        }
        visit(directive.block.as_deref().unwrap_or_default(), text, found);
    }
}

fn is_of_a_package(module: &str) -> bool {
    MODULES.iter().any(|folder| module.starts_with(folder)) && !module.contains("..")
}
