//! The unit in which this process runs.

/// Its name, as far as there is one.
pub(super) fn own_unit() -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    unit_of_cgroup(&text)
}

/// The service in whose control group a process is, from the text of /proc/PID/cgroup,
/// cgroups(7): version 2 has one line `0::PATH`, version 1 has one of systemd's own,
/// `N:name=systemd:PATH`. The last service of the path, since a user's manager is one as well.
fn unit_of_cgroup(text: &str) -> Option<String> {
    let path = |line: &str| -> Option<(bool, String)> {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        matches!(controllers, "" | "name=systemd")
            .then(|| (controllers.is_empty(), path.to_owned()))
    };
    // With both, version 1's line is the one that systemd keeps.
    let path = text.lines().filter_map(path).min_by_key(|(v2, _)| *v2)?.1;
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    Some(unit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::unit_of_cgroup;

    #[test]
    fn own_unit_in_both_versions() {
        let unit = |text| unit_of_cgroup(text);
        let v2 = "0::/system.slice/watchme-drift.service\n";
        assert_eq!(unit(v2).as_deref(), Some("watchme-drift.service"));
        let v1 = "4:memory:/system.slice/a.service\n1:name=systemd:/system.slice/b.service\n0::/\n";
        assert_eq!(unit(v1).as_deref(), Some("b.service"));
    }

    #[test]
    fn a_login_is_no_service() {
        assert_eq!(
            unit_of_cgroup("0::/user.slice/user-0.slice/session-1.scope"),
            None
        );
        assert_eq!(unit_of_cgroup(""), None);
        assert_eq!(unit_of_cgroup("9:name=systemd:/docker/ffcc"), None);
    }

    #[test]
    fn the_innermost_service_counts() {
        let text = "0::/user.slice/user@0.service/app.slice/own.service";
        assert_eq!(unit_of_cgroup(text).as_deref(), Some("own.service"));
        let delegated = "0::/system.slice/own.service/payload";
        assert_eq!(unit_of_cgroup(delegated).as_deref(), Some("own.service"));
    }
}
