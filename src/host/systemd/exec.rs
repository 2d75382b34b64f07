//! Commands of a service that failed without anybody being told: `ExecStartPre=-`.

use zbus::OwnedObjectPath;

use super::{MANAGER, PATH, SERVICE_UNIT, Systemd, asked};
use crate::host::error::HostError;

/// An entry of `ExecStartPre`, org.freedesktop.systemd1(5): program, arguments, whether its
/// failure is ignored, four time stamps, process id, how it ended (waitid(2) `si_code`), and its
/// exit status or signal.
type Exec = (String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32);

/// `CLD_EXITED` of waitid(2).
const EXITED: i32 = 1;

impl Systemd {
    /// Commands of `ExecStartPre=-` that failed at the last start of a service, with how: a pull
    /// of an image that did not come, for example.
    pub(crate) async fn ignored_failures(&self, unit: &str) -> Result<Vec<String>, HostError> {
        if !unit.ends_with(".service") {
            return Ok(Vec::new());
        }
        let doing = || format!("read ExecStartPre of {unit}");
        let read = async {
            let path: OwnedObjectPath = self.call(PATH, MANAGER, "LoadUnit", (unit,)).await?;
            let property = (SERVICE_UNIT, "ExecStartPre");
            self.structures::<Exec>(&path, property).await
        };
        let commands = asked(doing, read).await?;
        Ok(commands.iter().filter_map(ignored_failure).collect())
    }
}

fn ignored_failure(exec: &Exec) -> Option<String> {
    let (_, arguments, ignored, .., code, status) = exec;
    let how = match (code, status) {
        (0, _) | (&EXITED, 0) => return None,
        (&EXITED, status) => format!("failed with status {status}"),
        (_, signal) => format!("was ended by signal {signal}"),
    };
    ignored.then(|| format!("`{}` {how}", arguments.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_are_ignored() {
        let exec = |ignored, code, status| -> Exec {
            let arguments = vec!["docker-compose".to_owned(), "pull".to_owned()];
            (
                String::new(),
                arguments,
                ignored,
                0,
                0,
                0,
                0,
                0,
                code,
                status,
            )
        };
        let said = |exec: Exec| ignored_failure(&exec);
        assert_eq!(
            said(exec(true, EXITED, 1)).as_deref(),
            Some("`docker-compose pull` failed with status 1")
        );
        assert_eq!(
            said(exec(true, 2, 9)).as_deref(),
            Some("`docker-compose pull` was ended by signal 9")
        );
        assert_eq!(said(exec(true, EXITED, 0)), None);
        assert_eq!(said(exec(true, 0, 0)), None, "it did not run");
        assert_eq!(said(exec(false, EXITED, 1)), None, "that ends the start");
    }
}
