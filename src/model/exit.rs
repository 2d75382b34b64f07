//! What an exit status means.

use nix::sys::signal::Signal;

/// What the exit code of a container says: docker-run(1), "EXIT STATUS", and 128 + N for a signal as shells have it.
/// `None`: nothing but what the program itself means by it.
pub fn of_container(code: i64, oom_killed: bool) -> Option<String> {
    match code {
        137 if oom_killed => Some("killed, out of memory".to_owned()),
        137 => Some("killed by SIGKILL, not for lack of memory".to_owned()),
        _ if oom_killed => Some("out of memory".to_owned()),
        125 => Some("Docker could not run it".to_owned()),
        126 => Some("the command cannot be executed".to_owned()),
        127 => Some("command not found".to_owned()),
        129..=192 => signal(code - 128).map(|name| format!("ended by {name}")),
        _ => None,
    }
}

/// What the exit status of a service's main process says; `signalled`: it is the number of a signal. Numbers from 200 on
/// are systemd's own, systemd.exec(5), "PROCESS EXIT CODES".
pub fn of_service(status: i32, signalled: bool, result: &str) -> Option<String> {
    if signalled {
        let by = match signal(i64::from(status)) {
            Some(name) => format!("signal {status} ({name})"),
            None => format!("signal {status}"),
        };
        return Some(match (result, status) {
            ("oom-kill", _) => format!("{by}, out of memory"),
            ("watchdog", _) => format!("{by}, its watchdog saw no sign of life"),
            ("timeout", _) => format!("{by}, it took too long"),
            (_, 9) => format!("{by}, not for lack of memory"),
            _ => by,
        });
    }
    let text = match status {
        126 => "the command cannot be executed",
        127 => "command not found",
        200 => "its working directory cannot be entered",
        203 => "its command cannot be executed, or is not there",
        209 => "its standard output cannot be opened",
        216 => "its group does not exist",
        217 => "its user does not exist",
        218 => "its capabilities cannot be set",
        226 => "its namespaces cannot be made: a path that it names is missing",
        238 => "its state directory cannot be made",
        240 => "its log directory cannot be made",
        // 128 + N of a shell or a program that passes it on.
        129..=192 => {
            let name = signal(i64::from(status) - 128)?;
            return Some(match status {
                137 => "what it ran was killed by SIGKILL".to_owned(),
                _ => format!("what it ran was ended by {name}"),
            });
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn signal(number: i64) -> Option<&'static str> {
    let number = i32::try_from(number).ok()?;
    Signal::try_from(number).ok().map(Signal::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_containers() {
        for (code, oom, meaning) in [
            (0, false, None),
            (1, false, None),
            (137, true, Some("killed, out of memory")),
            (
                137,
                false,
                Some("killed by SIGKILL, not for lack of memory"),
            ),
            (1, true, Some("out of memory")),
            (143, false, Some("ended by SIGTERM")),
            (139, false, Some("ended by SIGSEGV")),
            (127, false, Some("command not found")),
            (126, false, Some("the command cannot be executed")),
            (255, false, None),
            (i64::MAX, false, None),
        ] {
            assert_eq!(of_container(code, oom).as_deref(), meaning, "{code}");
        }
    }

    #[test]
    fn codes_of_services() {
        for (status, signalled, result, meaning) in [
            (0, false, "success", None),
            (3, false, "exit-code", None),
            (
                9,
                true,
                "oom-kill",
                Some("signal 9 (SIGKILL), out of memory"),
            ),
            (
                9,
                true,
                "signal",
                Some("signal 9 (SIGKILL), not for lack of memory"),
            ),
            (15, true, "signal", Some("signal 15 (SIGTERM)")),
            (
                6,
                true,
                "watchdog",
                Some("signal 6 (SIGABRT), its watchdog saw no sign of life"),
            ),
            (999, true, "signal", Some("signal 999")),
            (
                203,
                false,
                "exit-code",
                Some("its command cannot be executed, or is not there"),
            ),
            (127, false, "exit-code", Some("command not found")),
            (
                143,
                false,
                "exit-code",
                Some("what it ran was ended by SIGTERM"),
            ),
            (
                137,
                false,
                "exit-code",
                Some("what it ran was killed by SIGKILL"),
            ),
        ] {
            let said = of_service(status, signalled, result);
            assert_eq!(said.as_deref(), meaning, "{status} {result}");
        }
    }
}
