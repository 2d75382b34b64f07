//! What a person or a machine types and reads. The only code that prints.

mod args;
mod ask;
mod check;
mod errors;
mod failure;
mod find;
mod json;
mod logging;
mod masks;
mod output;
mod ports;
mod privilege;
mod progress;
mod render;
mod routes;
mod snippet;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::Host;
use crate::model::Outcome;
use crate::plan::Gates;
use crate::reconcile::{self, Applied, Loss, ReconcileError, Request};
use crate::root::Root;
use crate::source::Which;
use args::{
    Args, Command, DriftArgs, HistoryArgs, Input, PauseArgs, PlanArgs, PlanFormat, RecoverArgs,
    ResumeArgs, RollbackArgs, StatusArgs,
};
use failure::Failure;
use output::Output;
use progress::Lines;

/// What is planned would be refused.
const STOPPED: u8 = 1;
/// Differences, or drift.
const DIFFERENCES: u8 = 2;
/// Applied, and units that may fail did.
const DEGRADED: u8 = 5;
/// Wrong usage, sysexits.h(3head) `EX_USAGE`.
const USAGE: u8 = 64;

/// Runs the program and returns its exit status; docs/reading-output.md says what each means.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    // What an apply makes is readable for all and writable for root, whoever's umask it runs with.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let args = match args::parse(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let mut output = Output::new(args.color);
    let result = logging::start(&args).and_then(|()| run(&args, &arguments, &mut output));
    let result = match output.finish() {
        // What a run did to the host is done, whoever read of it.
        Err(error) if result.is_ok() && !args.command.changes_the_host() => {
            Err(Failure::Output(error))
        }
        _ => result,
    };
    ExitCode::from(result.unwrap_or_else(|failure| {
        let status = failure.exit_status();
        tracing::error!(status, error = %errors::one_line(&failure), "failed");
        if args.wants_json() {
            output.json(&json::Error::new(&failure));
        }
        errors::print(&mut output, &failure);
        status
    }))
}

fn run(args: &Args, arguments: &[OsString], output: &mut Output) -> Result<u8, Failure> {
    if args.command.changes_the_host() && args.root.is_none() {
        privilege::become_root(args, arguments, output)?;
    }
    let host = host(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    runtime.block_on(async {
        if args.command.changes_the_host() {
            listen(interrupted.clone(), args.color).map_err(Failure::Runtime)?;
        }
        let context = Context {
            args,
            host: &host,
            interrupted,
        };
        match &args.command {
            Command::Check(check) => check::run(args, check, output),
            Command::Ports(ports) => ports::run(args, ports, &host, output),
            Command::Routes(routes) => routes::run(args, routes, output),
            Command::Plan(plan) => context.plan(plan, output).await,
            Command::Apply(apply) => context.apply(apply, output).await,
            Command::Drift(drift) => context.drift(drift, output).await,
            Command::Rollback(rollback) => context.rollback(rollback, output).await,
            Command::History(history) => context.history(history, output),
            Command::Status(status) => context.status(status, output).await,
            Command::Pause(pause) => context.pause(pause, output).await,
            Command::Resume(resume) => context.resume(resume, output).await,
            Command::Recover(recover) => context.recover(recover, output).await,
        }
    })
}

fn host(args: &Args) -> Result<Host, Failure> {
    let Some(root) = &args.root else {
        return Ok(Host::live());
    };
    let canonical = root
        .canonicalize()
        .ok()
        .filter(|root| root.is_dir())
        .ok_or_else(|| Failure::Root(root.display().to_string()))?;
    Ok(Host::offline(Root::new(canonical)))
}

/// A first SIGINT or SIGTERM lets the step in progress end, and then undoes the run; SIGHUP does
/// not interrupt, so that a lost connection does not.
fn listen(interrupted: Arc<AtomicBool>, color: args::Color) -> std::io::Result<()> {
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
                false => "interrupted: the step in progress ends, then what was done is undone",
                true => "interrupted already: what was done is being undone",
            };
            Output::new(color).aside(text);
        }
    });
    Ok(())
}

struct Context<'a> {
    args: &'a Args,
    host: &'a Host,
    interrupted: Arc<AtomicBool>,
}

