//! Asking twice and comparing.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use serde_json::Value;
use uuid::Uuid;

use crate::support::Server;

/// How many requests are under way at once.
pub const AT_ONCE: usize = 4;

/// A difference that a viewer can see.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was asked.
    pub probe: String,
    /// Of which type the record is, and how it is hidden.
    pub of: String,
    pub kind: &'static str,
    pub attacker: &'static str,
    pub hidden: String,
    pub absent: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probe, of, kind, attacker, hidden, absent } = self;
        write!(to, "{probe} as {attacker} ({of} {kind}):\n  hidden: {hidden:.1500}\n  absent: {absent:.1500}")
    }
}

/// An answer as the client has it, but what is new with every request: its id, and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    /// The whole answer without the ids that it was asked about, in the order in which they were.
    pub fn without(&self, ids: &[Uuid]) -> String {
        let mut body = self.body.clone();
        for (at, id) in ids.iter().enumerate() {
            body = body.replace(&id.to_string(), &format!("<id {at}>"));
        }
        format!("{} {:?} {body}", self.status, self.headers)
    }

    /// The errors' codes, those in a mutation's payload included.
    pub fn codes(&self) -> Vec<String> {
        let answer: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

pub struct Asking<'a> {
    pub server: &'a Server,
    /// Answers that were compared, or parts of them.
    pub probes: AtomicUsize,
    pub requests: AtomicUsize,
    kinds: Mutex<BTreeMap<&'static str, usize>>,
}

impl<'a> Asking<'a> {
    pub fn new(server: &'a Server) -> Self {
        Self { server, probes: AtomicUsize::new(0), requests: AtomicUsize::new(0), kinds: Mutex::default() }
    }

    pub fn probed(&self, probes: usize) {
        self.probes.fetch_add(probes, Ordering::Relaxed);
    }

    /// Of what is hidden in this way.
    pub fn probed_as(&self, kind: &'static str, probes: usize) {
        self.probed(probes);
        *self.kinds.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += probes;
    }

    /// How many probes there were of each kind of what is hidden.
    pub fn by_kind(&self) -> BTreeMap<&'static str, usize> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One answer. What a busy machine had no time for says nothing, and is asked for again.
    pub async fn ask(&self, token: &str, text: &str, variables: Value) -> Answer {
        for _ in 0..20 {
            let answer = self.ask_once(token, text, variables.clone()).await;
            if answer.status != 408 && !answer.codes().iter().any(|code| code == "TIMEOUT") {
                return answer;
            }
        }
        panic!("there is no time for {text:.300}");
    }

    async fn ask_once(&self, token: &str, text: &str, variables: Value) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = self.server.raw(token, text, variables).await;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.remove("date");
        let request = headers.insert("x-request-id".to_owned(), "<request>".to_owned()).unwrap();
        let body = response.text().await.unwrap();
        // Only where it belongs: anywhere else it is a difference.
        let body = body.replace(&format!("\"requestId\":\"{request}\""), "\"requestId\":\"<request>\"");
        Answer { status, headers, body }
    }
}

/// Runs what is independent, some of it at once.
pub async fn all<T, F: Future<Output = T>>(work: Vec<F>) -> Vec<T> {
    stream::iter(work).buffer_unordered(AT_ONCE).collect().await
}

/// An answer without the secrets in its cursors, which are sealed anew each time. Their lengths stay.
pub fn without_cursors(body: &str) -> String {
    let mut plain = body.to_owned();
    for name in ["cursor", "startCursor", "endCursor", "feedCursor"] {
        let mark = format!("\"{name}\":\"");
        let mut parts = plain.split(&mark);
        let mut told = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (cursor, rest) = part.split_once('"').unwrap_or((part, ""));
            told.push_str(&format!("{mark}<{}>\"{rest}", cursor.len()));
        }
        plain = told;
    }
    plain
}
