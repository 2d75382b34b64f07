//! What a person or a program types and reads. The only code that prints.

mod args;
mod ask;
mod change;
mod commands;
mod elsewhere;
mod ended;
mod errors;
mod failure;
mod find;
mod json;
mod logging;
mod masks;
mod options;
mod output;
mod privilege;
mod progress;
mod render;
mod session;
mod snippet;
mod tell;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use args::Args;
use failure::Failure;
use output::Output;
use session::Session;

/// The plan would be refused.
const STOPPED: u8 = 1;
/// Differences, or drift.
const DIFFERENCES: u8 = 2;
/// Applied, and units that may fail did.
const DEGRADED: u8 = 5;
/// Wrong usage, sysexits.h(3head) `EX_USAGE`.
const USAGE: u8 = 64;

/// The definition of the command line, from which man pages and completions are made.
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program and returns its exit status; docs/reading-output.md says what each means.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    // Files are readable by all and writable by root, whatever the caller's umask is.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let args = match args::parse(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let mut output = Output::new(args.common.color);
    let result = logging::start(&args.common).and_then(|()| run(&args, &arguments, &mut output));
    let result = match output.finish() {
        // What a run did to the host is done, even if nobody could read about it.
        Err(error) if result.is_ok() && !args.command.changes_the_host() => {
            Err(Failure::Output(error))
        }
        _ => result,
    };
    ExitCode::from(result.unwrap_or_else(|failure| {
        let status = failure.exit_status();
        tracing::error!(status, error = %errors::one_line(&failure), "failed");
        if args.wants_json {
            output.json(&json::Error::new(&failure));
        }
        errors::print(&mut output, &failure);
        status
    }))
}

fn run(args: &Args, arguments: &[OsString], output: &mut Output) -> Result<u8, Failure> {
    let changes = args.command.changes_the_host();
    if changes && args.common.root.is_none() {
        privilege::become_root(&args.common, arguments, output)?;
    }
    let session = Session::new(&args.common)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let ended = runtime.block_on(async {
        if changes {
            let says = args.command.interrupted();
            listen(session.interrupted(), says, args.common.color).map_err(Failure::Runtime)?;
        }
        args.command.run(&session, output).await
    });
    // A look-up of a name, getaddrinfo(3), goes on in a thread of its own after its time: nobody waits for it.
    runtime.shutdown_background();
    ended
}

/// The first SIGINT or SIGTERM lets the current step of a run finish, then undoes the run. SIGHUP does not
/// interrupt, so that a lost connection changes nothing.
fn listen(
    interrupted: Arc<AtomicBool>,
    [first, later]: [&'static str; 2],
    color: options::Color,
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => continue,
            }
            let text = match interrupted.swap(true, Ordering::Relaxed) {
                false => first,
                true => later,
            };
            Output::new(color).aside(text);
        }
    });
    Ok(())
}
