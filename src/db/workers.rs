//! Workers: the directory that every worker may read.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Placed, Snapshot, ViewerTx, failed, lateral,
    schema::{worker_posts, workers},
};
use crate::{domain::codes::Role, error::Result};

/// A worker.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = workers, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct WorkerRow {
    pub id: Uuid,
    pub staff_no: String,
    pub name: String,
    pub qualified: bool,
    pub active: bool,
}

/// These workers.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid]) -> Result<Vec<WorkerRow>> {
    snapshot.load(workers::table.filter(workers::id.eq_any(ids.to_vec())).select(WorkerRow::as_select())).await
}

/// The posts that each of these workers holds at the snapshot's moment.
pub async fn posts_of(snapshot: &Snapshot, worker_ids: &[Uuid]) -> Result<Vec<Placed<Coded<Role>>>> {
    let at = snapshot.viewer().at;
    let posts = worker_posts::table
        .filter(worker_posts::worker_id.eq(lateral::parent_id()))
        .filter(worker_posts::started_at.le(at))
        .filter(worker_posts::ended_at.is_null().or(worker_posts::ended_at.gt(at)))
        .order(worker_posts::post)
        .select(worker_posts::post);
    snapshot.load(lateral::for_each(worker_ids, posts)).await
}

/// A worker inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<Option<WorkerRow>> {
    workers::table.find(id).select(WorkerRow::as_select()).first(&mut tx.conn()?).await.optional().map_err(failed)
}

/// Whether the worker holds the post at the change's moment.
pub async fn holds_post(tx: &ViewerTx, id: Uuid, post: Role) -> Result<bool> {
    use crate::domain::Code;
    let at = tx.viewer().at;
    diesel::select(diesel::dsl::exists(
        worker_posts::table
            .filter(worker_posts::worker_id.eq(id))
            .filter(worker_posts::post.eq(post.code()))
            .filter(worker_posts::started_at.le(at))
            .filter(worker_posts::ended_at.is_null().or(worker_posts::ended_at.gt(at))),
    ))
    .get_result(&mut tx.conn()?)
    .await
    .map_err(failed)
}
