//! An HTTP/1.1 client that costs little: requests are bytes made beforehand, connections stay open, one request at a
//! time on each (a closed loop).

use std::{
    cell::Cell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Failure;

/// A request without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A request with a JSON body; `head` is further header lines, each with its line end.
pub fn post(path: &str, head: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// The body of the answer; anything but status 200 is a failure.
    pub async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if head.is_none() {
                head = self.buffer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            }
            let Some(head) = head else { continue };
            let length = content_length(self.buffer.get(..head).unwrap_or_default())?;
            if self.buffer.len() < head + length {
                continue;
            }
            let body = self.buffer.get(head..head + length).unwrap_or_default();
            return if self.buffer.starts_with(b"HTTP/1.1 200 ") {
                Ok(body)
            } else {
                Err(format!("not answered: {}", String::from_utf8_lossy(&self.buffer)).into())
            };
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize, Failure> {
    let head = std::str::from_utf8(head)?;
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    Ok(value.ok_or("an answer without its length")?.parse()?)
}

/// One request on a connection of its own.
pub async fn once(address: SocketAddr, request: &[u8]) -> Result<Value, Failure> {
    let mut connection = Connection::open(address).await?;
    let body = connection.ask(request).await?;
    Ok(serde_json::from_slice(body).unwrap_or(Value::Null))
}

/// What a slice of a run saw.
pub struct Answers {
    pub count: usize,
    pub seconds: f64,
    /// Milliseconds, sorted.
    pub latencies: Vec<f64>,
}

impl Answers {
    pub fn quantile(&self, of: f64) -> f64 {
        quantile(&self.latencies, of)
    }
}

pub fn quantile(sorted: &[f64], of: f64) -> f64 {
    let at = ((sorted.len().saturating_sub(1)) as f64 * of).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Asks these requests in their order for this long, beginning at `start`; over and over, or each `once` only.
pub async fn drive(
    address: SocketAddr,
    connections: usize,
    requests: &[Vec<u8>],
    start: usize,
    once: bool,
    lasting: Duration,
) -> Result<Answers, Failure> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let next = Cell::new(start);
    let began = Instant::now();
    let asking = open.into_iter().map(|mut connection| {
        let next = &next;
        async move {
            let mut latencies = Vec::with_capacity(8192);
            while began.elapsed() < lasting && !(once && next.get() >= requests.len()) {
                let at = next.replace(next.get() + 1) % requests.len();
                let asked = Instant::now();
                let body = connection.ask(requests.get(at).map_or(&[][..], Vec::as_slice)).await?;
                latencies.push(asked.elapsed().as_secs_f64() * 1000.0);
                if !body.starts_with(b"{\"data\"") || body.starts_with(b"{\"data\":null") {
                    return Err(format!("refused: {}", String::from_utf8_lossy(body)).into());
                }
            }
            Ok::<_, Failure>(latencies)
        }
    });
    let mut latencies: Vec<f64> = futures_util::future::try_join_all(asking).await?.into_iter().flatten().collect();
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    Ok(Answers { count: latencies.len(), seconds, latencies })
}
