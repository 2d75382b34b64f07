//! Chains of kills: an apply is killed, then the recovery of it, then an apply of the other side, a pause, a rollback, a
//! repair, in any order, by time and by call. Whatever comes, nginx can load what lies there, the next apply arrives, the
//! one after has nothing to do, and nothing is left behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::states::Side;
use super::walk::setting;
use super::walker::Walker;

/// How many chains `KILL_ALL=1` goes through: with three kills each on average, far more than a thousand kills.
const ALL: usize = 1000;
/// How long a sample is taken for, in seconds.
const SECONDS: usize = 60;
/// Hosts that may be lost before the rest is given up.
const LOST: usize = 5;

/// Calls at which a command may be killed, each with how many of them an apply makes at most.
const CALLS: [(&str, u64); 14] = [
    ("renameat", 100),
    ("renameat2", 2),
    ("symlinkat", 20),
    ("unlinkat", 60),
    ("mkdirat", 30),
    ("rmdir", 4),
    ("fsync", 100),
    ("fdatasync", 80),
    ("write", 200),
    ("writev", 40),
    ("sendto", 40),
    ("sendmsg", 120),
    ("openat", 250),
    ("openat2", 1000),
];

/// Numbers that follow from a seed.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn side(&mut self) -> Side {
        match self.below(2) {
            0 => Side::A,
            _ => Side::B,
        }
    }

    /// One killed command: `SIDE/COMMAND/HOW/WHAT`. The first one leaves the side at which the host is.
    fn link(&mut self, first: Option<Side>) -> String {
        let command = match self.below(20) {
            _ if first.is_some() => "apply",
            0..=5 => "apply",
            6..=11 => "recover",
            12..=14 => "rollback",
            15..=16 => "pause",
            17 => "resume",
            _ => "fix",
        };
        let side = match command {
            "apply" => first.map_or_else(|| self.side(), Side::other).name(),
            _ => "-",
        };
        let fault = match self.below(2) {
            0 => {
                let milliseconds = self.below(if command == "apply" { 3000 } else { 1500 }) + 5;
                format!("time/{}.{:03}", milliseconds / 1000, milliseconds % 1000)
            }
            _ => {
                let (call, most) = CALLS[self.below(CALLS.len() as u64) as usize];
                format!("call/{call}:{}", self.below(most) + 1)
            }
        };
        format!("{side}/{command}/{fault}")
    }

    /// A chain of one to five links for a host at a side, and the side at which it ends.
    fn chain(&mut self, at: Side) -> (Side, Vec<String>) {
        let length = self.below(5) + 1;
        let first = |number: u64| (number == 0).then_some(at);
        let links = (0..length).map(|number| self.link(first(number))).collect();
        (self.side(), links)
    }
}

#[test]
fn chains_of_kills_end_in_a_host_that_the_next_apply_converges() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = setting(
        "KILL_SEED",
        now.expect("a clock after 1970").as_secs() as usize % 100_000,
    );
    let all = setting(
        "KILL_CHAINS",
        if setting("KILL_ALL", 0) == 1 {
            ALL
        } else {
            usize::MAX
        },
    );
    let time = match all {
        usize::MAX => Duration::from_secs(setting("KILL_SECONDS", SECONDS) as u64),
        _ => Duration::MAX,
    };
    println!("seed {seed}");
    let (next, kills, lost) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let problems = Mutex::new(String::new());
    let went = AtomicUsize::new(0);
    let go = || {
        let mut walker = Walker::for_chains();
        let began = Instant::now();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= all || began.elapsed() > time || lost.load(Ordering::Relaxed) > LOST {
                return;
            }
            let (end, links) = Chance((seed as u64) << 20 | number as u64).chain(walker.at);
            let (bad, said) = walker.chain(end, &links);
            walker.at = end;
            went.fetch_add(1, Ordering::Relaxed);
            let killed = said.lines().filter(|line| line.ends_with(": 137")).count();
            kills.fetch_add(killed, Ordering::Relaxed);
            if std::env::var_os("KILL_TRACE").is_some() {
                println!(
                    "chain {number}: {} {}: {} killed {}",
                    links.join(" "),
                    end.name(),
                    killed,
                    bad.join("\n")
                );
            }
            if !bad.is_empty() {
                let text = format!(
                    "chain {number}: {} {}\n{said}\n{}\n",
                    links.join(" "),
                    end.name(),
                    bad.join("\n")
                );
                problems.lock().expect("no panic before").push_str(&text);
                lost.fetch_add(1, Ordering::Relaxed);
                walker = Walker::for_chains();
            }
        }
    };
    thread::scope(|scope| (0..setting("KILL_HOSTS", 2)).for_each(|_| drop(scope.spawn(go))));
    let problems = problems.into_inner().expect("no panic before");
    println!("{} chains, {} kills", went.into_inner(), kills.into_inner());
    assert!(problems.is_empty(), "{problems}");
}
