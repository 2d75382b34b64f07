//! Logs: to standard error, and to the file of `--log-file`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Failure;
use super::options::{Common, LogFormat};
use super::output::clean;
use super::render::records;
use crate::reconcile::{Applied, Drift};

pub(super) fn start(options: &Common) -> Result<(), Failure> {
    let level = match (options.verbose, options.log_format) {
        (0, LogFormat::Text) => LevelFilter::OFF,
        (0 | 1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let file = options.log_file.as_ref().map(|path| {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let path = path.clone();
        opened.map_err(|source| Failure::LogFile { path, source })
    });
    let terminal = tracing_subscriber::fmt::layer()
        .with_writer(|| Escaping(io::stderr()))
        .with_ansi(false);
    let terminal = match options.log_format {
        LogFormat::Text => terminal.boxed(),
        LogFormat::Json => terminal.json().boxed(),
    };
    let file = file.transpose()?.map(Arc::new).map(|file| {
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || Escaping(file.clone()))
            .with_ansi(false);
        let layer = match options.log_format {
            LogFormat::Text => layer.boxed(),
            LogFormat::Json => layer.json().boxed(),
        };
        layer.with_filter(level.max(LevelFilter::INFO))
    });
    let _ = tracing_subscriber::registry()
        .with(terminal.with_filter(level))
        .with(file)
        .try_init();
    Ok(())
}

/// Writes lines without control characters, which a terminal would execute.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut cleaned = text.split('\n').map(clean);
        let mut line = cleaned.next().unwrap_or_default().into_owned();
        for next in cleaned {
            line.push('\n');
            line.push_str(&next);
        }
        self.0.write_all(line.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Logs how a run that changes the host ended.
pub(super) fn applied(applied: &Applied) {
    match applied {
        Applied::Done(record) => {
            let (generation, changes) = (record.number, record.changes.len());
            tracing::info!(run = record.kind.as_str(), generation, changes, "applied");
        }
        Applied::Skipped(skip) => tracing::info!("skipped: {}", records::skip(skip)),
        Applied::InSync { .. } => {}
    }
}

/// Logs the drift that was found.
pub(super) fn drift(drift: &Drift) {
    for item in &drift.fixed {
        tracing::info!(resource = %item.resource, kind = %item.kind, what = item.what, "fixed");
    }
    for item in &drift.items {
        tracing::warn!(resource = %item.resource, kind = %item.kind, what = item.what, "drift");
    }
    for warning in &drift.warnings {
        tracing::warn!(warning);
    }
    if drift.items.is_empty() {
        tracing::info!("in sync");
    }
}
