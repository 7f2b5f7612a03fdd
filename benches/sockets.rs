//! Ten thousand sockets: a process that holds them, so that its CPU is nobody's, and the side that starts it.
//!
//! Each socket is a task with a few kilobytes: a WebSocket library's buffers would be most of the machine's memory.

use std::{
    cell::{Cell, RefCell},
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpSocket, TcpStream},
    process::{ChildStdout, Command},
    sync::Semaphore,
    task::LocalSet,
};

use crate::{
    Failure,
    driver::quantile,
    processes::{Process, tail},
};

/// Sockets that are opened at the same time.
const OPENING: usize = 64;
/// Sockets of one source address: there are 28,000 ports for each.
const PER_ADDRESS: usize = 20_000;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    path: String,
    #[arg(long)]
    count: usize,
    /// Messages that a socket gets before it counts as open.
    #[arg(long)]
    greetings: usize,
    /// Messages that arrive, over all sockets, before they are summed up.
    #[arg(long)]
    expect: usize,
}

/// What the process tells, a line each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// All sockets are open, after so many seconds.
    Open(f64),
    /// The first message about an event.
    First(String),
    /// As many as expected have arrived.
    Arrived(Arrivals),
}

/// From `recordedAt` to the last byte at the socket.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Arrivals {
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

struct Seen {
    expect: usize,
    open: Cell<usize>,
    first: Cell<bool>,
    arrivals: RefCell<Vec<f64>>,
    /// The `recordedAt` that was read last, and its microseconds: all sockets get the same.
    recorded: RefCell<(Vec<u8>, i64)>,
}

impl Seen {
    fn event(&self, message: &[u8]) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as i64;
        let text = std::str::from_utf8(message)?;
        let (from, to) = recorded_at(text).ok_or_else(|| format!("a message without recordedAt: {text}"))?;
        let text_of = text.get(from..to).unwrap_or_default();
        let mut recorded = self.recorded.borrow_mut();
        if recorded.0 != text_of.as_bytes() {
            *recorded = (text_of.into(), chrono::DateTime::parse_from_rfc3339(text_of)?.timestamp_micros());
        }
        if !self.first.replace(true) {
            tell(&Line::First(text.to_owned()))?;
        }
        let mut arrivals = self.arrivals.borrow_mut();
        arrivals.push((now - recorded.1) as f64 / 1000.0);
        if arrivals.len() == self.expect {
            arrivals.sort_by(f64::total_cmp);
            tell(&Line::Arrived(Arrivals {
                count: arrivals.len(),
                p50_ms: quantile(&arrivals, 0.5),
                p99_ms: quantile(&arrivals, 0.99),
                max_ms: quantile(&arrivals, 1.0),
            }))?;
            arrivals.clear();
        }
        Ok(())
    }
}

/// Where the moment of an event's message stands in it.
pub fn recorded_at(message: &str) -> Option<(usize, usize)> {
    const KEY: &str = "\"recordedAt\":\"";
    let from = message.find(KEY)? + KEY.len();
    let length = message.get(from..)?.find('"')?;
    Some((from, from + length))
}

fn tell(line: &Line) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    Ok(out.flush()?)
}

/// A client's frames are masked; a mask of zeros leaves them as they are.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Socket {
    async fn open(number: usize, arguments: &Arguments) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        let source = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + 1 + (number / PER_ADDRESS) as u32);
        // Ports of a run before wait a minute for what may still come to them, which here is nothing.
        socket.set_reuseaddr(true)?;
        socket.bind((source, 0).into())?;
        let mut stream = socket.connect(arguments.address).await?;
        stream.set_nodelay(true)?;
        let upgrade = format!(
            "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n",
            arguments.path
        );
        stream.write_all(upgrade.as_bytes()).await?;
        let mut this = Self { stream, buffer: Vec::with_capacity(1024) };
        let head = loop {
            if let Some(at) = this.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            this.more().await?;
        };
        if !this.buffer.starts_with(b"HTTP/1.1 101 ") {
            return Err(format!("no WebSocket: {}", String::from_utf8_lossy(&this.buffer)).into());
        }
        this.buffer.drain(..head);
        Ok(this)
    }

    async fn more(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 { Err("a socket was closed".into()) } else { Ok(()) }
    }

    /// Opcode, where the payload begins and where it ends, once the whole frame is there.
    fn whole(&self) -> Option<(u8, usize, usize)> {
        let (first, second) = (*self.buffer.first()?, *self.buffer.get(1)?);
        let (length, from) = match second {
            126 => (u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?).into(), 4),
            127 => (usize::try_from(u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?)).ok()?, 10),
            short => (short.into(), 2),
        };
        (self.buffer.len() >= from + length).then_some((first & 0x0f, from, from + length))
    }

    /// The next text message is given to `read`; pings are answered.
    async fn next<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
        loop {
            let Some((opcode, from, to)) = self.whole() else {
                self.more().await?;
                continue;
            };
            let payload = self.buffer.get(from..to).unwrap_or_default();
            match opcode {
                1 => {
                    let result = read(payload);
                    self.buffer.drain(..to);
                    return Ok(result);
                }
                9 => {
                    let pong = frame(10, payload);
                    self.stream.write_all(&pong).await?;
                    self.buffer.drain(..to);
                }
                _ => return Err(format!("closed: {}", String::from_utf8_lossy(payload)).into()),
            }
        }
    }
}

