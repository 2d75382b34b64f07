//! What each help text ends with: examples, and what the symbols mean.

/// What the symbols at the beginning of a line mean, as in the first plan on a host.
macro_rules! legend {
    () => {
        "\
Symbols:
  +  create or start         ~  write, link or connect
  -  remove or stop          !  restart or reload; the line says what it interrupts
  ?  check a health gate     .  pull an image, or wait
"
    };
}

/// The legend of a plan's symbols.
pub(in crate::cli) const LEGEND: &str = legend!();

pub(super) const PROGRAM: &str = "\
Exit status:
  0   in sync, or applied and verified
  1   error, nothing was changed; plan: an apply would be refused
  2   drift, plan --detailed-exitcode: differences; check: findings; apply --unattended: skipped
  3   failed and rolled back
  4   failed, and the roll-back is incomplete
  5   applied, but a unit with `required = false` does not run
  64  wrong usage

Examples:
  watchme-apply check                   # check the files; changes nothing
  sudo watchme-apply plan               # show what an apply would do; changes nothing
  git pull && watchme-apply             # apply what was pulled
  sudo watchme-apply status             # show what runs";

pub(super) const PLAN: &str = concat!(
    legend!(),
    "
Examples:
  sudo watchme-apply plan                             # what an apply of HEAD would do
  sudo watchme-apply plan --rev BRANCH                # the same for a branch, without checking it out
  watchme-apply plan --from origin/main --to HEAD     # what a merge would do, without a host"
);

pub(super) const APPLY: &str = concat!(
    legend!(),
    "
Examples:
  git pull && watchme-apply                           # apply what was pulled
  watchme-apply apply --only site/api.example.com     # apply one site
  watchme-apply apply --root \"$(mktemp -d)\"           # try it on an empty folder"
);

pub(super) const CHECK: &str = "\
Examples:
  watchme-apply check
  watchme-apply check --rev BRANCH --deny warnings
  watchme-apply check --explain route-elsewhere";

pub(super) const PORTS: &str = "\
Examples:
  watchme-apply ports
  watchme-apply ports --free 8001-8099";

pub(super) const ROUTES: &str = "\
Examples:
  watchme-apply routes
  watchme-apply routes explain https://api.example.com/status";

pub(super) const EXPLAIN: &str = "\
Example:
  watchme-apply routes explain https://api.example.com/status";

pub(super) const DRIFT: &str = "\
Examples:
  sudo watchme-apply drift                            # report; exits with 2 if there is drift
  watchme-apply drift --fix                           # undo edits by hand
  watchme-apply drift --fix --only network            # only networks and their members";

pub(super) const ROLLBACK: &str = "\
Examples:
  sudo watchme-apply plan --to-generation 4           # what `rollback 4` would do
  watchme-apply rollback                              # to the generation before
  watchme-apply rollback 4";

pub(super) const HISTORY: &str = "\
Examples:
  sudo watchme-apply history
  sudo watchme-apply history 3..5                     # all commits from generation 3 to 5";

pub(super) const STATUS: &str = "\
Examples:
  sudo watchme-apply status
  sudo watchme-apply status --json";

pub(super) const PAUSE: &str = "\
Examples:
  watchme-apply pause blog --reason \"database moves\"
  watchme-apply pause blog --for 2h --reason \"free memory\"";

pub(super) const RESUME: &str = "\
Example:
  watchme-apply resume blog";

pub(super) const RECOVER: &str = "\
Example:
  watchme-apply recover                               # after a run that was killed";
