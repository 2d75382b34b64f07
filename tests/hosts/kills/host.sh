#!/bin/sh
# What the tests of kills run inside a host, so that one point costs one command there: `sh kills COMMAND SIDE ...`.
# It answers in blocks, each with a headline `== NAME STATUS`.
set -u

checkout=/home/ubuntu/watchme-server-configs
store=/etc/watchme-apply
state=/var/lib/watchme-apply
trace=/run/trace
export SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu
cd "$checkout" || exit 1

# say NAME COMMAND...: the exit status of a command, and what it printed
say() {
    name=$1
    shift
    "$@" >/run/said 2>&1
    echo "== $name $?"
    cat /run/said
}

# The checkout has the revision of side $1. Its network and its certificates are not there yet, and files of somebody
# else stand where it puts a link. As many generations as are kept: a run that succeeds takes the oldest away.
prepare() {
    rm -rf $(find /etc -name '.watchme-apply-*'; find /tmp -maxdepth 1 -name '.tmp*') "/etc/pairs/$1" "$state/backups"
    runuser -u ubuntu -- git checkout -q "$1"
    docker network disconnect -f "kills-$1" lodger >/dev/null 2>&1 &&
        docker network rm "kills-$1" >/dev/null
    for path in "/etc/app/adopted-$1.conf" "/etc/nginx/snippets/adopted-$1.conf"; do
        mkdir -p "$(dirname "$path")"
        rm -f "$path"
        echo "# of somebody else" >"$path"
        chown www-data: "$path"
        chmod 0640 "$path"
    done
    cd "$store/generations" 2>/dev/null || return
    first=$(ls | sort -n | head -1)
    count=$(ls | wc -l)
    while [ "$count" -lt 20 ] && [ "$first" -gt 1 ]; do
        cp -al "$first" $((first - 1))
        first=$((first - 1))
        count=$((count + 1))
    done
    cd "$checkout"
}

# Names of generations, times, keys and what a run calls itself differ from run to run. What a run leaves in `next` and
# in `undo` once its journal is gone, or of a record that it was writing, is of no use to anybody, and goes with the
# next run that changes something.
files() {
    find /etc/nginx /etc/systemd/system /etc/app /etc/pairs "$store" "$state" /tmp \
        \( -path "$store/generations/*" -o -path "$store/next" -o -path "$store/live/.leaving" -o -path "$state/undo" -o -path "$state/backups" \
        -o -path "$state/lock" -o -path "$state/.watchme-apply-*" -o -path "$state/attempts.json" -o -path '/tmp/systemd-*' \) -prune -o -printf '%y %m %U:%G %p -> %l\n' | sort
    sed 's/"generation": [0-9]*/"generation": N/' "$state/inventory.json" | sha256sum
    find /etc/nginx /etc/systemd/system /etc/app "$store/live" -type f ! -name .run ! -path '*/.leaving/*' \
        -exec sha256sum {} + | sort -k 2
    test ! -s "$state/journal" || cat "$state/journal"
    # A run that was killed behind its commit has left the oldest one to the next run.
    ls -A "$store/generations" | sed 's/^[0-9]*$/N/' | sort | head -n "${kept:-20}" | uniq -c
}

units() {
    systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,Environment \
        same.service served.service dropped.service reader.service script.service web.service tick.timer tick.service \
        only-a.service only-b.service inst@a.service inst@b.service nginx.service docker.service
    systemctl show -P TimersCalendar tick.timer | sed 's/next_elapse=.*//'
    systemctl list-units --failed --plain --no-legend
    pgrep -ax sleep | cut -d' ' -f2- | grep '^/bin/sleep' | sort
    pgrep -ax busybox | cut -d' ' -f2- | grep 9001
}

# What nginx has loaded is what it answers, and what it would load is the same.
pages() {
    curl -sk -m 5 -D - --noproxy '*' -w ' %{http_code}\n' --resolve '*:80:127.0.0.1' --resolve '*:443:127.0.0.1' \
        http://user.example.com/ https://only-a.example.com/ https://only-b.example.com/ |
        grep -v -i -E '^(date|last-modified|etag|server|connection)' | tr -d '\r'
    nginx -T 2>/dev/null | sha256sum
}