async fn follow(
    number: usize,
    arguments: Rc<Arguments>,
    hello: Rc<Vec<Vec<String>>>,
    seen: Rc<Seen>,
    opening: Rc<Semaphore>,
) -> Result<(), Failure> {
    let permit = opening.acquire().await?;
    let mut socket = Socket::open(number, &arguments).await?;
    for text in hello.get(number % hello.len().max(1)).into_iter().flatten() {
        socket.stream.write_all(&frame(1, text.as_bytes())).await?;
    }
    for _ in 0..arguments.greetings {
        let fault = socket.next(|text| {
            let refused = text.windows(8).any(|part| part == b"\"errors\"" || part == b"\"error\",");
            refused.then(|| String::from_utf8_lossy(text).into_owned())
        });
        if let Some(fault) = fault.await? {
            return Err(fault.into());
        }
    }
    drop(permit);
    seen.open.set(seen.open.get() + 1);
    loop {
        socket.next(|message| seen.event(message)).await??;
    }
}

/// The process that holds the sockets. On its standard input: what each of them says first, as lists of messages in
/// JSON, of which they take one in turn.
pub async fn hold(arguments: Arguments) -> Result<(), Failure> {
    let hello: Vec<Vec<String>> = serde_json::from_reader(std::io::stdin().lock())?;
    let seen = Rc::new(Seen {
        expect: arguments.expect,
        open: Cell::new(0),
        first: Cell::new(false),
        arrivals: RefCell::new(Vec::with_capacity(arguments.expect)),
        recorded: RefCell::default(),
    });
    let (arguments, hello, opening) = (Rc::new(arguments), Rc::new(hello), Rc::new(Semaphore::new(OPENING)));
    let began = Instant::now();
    let sockets = LocalSet::new();
    let (failed, mut failure) = tokio::sync::mpsc::unbounded_channel::<Failure>();
    for number in 0..arguments.count {
        let (arguments, hello, seen) = (Rc::clone(&arguments), Rc::clone(&hello), Rc::clone(&seen));
        let (opening, failed) = (Rc::clone(&opening), failed.clone());
        sockets.spawn_local(async move {
            if let Err(error) = follow(number, arguments, hello, seen, opening).await {
                let _ = failed.send(error);
            }
        });
    }
    let watching = async {
        let mut told = 0;
        while seen.open.get() < arguments.count {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if seen.open.get() / 2000 > told {
                told = seen.open.get() / 2000;
                eprintln!("{} sockets open", seen.open.get());
            }
        }
        tell(&Line::Open(began.elapsed().as_secs_f64()))?;
        std::future::pending::<Result<(), Failure>>().await
    };
    sockets
        .run_until(async {
            tokio::select! {
                error = failure.recv() => Err(error.unwrap_or_else(|| "no sockets".into())),
                failed = watching => failed,
            }
        })
        .await
}

/// The other side: a process that holds sockets.
pub struct Sockets {
    // Ends with this.
    _process: Process,
    lines: Lines<BufReader<ChildStdout>>,
    /// The first message about an event.
    pub first: Option<String>,
    /// How long it took to open all of them, in seconds.
    pub opened_in: f64,
}

/// Sockets to open.
pub struct Wanted<'a> {
    pub address: SocketAddr,
    pub path: &'a str,
    pub count: usize,
    pub greetings: usize,
    pub expect: usize,
    pub hello: Vec<Vec<String>>,
}

impl Sockets {
    /// Opens them all.
    pub async fn open(wanted: Wanted<'_>, log: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["sockets", "--address", &wanted.address.to_string(), "--path", wanted.path])
            .args(["--count", &wanted.count.to_string(), "--greetings", &wanted.greetings.to_string()])
            .args(["--expect", &wanted.expect.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Process::start(command, log)?;
        let mut stdin = process.child.stdin.take().ok_or("no standard input")?;
        stdin.write_all(&serde_json::to_vec(&wanted.hello)?).await?;
        drop(stdin);
        let lines = BufReader::new(process.child.stdout.take().ok_or("no standard output")?).lines();
        let mut this = Self { _process: process, lines, first: None, opened_in: 0.0 };
        match this.line(Duration::from_secs(180), log).await? {
            Line::Open(seconds) => this.opened_in = seconds,
            other => return Err(format!("unexpected: {other:?}").into()),
        }
        Ok(this)
    }

    async fn line(&mut self, within: Duration, log: &Path) -> Result<Line, Failure> {
        let line = tokio::time::timeout(within, self.lines.next_line())
            .await
            .map_err(|_| format!("no word of the sockets within {within:?}:\n{}", tail(log)))??
            .ok_or_else(|| format!("the sockets' process ended:\n{}", tail(log)))?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits until as many as expected have arrived.
    pub async fn arrivals(&mut self, log: &Path) -> Result<Arrivals, Failure> {
        loop {
            match self.line(Duration::from_secs(60), log).await? {
                Line::First(text) => self.first = Some(text),
                Line::Arrived(arrivals) => return Ok(arrivals),
                Line::Open(_) => {}
            }
        }
    }
}
