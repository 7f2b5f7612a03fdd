//! Workers: the directory that every worker may read.

use diesel::{
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::{self, Bool, Nullable, Record, Text},
};
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

/// A worker beside the row that names them: a record in a column, by the row's `key`, or a NULL in its place. One lookup by
/// primary key in the row's own statement costs less than a statement for all of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) struct Beside {
    pub(in crate::db) selected: bool,
    pub(in crate::db) key: &'static str,
}

/// What [`Beside`] reads as.
pub(in crate::db) type BesideRow = Option<(Uuid, String, String, bool, bool)>;

impl Expression for Beside {
    type SqlType = Nullable<Record<(sql_types::Uuid, Text, Text, Bool, Bool)>>;
}

impl QueryId for Beside {
    type QueryId = ();
    // The choice is part of the statement's text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Beside {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.selected {
            out.push_sql("NULL::record");
            return Ok(());
        }
        out.push_sql("(SELECT ROW(w.id, w.staff_no, w.name, w.qualified, w.active) FROM workers w WHERE w.id = ");
        out.push_sql(self.key);
        out.push_sql(")");
        Ok(())
    }
}

impl ValidGrouping<()> for Beside {
    type IsAggregate = is_aggregate::No;
}

impl<Source> AppearsOnTable<Source> for Beside {}
impl<Source> SelectableExpression<Source> for Beside {}

/// The worker that stood beside a row.
pub(in crate::db) fn beside(row: BesideRow) -> Option<WorkerRow> {
    row.map(|(id, staff_no, name, qualified, active)| WorkerRow { id, staff_no, name, qualified, active })
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
