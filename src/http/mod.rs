//! HTTP: the only place that names axum.

mod graphql;
mod health;
mod origins;
mod patience;
mod seats;
mod sign_in;
mod sse;
mod websocket;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use async_graphql::{Response as GraphResponse, ServerError, Value as GraphValue};
use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::{self, Next},
    response::Response,
    routing::{MethodFilter, on},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    clock::Clock,
    db::Db,
    error::code,
    events::{Bus, relay::Relay},
    graphql::Graph,
};
pub use health::Health;
pub use origins::Origins;
use patience::Patient;
pub use seats::Seats;
pub use sign_in::SignIn;

/// How long requests may finish after the stop signal.
const FINISH_WITHIN: Duration = Duration::from_secs(20);
/// What a request is for, by code.
const PURPOSE: HeaderName = HeaderName::from_static("hearth-purpose");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a client may take. A test that waits for one of them makes it shorter.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For its headers; a connection without a request ends then too.
    pub headers: Duration,
    /// For its body.
    pub body: Duration,
    /// For a socket's handshake.
    pub init: Duration,
    /// How often an idle socket is probed, so that dead ones are noticed.
    pub probe: Duration,
    /// To answer a probe.
    pub answer: Duration,
    /// For anything of what it is sent: a client that does not read must not hold a task for ever.
    pub send: Duration,
    /// To send what nobody reads any more, after an answer that came before the end of its request.
    pub linger: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            body: Duration::from_secs(15),
            init: Duration::from_secs(5),
            probe: Duration::from_secs(30),
            answer: Duration::from_secs(15),
            send: Duration::from_secs(10),
            linger: Duration::from_secs(5),
        }
    }
}

/// What handlers share.
pub struct Web {
    /// The schema.
    pub graph: Graph,
    /// Who a request is from.
    pub sign_in: SignIn,
    /// The pages that may ask.
    pub origins: Origins,
    /// Sockets and streams of each person.
    pub seats: Seats,
    /// How long clients may take.
    pub times: Times,
    /// Whether the database roles are such that the process may serve: see `db::roles`.
    pub cleared: AtomicBool,
    /// The time.
    pub clock: Clock,
    /// For readiness.
    pub db: Db,
    /// For readiness.
    pub health: Health,
    /// For readiness.
    pub bus: Arc<Bus>,
    /// For readiness.
    pub relay: Arc<Relay>,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Largest message of a socket's client, in bytes.
    pub max_message_bytes: usize,
    /// Most operations that run on one socket.
    pub max_operations: usize,
    /// Cancelled when the process is to stop: sockets close with a code on which clients retry.
    pub stop: CancellationToken,
    /// Socket tasks, which a graceful shutdown of the connections alone would not wait for.
    pub sockets: TaskTracker,
}

/// Every request has an id: in the log, in the answer's header, and with every error that is our fault.
async fn identify(mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let span = tracing::info_span!("request", request_id = %id, method = %request.method());
    request.extensions_mut().insert(RequestId(id));
    let quiet = request.uri().path() != "/graphql";
    let began = std::time::Instant::now();
    let mut response = async {
        let response = next.run(request).await;
        let (status, elapsed_us) = (response.status().as_u16(), began.elapsed().as_micros());
        // Probes would fill the log.
        if quiet {
            tracing::debug!(status, elapsed_us, "answered");
        } else {
            tracing::info!(status, elapsed_us, "answered");
        }
        response
    }
    .instrument(span)
    .await;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id of a request.
#[derive(Clone)]
struct RequestId(Uuid);

/// Whether nothing comes after this response of a subscription: it failed as a whole.
fn ended(response: &GraphResponse) -> bool {
    response.data == GraphValue::Null && !response.errors.is_empty()
}

/// Whether it failed by our fault, which will pass: the client should come again.
fn is_ours(response: &GraphResponse) -> bool {
    let ours = |error: &ServerError| {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        [code::INTERNAL, code::TIMEOUT].iter().any(|one| code == Some(&GraphValue::from(*one)))
    };
    ended(response) && response.errors.iter().any(ours)
}

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/graphql", origins::guard(axum::routing::any(graphql::handle), &web))
        .route("/healthz", on(MethodFilter::GET, health::alive))
        .route("/readyz", on(MethodFilter::GET, health::ready))
        .layer(middleware::from_fn(identify))
        .with_state(web)
}

/// Serves until `web.stop`, then lets requests and mutations finish and closes sockets.
pub async fn serve(listener: TcpListener, web: Arc<Web>) {
    let (stop, sockets, times) = (web.stop.clone(), web.sockets.clone(), web.times);
    let router = router(web);
    let connections = TaskTracker::new();
    // HTTP/1 only, and with a limit on the headers from the first moment of a connection.
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(times.headers);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Usually too many open files: what is open goes on, new ones wait.
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let stream = TokioIo::new(Patient::new(stream, times.send, times.linger));
        let connection = server.serve_connection(stream, service).with_upgrades();
        let stop = stop.clone();
        connections.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // A client that breaks off is no event for anybody.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop(listener);
    connections.close();
    sockets.close();
    let finished = async {
        connections.wait().await;
        sockets.wait().await;
    };
    if tokio::time::timeout(FINISH_WITHIN, finished).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}
