//! The floor: the least that could answer the same requests. Plain axum, one hand-written statement for each answer,
//! which Postgres returns as the finished JSON. No GraphQL, no authorisation: it logs in as a role that row-level
//! security does not bind, and answers whoever asks. What Hearth costs beyond it is what the graph and the policies
//! cost together.
//!
//! Under `/bound/` the same statements run as Hearth's own role, in a read-only transaction with the viewer's identity:
//! the least that could answer under the policies.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    extract::{
        Path, State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use redis::AsyncCommands;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast};
use tokio_postgres::{Client, NoTls, Row, Statement, types::ToSql};
use uuid::Uuid;

use crate::Failure;

/// Connections, as many as the server may have.
const CONNECTIONS: usize = 16;
/// Messages that a socket may lag behind.
const BUFFERED: usize = 64;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long, env = "HEARTH_BENCH_DATABASE_URL")]
    database_url: String,
    #[arg(long, env = "HEARTH_APP_DATABASE_URL")]
    app_database_url: String,
    #[arg(long, env = "HEARTH_REDIS_URL")]
    redis_url: String,
}

/// A connection with its statements prepared.
struct Session {
    client: Client,
    child: Statement,
    board: Statement,
    list: Statement,
    deep: Statement,
    /// Where the role may write.
    allocate: Option<Statement>,
}

impl Session {
    async fn open(url: &str, writes: bool) -> Result<Self, Failure> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        // As on the server's connections.
        client
            .batch_execute("set plan_cache_mode = force_generic_plan; SET random_page_cost = 1.1; set jit = off")
            .await?;
        let allocate = if writes { Some(client.prepare(include_str!("sql/allocate.sql")).await?) } else { None };
        Ok(Self {
            child: client.prepare(include_str!("sql/child.sql")).await?,
            board: client.prepare(include_str!("sql/board.sql")).await?,
            list: client.prepare(include_str!("sql/list.sql")).await?,
            deep: client.prepare(include_str!("sql/deep.sql")).await?,
            allocate,
            client,
        })
    }

    /// The answer of a shape that reads.
    async fn read(&self, viewer: Option<Uuid>, shape: &str, about: &str) -> Result<Row, Fault> {
        let one: Uuid;
        let many: Vec<Uuid>;
        let (statement, about): (&Statement, &(dyn ToSql + Sync)) = if shape == "list" {
            many = about.split(',').map(Uuid::try_parse).collect::<Result<_, _>>()?;
            (&self.list, &many)
        } else {
            one = about.parse()?;
            let statement = match shape {
                "child" => &self.child,
                "board" => &self.board,
                _ => &self.deep,
            };
            (statement, &one)
        };
        let parameters = [about];
        let answer = self.client.query_one(statement, &parameters);
        let Some(viewer) = viewer else { return Ok(answer.await?) };
        let enter = format!(
            "begin transaction isolation level repeatable read read only; select hearth.enter('{viewer}', now())"
        );
        // On their way together.
        let (entered, row, ended) =
            futures_util::join!(self.client.batch_execute(&enter), answer, self.client.batch_execute("commit"));
        entered?;
        ended?;
        Ok(row?)
    }
}

/// As many sessions as requests may run at once.
struct Pool {
    free: Semaphore,
    sessions: Mutex<Vec<Session>>,
}

/// A session that goes back when it is dropped.
struct Borrowed<'a> {
    pool: &'a Pool,
    session: Option<Session>,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    async fn open(url: &str, writes: bool) -> Result<Self, Failure> {
        let mut sessions = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            sessions.push(Session::open(url, writes).await?);
        }
        Ok(Self { free: Semaphore::new(CONNECTIONS), sessions: Mutex::new(sessions) })
    }

    async fn borrow(&self) -> Result<Borrowed<'_>, Fault> {
        let permit = self.free.acquire().await?;
        // Last in, first out: as few connections are in use as there are requests at once.
        let session = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Borrowed { pool: self, session, _permit: permit })
    }
}

impl Borrowed<'_> {
    fn session(&self) -> Result<&Session, Fault> {
        self.session.as_ref().ok_or_else(|| Fault("no session is free".into()))
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.pool.sessions.lock().unwrap_or_else(PoisonError::into_inner).extend(self.session.take());
    }
}

