//! A server as a process of its own, and a Redis of a test's own: both can be killed.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{CURSOR_KEY, SECRET, url};

/// A process that is killed when the test lets go of it.
pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
    /// Everything that it wrote to its log so far.
    pub log: std::sync::Arc<std::sync::Mutex<String>>,
    /// Read to their ends, standard output and error.
    reading: Vec<tokio::task::JoinHandle<()>>,
}

impl Process {
    /// A server on this database and Redis. `port` 0 takes a free one.
    pub async fn start(database: &str, redis_url: &str, channel: &str, port: u16) -> Self {
        let development = [("HEARTH_ENV", "development"), ("HEARTH_TOKEN_SECRET", SECRET)];
        let process = Self::with(database, redis_url, channel, port, &development).await;
        process.until_ready().await;
        process
    }

    /// The same with these variables besides, as soon as it listens.
    pub async fn with(database: &str, redis_url: &str, channel: &str, port: u16, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hearth"))
            .arg("serve")
            .env("HEARTH_CURSOR_KEY", CURSOR_KEY)
            .env("HEARTH_APP_DATABASE_URL", url("hearth_app", database))
            .env("HEARTH_RELAY_DATABASE_URL", url("hearth_relay", database))
            .env("HEARTH_BUS_DATABASE_URL", url("hearth_bus", database))
            .env("HEARTH_REDIS_URL", redis_url)
            .env("HEARTH_CHANNEL", channel)
            .env("HEARTH_LISTEN", format!("127.0.0.1:{port}"))
            .env("HEARTH_DATABASE_CONNECTIONS", "8")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let mut seen = String::new();
        let address = loop {
            let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
            let line = line.unwrap().unwrap().unwrap_or_else(|| panic!("the server ended: {seen}"));
            seen.push_str(&format!("{line}\n"));
            // A line to read in development, JSON in production.
            let said = line.split_once("serving address=").map(|(_, address)| address.trim().to_owned());
            let logged: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let logged = logged["address"].as_str().map(str::to_owned).filter(|_| logged["message"] == "serving");
            if let Some(address) = said.or(logged) {
                break address.parse().unwrap();
            }
        };
        log.lock().unwrap().push_str(&seen);
        let keep = std::sync::Arc::clone(&log);
        let errors = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let keep = std::sync::Arc::clone(&log);
        let output = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, address, log, reading: vec![errors, output] }
    }

    pub async fn until_ready(&self) {
        for _ in 0..400 {
            if reqwest::get(format!("http://{}/readyz", self.address)).await.is_ok_and(|answer| answer.status() == 200)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the server did not get ready: {}", self.log.lock().unwrap());
    }

    pub fn graphql_url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    pub fn socket_url(&self) -> String {
        format!("ws://{}/graphql", self.address)
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn terminate(&mut self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "{ended}: {}", self.log.lock().unwrap());
    }
}

impl Process {
    /// Asks it to stop, and answers everything that it ever wrote.
    pub async fn last_words(&mut self) -> String {
        self.terminate().await;
        for reading in self.reading.drain(..) {
            reading.await.unwrap();
        }
        self.log.lock().unwrap().clone()
    }
}

/// A Redis of the test's own, on a socket in a folder of its own.
pub struct Redis {
    folder: PathBuf,
    child: Option<Child>,
}

impl Redis {
    pub async fn start() -> Self {
        let folder = std::env::temp_dir().join(super::unique("hearth_redis"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut redis = Self { folder, child: None };
        redis.again().await;
        redis
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.join("redis.sock").display())
    }

    /// Starts it again after a kill.
    pub async fn again(&mut self) {
        let socket = self.folder.join("redis.sock");
        let _ = std::fs::remove_file(&socket);
        let child = Command::new(super::redis_server())
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..400 {
            if tokio::net::UnixStream::connect(&socket).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis did not start");
    }

    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
