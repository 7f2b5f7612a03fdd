//! One operation, one instant.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use diesel_async::{
    AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    methods::LoadQuery,
    pooled_connection::deadpool::{Object, Pool},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{failed, no_connection, pool::Connection};
use crate::{
    auth::Viewer,
    domain::codes::FieldClass,
    error::{Error, Result},
};

/// A read-only REPEATABLE READ transaction on one pooled connection, opened lazily at the first load and shared by
/// all loads of an operation, which are pipelined on it. The first SQL error ends it.
///
/// Call [`Snapshot::finish`] when the operation is done: a snapshot that is dropped without it throws its connection
/// away, because nobody knows what still runs on it.
pub struct Snapshot {
    pool: Pool<AsyncPgConnection>,
    viewer: Viewer,
    opened: OnceCell<Opened>,
    failure: OnceLock<Error>,
    /// Whether somebody left a load behind that had begun: nobody knows how long its statement still runs.
    abandoned: AtomicBool,
    /// Records that were read to be shown, and the classes of fields of them, for the audit.
    seen: Mutex<Seen>,
}

/// What an operation showed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whose records: persons, families, conferences.
    pub subjects: Vec<Uuid>,
    /// Which of their records: cases, plans.
    pub records: Vec<Uuid>,
    /// Whatever else was shown under its own id: it was not asked for in vain.
    pub own: Vec<Uuid>,
    /// Classes of fields beyond the core.
    pub classes: Vec<FieldClass>,
    /// Whether the audit itself was read.
    pub audit: bool,
}

impl Seen {
    /// What another showed, too.
    pub fn also(&mut self, other: Self) {
        self.subjects.extend(other.subjects);
        self.records.extend(other.records);
        self.own.extend(other.own);
        self.audit |= other.audit;
        other.classes.into_iter().for_each(|class| self.class(class));
    }

    /// Whether nobody's record was shown.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.records.is_empty() && !self.audit
    }

    /// A class of fields that was read.
    pub fn class(&mut self, class: FieldClass) {
        if !self.classes.contains(&class) {
            self.classes.push(class);
        }
    }
}

/// Sees a load to its end, or that it has none.
struct Under<'s> {
    abandoned: &'s AtomicBool,
    ended: bool,
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.abandoned.store(true, Ordering::Relaxed);
        }
    }
}

struct Opened {
    /// Kept apart from `entering` so that dropping decides what becomes of it.
    conn: Arc<Connection>,
    /// BEGIN and the identity, already sent.
    entering: Shared<BoxFuture<'static, Result<()>>>,
}

impl Snapshot {
    pub(in crate::db) fn new(pool: Pool<AsyncPgConnection>, viewer: Viewer) -> Arc<Self> {
        Arc::new(Self {
            pool,
            viewer,
            opened: OnceCell::new(),
            failure: OnceLock::new(),
            abandoned: AtomicBool::new(false),
            seen: Mutex::default(),
        })
    }

    /// Remembers what of this instant is shown.
    pub fn saw(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was shown so far, forgetting it.
    pub fn take_seen(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who reads.
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The error that ended the snapshot, if one did.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Remembers the first failure and returns it for every later one.
    fn fail(&self, error: Error) -> Error {
        self.failure.get_or_init(|| error).clone()
    }

    async fn open(&self) -> Result<Opened> {
        let conn = Arc::new(self.pool.get().await.map_err(no_connection)?);
        // One message in the simple protocol: the order of BEGIN, identity and first load cannot change, and all of
        // them are on their way before the first answer. Both values are typed; neither can hold a quote.
        let sql = format!(
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT hearth.enter('{}', '{}')",
            self.viewer.worker_id.0,
            self.viewer.at.to_rfc3339()
        );
        let held = Arc::clone(&conn);
        let entering = async move {
            let mut shared: &AsyncPgConnection = &held;
            shared.batch_execute(&sql).await.map_err(failed)
        }
        .boxed()
        .shared();
        // Sends it; the answer is awaited together with the first load's.
        let _ = futures_util::poll!(entering.clone());
        Ok(Opened { conn, entering })
    }

    /// Runs one statement. Boxed here, where its lifetimes are plain: a resolver's future holds many of these.
    pub(in crate::db) fn load<'s, Q, R>(&'s self, query: Q) -> BoxFuture<'s, Result<Vec<R>>>
    where
        Q: LoadQuery<'s, &'s AsyncPgConnection, R> + Send + 's,
        R: Send + 's,
    {
        async move {
            if let Some(failure) = self.failure.get() {
                return Err(failure.clone());
            }
            let opened = self.opened.get_or_try_init(|| self.open()).await.map_err(|error| self.fail(error))?;
            let mut conn: &'s AsyncPgConnection = &opened.conn;
            let mut under = Under { abandoned: &self.abandoned, ended: false };
            let (entered, rows) = futures_util::join!(opened.entering.clone(), query.load::<R>(&mut conn));
            under.ended = true;
            // Whatever the load says, a viewer who could not enter is the cause.
            entered.map_err(|error| self.fail(error))?;
            rows.map_err(|error| self.fail(failed(error)))
        }
        .boxed()
    }

    /// Ends the transaction and gives the connection back.
    pub async fn finish(self: Arc<Self>) {
        let Some(mut this) = Arc::into_inner(self) else {
            // Somebody still holds rows of it: dropping the last one throws the connection away.
            tracing::warn!("a snapshot was still in use when its operation ended");
            return;
        };
        if *this.abandoned.get_mut() {
            // A field failed while others loaded: whoever had the connection next would wait for what they began.
            return;
        }
        let Some(Opened { conn, entering }) = this.opened.take() else { return };
        let usable = entering.await.is_ok() && this.failure.get().is_none();
        let Some(conn) = Arc::into_inner(conn) else { return };
        let ended = {
            let mut shared: &AsyncPgConnection = &conn;
            let ending = std::pin::pin!(shared.batch_execute(if usable { "COMMIT" } else { "ROLLBACK" }));
            if usable {
                // On its way, before whatever the connection is used for next. Its answer says nothing about what was
                // read: nobody waits for it, and a connection that has died is noticed by who uses it next.
                match futures_util::poll!(ending) {
                    Poll::Ready(ended) => ended,
                    Poll::Pending => Ok(()),
                }
            } else {
                ending.await
            }
        };
        if ended.is_err() {
            drop(Object::take(conn));
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(Opened { conn, entering }) = self.opened.take() {
            drop(entering);
            if let Some(conn) = Arc::into_inner(conn) {
                drop(Object::take(conn));
            }
        }
    }
}
