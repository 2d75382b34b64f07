//! Timers of one shot that systemd holds, whatever becomes of this process: org.freedesktop.systemd1(5), `StartTransientUnit`,
//! as systemd-run(1) calls it.

use std::path::Path;
use std::time::Duration;

use zbus::{OwnedObjectPath, Variant};

use super::{CALL, MANAGER, PATH, Row, Systemd, asked, bounded, failed};
use crate::host::error::HostError;

/// What a timer starts waits for other runs, and may take as long as it needs: `infinity`.
const TIMEOUT: u64 = u64::MAX;

type Property<'a> = (&'a str, Variant<'a>);

impl Systemd {
    /// Has a program run as root once that time is over. Both units go once they have ended; they do not outlive a reboot.
    /// Nothing is to be done where there is a timer of that name. `succeeds_with` is an exit status that is no failure.
    pub(crate) async fn start_timer(
        &self,
        (name, description): (&str, &str),
        after: Duration,
        program: &Path,
        arguments: &[&str],
        succeeds_with: i32,
    ) -> Result<(), HostError> {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let program = program.to_string_lossy().into_owned();
        let mut words = vec![program.clone()];
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        let timer: Vec<Property<'_>> = vec![
            ("Description", Variant::from(description)),
            (
                "TimersMonotonic",
                Variant::from(vec![("OnActiveSec".to_owned(), micros(after))]),
            ),
            (
                "AccuracyUSec",
                Variant::from(micros(Duration::from_millis(100))),
            ),
            ("RemainAfterElapse", Variant::from(false)),
            ("CollectMode", Variant::from("inactive-or-failed")),
        ];
        let service: Vec<Property<'_>> = vec![
            ("Description", Variant::from(description)),
            ("Type", Variant::from("oneshot")),
            ("ExecStart", Variant::from(vec![(program, words, false)])),
            ("TimeoutStartUSec", Variant::from(TIMEOUT)),
            (
                "SuccessExitStatus",
                Variant::from((vec![succeeds_with], Vec::<i32>::new())),
            ),
            ("CollectMode", Variant::from("inactive-or-failed")),
        ];
        let units = (format!("{name}.timer"), format!("{name}.service"));
        let body = (
            units.0.as_str(),
            "fail",
            timer,
            vec![(units.1.as_str(), service)],
        );
        let doing = || format!("start the timer {}", units.0);
        let call = self.call::<_, OwnedObjectPath>(PATH, MANAGER, "StartTransientUnit", body);
        match bounded(CALL, doing, call).await? {
            Ok(_) => Ok(()),
            Err(source) if is_there(&source) => Ok(()),
            Err(source) => Err(failed(doing(), source)),
        }
    }

    /// Stops the timers whose names begin like this. What one of them has started goes on.
    pub(crate) async fn stop_timers(&self, prefix: &str) -> Result<(), HostError> {
        let pattern = format!("{prefix}*.timer");
        let doing = || format!("list the timers {pattern}");
        let body = (Vec::<&str>::new(), vec![pattern.as_str()]);
        let call = self.call::<_, Vec<Row>>(PATH, MANAGER, "ListUnitsByPatterns", body);
        for (name, ..) in asked(doing, call).await? {
            self.stop(&name, CALL).await?;
        }
        Ok(())
    }
}

/// Whether a unit of that name is loaded already.
fn is_there(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::MethodError(name, ..) if name.as_str() == "org.freedesktop.systemd1.UnitExists")
}
