//! `[backup.NAME]`: what is backed up, where to, and how a restore is rehearsed.

mod read;

use serde::Deserialize;

use super::spanned::Spanned;
use super::values::{Age, Duration, FilePath, Name, NamedCommand, Program, Schedule, Size};
/// `[backup.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackupPolicy {
    /// The stack whose service is backed up.
    #[cfg_attr(test, schemars(example = &"db"))]
    pub stack: Option<Spanned<String>>,
    /// The unit that runs it, where that is no stack.
    #[cfg_attr(test, schemars(title = "unit name", example = &"db.service"))]
    pub unit: Option<Spanned<String>>,
    /// The service in its compose file. Not needed where there is only one.
    #[cfg_attr(test, schemars(example = &"postgres"))]
    pub service: Option<Spanned<String>>,
    /// Prints the backup: in the container of the service, or on the host if neither `stack` nor `unit` is set. With
    /// `volume`, it runs on the host while the volume is in use, and prints a snapshot of it.
    #[cfg_attr(test, schemars(example = ["pg_dump", "-U", "app", "-Fc", "app"]))]
    pub command: Option<Program>,
    /// The volume that is backed up, by its name in the engine. Units that use it are stopped meanwhile.
    #[cfg_attr(test, schemars(example = &"db_data"))]
    pub volume: Option<Spanned<String>>,
    /// Files and folders of the host that are backed up. Links are kept as links.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["/etc/letsencrypt"]))]
    pub files: Vec<FilePath>,
    /// The folder that gets the backups.
    #[cfg_attr(test, schemars(example = &"/srv/backups"))]
    pub to: Option<Spanned<FilePath>>,
    /// Gets each backup on its standard input, on the host; `{}` is its name.
    #[cfg_attr(test, schemars(example = ["rclone", "rcat", "offsite:backups/{}"]))]
    pub store: Option<NamedCommand>,
    /// Prints a backup that `store` has stored.
    #[cfg_attr(test, schemars(example = ["rclone", "cat", "offsite:backups/{}"]))]
    pub fetch: Option<NamedCommand>,
    /// Removes a backup that `store` has stored and that is no longer kept.
    ///
    /// Default: nothing removes them
    #[cfg_attr(test, schemars(example = ["rclone", "deletefile", "offsite:backups/{}"]))]
    pub remove: Option<NamedCommand>,
    /// Gets a backup on its standard input, where `command` runs, and restores it. Volumes and files need none.
    #[cfg_attr(test, schemars(example = ["pg_restore", "-U", "app", "-d", "app", "--clean", "--if-exists"]))]
    pub restore: Option<Program>,
    /// Secrets whose variables the commands get: files of `secrets/` with lines `NAME=VALUE`.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["restic.env"]))]
    pub environment: Vec<Spanned<String>>,
    /// How many of the last backups are kept. The last good one is always kept.
    #[cfg_attr(test, schemars(example = 7))]
    pub keep: u16,
    /// Also keep the last backup of each of the last N days.
    #[cfg_attr(test, schemars(example = 14))]
    pub keep_daily: u16,
    /// The same for weeks.
    #[cfg_attr(test, schemars(example = 8))]
    pub keep_weekly: u16,
    /// The same for months.
    #[cfg_attr(test, schemars(example = 12))]
    pub keep_monthly: u16,
    /// When it runs, as `OnCalendar=` in systemd.timer(5). A run that was missed while the server was off is made up for.
    ///
    /// Default: only `backup run NAME`
    #[cfg_attr(test, schemars(example = &"03:15"))]
    pub schedule: Option<Schedule>,
    /// Before an apply stops or replaces what is backed up, a backup is made if the last good one is older.
    ///
    /// Default: none is made
    #[cfg_attr(test, schemars(example = &"1h"))]
    pub before_change: Option<Duration>,
    /// `status` reports the backup as overdue if the last good one is older.
    ///
    /// Default: none is overdue
    #[cfg_attr(test, schemars(example = &"26h"))]
    pub max_age: Option<Age>,
    /// Longest time for a backup, a restore or a rehearsal.
    #[cfg_attr(test, schemars(example = &"2h"))]
    pub timeout: Duration,
    /// How a restore is rehearsed: see [backups](backups.md#rehearse-the-restore).
    pub rehearsal: Option<RehearsalPolicy>,
}

impl Default for BackupPolicy {
    fn default() -> Self {
        Self {
            stack: None,
            unit: None,
            service: None,
            command: None,
            volume: None,
            files: Vec::new(),
            to: None,
            store: None,
            fetch: None,
            remove: None,
            restore: None,
            environment: Vec::new(),
            keep: 7,
            keep_daily: 0,
            keep_weekly: 0,
            keep_monthly: 0,
            schedule: None,
            before_change: None,
            max_age: None,
            // A timer that waits for one would block applies for that long.
            timeout: Duration::seconds(60 * 60),
            rehearsal: None,
        }
    }
}

/// `[backup.NAME.rehearsal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RehearsalPolicy {
    /// When it runs, as `OnCalendar=` in systemd.timer(5).
    ///
    /// Default: only `restore NAME --into-scratch`
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"Sun 05:00"))]
    pub schedule: Option<Schedule>,
    /// Is run in the scratch container until it exits with 0; then the restore begins.
    ///
    /// Default: it begins when the container runs
    #[serde(default)]
    #[cfg_attr(test, schemars(example = ["pg_isready", "-h", "127.0.0.1"]))]
    pub ready: Option<Program>,
    /// How long that may take.
    #[serde(default = "ready_timeout")]
    #[cfg_attr(test, schemars(example = &"2m"))]
    pub ready_timeout: Duration,
    /// Restores into the scratch container; of a command of the host, into the empty folder where it is started.
    ///
    /// Default: `restore` of the backup
    #[serde(default)]
    #[cfg_attr(test, schemars(example = ["pg_restore", "-U", "app", "-d", "app"]))]
    pub restore: Option<Program>,
    /// Must exit with 0 in the scratch container once the restore is done; for files, in the folder that they are restored
    /// to.
    #[cfg_attr(test, schemars(example = ["psql", "-U", "app", "-tAc", "select count(*) > 0 from accounts"]))]
    pub gate: Program,
    /// What `gate` must print, apart from white space at both ends.
    ///
    /// Default: anything
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"t"))]
    pub expect: Option<Name>,
    /// `status` reports the rehearsal as overdue if the last good one is older.
    ///
    /// Default: none is overdue
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"8d"))]
    pub max_age: Option<Age>,
    /// The memory that the scratch container may use.
    #[serde(default = "memory")]
    #[cfg_attr(test, schemars(example = &"1G"))]
    pub memory: Size,
}

fn ready_timeout() -> Duration {
    Duration::seconds(60)
}

fn memory() -> Size {
    Size::bytes(512 * 1024 * 1024)
}
