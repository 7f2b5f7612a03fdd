//! Whether the process lives, and whether it can work.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Web;

/// 200 while the process answers at all.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// 200 when all parts work, 503 with what does not. Events are delivered while Redis is away, only later; a load
/// balancer that should keep sending requests then asks `/healthz`.
pub(super) async fn ready(State(web): State<Arc<Web>>) -> Response {
    let migrations = web.db.migrated().await;
    let mut parts = vec![
        ("postgres", migrations.is_ok()),
        ("migrations", matches!(migrations, Ok(true))),
        ("redis", web.bus.hears()),
        ("bus", web.bus.is_ready()),
        ("relay", web.relay.is_alive()),
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
