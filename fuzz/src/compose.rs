//! A compose file, another one to be laid over it behind a line of `---`, and its `.env` behind the next.

use std::path::Path;

use watchme_apply::source::compose::{
    Compose, Document, Positions, infra, interpolate, overlay, spans,
};

/// Reads it, and holds what was read against its text.
pub(crate) fn run(text: &str) {
    let mut parts = text.splitn(3, "\n---\n");
    let (base, over) = (parts.next().unwrap_or_default(), parts.next());
    let environment = interpolate::env_file(parts.next().unwrap_or_default());
    let Some(mut whole) = read(base, &environment) else {
        return;
    };
    if let Some(over) = over.and_then(|over| read(over, &environment)) {
        overlay(&mut whole.value, over.value);
        let _ = Compose::of(&whole.value);
    }
}

fn read(source: &str, environment: &interpolate::Environment) -> Option<Document> {
    let places = Positions::of(source);
    for (key, span, said) in places.texts() {
        assert!(source.get(span).is_some(), "{said:?}");
        let found = spans(source, &["services", key.unwrap_or("0")], Some(said));
        assert!(source.get(found).is_some());
    }
    let document = match Document::parse(Path::new("compose.yml"), source, environment) {
        Ok(document) => document,
        Err(wrong) => {
            assert!(source.get(wrong.span.clone()).is_some(), "{wrong}");
            return None;
        }
    };
    for (name, service) in &document.compose.services {
        service.published();
        service.host_ports();
        service.env_files();
        service.environment();
        service.command();
        service.named_services();
        service.logging();
        service.memory();
        places.find(&["services", name, "ports", "0"]);
        places.scalar(&["services", name], "a");
    }
    let _ = infra::read(&document, "project");
    Some(document)
}