struct Floor {
    free: Pool,
    bound: Pool,
    redis: redis::aio::ConnectionManager,
    place: AtomicI64,
    feed: broadcast::Sender<Utf8Bytes>,
}

struct Fault(Failure);

impl<E: Into<Failure>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        eprintln!("{:?}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

fn answer(row: &Row) -> Result<Response, Fault> {
    let text: String = row.try_get(0)?;
    Ok(([(header::CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response())
}

type OfFloor = State<Arc<Floor>>;

async fn read(State(floor): OfFloor, Path((shape, about)): Path<(String, String)>) -> Result<Response, Fault> {
    let borrowed = floor.free.borrow().await?;
    answer(&borrowed.session()?.read(None, &shape, &about).await?)
}

async fn read_bound(
    State(floor): OfFloor,
    Path((viewer, shape, about)): Path<(Uuid, String, String)>,
) -> Result<Response, Fault> {
    let borrowed = floor.bound.borrow().await?;
    answer(&borrowed.session()?.read(Some(viewer), &shape, &about).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocate {
    worker: Uuid,
    idempotency_key: String,
    case_id: Uuid,
    unit_id: Uuid,
    reason: String,
    expected_version: i32,
}

async fn allocate(State(floor): OfFloor, body: String) -> Result<Response, Fault> {
    let input: Allocate = serde_json::from_str(&body)?;
    let hash = Sha256::new()
        .chain_update(input.case_id)
        .chain_update(input.unit_id)
        .chain_update(&input.reason)
        .chain_update(input.expected_version.to_be_bytes())
        .finalize()
        .to_vec();
    let ids: [Uuid; 4] = std::array::from_fn(|_| Uuid::now_v7());
    let place = floor.place.fetch_sub(1, Ordering::Relaxed);
    let row = {
        let borrowed = floor.free.borrow().await?;
        let session = borrowed.session()?;
        session
            .client
            .query_one(
                session.allocate.as_ref().ok_or("not prepared")?,
                &[
                    &input.worker,
                    &input.idempotency_key,
                    &hash,
                    &input.case_id,
                    &input.unit_id,
                    &input.reason,
                    &input.expected_version,
                    &ids[0],
                    &ids[1],
                    &ids[2],
                    &ids[3],
                    &place,
                ],
            )
            .await?
    };
    let _: i64 = floor.redis.clone().publish("hearth-floor", place).await?;
    answer(&row)
}

/// Sends whatever is told to [`tell`], after one message that says that it will.
async fn listen(State(floor): OfFloor, upgrade: WebSocketUpgrade) -> Response {
    // The same small buffers as the server's: the floor is to be low.
    upgrade.read_buffer_size(1024).write_buffer_size(0).on_upgrade(move |mut socket| async move {
        let mut feed = floor.feed.subscribe();
        if socket.send(Message::Text(Utf8Bytes::from_static("ready"))).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                told = feed.recv() => {
                    let Ok(text) = told else { return };
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                heard = socket.recv() => if !matches!(heard, Some(Ok(_))) { return },
            }
        }
    })
}

async fn tell(State(floor): OfFloor, text: String) -> &'static str {
    // Fails only when nobody listens.
    let _ = floor.feed.send(text.into());
    "{}"
}

pub async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let client = redis::Client::open(arguments.redis_url.as_str())?;
    let floor = Floor {
        free: Pool::open(&arguments.database_url, true).await?,
        bound: Pool::open(&arguments.app_database_url, false).await?,
        redis: client.get_connection_manager().await?,
        place: AtomicI64::new(-chrono::Utc::now().timestamp_micros()),
        feed: broadcast::channel(BUFFERED).0,
    };
    let router = Router::new()
        .route("/ready", get(async || "{}"))
        .route("/{shape}/{about}", get(read))
        .route("/bound/{viewer}/{shape}/{about}", get(read_bound))
        .route("/allocate", post(allocate))
        .route("/listen", get(listen))
        .route("/tell", post(tell))
        .with_state(Arc::new(floor));
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
