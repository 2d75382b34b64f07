//! Logs: to standard error, and to a file when one is named.

use std::fs::OpenOptions;
use std::sync::Mutex;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Failure;
use super::args::{Args, LogFormat};
use crate::reconcile::Drift;

/// Starts logging as the arguments say.
pub(super) fn start(args: &Args) -> Result<(), Failure> {
    let level = match (args.verbose, args.log_format) {
        (0, LogFormat::Text) => LevelFilter::OFF,
        (0 | 1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let file = match &args.log_file {
        Some(path) => Some(
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|source| Failure::LogFile {
                    path: path.clone(),
                    source,
                })?,
        ),
        None => None,
    };
    let terminal = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let terminal = match args.log_format {
        LogFormat::Text => terminal.boxed(),
        LogFormat::Json => terminal.json().boxed(),
    };
    let file = file.map(|file| {
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(Mutex::new(file))
            .with_ansi(false);
        let layer = match args.log_format {
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

/// Logs what a look for drift found.
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
