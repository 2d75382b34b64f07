//! The load. It runs inside a host, on its loopback, as a second life of this test program.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::support::{Caller, Host};

/// Requests of the stream, each on a connection of its own.
pub(super) const PER_SECOND: u64 = 100;

/// The generator stops by itself, whoever forgot it.
const BOUND: Duration = Duration::from_secs(15 * 60);
/// An answer that takes longer failed.
const PATIENCE: Duration = Duration::from_secs(5);
const SLOW_PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_ECHOES: Duration = Duration::from_millis(500);

/// Workers of the stream: one that waits for an answer must not stop the others.
const WORKERS: u32 = 4;
const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 80);
const PROGRAM: &str = "/srv/load";
/// Stands before the result, among what the test library prints.
const MARK: &str = "load saw: ";

/// What the load saw.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Answers of the stream that were right.
    pub requests: u64,
    /// Answers that took 20 s and were right.
    pub slow: u64,
    /// What came back through one websocket.
    pub echoes: u64,
    /// Everything that went wrong, with its time.
    pub failures: Vec<String>,
    /// The longest answer of the stream, in milliseconds.
    pub longest: u128,
    /// Processor time of the generator, in seconds.
    pub cpu: u64,
    /// How often each answer came.
    pub answers: BTreeMap<String, u64>,
}

/// The generator while it runs. It ends when this is dropped.
pub(super) struct Load {
    process: Child,
}

impl Load {
    pub(super) fn start(host: &Host) -> Self {
        let own = env::current_exe().expect("the path of this program");
        host.copy_program(&own, PROGRAM);
        let generate = [
            PROGRAM,
            "--exact",
            "load::generator::generate",
            "--ignored",
            "--nocapture",
        ];
        let line = host.inside(Caller::default(), &generate);
        let process = Command::new(&line[0])
            .args(&line[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nsenter runs");
        Self { process }
    }

    /// Ends it and returns what it saw.
    #[track_caller]
    pub(super) fn stop(mut self) -> Seen {
        drop(self.process.stdin.take());
        let output = self.process.wait_with_output().expect("its output");
        let text = String::from_utf8_lossy(&output.stdout);
        let result = text.lines().find_map(|line| line.split_once(MARK));
        let (_, result) = result.unwrap_or_else(|| panic!("no result of the load: {text}"));
        serde_json::from_str(result).expect("the result of the load")
    }
}

#[test]
#[ignore = "no test: the load generator, which other tests run inside a host"]
fn generate() {
    let generator = Arc::new(Generator::default());
    for worker in 0..WORKERS {
        let generator = generator.clone();
        thread::spawn(move || generator.stream(worker));
    }
    for run in [Generator::slow, Generator::websocket] {
        let generator = generator.clone();
        thread::spawn(move || run(&generator));
    }
    let until_closed = generator.clone();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        until_closed.stop.store(true, Ordering::Relaxed);
    });
    let begun = Instant::now();
    while !generator.stopped() && begun.elapsed() < BOUND {
        thread::sleep(Duration::from_millis(50));
    }
    generator.stop.store(true, Ordering::Relaxed);
    let mut seen = std::mem::take(&mut *generator.seen.lock().expect("what was seen"));
    seen.cpu = processor_seconds();
    println!(
        "{MARK}{}",
        serde_json::to_string(&seen).expect("the result")
    );
}

#[derive(Default)]
struct Generator {
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

impl Generator {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Asks for both sites in turn, evenly spread in time.
    fn stream(&self, worker: u32) {
        let pause = Duration::from_secs(1) * WORKERS / u32::try_from(PER_SECOND).unwrap_or(1);
        let mut next = Instant::now() + pause / WORKERS * worker;
        for name in ["app.example.com", "page.example.com"].iter().cycle() {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            next += pause;
            if self.stopped() {
                return;
            }
            let begun = Instant::now();
            let answer = get(name, "/", PATIENCE).and_then(|body| {
                let known = ["blue:1\n", "green:1\n"].contains(&body.as_str());
                match known || body.starts_with("page ") {
                    true => Ok(body),
                    false => Err(format!("answered {body:?}")),
                }
            });
            self.record(&format!("GET {name}/"), answer, |seen, body| {
                seen.requests += 1;
                seen.longest = seen.longest.max(begun.elapsed().as_millis());
                *seen.answers.entry(body.trim().to_owned()).or_default() += 1;
            });
        }
    }

    /// Always has one request under way.
    fn slow(&self) {
        while !self.stopped() {
            let begun = Instant::now();
            let answer = get("app.example.com", "/cgi-bin/slow", SLOW_PATIENCE).and_then(|body| {
                let right = ["blue:1\n", "green:1\n"].contains(&body.as_str());
                match right && begun.elapsed() >= Duration::from_secs(19) {
                    true => Ok(body),
                    false => Err(format!("answered {body:?} after {:?}", begun.elapsed())),
                }
            });
            if answer.is_err() {
                thread::sleep(Duration::from_secs(1));
            }
            self.record("GET slow", answer, |seen, _| seen.slow += 1);
        }
    }

    /// One connection for the whole time: RFC 6455, a text frame from a client, which comes back as it is.
    fn websocket(&self) {
        let echo = || -> io::Result<()> {
            let mut socket = connect(PATIENCE)?;
            let upgrade = "GET /socket HTTP/1.1\r\nHost: app.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            socket.write_all(upgrade.as_bytes())?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte)?;
                head.extend(byte);
            }
            if !head.starts_with(b"HTTP/1.1 101 ") {
                return Err(io::Error::other(
                    String::from_utf8_lossy(&head).into_owned(),
                ));
            }
            let frame = [0x81, 0x84, 0, 0, 0, 0, b'p', b'i', b'n', b'g'];
            while !self.stopped() {
                let mut back = [0; 10];
                socket.write_all(&frame)?;
                socket.read_exact(&mut back)?;
                if back != frame {
                    return Err(io::Error::other(format!("{back:?} came back")));
                }
                self.record("echo", Ok(()), |seen, ()| seen.echoes += 1);
                thread::sleep(BETWEEN_ECHOES);
            }
            Ok(())
        };
        if let Err(error) = echo() {
            self.record("websocket", Err::<(), _>(error.to_string()), |_, ()| {});
        }
    }

    fn record<T>(&self, what: &str, result: Result<T, String>, good: impl FnOnce(&mut Seen, T)) {
        // What was under way when the load ended is nobody's failure.
        if self.stopped() {
            return;
        }
        let mut seen = self.seen.lock().expect("what was seen");
        match result {
            Ok(value) => good(&mut seen, value),
            Err(why) => {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                seen.failures
                    .push(format!("{:.3} {what}: {why}", now.as_secs_f64()));
            }
        }
    }
}

fn connect(patience: Duration) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&SocketAddr::from(SERVER), PATIENCE)?;
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// The body of an answer 200. HTTP/1.0, so that a body is what comes until the connection ends.
fn get(name: &str, path: &str, patience: Duration) -> Result<String, String> {
    let exchange = || -> io::Result<String> {
        let mut socket = connect(patience)?;
        socket.write_all(format!("GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().map_err(|error| error.to_string())?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(answer.lines().next().unwrap_or("nothing came").to_owned()),
    }
}

/// proc_pid_stat(5): user and system time, fields 14 and 15, in ticks of 10 ms.
fn processor_seconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks / 100
}
