#!/usr/bin/env bash
# The first command on a new server, and on every later one: installs what is missing, installs
# watchme-apply, points out old cron jobs, and hands everything else to `watchme-apply apply`. A server that has another
# repository's desired state keeps it: then it installs, and says what to run.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
installed=/usr/local/bin/watchme-apply
compose=/usr/bin/docker-compose
needed_kib=$((2 * 1024 * 1024))
old_jobs='check-infrastructure\.sh|network_monitor\.py'
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

binary='' yes='' offline='' state='' take_over=''
pass=() where=()

usage() {
    cat <<'END'
Usage: ./setup_server.sh [--binary FILE] [--yes] [arguments of watchme-apply apply]

  --binary FILE   install this watchme-apply instead of building it
  --yes           ask nothing: install missing packages, and apply
  --root DIR      work on an offline root: no root needed, nothing installed,
                  nothing written but DIR and the target/ folder of this checkout
  --help          this text

Everything else goes to `watchme-apply apply` (see `watchme-apply apply --help`).
Without --desired-state the desired-state folder beside this script is applied.
END
}

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --binary) [ $# -ge 2 ] || { echo 'error: --binary needs a FILE' >&2; exit 64; }
                      binary=$2; shift ;;
            --binary=*) binary=${1#*=} ;;
            --yes) yes=1; pass+=(--yes) ;;
            --take-over) take_over=1; pass+=(--take-over) ;;
            -h | --help) usage; exit 0 ;;
            --) shift; pass+=("$@"); break ;;
            --root | --root=*) offline=1; pass+=("$1") ;;
            --desired-state) state=1; pass+=("$1"); where=("$1" "${2:-}") ;;
            --desired-state=*) state=1; pass+=("$1"); where=("$1") ;;
            *) pass+=("$1") ;;
        esac
        shift
    done
    # The working directory is never changed, so relative paths stay the caller's.
    [ -n "$state" ] || [ -n "${WATCHME_DESIRED_STATE:-}" ] || where=(--desired-state "$here/desired-state")
    [ -n "$state" ] || pass+=("${where[@]}")
}

# As root, through sudo where needed, and never without saying so.
as_root() {
    if [ "$EUID" -eq 0 ]; then
        "$@"
    else
        have sudo || fail "not root, and there is no sudo to run: $*"
        say "with sudo: $*" >&2
        sudo -- "$@"
    fi
}

# ---- packages

compose_plugin() {
    local file
    for file in /usr/local/bin/docker-compose /usr/{libexec,lib}/docker/cli-plugins/docker-compose; do
        [ -x "$file" ] && printf '%s\n' "$file" && return
    done
    return 1
}

in_archive() { apt-cache show "$1" >/dev/null 2>&1; }

missing_packages() {
    have nginx || echo nginx
    # Where the kernel has AppArmor, the engine starts no container without its parser.
    have dockerd || printf '%s\n' docker.io apparmor ca-certificates
    [ -x "$compose" ] || compose_plugin >/dev/null || echo docker-compose
    have git || echo git
}

install_packages() {
    local packages family
    mapfile -t packages < <(missing_packages)
    if [ ${#packages[@]} -gt 0 ]; then
        # shellcheck disable=SC1091
        family=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") || family=''
        case " $family " in
            *' debian '* | *' ubuntu '*) ;;
            *) fail "missing: ${packages[*]}" 'this script installs packages on Debian and Ubuntu only: install them yourself, then run it again' ;;
        esac
        say "missing; would install with apt-get: ${packages[*]}"
        if [ -z "$yes" ]; then
            [ -t 0 ] || fail 'there is no terminal to ask on' 'run again with --yes to install them'
            local answer=''
            read -r -p 'Install them? [y/N] ' answer || true
            [[ $answer == [yY]* ]] || fail 'nothing was installed' "install these yourself, then run it again: ${packages[*]}"
        fi
        say 'updating the package lists'
        as_root apt-get update -qq
        # Ubuntu has compose v2 under another name, and Debian 13 the docker command.
        if [[ " ${packages[*]} " == *' docker-compose '* ]] && in_archive docker-compose-v2; then
            packages=("${packages[@]/%docker-compose/docker-compose-v2}")
        fi
        if [[ " ${packages[*]} " == *' docker.io '* ]] && in_archive docker-cli; then
            packages+=(docker-cli)
        fi
        say "installing: ${packages[*]}"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
    fi
    # The units start /usr/bin/docker-compose. Compose v2 installed as a plugin runs under that name too.
    if [ ! -x "$compose" ]; then
        local plugin
        plugin=$(compose_plugin) || fail "there is no $compose"
        say "linking $compose to $plugin"
        as_root ln -sfn -- "$plugin" "$compose"
    fi
}

# ---- the binary

newer_than_sources() {
    [ -x "$1" ] && [ -z "$(find "$here/src" "$here/Cargo.toml" "$here/Cargo.lock" -newer "$1" -print -quit)" ]
}

# Builds as the person, not as root, and so with that person's cargo.
as_builder() {
    if [ "$EUID" -eq 0 ] && [ "${SUDO_USER:-root}" != root ]; then
        sudo -u "$SUDO_USER" -H -- "$@"
    else
        "$@"
    fi
}

# $1: a command; the rest: its arguments. Finds rustup's cargo in shells that have not read ~/.profile.
# shellcheck disable=SC2016
cargo_shell() { as_builder bash -c 'PATH=$PATH:$HOME/.cargo/bin; cd "$0" && exec "$@"' "$here" "$@"; }