containers() {
    docker ps -a --format '{{.Names}} {{.Image}} {{.State}}' | sort
    docker network inspect $(docker network ls --format '{{.Name}}' | grep ^kills- | sort) --format \
        '{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}{{range .Containers}} {{.Name}}{{end}}' | sed 's/web_web_1 lodger/lodger web_web_1/'
}

# Runs that nothing may end: of a unit that does not change, and of nginx.
identity() {
    systemctl show -P InvocationID same.service
    cat /run/nginx.pid
}

# Everything that can be seen of the host, without the tool.
look() {
    files
    units
    pages
    containers
    [ "${rebooted:-}" ] || identity
}

# inject CALL WHAT: runs an apply with a fault in the main thread, which is all of the program but its children.
inject() {
    rm -f $trace
    timeout 120 strace -qq -y -s 300 -o $trace -e "trace=$1" -e "inject=$1:$2" watchme-apply apply >/run/first 2>&1
    first=$?
    echo "== hit $first"
    grep -E '= \?$|INJECTED' $trace | tail -n 1
    # How many programs had been started by then, that one included.
    echo "== programs 0"
    awk '/CLONE_VFORK/ { n++ } /INJECTED/ { exit } END { print n + 0 }' $trace
    echo "== first $first"
    cat /run/first
}

# after CALL NUMBER: the call is made, and the program is killed 0.2 s later, without having learnt how it ended.
after() {
    rm -f $trace
    strace -qq -y -s 300 -o $trace -e "trace=$1" -e "inject=$1:delay_exit=1500000:when=$2" \
        watchme-apply apply >/run/first 2>&1 &
    tries=0
    until grep -q DELAYED $trace 2>/dev/null || [ $tries -gt 1200 ] || ! kill -0 $! 2>/dev/null; do
        tries=$((tries + 1))
        sleep 0.05
    done
    sleep 0.2
    kill -KILL $(pgrep -P $!)
    wait $!
    first=$?
    echo "== hit $first"
    grep DELAYED $trace
    echo "== first $first"
    cat /run/first
}

# What has to hold after a kill on the way to side $1.
converge() {
    say tested nginx -t
    say second timeout 120 watchme-apply apply
    say third timeout 60 watchme-apply apply
    compare "$1"
}

compare() {
    kept=20 look >/run/looks
    say compared diff "/root/at-$1" /run/looks
}

# What a chain of kills may not change: all that can be seen of the host but what counts runs.
picture() {
    find /etc/nginx /etc/systemd/system /etc/app /etc/pairs "$store" "$state" /tmp \
        \( -path "$store/generations/*" -o -path "$state/*" -o -path '/tmp/systemd-*' \) -prune -o -printf '%y %m %U:%G %p -> %l\n' | sort
    sed 's/"generation": [0-9]*/"generation": N/' "$state/inventory.json" | sha256sum
    find /etc/nginx /etc/systemd/system /etc/app "$store/live" -type f ! -name .run -exec sha256sum {} + | sort -k 2
    units
    pages
    containers
}

# What no run leaves behind once the next one has ended.
leftovers() {
    ls -d "$store/next" "$store/live/.leaving" "$state/undo" "$state/journal" "$store/generations/.unfinished" 2>/dev/null
    find /etc "$state" -name '.watchme-apply-*'
    find /tmp -maxdepth 1 -name '.tmp*'
    true
}

# link SIDE COMMAND HOW WHAT: checks a side out, unless it is `-`, and kills a command: at a `time`, or at a `call`.
link() {
    [ "$1" = - ] || runuser -u ubuntu -- git checkout -q "$1"
    case $2 in
    pause) set -- "$1" "$2" "$3" "$4" pause reader.service --reason chain ;;
    resume) set -- "$1" "$2" "$3" "$4" resume reader.service ;;
    fix) set -- "$1" "$2" "$3" "$4" drift --fix ;;
    *) set -- "$1" "$2" "$3" "$4" "$2" ;;
    esac
    how=$3
    what=$4
    shift 4
    case $how in
    time) timeout -s KILL "$what" watchme-apply "$@" >/run/link 2>&1 ;;
    call) timeout 120 strace -qq -o $trace -e "trace=${what%:*}" -e "inject=${what%:*}:signal=KILL:when=${what#*:}" watchme-apply "$@" >/run/link 2>&1 ;;
    esac
    echo "$* $how $what: $?"
    nginx -t >/run/tested 2>&1 || { cat /run/tested; cat /run/link; return 1; }
}