impl Context<'_> {
    fn request(&self, folder: PathBuf, input: &Input) -> Request {
        Request {
            folder,
            which: input.which(),
            only: input.only.clone(),
            allow_empty: input.allow_empty,
            take_over: input.take_over,
            lock_timeout: input.lock_timeout(),
            gates: Gates::Touched,
            by: privilege::user(),
            unattended: false,
            retry: false,
            asks: false,
            lenient: false,
            interrupted: self.interrupted.clone(),
        }
    }

    async fn plan(&self, args: &PlanArgs, output: &mut Output) -> Result<u8, Failure> {
        let planned = match (&args.from, args.to_generation) {
            (Some(from), _) => {
                let checkout = check::open(self.args)?;
                let from = Which::Rev(from.clone());
                reconcile::plan_between(&checkout, &from, &args.to(), args.input.allow_empty)?
            }
            (None, Some(number)) => {
                let request = self.request(self.known_folder(), &args.input);
                reconcile::plan_back(self.host, &request, number).await?
            }
            (None, None) => {
                let folder = find::desired_state(self.args.desired_state.as_deref())?;
                reconcile::plan(self.host, &self.request(folder, &args.input)).await?
            }
        };
        let show_secrets = args.show.show_secrets;
        match args.format() {
            PlanFormat::Json => output.json(&json::Plan::new(&planned, show_secrets)),
            PlanFormat::Text => {
                render::plan(output, &planned, show_secrets, args.all_findings);
            }
            PlanFormat::Markdown => output.line(&render::markdown(&planned, show_secrets)),
        }
        Ok(match planned.plan.is_empty() {
            _ if planned.is_stopped() => STOPPED,
            false if args.detailed_exitcode => DIFFERENCES,
            true if args.detailed_exitcode && planned.only_writes_down() => DIFFERENCES,
            _ => 0,
        })
    }

    async fn apply(&self, args: &args::ApplyArgs, output: &mut Output) -> Result<u8, Failure> {
        let folder = find::desired_state(self.args.desired_state.as_deref())?;
        let request = Request {
            unattended: args.unattended,
            retry: args.retry,
            asks: !args.yes && !args.unattended && ask::somebody_is_there(),
            gates: match args.verify_all {
                true => Gates::All,
                false => Gates::Touched,
            },
            ..self.request(folder, &args.input)
        };
        self.change(args.show, request.asks, output, async |lines, present| {
            reconcile::apply(self.host, &request, lines, present).await
        })
        .await
    }

    async fn rollback(&self, args: &RollbackArgs, output: &mut Output) -> Result<u8, Failure> {
        let input = Input {
            lock_timeout: args.lock_timeout,
            ..Input::default()
        };
        let request = self.request(self.known_folder(), &input);
        let asks = !args.yes && ask::somebody_is_there();
        self.change(args.show, asks, output, async |lines, present| {
            reconcile::rollback(self.host, &request, args.generation, lines, present).await
        })
        .await
    }

    /// Shows the plan, the steps and the end of a run that changes the host.
    async fn change(
        &self,
        show: args::Show,
        asks: bool,
        output: &mut Output,
        run: impl AsyncFnOnce(
            &mut Lines,
            &mut dyn FnMut(&reconcile::Planned) -> bool,
        ) -> Result<Applied, ReconcileError>,
    ) -> Result<u8, Failure> {
        let mut presented = None;
        let mut present = |planned: &reconcile::Planned| {
            presented = Some(json::Plan::new(planned, show.show_secrets));
            let mut output = Output::new(self.args.color);
            if !show.json {
                render::plan(&mut output, planned, show.show_secrets, false);
            }
            let loss = Loss::of(planned);
            !asks || loss.is_none() || ask::may_go(&mut output, &loss)
        };
        let mut lines = Lines::new(Output::new(self.args.color), show.json);
        let began = std::time::Instant::now();
        let applied = run(&mut lines, &mut present).await?;
        lines.end();
        if let Applied::InSync { planned, .. } = &applied {
            presented = Some(json::Plan::new(planned, show.show_secrets));
        }
        match show.json {
            true => output.json(&json::Applied::new(&applied, presented, lines.warnings())),
            false => render::applied(output, &applied, began.elapsed(), lines.warnings().len()),
        }
        logging::applied(&applied);
        Ok(match applied {
            Applied::Skipped(_) => DIFFERENCES,
            Applied::Done(record) if record.outcome == Outcome::Degraded => DEGRADED,
            Applied::InSync { .. } | Applied::Done(_) => 0,
        })
    }

    fn history(&self, args: &HistoryArgs, output: &mut Output) -> Result<u8, Failure> {
        let request = self.request(self.known_folder(), &Input::default());
        let span = args.span().ok().flatten();
        let history = reconcile::history(self.host, &request, span)?;
        match args.json {
            true => output.json(&json::History::new(&history)),
            false => render::history(output, &history),
        }
        Ok(0)
    }

    async fn drift(&self, args: &DriftArgs, output: &mut Output) -> Result<u8, Failure> {
        let folder = self.known_folder();
        let request = self.request(folder, &args.input());
        let drift = if args.fix {
            let mut lines = Lines::new(Output::new(self.args.color), args.json);
            let fixed = reconcile::fix(self.host, &request, &mut lines).await?;
            lines.end();
            fixed
        } else {
            reconcile::drift(self.host, &request).await?
        };
        logging::drift(&drift);
        match args.json {
            true => output.json(&json::Drift::new(&drift)),
            false => render::drift(output, &drift, args.show_secrets),
        }
        Ok(if drift.is_none() { 0 } else { DIFFERENCES })
    }

    async fn status(&self, args: &StatusArgs, output: &mut Output) -> Result<u8, Failure> {
        let request = self.request(self.known_folder(), &Input::default());
        let status = reconcile::status(self.host, &request).await;
        match (args.json, &status.problem) {
            (true, None) => output.json(&json::Status::new(&status)),
            // The error is the one object then.
            (true, Some(_)) => {}
            (false, _) => render::status(output, &status),
        }
        match status.problem {
            Some(problem) => Err(problem.into()),
            None => Ok(0),
        }
    }

    async fn pause(&self, args: &PauseArgs, output: &mut Output) -> Result<u8, Failure> {
        let request = self.request(self.known_folder(), &Input::default());
        let duration = args.duration;
        let mut lines = Lines::new(Output::new(self.args.color), false);
        let pause = reconcile::pause(
            self.host,
            &request,
            &args.unit,
            duration,
            &args.reason,
            &mut lines,
        );
        let (unit, pause) = pause.await?;
        lines.end();
        render::paused(output, &unit, &pause);
        Ok(0)
    }

    async fn resume(&self, args: &ResumeArgs, output: &mut Output) -> Result<u8, Failure> {
        let request = self.request(self.known_folder(), &Input::default());
        let mut lines = Lines::new(Output::new(self.args.color), false);
        let unit = reconcile::resume(self.host, &request, &args.unit, &mut lines).await?;
        lines.end();
        output.line(&format!("resumed {unit}"));
        Ok(0)
    }

    async fn recover(&self, args: &RecoverArgs, output: &mut Output) -> Result<u8, Failure> {
        let input = Input {
            lock_timeout: args.lock_timeout,
            ..Input::default()
        };
        let request = self.request(PathBuf::new(), &input);
        let mut lines = Lines::new(Output::new(self.args.color), false);
        let undone = reconcile::recover(self.host, &request, &mut lines).await?;
        lines.end();
        output.line(match undone {
            true => "the run that was cut off is undone",
            false => "no run was cut off: nothing to undo",
        });
        Ok(0)
    }

    /// The desired state's folder where one is found, else the one that was applied: what was
    /// applied is on record, so that a missing checkout only leaves `pending` out.
    fn known_folder(&self) -> PathBuf {
        find::desired_state(self.args.desired_state.as_deref()).unwrap_or_else(|_| {
            let state = crate::state::State::new(self.host.root().clone());
            let applied = state.recorded().ok().and_then(|recorded| recorded.applied);
            applied.map_or_else(
                || PathBuf::from("desired-state"),
                |(record, _)| record.origin.folder,
            )
        })
    }
}
