//! A server as a process, its own Redis, and everything that is heard of both.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};
use tokio_postgres::Client;

use super::scan::word;
use crate::support::{
    self, Issuer,
    issuer::Key,
    process::{Process, Redis},
};

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines to read, in development.
    Text,
    /// JSON, in production.
    Json,
}

/// As `openssl rand -hex 32` makes them.
const CURSOR_KEY: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// The page that may ask.
pub const ORIGIN: &str = "https://app.example.org";

pub struct World {
    pub process: Process,
    pub redis: Redis,
    pub database: String,
    pub admin: Client,
    issuer: Issuer,
    key: Arc<Key>,
    pub http: reqwest::Client,
    /// Every byte that passed Redis.
    pub passed: Arc<Mutex<Vec<u8>>>,
    /// What was asked, and everything of its answer.
    pub answers: Mutex<Vec<(String, String)>>,
}

impl World {
    /// On this database, with the log at its most talkative. These staff numbers may sign in.
    pub async fn start(form: Form, database: String, staff: &[&str]) -> Self {
        let redis = Redis::start().await;
        let passed = Arc::default();
        overhear(&redis, &passed).await;
        let key = Key::ec("e");
        let issuer = Issuer::start(&[&key]).await;
        for number in staff {
            let owner = support::url("hearth_owner", &database);
            hearth::db::logins::add(&owner, &issuer.url, &subject(number), number).await.unwrap();
        }
        let anchor = std::env::temp_dir().join(support::unique("hearth_anchor")).display().to_string();
        let mut variables = vec![
            ("HEARTH_LOG", "trace"),
            ("HEARTH_REQUEST_SECONDS", "6"),
            ("HEARTH_OIDC_ISSUER", &issuer.url),
            ("HEARTH_OIDC_AUDIENCE", support::issuer::AUDIENCE),
            ("HEARTH_ORIGINS", ORIGIN),
            ("HEARTH_CURSOR_KEY", CURSOR_KEY),
            ("RUST_BACKTRACE", "full"),
        ];
        variables.extend(match form {
            Form::Text => vec![("HEARTH_ENV", "development"), ("HEARTH_TOKEN_SECRET", support::SECRET)],
            Form::Json => vec![("HEARTH_ENV", "production"), ("HEARTH_AUDIT_ANCHOR", &anchor)],
        });
        let process = Process::with(&database, &redis.url(), "hearth", 0, &variables).await;
        process.until_ready().await;
        let admin = support::connect("postgres", &database).await;
        // A connection that waits too long for its next request is closed, maybe just as that is sent.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let answers = Mutex::default();
        Self { process, redis, database, admin, issuer, key, http, passed, answers }
    }

    /// A good token, with canaries in the claims that nobody needs.
    pub fn token(&self, staff: &str) -> String {
        let mut claims = self.issuer.claims(&subject(staff), chrono::Utc::now());
        for claim in ["name", "given_name", "family_name", "email", "sid", "nickname"] {
            claims[claim] = json!(word(&format!("claim {claim}")));
        }
        claims["address"] = json!({ "formatted": word("claim address") });
        self.key.sign(&self.key.header(), &claims)
    }

    pub fn keep(&self, asked: &str, answer: String) {
        self.answers.lock().unwrap().push((asked.to_owned(), answer));
    }

    /// Asks, and keeps the whole answer.
    pub async fn ask(&self, staff: &str, query: &str, variables: Value) -> Value {
        self.post(&self.token(staff), json!({ "query": query, "variables": variables })).await
    }

    pub async fn post(&self, token: &str, body: Value) -> Value {
        let request = self.http.post(self.process.graphql_url()).bearer_auth(token).json(&body);
        self.send(&body.to_string(), request).await
    }

    /// The body of the answer; whatever is no JSON is kept too.
    pub async fn send(&self, asked: &str, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap();
        let headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        // Whatever stands in a header is no data.
        self.keep(asked, json!({ "errors": headers }).to_string());
        let body = response.text().await.unwrap();
        let value = serde_json::from_str(&body).unwrap_or_default();
        self.keep(asked, body);
        value
    }

    /// Both probes.
    pub async fn health(&self) {
        for path in ["healthz", "readyz"] {
            let url = format!("http://{}/{path}", self.process.address);
            let body = self.http.get(url).send().await.unwrap().text().await.unwrap();
            self.keep(path, json!({ "errors": body }).to_string());
        }
    }

    /// Waits until a statement of the process waits for a lock.
    pub async fn until_blocked(&self) {
        let blocked = "select count(*) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'";
        while self.admin.query_one(blocked, &[&self.database]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Ends the connections of these roles.
    pub async fn end_backends(&self, role: &str, blocked: bool) -> u64 {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = $1 and usename like $2 and (wait_event_type = 'Lock' or not $3)";
        self.admin.execute(end, &[&self.database, &role, &blocked]).await.unwrap()
    }

    /// Waits until the relay has given every event its place.
    pub async fn all_placed(&self) {
        let waiting = "select count(*) from outbox where seq is null";
        while self.admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn subject(staff: &str) -> String {
    format!("{}/{staff}", word("claim sub"))
}

/// Listens to every command that this Redis gets, and to every message that it sends.
pub async fn overhear(redis: &Redis, passed: &Arc<Mutex<Vec<u8>>>) {
    for command in ["MONITOR\r\n", "PSUBSCRIBE *\r\n"] {
        let url = redis.url();
        let mut stream = UnixStream::connect(url.strip_prefix("redis+unix://").unwrap()).await.unwrap();
        stream.write_all(command.as_bytes()).await.unwrap();
        // It answers once it listens.
        let mut some = vec![0; 64 * 1024];
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "{command}");
        let passed = Arc::clone(passed);
        tokio::spawn(async move {
            while let Ok(count) = stream.read(&mut some).await {
                if count == 0 {
                    break;
                }
                passed.lock().unwrap().extend_from_slice(&some[..count]);
            }
        });
    }
}

/// What an answer says that is no data: errors, those of a payload included, or all of it when it is no answer of GraphQL.
pub fn errors_of(answer: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(answer) else { return answer.to_owned() };
    if answer["type"] == "error" || (answer.get("data").is_none() && answer["payload"].get("data").is_none()) {
        return answer.to_string();
    }
    let mut errors = Vec::new();
    take_errors(&mut answer, &mut errors);
    json!(errors).to_string()
}

/// An answer without its errors.
pub fn data_of(answer: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(answer) else { return String::new() };
    take_errors(&mut answer, &mut Vec::new());
    answer.to_string()
}

fn take_errors(value: &mut Value, taken: &mut Vec<Value>) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(|member| take_errors(member, taken)),
        Value::Object(fields) => {
            taken.extend(fields.remove("errors"));
            fields.values_mut().for_each(|field| take_errors(field, taken));
        }
        _ => {}
    }
}
