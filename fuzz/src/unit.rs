//! A unit file, and a drop-in behind a line of `---`: settings, commands, paths, `[Install]`.

use std::sync::Arc;

use watchme_apply::source::unit::settings::Source;
use watchme_apply::source::unit::{Name, Settings, commands, exec, install};

/// Reads it, and holds what was read against its text.
pub(crate) fn run(text: &str) {
    let sources = text.split("\n---\n").map(|text| {
        let source = Source::new("a@.service", text);
        let parsed = &source.parsed;
        for section in &parsed.sections {
            assert!(text.get(section.span.clone()).is_some());
            for entry in &section.entries {
                assert!(text.get(entry.key_span.clone()).is_some());
                assert!(text.get(entry.value_span.clone()).is_some());
            }
        }
        for stray in &parsed.strays {
            assert!(text.get(stray.span.clone()).is_some());
        }
        Arc::new(source)
    });
    let settings = Settings::new(sources.collect());
    for value in settings.matching("Service", |_| true) {
        let Ok(commands) = exec::parse(&value.text) else {
            continue;
        };
        for command in exec::commands(&value.text).unwrap_or_default() {
            exec::runs(&command);
        }
        for command in commands {
            for word in command.words {
                let complaint = value.complain_about(word.span, "", "");
                assert!(complaint.file.text().get(complaint.span.clone()).is_some());
            }
        }
        exec::script(&value.text);
    }
    for name in ["a.service", "a@.service", "a@b-c.service", "a.timer"] {
        let Ok(name) = Name::parse(name) else {
            continue;
        };
        let _ = commands::mentions(&name, &settings);
        let _ = install::wanted(&name, &settings);
        let _ = install::default_instance(&name, &settings);
    }
}
