//! Processes: starting them, and what they have used, from /proc.

use std::{fs::File, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use crate::{Failure, driver};

/// A tick of /proc, in microseconds: Linux shows 100 of them a second to every program.
const TICK_US: f64 = 10_000.0;

/// A process that ends with this one.
pub struct Process {
    pub child: Child,
    pub pid: u32,
}

impl Process {
    /// Starts it, with its standard error in `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, Failure> {
        let child = command.stderr(File::options().create(true).append(true).open(log)?).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("a process ended at once")?;
        Ok(Self { child, pid })
    }

    /// Starts something that serves HTTP, and waits until it is ready.
    pub async fn serve(mut command: Command, address: SocketAddr, ready: &str, log: &Path) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = Self::start(command, log)?;
        let request = driver::get(ready);
        for _ in 0..600 {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("it ended while it started ({status}):\n{}", tail(log)).into());
            }
            if driver::once(address, &request).await.is_ok() {
                return Ok(process);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("it was not ready within 30 seconds:\n{}", tail(log)).into())
    }

    /// Ends it and waits until it is gone.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        Ok(())
    }
}

/// The end of a log, for whoever reads why a run failed: the log itself is gone by then.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
}

/// A port that nobody uses now.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// CPU time in microseconds, all of it since the processes began, or between two readings.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Cpu {
    pub server: f64,
    pub postgres: f64,
    pub redis: f64,
}

impl Cpu {
    /// What has been used by now.
    pub fn read(server: u32, postgres: u32, redis: u32) -> Result<Self, Failure> {
        Ok(Self { server: own(server)?, postgres: family(postgres)?, redis: own(redis)? })
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            redis: self.redis - before.redis,
        }
    }

    pub fn per(self, count: usize) -> Self {
        let count = count.max(1) as f64;
        Self { server: self.server / count, postgres: self.postgres / count, redis: self.redis / count }
    }

    pub fn total(self) -> f64 {
        self.server + self.postgres + self.redis
    }
}

/// utime, stime, cutime, cstime.
fn times(pid: u32) -> Result<[f64; 4], Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in parentheses, which may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let mut times = [0.0; 4];
    for (time, field) in times.iter_mut().zip(fields.get(11..15).ok_or("/proc has no times")?) {
        *time = field.parse::<f64>()? * TICK_US;
    }
    Ok(times)
}

/// A process with all its threads.
fn own(pid: u32) -> Result<f64, Failure> {
    let [user, system, ..] = times(pid)?;
    Ok(user + system)
}

/// A postmaster with its children, those that have ended included.
fn family(pid: u32) -> Result<f64, Failure> {
    let mut sum: f64 = times(pid)?.iter().sum();
    for child in std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?.split_whitespace() {
        // One that ends between the two looks is counted by the postmaster from now on.
        sum += own(child.parse()?).unwrap_or(0.0);
    }
    Ok(sum)
}

/// Resident memory in bytes.
pub fn resident(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("/proc has no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}

/// How many files this process and its children may have open.
pub fn open_files() -> Result<usize, Failure> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or("/proc has no limits")?;
    let soft = line.split_whitespace().next().unwrap_or_default();
    Ok(if soft == "unlimited" { usize::MAX } else { soft.parse()? })
}
