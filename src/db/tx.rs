//! One change, one transaction.

use std::sync::{Mutex, PoisonError};

use diesel::{pg::Pg, query_builder::QueryFragment};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    pooled_connection::deadpool::{Object, Pool},
};
use uuid::Uuid;

use super::{failed, kept::Kept, no_connection, pool::Connection};
use crate::{
    auth::Viewer,
    error::{Error, Result},
};

/// A READ COMMITTED transaction as the viewer. Dropped without [`ViewerTx::commit`] or [`ViewerTx::rollback`] it
/// throws its connection away, transaction and all.
pub struct ViewerTx {
    conn: Option<Connection>,
    viewer: Viewer,
    /// What was opened for writing.
    written: Mutex<Vec<Uuid>>,
}

impl ViewerTx {
    pub(in crate::db) async fn begin(pool: &Pool<AsyncPgConnection>, viewer: Viewer) -> Result<Self> {
        let tx = Self::unopened(pool, viewer).await?;
        tx.enter().await?;
        Ok(tx)
    }

    /// With a connection, before BEGIN: the first statement is [`ViewerTx::enter`].
    pub(in crate::db) async fn unopened(pool: &Pool<AsyncPgConnection>, viewer: Viewer) -> Result<Self> {
        Ok(Self { conn: Some(pool.get().await.map_err(no_connection)?), viewer, written: Mutex::default() })
    }

    /// BEGIN and the identity, in the simple protocol: on their way at the first poll, ahead of what is polled next.
    pub(in crate::db) async fn enter(&self) -> Result<()> {
        let Viewer { worker_id, at } = self.viewer;
        let sql = format!("BEGIN; SELECT hearth.enter('{}', '{}')", worker_id.0, at.to_rfc3339());
        self.conn()?.batch_execute(&sql).await.map_err(failed)
    }

    /// Who changes.
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The connection, also for several statements at once: they run in the order in which they are polled first, as
    /// diesel prepares one at a time. One in the simple protocol is not prepared, and overtakes those that have yet to be:
    /// it goes first.
    pub(in crate::db) fn conn(&self) -> Result<&AsyncPgConnection> {
        self.conn.as_deref().ok_or_else(|| Error::internal("the transaction is over"))
    }

    /// Makes a change, and says how many rows it touched.
    pub(in crate::db) async fn run<Q>(&self, change: Q) -> Result<usize>
    where
        Q: QueryFragment<Pg> + Send,
    {
        Kept(change).execute(&mut self.conn()?).await.map_err(failed)
    }

    /// Opens exactly these records (children, conferences) for writing in this transaction. Called by a service
    /// after policy has permitted the action; the write policies accept nothing else. A record that the viewer sees only
    /// because they broke its glass is refused. In the simple protocol: on its way at the first poll, ahead of what it
    /// opens. Ids cannot hold a quote.
    pub async fn authorise(&self, subjects: &[Uuid]) -> Result<()> {
        self.open("write", subjects).await
    }

    /// The same for what is decided about a record and not in it (who may see it, what a glass was broken for), however
    /// the viewer sees it.
    pub async fn authorise_governing(&self, subjects: &[Uuid]) -> Result<()> {
        self.open("govern", subjects).await
    }

    async fn open(&self, how: &str, subjects: &[Uuid]) -> Result<()> {
        let list: Vec<String> = subjects.iter().map(Uuid::to_string).collect();
        let sql = format!("SELECT hearth.{how}('{{{}}}')", list.join(","));
        self.written.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(subjects);
        self.conn()?.batch_execute(&sql).await.map_err(failed)
    }

    /// Whose records were opened for writing so far.
    pub fn written(&self) -> Vec<Uuid> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until no other transaction changes the record, and keeps others waiting until this one ends.
    pub(in crate::db) async fn queue_for(&self, id: Uuid) -> Result<()> {
        self.wait_for(&[id]).await
    }

    /// Waits until no other change that queues here is made by the same viewer: for what is counted of them.
    pub async fn queue_for_viewer(&self) -> Result<()> {
        self.queue_for(self.viewer.worker_id.0).await
    }

    /// [`ViewerTx::queue_for`] for several records, in this order. Advisory locks, because a row lock would need the
    /// right to write before policy has been asked. In the simple protocol: on its way at the first poll, whatever is
    /// prepared or not.
    pub(in crate::db) async fn wait_for(&self, ids: &[Uuid]) -> Result<()> {
        let lock = |id: &Uuid| {
            let (high, low) = id.as_u64_pair();
            format!("SELECT pg_advisory_xact_lock({});", (high ^ low).cast_signed())
        };
        let mut conn = self.conn()?;
        conn.batch_execute(&ids.iter().map(lock).collect::<String>()).await.map_err(failed)
    }

    /// Makes it last, and wakes the relay. The wake-up is a transaction of its own: inside this one it would
    /// serialise all commits.
    pub async fn commit(mut self) -> Result<()> {
        self.conn()?.batch_execute("COMMIT; NOTIFY hearth_outbox").await.map_err(failed)?;
        self.conn = None;
        Ok(())
    }

    /// Undoes everything and gives the connection back.
    pub async fn rollback(mut self) {
        if let Ok(mut conn) = self.conn()
            && conn.batch_execute("ROLLBACK").await.is_ok()
        {
            self.conn = None;
        }
    }
}

impl Drop for ViewerTx {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            drop(Object::take(conn));
        }
    }
}