# chain END LINK...: all links, then an apply of side END, and another one that has nothing to do.
chain() {
    end=$1
    shift
    bad=0
    : >/run/chain
    for one in "$@"; do
        link $(echo "$one" | tr / ' ') >>/run/chain 2>&1 || bad=1
    done
    echo "== links $bad"
    cat /run/chain
    runuser -u ubuntu -- git checkout -q "$end"
    watchme-apply resume reader.service >/dev/null 2>&1
    say final timeout 200 watchme-apply apply
    say tested nginx -t
    say again timeout 60 watchme-apply apply
    leftovers >/run/left
    say leftovers sh -c 'cat /run/left; test ! -s /run/left'
    picture >/run/looks
    say compared diff "/root/chain-$end" /run/looks
}

# A stand-in for docker-compose, which takes a second of the processor each time: the tool itself never calls it.
write_compose() {
    cat >/usr/bin/docker-compose <<'END'
#!/bin/sh
# docker-compose -f FILE up|down
label=com.docker.compose
docker rm -f web_web_1 >/dev/null 2>&1
if [ "$3" = up ]; then
    docker run --rm --name web_web_1 --label $label.project=web --label $label.service=web \
        --label $label.oneoff=False --label $label.container-number=1 "$(sed -n 's/.*image: //p' "$2")"
fi
exit 0
END
    chmod 0755 /usr/bin/docker-compose
}

case $1 in
set-up)
    write_compose
    mkdir -p /srv/a /srv/b /etc/pairs
    echo page a >/srv/a/index.html
    echo page b >/srv/b/index.html
    docker tag web:a lodger:1
    docker run -d --name lodger --restart always lodger:1 >/dev/null
    ;;
widen) # the first generation gets a number that leaves room below it
    cd "$store/generations" && mv 1 101 && sed -i 's/"number": 1,/"number": 101,/' 101/desired.json
    ;;
apply) # SIDE
    prepare "$2"
    say first timeout 120 watchme-apply apply
    ;;
remember) # SIDE: what the host looks like there, and before a run to the OTHER side begins
    look >"/root/at-$2"
    prepare "$3"
    look >"/root/before-$3"
    ;;
compare) # SIDE
    compare "$2"
    ;;
count) # SIDE CALLS: an apply with all calls that change something
    prepare "$2"
    timeout 120 strace -qq -y -s 300 -o $trace -e "trace=$3" watchme-apply apply >/run/first 2>&1
    echo "== first $?"
    cat /run/first
    echo "== trace 0"
    cat $trace
    ;;
kill) # SIDE CALL NUMBER
    prepare "$2"
    inject "$3" "signal=KILL:when=$4"
    converge "$2"
    ;;
after) # SIDE CALL NUMBER
    prepare "$2"
    after "$3" "$4"
    converge "$2"
    ;;
fail) # SIDE CALL NUMBER ERROR
    prepare "$2"
    inject "$3" "error=$5:when=$4"
    if [ $first = 0 ]; then
        compare "$2"
    else
        look >/run/looks
        say compared diff "/root/before-$2" /run/looks
    fi
    ;;
picture) # SIDE: what the host looks like there
    picture >"/root/chain-$2"
    ;;
chain) # END LINK...
    shift
    chain "$@"
    ;;
mend) # SIDE: away with what a point has left behind, so that the next one shows only its own
    rm -rf "$store/next" "$state/undo" "$store/generations/.unfinished"
    runuser -u ubuntu -- git checkout -q "$2"
    say first timeout 120 watchme-apply apply
    compare "$2"
    ;;
mend-back) # SIDE OTHER: the same after a run to the OTHER side that failed
    rm -rf "$store/next" "$state/undo" "$store/generations/.unfinished"
    runuser -u ubuntu -- git checkout -q "$2"
    say first timeout 120 watchme-apply apply
    prepare "$3"
    look >/run/looks
    say compared diff "/root/before-$3" /run/looks
    ;;
esac
echo "== end 0"
