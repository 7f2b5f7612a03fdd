//! Whether the process lives, and whether it can work.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use tokio::sync::Mutex;

use super::Web;
use crate::{db::Db, error::Result};

/// How long the database's answer is good: strangers may ask, and must not keep connections from requests.
const ANSWER_GOOD_FOR: Duration = Duration::from_secs(1);

/// What the database said last, and when.
#[derive(Default)]
pub struct Health {
    migrated: Mutex<Option<(Instant, Result<bool>)>>,
}

impl Health {
    /// Whether the database has this program's schema. Whoever comes while it is being asked waits for the same answer.
    async fn migrated(&self, db: &Db) -> Result<bool> {
        let mut last = self.migrated.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(at, _)| at.elapsed() < ANSWER_GOOD_FOR) {
            return answer.clone();
        }
        let answer = db.migrated().await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

/// 200 while the process answers at all.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when all parts work, 503 with what does not. Events are delivered while Redis is away, only later; a load
/// balancer that should keep sending requests then asks `/healthz`. All but what the database says is as of now.
pub(super) async fn ready(State(web): State<Arc<Web>>) -> Response {
    let migrations = web.health.migrated(&web.db).await;
    let mut parts = vec![
        ("postgres", migrations.is_ok()),
        ("migrations", matches!(migrations, Ok(true))),
        ("redis", web.bus.hears()),
        ("bus", web.bus.is_ready()),
        ("relay", web.relay.is_alive()),
        ("audit", web.graph.shared().audit.works()),
        ("roles", web.cleared.load(Ordering::Relaxed)),
    ];
    parts.extend(web.sign_in.is_ready().map(|ready| ("signIn", ready)));
    let ready = parts.iter().all(|(_, works)| *works);
    let parts: serde_json::Map<String, serde_json::Value> =
        parts.into_iter().map(|(part, works)| (part.to_owned(), works.into())).collect();
    let body = serde_json::json!({ "ready": ready, "parts": parts }).to_string();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
