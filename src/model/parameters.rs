//! Kernel parameters, as sysctl.d(5) writes them.

/// Where the kernel has them, proc_sys(5).
pub const PARAMETERS: &str = "/proc/sys";

/// A line of a file of sysctl.d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterLine {
    /// A parameter that is set.
    Set {
        /// Its path below `/proc/sys`.
        name: String,
        /// Its value.
        value: String,
    },
    /// One whose name has wildcards, one that a wildcard leaves out, or one whose failure is ignored: systemd sets it, and
    /// nothing says what it has to be then.
    Loose,
    /// No assignment.
    Wrong,
}

/// The lines of a file that say something, each with its number from 1.
pub fn parameter_lines(text: &str) -> impl Iterator<Item = (usize, ParameterLine)> {
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']))
        .map(|(at, line)| (at + 1, parameter(line)))
}

fn parameter(line: &str) -> ParameterLine {
    let is_loose = line.starts_with('-');
    let Some((name, value)) = line.split_once('=') else {
        return match is_loose {
            true => ParameterLine::Loose,
            false => ParameterLine::Wrong,
        };
    };
    let name = path(name.trim());
    if name.is_empty() || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return ParameterLine::Wrong;
    }
    match is_loose || name.contains(['*', '?', '[']) {
        true => ParameterLine::Loose,
        false => ParameterLine::Set {
            name,
            value: plain(value),
        },
    }
}

/// The path of a name below `/proc/sys`. If a dot is the first separator, dots separate and slashes stand for dots,
/// sysctl.d(5).
fn path(name: &str) -> String {
    let first = name.find(['.', '/']).and_then(|at| name.as_bytes().get(at));
    let path: String = match first {
        Some(b'.') => name.chars().map(exchanged).collect(),
        _ => name.to_owned(),
    };
    path.trim_start_matches('/').to_owned()
}

fn exchanged(separator: char) -> char {
    match separator {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// The name that sysctl(8) prints.
pub fn parameter_name(path: &str) -> String {
    path.chars().map(exchanged).collect()
}

/// A value with one blank between its words: the kernel prints tabs.
pub fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_sysctl_d_5_says() {
        let set = |name: &str, value: &str| ParameterLine::Set {
            name: name.into(),
            value: value.into(),
        };
        let text = "# a comment\n; another\n\nvm.swappiness = 10\nnet/ipv4/ip_forward=1\nnet.ipv4.conf.eth0/7.rp_filter = 2\n\
                    net.ipv4.tcp_rmem = 4096\t131072   6291456\nnet.ipv4.conf.*.rp_filter = 1\n-net.ipv4.conf.all.rp_filter\n\
                    -kernel.odd = 1\nvm.swappiness\nnet/../../etc/passwd = 1\n= 3\n/kernel/pid_max = 9\n";
        let lines: Vec<_> = parameter_lines(text).collect();
        assert_eq!(
            lines,
            [
                (4, set("vm/swappiness", "10")),
                (5, set("net/ipv4/ip_forward", "1")),
                (6, set("net/ipv4/conf/eth0.7/rp_filter", "2")),
                (7, set("net/ipv4/tcp_rmem", "4096 131072 6291456")),
                (8, ParameterLine::Loose),
                (9, ParameterLine::Loose),
                (10, ParameterLine::Loose),
                (11, ParameterLine::Wrong),
                (12, ParameterLine::Wrong),
                (13, ParameterLine::Wrong),
                (14, set("kernel/pid_max", "9")),
            ]
        );
        assert_eq!(
            parameter_name("net/ipv4/conf/eth0.7/x"),
            "net.ipv4.conf.eth0/7.x"
        );
    }
}