elsewhere() {
    printf '%s\n' 'or build on a machine with more memory: scripts/build-release, then' \
        "scp target/$(uname -m)-unknown-linux-gnu/release/watchme-apply SERVER: , and here ./setup_server.sh --binary FILE"
}

# Sets $binary to a watchme-apply that fits the sources, or to the installed one where none can be built.
find_binary() {
    local candidate rust
    if [ -n "$binary" ]; then
        [[ $binary == */* ]] || binary=./$binary
        [ -f "$binary" ] || fail "--binary: there is no file $binary"
        [ -z "$offline" ] || [ -x "$binary" ] || fail "--binary: $binary is not executable" "chmod +x $binary"
        return
    fi
    local candidates=("$here/target/$(uname -m)-unknown-linux-gnu/release/watchme-apply" "$here/target/release/watchme-apply")
    [ -n "$offline" ] || candidates+=("$installed")
    for candidate in "${candidates[@]}"; do
        if newer_than_sources "$candidate"; then
            binary=$candidate
            say "using $binary: newer than the sources"
            return
        fi
    done

    local available problem='' hints=()
    available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
    rust=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$here/Cargo.toml")
    mapfile -t hints < <(elsewhere)
    if [ "${available:-0}" -lt "$needed_kib" ]; then
        problem="not building: $((${available:-0} / 1024)) MiB of memory are free, and it takes 2048"
        hints[0]=${hints[0]#or }
    elif ! cargo_shell cargo --version >/dev/null 2>&1; then
        problem="not building: there is no cargo (Rust $rust or newer)"
        hints=("install it from https://rustup.rs and run this again" "${hints[@]}")
    elif ! cargo_shell cc --version >/dev/null 2>&1; then
        problem='not building: there is no C compiler'
        hints=('sudo apt-get install gcc libc6-dev, and run this again' "${hints[@]}")
    fi
    if [ -n "$problem" ]; then
        if [ -n "$offline" ] || [ ! -x "$installed" ]; then fail "$problem" "${hints[@]}"; fi
        say "$problem; going on with $installed, which is older than the sources"
        printf 'hint: %s\n' "${hints[@]}" >&2
        binary=$installed
        return
    fi
    say 'building the release binary into target/ (some minutes the first time)'
    cargo_shell cargo build --release --locked --bin watchme-apply --target-dir "$here/target" ||
        fail 'the build failed' "it needs Rust $rust or newer: rustup update" "${hints[@]}"
    binary=$here/target/release/watchme-apply
}

install_binary() {
    if [ "$binary" -ef "$installed" ] || cmp -s -- "$binary" "$installed"; then
        say "$installed is up to date"
        return
    fi
    say "installing $binary as $installed"
    # A rename at the end: the drift timer may start it at any moment.
    as_root install -D -m 0755 -- "$binary" "$installed.new"
    "$installed.new" --version >/dev/null 2>&1 || {
        as_root rm -f -- "$installed.new"
        fail "$binary does not run here ($(uname -m))" "$(elsewhere | tail -n 1)"
    }
    as_root mv -f -- "$installed.new" "$installed"
}

# ---- what the old set-up left behind

crontab_of() {
    if [ "$1" = "$(id -un)" ]; then crontab -l
    else as_root crontab -u "$1" -l; fi
}

point_out_old_jobs() {
    local user file sudo=''
    [ "$(id -un)" = root ] && [ -z "${SUDO_USER:-}" ] || sudo='sudo '
    say 'looking for old cron jobs'
    if have crontab; then
        for user in $(printf '%s\n' root "${SUDO_USER:-}" "$(id -un)" | sort -u); do
            crontab_of "$user" 2> >(grep -v '^no crontab' >&2) | grep -E "^[^#]*($old_jobs)" >/dev/null || continue
            say "the crontab of $user still runs the old checks; watchme-drift.timer does their work. To remove them:"
            printf '  %scrontab -u %s -l | grep -vE '\''%s'\'' | %scrontab -u %s -\n' "$sudo" "$user" "$old_jobs" "$sudo" "$user"
        done
    fi
    for file in /etc/crontab /etc/cron.d/*; do
        grep -qsE "^[^#]*($old_jobs)" "$file" || continue
        say "$file still runs the old checks; watchme-drift.timer does their work. To remove them:"
        printf '  %ssed -i -E '\''/%s/d'\'' %s\n' "$sudo" "$old_jobs" "$file"
    done
}

# Whether this server has the desired state of another repository.
is_anothers() {
    local said
    [ -z "$take_over" ] || return 1
    said=$(LC_ALL=C as_root "$installed" plan "${where[@]}" 2>&1 >/dev/null) && return 1
    [[ $said == *' is another repository; nothing was changed'* ]] || return 1
    printf '%s\n' "$said" | sed -n 's/^error: /setup: /p'
}

parse_arguments "$@"
if [ -n "$offline" ]; then
    find_binary
    say "running $binary apply ${pass[*]}"
    exec "$binary" apply "${pass[@]}"
fi
install_packages
find_binary
install_binary
point_out_old_jobs
if is_anothers; then
    say "installed, and nothing was applied; to give this server to the desired state here:"
    printf '  %s apply --take-over %s\n' "$installed" "${where[*]}"
    exit 0
fi
say "running $installed apply ${pass[*]}"
exec "$installed" apply "${pass[@]}"
